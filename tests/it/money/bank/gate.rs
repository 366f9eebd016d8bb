//! Whom a run pays that goes to bank accounts, and that who is left out loses nothing.

use super::{COOLED_OFF, account, clerk, confirm, name_debtor, proposed, withdraw};
use crate::world::{World, money, texts};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const GERMAN: &str = "DE89370400440532013000";
const FRENCH: &str = "FR1420041010050500013M02606";
const BRAZILIAN: &str = "BR1800360305000010009795493C1";

/// Why each partner was left out of a run.
fn left_out(world: &World, run: &str) -> BTreeMap<String, String> {
    let path = format!("/v1/payout-carry-forwards?payout_run_id={run}");
    let carried = world.admin().all(&path);
    let reasons = texts(&carried, "reason");
    texts(&carried, "partner_id").into_iter().zip(reasons).collect()
}

fn reasons<const N: usize>(of: [(&String, &str); N]) -> BTreeMap<String, String> {
    of.map(|(partner, reason)| (partner.clone(), reason.to_owned()))
        .into()
}

#[test]
fn a_bank_run_pays_to_accounts_that_cooled_off_and_carries_the_rest() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = |name: &str, sale: &str| {
        let id = world.enrolled(name, &program);
        world.sale(&program, &id, sale);
        id
    };
    let [ready, fresh, none, unconfirmed, by_hand, far] =
        ["A", "B", "C", "D", "E", "F"].map(|name| partner(name, "100.00 EUR"));
    let dollars = partner("G", "100.00 USD");
    let method = account(&world, &ready, "EUR", GERMAN);
    account(&world, &far, "EUR", BRAZILIAN);
    account(&world, &none, "USD", GERMAN);
    let instruction =
        json!({ "partner_id": by_hand, "currency": "EUR", "kind": "manual", "instruction": "Check." });
    let instruction = world.admin().post("/v1/payout-methods", instruction).expect(201);
    confirm(&world, &instruction.id());
    world.pass(COOLED_OFF);
    account(&world, &fresh, "EUR", FRENCH);
    proposed(&world, &unconfirmed, "EUR", FRENCH);
    let sepa = json!({ "cut_off_at": world.clock.now(), "rail": "sepa" });
    clerk(&world)
        .post_once("/v1/payout-runs", sepa)
        .refused(422, "validation_failed")
        .pointer("/rail", "debtor_missing");
    name_debtor(&world, "Example Cloud", GERMAN);
    let run = world.draft_run_on("sepa", &clerk(&world));
    let expected = reasons([
        (&fresh, "payout_method_cooling_off"),
        (&none, "payout_method_missing"),
        (&unconfirmed, "payout_method_missing"),
        (&by_hand, "payout_method_missing"),
        (&far, "payout_method_not_supported"),
        (&dollars, "currency_not_supported"),
    ]);
    assert_eq!(left_out(&world, &run.id), expected);
    assert_eq!(texts(&run.payouts(), "partner_id"), [ready.as_str()]);
    assert_eq!(texts(&run.payouts(), "payout_method_id"), [method.as_str()]);
    // A list for a bank has no such bounds, and by hand everybody is paid.
    let list = world.draft_run_on("csv", &clerk(&world));
    assert_eq!(list.drafted["payout_count"], 2);
    assert_eq!(left_out(&world, &list.id)[&dollars], "payout_method_missing");
    assert_eq!(world.draft_run().drafted["payout_count"], 7);
    let finance = world.finance();
    run.verb(&finance, "approve", Value::Null).expect(200);
    run.verb(&finance, "process", Value::Null).expect(200);
    run.verb(&finance, "confirm", json!({})).expect(200);
    assert_eq!(world.balance(&ready, "paid"), "10.00");
    world.books_balance();
    // What waited for its account is paid once it has cooled off.
    world.pass(COOLED_OFF);
    let later = world.draft_run_on("sepa", &clerk(&world));
    assert_eq!(texts(&later.payouts(), "partner_id"), [fresh.as_str()]);
    assert_eq!(world.paid_run(&finance).drafted["payout_count"], 6);
    for left in [&fresh, &none, &unconfirmed, &by_hand, &far, &dollars] {
        assert_eq!(world.balance(left, "paid"), "10.00");
    }
    later
        .verb(&finance, "approve", Value::Null)
        .refused(409, "payout_run_stale");
    world.books_balance();
}

#[test]
fn an_account_that_changed_since_the_draft_makes_the_run_stale() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 EUR");
    let first = account(&world, &partner, "EUR", GERMAN);
    world.pass(COOLED_OFF);
    let finance = world.finance();
    let stale = |run: &crate::world::Run<'_>| {
        run.verb(&finance, "approve", Value::Null)
            .refused(409, "payout_run_stale");
    };
    let run = world.draft_run_on("csv", &clerk(&world));
    assert_eq!(texts(&run.payouts(), "payout_method_id"), [first.as_str()]);
    let second = account(&world, &partner, "EUR", FRENCH);
    stale(&run);
    // Not even once the new one has cooled off: the payout was drafted to the old one.
    world.pass(COOLED_OFF);
    stale(&run);
    let run = world.draft_run_on("csv", &clerk(&world));
    assert_eq!(texts(&run.payouts(), "payout_method_id"), [second.as_str()]);
    withdraw(&world, &second);
    stale(&run);
    world.books_balance();
}

