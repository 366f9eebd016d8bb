//! A correction shares the pool of each line anew, and what it proposes is one proposal that somebody else decides.

use crate::world::{Actor, World, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A partner in a program of ten percent, and a credit of this share on a won deal.
struct Credited {
    world: World,
    partner: String,
    deal: String,
    credit: String,
}

impl Credited {
    fn with(share: u32, terms: Value) -> Self {
        let world = World::new();
        let program = world.program(json!({}));
        world.rule(&program, "0.1", terms);
        let partner = world.enrolled("A", &program);
        let deal = world.won_deal(&program, "1000.00 USD", &[(&partner, share)]);
        let credits = world.admin().all(&format!("/v1/attributions?deal_id={deal}"));
        let credit = texts(&credits, "id").remove(0);
        Self {
            world,
            partner,
            deal,
            credit,
        }
    }

    /// An invoice of this amount, paid.
    fn paid(&self, amount: &str) -> String {
        let invoice = self.world.invoice(&self.deal, "USD", &[amount]);
        self.world.pay(&invoice, &format!("{amount} USD"))
    }

    fn correct_as(&self, actor: &Actor, share: i64) {
        let body = json!({ "share_basis_points": share, "reason": "Agreed on 3 March." });
        let path = format!("/v1/attributions/{}/correct", self.credit);
        actor.post_once(&path, body).expect(200);
    }

    fn correct(&self, share: i64) {
        self.correct_as(self.world.admin(), share);
    }

    fn proposed(&self) -> Vec<Value> {
        self.world.admin().all("/v1/adjustments?status=proposed")
    }

    fn amounts(&self) -> Vec<String> {
        texts(&self.proposed(), "amount")
    }

    fn approve(&self, actor: &Actor) -> crate::world::Reply {
        let id = texts(&self.proposed(), "id").remove(0);
        actor.post_once(&format!("/v1/adjustments/{id}/approve"), Value::Null)
    }

    fn second(&self) -> Actor {
        self.world
            .another_hand(&["adjustments:read", "adjustments:approve"])
    }
}

#[test]
fn what_was_rounded_counts_for_no_more_than_it_is() {
    for (share, net, earned, gained) in [
        (1, "500.00", "0.01", "49.99"),
        (3, "500.00", "0.02", "49.98"),
        (1, "400.00", "0.00", "40.00"),
        (7, "1234.56", "0.09", "123.37"),
    ] {
        let credited = Credited::with(share, json!({}));
        credited.paid(net);
        assert_eq!(texts(&credited.world.lines(""), "amount"), [earned]);
        credited.correct(10_000);
        assert_eq!(credited.amounts(), [gained], "{share} of {net}");
        credited.approve(&credited.second()).expect(200);
        credited.world.books_balance();
    }
}

#[test]
fn many_small_lines_come_to_what_the_share_makes_of_each() {
    let credited = Credited::with(500, json!({}));
    for _ in 0..10 {
        credited.paid("1.00");
    }
    // Half a cent is a cent.
    assert_eq!(credited.world.balance(&credited.partner, "payable"), "0.10");
    credited.correct(10_000);
    assert_eq!(credited.amounts(), ["0.90"]);
    credited.correct(400);
    assert_eq!(credited.amounts(), ["-0.10"]);
}

#[test]
fn what_went_back_of_a_line_that_earned_nothing_earns_nothing_after_a_correction() {
    let credited = Credited::with(1, json!({}));
    let payment = credited.paid("400.00");
    credited.world.refund(&payment, "100.00 USD");
    credited.correct(10_000);
    assert_eq!(credited.amounts(), ["30.00"]);
    credited.world.pass(TimeDelta::minutes(1));
    credited.world.refund(&payment, "300.00 USD");
    assert_eq!(credited.amounts(), Vec::<String>::new());
}

/// A refund of which nothing was taken back still leaves less to share.
#[test]
fn what_went_back_counts_whether_or_not_it_took_anything() {
    for correct_first in [true, false] {
        let credited = Credited::with(1, json!({}));
        let payment = credited.paid("1000.00");
        if correct_first {
            credited.correct(10_000);
            assert_eq!(credited.amounts(), ["99.99"]);
        }
        credited.world.pass(TimeDelta::minutes(1));
        credited.world.refund(&payment, "400.00 USD");
        if !correct_first {
            credited.correct(10_000);
        }
        assert_eq!(texts(&credited.world.lines(""), "reversed"), ["0.00"]);
        assert_eq!(credited.amounts(), ["59.99"]);
    }
}

/// The pool of a bonus is shared anew as well, although the base was there before it.
#[test]
fn each_component_is_shared_anew() {
    let credited = Credited::with(1, json!({}));
    let program = credited.world.admin().all("/v1/programs").remove(0);
    let bonus = json!({ "program_id": program["id"], "name": "Bonus", "component": "bonus", "terms": {
        "formula": { "type": "percentage", "rate": "0.05" }, "hold_days": 0, "effective_from": "2020-01-01T00:00:00Z" } });
    let rule = credited
        .world
        .admin()
        .post("/v1/commission-rules", bonus)
        .expect(201);
    credited
        .world
        .activate(rule.text("/first_version_id"))
        .expect(200);
    credited.paid("1000.00");
    let mut earned = texts(&credited.world.lines(""), "amount");
    earned.sort();
    assert_eq!(earned, ["0.01", "0.01"]);
    credited.correct(10_000);
    assert_eq!(credited.amounts(), ["149.98"]);
}

#[test]
fn a_payment_in_parts_comes_to_the_whole() {
    let credited = Credited::with(3_333, json!({}));
    let invoice = credited.world.invoice(&credited.deal, "USD", &["100.00"]);
    for part in ["33.33 USD", "33.33 USD", "33.34 USD"] {
        credited.world.pay(&invoice, part);
    }
    assert_eq!(credited.world.balance(&credited.partner, "payable"), "3.33");
    credited.correct(6_667);
    assert_eq!(credited.amounts(), ["3.34"]);
}

#[test]
fn a_proposal_that_nobody_decided_gives_way_to_the_next() {
    let credited = Credited::with(10_000, json!({}));
    let payment = credited.paid("1000.00");
    credited.correct(4_000);
    assert_eq!(credited.amounts(), ["-60.00"]);
    credited.world.pass(TimeDelta::minutes(1));
    credited.world.refund(&payment, "500.00 USD");
    assert_eq!(credited.amounts(), ["-30.00"]);
    credited.world.pass(TimeDelta::minutes(1));
    credited.world.refund(&payment, "500.00 USD");
    assert_eq!(credited.amounts(), Vec::<String>::new());
    let withdrawn = credited.world.admin().all("/v1/adjustments?status=withdrawn");
    assert_eq!(withdrawn.len(), 2);
    assert_eq!(credited.world.balance(&credited.partner, "payable"), "0.00");
}

#[test]
fn whoever_corrected_the_credit_approves_nothing_that_follows_from_it() {
    let credited = Credited::with(10_000, json!({}));
    let payment = credited.paid("1000.00");
    let manager = credited
        .world
        .key(&["attributions:review", "adjustments:approve"]);
    credited.correct_as(&manager, 4_000);
    credited.world.pass(TimeDelta::minutes(1));
    credited.world.refund(&payment, "500.00 USD");
    credited.approve(&manager).refused(409, "second_person_required");
    credited.approve(&credited.second()).expect(200);
    assert_eq!(credited.world.balance(&credited.partner, "payable"), "20.00");
}

/// Also when somebody else has corrected it since: what they proposed is a part of what is proposed now.
#[test]
fn nobody_approves_what_took_the_place_of_their_own_proposal() {
    let credited = Credited::with(5_000, json!({}));
    credited.paid("1000.00");
    let rights = ["attributions:review", "adjustments:approve"];
    let [first, second] = [(); 2].map(|()| credited.world.another_hand(&rights));
    credited.correct_as(&first, 9_000);
    credited.correct_as(&second, 9_100);
    for actor in [&first, &second] {
        credited.approve(actor).refused(409, "second_person_required");
    }
    credited.approve(&credited.second()).expect(200);
    assert_eq!(credited.world.balance(&credited.partner, "payable"), "91.00");
}

#[test]
fn what_a_line_of_nothing_is_given_waits_as_long_as_the_line_would() {
    let credited = Credited::with(1, json!({ "hold_days": 30 }));
    credited.paid("400.00");
    credited.correct(10_000);
    assert_eq!(credited.amounts(), ["40.00"]);
    credited
        .approve(&credited.second())
        .refused(409, "commission_on_hold");
    credited.world.pass(TimeDelta::days(31));
    credited.approve(&credited.second()).expect(200);
}

#[test]
fn what_is_given_more_waits_for_the_lines_that_it_follows_from() {
    let credited = Credited::with(5_000, json!({ "hold_days": 30 }));
    credited.paid("1000.00");
    credited.correct(10_000);
    assert_eq!(credited.amounts(), ["50.00"]);
    credited
        .approve(&credited.second())
        .refused(409, "commission_on_hold");
    credited.world.pass(TimeDelta::days(31));
    credited.world.work();
    credited.approve(&credited.second()).expect(200);
    assert_eq!(credited.world.balance(&credited.partner, "payable"), "100.00");
    credited.world.books_balance();
}

#[test]
fn what_is_taken_waits_for_nothing() {
    let credited = Credited::with(5_000, json!({ "hold_days": 30 }));
    credited.paid("1000.00");
    credited.correct(2_500);
    credited.approve(&credited.second()).expect(200);
    assert_eq!(credited.world.balance(&credited.partner, "payable"), "-25.00");
    credited.world.books_balance();
}

#[test]
fn corrections_of_more_than_an_amount_are_proposed_in_several_and_money_still_goes_back() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(&program, "1", json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "1.00 USD", &[(&partner, 10_000)]);
    let credits = world.admin().all(&format!("/v1/attributions?deal_id={deal}"));
    let credit = texts(&credits, "id").remove(0);
    let credited = Credited {
        world,
        partner,
        deal,
        credit,
    };
    let payments = ["900000000000000.00"; 3].map(|amount| credited.paid(amount));
    credited.correct(1);
    let mut amounts = credited.amounts();
    amounts.sort();
    assert_eq!(
        amounts,
        [
            "-699730000000000.02",
            "-999999999999999.99",
            "-999999999999999.99"
        ]
    );
    credited.world.pass(TimeDelta::minutes(1));
    credited.world.refund(&payments[0], "900000000000000.00 USD");
    let mut amounts = credited.amounts();
    amounts.sort();
    assert_eq!(amounts, ["-799820000000000.01", "-999999999999999.99"]);
    credited.world.books_balance();
}
