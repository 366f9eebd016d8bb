//! What a partner owes and will not pay back is given up: by two people, at most as much, on an account of its own.

use super::{PATH, body, propose, second, small, status, verb};
use crate::world::{Actor, World, money};
use diesel::{RunQueryDsl, sql_query};
use serde_json::{Value, json};
use std::sync::Barrier;

fn write_off(partner: &str, program: &str, amount: &str) -> Value {
    let mut body = body(partner, program, amount);
    body["reason_code"] = json!("write_off");
    body["reason"] = json!("The partner is gone.");
    body
}

fn proposed(actor: &Actor, partner: &str, program: &str, amount: &str) -> String {
    actor
        .post_once(PATH, write_off(partner, program, amount))
        .expect(201)
        .id()
}

/// A partner that was paid 50.00 and owes 20.00 of it after a refund.
fn indebted() -> (World, String, String) {
    let (world, program, partner) = small();
    let payment = world.sale(&program, &partner, "500.00 USD");
    world.paid_run(&world.finance());
    world.refund(&payment, "200.00 USD");
    assert_eq!(world.balance(&partner, "payable"), "-20.00");
    (world, program, partner)
}

fn figure(record: &Value, name: &str) -> String {
    record[name]["amount"].as_str().unwrap().to_owned()
}

#[test]
fn a_debt_is_given_up_by_two_people_and_told_everywhere() {
    let (world, program, partner) = indebted();
    let terminate = json!({ "reason": "Gone." });
    world
        .admin()
        .post(&format!("/v1/partners/{partner}/terminate"), terminate)
        .expect(200);
    let id = proposed(world.admin(), &partner, &program, "20.00 USD");
    assert_eq!(
        world.balance(&partner, "payable"),
        "-20.00",
        "a proposal counts for nothing"
    );
    verb(world.admin(), &id, "approve").refused(409, "second_person_required");
    let approved = verb(&second(&world), &id, "approve").expect(200);
    assert_eq!(figure(&approved.body, "debt"), "20.00");
    assert_eq!(world.balance(&partner, "payable"), "0.00");
    let entry = &world.admin().all("/v1/ledger-entries?kind=write_off")[0];
    assert_eq!(
        (
            &entry["debit_account"],
            &entry["credit_account"],
            &entry["adjustment_id"]
        ),
        (&json!("writeoff_expense"), &json!("payable"), &json!(id))
    );
    let accounts = world.admin().get("/v1/trial-balance").expect(200);
    let account = accounts.raw().contains("writeoff_expense");
    assert!(account, "{}", accounts.raw());
    let report = "/v1/reports/partner-performance?from_on=2026-01-01&until_on=2028-01-01&currency=USD";
    let row = &world.admin().get(report).expect(200)["rows"][0];
    assert_eq!(
        (figure(row, "written_off"), figure(row, "adjusted")),
        ("20.00".into(), "20.00".into())
    );
    assert_eq!(figure(row, "open_balance"), "0.00");
    world.books_balance();
}

#[test]
fn a_statement_has_a_line_of_it() {
    let (world, program, partner) = indebted();
    let id = proposed(world.admin(), &partner, &program, "12.50 USD");
    verb(&second(&world), &id, "approve").expect(200);
    let next_month = world.pass(chrono::TimeDelta::days(40));
    let month = (next_month - chrono::TimeDelta::days(32))
        .format("%Y-%m")
        .to_string();
    world
        .admin()
        .post("/v1/statements", json!({ "month": month }))
        .expect(200);
    let statements = world.admin().all(&format!("/v1/statements?partner_id={partner}"));
    let last = &statements[0];
    assert_eq!(
        (figure(last, "adjusted"), figure(last, "closing")),
        ("12.50".into(), "-7.50".into())
    );
    let path = format!("/v1/statements/{}", last["id"].as_str().unwrap());
    let found = world.admin().get(&path).expect(200);
    let lines = found["lines"].as_array().unwrap();
    let line = lines.iter().find(|line| line["kind"] == "write_off").unwrap();
    assert_eq!(
        (&line["source_id"], &line["reference"]),
        (&json!(id), &json!("The partner is gone."))
    );
    let said = crate::world::Pdf::read(
        world
            .admin()
            .get(&format!("{path}/file?format=pdf"))
            .expect(200)
            .bytes(),
    );
    assert!(said.pages()[0].iter().any(|said| said == "Debt written off"));
    world.books_balance();
}

