//! When will I get paid? The day, and everything that is in the way of it.

use crate::world::{Actor, World, money};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

fn of_line(actor: &Actor, line: &Value) -> Value {
    let id = line["id"].as_str().unwrap();
    let path = format!("/v1/commissions/{id}/payment-expectation");
    actor.get(&path).expect(200).body.clone()
}

fn of_partner(actor: &Actor, partner: &str) -> Value {
    let path = format!("/v1/partners/{partner}/payment-expectations");
    actor.get(&path).expect(200).body.clone()
}

/// The kinds of what is in the way, those that only inform with a question mark, without what is said of ways of payment.
fn kinds(expectation: &Value) -> Vec<String> {
    let all = expectation["blockers"].as_array().unwrap().iter();
    let kind = |one: &Value| {
        let mark = if one["is_blocking"] == true { "" } else { "?" };
        format!("{}{mark}", one["kind"].as_str().unwrap())
    };
    all.map(kind).filter(|kind| kind != "no_payout_method?").collect()
}

fn blocker<'a>(expectation: &'a Value, kind: &str) -> &'a Value {
    let mut all = expectation["blockers"].as_array().unwrap().iter();
    all.find(|one| one["kind"] == kind).unwrap()
}

fn day(world: &World) -> NaiveDate {
    world.pass(TimeDelta::zero()).date_naive()
}

/// A program that holds for 30 days, and a partner in it.
fn held(world: &World, settings: Value) -> (String, String) {
    let program = world.program(settings);
    world.rule(&program, "0.1", json!({ "hold_days": 30 }));
    let partner = world.enrolled("A", &program);
    (program, partner)
}

#[test]
fn the_hold_ends_on_a_day_of_the_programs_zone() {
    let world = World::new();
    let (program, partner) = held(&world, json!({ "time_zone": "Pacific/Auckland" }));
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("");
    let release: DateTime<Utc> = line["release_at"].as_str().unwrap().parse().unwrap();
    let there = release.date_naive().succ_opt().unwrap().to_string();
    let found = of_line(world.admin(), &line);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (vec!["hold".to_owned()], &json!(there))
    );
    assert!(
        blocker(&found, "hold")["message"]
            .as_str()
            .unwrap()
            .contains(&there)
    );
    let all = of_partner(&world.full_partner_key(&partner), &partner);
    let purse = &all["expectations"][0];
    assert_eq!(
        (&purse["expected_on"], &purse["pending"]),
        (&json!(there), &money("10.00 USD"))
    );
}

#[test]
fn what_somebody_has_to_approve_has_no_day() {
    let world = World::new();
    let program = world.ten_percent(json!({ "commission_approval": "manual" }));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("");
    let found = of_line(world.admin(), &line);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (vec!["approval_outstanding".to_owned()], &Value::Null)
    );
    let purse = of_partner(world.admin(), &partner)["expectations"][0].clone();
    assert_eq!(
        (&purse["due"], &purse["expected_on"]),
        (&money("10.00 USD"), &Value::Null)
    );
    let path = format!("/v1/commissions/{}/approve", line["id"].as_str().unwrap());
    world.admin().post_once(&path, json!({})).expect(200);
    let found = of_line(world.admin(), &line);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (vec![], &json!(day(&world)))
    );
}

#[test]
fn a_threshold_is_told_and_the_day_on_which_it_is_reached() {
    let world = World::new();
    let (program, partner) = held(&world, json!({ "minimum_payouts": [money("100.00 USD")] }));
    world.sale(&program, &partner, "400.00 USD");
    let first = world.line("");
    let found = of_line(world.admin(), &first);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (vec!["hold".to_owned(), "below_minimum".to_owned()], &Value::Null)
    );
    assert_eq!(blocker(&found, "below_minimum")["amount"], money("60.00 USD"));
    world.pass(TimeDelta::days(2));
    world.sale(&program, &partner, "700.00 USD");
    let there = json!(day(&world).checked_add_days(Days::new(30)).unwrap());
    let found = of_line(world.admin(), &first);
    assert_eq!(found["expected_on"], there, "{found}");
    let purse = of_partner(world.admin(), &partner)["expectations"][0].clone();
    assert_eq!(purse["expected_on"], there, "{purse}");
    world.pass(TimeDelta::days(29));
    world.work();
    let found = of_line(world.admin(), &first);
    assert_eq!(blocker(&found, "below_minimum")["amount"], money("60.00 USD"));
    assert_eq!(found["expected_on"], there, "{found}");
    world.pass(TimeDelta::days(2));
    world.work();
    let found = of_line(world.admin(), &first);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (vec![], &json!(day(&world)))
    );
    let proposed = world.draft_run().payouts();
    assert_eq!(proposed[0]["amount"], money("110.00 USD"));
}

