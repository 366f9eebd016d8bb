//! Disputed money: frozen, thawed, put right, and never paid meanwhile.

use super::{PATH, decide, earned, judge, open, status, verb};
use crate::world::{Reply, World, money, texts};
use copartner::app::ledger_check;
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::thread;

fn balances(world: &World) -> Vec<Value> {
    world.admin().all("/v1/balances")
}

#[test]
fn an_approved_line_is_frozen_and_withdrawn_or_denied_thaws_it_as_it_was() {
    for ending in ["withdraw", "denied"] {
        let (world, _, partner, actor, line) = earned();
        let before = balances(&world);
        let dispute = open(&actor, &[&line], "15.00 USD").expect(201);
        assert_eq!(dispute["computed_amount"], money("10.00 USD"));
        assert_eq!(dispute["claimed_amount"], money("15.00 USD"));
        assert_eq!(dispute["lines"][0]["effect"], "frozen");
        assert!(dispute.text("/lines/0/explanation").contains("100.00"));
        assert_eq!(world.balance(&partner, "disputed"), "10.00");
        assert_eq!(world.balance(&partner, "payable"), "0.00");
        assert_eq!(world.line("")["dispute_id"], dispute.id().as_str());
        world.books_balance();
        let run = world.draft_run();
        assert_eq!(run.payouts(), Vec::<Value>::new());
        if ending == "withdraw" {
            verb(&actor, &dispute.id(), "withdraw", Value::Null).expect(200);
        } else {
            verb(world.admin(), &dispute.id(), "review", json!({})).expect(200);
            let denied = decide(world.admin(), &dispute.id(), ending).expect(200);
            assert_eq!(denied["adjustment_id"], Value::Null);
            assert_eq!(
                actor.get(&format!("{PATH}/{}", dispute.id()))["status_reason"],
                "We looked again."
            );
        }
        assert_eq!(balances(&world), before, "{ending}");
        assert_eq!(world.line("")["dispute_id"], Value::Null);
        world.books_balance();
        assert_eq!(texts(&world.draft_run().payouts(), "amount"), ["10.00"]);
    }
}

#[test]
fn upheld_posts_what_the_reviewer_found_and_somebody_else_decided() {
    for (outcome, found, paid) in [
        ("upheld", "15.00 USD", "15.00"),
        ("partially_upheld", "12.00 USD", "12.00"),
    ] {
        let (world, _, partner, actor, line) = earned();
        let id = open(&actor, &[&line], "15.00 USD").expect(201).id();
        let second = judge(&world);
        verb(world.admin(), &id, "review", json!({})).expect(200);
        decide(&second, &id, outcome).refused(409, "wrong_state");
        let finding = json!({ "note": "They are right.", "found_amount": money(found) });
        verb(world.admin(), &id, "review", finding).expect(200);
        decide(world.admin(), &id, outcome).refused(409, "second_person_required");
        let other = if outcome == "upheld" {
            "partially_upheld"
        } else {
            "upheld"
        };
        decide(&second, &id, other).pointer("/outcome", "not_found_so");
        let clerk = world.another_hand(&["disputes:decide", "disputes:read"]);
        decide(&clerk, &id, outcome).refused(403, "permission_denied");
        assert_eq!(world.balance(&partner, "disputed"), "10.00");
        let decided = decide(&second, &id, outcome).expect(200);
        let adjustment = decided.text("/adjustment_id").to_owned();
        let posted = world
            .admin()
            .get(&format!("/v1/adjustments/{adjustment}"))
            .expect(200);
        assert_eq!(
            (&posted["status"], &posted["reason_code"]),
            (&json!("approved"), &json!("dispute"))
        );
        assert_ne!(posted["created_by"], posted["approved_by"]);
        assert_eq!(posted["commission_id"], line.as_str());
        assert_eq!(world.balance(&partner, "payable"), paid);
        let mine = actor.get(&format!("{PATH}/{id}")).expect(200);
        for hidden in ["reviewed_by", "note", "found_amount", "decided_by"] {
            assert_eq!(mine[hidden], Value::Null, "{hidden}");
        }
        assert_eq!(mine["status"], outcome);
        world.books_balance();
        assert_eq!(texts(&world.draft_run().payouts(), "amount"), [paid]);
    }
}

#[test]
fn a_pending_line_is_not_released_and_a_due_one_not_approved() {
    let world = World::new();
    let program = world.program(json!({ "commission_approval": "manual" }));
    world.rule(&program, "0.1", json!({ "hold_days": 30 }));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("")["id"].as_str().unwrap().to_owned();
    let actor = world.full_partner_key(&partner);
    let id = open(&actor, &[&line], "15.00 USD").expect(201);
    assert_eq!(id["lines"][0]["effect"], "withheld");
    world.pass(chrono::TimeDelta::days(31));
    world.work();
    assert_eq!(world.line("")["status"], "pending");
    verb(&actor, &id.id(), "withdraw", Value::Null).expect(200);
    world.work();
    assert_eq!(world.line("")["status"], "due");
    let again = open(&actor, &[&line], "15.00 USD").expect(201);
    assert_eq!(again["lines"][0]["effect"], "withheld");
    let approve = format!("/v1/commissions/{line}/approve");
    world
        .admin()
        .post_once(&approve, Value::Null)
        .refused(409, "wrong_state");
    world
        .admin()
        .post_once("/v1/commission-approvals", json!({}))
        .expect(200);
    assert_eq!(world.line("")["status"], "due");
    world.books_balance();
}

