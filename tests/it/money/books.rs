//! The check of the books: it names the row that somebody broke behind the service's back.

use crate::world::{World, money};
use copartner::app::ledger_check;
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

/// A world with a paid commission, one that was taken back in part, and one that is held.
fn busy() -> World {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    world.paid_run(&world.finance());
    let payment = world.sale(&program, &partner, "200.00 USD");
    world.refund(&payment, "50.00 USD");
    let slow = world.program(json!({}));
    world.rule(&slow, "0.1", json!({ "hold_days": 30 }));
    let partner = world.enrolled("B", &slow);
    world.sale(&slow, &partner, "300.00 USD");
    world.work();
    world
}

/// Runs this as the tables' owner with every trigger out of force.
fn break_books(world: &World, statement: &str) {
    let mut owner = world.database().owner();
    owner
        .batch_execute(&format!("SET session_replication_role = replica; {statement}"))
        .unwrap_or_else(|error| panic!("{error}: {statement}"));
}

/// What the check finds, as `check: row`.
fn faults(world: &World) -> Vec<String> {
    let findings = ledger_check::all(&world.db, world.clock.now()).unwrap();
    let faults = findings.iter().flat_map(|finding| &finding.faults);
    faults.map(ToString::to_string).collect()
}

/// The check must find this fault, and name this row.
#[track_caller]
fn found(world: &World, check: &str, row: &str) {
    let faults = faults(world);
    let named = |fault: &String| fault.starts_with(check) && fault.contains(row);
    assert!(faults.iter().any(named), "no {check:?} on {row:?} in {faults:#?}");
}

fn line(world: &World, amount: &str) -> String {
    let lines = world.lines("");
    let line = lines.iter().find(|line| line["amount"] == money(amount));
    line.unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn sound_books_have_no_faults_and_every_explanation_is_computed_again() {
    let world = busy();
    let findings = ledger_check::all(&world.db, world.clock.now()).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].faults, []);
    assert_eq!(findings[0].recomputed, 4);
}

#[test]
fn a_missing_posting_is_named() {
    let world = busy();
    break_books(
        &world,
        "DELETE FROM ledger_entries WHERE kind = 'accrual' AND amount = 30",
    );
    found(
        &world,
        "commissions agree with their postings",
        &line(&world, "30.00 USD"),
    );
}

#[test]
fn a_changed_amount_is_named() {
    let world = busy();
    break_books(
        &world,
        "UPDATE ledger_entries SET amount = 31 WHERE kind = 'accrual' AND amount = 30",
    );
    found(
        &world,
        "commissions agree with their postings",
        &line(&world, "30.00 USD"),
    );
}

#[test]
fn a_changed_status_is_named() {
    let world = busy();
    break_books(&world, "UPDATE commissions SET status = 'due' WHERE amount = 30");
    found(
        &world,
        "commissions agree with their postings",
        &line(&world, "30.00 USD"),
    );
    let world = busy();
    break_books(
        &world,
        "UPDATE commissions SET status = 'approved' WHERE amount = 10",
    );
    found(&world, "commissions are paid once", &line(&world, "10.00 USD"));
}

#[test]
fn an_edited_explanation_is_named() {
    let world = busy();
    let change = "UPDATE commissions SET explanation = replace(explanation::text, '300', '400')::jsonb \
        WHERE amount = 30";
    break_books(&world, change);
    found(
        &world,
        "explanations give the posted amount",
        &line(&world, "30.00 USD"),
    );
}

#[test]
fn a_line_that_came_from_nowhere_is_named() {
    let world = busy();
    let copy = "INSERT INTO ledger_entries SELECT organization_id, gen_random_uuid(), kind, gen_random_uuid(), step, \
        debit_account, credit_account, partner_id, program_id, currency, amount, occurred_at, recorded_at \
        FROM ledger_entries WHERE kind = 'payout_paid'";
    break_books(&world, copy);
    found(&world, "entries have a source", "payout_paid without its source");
}

#[test]
fn a_clawback_of_another_amount_is_named() {
    let world = busy();
    let taken = world.admin().all("/v1/clawbacks");
    let id = taken[0]["id"].as_str().unwrap();
    break_books(&world, "UPDATE clawbacks SET amount = 4");
    found(&world, "clawbacks agree with their postings", id);
}

#[test]
fn a_payout_of_another_amount_is_named() {
    let world = busy();
    let payouts: Vec<Value> = world.admin().all("/v1/payouts");
    let id = payouts[0]["id"].as_str().unwrap();
    break_books(&world, "UPDATE payouts SET amount = 11");
    found(&world, "payouts are the sum of their items", id);
    found(&world, "payouts agree with their postings", id);
}

#[test]
fn a_gap_between_events_is_named() {
    let world = busy();
    break_books(&world, "DELETE FROM events WHERE sequence = 3");
    found(&world, "events have no gap", "the number 3 is missing");
}