/// The least that is paid out is enough, whether it is there or comes; what is disputed comes by no day of its own.
#[test]
fn exactly_the_minimum_is_enough_and_disputed_money_does_not_come() {
    let world = World::new();
    let (program, partner) = held(&world, json!({ "minimum_payouts": [money("100.00 USD")] }));
    world.sale(&program, &partner, "600.00 USD");
    world.pass(TimeDelta::days(1));
    world.sale(&program, &partner, "400.00 USD");
    let lines = world.lines("");
    let there = json!(day(&world).checked_add_days(Days::new(30)).unwrap());
    let purse = || of_partner(world.admin(), &partner)["expectations"][0].clone();
    assert_eq!(
        purse()["expected_on"],
        there,
        "60 and 40 are 100 when the second hold ends"
    );
    let body = json!({
        "subject_ids": [lines[1]["id"]], "reason_code": "amount_too_low", "statement": "More.",
        "claimed_amount": money("50.00 USD")
    });
    let actor = world.full_partner_key(&partner);
    let dispute = actor.post("/v1/disputes", body).expect(201).id();
    assert_eq!(purse()["expected_on"], Value::Null);
    assert_eq!(purse()["disputed"], money("40.00 USD"));
    actor
        .post_once(&format!("/v1/disputes/{dispute}/withdraw"), Value::Null)
        .expect(200);
    world.pass(TimeDelta::days(31));
    world.work();
    let found = of_line(world.admin(), &lines[0]);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (vec![], &json!(day(&world))),
        "100 are payable now"
    );
    // What is on its way is past the minimum.
    let finance = world.finance();
    world.processing_run(&finance);
    assert_eq!(kinds(&of_line(&actor, &lines[0])), ["in_payout"]);
}

/// Whether there is enough is asked for the day on which the disputed line is free.
#[test]
fn a_disputed_line_counts_towards_the_minimum_that_it_waits_for() {
    let world = World::new();
    let program = world.ten_percent(json!({ "minimum_payouts": [money("25.00 USD")] }));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    world.sale(&program, &partner, "200.00 USD");
    let lines = world.lines("");
    let body = json!({
        "subject_ids": [lines[0]["id"]], "reason_code": "amount_too_low", "statement": "More.",
        "claimed_amount": money("20.00 USD")
    });
    let actor = world.full_partner_key(&partner);
    actor.post("/v1/disputes", body).expect(201);
    assert_eq!(kinds(&of_line(&actor, &lines[0])), ["dispute"]);
    let other = of_line(&actor, &lines[1]);
    assert_eq!(kinds(&other), ["below_minimum"]);
    assert_eq!(blocker(&other, "below_minimum")["amount"], money("5.00 USD"));
}

#[test]
fn what_is_held_and_approved_by_hand_waits_for_both_and_a_late_answer_has_no_day() {
    let world = World::new();
    let (program, partner) = held(&world, json!({ "commission_approval": "manual" }));
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("");
    let found = of_line(world.admin(), &line);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (
            vec!["hold".to_owned(), "approval_outstanding".to_owned()],
            &Value::Null
        )
    );
    let world = World::new();
    let (program, partner) = held(&world, json!({}));
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("");
    let ends = json!(day(&world).checked_add_days(Days::new(30)).unwrap());
    let body = json!({
        "subject_ids": [line["id"]], "reason_code": "amount_too_low", "statement": "More.",
        "claimed_amount": money("20.00 USD")
    });
    let actor = world.full_partner_key(&partner);
    actor.post("/v1/disputes", body).expect(201);
    let found = of_line(&actor, &line);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (vec!["hold".to_owned(), "dispute".to_owned()], &ends),
        "the hold ends after the answer"
    );
    world.pass(TimeDelta::days(20));
    let late = of_line(&actor, &line);
    assert_eq!(late["expected_on"], Value::Null);
    assert!(
        blocker(&late, "dispute")["message"]
            .as_str()
            .unwrap()
            .contains("was promised by")
    );
}

