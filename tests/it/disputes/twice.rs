//! The same money, disputed again: what a dispute gave counts, and of two disputes about the same one lives.

use super::money::at_once;
use super::{PATH, decide, earned, judge, open, verb};
use crate::world::{Actor, Reply, World, money, texts};
use serde_json::{Value, json};

/// A dispute of all that is missing on a deal.
fn missing(actor: &Actor, deal: &str, claimed: &str) -> Reply {
    let body = json!({
        "subject_ids": [deal], "reason_code": "commission_missing", "statement": "There should be more.",
        "claimed_amount": money(claimed)
    });
    actor.post(PATH, body)
}

/// Finds what is claimed, and upholds it.
fn uphold(world: &World, dispute: &Reply) {
    let id = dispute.id();
    let finding = json!({ "found_amount": dispute["claimed_amount"] });
    verb(world.admin(), &id, "review", finding).expect(200);
    decide(&judge(world), &id, "upheld").expect(200);
    world.books_balance();
}

/// An approved adjustment of a commission.
fn corrected(world: &World, line: &Value, reason: &str, amount: &str) {
    let body = json!({
        "partner_id": line["partner_id"], "program_id": line["program_id"], "commission_id": line["id"],
        "amount": money(amount), "reason_code": reason, "reason": "Counted by hand."
    });
    let id = world.admin().post_once("/v1/adjustments", body).expect(201).id();
    judge(world)
        .post_once(&format!("/v1/adjustments/{id}/approve"), Value::Null)
        .expect(200);
}

fn computed(opened: Reply) -> Value {
    opened.expect(201)["computed_amount"].clone()
}

#[test]
fn what_a_dispute_gave_on_a_line_is_not_given_again() {
    let (world, _, partner, actor, line) = earned();
    uphold(&world, &open(&actor, &[&line], "15.00 USD").expect(201));
    assert_eq!(world.balance(&partner, "payable"), "15.00");
    open(&actor, &[&line], "15.00 USD").pointer("/claimed_amount/amount", "not_more");
    let again = open(&actor, &[&line], "18.00 USD").expect(201);
    assert_eq!(again["computed_amount"], money("15.00 USD"));
    uphold(&world, &again);
    assert_eq!(world.balance(&partner, "payable"), "18.00");
    world.paid_run(&world.finance());
    assert_eq!(world.balance(&partner, "paid"), "18.00");
    open(&actor, &[&line], "18.00 USD").pointer("/claimed_amount/amount", "not_more");
}

#[test]
fn what_a_line_was_given_counts_on_its_deal_and_the_reverse() {
    let (world, _, partner, actor, line) = earned();
    let deal = world.line("")["deal_id"].as_str().unwrap().to_owned();
    uphold(&world, &open(&actor, &[&line], "15.00 USD").expect(201));
    missing(&actor, &deal, "15.00 USD").pointer("/claimed_amount/amount", "not_more");
    let whole = missing(&actor, &deal, "20.00 USD").expect(201);
    assert_eq!(whole["computed_amount"], money("15.00 USD"));
    uphold(&world, &whole);
    assert_eq!(world.balance(&partner, "payable"), "20.00");
    missing(&actor, &deal, "20.00 USD").pointer("/claimed_amount/amount", "not_more");
    open(&actor, &[&line], "20.00 USD").pointer("/claimed_amount/amount", "not_more");
    assert_eq!(computed(open(&actor, &[&line], "20.01 USD")), money("20.00 USD"));
}

#[test]
fn what_several_lines_were_given_counts_for_each_of_them() {
    let (world, program, partner, actor, _) = earned();
    world.sale(&program, &partner, "200.00 USD");
    world.sale(&program, &partner, "400.00 USD");
    let lines = texts(&world.lines(""), "id");
    let both = [lines[0].as_str(), lines[1].as_str()];
    uphold(&world, &open(&actor, &both, "36.00 USD").expect(201));
    open(&actor, &both, "36.00 USD").pointer("/claimed_amount/amount", "not_more");
    open(&actor, &[both[0]], "16.00 USD").pointer("/claimed_amount/amount", "not_more");
    let deal = world.lines("")[1]["deal_id"].as_str().unwrap().to_owned();
    missing(&actor, &deal, "26.00 USD").pointer("/claimed_amount/amount", "not_more");
    // Another line was given nothing.
    assert_eq!(
        computed(open(&actor, &[&lines[2]], "41.00 USD")),
        money("40.00 USD")
    );
}

#[test]
fn corrections_count_and_gifts_do_not() {
    for (reason, amount, comes_to) in [
        ("correction", "2.00 USD", "12.00 USD"),
        ("correction", "-2.00 USD", "8.00 USD"),
        ("goodwill", "2.00 USD", "10.00 USD"),
        ("bonus", "2.00 USD", "10.00 USD"),
    ] {
        let (world, _, _, actor, line) = earned();
        corrected(&world, &world.line(""), reason, amount);
        let opened = open(&actor, &[&line], "15.00 USD").expect(201);
        assert_eq!(opened["computed_amount"], money(comes_to), "{reason} {amount}");
        let adjusted = || world.admin().all("/v1/adjustments?status=approved").len();
        assert_eq!(adjusted(), 1);
        uphold(&world, &opened);
        assert_eq!(adjusted(), 2);
        open(&actor, &[&line], "15.00 USD").pointer("/claimed_amount/amount", "not_more");
    }
}

