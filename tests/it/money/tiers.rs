//! Rules that count: tiers, caps and windows through payments, refunds and credit notes.

use crate::world::{World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::thread;

/// A rule by tiers in dollars; the version's id.
fn tiered(
    world: &World,
    program: &str,
    mode: &str,
    scope: &str,
    tiers: &[(&str, &str)],
    more: Value,
) -> String {
    let tiers: Vec<Value> = tiers
        .iter()
        .map(|(from, rate)| json!({ "from": from, "rate": rate }))
        .collect();
    let mut terms = json!({ "formula": {
        "type": "tiered", "currency": "USD", "tier_mode": mode, "tier_scope": scope, "tiers": tiers
    } });
    if let (Some(terms), Value::Object(more)) = (terms.as_object_mut(), more) {
        terms.extend(more);
    }
    world.rule(program, "0", terms)
}

fn amounts(world: &World, partner: &str) -> Vec<String> {
    texts(&world.lines(&format!("partner_id={partner}")), "amount")
}

#[test]
fn a_volume_is_counted_over_the_quarter_and_starts_anew_with_the_next() {
    let world = World::new();
    let program = world.program(json!({}));
    tiered(
        &world,
        &program,
        "marginal",
        "quarter",
        &[("0", "0.05"), ("100", "0.10")],
        json!({}),
    );
    let partner = world.enrolled("A", &program);
    for _ in 0..3 {
        world.sale(&program, &partner, "60.00 USD");
    }
    assert_eq!(amounts(&world, &partner), ["3.00", "4.00", "6.00"]);
    world.pass(TimeDelta::days(92));
    world.sale(&program, &partner, "60.00 USD");
    assert_eq!(amounts(&world, &partner)[3], "3.00");
    world.books_balance();
    let line = &world.lines("")[1];
    let path = format!("/v1/commissions/{}", line["id"].as_str().unwrap());
    let explained = world.admin().get(&format!("{path}/explanation")).expect(200);
    let sentence = explained.text("/sentence");
    assert!(
        sentence.contains("60 USD had been counted in quarter:"),
        "{sentence}"
    );
    let verified = world.admin().get(&format!("{path}/verification")).expect(200);
    assert_eq!(verified.body["matches"], true);
}

/// Known from other systems; here a refund takes its volume along.
#[test]
fn a_retroactive_true_up_paid_twice_after_a_refund() {
    let world = World::new();
    let program = world.program(json!({}));
    let steps = [("0", "0.10"), ("1000", "0.20")];
    tiered(
        &world,
        &program,
        "slab_retroactive",
        "lifetime",
        &steps,
        json!({}),
    );
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "600.00 USD");
    let second = world.sale(&program, &partner, "600.00 USD");
    assert_eq!(amounts(&world, &partner), ["60.00", "180.00"]);
    world.refund(&second, "200.00 USD");
    world.refund(&second, "400.00 USD");
    assert_eq!(world.balance(&partner, "payable"), "60.00");
    world.sale(&program, &partner, "600.00 USD");
    assert_eq!(world.balance(&partner, "payable"), "240.00");
    world.books_balance();
}

#[test]
fn part_payments_come_to_what_one_payment_comes_to() {
    let world = World::new();
    let program = world.program(json!({}));
    tiered(
        &world,
        &program,
        "marginal",
        "year",
        &[("0", "0.033"), ("50", "0.107")],
        json!({}),
    );
    let (first, second) = (world.enrolled("A", &program), world.enrolled("B", &program));
    for (partner, parts) in [
        (&first, vec!["99.99 USD"]),
        (&second, vec!["33.33 USD", "33.33 USD", "33.33 USD"]),
    ] {
        let deal = world.won_deal(&program, "99.99 USD", &[(partner, 10_000)]);
        let invoice = world.invoice(&deal, "USD", &["99.99"]);
        for part in parts {
            world.pay(&invoice, part);
        }
    }
    assert_eq!(world.balance(&first, "payable"), "7.00");
    assert_eq!(world.balance(&second, "payable"), "7.00");
    world.books_balance();
}

#[test]
fn a_credit_note_on_a_deal_unwinds_from_the_highest_band() {
    let world = World::new();
    let program = world.program(json!({}));
    tiered(
        &world,
        &program,
        "marginal",
        "month",
        &[("0", "0.05"), ("100", "0.10")],
        json!({}),
    );
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "150.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["150.00"]);
    world.pay(&invoice, "150.00 USD");
    world.credit_note(&deal, None, "80.00 USD");
    assert_eq!(amounts(&world, &partner), ["10.00", "-6.50"]);
    world.books_balance();
}