#[test]
fn a_line_is_followed_through_its_payouts() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("");
    let own = world.full_partner_key(&partner);
    let finance = world.finance();
    let run = world.draft_run();
    assert_eq!(kinds(&of_line(world.admin(), &line)), ["payout_run_drafted?"]);
    assert_eq!(
        kinds(&of_line(&own, &line)),
        [""; 0],
        "a draft is nobody's business"
    );
    run.verb(&finance, "approve", Value::Null).expect(200);
    for actor in [world.admin(), &own] {
        let found = of_line(actor, &line);
        assert_eq!(
            (kinds(&found), &found["expected_on"]),
            (vec!["in_payout".to_owned()], &Value::Null)
        );
    }
    run.verb(&finance, "process", Value::Null).expect(200);
    let payout = run.payout();
    assert_eq!(
        blocker(&of_line(&own, &line), "in_payout")["subject_id"],
        json!(payout)
    );
    let fail = format!("/v1/payouts/{payout}/fail");
    finance
        .post_once(&fail, json!({ "reason": "Closed." }))
        .expect(200);
    let found = of_line(&own, &line);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (vec!["payout_failed?".to_owned()], &json!(day(&world)))
    );
    world.paid_run(&finance);
    let found = of_line(&own, &line);
    assert_eq!(
        (kinds(&found), &found["expected_on"], &found["status"]),
        (vec![], &Value::Null, &json!("paid"))
    );
    world.refund(line["payment_id"].as_str().unwrap(), "100.00 USD");
    let purse = of_partner(&own, &partner)["expectations"][0].clone();
    assert_eq!(
        (kinds(&purse), &purse["expected_on"]),
        (vec!["negative_balance".to_owned()], &Value::Null)
    );
    assert_eq!(blocker(&purse, "negative_balance")["amount"], money("10.00 USD"));
}

#[test]
fn disputes_and_suspended_partners_are_told() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("");
    let body = json!({
        "subject_ids": [line["id"]], "reason_code": "amount_too_low", "statement": "More.",
        "claimed_amount": money("20.00 USD")
    });
    let opened = world
        .full_partner_key(&partner)
        .post("/v1/disputes", body)
        .expect(201);
    let answer_on: DateTime<Utc> = opened.text("/respond_by").parse().unwrap();
    let found = of_line(world.admin(), &line);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (vec!["dispute".to_owned()], &json!(answer_on.date_naive()))
    );
    assert_eq!(blocker(&found, "dispute")["subject_id"], json!(opened.id()));
    let suspend = format!("/v1/partners/{partner}/suspend");
    let why = json!({ "reason_code": "under_investigation", "reason": "Looked into." });
    world.admin().post(&suspend, why).expect(200);
    let found = of_line(world.admin(), &line);
    assert_eq!(
        (kinds(&found), &found["expected_on"]),
        (
            vec!["dispute".to_owned(), "partner_not_payable".to_owned()],
            &Value::Null
        )
    );
    let purse = of_partner(world.admin(), &partner)["expectations"][0].clone();
    assert_eq!(
        (&purse["disputed"], &purse["expected_on"]),
        (&money("10.00 USD"), &Value::Null)
    );
}

#[test]
fn what_the_customer_owes_is_told_to_the_organization() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["100.00"]);
    world.pay(&invoice, "40.00 USD");
    let line = world.line("");
    let found = of_line(world.admin(), &line);
    assert_eq!(kinds(&found), ["invoice_unpaid?"]);
    assert_eq!(blocker(&found, "invoice_unpaid")["amount"], money("60.00 USD"));
    assert_eq!(kinds(&of_line(&world.full_partner_key(&partner), &line)), [""; 0]);
}

