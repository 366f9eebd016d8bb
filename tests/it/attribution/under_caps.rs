//! A correction adds nothing beyond the cap of a period, and takes of it what it adds.

use crate::world::{World, money, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A partner in a program of ten percent, 100.00 USD a year at most, and two won deals of which it has half the credit.
struct Capped {
    world: World,
    partner: String,
    deals: [String; 2],
    credits: [String; 2],
}

impl Capped {
    fn new() -> Self {
        let world = World::new();
        let program = world.program(json!({}));
        let cap = json!({ "period": "year", "amounts": [money("100.00 USD")] });
        let cap = json!({ "limits": { "period_cap": cap } });
        world.rule(&program, "0.1", cap);
        let partner = world.enrolled("A", &program);
        let deals = [(); 2].map(|()| world.won_deal(&program, "1000.00 USD", &[(&partner, 5_000)]));
        let credit_of = |deal: &String| {
            let credits = world.admin().all(&format!("/v1/attributions?deal_id={deal}"));
            texts(&credits, "id").remove(0)
        };
        let credits = [credit_of(&deals[0]), credit_of(&deals[1])];
        Self {
            world,
            partner,
            deals,
            credits,
        }
    }

    /// An invoice of this amount for one of the deals, paid.
    fn paid(&self, deal: usize, amount: &str) -> String {
        let invoice = self.world.invoice(&self.deals[deal], "USD", &[amount]);
        self.world.pay(&invoice, &format!("{amount} USD"))
    }

    fn correct(&self, deal: usize, share: i64) {
        self.world.pass(TimeDelta::minutes(1));
        let body = json!({ "share_basis_points": share, "reason": "Agreed on 3 March." });
        let path = format!("/v1/attributions/{}/correct", self.credits[deal]);
        self.world.admin().post_once(&path, body).expect(200);
    }

    fn proposed(&self) -> Vec<Value> {
        self.world.admin().all("/v1/adjustments?status=proposed")
    }

    fn amounts(&self) -> Vec<String> {
        texts(&self.proposed(), "amount")
    }

    fn approve(&self) {
        let second = self
            .world
            .another_hand(&["adjustments:read", "adjustments:approve"]);
        for id in texts(&self.proposed(), "id") {
            let path = format!("/v1/adjustments/{id}/approve");
            second.post_once(&path, Value::Null).expect(200);
        }
    }

    fn decide(&self, verb: &str, body: &Value) {
        let second =
            self.world
                .another_hand(&["adjustments:read", "adjustments:write", "adjustments:approve"]);
        for id in texts(&self.proposed(), "id") {
            let path = format!("/v1/adjustments/{id}/{verb}");
            second.post_once(&path, body.clone()).expect(200);
        }
        self.world.books_balance();
    }

    fn payable(&self) -> String {
        let path = format!("/v1/balances?partner_id={}", self.partner);
        // What was exchanged leaves nothing in the currency of the invoice.
        let mut payable = texts(&self.world.admin().all(&path), "payable");
        payable.retain(|amount| amount != "0.00");
        payable.join(" and ")
    }
}

#[test]
fn two_credits_together_come_to_the_cap() {
    let capped = Capped::new();
    capped.paid(0, "800.00");
    capped.paid(1, "800.00");
    assert_eq!(capped.payable(), "80.00");
    capped.correct(0, 10_000);
    assert_eq!(capped.amounts(), ["20.00"]);
    capped.correct(1, 10_000);
    assert_eq!(capped.amounts(), ["20.00"], "nothing is left for the other one");
    capped.approve();
    assert_eq!(capped.payable(), "100.00");
    capped.world.books_balance();
}

#[test]
fn what_comes_later_gets_what_the_correction_leaves() {
    let capped = Capped::new();
    capped.paid(0, "800.00");
    capped.correct(0, 10_000);
    assert_eq!(capped.amounts(), ["40.00"]);
    capped.paid(1, "600.00");
    let mut earned = texts(&capped.world.lines(""), "amount");
    earned.sort();
    assert_eq!(earned, ["20.00", "40.00"], "of 30.00");
    capped.approve();
    assert_eq!(capped.payable(), "100.00");
    capped.world.books_balance();
}

#[test]
fn what_is_corrected_again_leaves_what_it_does_not_take_any_more() {
    let capped = Capped::new();
    capped.paid(0, "800.00");
    capped.correct(0, 10_000);
    capped.correct(0, 7_500);
    assert_eq!(capped.amounts(), ["20.00"]);
    capped.correct(0, 5_000);
    assert_eq!(capped.amounts(), Vec::<String>::new());
    capped.paid(1, "1000.00");
    capped.correct(1, 10_000);
    assert_eq!(capped.amounts(), ["10.00"]);
    capped.approve();
    assert_eq!(capped.payable(), "100.00");
    capped.world.books_balance();
}

#[test]
fn what_goes_back_leaves_room_to_the_other_one() {
    let capped = Capped::new();
    let payment = capped.paid(0, "800.00");
    capped.paid(1, "400.00");
    capped.correct(0, 10_000);
    assert_eq!(capped.amounts(), ["40.00"]);
    capped.approve();
    capped.correct(1, 10_000);
    assert_eq!(capped.amounts(), Vec::<String>::new());
    capped.world.refund(&payment, "400.00 USD");
    assert_eq!(capped.amounts(), ["-20.00"], "half of what was given");
    capped.correct(1, 9_000);
    let mut amounts = capped.amounts();
    amounts.sort();
    assert_eq!(amounts, ["-20.00", "16.00"]);
    capped.approve();
    assert_eq!(capped.payable(), "76.00");
    capped.world.books_balance();
}

/// A cap in cents of what is owed is kept where the partner is paid in another currency.
#[test]
fn a_cap_is_in_the_currency_of_the_invoice() {
    let capped = Capped::new();
    let path = format!("/v1/partners/{}", capped.partner);
    let body = json!({ "payout_currency": "EUR" });
    capped.world.admin().patch(&path, body).expect(200);
    let rate = json!({ "base": "EUR", "quote": "USD", "valid_on": "2026-03-02", "rate": "1.25" });
    capped.world.admin().post("/v1/exchange-rates", rate).expect(201);
    capped.paid(0, "800.00");
    capped.paid(1, "800.00");
    assert_eq!(capped.payable(), "64.00");
    capped.correct(0, 10_000);
    capped.correct(1, 10_000);
    assert_eq!(capped.amounts(), ["16.00"], "20.00 USD");
    capped.approve();
    assert_eq!(capped.payable(), "80.00");
    capped.world.books_balance();
}

/// What leaves parts of a cent takes a whole one of the cap: it never comes to more.
#[test]
fn parts_of_cents_are_within_the_cap_too() {
    let capped = Capped::new();
    let payment = capped.paid(0, "333.33");
    capped.world.refund(&payment, "111.11 USD");
    assert_eq!(capped.payable(), "11.11");
    capped.correct(0, 6_667);
    assert_eq!(capped.amounts(), ["3.70"], "22.22 less 7.41, less 11.11");
    capped.paid(1, "2000.00");
    assert_eq!(capped.payable(), "96.29", "all but 3.71 of the cap");
    capped.approve();
    capped.world.books_balance();
}

/// What nobody got takes nothing.
#[test]
fn what_is_not_approved_leaves_its_room() {
    for (verb, body) in [("refuse", json!({ "reason": "No." })), ("withdraw", Value::Null)] {
        let capped = Capped::new();
        capped.paid(0, "800.00");
        capped.correct(0, 10_000);
        capped.decide(verb, &body);
        capped.paid(1, "1200.00");
        assert_eq!(capped.payable(), "100.00", "{verb}: 40.00 and 60.00");
        // What it comes to now is held to what is left.
        capped.correct(0, 9_900);
        assert_eq!(capped.amounts(), Vec::<String>::new());
        capped.world.books_balance();
    }
}

/// What may still be refused frees nothing.
#[test]
fn what_is_taken_away_leaves_its_room_when_that_is_approved() {
    for verb in ["refuse", "approve"] {
        let capped = Capped::new();
        capped.paid(0, "800.00");
        capped.correct(0, 10_000);
        capped.approve();
        capped.correct(0, 5_000);
        assert_eq!(capped.amounts(), ["-40.00"]);
        capped.paid(1, "400.00");
        assert_eq!(capped.payable(), "100.00", "20.00 is left");
        if verb == "approve" {
            capped.approve();
            assert_eq!(capped.payable(), "60.00");
            capped.paid(1, "1200.00");
        } else {
            capped.decide(verb, &json!({ "reason": "No." }));
            capped.paid(1, "1200.00");
        }
        assert_eq!(capped.payable(), "100.00", "{verb}");
        capped.world.books_balance();
    }
}

/// What another component adds under no cap takes nothing of one, nor keeps room there that went back.
#[test]
fn what_is_under_no_cap_takes_nothing_of_one() {
    let capped = Capped::new();
    let program = capped.world.admin().all("/v1/programs").remove(0);
    let bonus = json!({ "program_id": program["id"], "name": "Bonus", "component": "bonus", "terms": {
        "formula": { "type": "percentage", "rate": "0.05" }, "hold_days": 0, "effective_from": "2020-01-01T00:00:00Z" } });
    let admin = capped.world.admin();
    let rule = admin.post("/v1/commission-rules", bonus).expect(201);
    capped.world.activate(rule.text("/first_version_id")).expect(200);
    capped.paid(0, "800.00");
    capped.correct(0, 10_000);
    assert_eq!(capped.amounts(), ["60.00"], "40.00 and 20.00");
    capped.approve();
    capped.paid(1, "800.00");
    assert_eq!(
        capped.payable(),
        "160.00",
        "20.00 of 40.00, and 20.00 under no cap"
    );
    capped.correct(1, 10_000);
    assert_eq!(capped.amounts(), ["20.00"], "the bonus alone");
    capped.approve();
    assert_eq!(capped.payable(), "180.00");
    capped.world.books_balance();
}