#[test]
fn partners_who_share_a_deal_count_their_own_part() {
    let world = World::new();
    let program = world.program(json!({}));
    tiered(
        &world,
        &program,
        "marginal",
        "quarter",
        &[("0", "0.05"), ("100", "0.10")],
        json!({}),
    );
    let [first, second, third] = ["A", "B", "C"].map(|name| world.enrolled(name, &program));
    let shares = [(&*first, 6_000), (&*second, 3_000), (&*third, 1_000)];
    let deal = world.won_deal(&program, "300.00 USD", &shares);
    world.pay(&world.invoice(&deal, "USD", &["300.00"]), "300.00 USD");
    assert_eq!(amounts(&world, &first), ["13.00"]);
    assert_eq!(amounts(&world, &second), ["4.50"]);
    assert_eq!(amounts(&world, &third), ["1.50"]);
    world.books_balance();
}

#[test]
fn a_cap_of_a_period_holds_however_many_come_at_once() {
    let world = World::new();
    let program = world.program(json!({}));
    let cap = json!({ "limits": { "period_cap": { "period": "year", "amounts": [money("25.00 USD")] } } });
    world.rule(&program, "0.10", cap);
    let partner = world.enrolled("A", &program);
    let invoices: Vec<String> = (0..6)
        .map(|_| {
            let deal = world.won_deal(&program, "60.00 USD", &[(&partner, 10_000)]);
            world.invoice(&deal, "USD", &["60.00"])
        })
        .collect();
    let body = json!({ "amount": money("60.00 USD"), "paid_at": world.clock.now() });
    thread::scope(|scope| {
        for invoice in &invoices {
            let (world, body) = (&world, body.clone());
            scope.spawn(move || {
                let path = format!("/v1/invoices/{invoice}/payments");
                world.admin().post_once(&path, body).expect(201);
            });
        }
    });
    assert_eq!(world.balance(&partner, "payable"), "25.00");
    let reasons = texts(&world.lines("status=ineligible"), "ineligible_reason");
    assert_eq!(reasons, ["period_cap_reached"]);
    world.books_balance();
}

#[test]
fn what_is_paid_once_is_paid_on_the_first_invoice_and_a_window_ends() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(
        &program,
        "0.10",
        json!({ "recurrence": { "kind": "recurring", "months": 12 } }),
    );
    let body = json!({ "program_id": program, "name": "Bonus", "component": "bonus", "terms": {
        "formula": { "type": "flat", "amounts": [money("5.00 USD")] }, "recurrence": { "kind": "one_time" },
        "hold_days": 0, "effective_from": "2020-01-01T00:00:00Z" } });
    let rule = world.admin().post("/v1/commission-rules", body).expect(201).id();
    let versions = world
        .admin()
        .all(&format!("/v1/commission-rule-versions?commission_rule_id={rule}"));
    world.activate(versions[0]["id"].as_str().unwrap()).expect(200);
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    for starts_on in ["2026-01-05", "2027-01-04", "2027-01-05"] {
        let body = json!({ "deal_id": deal, "currency": "USD", "issued_on": "2026-01-06",
            "service_starts_on": starts_on, "lines": [{ "net": "100.00" }] });
        let invoice = world.admin().post("/v1/invoices", body).expect(201).id();
        world.pay(&invoice, "100.00 USD");
    }
    let mut earned = amounts(&world, &partner);
    earned.sort_unstable();
    assert_eq!(earned, ["0.00", "10.00", "10.00", "5.00"]);
    let reasons = texts(&world.lines("status=ineligible"), "ineligible_reason");
    assert_eq!(reasons, ["recurrence_over"]);
    world.books_balance();
}

