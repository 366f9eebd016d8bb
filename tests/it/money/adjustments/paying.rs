//! What approved adjustments do to balances, runs and reports.

use super::{PATH, adjusted, entries, propose, second, small, status, verb};
use crate::world::{money, texts};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

#[test]
fn an_adjustment_is_paid_by_the_next_run() {
    let (world, program, partner) = small();
    world.sale(&program, &partner, "100.00 USD");
    let id = propose(world.admin(), &partner, &program, "2.50 USD");
    // A proposal counts for nothing.
    assert_eq!(
        (entries(&world), world.balance(&partner, "payable")),
        (vec![], "10.00".to_owned())
    );
    assert_eq!(world.draft_run().drafted["totals"], json!([money("10.00 USD")]));
    let finance = second(&world);
    let approved = verb(&finance, &id, "approve").expect(200);
    assert_eq!(
        (&approved["status"], &approved["approved_by"]),
        (&json!("approved"), &json!(finance.key_id))
    );
    assert_eq!(approved["approved_at"], json!(world.clock.now()));
    let entry = &entries(&world)[0];
    assert_eq!(
        (&entry["kind"], &entry["adjustment_id"]),
        (&json!("adjustment_up"), &json!(id))
    );
    assert_eq!(
        (&entry["debit_account"], &entry["credit_account"]),
        (&json!("adjustment_expense"), &json!("payable"))
    );
    assert_eq!(entry["amount"], money("2.50 USD"));
    for (figure, amount) in [
        ("payable", "12.50"),
        ("earned", "10.00"),
        ("adjusted", "2.50"),
        ("reversed", "0.00"),
    ] {
        assert_eq!(world.balance(&partner, figure), amount, "{figure}");
    }
    world.books_balance();
    let run = world.processing_run(&world.finance());
    assert_eq!(texts(&run.payouts(), "amount"), ["12.50"]);
    let items = world
        .admin()
        .all(&format!("/v1/payout-items?payout_id={}", run.payout()));
    let kinds = texts(&items, "kind");
    assert!(
        kinds.contains(&"adjustment".to_owned()) && kinds.len() == 2,
        "{kinds:?}"
    );
    let item = items.iter().find(|item| item["kind"] == "adjustment").unwrap();
    assert_eq!(
        (&item["adjustment_id"], &item["amount"]),
        (&json!(id), &money("2.50 USD"))
    );
    for list in ["payout-items", "ledger-entries"] {
        let found = world.admin().all(&format!("/v1/{list}?adjustment_id={id}"));
        assert_eq!(texts(&found, "amount"), ["2.50"], "{list}");
    }
    assert_eq!(status(&world, &id), "in_payout");
    world.books_balance();
    run.verb(&world.finance(), "confirm", json!({})).expect(200);
    let paid = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(
        (&paid["status"], &paid["paid_at"]),
        (&json!("paid"), &json!(world.clock.now()))
    );
    assert_eq!(world.balance(&partner, "paid"), "12.50");
    assert_eq!(world.draft_run().drafted["payout_count"], 0);
    world.books_balance();
}

#[test]
fn what_was_taken_is_carried_until_it_is_set_off() {
    let (world, program, partner) = small();
    let finance = world.finance();
    adjusted(&world, &partner, &program, "-25.00 USD");
    adjusted(&world, &partner, &program, "1000 JPY");
    let entry = entries(&world)
        .into_iter()
        .find(|entry| entry["kind"] == "adjustment_down")
        .unwrap();
    assert_eq!(
        (&entry["debit_account"], &entry["credit_account"]),
        (&json!("payable"), &json!("adjustment_expense"))
    );
    assert_eq!(entry["amount"], money("25.00 USD"));
    world.books_balance();
    // Another currency is not netted with it.
    let run = world.paid_run(&finance);
    assert_eq!(run.payouts()[0]["amount"], money("1000 JPY"));
    assert_eq!(run.carried(), [("-25.00".to_owned(), "not_positive".to_owned())]);
    world.sale(&program, &partner, "100.00 USD");
    assert_eq!(
        world.processing_run(&finance).carried(),
        [("-15.00".to_owned(), "not_positive".to_owned())]
    );
    world.sale(&program, &partner, "200.00 USD");
    let run = world.paid_run(&finance);
    assert_eq!(
        (texts(&run.payouts(), "amount"), run.carried()),
        (vec!["5.00".to_owned()], vec![])
    );
    assert_eq!(texts(&world.admin().all(PATH), "status"), ["paid", "paid"]);
    world.books_balance();
}

