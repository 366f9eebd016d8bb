//! Dated evidence: recorded by either side, never changed, voided once, met by nobody whom it does not concern.

use super::{Shared, ids};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_query;
use serde_json::json;

const WHEN: &str = "2026-02-11T13:00:00Z";

#[test]
fn both_sides_record_and_only_the_author_or_the_organization_voids() {
    let stage = Shared::new();
    let admin = stage.world.admin();
    let maker = stage.world.full_partner_key(&stage.maker);
    let body = json!({
        "deal_id": stage.deal, "kind": "opened_the_door", "occurred_at": WHEN, "contact": "Head of fleet",
        "note": "After two years.", "link": "https://files.example.com/minutes"
    });
    let own = maker.post("/v1/touchpoints", body).expect(201);
    assert_eq!(
        (&own["recorded_by"], &own["status"]),
        (&json!("partner"), &json!("recorded"))
    );
    assert_eq!(own["partner_id"], stage.maker.as_str());
    let vendors = stage.touch(admin, &stage.maker, "meeting", WHEN);
    let listed = maker.all("/v1/touchpoints");
    assert_eq!(ids(&listed), [vendors.as_str(), own.id().as_str()]);
    let reason = json!({ "reason": "Another deal." });
    maker
        .post(&format!("/v1/touchpoints/{vendors}/void"), reason.clone())
        .refused(403, "permission_denied");
    let path = format!("/v1/touchpoints/{}", own.id());
    let voided = maker.post(&format!("{path}/void"), reason.clone()).expect(200);
    assert_eq!(
        (&voided["status"], &voided["status_reason"]),
        (&json!("voided"), &reason["reason"])
    );
    for actor in [admin, &maker] {
        let again = actor
            .post(&format!("{path}/void"), reason.clone())
            .refused(409, "wrong_state");
        assert_eq!(
            (&again["current_state"], &again["allowed_moves"]),
            (&json!("voided"), &json!([]))
        );
    }
    admin
        .post(&format!("/v1/touchpoints/{vendors}/void"), reason)
        .expect(200);
}

#[test]
fn bad_input_is_named() {
    let stage = Shared::new();
    let admin = stage.world.admin();
    let maker = stage.world.full_partner_key(&stage.maker);
    let usual = json!({ "deal_id": stage.deal, "partner_id": stage.maker, "kind": "demo" });
    let with = |name: &str, value: serde_json::Value| {
        let mut body = usual.clone();
        body[name] = value;
        body
    };
    let refused = |body| {
        admin
            .post("/v1/touchpoints", body)
            .refused(422, "validation_failed")
    };
    refused(with("occurred_at", json!("2026-03-02T09:00:00.000001Z"))).pointer("/occurred_at", "in_future");
    refused(with("deal_id", json!("deal_01j9zq4y8k7m5n3p2r1s0t6v4w")))
        .pointer("/deal_id", "unknown_reference");
    refused(with("partner_id", json!("ptn_01j9zq4y8k7m5n3p2r1s0t6v4w")))
        .pointer("/partner_id", "unknown_reference");
    for (field, value) in [("kind", "dinner"), ("link", "javascript:alert(1)"), ("note", " ")] {
        assert_eq!(
            refused(with(field, json!(value)))["errors"][0]["pointer"],
            format!("/{field}")
        );
    }
    refused(json!({ "deal_id": stage.deal, "kind": "demo" })).pointer("/partner_id", "missing");
    maker
        .post("/v1/touchpoints", with("external_id", json!("mine")))
        .refused(422, "validation_failed")
        .pointer("/external_id", "not_for_partners");
    maker
        .post("/v1/touchpoints", with("partner_id", json!(stage.rival)))
        .refused(422, "validation_failed")
        .pointer("/partner_id", "unknown_reference");
    admin
        .post("/v1/touchpoints", with("external_id", json!("crm-1")))
        .expect(201);
    admin
        .post("/v1/touchpoints", with("external_id", json!("crm-1")))
        .refused(409, "external_id_taken");
}