#[test]
fn no_more_is_written_off_than_is_owed() {
    let (world, program, partner) = indebted();
    let admin = world.admin();
    admin
        .post_once(PATH, write_off(&partner, &program, "20.01 USD"))
        .refused(409, "write_off_exceeds_debt");
    admin
        .post_once(PATH, write_off(&partner, &program, "1.00 EUR"))
        .refused(409, "write_off_exceeds_debt");
    admin
        .post_once(PATH, write_off(&partner, &program, "-1.00 USD"))
        .refused(422, "validation_failed")
        .pointer("/amount/amount", "not_positive");
    let mut about = write_off(&partner, &program, "1.00 USD");
    about["deal_id"] = admin.all("/v1/deals")[0]["id"].clone();
    admin
        .post_once(PATH, about)
        .refused(422, "validation_failed")
        .pointer("/deal_id", "not_of_write_off");
    // What is owed when it is approved decides: 5.00 are still held, and will set as much off.
    let all = proposed(admin, &partner, &program, "20.00 USD");
    let held = world.program(json!({ "name": "Held" }));
    assert_ne!(held, program);
    let bonus = propose(admin, &partner, &program, "5.00 USD");
    verb(&second(&world), &bonus, "approve").expect(200);
    let refused = verb(&second(&world), &all, "approve").refused(409, "write_off_exceeds_debt");
    assert!(refused.text("/detail").contains("15.00"), "{}", refused.raw());
    assert_eq!(status(&world, &all), "proposed");
    let rest = proposed(admin, &partner, &program, "15.00 USD");
    verb(&second(&world), &rest, "approve").expect(200);
    assert_eq!(world.balance(&partner, "payable"), "0.00");
    // What comes later is paid as if nothing had been: the lines that were owed and given up net to nothing.
    world.sale(&program, &partner, "100.00 USD");
    let run = world.paid_run(&world.finance());
    assert_eq!(run.payouts()[0]["amount"], money("10.00 USD"));
    world.books_balance();
}

#[test]
fn of_many_at_once_one_counts() {
    let (world, program, partner) = indebted();
    let ids: Vec<String> = (0..8)
        .map(|_| proposed(world.admin(), &partner, &program, "20.00 USD"))
        .collect();
    let second = second(&world);
    let start = Barrier::new(ids.len());
    let approve = |id: &str| {
        start.wait();
        verb(&second, id, "approve").status
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = ids.iter().map(|id| scope.spawn(|| approve(id))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(world.balance(&partner, "payable"), "0.00");
    world.books_balance();
}

/// What Postgres refuses, and what the check of the books finds.
#[test]
fn postgres_and_the_check_hold_it() {
    let (world, program, partner) = indebted();
    let id = proposed(world.admin(), &partner, &program, "20.00 USD");
    let mut owner = world.database().owner();
    let approve = |debt: &str| {
        format!(
            "UPDATE adjustments SET status = 'approved', approved_by = gen_random_uuid(), approved_by_type = 'user', \
             approved_at = now(), debt = {debt}"
        )
    };
    for debt in ["NULL", "19.99"] {
        let refused = sql_query(approve(debt))
            .execute(&mut owner)
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("adjustments_write_off_check"),
            "{debt}: {refused}"
        );
    }
    verb(&second(&world), &id, "approve").expect(200);
    for change in ["debt = 30", "reason_code = 'bonus', debt = NULL", "debt = NULL"] {
        let change = format!("UPDATE adjustments SET {change}");
        let refused = sql_query(&change).execute(&mut owner).unwrap_err().to_string();
        assert!(refused.contains("never change"), "{change}: {refused}");
    }
    world.books_balance();
    let forged = "UPDATE ledger_entries SET kind = 'adjustment_up', debit_account = 'adjustment_expense' \
        WHERE kind = 'write_off'";
    sql_query("SET session_replication_role = replica")
        .execute(&mut owner)
        .unwrap();
    sql_query(forged).execute(&mut owner).unwrap();
    let now = copartner::platform::clock::Clock::now(&world.clock);
    let findings = copartner::app::ledger_check::all(&world.db, now).unwrap();
    let broken: Vec<&str> = findings
        .iter()
        .flat_map(|one| &one.faults)
        .map(|fault| fault.check)
        .collect();
    assert_eq!(broken, ["entries have a source"]);
}
