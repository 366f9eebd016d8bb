//! Leads that partners hand over: submitted, routed, answered in time or late, and made into deals.

mod converted;
mod moves;

use crate::world::{Actor, Reply, World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::thread;

const PATH: &str = "/v1/referrals";
const NOTHING: &str = "ref_01j9zq4y8k7m5n3p2r1s0t6v4w";

/// A program, a partner in it and the partner's key.
struct Stage {
    world: World,
    program: String,
    partner: String,
    actor: Actor,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let program = world.program(json!({ "motion": "referral" }));
        let partner = world.enrolled("Nordlicht", &program);
        let actor = world.full_partner_key(&partner);
        Self {
            world,
            program,
            partner,
            actor,
        }
    }

    fn rules(&self, rules: Value) {
        let path = format!("/v1/programs/{}/deal-rules", self.program);
        self.world.admin().patch(&path, rules).expect(200);
    }

    fn submit(&self, more: Value) -> Reply {
        let mut body = json!({ "program_id": self.program, "company_name": "Hansa Logistik" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.actor.post(PATH, body)
    }

    fn submitted(&self) -> String {
        self.submit(json!({})).expect(201).id()
    }

    fn verb(&self, id: &str, verb: &str) -> Reply {
        let body = match verb {
            "reject" => json!({ "code": "not_qualified", "reason": "No budget." }),
            "mark-duplicate" => json!({ "duplicate_of_id": self.submitted() }),
            "withdraw" => json!({ "reason": "Cancelled." }),
            "convert" => json!({ "amount": money("100.00 EUR") }),
            _ => return self.world.admin().act(&format!("{PATH}/{id}/{verb}")),
        };
        self.world.admin().post(&format!("{PATH}/{id}/{verb}"), body)
    }

    fn read(&self, id: &str) -> Reply {
        self.world.admin().get(&format!("{PATH}/{id}")).expect(200)
    }

    /// Lets time pass.
    fn pass(&self, time: TimeDelta) {
        self.world.clock.set(self.world.clock.now() + time);
    }

    fn told(&self, noun: &str) -> Vec<String> {
        self.world.work();
        let mut types = texts(&self.world.admin().all("/v1/events"), "type");
        types.retain(|one| one.starts_with(noun));
        types.sort();
        types
    }

    /// A person of the organization.
    fn staff(&self, name: &str) -> String {
        let body = json!({ "name": name, "email": format!("{name}@example.com"), "role_ids": [] });
        self.world.admin().post("/v1/users", body).expect(201).id()
    }

    fn routes(&self, routes: Value) -> Reply {
        let path = format!("/v1/programs/{}/referral-routes", self.program);
        self.world.admin().patch(&path, json!({ "routes": routes }))
    }
}

#[test]
fn a_partner_submits_in_one_call_and_is_told_what_becomes_of_it() {
    let stage = Stage::new();
    let referral = stage
        .submit(json!({
            "external_id": "lead-1", "country": "DE", "contact_name": "Jonas", "contact_email": "jonas@hansa.example",
            "amount": money("1200 EUR"), "note": "Call before Friday."
        }))
        .expect(201);
    assert_eq!(referral["status"], "submitted");
    assert_eq!(referral["partner_id"], json!(stage.partner));
    assert_eq!(
        (&referral["amount"], &referral["currency"]),
        (&json!("1200.00"), &json!("EUR"))
    );
    // Monday at nine and two working days: Tuesday evening.
    assert_eq!(referral["respond_by"], "2026-03-03T17:00:00Z");
    assert_eq!(referral["expires_at"], "2026-05-31T00:00:00Z");
    let id = referral.id();
    stage
        .submit(json!({ "external_id": "lead-1" }))
        .refused(409, "external_id_taken");
    stage.pass(TimeDelta::hours(3));
    stage.verb(&id, "reject").expect(200);
    let seen = stage.actor.get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(
        (&seen["status"], &seen["rejection_code"], &seen["status_reason"]),
        (&json!("rejected"), &json!("not_qualified"), &json!("No budget."))
    );
    assert_eq!(seen["first_response_at"], "2026-03-02T12:00:00Z");
    assert_eq!(seen["response_breached_at"], Value::Null);
    let history = stage.actor.get(&format!("{PATH}/{id}/history")).expect(200);
    let steps: Vec<(&Value, &Value)> = history
        .data()
        .iter()
        .map(|step| (&step["status"], &step["moved_by"]))
        .collect();
    assert_eq!(
        steps,
        [
            (&json!("submitted"), &json!("partner")),
            (&json!("rejected"), &json!("organization"))
        ]
    );
    assert_eq!(
        stage.told("referral."),
        ["referral.rejected", "referral.submitted"]
    );
    let codes = stage.actor.get("/v1/referral-rejection-codes").expect(200);
    assert!(codes.data().iter().any(|code| code["code"] == "not_qualified"));
    let found = stage
        .actor
        .all(&format!("{PATH}?external_id=lead-1&status=rejected"));
    assert_eq!(texts(&found, "id"), [id]);
}

#[test]
fn everything_that_the_program_does_not_take_is_named_at_once() {
    let stage = Stage::new();
    let family = |name: &str| {
        let body = json!({ "name": name });
        stage
            .world
            .admin()
            .post("/v1/product-families", body)
            .expect(201)
            .id()
    };
    let (own, other) = (family("Cloud"), family("Services"));
    stage.rules(json!({
        "qualification_fields": [
            { "key": "why", "label": "Why now?", "type": "text", "is_required": true },
            { "key": "decision_by", "label": "Decision", "type": "date" }
        ],
        "minimum_deal_sizes": [money("5000 EUR")], "countries": ["DE"], "product_family_ids": [own],
        "excludes_public_tenders": true
    }));
    let body = json!({
        "amount": money("10 EUR"), "country": "FR", "product_family_id": other, "is_public_tender": true,
        "qualification": { "decision_by": "soon", "more": 1 }
    });
    stage
        .submit(body)
        .refused(422, "validation_failed")
        .pointer("/qualification/why", "missing")
        .pointer("/qualification/decision_by", "invalid_format")
        .pointer("/qualification/more", "unknown_field")
        .pointer("/amount/amount", "below_minimum")
        .pointer("/country", "outside_territory")
        .pointer("/product_family_id", "outside_program")
        .pointer("/is_public_tender", "public_tender_excluded");
    let good = json!({
        "amount": money("5000 EUR"), "country": "DE", "product_family_id": own, "qualification": { "why": "Growth" }
    });
    let id = stage.submit(good).expect(201).id();
    // Fields that change later change nothing about what was submitted.
    stage.rules(json!({ "qualification_fields": [] }));
    assert_eq!(stage.read(&id)["qualification"], json!({ "why": "Growth" }));
}

#[test]
fn only_who_takes_part_refers() {
    let stage = Stage::new();
    let outside = stage.world.program(json!({}));
    let refused = |program: &str| {
        let body = json!({ "program_id": program, "company_name": "Hansa", "partner_id": stage.partner });
        stage.world.admin().post(PATH, body)
    };
    refused(&outside).refused(409, "wrong_state");
    refused("prg_01j9zq4y8k7m5n3p2r1s0t6v4w")
        .refused(422, "validation_failed")
        .pointer("/program_id", "unknown_reference");
    let nobody = json!({ "program_id": stage.program, "company_name": "Hansa" });
    stage
        .world
        .admin()
        .post(PATH, nobody)
        .refused(422, "validation_failed")
        .pointer("/partner_id", "missing");
    let enrollments = stage.world.admin().all("/v1/enrollments");
    let enrollment = texts(&enrollments, "id").remove(0);
    let pause = format!("/v1/enrollments/{enrollment}/pause");
    stage
        .world
        .admin()
        .post(&pause, json!({ "reason": "Audit." }))
        .expect(200);
    stage.submit(json!({})).refused(409, "wrong_state");
}

#[test]
fn referrals_go_to_the_first_route_that_fits_and_round() {
    let stage = Stage::new();
    let (ada, ben, eve) = (stage.staff("ada"), stage.staff("ben"), stage.staff("eve"));
    let owner = |reply: &Reply| stage.read(&reply.id())["owner_id"].clone();
    assert_eq!(owner(&stage.submit(json!({})).expect(201)), Value::Null);
    stage
        .routes(json!([
            { "countries": ["FR"], "minimum_amount": money("1000 EUR"), "owner_ids": [eve] },
            { "owner_ids": [ada, ben] }
        ]))
        .expect(200);
    let large = json!({ "country": "FR", "amount": money("1000 EUR") });
    assert_eq!(owner(&stage.submit(large).expect(201)), json!(eve));
    for other in [
        json!({ "country": "FR", "amount": money("999.99 EUR") }),
        json!({ "country": "FR", "amount": money("5000 USD") }),
    ] {
        assert_ne!(owner(&stage.submit(other).expect(201)), json!(eve));
    }
    let turns: Vec<Value> = (0..4)
        .map(|_| owner(&stage.submit(json!({})).expect(201)))
        .collect();
    assert_eq!(turns, [json!(ada), json!(ben), json!(ada), json!(ben)]);
    for (wrong, pointer, code) in [
        (
            json!({ "minimum_amount": money("-1.00 EUR"), "owner_ids": [eve] }),
            "/routes/0/minimum_amount/amount",
            "negative",
        ),
        (
            json!({ "owner_ids": [ada, ben, ada] }),
            "/routes/0/owner_ids",
            "duplicate",
        ),
    ] {
        stage.routes(json!([wrong])).pointer(pointer, code);
    }
    // Who is not active is left out.
    let suspend = format!("/v1/users/{ada}/suspend");
    stage
        .world
        .admin()
        .post(&suspend, json!({ "reason": "Leave." }))
        .expect(200);
    let id = stage.submitted();
    assert_eq!(stage.read(&id)["owner_id"], json!(ben));
    let to_ada = stage
        .world
        .admin()
        .patch(&format!("{PATH}/{id}"), json!({ "owner_id": ada }));
    to_ada
        .refused(422, "validation_failed")
        .pointer("/owner_id", "not_active");
    let assigned = stage
        .world
        .admin()
        .patch(&format!("{PATH}/{id}"), json!({ "owner_id": eve }));
    assert_eq!(assigned.expect(200)["owner_id"], json!(eve));
    let of_eve = stage.world.admin().all(&format!("{PATH}?owner_id={eve}"));
    assert_eq!(of_eve.len(), 2);
    // The partner learns of nobody, neither in the record nor by asking.
    assert_eq!(
        stage.actor.get(&format!("{PATH}/{id}")).expect(200)["owner_id"],
        Value::Null
    );
    assert!(stage.actor.all(&format!("{PATH}?owner_id={eve}")).is_empty());
    let told = stage.actor.all("/v1/events");
    assert!(!told.iter().any(|event| event.to_string().contains(&eve)));
    stage
        .routes(json!([{ "owner_ids": ["usr_01j9zq4y8k7m5n3p2r1s0t6v4w"] }]))
        .refused(422, "validation_failed")
        .pointer("/routes/0/owner_ids", "unknown_reference");
    stage.routes(json!([])).expect(200);
    assert_eq!(stage.read(&stage.submitted())["owner_id"], Value::Null);
}

#[test]
fn a_referral_becomes_a_deal_with_the_credit_of_its_partner() {
    let stage = Stage::new();
    let body = json!({ "country": "DE", "company_domain": "hansa.example", "amount": money("1200 EUR") });
    let id = stage.submit(body).expect(201).id();
    stage.verb(&id, "accept").expect(200);
    let sales = stage.world.key(&[
        "referrals:review",
        "referrals:read",
        "deals:write",
        "accounts:write",
    ]);
    let path = format!("{PATH}/{id}/convert");
    stage
        .world
        .key(&["referrals:review"])
        .post(&path, json!({}))
        .refused(403, "permission_denied");
    let unknown = json!({ "stage_id": "stg_01j9zq4y8k7m5n3p2r1s0t6v4w" });
    sales
        .post(&path, unknown)
        .refused(422, "validation_failed")
        .pointer("/stage_id", "unknown_reference");
    // What failed left nothing behind.
    assert!(stage.world.admin().all("/v1/accounts").is_empty());
    let converted = sales.post(&path, json!({ "name": "Telematics" })).expect(200);
    assert_eq!(converted["status"], "converted");
    let deal = stage
        .world
        .admin()
        .get(&format!("/v1/deals/{}", converted.text("/deal_id")))
        .expect(200);
    assert_eq!(
        (&deal["name"], &deal["partner_id"], &deal["program_id"]),
        (&json!("Telematics"), &json!(stage.partner), &json!(stage.program))
    );
    let accounts = stage.world.admin().all("/v1/accounts");
    assert_eq!(
        (accounts.len(), &accounts[0]["domain"]),
        (1, &json!("hansa.example"))
    );
    let credit = |deal: &str| {
        let credits = stage
            .world
            .admin()
            .all(&format!("/v1/attributions?deal_id={deal}"));
        assert_eq!(credits.len(), 1);
        assert_eq!(
            (&credits[0]["role"], &credits[0]["partner_id"]),
            (&json!("sourced"), &json!(stage.partner))
        );
        credits[0]["status"].clone()
    };
    // Sales may not confirm credits, and so claims it; who may, confirms it at once.
    assert_eq!(credit(&deal.id()), "claimed");
    let other = stage.submitted();
    stage.verb(&other, "accept").expect(200);
    let path = format!("{PATH}/{other}/convert");
    stage
        .world
        .admin()
        .post(&path, json!({}))
        .refused(422, "validation_failed")
        .pointer("/amount", "missing");
    let body = json!({ "account_id": accounts[0]["id"], "amount": money("1 EUR") });
    let converted = stage.world.admin().post(&path, body).expect(200);
    assert_eq!(credit(converted.text("/deal_id")), "confirmed");
    assert_eq!(stage.world.admin().all("/v1/accounts").len(), 1);
    // The partner sees the deal that it sourced.
    stage
        .actor
        .get(&format!("/v1/deals/{}", converted.text("/deal_id")))
        .expect(200);
}

#[test]
fn of_many_who_convert_at_once_one_does() {
    let stage = Stage::new();
    let id = stage
        .submit(json!({ "amount": money("1200 EUR") }))
        .expect(201)
        .id();
    stage.verb(&id, "accept").expect(200);
    let path = format!("{PATH}/{id}/convert");
    let statuses: Vec<u16> = thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| stage.world.admin().post(&path, json!({})).status))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| [200, 409].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(stage.world.admin().all("/v1/deals").len(), 1);
}

