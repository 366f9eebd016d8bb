//! Many at the same instant: money moves once. `every` races each call that moves money with itself; here are the races of
//! a call with another one, and those that more than one wins.

mod every;
mod stages;
mod table;

use crate::world::{Reply, World, money, texts};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

/// What many threads are answered that all ask at the same instant.
pub fn at_once(count: usize, ask: impl Fn(usize) -> Reply + Sync) -> Vec<Reply> {
    let start = Barrier::new(count);
    thread::scope(|scope| {
        let (ask, start) = (&ask, &start);
        let threads: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    ask(number)
                })
            })
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// How many were answered with this status; the others must be refused as a conflict.
#[track_caller]
fn done(replies: &[Reply], status: u16) -> usize {
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    let known = |found: &u16| [status, 409, 412, 503].contains(found);
    assert!(statuses.iter().all(known), "{statuses:?}");
    statuses.iter().filter(|found| **found == status).count()
}

#[test]
fn thirty_payments_of_one_invoice_pay_it_once() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let path = format!(
        "/v1/invoices/{}/payments",
        world.invoice(&deal, "USD", &["100.00"])
    );
    let body = json!({ "amount": money("100.00 USD"), "paid_at": "2026-03-02T09:00:00Z" });
    let replies = at_once(30, |_| world.admin().post_once(&path, body.clone()));
    assert_eq!(done(&replies, 201), 1);
    assert_eq!(texts(&world.lines(""), "amount"), ["10.00"]);
    world.books_balance();
}

/// Known from other systems: the same conversion that is posted twice at once counts twice.
#[test]
fn fifty_deliveries_of_one_payment_earn_once() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second] = ["A", "B"].map(|name| world.enrolled(name, &program));
    let deal = world.won_deal(&program, "100.00 USD", &[(&first, 5_000), (&second, 5_000)]);
    let path = format!(
        "/v1/invoices/{}/payments",
        world.invoice(&deal, "USD", &["100.00"])
    );
    // Half of the invoice, so that a second one would find room.
    let body = json!({ "amount": money("50.00 USD"), "paid_at": "2026-03-02T09:00:00Z" });
    let replies = at_once(50, |_| {
        world.admin().post_with_key("conversion", &path, body.clone())
    });
    let made: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert!(done(&replies, 201) >= 1);
    assert!(made.iter().all(|reply| reply.raw() == made[0].raw()));
    assert_eq!(texts(&world.lines(""), "amount"), ["2.50", "2.50"]);
    world.books_balance();
}

#[test]
fn twenty_approvals_of_one_run_reserve_once() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let finance = world.finance();
    let run = world.draft_run();
    let replies = at_once(20, |_| run.verb(&finance, "approve", Value::Null));
    assert_eq!(done(&replies, 200), 1);
    let reserved = world.admin().all("/v1/ledger-entries?kind=reserve");
    assert_eq!(texts(&reserved, "amount"), ["10.00"]);
    world.books_balance();
}

#[test]
fn two_runs_that_are_approved_at_once_do_not_share_a_line() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    for _ in 0..3 {
        world.sale(&program, &partner, "100.00 USD");
    }
    let finance = world.finance();
    let runs = [world.draft_run(), world.draft_run()];
    let replies = at_once(10, |number| {
        runs[number % 2].verb(&finance, "approve", Value::Null)
    });
    assert_eq!(done(&replies, 200), 1);
    assert_eq!(world.balance(&partner, "in_payout"), "30.00");
    world.books_balance();
}

#[test]
fn refunds_at_once_never_take_more_than_was_paid() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let path = format!("/v1/payments/{payment}/refunds");
    let body =
        json!({ "kind": "refund", "amount": money("30.00 USD"), "refunded_at": "2026-03-02T09:00:00Z" });
    let replies = at_once(20, |_| world.admin().post_once(&path, body.clone()));
    assert_eq!(done(&replies, 201), 3);
    assert_eq!(world.line("")["reversed"], money("9.00 USD"));
    world.books_balance();
}