#[test]
fn an_account_that_went_out_of_force_after_the_approval_gets_nothing() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [kept, gone] = ["A", "B"].map(|name| world.enrolled(name, &program));
    world.sale(&program, &kept, "100.00 EUR");
    world.sale(&program, &gone, "70.00 EUR");
    account(&world, &kept, "EUR", GERMAN);
    let method = account(&world, &gone, "EUR", FRENCH);
    world.pass(COOLED_OFF);
    let finance = world.finance();
    let run = world.draft_run_on("csv", &clerk(&world));
    run.verb(&finance, "approve", Value::Null).expect(200);
    assert_eq!(world.balance(&gone, "in_payout"), "7.00");
    withdraw(&world, &method);
    let processing = run.verb(&finance, "process", Value::Null).expect(200);
    let counts = &processing["by_status"];
    assert_eq!(
        (&counts["processing"], &counts["cancelled"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(processing["status"], "processing");
    let path = format!("/v1/payouts?payout_run_id={}&status=cancelled", run.id);
    let cancelled = world.admin().all(&path);
    assert_eq!(texts(&cancelled, "partner_id"), [gone.as_str()]);
    assert!(
        cancelled[0]["status_reason"]
            .as_str()
            .unwrap()
            .contains("payout method")
    );
    assert_eq!(world.balance(&gone, "payable"), "7.00");
    let file = format!("/v1/payout-runs/{}/file", run.id);
    assert!(!finance.get(&file).expect(200).raw().contains(FRENCH));
    world.books_balance();
    run.verb(&finance, "confirm", json!({})).expect(200);
    assert_eq!(
        texts(&world.paid_run(&finance).payouts(), "partner_id"),
        [gone.as_str()]
    );
    world.books_balance();
    // With nobody left to pay the run is done, and has no file.
    world.sale(&program, &kept, "10.00 EUR");
    let run = world.draft_run_on("csv", &clerk(&world));
    run.verb(&finance, "approve", Value::Null).expect(200);
    let methods = world
        .admin()
        .all(&format!("/v1/payout-methods?status=active&partner_id={kept}"));
    withdraw(&world, &texts(&methods, "id")[0]);
    let done = run.verb(&finance, "process", Value::Null).expect(200);
    assert_eq!(done["status"], "completed");
    finance
        .get(&format!("/v1/payout-runs/{}/file", run.id))
        .refused(409, "payout_run_has_no_file");
    world.books_balance();
}

#[test]
fn what_is_disputed_of_a_payout_that_is_held_back_is_frozen() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 EUR");
    let method = account(&world, &partner, "EUR", GERMAN);
    world.pass(COOLED_OFF);
    let finance = world.finance();
    let run = world.draft_run_on("csv", &clerk(&world));
    run.verb(&finance, "approve", Value::Null).expect(200);
    let dispute = json!({
        "subject_ids": [world.lines("")[0]["id"]], "reason_code": "amount_too_low", "statement": "It was two sales.",
        "claimed_amount": money("15.00 EUR")
    });
    let owner = world.full_partner_key(&partner);
    let dispute = owner.post("/v1/disputes", dispute).expect(201);
    assert_eq!(dispute["lines"][0]["effect"], "left_alone");
    withdraw(&world, &method);
    run.verb(&finance, "process", Value::Null).expect(200);
    assert_eq!(world.balance(&partner, "disputed"), "10.00");
    assert_eq!(world.balance(&partner, "payable"), "0.00");
    world.books_balance();
}

/// The scheme of SEPA takes less than a billion at once; what is more waits for another rail, and is lost nowhere.
#[test]
fn what_is_more_than_the_rail_pays_at_once_waits() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = |name: &str, sale: &str| {
        let id = world.enrolled(name, &program);
        world.sale(&program, &id, sale);
        account(&world, &id, "EUR", GERMAN);
        id
    };
    let most = partner("A", "9999999999.90 EUR");
    let more = partner("B", "10000000000.00 EUR");
    world.pass(COOLED_OFF);
    name_debtor(&world, "Example Cloud", GERMAN);
    let run = world.draft_run_on("sepa", &clerk(&world));
    assert_eq!(texts(&run.payouts(), "partner_id"), [most.as_str()]);
    assert_eq!(texts(&run.payouts(), "amount"), ["999999999.99"]);
    assert_eq!(
        left_out(&world, &run.id),
        reasons([(&more, "amount_not_supported")])
    );
    assert_eq!(
        run.carried(),
        [("1000000000.00".to_owned(), "amount_not_supported".to_owned())]
    );
    let finance = world.finance();
    for (verb, body) in [
        ("approve", Value::Null),
        ("process", Value::Null),
        ("confirm", json!({})),
    ] {
        run.verb(&finance, verb, body).expect(200);
    }
    assert_eq!(world.balance(&more, "payable"), "1000000000.00");
    world.books_balance();
    // A person pays it by hand.
    let by_hand = world.paid_run(&finance);
    assert_eq!(texts(&by_hand.payouts(), "partner_id"), [more.as_str()]);
    assert_eq!(world.balance(&more, "paid"), "1000000000.00");
    world.books_balance();
}
