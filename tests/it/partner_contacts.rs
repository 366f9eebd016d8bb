//! Contacts, onboarding, reasons and territories of partners.

use crate::world::{Actor, World, money, names, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

const PATH: &str = "/v1/partner-contacts";

fn contact(more: Value) -> Value {
    let mut body =
        json!({ "name": "Jonas Petersen", "email": "jonas@nordlicht.example", "roles": ["primary"] });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_partner_looks_after_its_own_contacts() {
    let world = World::new();
    let [one, two] = ["Nordlicht", "Alster"].map(|name| world.partner(name));
    let [own, rival] = [&one, &two].map(|id| world.full_partner_key(id));
    let made = own.post(PATH, contact(json!({}))).expect(201);
    assert_eq!(made["partner_id"], one.as_str());
    own.post(PATH, contact(json!({ "roles": [] })))
        .refused(409, "already_exists")
        .pointer("/email", "taken");
    own.post(PATH, contact(json!({ "email": "other@nordlicht.example" })))
        .refused(409, "already_exists")
        .pointer("/roles", "taken");
    own.post(PATH, contact(json!({ "partner_id": two })))
        .refused(422, "validation_failed")
        .pointer("/partner_id", "unknown_reference");
    let path = format!("{PATH}/{}", made.id());
    let patch = json!({ "phone": "+49 40 5550 0123", "roles": ["billing"], "email": null });
    let changed = own.patch(&path, patch).expect(200);
    assert_eq!(
        (&changed["email"], &changed["roles"]),
        (&Value::Null, &json!(["billing"]))
    );
    for verb in ["get", "patch", "remove"] {
        let reply = match verb {
            "get" => rival.get(&path),
            "patch" => rival.patch(&path, json!({ "phone": null })),
            _ => rival.act(&format!("{path}/remove")),
        };
        reply.refused(404, "not_found");
    }
    assert_eq!(rival.all(PATH), [] as [Value; 0]);
    let missing = world.admin().post(PATH, contact(json!({})));
    missing
        .refused(422, "validation_failed")
        .pointer("/partner_id", "missing");
    world
        .admin()
        .post(PATH, contact(json!({ "partner_id": two })))
        .expect(201);
    let listed = world.admin().all(&format!("{PATH}?partner_id={one}"));
    assert_eq!(texts(&listed, "id"), [made.id()]);
    assert_eq!(world.admin().all(PATH).len(), 2);
}

#[test]
fn who_is_removed_is_nowhere_any_more() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let own = world.full_partner_key(&partner);
    let made = own
        .post(
            PATH,
            contact(json!({ "phone": "+49 40 5550 0123", "job_title": "Alliances" })),
        )
        .expect(201);
    let path = format!("{PATH}/{}", made.id());
    own.patch(&path, json!({ "name": "Jonas Hansen" })).expect(200);
    own.act(&format!("{path}/remove")).expect(200);
    own.get(&path).refused(404, "not_found");
    own.act(&format!("{path}/remove")).refused(404, "not_found");
    world.work();
    let events = world.admin().all("/v1/events");
    let told: Vec<&Value> = events
        .iter()
        .filter(|one| one["type"].as_str().unwrap().starts_with("partner_contact."))
        .collect();
    assert_eq!(told.len(), 3);
    assert_eq!(told[1]["data"]["changed_fields"], json!(["name"]));
    let mut owner = world.database().owner();
    for table in ["partner_contacts", "events", "audit_events"] {
        let rows = names(
            &mut owner,
            &format!("SELECT to_jsonb(t)::text AS name FROM {table} t"),
        );
        let row = rows.iter().find(|row| {
            ["Jonas", "jonas@", "5550 0123", "Alliances"]
                .iter()
                .any(|person| row.contains(person))
        });
        assert_eq!(row, None, "{table}");
    }
}

fn steps(actor: &Actor, enrollment: &str) -> (bool, Vec<(String, bool)>) {
    let path = format!("/v1/enrollments/{enrollment}/onboarding");
    let reply = actor.get(&path).expect(200);
    let steps = reply["steps"].as_array().unwrap().iter().map(|one| {
        let is_done = one["is_done"].as_bool().unwrap();
        assert_eq!(is_done, !one["done_at"].is_null());
        (one["step"].as_str().unwrap().to_owned(), is_done)
    });
    (reply["is_complete"].as_bool().unwrap(), steps.collect())
}

#[test]
fn onboarding_is_what_was_done() {
    let world = World::new();
    let program = world.program(json!({ "motion": "referral" }));
    let partner = world.enrolled("Nordlicht", &program);
    let own = world.full_partner_key(&partner);
    let listed = own.all("/v1/enrollments");
    let enrollment = listed[0]["id"].as_str().unwrap();
    let done = |expected: &[(&str, bool)]| {
        let (is_complete, steps) = steps(&own, enrollment);
        let expected: Vec<_> = expected
            .iter()
            .map(|(step, is)| ((*step).to_owned(), *is))
            .collect();
        assert_eq!(steps, expected);
        assert_eq!(is_complete, expected.iter().all(|(_, is)| *is));
    };
    done(&[
        ("contact_given", false),
        ("payout_method_confirmed", false),
        ("first_useful_action", false),
    ]);
    let terms = json!({ "version": "2026-03", "document_url": "https://example.com/terms.pdf" });
    let path = format!("/v1/programs/{program}/terms");
    let terms = world.admin().post(&path, terms).expect(201).id();
    own.post(PATH, contact(json!({}))).expect(201);
    let method = json!({ "currency": "EUR", "kind": "manual", "instruction": "By check" });
    let method = own.post("/v1/payout-methods", method).expect(201).id();
    done(&[
        ("terms_accepted", false),
        ("contact_given", true),
        ("payout_method_confirmed", false),
        ("first_useful_action", false),
    ]);
    let accept = json!({ "enrollment_id": enrollment });
    own.post(&format!("/v1/program-terms/{terms}/accept"), accept)
        .expect(200);
    let second = world.another_hand(&["payout_methods:confirm"]);
    second
        .act(&format!("/v1/payout-methods/{method}/confirm"))
        .expect(200);
    let lead = json!({ "program_id": program, "company_name": "Hansa" });
    let lead = own.post("/v1/referrals", lead).expect(201).id();
    world
        .admin()
        .act(&format!("/v1/referrals/{lead}/accept"))
        .expect(200);
    world.work();
    done(&[
        ("terms_accepted", true),
        ("contact_given", true),
        ("payout_method_confirmed", true),
        ("first_useful_action", true),
    ]);
    // New terms are to be accepted anew.
    world.pass(TimeDelta::days(1));
    let terms = json!({ "version": "2026-04", "document_url": "https://example.com/terms.pdf" });
    world.admin().post(&path, terms).expect(201);
    assert!(!steps(world.admin(), enrollment).0);
    // Who is above sees the enrollment, and not how far its reseller is.
    let above = world.partner("Distributor");
    let body = json!({ "parent_id": above });
    world
        .admin()
        .patch(&format!("/v1/partners/{partner}"), body)
        .expect(200);
    let above = world.full_partner_key(&above);
    above.get(&format!("/v1/enrollments/{enrollment}")).expect(200);
    above
        .get(&format!("/v1/enrollments/{enrollment}/onboarding"))
        .refused(404, "not_found");
}

#[test]
fn a_reason_is_one_for_the_move() {
    let world = World::new();
    let reasons = world.admin().get("/v1/partner-reason-codes").expect(200);
    let mut tried = 0;
    for reason in reasons.data() {
        for verb in ["decline", "suspend", "terminate"] {
            let partner = world.admin().post("/v1/partners", json!({ "name": "Applicant" }));
            let partner = format!("/v1/partners/{}", partner.expect(201).id());
            if verb != "decline" {
                world.admin().act(&format!("{partner}/approve")).expect(200);
            }
            let body = json!({ "reason_code": reason["code"], "reason": "In words." });
            let reply = world.admin().post(&format!("{partner}/{verb}"), body);
            if reason["moves"].as_array().unwrap().contains(&json!(verb)) {
                let moved = reply.expect(200);
                assert_eq!(moved["status_reason_code"], reason["code"]);
                assert_eq!(moved["status_reason"], "In words.");
            } else {
                reply
                    .refused(422, "validation_failed")
                    .pointer("/reason_code", "not_for_this_move");
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 36);
    let partner = world.partner("Nordlicht");
    let suspend = format!("/v1/partners/{partner}/suspend");
    let moved = world
        .admin()
        .post(&suspend, json!({ "reason": "Later." }))
        .expect(200);
    assert_eq!(moved["status_reason_code"], "other");
    let reinstate = format!("/v1/partners/{partner}/reinstate");
    let back = world.admin().act(&reinstate).expect(200);
    assert_eq!(
        (&back["status_reason_code"], &back["status_reason"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn a_partner_brings_customers_of_its_territories_where_the_program_minds() {
    let world = World::new();
    let program = world.program(json!({}));
    let partner = world.enrolled("Nordlicht", &program);
    let own = world.full_partner_key(&partner);
    let path = format!("/v1/partners/{partner}");
    let set = world
        .admin()
        .patch(&path, json!({ "territories": ["DE", "AT", "DE"] }))
        .expect(200);
    assert_eq!(set["territories"], json!(["AT", "DE"]));
    let lead = |country: Value| {
        let mut body = json!({ "program_id": program, "company_name": "Hansa" });
        if !country.is_null() {
            body["country"] = country;
        }
        own.post("/v1/referrals", body)
    };
    let claim = |number: u32, country: &str| {
        let body = json!({
            "program_id": program, "account_name": format!("Hansa {number}"), "amount": money("10.00 EUR"),
            "account_domain": format!("hansa-{number}.example"), "country": country
        });
        own.post("/v1/deal-registrations", body)
    };
    lead(json!("FR")).expect(201);
    claim(1, "FR").expect(201);
    let rules = json!({ "respects_partner_territories": true });
    let path = format!("/v1/programs/{program}/deal-rules");
    let rules = world.admin().patch(&path, rules).expect(200);
    assert_eq!(rules["respects_partner_territories"], true);
    lead(json!("AT")).expect(201);
    claim(2, "DE").expect(201);
    for reply in [lead(json!("FR")), claim(3, "FR")] {
        reply
            .refused(422, "validation_failed")
            .pointer("/country", "outside_partner_territory");
    }
    lead(Value::Null)
        .refused(422, "validation_failed")
        .pointer("/country", "missing");
    // Who has none brings customers from everywhere.
    let body = json!({ "territories": [] });
    world
        .admin()
        .patch(&format!("/v1/partners/{partner}"), body)
        .expect(200);
    lead(json!("FR")).expect(201);
}