#[test]
fn a_distributor_earns_an_override_on_those_below_it() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let body = json!({ "program_id": program, "name": "Override", "component": "override", "terms": {
        "formula": { "type": "percentage", "rate": "0.02" }, "hold_days": 0,
        "effective_from": "2020-01-01T00:00:00Z" } });
    let rule = world.admin().post("/v1/commission-rules", body).expect(201).id();
    let versions = world
        .admin()
        .all(&format!("/v1/commission-rule-versions?commission_rule_id={rule}"));
    world.activate(versions[0]["id"].as_str().unwrap()).expect(200);
    let (distributor, reseller) = (world.enrolled("D", &program), world.enrolled("R", &program));
    world
        .admin()
        .patch(
            &format!("/v1/partners/{reseller}"),
            json!({ "parent_id": distributor }),
        )
        .expect(200);
    let payment = world.sale(&program, &reseller, "100.00 USD");
    assert_eq!(amounts(&world, &reseller), ["10.00"]);
    let line = world.line(&format!("partner_id={distributor}"));
    assert_eq!(
        (&line["component"], &line["amount"]),
        (&json!("override"), &money("2.00 USD"))
    );
    world.sale(&program, &distributor, "100.00 USD");
    assert_eq!(amounts(&world, &distributor), ["2.00", "10.00"]);
    world.refund(&payment, "100.00 USD");
    assert_eq!(world.balance(&distributor, "payable"), "10.00");
    world.books_balance();
}

#[test]
fn conditions_and_goods_reach_the_rule() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(
        &program,
        "0.10",
        json!({ "base": { "measure": "net", "include_shipping": true } }),
    );
    world.rule(
        &program,
        "0.30",
        json!({ "priority": 1, "conditions": { "deal_types": ["renewal"] } }),
    );
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "150.00 USD", &[(&partner, 10_000)]);
    let body = json!({ "deal_id": deal, "currency": "USD", "issued_on": "2026-01-06", "lines": [
        { "net": "100.00", "quantity": "5" }, { "net": "50.00", "kind": "shipping" }, { "net": "9.00", "kind": "fee" }
    ] });
    let invoice = world.admin().post("/v1/invoices", body).expect(201);
    assert_eq!(invoice.body["lines"][0]["quantity"], "5");
    world.pay(&invoice.id(), "159.00 USD");
    assert_eq!(amounts(&world, &partner), ["10.00", "5.00", "0.00"]);
    let reasons = texts(&world.lines("status=ineligible"), "ineligible_reason");
    assert_eq!(reasons, ["not_in_base"]);
    world.books_balance();
}

#[test]
fn a_hold_may_begin_with_the_end_of_the_month() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(
        &program,
        "0.10",
        json!({ "hold_days": 15, "hold_start": "end_of_month" }),
    );
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "10.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["10.00"]);
    let body = json!({ "amount": money("10.00 USD"), "paid_at": "2026-01-31T12:00:00Z" });
    let path = format!("/v1/invoices/{invoice}/payments");
    world.admin().post_once(&path, body).expect(201);
    assert_eq!(world.line("")["release_at"], "2026-02-15T00:00:00Z");
}

#[test]
fn activation_refuses_falling_tiers_and_gaps_in_dates() {
    let world = World::new();
    let program = world.program(json!({}));
    let falling = json!({ "formula": { "type": "tiered", "currency": "USD", "tier_mode": "slab_retroactive",
        "tier_scope": "year", "tiers": [{ "from": "0", "rate": "0.10" }, { "from": "1000", "rate": "0.09" }] } });
    let draft = world.rule_draft(&program, "0", falling);
    world.activate(&draft).refused(409, "rule_tiers_fall");

    let bounded = world.rule_draft(
        &program,
        "0.10",
        json!({ "effective_to": "2030-01-01T00:00:00Z" }),
    );
    let version = world.activate(&bounded).expect(200);
    let rule = version.text("/commission_rule_id").to_owned();
    let later = |from: &str| {
        let terms = json!({ "formula": { "type": "percentage", "rate": "0.12" }, "hold_days": 0, "effective_from": from });
        let path = format!("/v1/commission-rules/{rule}/versions");
        world
            .admin()
            .post(&path, json!({ "terms": terms }))
            .expect(201)
            .id()
    };
    world
        .activate(&later("2030-02-01T00:00:00Z"))
        .refused(409, "rule_versions_gap");
    let next = later("2030-01-01T00:00:00Z");
    world.activate(&next).expect(200);
    let path = format!("/v1/commission-rule-versions/{next}/differences?compare_with={bounded}");
    let compared = world.admin().get(&path).expect(200);
    let differences = compared.body["differences"].as_array().unwrap();
    assert_eq!(
        texts(differences, "pointer"),
        ["/effective_from", "/effective_to", "/formula/rate"]
    );
    assert_eq!(
        texts(differences, "after"),
        ["2030-01-01T00:00:00Z", "", "0.1200"]
    );
}