#[test]
fn nobody_elses_payments_are_told() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let other = world.enrolled("B", &program);
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("");
    let paths = [
        format!(
            "/v1/commissions/{}/payment-expectation",
            line["id"].as_str().unwrap()
        ),
        format!("/v1/partners/{partner}/payment-expectations"),
    ];
    let stranger = world.full_partner_key(&other);
    let elsewhere = world.second_organization();
    for path in paths {
        stranger.get(&path).refused(404, "not_found");
        elsewhere.admin.get(&path).refused(404, "not_found");
    }
}

/// All that a payout comes to is on its way, and the minimum is told of what waits for it alone.
#[test]
fn what_a_payout_nets_is_in_it_and_a_minimum_is_of_what_waits() {
    let world = World::new();
    let (program, partner) = held(&world, json!({ "minimum_payouts": [money("50.00 USD")] }));
    let finance = world.finance();
    let purse = || of_partner(&world.full_partner_key(&partner), &partner)["expectations"][0].clone();
    let payment = world.sale(&program, &partner, "1000.00 USD");
    // What comes is enough: the hold alone is in the way.
    let waiting = purse();
    assert_eq!(kinds(&waiting), ["hold"]);
    assert_eq!(
        waiting["expected_on"],
        json!(day(&world).checked_add_days(Days::new(30)).unwrap())
    );
    world.pass(TimeDelta::days(31));
    world.work();
    let body = json!({
        "partner_id": partner, "program_id": program, "amount": money("20.00 USD"), "reason_code": "bonus",
        "reason": "Well done."
    });
    let bonus = world.admin().post_once("/v1/adjustments", body).expect(201).id();
    world
        .another_hand(&["adjustments:read", "adjustments:approve"])
        .post_once(&format!("/v1/adjustments/{bonus}/approve"), Value::Null)
        .expect(200);
    assert_eq!(purse()["approved"], money("120.00 USD"));
    let run = world.draft_run();
    run.verb(&finance, "approve", Value::Null).expect(200);
    for step in ["", "process"] {
        if !step.is_empty() {
            run.verb(&finance, step, Value::Null).expect(200);
        }
        let found = purse();
        assert_eq!(
            (&found["approved"], &found["in_payout"], &found["expected_on"]),
            (&money("0.00 USD"), &money("120.00 USD"), &Value::Null),
            "{step}"
        );
        assert_eq!(kinds(&found), [""; 0], "nothing waits for a minimum");
    }
    run.verb(&finance, "confirm", json!({})).expect(200);
    // What is set off in a payout is part of it.
    world.refund(&payment, "100.00 USD");
    world.sale(&program, &partner, "900.00 USD");
    assert_eq!(kinds(&purse()), ["hold", "negative_balance"]);
    world.pass(TimeDelta::days(31));
    world.work();
    assert_eq!(purse()["approved"], money("80.00 USD"));
    let run = world.processing_run(&finance);
    assert_eq!(run.payouts()[0]["amount"], money("80.00 USD"));
    assert_eq!(purse()["in_payout"], money("80.00 USD"));
    run.verb(&finance, "confirm", json!({})).expect(200);
    // Too little, be it held or payable.
    world.sale(&program, &partner, "400.00 USD");
    for kinds_of in [&["hold?", "below_minimum"][..], &["below_minimum"]] {
        let short = purse();
        assert_eq!(kinds(&short), kinds_of);
        assert_eq!(blocker(&short, "below_minimum")["amount"], money("10.00 USD"));
        assert_eq!(short["expected_on"], Value::Null);
        world.pass(TimeDelta::days(31));
        world.work();
    }
}

#[test]
fn what_somebody_will_have_to_approve_is_told_while_it_is_held() {
    let world = World::new();
    let (program, partner) = held(&world, json!({ "commission_approval": "manual" }));
    world.sale(&program, &partner, "100.00 USD");
    let line = of_line(world.admin(), &world.line(""));
    assert_eq!(kinds(&line), ["hold", "approval_outstanding"]);
    let all = of_partner(world.admin(), &partner);
    let purse = &all["expectations"][0];
    assert!(
        kinds(purse).contains(&"approval_outstanding".to_owned()),
        "{purse}"
    );
    let waiting = blocker(purse, "approval_outstanding");
    assert_eq!(
        (&waiting["amount"], &waiting["is_blocking"], &purse["expected_on"]),
        (&money("10.00 USD"), &json!(true), &Value::Null)
    );
    assert_eq!(line["expected_on"], Value::Null);
}