#[test]
fn a_line_in_a_payout_is_left_alone_and_frozen_when_it_comes_back() {
    let (world, _, partner, actor, line) = earned();
    let finance = world.finance();
    let run = world.processing_run(&finance);
    let dispute = open(&actor, &[&line], "15.00 USD").expect(201);
    assert_eq!(dispute["lines"][0]["effect"], "left_alone");
    world.books_balance();
    let path = format!("/v1/payouts/{}/fail", run.payout());
    finance
        .post_once(&path, json!({ "reason": "No such account" }))
        .expect(200);
    assert_eq!(world.balance(&partner, "disputed"), "10.00");
    let after = actor.get(&format!("{PATH}/{}", dispute.id())).expect(200);
    assert_eq!(after["lines"][0]["effect"], "frozen");
    world.books_balance();
    verb(&actor, &dispute.id(), "withdraw", Value::Null).expect(200);
    assert_eq!(world.balance(&partner, "payable"), "10.00");
    world.books_balance();
}

/// Whoever was paid for a sale that was taken back does not keep the money by disputing it: it is set off until the
/// dispute gives it back.
#[test]
fn what_was_taken_back_from_a_paid_line_is_set_off_though_it_is_disputed() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let finance = world.finance();
    world.paid_run(&finance);
    world.refund(&payment, "100.00 USD");
    world.sale(&program, &partner, "100.00 USD");
    let lines = world.lines("");
    let actor = world.full_partner_key(&partner);
    let body = json!({
        "subject_ids": [lines[0]["id"]], "reason_code": "wrongly_clawed_back", "statement": "They paid again.",
        "claimed_amount": money("10.00 USD")
    });
    let dispute = actor.post(PATH, body).expect(201);
    assert_eq!(dispute["lines"][0]["effect"], "left_alone");
    assert_eq!(texts(&world.draft_run().payouts(), "amount"), [""; 0]);
    world.sale(&program, &partner, "50.00 USD");
    assert_eq!(texts(&world.paid_run(&finance).payouts(), "amount"), ["5.00"]);
    world.books_balance();
    let id = dispute.id();
    let finding = json!({ "found_amount": money("10.00 USD") });
    verb(world.admin(), &id, "review", finding).expect(200);
    decide(&judge(&world), &id, "upheld").expect(200);
    assert_eq!(texts(&world.draft_run().payouts(), "amount"), ["10.00"]);
    world.books_balance();
}

/// A line that came back from the bank waits with what was taken back from it.
#[test]
fn what_was_taken_back_from_a_frozen_line_waits_with_it() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let finance = world.finance();
    let payout = world.paid_run(&finance).payout();
    world.refund(&payment, "50.00 USD");
    let path = format!("/v1/payouts/{payout}/return");
    finance
        .post_once(&path, json!({ "reason": "No such account" }))
        .expect(200);
    world.sale(&program, &partner, "200.00 USD");
    let lines = world.lines("");
    let actor = world.full_partner_key(&partner);
    let first = lines[0]["id"].as_str().unwrap();
    let dispute = open(&actor, &[first], "10.00 USD").expect(201);
    assert_eq!(dispute["lines"][0]["effect"], "frozen");
    assert_eq!(texts(&world.draft_run().payouts(), "amount"), ["20.00"]);
    verb(&actor, &dispute.id(), "withdraw", Value::Null).expect(200);
    assert_eq!(texts(&world.draft_run().payouts(), "amount"), ["25.00"]);
    world.books_balance();
}

#[test]
fn a_missing_commission_is_given_on_its_deal() {
    let world = World::new();
    let program = world.program(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let actor = world.full_partner_key(&partner);
    let body = json!({
        "subject_ids": [deal], "reason_code": "commission_missing", "statement": "Nothing came.",
        "claimed_amount": money("10.00 USD")
    });
    let id = actor.post(PATH, body.clone()).expect(201).id();
    actor.post(PATH, body).refused(409, "already_exists");
    verb(
        world.admin(),
        &id,
        "review",
        json!({ "found_amount": money("10.00 USD") }),
    )
    .expect(200);
    decide(&judge(&world), &id, "upheld").expect(200);
    assert_eq!(world.balance(&partner, "payable"), "10.00");
    world.books_balance();
}

#[test]
fn a_finding_is_stale_when_the_line_changed() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let actor = world.full_partner_key(&partner);
    let line = world.line("")["id"].as_str().unwrap().to_owned();
    let id = open(&actor, &[&line], "15.00 USD").expect(201).id();
    verb(
        world.admin(),
        &id,
        "review",
        json!({ "found_amount": money("15.00 USD") }),
    )
    .expect(200);
    world.refund(&payment, "100.00 USD");
    world.books_balance();
    decide(&judge(&world), &id, "upheld").refused(409, "wrong_state");
    assert_eq!(status(&world, &id), "in_review");
    decide(&judge(&world), &id, "denied").expect(200);
    assert_eq!(world.balance(&partner, "payable"), "0.00");
    world.books_balance();
}