#[test]
fn a_line_and_its_deal_are_not_disputed_at_once() {
    let (world, program, partner, actor, line) = earned();
    let deal = world.line("")["deal_id"].as_str().unwrap().to_owned();
    let whole = missing(&actor, &deal, "20.00 USD").expect(201).id();
    let refused = open(&actor, &[&line], "15.00 USD").refused(409, "already_exists");
    assert!(refused.text("/detail").contains(&whole));
    // A line of another deal is other money.
    world.sale(&program, &partner, "200.00 USD");
    let other = world.lines("")[1]["id"].as_str().unwrap().to_owned();
    open(&actor, &[&line, &other], "50.00 USD").refused(409, "already_exists");
    let apart = open(&actor, &[&other], "50.00 USD").expect(201).id();
    verb(&actor, &apart, "withdraw", Value::Null).expect(200);
    verb(&actor, &whole, "withdraw", Value::Null).expect(200);
    let single = open(&actor, &[&line], "15.00 USD").expect(201).id();
    let refused = missing(&actor, &deal, "20.00 USD").refused(409, "already_exists");
    assert!(refused.text("/detail").contains(&line));
    verb(&actor, &single, "withdraw", Value::Null).expect(200);
    missing(&actor, &deal, "20.00 USD").expect(201);
    world.books_balance();
}

#[test]
fn of_a_line_and_its_deal_at_once_one_is_disputed() {
    let (world, _, _, actor, line) = earned();
    let deal = world.line("")["deal_id"].as_str().unwrap().to_owned();
    for _ in 0..5 {
        let answers = at_once(20, |number| match number % 2 {
            0 => missing(&actor, &deal, "20.00 USD"),
            _ => open(&actor, &[&line], "15.00 USD"),
        });
        let opened = answers.iter().filter(|status| **status == 201).count();
        assert_eq!(opened, 1, "{answers:?}");
        let known = |status: &u16| [201, 409, 503].contains(status);
        assert!(answers.iter().all(known), "{answers:?}");
        let living = world.admin().all(&format!("{PATH}?status=open"));
        verb(&actor, &texts(&living, "id")[0], "withdraw", Value::Null).expect(200);
    }
    world.books_balance();
}

/// A line that is held: what a dispute gives on it is paid when the line is.
#[test]
fn what_is_given_on_a_held_line_waits_for_it() {
    for approval in ["automatic", "manual"] {
        let world = World::new();
        let program = world.program(json!({ "commission_approval": approval }));
        world.rule(&program, "0.1", json!({ "hold_days": 30 }));
        let partner = world.enrolled("A", &program);
        world.sale(&program, &partner, "100.00 USD");
        let actor = world.full_partner_key(&partner);
        let line = world.line("")["id"].as_str().unwrap().to_owned();
        uphold(&world, &open(&actor, &[&line], "15.00 USD").expect(201));
        let coming = |field: &str| {
            let path = format!("/v1/partners/{partner}/payment-expectations");
            actor.get(&path).expect(200)["expectations"][0][field].clone()
        };
        let drafted = || texts(&world.draft_run().payouts(), "amount");
        assert_eq!(drafted(), [""; 0], "{approval}");
        assert_eq!(coming("pending"), money("15.00 USD"));
        assert_eq!(coming("approved"), money("0.00 USD"));
        world.pass(chrono::TimeDelta::days(31));
        world.work();
        if approval == "manual" {
            assert_eq!(drafted(), [""; 0], "nobody has approved the line");
            assert_eq!(coming("due"), money("15.00 USD"));
            world
                .admin()
                .post_once(&format!("/v1/commissions/{line}/approve"), json!({}))
                .expect(200);
        }
        assert_eq!(coming("approved"), money("15.00 USD"));
        assert_eq!(drafted(), ["15.00"], "{approval}");
        world.paid_run(&world.finance());
        world.books_balance();
    }
}

/// Found outside of what is computed and what is claimed: nobody loses by a dispute that they won, nor wins more.
#[test]
fn upheld_in_part_is_between_both_calculations() {
    let (world, _, partner, actor, line) = earned();
    let id = open(&actor, &[&line], "15.00 USD").expect(201).id();
    let judge = judge(&world);
    for found in [
        "-1000.00 USD",
        "9.99 USD",
        "10.00 USD",
        "15.01 USD",
        "-999999999999999.99 USD",
        "999999999999999.99 USD",
    ] {
        let finding = json!({ "found_amount": money(found) });
        verb(world.admin(), &id, "review", finding).expect(200);
        for outcome in ["upheld", "partially_upheld"] {
            decide(&judge, &id, outcome)
                .refused(422, "validation_failed")
                .pointer("/outcome", "not_found_so");
        }
        assert_eq!(world.balance(&partner, "disputed"), "10.00");
    }
    assert_eq!(world.admin().all("/v1/adjustments").len(), 0);
    let finding = json!({ "found_amount": money("10.01 USD") });
    verb(world.admin(), &id, "review", finding).expect(200);
    decide(&judge, &id, "partially_upheld").expect(200);
    assert_eq!(world.balance(&partner, "payable"), "10.01");
    world.books_balance();
}

/// What the partner claims is what it comes to by now: there is nothing to uphold.
#[test]
fn a_claim_that_is_met_meanwhile_is_not_upheld_with_nothing() {
    let (world, _, _, actor, line) = earned();
    let id = open(&actor, &[&line], "15.00 USD").expect(201).id();
    corrected(&world, &world.line(""), "correction", "5.00 USD");
    let finding = json!({ "found_amount": money("15.00 USD") });
    verb(world.admin(), &id, "review", finding).expect(200);
    let judge = judge(&world);
    decide(&judge, &id, "upheld").pointer("/outcome", "not_found_so");
    decide(&judge, &id, "denied").expect(200);
    world.books_balance();
}
