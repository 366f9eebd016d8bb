//! What a program asks and promises: defaults that ask for nothing, rules that contradict nothing, a form as JSON Schema.

use crate::world::{World, money, texts};
use serde_json::{Value, json};
use std::thread;

fn path(program: &str) -> String {
    format!("/v1/programs/{program}/deal-rules")
}

fn form() -> Value {
    json!([
        { "key": "why", "label": "Why now?", "help": "In a sentence.", "type": "text", "is_required": true },
        { "key": "seats", "label": "Seats", "type": "number" },
        { "key": "budget", "label": "Budget", "type": "money" },
        { "key": "decision_by", "label": "Decision by", "type": "date" },
        { "key": "size", "label": "Size", "type": "choice", "choices": ["small", "large"] },
        { "key": "is_live", "label": "Live?", "type": "yes_no" }
    ])
}

#[test]
fn a_program_has_rules_before_anybody_sets_them() {
    let world = World::new();
    let program = world.program(json!({ "time_zone": "Europe/Berlin" }));
    let rules = world.admin().get(&path(&program)).expect(200);
    assert_eq!(rules["program_id"], json!(program));
    assert_eq!(rules["qualification_fields"], json!([]));
    assert_eq!(rules["maximum_open_registrations"], Value::Null);
    assert_eq!(
        (&rules["opens_at"], &rules["closes_at"]),
        (&json!("09:00"), &json!("17:00"))
    );
    assert_eq!(rules.header("etag"), "\"0\"");
    let schema = world
        .admin()
        .get(&format!("/v1/programs/{program}/qualification-schema"))
        .expect(200);
    assert_eq!(schema["properties"], json!({}));
}

#[test]
fn rules_are_changed_field_by_field_and_told() {
    let world = World::new();
    let program = world.program(json!({}));
    let family = world
        .admin()
        .post("/v1/product-families", json!({ "name": "Cloud" }))
        .expect(201)
        .id();
    let first = json!({
        "qualification_fields": form(), "minimum_deal_sizes": [money("5000 EUR")], "existing_accounts": "refuse",
        "protection_days": 180, "protection_starts": "submission", "extensions_allowed": 2, "extension_days": 60,
        "maximum_open_registrations": 20, "countries": ["DE", "AT", "DE"], "excluded_countries": ["US"],
        "product_family_ids": [family], "referral_expiry_days": 30, "response_business_hours": 8,
        "working_days": ["tuesday", "monday"], "opens_at": "08:30", "closes_at": "24:00",
        "holidays": ["2026-12-25"], "second_registrant": "queue", "excludes_public_tenders": true,
        "reminder_days": [30, 7], "attribution_window_days": 45, "attribution_click": "first_click"
    });
    let changed = world.admin().patch(&path(&program), first).expect(200);
    assert_eq!(changed["countries"], json!(["AT", "DE"]));
    assert_eq!(changed["working_days"], json!(["monday", "tuesday"]));
    assert_eq!(changed["minimum_deal_sizes"], json!([money("5000.00 EUR")]));
    assert_eq!(
        changed["qualification_fields"][4]["choices"],
        json!(["small", "large"])
    );
    assert_eq!(changed.header("etag"), "\"1\"");
    let second = json!({ "maximum_open_registrations": null, "response_business_hours": null });
    let stale = world
        .admin()
        .ask("PATCH", &path(&program))
        .header("If-Match", "\"0\"");
    stale.json(&second).send().refused(412, "precondition_failed");
    let again = world.admin().patch(&path(&program), second).expect(200);
    let mut expected = changed.body.clone();
    expected["maximum_open_registrations"] = Value::Null;
    expected["response_business_hours"] = Value::Null;
    assert_eq!(again.body, expected);
    assert_eq!(world.admin().get(&path(&program)).expect(200).body, expected);
    world.work();
    let told = world.admin().all(&format!("/v1/events?subject_id={program}"));
    assert_eq!(
        texts(&told, "type"),
        ["program.created", "deal_rules.updated", "deal_rules.updated"]
    );
    assert_eq!(told[1]["data"]["opens_at"], "08:30");
}

