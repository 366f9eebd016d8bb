//! A past period is recalculated: the difference is proposed, somebody else approves it, and nothing posted changes.

use super::backtests::draft_of;
use crate::world::{Actor, Reply, World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

const REASON: &str = "The new rate was promised from the first of January.";
const PERIOD: (&str, &str) = ("2026-01-01", "2026-04-01");

fn ask(actor: &Actor, version: &str, (from_on, until_on): (&str, &str)) -> Reply {
    let rule = actor
        .get(&format!("/v1/commission-rule-versions/{version}"))
        .expect(200);
    let path = format!(
        "/v1/commission-rules/{}/recalculations",
        rule.text("/commission_rule_id")
    );
    let body =
        json!({ "rule_version_id": version, "from_on": from_on, "until_on": until_on, "reason": REASON });
    actor.post_once(&path, body)
}

/// Asks and lets the worker find out; the adjustments that it proposes.
#[track_caller]
fn recalculate(world: &World, version: &str, period: (&str, &str)) -> Vec<Value> {
    let queued = ask(world.admin(), version, period).expect(202);
    assert_eq!(queued["recalculation_reason"], REASON);
    world.work();
    let ended = world
        .admin()
        .get(&format!("/v1/backtests/{}", queued.id()))
        .expect(200);
    assert_eq!(ended["status"], "succeeded", "{}", ended.raw());
    let found = proposed(world, &queued.id());
    assert_eq!(ended["adjustments_proposed"], found.len());
    found
}

fn proposed(world: &World, backtest: &str) -> Vec<Value> {
    let mut found = world
        .admin()
        .all(&format!("/v1/adjustments?backtest_id={backtest}"));
    found.sort_by_key(|one| one["partner_id"].as_str().map(str::to_owned));
    found
}

fn decide(world: &World, verb: &str, adjustment: &Value, body: Value) {
    let id = adjustment["id"].as_str().unwrap();
    let second = world.another_hand(&["adjustments:read", "adjustments:approve"]);
    let path = format!("/v1/adjustments/{id}/{verb}");
    second.post_once(&path, body).expect(200);
}

/// Two partners under ten percent, A with 100.00 and B with 50.00, and the version with fifteen that came afterwards.
fn house() -> (World, String, [String; 2], [String; 2]) {
    let world = World::new();
    let (version, partners, payments) = house_in(&world);
    (world, version, partners, payments)
}

/// A recalculation that proposed 5.00 for one partner and 2.50 for another.
pub fn of_two_partners(world: &World) -> String {
    let until_on = (world.clock.now().date_naive() + TimeDelta::days(2)).to_string();
    let (version, ..) = house_in(world);
    recalculate(world, &version, (PERIOD.0, &until_on))[0]["backtest_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn house_in(world: &World) -> (String, [String; 2], [String; 2]) {
    let program = world.program(json!({}));
    let version = world.rule(&program, "0.1", json!({}));
    let (a, b) = (world.enrolled("A", &program), world.enrolled("B", &program));
    let payments = [
        world.sale(&program, &a, "100.00 USD"),
        world.sale(&program, &b, "50.00 USD"),
    ];
    world.pass(TimeDelta::days(30));
    let from = world.pass(TimeDelta::hours(1));
    let terms = json!({ "formula": { "type": "percentage", "rate": "0.15" }, "hold_days": 0, "effective_from": from });
    let next = draft_of(world, &version, &terms);
    world.activate(&next).expect(200);
    (next, [a, b], payments)
}

#[test]
fn what_a_recalculation_proposed_is_approved_at_once_by_somebody_else() {
    let (world, version, [a, b], payments) = house();
    let path = "/v1/adjustment-approvals";
    let second = world.another_hand(&["adjustments:approve"]);
    let unknown = json!({ "backtest_id": "bkt_01j9zq4y8k7m5n3p2r1s0t6v4w" });
    let refused = second.post_once(path, unknown).refused(422, "validation_failed");
    refused.pointer("/backtest_id", "unknown_reference");
    let found = recalculate(&world, &version, PERIOD);
    let body = json!({ "backtest_id": found[0]["backtest_id"] });
    let own = world.admin().post_once(path, body.clone());
    own.refused(409, "second_person_required");
    assert_eq!(world.balance(&a, "payable"), "10.00");
    let approved = second.post_once(path, body.clone()).expect(200);
    assert_eq!(approved["approved"], 2);
    assert_eq!(
        approved["totals"],
        json!([{ "amount": "7.50", "currency": "USD" }])
    );
    assert_eq!(world.balance(&a, "payable"), "15.00");
    assert_eq!(world.balance(&b, "payable"), "7.50");
    let again = second.post_once(path, body).expect(200);
    assert_eq!((&again["approved"], &again["totals"]), (&json!(0), &json!([])));
    for one in proposed(&world, found[0]["backtest_id"].as_str().unwrap()) {
        assert_eq!(one["status"], "approved");
        assert_eq!(one["approved_by"].as_str(), second.key_id.as_deref());
    }
    // What somebody refused before is not approved with the rest.
    world.refund(&payments[0], "40.00 USD");
    world.refund(&payments[1], "20.00 USD");
    let found = recalculate(&world, &version, PERIOD);
    assert_eq!(texts(&found, "amount"), ["-2.00", "-1.00"]);
    decide(&world, "refuse", &found[0], json!({ "reason": "Not from A." }));
    let body = json!({ "backtest_id": found[0]["backtest_id"] });
    assert_eq!(second.post_once(path, body).expect(200)["approved"], 1);
    assert_eq!(world.balance(&a, "payable"), "11.00");
    assert_eq!(world.balance(&b, "payable"), "4.50");
    world.books_balance();
}

/// A deal of 1,000.00 under ten percent that A sourced alone, and the version with twenty.
fn corrected_house() -> (World, String, String, [String; 2], String) {
    let world = World::new();
    let program = world.program(json!({}));
    let version = world.rule(&program, "0.1", json!({}));
    let partners = ["A", "B"].map(|name| world.enrolled(name, &program));
    let deal = world.won_deal(&program, "1000.00 USD", &[(&partners[0], 10_000)]);
    let payment = world.pay(&world.invoice(&deal, "USD", &["1000.00"]), "1000.00 USD");
    world.pass(TimeDelta::days(30));
    let from = world.pass(TimeDelta::hours(1));
    let terms =
        json!({ "formula": { "type": "percentage", "rate": "0.2" }, "hold_days": 0, "effective_from": from });
    let next = draft_of(&world, &version, &terms);
    world.activate(&next).expect(200);
    (world, next, deal, partners, payment)
}

fn correct(world: &World, credit: &str, share: i64) {
    let body = json!({ "share_basis_points": share, "reason": "Agreed on 3 March." });
    let path = format!("/v1/attributions/{credit}/correct");
    world.admin().post_once(&path, body).expect(200);
}

fn approve_all(world: &World) {
    let second = world.another_hand(&["adjustments:read", "adjustments:approve"]);
    for one in second.all("/v1/adjustments?status=proposed") {
        let path = format!("/v1/adjustments/{}/approve", one["id"].as_str().unwrap());
        second.post_once(&path, Value::Null).expect(200);
    }
}

/// Whichever comes first: each gets its share of what the new rate makes of the money, and nobody somebody else's.
#[test]
fn a_credit_that_was_corrected_is_recalculated_with_the_share_that_counts() {
    for recalculated_first in [false, true] {
        let (world, version, deal, [a, b], payment) = corrected_house();
        let of_deal = format!("/v1/attributions?deal_id={deal}");
        let credit = texts(&world.admin().all(&of_deal), "id").remove(0);
        if recalculated_first {
            assert_eq!(
                texts(&recalculate(&world, &version, PERIOD), "amount"),
                ["100.00"]
            );
            approve_all(&world);
        }
        let again = || {
            approve_all(&world);
            recalculate(&world, &version, PERIOD);
            approve_all(&world);
        };
        correct(&world, &credit, 3_000);
        again();
        // Twenty percent of 1,000.00, by the share.
        assert_eq!(world.balance(&a, "payable"), "60.00", "{recalculated_first}");
        assert_eq!(recalculate(&world, &version, PERIOD), Vec::<Value>::new());
        correct(&world, &credit, 0);
        let claim =
            json!({ "deal_id": deal, "partner_id": b, "role": "sourced", "share_basis_points": 7_000 });
        let claim = world.admin().post("/v1/attributions", claim).expect(201).id();
        correct(&world, &claim, 7_000);
        again();
        assert_eq!(world.balance(&a, "payable"), "0.00", "{recalculated_first}");
        assert_eq!(world.balance(&b, "payable"), "140.00", "{recalculated_first}");
        world.refund(&payment, "500.00 USD");
        again();
        assert_eq!(world.balance(&a, "payable"), "0.00");
        assert_eq!(world.balance(&b, "payable"), "70.00");
        world.books_balance();
    }
}

#[test]
fn what_is_more_than_an_amount_is_proposed_in_several() {
    let world = World::new();
    let program = world.program(json!({}));
    let version = world.rule(&program, "0.1", json!({}));
    let partner = world.enrolled("A", &program);
    let sold = "900000000000000.00 USD";
    let deal = world.won_deal(&program, sold, &[(&partner, 10_000)]);
    for _ in 0..2 {
        let invoice = world.invoice(&deal, "USD", &["900000000000000.00"]);
        world.pay(&invoice, sold);
    }
    world.pass(TimeDelta::days(30));
    let from = world.pass(TimeDelta::hours(1));
    let terms =
        json!({ "formula": { "type": "percentage", "rate": "1" }, "hold_days": 0, "effective_from": from });
    let next = draft_of(&world, &version, &terms);
    world.activate(&next).expect(200);
    let found = recalculate(&world, &next, PERIOD);
    let mut amounts = texts(&found, "amount");
    amounts.sort();
    assert_eq!(amounts, ["620000000000000.01", "999999999999999.99"]);
    let backtest = found[0]["backtest_id"].as_str().unwrap();
    let told = world
        .admin()
        .get(&format!("/v1/backtests/{backtest}"))
        .expect(200);
    assert_eq!(told["totals"][0]["would_be"]["amount"], "1800000000000000.00");
    assert_eq!(told["partners"][0]["difference"]["amount"], "1620000000000000.00");
    let second = world.another_hand(&["adjustments:approve"]);
    let body = json!({ "backtest_id": backtest });
    let approved = second.post_once("/v1/adjustment-approvals", body).expect(200);
    assert_eq!(approved["totals"][0]["amount"], "1620000000000000.00");
    assert_eq!(world.balance(&partner, "payable"), "1800000000000000.00");
    // Nothing is left to propose.
    assert_eq!(recalculate(&world, &next, PERIOD), Vec::<Value>::new());
    world.books_balance();
}

#[test]
fn a_new_rate_for_a_time_before_it_is_proposed_and_paid_by_adjustments() {
    let (world, version, [a, b], payments) = house();
    let lines = world.lines("");
    let found = recalculate(&world, &version, PERIOD);
    assert_eq!(texts(&found, "amount"), ["5.00", "2.50"]);
    assert_eq!(texts(&found, "partner_id"), [a.as_str(), b.as_str()]);
    for one in &found {
        assert_eq!(
            (&one["status"], &one["reason"]),
            (&json!("proposed"), &json!(REASON))
        );
    }
    // Nothing counts before somebody else approves it, and whoever asked is not somebody else.
    assert_eq!(world.balance(&a, "payable"), "10.00");
    let own = format!("/v1/adjustments/{}/approve", found[0]["id"].as_str().unwrap());
    world
        .admin()
        .post_once(&own, Value::Null)
        .refused(409, "second_person_required");
    decide(&world, "approve", &found[0], Value::Null);
    assert_eq!(world.balance(&a, "payable"), "15.00");
    assert_eq!(world.lines(""), lines);
    world.books_balance();
    // What was proposed is not proposed again, approved or not.
    assert_eq!(recalculate(&world, &version, PERIOD), Vec::<Value>::new());
    // What goes back takes its part of the difference along.
    world.refund(&payments[0], "40.00 USD");
    let found = recalculate(&world, &version, PERIOD);
    assert_eq!(texts(&found, "amount"), ["-2.00"]);
    decide(&world, "approve", &found[0], Value::Null);
    // 15% of the 60.00 that are left.
    assert_eq!(world.balance(&a, "payable"), "9.00");
    world.books_balance();
}

#[test]
fn what_was_refused_is_proposed_again() {
    let (world, version, [_, b], _) = house();
    let found = recalculate(&world, &version, PERIOD);
    decide(&world, "approve", &found[0], Value::Null);
    decide(&world, "refuse", &found[1], json!({ "reason": "Not for B." }));
    let found = recalculate(&world, &version, PERIOD);
    assert_eq!(texts(&found, "amount"), ["2.50"]);
    assert_eq!(texts(&found, "partner_id"), [b.as_str()]);
}

#[test]
fn another_version_goes_from_what_was_proposed_to_what_it_would_have_paid() {
    let (world, version, [a, _], _) = house();
    for one in recalculate(&world, &version, PERIOD) {
        decide(&world, "approve", &one, Value::Null);
    }
    let versions = world.admin().all("/v1/commission-rule-versions");
    let first = versions.iter().find(|one| one["version"] == 1).unwrap();
    let found = recalculate(&world, first["id"].as_str().unwrap(), PERIOD);
    assert_eq!(texts(&found, "amount"), ["-5.00", "-2.50"]);
    for one in &found {
        decide(&world, "approve", one, Value::Null);
    }
    assert_eq!(world.balance(&a, "payable"), "10.00");
    world.books_balance();
}

#[test]
fn another_rule_over_the_same_period_leaves_what_the_first_gave() {
    let (world, version, [a, b], _) = house();
    let program = world.admin().all("/v1/programs")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    recalculate(&world, &version, PERIOD);
    // For B alone, and before the rule for everybody.
    let of_b = json!({ "conditions": { "partner_ids": [b] }, "effective_from": world.clock.now() });
    let of_b = world.rule(&program, "0.4", of_b);
    let found = recalculate(&world, &of_b, PERIOD);
    // 40% of 50.00, of which 5.00 was earned and 2.50 proposed; nothing of A's.
    assert_eq!(texts(&found, "amount"), ["12.50"]);
    assert_eq!(texts(&found, "partner_id"), [b.as_str()]);
    // And the first again proposes nothing, though it knows only of itself.
    assert_eq!(recalculate(&world, &version, PERIOD), Vec::<Value>::new());
    let of_a = world.admin().all(&format!("/v1/adjustments?partner_id={a}"));
    assert_eq!(texts(&of_a, "amount"), ["5.00"]);
}

#[test]
fn a_rule_that_came_to_what_was_paid_stays_in_force_with_the_next() {
    let (world, version, [_, b], _) = house();
    let program = world.admin().all("/v1/programs")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let of_b = json!({ "conditions": { "partner_ids": [b] }, "effective_from": world.clock.now() });
    let of_b = world.rule(&program, "0.1", of_b);
    assert_eq!(recalculate(&world, &of_b, PERIOD), Vec::<Value>::new());
    // B has ten percent by a rule of its own.
    assert_eq!(texts(&recalculate(&world, &version, PERIOD), "amount"), ["5.00"]);
}

/// A program whose rule counts over the year and catches up, at the end of two halves of it; and the next version.
fn catching_up() -> (World, String) {
    let world = World::new();
    let program = world.program(json!({ "lock_point": "invoice_paid" }));
    let terms = |low: &str, high: &str| {
        let tiers = json!([{ "from": "0", "rate": low }, { "from": "1000", "rate": high }]);
        json!({ "hold_days": 0, "formula": { "type": "tiered", "currency": "USD", "tier_mode": "slab_retroactive",
            "tier_scope": "year", "tiers": tiers } })
    };
    let version = world.rule(&program, "0", terms("0.05", "0.08"));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "1000.00 USD");
    world.pass(TimeDelta::days(120));
    world.sale(&program, &partner, "1000.00 USD");
    let from = world.pass(TimeDelta::days(200));
    let mut next = terms("0.1", "0.2");
    next["effective_from"] = json!(from);
    let next = draft_of(&world, &version, &next);
    world.activate(&next).expect(200);
    assert_eq!(world.balance(&partner, "payable"), "160.00");
    (world, next)
}

#[test]
fn a_later_period_counts_on_from_what_was_recalculated_before_it() {
    let (world, version) = catching_up();
    let (first, second) = (("2026-01-01", "2026-05-01"), ("2026-05-01", "2027-01-01"));
    // 20% of 1,000.00 instead of 8%, and then of 2,000.00 less that.
    assert_eq!(texts(&recalculate(&world, &version, first), "amount"), ["120.00"]);
    assert_eq!(
        texts(&recalculate(&world, &version, second), "amount"),
        ["120.00"]
    );
    let (world, version) = catching_up();
    assert_eq!(
        texts(&recalculate(&world, &version, second), "amount"),
        ["240.00"]
    );
    ask(world.admin(), &version, first).refused(409, "recalculation_overlaps");
}

#[test]
fn what_found_no_difference_in_other_periods_stands_in_nobodys_way() {
    let (world, version) = catching_up();
    let versions = world.admin().all("/v1/commission-rule-versions");
    let first = versions.iter().find(|one| one["version"] == 1).unwrap();
    for until_on in ["2026-05-01", "2026-04-01"] {
        let found = recalculate(&world, first["id"].as_str().unwrap(), ("2026-01-01", until_on));
        assert_eq!(found, Vec::<Value>::new());
    }
    let found = recalculate(&world, &version, ("2026-05-01", "2027-01-01"));
    assert_eq!(texts(&found, "amount"), ["240.00"]);
}

#[test]
fn periods_are_the_same_or_do_not_meet() {
    let (world, version, _, _) = house();
    let found = recalculate(&world, &version, PERIOD);
    for period in [
        ("2026-01-01", "2026-03-01"),
        ("2025-01-01", "2026-04-01"),
        ("2025-11-30", "2026-01-02"),
    ] {
        ask(world.admin(), &version, period).refused(409, "recalculation_overlaps");
    }
    assert_eq!(
        recalculate(&world, &version, ("2025-01-01", "2026-01-01")),
        Vec::<Value>::new()
    );
    // One that proposed nothing stands in nobody's way.
    assert_eq!(
        recalculate(&world, &version, ("2025-01-01", "2025-06-01")),
        Vec::<Value>::new()
    );
    let ids = texts(&found, "id");
    world
        .admin()
        .post_once(&format!("/v1/adjustments/{}/withdraw", ids[0]), Value::Null)
        .expect(200);
    ask(world.admin(), &version, ("2026-01-01", "2026-03-15")).refused(409, "recalculation_overlaps");
    world
        .admin()
        .post_once(&format!("/v1/adjustments/{}/withdraw", ids[1]), Value::Null)
        .expect(200);
    let found = recalculate(&world, &version, ("2026-01-01", "2026-03-15"));
    assert_eq!(texts(&found, "amount"), ["5.00", "2.50"]);
}

#[test]
fn a_program_recalculates_once_at_a_time() {
    let (world, version, _, _) = house();
    let others = ("2025-01-01", "2026-01-01");
    let first = ask(world.admin(), &version, PERIOD).expect(202);
    ask(world.admin(), &version, PERIOD).refused(409, "recalculation_underway");
    ask(world.admin(), &version, others).refused(409, "recalculation_underway");
    world.work();
    assert_eq!(proposed(&world, &first.id()).len(), 2);
    ask(world.admin(), &version, others).expect(202);
    // A mere back-test waits for nobody.
    super::backtests::ask(world.admin(), &version, PERIOD.0, PERIOD.1).expect(202);
    world.work();
    assert_eq!(world.admin().all("/v1/adjustments").len(), 2);
}

#[test]
fn what_nobody_put_in_force_is_owed_to_nobody() {
    let (world, version, [a, _], _) = house();
    let terms = json!({ "formula": { "type": "percentage", "rate": "0.5" }, "hold_days": 0,
        "effective_from": "2030-01-01T00:00:00Z" });
    let draft = draft_of(&world, &version, &terms);
    ask(world.admin(), &draft, PERIOD)
        .refused(422, "validation_failed")
        .pointer("/rule_version_id", "not_activated");
    ask(world.admin(), &version, ("2026-01-01", "2026-12-01"))
        .refused(422, "validation_failed")
        .pointer("/until_on", "in_future");
    ask(world.admin(), &version, ("2026-02-01", "2026-02-01"))
        .refused(422, "validation_failed")
        .pointer("/until_on", "empty_period");
    let rules = world.admin().all("/v1/commission-rules");
    let path = format!(
        "/v1/commission-rules/{}/recalculations",
        rules[0]["id"].as_str().unwrap()
    );
    let body = json!({ "rule_version_id": version, "from_on": "2026-01-01", "until_on": "2026-02-01", "reason": " " });
    world
        .admin()
        .post_once(&path, body)
        .refused(422, "validation_failed");
    assert_eq!(world.admin().all("/v1/adjustments"), Vec::<Value>::new());
    assert_eq!(world.balance(&a, "payable"), "10.00");
    let line = world.lines("")[0].clone();
    assert_eq!(line["amount"], money("10.00 USD"));
}
