//! Several commissions in one dispute, and the bounds of what is said about it.

use super::{PATH, earned, open, verb};
use crate::world::{World, money, texts};
use serde_json::{Value, json};

/// The ids of all lines, oldest first.
fn ids(world: &World) -> Vec<String> {
    texts(&world.lines(""), "id")
}

#[test]
fn each_line_tells_its_own_calculation_and_all_that_come_back_are_frozen() {
    let (world, program, partner, actor, _) = earned();
    world.sale(&program, &partner, "200.00 USD");
    let lines = ids(&world);
    let lines = [lines[1].as_str(), lines[0].as_str()];
    let finance = world.finance();
    let run = world.processing_run(&finance);
    let dispute = open(&actor, &lines, "40.00 USD").expect(201);
    assert_eq!(dispute["computed_amount"], money("30.00 USD"));
    let told = dispute["lines"].as_array().unwrap().clone();
    assert_eq!(texts(&told, "effect"), ["left_alone", "left_alone"]);
    for (line, base) in told.iter().zip(["100.00", "200.00"]) {
        let explanation = line["explanation"].as_str().unwrap();
        assert!(explanation.contains(base), "{explanation}");
    }
    let path = format!("/v1/payouts/{}/fail", run.payout());
    finance
        .post_once(&path, json!({ "reason": "No such account" }))
        .expect(200);
    assert_eq!(world.balance(&partner, "disputed"), "30.00");
    let after = actor.get(&format!("{PATH}/{}", dispute.id())).expect(200);
    let after = after["lines"].as_array().unwrap().clone();
    assert_eq!(texts(&after, "effect"), ["frozen", "frozen"]);
    world.books_balance();
    verb(&actor, &dispute.id(), "withdraw", Value::Null).expect(200);
    assert_eq!(world.balance(&partner, "payable"), "30.00");
    world.books_balance();
}

#[test]
fn lines_of_two_disputes_come_back_to_their_own() {
    let (world, program, partner, actor, _) = earned();
    world.sale(&program, &partner, "200.00 USD");
    let lines = ids(&world);
    let finance = world.finance();
    let run = world.processing_run(&finance);
    let first = open(&actor, &[&lines[0]], "40.00 USD").expect(201).id();
    let second = open(&actor, &[&lines[1]], "40.00 USD").expect(201).id();
    let path = format!("/v1/payouts/{}/fail", run.payout());
    finance
        .post_once(&path, json!({ "reason": "No such account" }))
        .expect(200);
    assert_eq!(world.balance(&partner, "disputed"), "30.00");
    verb(&actor, &second, "withdraw", Value::Null).expect(200);
    assert_eq!(world.balance(&partner, "disputed"), "10.00");
    verb(&actor, &first, "withdraw", Value::Null).expect(200);
    assert_eq!(world.balance(&partner, "disputed"), "0.00");
    world.books_balance();
}

#[test]
fn lines_of_two_programs_or_currencies_are_not_disputed_together() {
    let (world, program, partner, actor, line) = earned();
    world.sale(&program, &partner, "100.00 EUR");
    let other = world.ten_percent(json!({}));
    let body = json!({ "partner_id": partner, "program_id": other });
    let enrollment = world.admin().post("/v1/enrollments", body).expect(201).id();
    world
        .admin()
        .act(&format!("/v1/enrollments/{enrollment}/activate"))
        .expect(200);
    world.sale(&other, &partner, "100.00 USD");
    let lines = ids(&world);
    for second in &lines[1..] {
        open(&actor, &[&line, second], "50.00 USD")
            .refused(422, "validation_failed")
            .pointer("/subject_ids", "not_together");
    }
    let is_free = |line: &Value| line["dispute_id"].is_null();
    assert!(world.lines("").iter().all(is_free));
}

#[test]
fn a_line_is_in_one_living_dispute_whatever_else_is_in_the_other() {
    let (world, program, partner, actor, line) = earned();
    world.sale(&program, &partner, "200.00 USD");
    let lines = ids(&world);
    open(&actor, &[&line], "15.00 USD").expect(201);
    open(&actor, &[&lines[0], &lines[1]], "50.00 USD").refused(409, "already_exists");
    assert_eq!(world.balance(&partner, "disputed"), "10.00");
    world.books_balance();
}

#[test]
fn what_was_taken_back_is_no_part_of_what_is_claimed_from() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    world.refund(&payment, "40.00 USD");
    let actor = world.full_partner_key(&partner);
    let line = world.line("")["id"].as_str().unwrap().to_owned();
    open(&actor, &[&line], "6.00 USD").pointer("/claimed_amount/amount", "not_more");
    let dispute = open(&actor, &[&line], "8.00 USD").expect(201);
    assert_eq!(dispute["computed_amount"], money("6.00 USD"));
    // The line is frozen as a whole, and what was taken back from it waits with it.
    let [disputed, payable] = ["disputed", "payable"].map(|account| world.balance(&partner, account));
    assert_eq!((disputed.as_str(), payable.as_str()), ("10.00", "-4.00"));
    let euro = json!({ "found_amount": money("8.00 EUR") });
    verb(world.admin(), &dispute.id(), "review", euro)
        .refused(422, "validation_failed")
        .pointer("/found_amount/currency", "not_of_dispute");
    world.books_balance();
}

#[test]
fn a_dispute_holds_a_hundred_links_and_no_more() {
    let (world, _, _, actor, line) = earned();
    let id = open(&actor, &[&line], "15.00 USD").expect(201).id();
    verb(world.admin(), &id, "review", json!({})).expect(200);
    let link = json!({ "name": "Order", "url": "https://files.example/1" });
    let answer = |links: usize| {
        let ask = json!({ "reason": "What else?" });
        verb(world.admin(), &id, "request_information", ask);
        verb(
            &actor,
            &id,
            "answer",
            json!({ "body": "This.", "evidence": vec![link.clone(); links] }),
        )
    };
    for _ in 0..5 {
        answer(20).expect(200);
    }
    answer(1)
        .refused(422, "validation_failed")
        .pointer("/evidence", "too_many");
    let kept = answer(0).expect(200);
    assert_eq!(kept["evidence"].as_array().unwrap().len(), 100);
}