#[test]
fn what_was_approved_after_the_cut_off_waits() {
    let (world, program, partner) = small();
    let finance = world.finance();
    let cut_off = world.clock.now();
    let id = propose(world.admin(), &partner, &program, "7.00 USD");
    world.pass(chrono::TimeDelta::seconds(1));
    verb(&second(&world), &id, "approve").expect(200);
    let draft = json!({ "cut_off_at": cut_off, "rail": "manual" });
    let run = world.admin().post_once("/v1/payout-runs", draft).expect(201);
    assert_eq!(run["payout_count"], 0);
    assert_eq!(texts(&world.paid_run(&finance).payouts(), "amount"), ["7.00"]);
    world.books_balance();
}

#[test]
fn a_failed_or_cancelled_payout_gives_it_back() {
    let (world, program, partner) = small();
    let finance = world.finance();
    let id = adjusted(&world, &partner, &program, "7.00 USD");
    let run = world.draft_run();
    run.verb(&finance, "approve", Value::Null).expect(200);
    assert_eq!(status(&world, &id), "in_payout");
    run.verb(&finance, "cancel", json!({ "reason": "Wrong month." }))
        .expect(200);
    assert_eq!(status(&world, &id), "approved");
    world.books_balance();
    let run = world.processing_run(&finance);
    let step = |run: &str, verb: &str| {
        let path = format!("/v1/payouts/{run}/{verb}");
        finance
            .post_once(&path, json!({ "reason": "Closed." }))
            .expect(200);
    };
    step(&run.payout(), "fail");
    assert_eq!(
        (status(&world, &id), world.balance(&partner, "payable")),
        ("approved".into(), "7.00".into())
    );
    world.books_balance();
    let run = world.paid_run(&finance);
    step(&run.payout(), "return");
    assert_eq!(status(&world, &id), "approved");
    world.books_balance();
    world.paid_run(&finance);
    assert_eq!(
        (status(&world, &id), world.balance(&partner, "paid")),
        ("paid".into(), "7.00".into())
    );
    world.books_balance();
}

#[test]
fn an_approval_makes_a_drafted_run_stale() {
    let (world, program, partner) = small();
    world.sale(&program, &partner, "100.00 USD");
    let id = propose(world.admin(), &partner, &program, "-4.00 USD");
    let run = world.draft_run();
    verb(&second(&world), &id, "approve").expect(200);
    run.verb(&world.finance(), "approve", Value::Null)
        .refused(409, "payout_run_stale");
    assert_eq!(
        texts(&world.paid_run(&world.finance()).payouts(), "amount"),
        ["6.00"]
    );
    world.books_balance();
}

#[test]
fn the_figures_of_a_period_add_up() {
    let (world, program, partner) = small();
    let payment = world.sale(&program, &partner, "100.00 USD");
    adjusted(&world, &partner, &program, "20.00 USD");
    world.paid_run(&world.finance());
    world.clock.set("2026-04-02T09:00:00Z".parse().unwrap());
    world.sale(&program, &partner, "50.00 USD");
    world.refund(&payment, "10.00 USD");
    adjusted(&world, &partner, &program, "-3.00 USD");
    let report = |from: &str, until: &str| {
        let path = format!("/v1/reports/partner-performance?from_on={from}&until_on={until}&currency=USD");
        world.admin().get(&path).expect(200)["rows"][0].clone()
    };
    let figure = |row: &Value, name: &str| {
        texts(std::slice::from_ref(row), name)[0]
            .parse::<rust_decimal::Decimal>()
            .unwrap()
    };
    let march = report("2026-03-01", "2026-04-01");
    let april = report("2026-04-01", "2026-05-01");
    assert_eq!(
        (march["adjusted"].clone(), april["adjusted"].clone()),
        (money("20.00 USD"), money("-3.00 USD"))
    );
    let mut opening = rust_decimal::Decimal::ZERO;
    for row in [&march, &april] {
        let closing = opening + figure(row, "commission_earned") - figure(row, "commission_clawed_back")
            + figure(row, "adjusted")
            - figure(row, "commission_paid");
        assert_eq!(closing, figure(row, "open_balance"), "{row}");
        opening = closing;
    }
    assert_eq!(april["open_balance"], money("1.00 USD"));
    let csv = world
        .admin()
        .get("/v1/reports/partner-performance?format=csv")
        .expect(200);
    assert!(
        csv.raw()
            .lines()
            .next()
            .unwrap()
            .ends_with(",adjusted,written_off,reseller_margin,exchanged")
    );
    world.books_balance();
}