#[test]
fn a_partner_neither_sees_nor_touches_anothers() {
    let stage = Stage::new();
    let other = stage.world.enrolled("Südwind", &stage.program);
    let rival = stage.world.full_partner_key(&other);
    let id = stage.submitted();
    let stranger = stage.world.second_organization().admin;
    for caller in [&rival, &stranger] {
        for path in ["", "/history"] {
            let foreign = caller
                .get(&format!("{PATH}/{id}{path}"))
                .refused(404, "not_found");
            let missing = caller.get(&format!("{PATH}/{NOTHING}{path}"));
            assert_eq!(foreign["detail"], missing["detail"]);
        }
        caller
            .post(&format!("{PATH}/{id}/withdraw"), json!({}))
            .refused(404, "not_found");
        assert!(caller.all(PATH).is_empty());
    }
    let for_another =
        json!({ "program_id": stage.program, "company_name": "Hansa", "partner_id": stage.partner });
    rival
        .post(PATH, for_another)
        .refused(422, "validation_failed")
        .pointer("/partner_id", "unknown_reference");
    // A partner decides nothing about its own either, and which referral came first is not its business.
    for verb in ["accept", "reject", "mark-duplicate", "convert"] {
        stage
            .actor
            .act(&format!("{PATH}/{id}/{verb}"))
            .refused(403, "permission_denied");
    }
    let first = rival
        .post(
            PATH,
            json!({ "program_id": stage.program, "company_name": "Hansa" }),
        )
        .expect(201)
        .id();
    let body = json!({ "duplicate_of_id": first });
    stage
        .world
        .admin()
        .post(&format!("{PATH}/{id}/mark-duplicate"), body)
        .expect(200);
    let seen = stage.actor.get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(
        (&seen["status"], &seen["duplicate_of_id"]),
        (&json!("duplicate"), &Value::Null)
    );
    stage.world.work();
    for event in stage.actor.all("/v1/events") {
        assert!(!event.to_string().contains(&first), "{event}");
    }
    let taken_back = stage.submitted();
    let withdrawn = stage
        .actor
        .post(&format!("{PATH}/{taken_back}/withdraw"), json!({}))
        .expect(200);
    assert_eq!(withdrawn["status"], "withdrawn");
}