#[test]
fn a_partner_meets_nothing_of_another_and_the_database_holds_it_too() {
    let stage = Shared::new();
    let [maker, rival] = [&stage.maker, &stage.rival].map(|id| stage.world.full_partner_key(id));
    let secret = stage.touch(&rival, &stage.rival, "demo", WHEN);
    assert!(maker.all("/v1/touchpoints").is_empty());
    assert!(
        maker
            .all(&format!("/v1/touchpoints?deal_id={}", stage.deal))
            .is_empty()
    );
    assert!(
        maker
            .all(&format!("/v1/touchpoints?partner_id={}", stage.rival))
            .is_empty()
    );
    maker
        .get(&format!("/v1/touchpoints/{secret}"))
        .refused(404, "not_found");
    maker
        .post(
            &format!("/v1/touchpoints/{secret}/void"),
            json!({ "reason": "Mine." }),
        )
        .refused(404, "not_found");
    assert!(
        !maker
            .get("/v1/events?limit=100")
            .expect(200)
            .raw()
            .contains(&secret)
    );
    let mut service = stage.world.database().service_role();
    let uuid = |text: &str| copartner::kernel::subject::parse_id(text).unwrap();
    let settings = format!(
        "SELECT set_config('copartner.organization_id', '{}', false), \
         set_config('copartner.partner_id', '{}', false)",
        stage.world.home.id.uuid(),
        uuid(&stage.maker)
    );
    service.batch_execute(&settings).unwrap();
    assert_eq!(
        sql_query("UPDATE touchpoints SET status = 'voided'").execute(&mut service),
        Ok(0)
    );
    let insert = |partner: &str, by_partner: bool| {
        format!(
            "INSERT INTO touchpoints VALUES ('{}', gen_random_uuid(), NULL, '{}', '{}', 'demo', now(), NULL, NULL, \
             NULL, {by_partner}, 'recorded', NULL, NULL, 1, now(), now())",
            stage.world.home.id.uuid(),
            uuid(&stage.deal),
            uuid(partner)
        )
    };
    for (partner, by_partner) in [(&stage.rival, true), (&stage.maker, false)] {
        let refused = service.batch_execute(&insert(partner, by_partner)).unwrap_err();
        assert!(refused.to_string().contains("row-level security"), "{refused}");
    }
    service.batch_execute(&insert(&stage.maker, true)).unwrap();
}

#[test]
fn what_is_recorded_never_changes_not_even_by_sql() {
    let stage = Shared::new();
    stage.touch(stage.world.admin(), &stage.maker, "demo", WHEN);
    let mut owner = stage.world.database().owner();
    for change in [
        "UPDATE touchpoints SET occurred_at = now()",
        "UPDATE touchpoints SET note = 'x'",
        "DELETE FROM touchpoints",
    ] {
        let refused = owner.batch_execute(change).unwrap_err();
        assert!(
            refused.to_string().contains("a touchpoint never changes"),
            "{refused}"
        );
    }
}

#[test]
fn what_the_crm_says_is_kept_apart_and_shown_to_no_partner() {
    let stage = Shared::new();
    let admin = stage.world.admin();
    let path = format!("/v1/deals/{}", stage.deal);
    let says = json!({ "crm_partner_source": "Rival Ltd", "crm_partner_influence": "Somebody" });
    let changed = admin.patch(&path, says).expect(200);
    assert_eq!(
        (&changed["crm_partner_source"], &changed["partner_id"]),
        (&json!("Rival Ltd"), &json!(stage.maker))
    );
    let maker = stage.world.full_partner_key(&stage.maker);
    stage.world.work();
    for path in [path.as_str(), "/v1/deals", "/v1/events?limit=100"] {
        let reply = maker.get(path).expect(200);
        assert!(
            !reply.raw().contains("Rival") && !reply.raw().contains("Somebody"),
            "{}",
            reply.raw()
        );
    }
    let cleared = admin
        .patch(&path, json!({ "crm_partner_source": null }))
        .expect(200);
    assert_eq!(
        (&cleared["crm_partner_source"], &cleared["crm_partner_influence"]),
        (&json!(null), &json!("Somebody"))
    );
    let credits = admin.all(&format!("/v1/attributions?deal_id={}", stage.deal));
    assert_eq!(credits.len(), 1, "the CRM gives nobody credit");
}
