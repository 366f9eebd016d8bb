//! What a dispute gave is worth less as its commissions keep less, and is not paid beside what they are given back.

use super::{decide, earned, judge, open, verb};
use crate::world::{Actor, World, money, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A partner of ten percent that holds for so many days, and what 100.00 USD earned.
struct Awarded {
    world: World,
    partner: String,
    actor: Actor,
    payment: String,
    line: String,
}

impl Awarded {
    fn held_for(days: i64) -> Self {
        let world = World::new();
        let program = world.program(json!({}));
        world.rule(&program, "0.1", json!({ "hold_days": days }));
        let partner = world.enrolled("A", &program);
        let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
        let payment = world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
        let actor = world.full_partner_key(&partner);
        let line = world.line("")["id"].as_str().unwrap().to_owned();
        Self {
            world,
            partner,
            actor,
            payment,
            line,
        }
    }

    /// A dispute of the line is upheld.
    fn upheld(&self, claimed: &str) {
        let id = open(&self.actor, &[&self.line], claimed).expect(201).id();
        let finding = json!({ "found_amount": money(claimed) });
        verb(self.world.admin(), &id, "review", finding).expect(200);
        decide(&judge(&self.world), &id, "upheld").expect(200);
    }

    fn refund(&self, amount: &str) -> String {
        self.world.pass(TimeDelta::minutes(1));
        self.world.refund(&self.payment, amount)
    }

    fn reinstate(&self, refund: &str) {
        self.world.pass(TimeDelta::minutes(1));
        let body = json!({ "reinstated_at": self.world.pass(TimeDelta::zero()) });
        let path = format!("/v1/refunds/{refund}/reinstatements");
        self.world.admin().post_once(&path, body).expect(201);
    }

    fn proposed(&self) -> Vec<Value> {
        self.world.admin().all("/v1/adjustments?status=proposed")
    }

    fn amounts(&self) -> Vec<String> {
        texts(&self.proposed(), "amount")
    }

    fn approve(&self) {
        let second = judge(&self.world);
        for id in texts(&self.proposed(), "id") {
            let path = format!("/v1/adjustments/{id}/approve");
            second.post_once(&path, Value::Null).expect(200);
        }
        self.world.books_balance();
    }

    fn payable(&self) -> String {
        self.world.balance(&self.partner, "payable")
    }
}

#[test]
fn it_goes_with_what_goes_back() {
    let awarded = Awarded::held_for(0);
    awarded.upheld("15.00 USD");
    assert_eq!(awarded.payable(), "15.00");
    awarded.refund("40.00 USD");
    assert_eq!(awarded.amounts(), ["-2.00"]);
    let proposal = awarded.proposed().remove(0);
    assert_eq!(proposal["reason"], "We looked again.");
    assert!(proposal["dispute_id"].is_string());
    let refund = awarded.refund("60.00 USD");
    assert_eq!(
        awarded.amounts(),
        ["-5.00"],
        "one proposal, of all that is missing"
    );
    awarded.approve();
    assert_eq!(awarded.payable(), "0.00");
    awarded.reinstate(&refund);
    assert_eq!(awarded.amounts(), ["3.00"]);
    awarded.approve();
    assert_eq!(awarded.payable(), "9.00");
}

#[test]
fn whoever_found_it_approves_nothing_that_follows() {
    let awarded = Awarded::held_for(0);
    awarded.upheld("15.00 USD");
    awarded.refund("100.00 USD");
    let id = texts(&awarded.proposed(), "id").remove(0);
    let path = format!("/v1/adjustments/{id}/approve");
    let admin = awarded.world.admin();
    admin
        .post_once(&path, Value::Null)
        .refused(409, "second_person_required");
}

#[test]
fn what_was_given_for_money_that_comes_in_again_is_not_paid_beside_it() {
    let awarded = Awarded::held_for(0);
    awarded.world.paid_run(&awarded.world.finance());
    let refund = awarded.refund("100.00 USD");
    assert_eq!(awarded.payable(), "-10.00");
    awarded.upheld("4.00 USD");
    awarded.upheld("10.00 USD");
    assert_eq!(awarded.payable(), "0.00");
    awarded.reinstate(&refund);
    assert_eq!(awarded.payable(), "10.00");
    let mut amounts = awarded.amounts();
    amounts.sort();
    assert_eq!(amounts, ["-4.00", "-6.00"]);
    awarded.approve();
    assert_eq!(awarded.payable(), "0.00");
    assert_eq!(awarded.world.balance(&awarded.partner, "paid"), "10.00");
}

#[test]
fn it_waits_for_the_hold_also_when_all_of_the_line_went_back() {
    let awarded = Awarded::held_for(30);
    awarded.upheld("15.00 USD");
    awarded.refund("100.00 USD");
    assert_eq!(awarded.amounts(), ["-5.00"]);
    assert_eq!(awarded.world.draft_run().payouts(), Vec::<Value>::new());
    awarded.approve();
    assert_eq!(awarded.payable(), "0.00");
    assert_eq!(awarded.world.draft_run().payouts(), Vec::<Value>::new());
}

/// What follows is undecided: the rest of the award waits for it, wherever its line stands.
#[test]
fn it_is_not_paid_before_what_follows_is_decided() {
    let awarded = Awarded::held_for(0);
    awarded.upheld("15.00 USD");
    awarded.refund("40.00 USD");
    let draft = awarded.world.draft_run();
    assert_eq!(
        texts(&draft.payouts(), "amount"),
        ["6.00"],
        "what is left of the line"
    );
    draft
        .verb(awarded.world.admin(), "cancel", json!({ "reason": "Later." }))
        .expect(200);
    awarded.approve();
    assert_eq!(texts(&awarded.world.draft_run().payouts(), "amount"), ["9.00"]);
}

/// Also what is proposed and undecided counts when the same is disputed again.
#[test]
fn what_a_dispute_gave_counts_less_what_followed_when_the_same_is_disputed_again() {
    let awarded = Awarded::held_for(0);
    awarded.upheld("15.00 USD");
    awarded.refund("50.00 USD");
    let again = open(&awarded.actor, &[&awarded.line], "9.00 USD").expect(201);
    assert_eq!(again["computed_amount"], money("7.50 USD"));
}

/// A partner that was paid keeps nothing by disputing what a credit note takes.
#[test]
fn what_a_credit_note_takes_is_set_off_although_it_is_disputed() {
    let (world, program, partner, actor, line) = earned();
    world.paid_run(&world.finance());
    let deal = world.line("")["deal_id"].as_str().unwrap().to_owned();
    world.credit_note(&deal, None, "100.00 USD");
    let lines = world.lines("");
    let taken = lines.iter().find(|one| one["kind"] == "credit_note").unwrap();
    let taken = taken["id"].as_str().unwrap().to_owned();
    assert_ne!(taken, line);
    let dispute = open(&actor, &[&taken], "0.00 USD").expect(201);
    assert_eq!(dispute["lines"][0]["effect"], "left_alone");
    open(&actor, &[&taken], "0.00 USD").refused(409, "already_exists");
    world.books_balance();
    world.sale(&program, &partner, "150.00 USD");
    let run = world.paid_run(&world.finance());
    assert_eq!(texts(&run.payouts(), "amount"), ["5.00"]);
    verb(
        world.admin(),
        &dispute.id(),
        "review",
        json!({ "found_amount": money("0.00 USD") }),
    )
    .expect(200);
    decide(&judge(&world), &dispute.id(), "upheld").expect(200);
    assert_eq!(world.balance(&partner, "payable"), "10.00");
    world.books_balance();
}