#[test]
fn the_form_is_served_as_json_schema() {
    let world = World::new();
    let program = world.program(json!({}));
    let body = json!({ "qualification_fields": form() });
    world.admin().patch(&path(&program), body).expect(200);
    let schema = world
        .admin()
        .get(&format!("/v1/programs/{program}/qualification-schema"))
        .expect(200);
    let drawn: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        drawn,
        ["why", "seats", "budget", "decision_by", "size", "is_live"]
    );
    assert_eq!(schema["properties"]["why"]["description"], "In a sentence.");
    let valid = |qualification: Value| {
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema.body)
            .unwrap();
        validator.is_valid(&qualification)
    };
    assert!(valid(
        json!({ "why": "Growth", "seats": 3, "decision_by": "2026-05-01", "size": "small" })
    ));
    for wrong in [
        json!({}),
        json!({ "why": "" }),
        json!({ "why": "x", "size": "huge" }),
        json!({ "why": "x", "decision_by": "soon" }),
        json!({ "why": "x", "more": 1 }),
    ] {
        assert!(!valid(wrong.clone()), "{wrong}");
    }
}

#[test]
fn rules_that_make_no_sense_are_refused_and_change_nothing() {
    let world = World::new();
    let program = world.program(json!({}));
    let refused = |body: Value| {
        let reply = world.admin().patch(&path(&program), body);
        reply.refused(422, "validation_failed")
    };
    refused(json!({})).pointer("", "empty_patch");
    refused(json!({ "opens_at": "17:00" })).pointer("/closes_at", "not_after_opens_at");
    refused(json!({ "opens_at": "24:00" })).pointer("/opens_at", "invalid_format");
    refused(json!({ "countries": ["de"] })).pointer("/countries/0", "invalid_format");
    refused(json!({ "protection_days": 0 })).pointer("/protection_days", "too_small");
    refused(json!({ "protection_days": null }));
    refused(json!({ "countries": ["DE"], "excluded_countries": ["DE"] }))
        .pointer("/excluded_countries", "contradiction");
    refused(json!({ "minimum_deal_sizes": [money("0 EUR"), money("5.001 USD"), money("1 XXQ")] }))
        .pointer("/minimum_deal_sizes/0/amount", "not_positive")
        .pointer("/minimum_deal_sizes/1/amount", "too_many_decimals")
        .pointer("/minimum_deal_sizes/2/currency", "unknown_currency");
    refused(json!({ "product_family_ids": ["pfm_01j9zq4y8k7m5n3p2r1s0t6v4w"] }))
        .pointer("/product_family_ids", "unknown_reference");
    refused(json!({ "qualification_fields": [
        { "key": "why", "label": "Why?", "type": "choice" },
        { "key": "why", "label": "Why?", "type": "text", "choices": ["a"] }
    ] }))
    .pointer("/qualification_fields/0/choices", "not_of_this_type")
    .pointer("/qualification_fields/1/choices", "not_of_this_type")
    .pointer("/qualification_fields/1/key", "duplicate");
    let rules = world.admin().get(&path(&program)).expect(200);
    assert_eq!(rules.header("etag"), "\"0\"");
}

#[test]
fn a_partner_sees_the_rules_of_its_programs_and_changes_none() {
    let world = World::new();
    let (own, other) = (world.program(json!({})), world.program(json!({})));
    let partner = world.enrolled("Nordlicht", &own);
    let actor = world.full_partner_key(&partner);
    let body = json!({ "protection_days": 45 });
    for program in [&own, &other] {
        world.admin().patch(&path(program), body.clone()).expect(200);
    }
    assert_eq!(actor.get(&path(&own)).expect(200)["protection_days"], 45);
    let schema = |program: &str| actor.get(&format!("/v1/programs/{program}/qualification-schema"));
    schema(&own).expect(200);
    actor.get(&path(&other)).refused(404, "not_found");
    schema(&other).refused(404, "not_found");
    actor
        .patch(&path(&own), body.clone())
        .refused(403, "permission_denied");
    let stranger = world.second_organization();
    stranger.admin.get(&path(&own)).refused(404, "not_found");
    stranger.admin.patch(&path(&own), body).refused(404, "not_found");
}

#[test]
fn two_first_changes_at_once_are_both_kept() {
    let world = World::new();
    let program = world.program(json!({}));
    let bodies = [json!({ "protection_days": 45 }), json!({ "extension_days": 15 })];
    thread::scope(|scope| {
        for body in bodies {
            let (world, program) = (&world, &program);
            scope.spawn(move || world.admin().patch(&path(program), body).expect(200));
        }
    });
    let rules = world.admin().get(&path(&program)).expect(200);
    assert_eq!(
        (&rules["protection_days"], &rules["extension_days"]),
        (&json!(45), &json!(15))
    );
    assert_eq!(rules.header("etag"), "\"2\"");
}
