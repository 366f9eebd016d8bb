//! What becomes of a payout on its way to the bank.

use crate::world::{Actor, Reply, World, texts};
use serde_json::{Value, json};

fn verb(actor: &Actor, payout: &str, verb: &str, body: Value) -> Reply {
    actor.post_once(&format!("/v1/payouts/{payout}/{verb}"), body)
}

/// A world in which one partner has earned this, and its second person.
fn earned(world: &World, amounts: &[&str]) -> (String, Actor) {
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    for amount in amounts {
        world.sale(&program, &partner, amount);
    }
    (partner, world.finance())
}

/// Known from other systems: a failed payout can never be retried, because its key still counts as used.
#[test]
fn a_failed_payout_is_paid_once_by_a_later_run() {
    let world = World::new();
    let (partner, finance) = earned(&world, &["100.00 USD"]);
    let run = world.processing_run(&finance);
    let payout = run.payout();
    let failed = verb(
        &finance,
        &payout,
        "fail",
        json!({ "reason": "The account is closed." }),
    )
    .expect(200);
    assert_eq!(
        (&failed["status"], &failed["status_reason"]),
        (&json!("failed"), &json!("The account is closed."))
    );
    assert_eq!(run.now()["status"], "completed");
    assert_eq!(world.balance(&partner, "payable"), "10.00");
    world.books_balance();
    verb(&finance, &payout, "confirm", json!({})).refused(409, "wrong_state");
    let later = world.paid_run(&finance);
    assert_eq!(texts(&later.payouts(), "status"), ["paid"]);
    assert_eq!(world.balance(&partner, "paid"), "10.00");
    assert_eq!(world.draft_run().drafted["payout_count"], 0);
    let paid = world.admin().all("/v1/ledger-entries?kind=payout_paid");
    assert_eq!(texts(&paid, "amount"), ["10.00"]);
    world.books_balance();
}

#[test]
fn a_returned_payout_is_payable_again_less_what_was_taken_back() {
    let world = World::new();
    let (partner, finance) = earned(&world, &["100.00 USD"]);
    let payout = world.paid_run(&finance).payout();
    let early = json!({ "reason": "Closed.", "returned_at": "2020-01-01T00:00:00Z" });
    verb(&finance, &payout, "return", early).refused(422, "validation_failed");
    let returned = verb(&finance, &payout, "return", json!({ "reason": "Closed." })).expect(200);
    assert_eq!(returned["status"], "returned");
    verb(&finance, &payout, "return", json!({ "reason": "Closed." })).refused(409, "wrong_state");
    assert_eq!(
        (
            world.balance(&partner, "payable"),
            world.balance(&partner, "paid")
        ),
        ("10.00".into(), "0.00".into())
    );
    assert_eq!(world.line("")["status"], "approved");
    world.books_balance();
    let payment = world.line("")["payment_id"].as_str().unwrap().to_owned();
    world.refund(&payment, "40.00 USD");
    let later = world.paid_run(&finance);
    assert_eq!(texts(&later.payouts(), "amount"), ["6.00"]);
    world.books_balance();
}

#[test]
fn what_is_refunded_on_the_way_is_set_off_next_time() {
    let world = World::new();
    let (partner, finance) = earned(&world, &["100.00 USD"]);
    let run = world.processing_run(&finance);
    let payment = world.line("")["payment_id"].as_str().unwrap().to_owned();
    world.refund(&payment, "100.00 USD");
    world.books_balance();
    let confirmed = run.verb(&finance, "confirm", json!({})).expect(200);
    assert_eq!(
        confirmed["totals"],
        json!([{ "amount": "10.00", "currency": "USD" }])
    );
    assert_eq!(world.balance(&partner, "payable"), "-10.00");
    assert_eq!(
        world.draft_run().carried(),
        [("-10.00".to_owned(), "not_positive".to_owned())]
    );
    world.books_balance();
}

#[test]
fn a_payout_is_confirmed_by_those_who_may_and_once() {
    let world = World::new();
    let (partner, finance) = earned(&world, &["100.00 USD", "1000 JPY"]);
    let run = world.processing_run(&finance);
    let payouts = texts(&run.payouts(), "id");
    let path = format!("/v1/payouts/{}/confirm", payouts[0]);
    world
        .full_partner_key(&partner)
        .post_once(&path, json!({}))
        .refused(403, "permission_denied");
    finance
        .post(&path, json!({}))
        .refused(400, "idempotency_key_required");
    let future = json!({ "paid_at": "2026-03-02T09:00:01Z" });
    finance
        .post_once(&path, future)
        .refused(422, "validation_failed")
        .pointer("/paid_at", "in_future");
    let body = json!({ "reference": "SEPA-1" });
    let first = finance.post_with_key("once", &path, body.clone()).expect(200);
    let again = finance.post_with_key("once", &path, body).expect(200);
    assert_eq!(again.raw(), first.raw());
    finance.post_once(&path, json!({})).refused(409, "wrong_state");
    assert_eq!(run.now()["status"], "processing");
    verb(&finance, &payouts[1], "confirm", json!({})).expect(200);
    assert_eq!(run.now()["status"], "completed");
    world.books_balance();
}