#[test]
fn every_formula_reads_back_as_json_and_as_a_sentence() {
    let world = World::new();
    let program = world.program(json!({}));
    let tiers = json!({ "type": "tiered", "currency": "USD", "tier_mode": "marginal", "tier_scope": "quarter",
        "tier_metric": "net_paid_base", "tiers": [{ "from": "0", "rate": "0.0500" }, { "from": "100000", "rate": "0.0600" }] });
    let hybrid = json!({ "type": "hybrid", "amounts": [money("2.00 USD")], "per": "unit", "plus": tiers });
    let terms = json!({
        "formula": hybrid, "hold_days": 15, "hold_start": "end_of_month",
        "conditions": { "tiers": ["gold"], "deal_types": ["new"], "countries": ["DE"], "minimum_amounts": [money("100.00 USD")] },
        "recurrence": { "kind": "recurring", "months": 24 },
        "limits": { "floors": [money("1.75 USD")], "line_caps": [money("12.00 USD")],
            "period_cap": { "period": "year", "amounts": [money("500.00 USD")] } }
    });
    let version = world.rule_draft(&program, "0", terms);
    let view = world
        .admin()
        .get(&format!("/v1/commission-rule-versions/{version}"))
        .expect(200);
    assert_eq!(view.body["terms"]["formula"], hybrid);
    assert_eq!(
        view.text("/sentence"),
        "2.00 USD per unit plus tiers by net money received in a quarter, each part at the rate of its own band (5% from 0 \
         USD, 6% from 100000 USD) on new deals of any partner of tier gold of customers in DE, for each role in full, for lines of at \
         least 100.00 USD, for 24 months from the win, at least 1.75 USD a line, at most 12.00 USD a line, at most 500.00 USD in a year, \
         paid after a hold of 15 days from the end of the month, from 1 January 2020."
    );
    let wrong = json!({ "terms": { "formula": { "type": "tiered", "currency": "USD", "tier_mode": "slab_per_line",
        "tier_scope": "month", "tiers": [{ "from": "0", "rate": "0.1" }] }, "hold_days": 0,
        "effective_from": "2020-01-01T00:00:00Z" } });
    let path = format!("/v1/commission-rule-versions/{version}");
    world
        .admin()
        .patch(&path, wrong)
        .refused(422, "validation_failed")
        .pointer("/terms/formula/tier_scope", "not_line");
}

#[test]
fn a_preview_tells_what_would_be_earned_and_writes_nothing() {
    let world = World::new();
    let program = world.program(json!({}));
    tiered(
        &world,
        &program,
        "marginal",
        "quarter",
        &[("0", "0.05"), ("100", "0.10")],
        json!({}),
    );
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "60.00 USD");
    let paid_at = world.clock.now();
    let ask = |more: Value| {
        let mut body = json!({ "program_id": program, "won_at": "2026-01-05T12:00:00Z",
            "credits": [{ "partner_id": partner, "role": "sourced", "share_basis_points": 10000 }],
            "invoices": [{ "currency": "USD", "issued_on": "2026-01-06", "lines": [{ "net": "60.00" }],
                "payments": [{ "amount": "30.00", "paid_at": paid_at }, { "amount": "30.00", "paid_at": paid_at }] }] });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        world.admin().post("/v1/commission-rules/preview", body)
    };
    for _ in 0..2 {
        let lines = ask(json!({})).expect(200).body["lines"]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(texts(&lines, "amount"), ["1.50", "2.50"]);
        assert_eq!(texts(&lines, "payment"), ["1", "2"]);
    }
    assert_eq!(world.lines("").len(), 1);
    let draft = world.rule_draft(&program, "0.50", json!({ "priority": 1 }));
    let lines = ask(json!({ "rule_version_ids": [draft] })).expect(200).body["lines"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(texts(&lines, "amount"), ["15.00", "15.00"]);
    let nobody = json!({ "credits": [{ "partner_id": "ptn_00000000000000000000000001", "role": "sourced",
        "share_basis_points": 10000 }] });
    ask(nobody)
        .refused(422, "validation_failed")
        .pointer("/credits/0/partner_id", "unknown_reference");
    let too_much = json!({ "credits": [{ "partner_id": partner, "role": "sourced", "share_basis_points": 10000 },
        { "partner_id": partner, "role": "sourced", "share_basis_points": 1 }] });
    ask(too_much)
        .refused(422, "validation_failed")
        .pointer("/credits", "shares_exceed_whole");
    world.sale(&program, &partner, "60.00 USD");
    assert_eq!(amounts(&world, &partner), ["3.00", "4.00"]);
    world.books_balance();
}
