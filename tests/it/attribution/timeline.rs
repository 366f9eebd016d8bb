//! What happened with a partner, and whether it is of use.

use super::{Shared, ids};
use crate::world::{World, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

#[test]
fn a_timeline_is_everything_of_one_partner_newest_first() {
    let stage = Shared::new();
    let admin = stage.world.admin();
    stage.touch(admin, &stage.maker, "demo", "2026-02-01T00:00:00Z");
    stage.touch(admin, &stage.rival, "demo", "2026-02-01T00:00:00Z");
    let path = format!("/v1/partners/{}/timeline", stage.maker);
    let whole = admin.get(&format!("{path}?limit=100")).expect(200);
    let types = texts(whole.data(), "type");
    assert_eq!(types.first().unwrap(), "touchpoint.recorded");
    assert_eq!(types.last().unwrap(), "partner.created");
    for wanted in ["partner.approved", "enrollment.activated", "deal.created"] {
        assert!(types.iter().any(|name| name == wanted), "{wanted} in {types:?}");
    }
    assert!(
        whole
            .data()
            .iter()
            .all(|event| event["partner_id"] == stage.maker.as_str())
    );
    let mut sequences: Vec<i64> = whole
        .data()
        .iter()
        .map(|event| event["sequence"].as_i64().unwrap())
        .collect();
    assert!(sequences.is_sorted_by(|a, b| a > b), "{sequences:?}");
    // Page by page it is the same, also when something happens meanwhile.
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("{path}?limit=2{cursor}")).expect(200);
        paged.extend(
            page.data()
                .iter()
                .map(|event| event["sequence"].as_i64().unwrap()),
        );
        stage.touch(admin, &stage.maker, "meeting", "2026-02-01T00:00:00Z");
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, sequences);
    sequences.clear();
    let only = admin.get(&format!("{path}?type=partner.approved")).expect(200);
    assert_eq!(texts(only.data(), "type"), ["partner.approved"]);
    let foreign_cursor = admin.get(&format!("{path}?limit=2")).expect(200);
    let foreign_cursor = foreign_cursor.text("/next_cursor");
    admin
        .get(&format!(
            "/v1/partners/{}/timeline?limit=2&cursor={foreign_cursor}",
            stage.rival
        ))
        .refused(422, "invalid_cursor");
}

#[test]
fn a_partner_reads_its_own_timeline_and_no_other() {
    let world = World::new();
    let above = world.partner("Above");
    let body = json!({ "name": "Below", "parent_id": above });
    let below = world.admin().post("/v1/partners", body).expect(201).id();
    let rival = world.partner("Rival");
    let caller = world.full_partner_key(&above);
    for what in ["timeline", "activity"] {
        caller.get(&format!("/v1/partners/{above}/{what}")).expect(200);
        for other in [&below, &rival] {
            caller
                .get(&format!("/v1/partners/{other}/{what}"))
                .refused(404, "not_found");
        }
        let stranger = world.second_organization().admin;
        stranger
            .get(&format!("/v1/partners/{above}/{what}"))
            .refused(404, "not_found");
    }
    let own = caller
        .get(&format!("/v1/partners/{above}/timeline?limit=100"))
        .expect(200);
    let feed = caller.get("/v1/events?limit=100").expect(200);
    let mut told = ids(feed.data());
    told.reverse();
    assert_eq!(ids(own.data()), told, "the timeline tells what the feed does");
}

#[test]
fn a_partner_is_activated_by_its_motion_and_goes_dormant_by_itself() {
    let world = World::new();
    let program = world.program(json!({ "motion": "agency" }));
    let partner = world.enrolled("Agency", &program);
    let sleeper = world.enrolled("Sleeper", &world.program(json!({ "motion": "referral" })));
    let activity = |partner: &str| {
        world.work();
        world
            .admin()
            .get(&format!("/v1/partners/{partner}/activity"))
            .expect(200)
    };
    let fresh = activity(&partner);
    assert_eq!(
        (&fresh["status"], &fresh["activated_at"], &fresh["last_action"]),
        (&json!("dormant"), &Value::Null, &Value::Null)
    );
    world.full_partner_key(&partner).get("/v1/me").expect(200);
    assert_eq!(activity(&partner)["status"], "dormant", "to come in is no action");
    let certificate = json!({
        "partner_id": partner, "kind": "certification", "name": "Fleet Expert", "valid_from": "2026-01-01"
    });
    let certificate = world
        .admin()
        .post("/v1/compliance-documents", certificate)
        .expect(201);
    let verify = format!("/v1/compliance-documents/{}/verify", certificate.id());
    world.admin().act(&verify).expect(200);
    let deal = world.open_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let after = activity(&partner);
    assert_eq!(
        (&after["status"], &after["last_action"]),
        (&json!("active"), &json!("attribution.confirmed"))
    );
    assert_eq!(
        after["motions"],
        json!([{ "motion": "agency", "activated_at": "2026-03-02T09:00:00Z" }])
    );
    assert_eq!(after["activated_at"], "2026-03-02T09:00:00Z");
    // A confirmed credit is of use in an agency program and not in one of referrals.
    world.credit(&deal, &sleeper, "influenced", 10_000);
    let other = activity(&sleeper);
    assert_eq!(
        (&other["status"], &other["activated_at"]),
        (&json!("active"), &Value::Null)
    );
    let report = || world.admin().get("/v1/reports/partner-activity").expect(200);
    let counted = |report: &Value| {
        [
            "partners",
            "activated",
            "activation_basis_points",
            "active",
            "dormant",
        ]
        .map(|name| report[name].as_i64().unwrap())
    };
    assert_eq!(counted(&report().body), [2, 1, 5_000, 2, 0]);
    world.pass(TimeDelta::days(90) - TimeDelta::seconds(1));
    assert_eq!(activity(&partner)["status"], "active");
    world.pass(TimeDelta::seconds(1));
    let dormant = activity(&partner);
    assert_eq!(
        (&dormant["status"], &dormant["activated_at"]),
        (&json!("dormant"), &json!("2026-03-02T09:00:00Z"))
    );
    assert_eq!(counted(&report().body), [2, 1, 5_000, 0, 2]);
    world
        .admin()
        .patch("/v1/organization", json!({ "dormant_after_days": 120 }))
        .expect(200);
    assert_eq!(activity(&partner)["status"], "active");
}
