//! What has to be there before a call that moves money, each time anew, so that copies of it meet the same.

use super::super::exchange::{paid_in, rate};
use super::super::recalculations;
use crate::world::{Actor, Reply, World, money};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// A call that is ready to be made: once, or many times at the same instant.
#[derive(Debug)]
pub struct Call {
    actor: Actor,
    path: String,
    body: Value,
    version: Option<String>,
    /// What its keys begin with: calls of one path share none.
    prefix: String,
}

impl Call {
    fn new(actor: &Actor, path: String, body: Value) -> Self {
        Self {
            actor: actor.clone(),
            path,
            body,
            version: None,
            prefix: fresh("call"),
        }
    }

    /// Makes the call under this key.
    pub fn make(&self, key: &str) -> Reply {
        let key = format!("{}-{key}", self.prefix);
        let ask = self.actor.ask("POST", &self.path);
        let mut ask = ask.header("Idempotency-Key", &key);
        if let Some(version) = &self.version {
            ask = ask.header("If-Match", version);
        }
        if !self.body.is_null() {
            ask = ask.json(&self.body);
        }
        ask.send()
    }
}

/// A key that nobody used yet.
fn fresh(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn because() -> Value {
    json!({ "reason": "Because." })
}

/// A program of ten percent with these settings, and a partner in it.
fn small(world: &World, settings: Value) -> (String, String) {
    let program = world.ten_percent(settings);
    let partner = world.enrolled("A", &program);
    (program, partner)
}

fn line_of(world: &World, partner: &str) -> String {
    let line = world.line(&format!("partner_id={partner}"));
    line["id"].as_str().unwrap().to_owned()
}

/// A payment of more than half of an invoice, so that a second one finds no room.
fn payment_of(world: &World, program: &str, partner: &str) -> Call {
    let deal = world.won_deal(program, "100.00 USD", &[(partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["100.00"]);
    let body = json!({ "amount": money("60.00 USD"), "paid_at": world.clock.now() });
    Call::new(world.admin(), format!("/v1/invoices/{invoice}/payments"), body)
}

pub fn payment(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    payment_of(world, &program, &partner)
}

pub fn payment_under_a_cap(world: &World) -> Call {
    let program = world.program(json!({}));
    let cap = json!({ "period": "year", "amounts": [money("5.00 USD")] });
    world.rule(&program, "0.1", json!({ "limits": { "period_cap": cap } }));
    let partner = world.enrolled("A", &program);
    payment_of(world, &program, &partner)
}

pub fn payment_that_is_exchanged(world: &World) -> Call {
    let (program, partner) = paid_in(world, "EUR", json!({}));
    payment_of(world, &program, &partner)
}

fn refund_of(world: &World, payment: &str, kind: &str) -> Call {
    let body = json!({ "kind": kind, "amount": money("60.00 USD"), "refunded_at": world.clock.now() });
    Call::new(world.admin(), format!("/v1/payments/{payment}/refunds"), body)
}

pub fn refund(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    let payment = world.sale(&program, &partner, "100.00 USD");
    refund_of(world, &payment, "refund")
}

pub fn chargeback_of_what_was_paid(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    let payment = world.sale(&program, &partner, "100.00 USD");
    Drafted::of(world, &partner).after(world, &["approve", "process", "confirm"]);
    refund_of(world, &payment, "chargeback")
}

pub fn refund_of_what_was_exchanged(world: &World) -> Call {
    let (program, partner) = paid_in(world, "EUR", json!({}));
    let payment = world.sale(&program, &partner, "100.00 USD");
    refund_of(world, &payment, "refund")
}

pub fn reinstatement_of_what_was_paid(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    let payment = world.sale(&program, &partner, "100.00 USD");
    Drafted::of(world, &partner).after(world, &["approve", "process", "confirm"]);
    reinstatement(world, &payment)
}

pub fn reinstatement_of_what_was_exchanged(world: &World) -> Call {
    let (program, partner) = paid_in(world, "EUR", json!({}));
    let payment = world.sale(&program, &partner, "100.00 USD");
    reinstatement(world, &payment)
}

fn reinstatement(world: &World, payment: &str) -> Call {
    let refund = world.refund(payment, "60.00 USD");
    let body = json!({ "amount": money("40.00 USD"), "reinstated_at": world.clock.now() });
    Call::new(
        world.admin(),
        format!("/v1/refunds/{refund}/reinstatements"),
        body,
    )
}

pub fn credit_note_on_an_invoice(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["100.00"]);
    world.pay(&invoice, "100.00 USD");
    let body = json!({
        "deal_id": deal, "invoice_id": invoice, "amount": money("60.00 USD"), "issued_at": world.clock.now()
    });
    Call::new(world.admin(), "/v1/credit-notes".to_owned(), body)
}

/// A deal can be credited again and again: one key of the caller's own makes it one credit note.
pub fn credit_note_on_a_deal(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let body = json!({
        "external_id": fresh("credit"), "deal_id": deal, "amount": money("60.00 USD"), "issued_at": world.clock.now()
    });
    Call::new(world.admin(), "/v1/credit-notes".to_owned(), body)
}

/// A deal that was paid before it is won, so that winning it earns.
pub fn win(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    let deal = world.open_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    let body = json!({ "won_at": "2026-01-05T12:00:00Z" });
    Call::new(world.admin(), format!("/v1/deals/{deal}/win"), body)
}

fn correction(world: &World, credit: &str, share: u32) -> Call {
    let body = json!({ "reason": "They were there.", "share_basis_points": share });
    Call::new(world.admin(), format!("/v1/attributions/{credit}/correct"), body)
}

/// A claim on a deal that is won and paid: it earns what was paid so far.
pub fn correction_of_a_claim(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    let deal = world.won_deal(&program, "100.00 USD", &[]);
    world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    let body =
        json!({ "deal_id": deal, "partner_id": partner, "role": "sourced", "share_basis_points": 5000 });
    let credit = world.admin().post("/v1/attributions", body).expect(201).id();
    correction(world, &credit, 4_000)
}

/// Credit that earned already: an adjustment is proposed.
pub fn correction_of_a_share(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    let deal = world.open_deal(&program, "100.00 USD", &[]);
    let credit = world.credit(&deal, &partner, "sourced", 10_000);
    world.win(&deal);
    world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    correction(world, &credit, 5_000)
}

pub fn approval(world: &World) -> Call {
    let (program, partner) = small(world, json!({ "commission_approval": "manual" }));
    world.sale(&program, &partner, "100.00 USD");
    let path = format!("/v1/commissions/{}/approve", line_of(world, &partner));
    Call::new(world.admin(), path, Value::Null)
}

pub fn approval_of_what_is_due(world: &World) -> Call {
    let (program, partner) = small(world, json!({ "commission_approval": "manual" }));
    for _ in 0..3 {
        world.sale(&program, &partner, "100.00 USD");
    }
    let body = json!({ "program_id": program });
    Call::new(world.admin(), "/v1/commission-approvals".to_owned(), body)
}

pub fn approval_of_a_recalculation(world: &World) -> Call {
    let body = json!({ "backtest_id": recalculations::of_two_partners(world) });
    let second = world.another_hand(&["adjustments:approve"]);
    Call::new(&second, "/v1/adjustment-approvals".to_owned(), body)
}

fn adjustment_body(program: &str, partner: &str, amount: &str, reason: &str) -> Value {
    json!({
        "external_id": fresh("adjustment"), "partner_id": partner, "program_id": program, "amount": money(amount),
        "reason_code": reason, "reason": "Counted by hand."
    })
}

/// Somebody may be given the same twice: one key of the caller's own makes it one adjustment.
pub fn adjustment(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    let body = adjustment_body(&program, &partner, "5.00 USD", "bonus");
    Call::new(world.admin(), "/v1/adjustments".to_owned(), body)
}

fn decision(world: &World, verb: &str, amount: &str, reason: &str) -> Call {
    let (program, partner) = small(world, json!({}));
    if reason == "write_off" {
        let payment = world.sale(&program, &partner, "100.00 USD");
        Drafted::of(world, &partner).after(world, &["approve", "process", "confirm"]);
        world.refund(&payment, "100.00 USD");
    }
    let body = adjustment_body(&program, &partner, amount, reason);
    let id = world.admin().post_once("/v1/adjustments", body).expect(201).id();
    let (actor, body) = match verb {
        "withdraw" => (world.admin().clone(), Value::Null),
        "refuse" => (world.another_hand(&["adjustments:approve"]), because()),
        _ => (world.another_hand(&["adjustments:approve"]), Value::Null),
    };
    Call::new(&actor, format!("/v1/adjustments/{id}/{verb}"), body)
}

pub fn approval_of_a_gift(world: &World) -> Call {
    decision(world, "approve", "5.00 USD", "bonus")
}

pub fn approval_of_a_penalty(world: &World) -> Call {
    decision(world, "approve", "-5.00 USD", "penalty")
}

/// Less than half of what is owed, so that a second one would find room.
pub fn approval_of_a_write_off(world: &World) -> Call {
    decision(world, "approve", "4.00 USD", "write_off")
}

pub fn refusal_of_an_adjustment(world: &World) -> Call {
    decision(world, "refuse", "5.00 USD", "bonus")
}

pub fn withdrawal_of_an_adjustment(world: &World) -> Call {
    decision(world, "withdraw", "5.00 USD", "bonus")
}

/// A run of one partner alone, so that what other stages left does not come into it.
struct Drafted {
    id: String,
    finance: Actor,
}

fn run_body(world: &World, partner: &str) -> Value {
    json!({
        "external_id": fresh("run"), "cut_off_at": world.clock.now(), "rail": "manual", "partner_ids": [partner]
    })
}

impl Drafted {
    fn of(world: &World, partner: &str) -> Self {
        let clerk = world.key(&["payout_runs:write"]);
        let id = clerk.post_once("/v1/payout-runs", run_body(world, partner));
        Self {
            id: id.expect(201).id(),
            finance: world.finance(),
        }
    }

    /// The run when these verbs were done.
    fn after(self, world: &World, verbs: &[&str]) -> Self {
        for verb in verbs {
            let body = if *verb == "confirm" {
                json!({})
            } else {
                Value::Null
            };
            self.call(world, verb, body).make(verb).expect(200);
        }
        self
    }

    /// The verb on the run as it stands.
    fn call(&self, world: &World, verb: &str, body: Value) -> Call {
        let path = format!("/v1/payout-runs/{}", self.id);
        let current = world.admin().get(&path).expect(200);
        Call {
            version: (verb == "approve").then(|| current.header("etag").to_owned()),
            ..Call::new(&self.finance, format!("{path}/{verb}"), body)
        }
    }

    /// The verb on the only payout of the run.
    fn payout_call(&self, world: &World, verb: &str, body: Value) -> Call {
        let payouts = world
            .admin()
            .all(&format!("/v1/payouts?payout_run_id={}", self.id));
        let path = format!("/v1/payouts/{}/{verb}", payouts[0]["id"].as_str().unwrap());
        Call::new(&self.finance, path, body)
    }
}

pub fn draft(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    world.sale(&program, &partner, "100.00 USD");
    let clerk = world.key(&["payout_runs:write"]);
    Call::new(&clerk, "/v1/payout-runs".to_owned(), run_body(world, &partner))
}

/// A run of two lines and what is taken back of a third, on which these verbs were done already.
fn run_after(world: &World, verbs: &[&str]) -> Drafted {
    let (program, partner) = small(world, json!({}));
    for amount in ["100.00 USD", "200.00 USD"] {
        world.sale(&program, &partner, amount);
    }
    let payment = world.sale(&program, &partner, "300.00 USD");
    world.refund(&payment, "30.00 USD");
    Drafted::of(world, &partner).after(world, verbs)
}

pub fn approval_of_a_run(world: &World) -> Call {
    run_after(world, &[]).call(world, "approve", Value::Null)
}

/// Approving it exchanges its lines.
pub fn approval_of_a_run_that_exchanges(world: &World) -> Call {
    let (program, partner) = paid_in(world, "EUR", json!({ "fx_policy": "at_payout" }));
    world.sale(&program, &partner, "100.00 USD");
    Drafted::of(world, &partner).call(world, "approve", Value::Null)
}

pub fn processing(world: &World) -> Call {
    run_after(world, &["approve"]).call(world, "process", Value::Null)
}

pub fn confirmation_of_a_run(world: &World) -> Call {
    run_after(world, &["approve", "process"]).call(world, "confirm", json!({}))
}

pub fn cancellation(world: &World) -> Call {
    run_after(world, &["approve"]).call(world, "cancel", because())
}

pub fn confirmation(world: &World) -> Call {
    run_after(world, &["approve", "process"]).payout_call(world, "confirm", json!({}))
}

pub fn failure(world: &World) -> Call {
    run_after(world, &["approve", "process"]).payout_call(world, "fail", because())
}

pub fn return_of_a_payout(world: &World) -> Call {
    run_after(world, &["approve", "process", "confirm"]).payout_call(world, "return", because())
}

/// A dispute of an approved line, which freezes it.
pub fn dispute(world: &World) -> Call {
    let (program, partner) = small(world, json!({}));
    world.sale(&program, &partner, "100.00 USD");
    let body = json!({
        "subject_ids": [line_of(world, &partner)], "reason_code": "amount_too_low", "statement": "It should be more.",
        "claimed_amount": money("15.00 USD")
    });
    Call::new(&world.full_partner_key(&partner), "/v1/disputes".to_owned(), body)
}

pub fn withdrawal_of_a_dispute(world: &World) -> Call {
    let opening = dispute(world);
    let id = opening.make(&fresh("dispute")).expect(201).id();
    Call::new(&opening.actor, format!("/v1/disputes/{id}/withdraw"), Value::Null)
}

/// A dispute in which the reviewer found more, which its decision posts.
pub fn decision_of_a_dispute(world: &World) -> Call {
    let id = dispute(world).make(&fresh("dispute")).expect(201).id();
    let finding = json!({ "found_amount": money("15.00 USD") });
    let path = format!("/v1/disputes/{id}");
    world.admin().post(&format!("{path}/review"), finding).expect(200);
    let judge = world.another_hand(&["disputes:decide", "adjustments:approve"]);
    let body = json!({ "outcome": "upheld", "reason": "We looked again." });
    Call::new(&judge, format!("{path}/decide"), body)
}

/// Part of an invoice, so that a second payment would find room; the keys of both.
fn invoice_by_key(world: &World) -> (String, Value) {
    let (program, partner) = small(world, json!({}));
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let (key, invoice) = (fresh("arrival"), world.invoice(&deal, "USD", &["100.00"]));
    let fact = json!({
        "kind": "payment", "external_id": key, "invoice": key, "amount": money("40.00 USD"), "paid_at": world.clock.now()
    });
    (invoice, fact)
}

fn give_key(world: &World, invoice: &str, fact: &Value) {
    let body = json!({ "external_id": fact["invoice"] });
    world
        .admin()
        .patch(&format!("/v1/invoices/{invoice}"), body)
        .expect(200);
}

pub fn billing_arrival(world: &World) -> Call {
    let (invoice, fact) = invoice_by_key(world);
    give_key(world, &invoice, &fact);
    Call::new(world.admin(), "/v1/billing-arrivals".to_owned(), fact)
}

/// What the arrival awaited is there, and the worker has not seen it yet.
pub fn retry_of_an_arrival(world: &World) -> Call {
    let (invoice, fact) = invoice_by_key(world);
    let arrival = world
        .admin()
        .post_once("/v1/billing-arrivals", fact.clone())
        .expect(201)
        .id();
    give_key(world, &invoice, &fact);
    Call::new(
        world.admin(),
        format!("/v1/billing-arrivals/{arrival}/retry"),
        Value::Null,
    )
}

/// What stages that exchange need once.
pub fn todays_rate(world: &World) {
    rate(world, "EUR/USD", "1.25");
}
