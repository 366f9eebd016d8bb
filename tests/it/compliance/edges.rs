//! What credits take back behind gates, what is asked of partners, and what is held in the database.

use super::{filed, revoke, verified};
use crate::imports::load;
use crate::world::{Actor, World, texts};
use chrono::TimeDelta;
use diesel::RunQueryDsl;
use serde_json::{Value, json};

/// "who never earned has nothing to give back", and a distributor that earned does.
#[test]
fn a_credit_takes_from_each_what_each_was_given() {
    for lock_point in ["deal_won", "invoice_paid"] {
        let world = World::new();
        let gate = json!({ "blocks": "accruing", "requires": "certification" });
        let program = world.ten_percent(json!({ "gates": [gate], "lock_point": lock_point }));
        let rule = json!({ "program_id": program, "name": "Override", "component": "override", "terms": {
            "formula": { "type": "percentage", "rate": "0.05" }, "hold_days": 0, "effective_from": "2020-01-01T00:00:00Z" } });
        let rule = world.admin().post("/v1/commission-rules", rule).expect(201).id();
        let path = format!("/v1/commission-rule-versions?commission_rule_id={rule}");
        let version = world.admin().all(&path)[0]["id"].as_str().unwrap().to_owned();
        world.activate(&version).expect(200);
        let [above, below] = ["Above", "Below"].map(|name| world.enrolled(name, &program));
        let parent = json!({ "parent_id": above });
        world
            .admin()
            .patch(&format!("/v1/partners/{below}"), parent)
            .expect(200);
        let paper = verified(&world, &above, "certification", json!({}));
        let deal = world.won_deal(&program, "1000.00 USD", &[(&below, 10_000)]);
        let invoice = world.invoice(&deal, "USD", &["1000.00"]);
        world.pay(&invoice, "400.00 USD");
        let of = |partner: &str| texts(&world.lines(&format!("partner_id={partner}")), "amount");
        assert_eq!(
            (of(&below), of(&above)),
            (vec!["0.00".to_owned()], vec!["20.00".to_owned()])
        );
        world.pass(TimeDelta::days(1));
        revoke(&world, &paper);
        world.credit_note(&deal, None, "100.00 USD");
        assert_eq!(of(&below), ["0.00", "0.00"]);
        assert_eq!(of(&above), ["20.00", "-5.00"], "{lock_point}");
        // From now on it earns, and is taken no more than that.
        verified(&world, &below, "certification", json!({}));
        world.credit_note(&deal, None, "100.00 USD");
        assert_eq!(of(&below).last().unwrap(), "0.00");
        world.pay(&invoice, "600.00 USD");
        world.credit_note(&deal, None, "1000.00 USD");
        assert_eq!(of(&below)[3..], ["60.00", "-60.00"]);
        assert_eq!(of(&below).len(), 5);
        world.books_balance();
    }
}

/// Two credits of one file are held to the same rest, one after the other.
#[test]
fn credits_that_come_at_once_take_no_more_than_one_alone() {
    let world = World::new();
    let gate = json!({ "blocks": "accruing", "requires": "certification" });
    let program = world.ten_percent(json!({ "gates": [gate], "lock_point": "invoice_paid" }));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "1000.00 USD", &[(&partner, 10_000)]);
    let key = json!({ "external_id": "one" });
    world.admin().patch(&format!("/v1/deals/{deal}"), key).expect(200);
    let invoice = world.invoice(&deal, "USD", &["1000.00"]);
    world.pay(&invoice, "400.00 USD");
    verified(&world, &partner, "certification", json!({}));
    world.pay(&invoice, "600.00 USD");
    let mapping = json!({ "fields": {
        "external_id": { "column": "id" }, "deal": { "constant": "one" }, "kind": { "constant": "credit_note" },
        "amount": { "column": "amount" }, "currency": { "constant": "USD" }, "issued_on": { "constant": "2026-03-01" }
    } });
    let file = b"id,amount\nfirst,450.00\nsecond,450.00\n";
    load(&world, "invoices", &mapping, &[], file);
    let amounts = texts(&world.lines(""), "amount");
    assert_eq!(amounts, ["0.00", "60.00", "-45.00", "-15.00"]);
    world.books_balance();
}