/// What many threads at once are answered.
pub(super) fn at_once(count: usize, ask: impl Fn(usize) -> Reply + Sync) -> Vec<u16> {
    thread::scope(|scope| {
        let ask = &ask;
        let threads: Vec<_> = (0..count)
            .map(|number| scope.spawn(move || ask(number).status))
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[track_caller]
fn done(statuses: &[u16], status: u16) -> usize {
    let known = |found: &u16| [status, 409, 412, 503].contains(found);
    assert!(statuses.iter().all(known), "{statuses:?}");
    statuses.iter().filter(|found| **found == status).count()
}

#[test]
fn fifty_openings_freeze_once_and_fifty_decisions_pay_once() {
    let (world, _, partner, actor, line) = earned();
    let opened = at_once(50, |_| open(&actor, &[&line], "15.00 USD"));
    assert_eq!(done(&opened, 201), 1);
    assert_eq!(world.balance(&partner, "disputed"), "10.00");
    let id = world.admin().all(PATH)[0]["id"].as_str().unwrap().to_owned();
    verb(
        world.admin(),
        &id,
        "review",
        json!({ "found_amount": money("15.00 USD") }),
    )
    .expect(200);
    let second = judge(&world);
    let decided = at_once(50, |_| decide(&second, &id, "upheld"));
    assert_eq!(done(&decided, 200), 1);
    assert_eq!(world.balance(&partner, "payable"), "15.00");
    world.books_balance();
}

/// A run and a dispute want the same line at the same instant: one of them has it.
#[test]
fn of_a_run_and_a_dispute_at_once_one_wins() {
    for _ in 0..6 {
        let (world, _, partner, actor, line) = earned();
        let finance = world.finance();
        let run = world.draft_run();
        let answers = at_once(2, |number| match number {
            0 => run.verb(&finance, "approve", Value::Null),
            _ => open(&actor, &[&line], "15.00 USD"),
        });
        assert_eq!(answers[1], 201, "{answers:?}");
        let (disputed, reserved) = (
            world.balance(&partner, "disputed"),
            world.balance(&partner, "in_payout"),
        );
        match answers[0] {
            200 => assert_eq!((disputed.as_str(), reserved.as_str()), ("0.00", "10.00")),
            409 => assert_eq!((disputed.as_str(), reserved.as_str()), ("10.00", "0.00")),
            other => panic!("{other}"),
        }
        world.books_balance();
    }
}

#[test]
fn the_check_of_the_books_knows_disputed_money() {
    let (world, _, _, actor, line) = earned();
    let id = open(&actor, &[&line], "15.00 USD").expect(201).id();
    let found = |world: &World| {
        let findings = ledger_check::all(&world.db, world.clock.now()).unwrap();
        let faults = findings.into_iter().flat_map(|finding| finding.faults);
        faults.map(|fault| fault.to_string()).collect::<Vec<_>>()
    };
    let shake = |statement: &str| {
        let mut owner = world.database().owner();
        let script = format!("SET session_replication_role = replica; {statement}");
        owner.batch_execute(&script).unwrap();
    };
    shake("UPDATE ledger_entries SET amount = 9 WHERE kind = 'freeze'");
    let faults = found(&world);
    assert!(
        faults
            .iter()
            .any(|fault| fault.starts_with("disputes freeze what they say") && fault.contains(&id))
    );
    assert!(
        faults
            .iter()
            .any(|fault| fault.starts_with("disputed money is that of disputed lines"))
    );
    shake(
        "UPDATE ledger_entries SET amount = 10 WHERE kind = 'freeze'; UPDATE commissions SET dispute_id = NULL",
    );
    let faults = found(&world);
    assert!(
        faults
            .iter()
            .any(|fault| fault.starts_with("disputed lines know their dispute") && fault.contains(&line))
    );
}

#[test]
fn claims_that_make_no_sense_are_refused_with_pointers() {
    let (world, program, _, actor, line) = earned();
    open(&actor, &[&line], "10.00 USD").pointer("/claimed_amount/amount", "not_more");
    open(&actor, &[&line], "15.00 EUR").pointer("/claimed_amount/currency", "not_of_subject");
    let body = json!({ "subject_ids": [line], "reason_code": "share_too_low", "statement": "Why?" });
    let refused = actor.post(PATH, body).refused(422, "validation_failed");
    refused.clone().pointer("/reason_code", "not_fitting");
    refused.pointer("/claimed_amount", "missing");
    let rival = world.enrolled("B", &program);
    let rival = world.full_partner_key(&rival);
    open(&rival, &[&line], "15.00 USD").pointer("/subject_ids/0", "unknown_reference");
}
