//! The books as they were known at an instant, and the journal as a file.

use crate::world::{Actor, Reply, World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A payment of January that was recorded in March, and one of today.
fn late_payment(world: &World) -> (String, String) {
    let program = world.ten_percent(json!({ "name": "=Program" }));
    let partner = world.enrolled("+Partner", &program);
    world.sale(&program, &partner, "100.00 USD");
    let before = world.clock.now().to_rfc3339();
    world.pass(TimeDelta::days(1));
    let deal = world.won_deal(&program, "200.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["200.00"]);
    let body = json!({ "amount": money("200.00 USD"), "paid_at": "2026-01-10T08:00:00Z" });
    let path = format!("/v1/invoices/{invoice}/payments");
    world.admin().post_once(&path, body).expect(201);
    (partner, before.replace("+00:00", "Z"))
}

fn payable(world: &World, as_of: &str) -> Vec<String> {
    texts(
        &world.admin().all(&format!("/v1/balances?as_of={as_of}")),
        "payable",
    )
}

#[test]
fn balances_tell_what_was_posted_by_an_instant_and_a_late_posting_changes_no_earlier_answer() {
    let world = World::new();
    let (_, before) = late_payment(&world);
    let now = world.clock.now().to_rfc3339().replace("+00:00", "Z");
    assert_eq!(payable(&world, &before), ["10.00"]);
    assert_eq!(payable(&world, &now), ["30.00"]);
    assert_eq!(payable(&world, "2026-01-31T00:00:00Z"), Vec::<String>::new());
    for (instant, expense) in [(&before, "10.00"), (&now, "30.00")] {
        let balance = world
            .admin()
            .get(&format!("/v1/trial-balance?as_of={instant}"))
            .expect(200);
        let accounts = balance["accounts"].as_array().unwrap().clone();
        let cost = accounts
            .iter()
            .find(|account| account["account"] == "commission_expense");
        assert_eq!(cost.unwrap()["balance"], money(&format!("{expense} USD")));
        assert_eq!(cents(&texts(&accounts, "balance")), 0, "{accounts:?}");
    }
}

/// The sum of amounts with two decimals.
fn cents(amounts: &[String]) -> i64 {
    let cents = |amount: &String| amount.replace('.', "").parse::<i64>().unwrap_or(0);
    amounts.iter().map(cents).sum()
}

fn export(actor: &Actor, query: &str) -> Reply {
    actor.get(&format!("/v1/reports/journal?{query}")).expect(200)
}

/// The rows of a file, without its header.
fn rows(file: &Reply) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(file.raw().as_bytes());
    let records = reader.records().map(|record| record.unwrap());
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

fn column(rows: &[Vec<String>], place: usize) -> Vec<String> {
    rows.iter().map(|row| row[place].clone()).collect()
}

#[test]
fn the_journal_of_a_period_has_what_was_recorded_in_it_and_its_debits_are_its_credits() {
    let world = World::new();
    let (partner, _) = late_payment(&world);
    let whole = export(world.admin(), "");
    assert_eq!(whole.header("content-type"), "text/csv; charset=utf-8");
    assert!(whole.raw().starts_with(
        "entry_id,line,recorded_at,occurred_at,kind,source_id,partner_id,partner_name,program_id,program_name,account,\
         debit,credit,currency\r\n"
    ));
    let whole = rows(&whole);
    assert_eq!(whole.len(), 2 * world.admin().all("/v1/ledger-entries").len());
    assert_eq!(cents(&column(&whole, 11)), 9_000);
    assert_eq!(cents(&column(&whole, 12)), 9_000);
    let first = rows(&export(world.admin(), "until_on=2026-03-03"));
    let second = rows(&export(world.admin(), "from_on=2026-03-03"));
    assert_eq!([first.as_slice(), second.as_slice()].concat(), whole);
    assert_eq!(cents(&column(&first, 11)), 3_000);
    // The accrual of the late payment happened in January and belongs to March.
    assert!(column(&second, 3)[0].starts_with("2026-01-10T"), "{second:?}");
    assert_eq!(rows(&export(world.admin(), "until_on=2026-03-02")).len(), 0);
    assert_eq!(column(&first, 7)[0], "'+Partner");
    assert_eq!(column(&first, 9)[0], "'=Program");
    assert_eq!(column(&first, 6)[0], partner);
    world
        .admin()
        .get("/v1/reports/journal?from_on=2026-03-03&until_on=2026-03-03")
        .refused(422, "validation_failed")
        .pointer("?until_on", "empty_period");
}

#[test]
fn days_are_those_of_the_organizations_time_zone() {
    let world = World::new();
    let organization = world.admin().get("/v1/organization").expect(200);
    world
        .admin()
        .ask("PATCH", "/v1/organization")
        .header("If-Match", organization.header("etag"))
        .json(&json!({ "time_zone": "Pacific/Auckland" }))
        .send()
        .expect(200);
    // The clock stands at 09:00 UTC on the 2nd, which is 22:00 there; three hours later it is the 3rd.
    world.pass(TimeDelta::hours(3));
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    assert_eq!(rows(&export(world.admin(), "until_on=2026-03-03")).len(), 0);
    assert_eq!(rows(&export(world.admin(), "from_on=2026-03-03")).len(), 6);
}

#[test]
fn the_journal_as_lines_of_json_has_each_entry_with_its_lines() {
    let world = World::new();
    late_payment(&world);
    let file = export(world.admin(), "format=ndjson");
    assert_eq!(file.header("content-type"), "application/x-ndjson");
    let lines: Vec<Value> = file
        .raw()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let entries = world.admin().all("/v1/ledger-entries?sort=created_at");
    assert_eq!(texts(&lines, "entry_id"), texts(&entries, "id"));
    assert_eq!(lines[0]["partner_name"], "+Partner");
    assert_eq!(
        lines[0]["lines"],
        json!([
            { "account": "commission_expense", "debit": "10.00", "credit": null },
            { "account": "held", "debit": null, "credit": "10.00" }
        ])
    );
}

#[test]
fn a_long_journal_goes_out_in_pieces_that_lose_and_repeat_nothing() {
    let world = World::new();
    late_payment(&world);
    let copies = "SET session_replication_role = replica; INSERT INTO ledger_entries \
        SELECT organization_id, gen_random_uuid(), kind, gen_random_uuid(), step, debit_account, credit_account, \
            partner_id, program_id, currency, amount, occurred_at, recorded_at \
        FROM (SELECT * FROM ledger_entries LIMIT 1) one, generate_series(1, 2994)";
    world.database().owner().batch_execute(copies).unwrap();
    // Exactly three pieces of a thousand, so that the last one is full.
    let rows = rows(&export(world.admin(), ""));
    assert_eq!(rows.len(), 6_000);
    let ids: BTreeSet<String> = column(&rows, 0).into_iter().collect();
    assert_eq!(ids.len(), 3_000);
}

#[test]
fn a_partner_gets_its_own_journal_and_another_organization_none_of_it() {
    let world = World::new();
    let (partner, _) = late_payment(&world);
    let program = world.ten_percent(json!({}));
    let other = world.enrolled("Other", &program);
    world.sale(&program, &other, "500.00 USD");
    let own = rows(&export(&world.full_partner_key(&partner), ""));
    assert_eq!(
        column(&own, 6).into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([partner])
    );
    assert_eq!(own.len(), 12);
    let second = world.second_organization();
    assert_eq!(rows(&export(&second.admin, "")).len(), 0);
    world
        .key(&["partners:read"])
        .get("/v1/reports/journal")
        .refused(403, "permission_denied");
}