#[test]
fn what_is_asked_for_is_asked_for_until_just_that_is_handed_in() {
    let world = World::new();
    let gate =
        |name: &str| json!({ "blocks": "registering", "requires": "certification", "document_name": name });
    let program = world.program(json!({ "gates": [gate("One"), gate("Two")] }));
    let [partner, other] = ["A", "B"].map(|name| world.enrolled(name, &program));
    let caller = world.full_partner_key(&partner);
    let asked = || caller.get("/v1/next-actions").expect(200).raw().to_owned();
    let hand_in = |caller: &Actor, name: &str, until: &str| {
        let paper = json!({
            "kind": "certification", "name": name, "valid_from": "2020-01-01", "valid_until": until, "external_id": name
        });
        caller.post("/v1/compliance-documents", paper)
    };
    hand_in(&caller, "Three", "2030-01-01").expect(201);
    hand_in(&caller, "two", "2026-03-01").expect(201);
    assert!(
        asked().contains("certification: One, certification: Two"),
        "{}",
        asked()
    );
    hand_in(&caller, "one", "2026-03-02").expect(201);
    assert!(asked().contains("valid: certification: Two."), "{}", asked());
    hand_in(&caller, " Two", "2030-01-01").refused(422, "validation_failed");
    // A key of one partner's says nothing to another.
    hand_in(&world.full_partner_key(&other), "one", "2030-01-01").expect(201);
    hand_in(&caller, "one", "2030-01-01").refused(409, "external_id_taken");
    let found = world.admin().all("/v1/compliance-documents?external_id=one");
    assert_eq!(found.len(), 2);
}

/// What the service does not do, Postgres refuses: for a partner's session, and for the organization's.
#[test]
fn nothing_of_a_document_is_changed_behind_the_verbs() {
    let world = World::new();
    let partner = world.partner("A");
    verified(&world, &partner, "license", json!({}));
    filed(&world, &partner, "tax_form", json!({}));
    let mut owner = world.database().owner();
    let mut refused = |change: &str| {
        let statement = format!("UPDATE compliance_documents SET {change}");
        let error = diesel::sql_query(statement).execute(&mut owner).unwrap_err();
        assert!(error.to_string().contains("a compliance document"), "{error}");
    };
    refused("valid_until = '2030-01-01' WHERE kind = 'tax_form'");
    refused("status = 'submitted', verified_at = NULL WHERE kind = 'license'");
    refused("verified_at = verified_at - interval '1 year' WHERE kind = 'license'");
    refused("row_version = 9");
}

#[test]
fn nothing_is_put_on_file_of_a_partner_that_is_gone() {
    let world = World::new();
    let partner = world.partner("A");
    let body = json!({ "reason_code": "breach_of_terms", "reason": "It is over." });
    world
        .admin()
        .post(&format!("/v1/partners/{partner}/terminate"), body)
        .expect(200);
    let document = json!({ "partner_id": partner, "kind": "certification", "name": "ISO 27001", "valid_from": "2026-01-01" });
    let refused = world
        .admin()
        .post("/v1/compliance-documents", document)
        .expect(409);
    assert_eq!(refused["code"], "wrong_state");
}

#[test]
fn what_is_on_file_and_valid_later_tells_the_day_of_the_payment() {
    let world = World::new();
    let [form, agreement] =
        ["tax_form", "agreement"].map(|kind| json!({ "blocks": "paying", "requires": kind }));
    let program = world.ten_percent(json!({ "gates": [form, agreement] }));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("")["id"].as_str().unwrap().to_owned();
    let expected = || {
        let path = format!("/v1/commissions/{line}/payment-expectation");
        let expected = world.admin().get(&path).expect(200);
        let blockers = expected["blockers"].as_array().unwrap();
        let gate = blockers.iter().find(|one| one["kind"] == "gate_closed").unwrap();
        assert_eq!(gate["expected_on"], expected["expected_on"]);
        (
            expected["expected_on"].clone(),
            gate["message"].as_str().unwrap().to_owned(),
        )
    };
    verified(
        &world,
        &partner,
        "tax_form",
        json!({ "valid_from": "2026-04-01" }),
    );
    // One of two is no day yet; nor is what nobody verified.
    filed(
        &world,
        &partner,
        "agreement",
        json!({ "valid_from": "2026-03-15" }),
    );
    assert_eq!(expected().0, Value::Null);
    // The first would be over before the other begins.
    let short = json!({ "valid_from": "2026-03-10", "valid_until": "2026-03-31" });
    verified(&world, &partner, "agreement", short);
    assert_eq!(expected().0, Value::Null);
    let revoked = verified(
        &world,
        &partner,
        "agreement",
        json!({ "valid_from": "2026-04-02" }),
    );
    assert_eq!(expected().0, "2026-04-02");
    revoke(&world, &revoked);
    verified(
        &world,
        &partner,
        "agreement",
        json!({ "valid_from": "2026-04-20" }),
    );
    let (day, message) = expected();
    assert_eq!(day, "2026-04-20");
    assert!(
        message.ends_with("What is on file is valid from 2026-04-20 on."),
        "{message}"
    );
}
