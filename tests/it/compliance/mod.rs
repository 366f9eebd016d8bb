//! Gates: what partners must have on file before they register, earn or are paid.

mod edges;

use crate::world::{Actor, Reply, World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

/// What the organization has on file for a partner, valid from 2026-01-01 on, unless this says otherwise; its path.
#[track_caller]
fn filed(world: &World, partner: &str, kind: &str, more: Value) -> String {
    let mut body =
        json!({ "partner_id": partner, "kind": kind, "name": "Paper", "valid_from": "2026-01-01" });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let id = world
        .admin()
        .post("/v1/compliance-documents", body)
        .expect(201)
        .id();
    format!("/v1/compliance-documents/{id}")
}

#[track_caller]
fn verified(world: &World, partner: &str, kind: &str, more: Value) -> String {
    let path = filed(world, partner, kind, more);
    world.admin().act(&format!("{path}/verify")).expect(200);
    path
}

#[track_caller]
fn revoke(world: &World, path: &str) {
    let why = json!({ "reason": "The certificate was withdrawn." });
    world.admin().post(&format!("{path}/revoke"), why).expect(200);
}

fn claim(caller: &Actor, program: &str, name: &str, more: Value) -> Reply {
    let mut body = json!({
        "program_id": program, "account_name": name, "account_domain": format!("{name}.example"),
        "amount": money("100.00 USD")
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    caller.post("/v1/deal-registrations", body)
}

#[track_caller]
fn closed(reply: Reply, named: &str) {
    let refused = reply
        .refused(422, "validation_failed")
        .pointer("/program_id", "gate_closed");
    assert!(refused.raw().contains(named), "{}", refused.raw());
}

#[test]
fn a_gate_before_registering_opens_with_what_is_verified_and_valid_for_the_product_and_the_country() {
    let world = World::new();
    let family = json!({ "name": "Trackers" });
    let family = world
        .admin()
        .post("/v1/product-families", family)
        .expect(201)
        .id();
    let gate = json!({ "blocks": "registering", "requires": "license" });
    let program = world.program(json!({ "gates": [gate], "time_zone": "Europe/Berlin" }));
    let partner = world.enrolled("A", &program);
    let caller = world.full_partner_key(&partner);
    let wanted = json!({ "product_family_id": family, "country": "DE" });
    closed(claim(&caller, &program, "one", wanted.clone()), "license");
    assert_eq!(world.admin().all("/v1/deal-registrations"), Vec::<Value>::new());
    let paper = json!({
        "kind": "license", "name": "Radio license", "product_family_id": family, "countries": ["DE"],
        "valid_from": "2026-03-01", "valid_until": "2026-03-04"
    });
    let paper = caller.post("/v1/compliance-documents", paper).expect(201).id();
    closed(claim(&caller, &program, "one", wanted.clone()), "license");
    let path = format!("/v1/compliance-documents/{paper}");
    caller
        .act(&format!("{path}/verify"))
        .refused(403, "permission_denied");
    world.admin().act(&format!("{path}/verify")).expect(200);
    claim(&caller, &program, "one", wanted.clone()).expect(201);
    closed(
        claim(
            &caller,
            &program,
            "two",
            json!({ "product_family_id": family, "country": "FR" }),
        ),
        "license",
    );
    closed(
        claim(&caller, &program, "two", json!({ "country": "DE" })),
        "license",
    );
    closed(
        claim(&caller, &program, "two", json!({ "product_family_id": family })),
        "license",
    );
    // Its last day is whole, where the program is: in March an hour ahead.
    world.clock.set("2026-03-04T22:59:59.999999Z".parse().unwrap());
    claim(&caller, &program, "three", wanted.clone()).expect(201);
    world.clock.set("2026-03-04T23:00:00Z".parse().unwrap());
    closed(claim(&caller, &program, "four", wanted.clone()), "license");
    let later = verified(&world, &partner, "license", json!({ "name": "Another" }));
    claim(&caller, &program, "four", wanted.clone()).expect(201);
    revoke(&world, &later);
    closed(claim(&caller, &program, "five", wanted), "license");
}

#[test]
fn a_gate_for_some_products_and_countries_is_closed_for_those_only() {
    let world = World::new();
    let family = json!({ "name": "Trackers" });
    let family = world
        .admin()
        .post("/v1/product-families", family)
        .expect(201)
        .id();
    let gate = json!({
        "blocks": "registering", "requires": "certification", "document_name": "Fleet Expert",
        "product_family_ids": [family], "countries": ["DE", "AT"]
    });
    let program = world.program(json!({ "gates": [gate], "motion": "referral" }));
    let partner = world.enrolled("A", &program);
    verified(
        &world,
        &partner,
        "certification",
        json!({ "name": "Something else" }),
    );
    let caller = world.full_partner_key(&partner);
    let refer = |family: Option<&str>, country: &str| {
        let mut body = json!({ "program_id": program, "company_name": "Acme", "country": country });
        if let Some(family) = family {
            body["product_family_id"] = json!(family);
        }
        caller.post("/v1/referrals", body)
    };
    closed(refer(Some(&family), "AT"), "certification: Fleet Expert");
    refer(Some(&family), "FR").expect(201);
    // Who does not say for what asks for everything.
    closed(refer(None, "DE"), "certification: Fleet Expert");
    closed(
        claim(&caller, &program, "one", json!({ "product_family_id": family })),
        "Fleet Expert",
    );
    claim(&caller, &program, "two", json!({ "country": "FR" })).expect(201);
    verified(
        &world,
        &partner,
        "certification",
        json!({ "name": "fleet expert" }),
    );
    refer(Some(&family), "DE").expect(201);
}

#[test]
fn a_gate_before_earning_gives_a_zero_line_that_says_what_is_missing() {
    let world = World::new();
    let gate = json!({ "blocks": "accruing", "requires": "agreement" });
    let program = world.ten_percent(json!({ "gates": [gate] }));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "200.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["200.00"]);
    world.pay(&invoice, "100.00 USD");
    let line = world.line("");
    assert_eq!(
        (&line["status"], &line["ineligible_reason"]),
        (&json!("ineligible"), &json!("gate_closed"))
    );
    let path = format!("/v1/commissions/{}", line["id"].as_str().unwrap());
    let explained = world.admin().get(&format!("{path}/explanation")).expect(200);
    assert_eq!(explained["closed_gates"], json!(["agreement"]));
    assert_eq!(
        explained["sentence"],
        "Nothing is earned on 200.00 USD, because the program asked for what was not on file, verified and valid: agreement."
    );
    world.books_balance();
    // The deal was won on the 5th of January, and the agreement is valid from the 1st on: what comes in from now on earns,
    // and what came in before is not made up for.
    let agreement = verified(&world, &partner, "agreement", json!({}));
    world.pay(&invoice, "60.00 USD");
    // It counts for what was promised while it was valid.
    world.pass(TimeDelta::days(1));
    revoke(&world, &agreement);
    world.pay(&invoice, "40.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["0.00", "6.00", "4.00"]);
    world.books_balance();
    let late = json!({ "won_at": world.clock.now() });
    let deal = world.open_deal(&program, "50.00 USD", &[(&partner, 10_000)]);
    world
        .admin()
        .post(&format!("/v1/deals/{deal}/win"), late)
        .expect(200);
    let invoice = world.invoice(&deal, "USD", &["50.00"]);
    world.pay(&invoice, "50.00 USD");
    assert_eq!(
        world.lines("").last().unwrap()["ineligible_reason"],
        "gate_closed"
    );
    world.books_balance();
}

#[test]
fn a_preview_and_a_back_test_go_through_the_same_gates() {
    let world = World::new();
    let gate = json!({ "blocks": "accruing", "requires": "agreement" });
    let program = world.ten_percent(json!({ "gates": [gate] }));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let preview = || {
        let body = json!({ "program_id": program, "won_at": "2026-02-01T12:00:00Z",
            "credits": [{ "partner_id": partner, "role": "sourced", "share_basis_points": 10_000 }],
            "invoices": [{ "currency": "USD", "issued_on": "2026-03-01", "lines": [{ "net": "100.00" }],
                "payments": [{ "amount": "100.00", "paid_at": "2026-03-01T12:00:00Z" }] }] });
        let preview = world
            .admin()
            .post("/v1/commission-rules/preview", body)
            .expect(200);
        preview["lines"][0].clone()
    };
    assert_eq!(
        (
            preview()["amount"]["amount"].clone(),
            preview()["ineligible_reason"].clone()
        ),
        (json!("0.00"), json!("gate_closed"))
    );
    verified(
        &world,
        &partner,
        "agreement",
        json!({ "valid_from": "2026-02-02" }),
    );
    assert_eq!(preview()["amount"]["amount"], "0.00");
    verified(
        &world,
        &partner,
        "agreement",
        json!({ "valid_from": "2026-02-01" }),
    );
    assert_eq!(preview()["amount"]["amount"], "10.00");
    // What was decided once is asked again under other terms, not another time.
    let versions = world.admin().all("/v1/commission-rule-versions");
    let rule = versions[0]["commission_rule_id"].as_str().unwrap();
    let body =
        json!({ "rule_version_id": versions[0]["id"], "from_on": "2026-01-01", "until_on": "2026-08-01" });
    let test = world
        .admin()
        .post(&format!("/v1/commission-rules/{rule}/backtest"), body)
        .expect(202);
    world.work();
    let result = world
        .admin()
        .get(&format!("/v1/backtests/{}", test.id()))
        .expect(200);
    assert_eq!(result["status"], "succeeded", "{}", result.raw());
    assert!(!result.raw().contains("10.00"), "{}", result.raw());
}

#[test]
fn a_gate_before_paying_holds_the_money_back_and_everybody_hears_why() {
    let world = World::new();
    let gate = json!({ "blocks": "paying", "requires": "tax_form" });
    let program = world.ten_percent(json!({ "gates": [gate] }));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let finance = world.finance();
    let run = world.draft_run();
    assert_eq!(run.carried(), [("10.00".to_owned(), "gate_closed".to_owned())]);
    let left = world.admin().all("/v1/payout-carry-forwards");
    assert_eq!(left[0]["closed_gates"], json!(["tax_form"]));
    run.verb(&finance, "cancel", json!({ "reason": "Again later." }))
        .expect(200);
    let line = world.line("");
    let path = format!(
        "/v1/commissions/{}/payment-expectation",
        line["id"].as_str().unwrap()
    );
    let expected = world.admin().get(&path).expect(200);
    let blockers = expected["blockers"].as_array().unwrap();
    let gate = blockers.iter().find(|one| one["kind"] == "gate_closed").unwrap();
    assert_eq!(
        (&gate["is_blocking"], &gate["message"], &expected["expected_on"]),
        (
            &json!(true),
            &json!(
                "Before anything is paid the program asks for what is not on file, verified and valid: tax_form."
            ),
            &Value::Null
        )
    );
    let caller = world.full_partner_key(&partner);
    let asked = caller.get("/v1/next-actions").expect(200);
    assert!(asked.raw().contains("hand_in_document"), "{}", asked.raw());
    let form = json!({ "kind": "tax_form", "name": "W-8BEN-E", "valid_from": "2026-03-01" });
    let form = caller.post("/v1/compliance-documents", form).expect(201).id();
    assert!(
        !caller
            .get("/v1/next-actions")
            .expect(200)
            .raw()
            .contains("hand_in_document")
    );
    let waiting = world.admin().get("/v1/next-actions").expect(200);
    assert!(waiting.raw().contains("verify_document"), "{}", waiting.raw());
    let path = format!("/v1/compliance-documents/{form}");
    world.admin().act(&format!("{path}/verify")).expect(200);
    // What a run was drafted with has to hold when it is approved.
    let run = world.draft_run();
    assert_eq!(run.payouts().len(), 1);
    revoke(&world, &path);
    let stale = run
        .verb(&finance, "approve", Value::Null)
        .refused(409, "payout_run_stale");
    let detail = stale["detail"].as_str().unwrap();
    assert!(
        detail.contains("would not be made now for: gate_closed (tax_form)."),
        "{detail}"
    );
    run.verb(&finance, "cancel", json!({ "reason": "Again later." }))
        .expect(200);
    verified(&world, &partner, "tax_form", json!({}));
    world.paid_run(&finance);
    assert_eq!(world.line("")["status"], "paid");
    world.books_balance();
}

#[test]
fn gates_and_documents_are_refused_where_they_make_no_sense() {
    let world = World::new();
    let stranger = "pfm_01j9zq4y8k7m5n3p2r1s0t6v4w";
    let program = |gate: Value| {
        let body = json!({ "name": "P", "motion": "referral", "gates": [gate] });
        world.admin().post("/v1/programs", body)
    };
    program(json!({ "blocks": "paying", "requires": "license", "countries": ["DE"] }))
        .refused(422, "validation_failed")
        .pointer("/gates/0/blocks", "not_applicable");
    program(json!({ "blocks": "accruing", "requires": "license", "product_family_ids": [stranger] }))
        .refused(422, "validation_failed")
        .pointer("/gates/0/product_family_ids", "unknown_reference");
    program(json!({ "blocks": "breathing", "requires": "license" })).refused(422, "validation_failed");
    let own = world.program(json!({}));
    let path = format!("/v1/programs/{own}");
    let gates = json!({ "gates": [{ "blocks": "paying", "requires": "tax_form" }] });
    let patched = world.admin().patch(&path, gates).expect(200);
    assert_eq!(
        patched["gates"],
        json!([{ "blocks": "paying", "requires": "tax_form", "product_family_ids": [], "countries": [] }])
    );
    let partner = world.partner("A");
    let paper = |more: Value| {
        let mut body =
            json!({ "partner_id": partner, "kind": "license", "name": "L", "valid_from": "2026-03-01" });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        world.admin().post("/v1/compliance-documents", body)
    };
    paper(json!({ "valid_until": "2026-02-28" }))
        .refused(422, "validation_failed")
        .pointer("/valid_until", "before_start");
    paper(json!({ "product_family_id": stranger }))
        .refused(422, "validation_failed")
        .pointer("/product_family_id", "unknown_reference");
    paper(json!({ "link": "javascript:alert(1)" })).refused(422, "validation_failed");
    paper(json!({ "status": "verified" })).refused(422, "validation_failed");
    assert_eq!(world.admin().all("/v1/compliance-documents"), Vec::<Value>::new());
    paper(json!({ "external_id": "one" })).expect(201);
    paper(json!({ "external_id": "one" })).refused(409, "external_id_taken");
    // A partner hands in for nobody else, and sees what is its own alone.
    let other = world.partner("B");
    let caller = world.full_partner_key(&other);
    let foreign =
        json!({ "partner_id": partner, "kind": "license", "name": "L", "valid_from": "2026-03-01" });
    caller
        .post("/v1/compliance-documents", foreign)
        .refused(422, "validation_failed")
        .pointer("/partner_id", "unknown_reference");
    assert_eq!(caller.all("/v1/compliance-documents"), Vec::<Value>::new());
}

#[test]
fn certifications_count_for_tiers_and_an_agency_needs_one_to_be_activated() {
    let world = World::new();
    let program = world.program(json!({ "motion": "agency" }));
    let partner = world.enrolled("A", &program);
    let steps = json!([{ "code": "pro", "name": "Pro", "criteria": [
        { "metric": "certifications", "threshold": "2" }
    ] }]);
    let ladder = json!({ "period": "quarter", "grace_days": 0, "tiers": steps });
    let path = format!("/v1/programs/{program}/tiers");
    world.admin().patch(&path, ladder).expect(200);
    let deal = world.open_deal(&program, "10.00 USD", &[(&partner, 10_000)]);
    world.work();
    let activity = || {
        world.work();
        let path = format!("/v1/partners/{partner}/activity");
        world.admin().get(&path).expect(200)["activated_at"].clone()
    };
    assert_eq!(activity(), Value::Null, "{deal}");
    let tier = || {
        world.pass(TimeDelta::days(1));
        world.work();
        world
            .admin()
            .all(&format!("/v1/enrollments?partner_id={partner}"))[0]["tier"]
            .clone()
    };
    verified(&world, &partner, "certification", json!({ "name": "One" }));
    assert_eq!(activity(), json!("2026-03-02T09:00:00Z"));
    verified(
        &world,
        &partner,
        "certification",
        json!({ "name": "ONE", "valid_from": "2025-01-01" }),
    );
    verified(&world, &partner, "license", json!({ "name": "Two" }));
    verified(
        &world,
        &partner,
        "certification",
        json!({ "name": "Old", "valid_from": "2025-01-01", "valid_until": "2025-09-30" }),
    );
    filed(&world, &partner, "certification", json!({ "name": "Unseen" }));
    assert_eq!(tier(), Value::Null);
    let second = verified(&world, &partner, "certification", json!({ "name": "Two" }));
    assert_eq!(tier(), "pro");
    revoke(&world, &second);
    let enrollment = world
        .admin()
        .all(&format!("/v1/enrollments?partner_id={partner}"))[0]["id"]
        .clone();
    let path = format!("/v1/enrollments/{}/tier-standing", enrollment.as_str().unwrap());
    let standing = world.admin().get(&path).expect(200);
    let kept = &standing["to_keep"][0];
    assert_eq!(
        (&kept["metric"], &kept["reached"]),
        (&json!("certifications"), &json!("1"))
    );
}
