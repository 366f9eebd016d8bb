//! The organization and its settings.

use crate::world::World;
use serde_json::json;

const PATH: &str = "/v1/organization";

#[test]
fn a_caller_sees_its_own_organization() {
    let world = World::new();
    let other = world.second_organization();
    let mine = world.admin().get(PATH).expect(200);
    assert_eq!(mine["id"], world.home.id.to_string());
    assert_eq!(mine["name"], "Example Cloud");
    assert_eq!(mine["mode"], "live");
    assert_eq!(mine["created_at"], "2026-03-02T09:00:00Z");
    assert_eq!(mine.header("etag"), "\"1\"");
    assert_eq!(mine.header("cache-control"), "no-store");
    assert_eq!(other.admin.get(PATH).expect(200)["id"], other.id.to_string());
}

#[test]
fn settings_change_only_where_they_are_sent() {
    let world = World::new();
    let other = world.second_organization();
    let before = world.admin().get(PATH).expect(200);
    world.pass(chrono::TimeDelta::minutes(5));
    let after = world
        .admin()
        .patch(
            PATH,
            json!({ "time_zone": "Europe/London", "default_currency": "GBP" }),
        )
        .expect(200);
    assert_eq!(after["time_zone"], "Europe/London");
    assert_eq!(after["default_currency"], "GBP");
    assert_eq!(after["updated_at"], "2026-03-02T09:05:00Z");
    assert_eq!(after.header("etag"), "\"2\"");
    for field in ["id", "name", "mode", "dormant_after_days", "created_at"] {
        assert_eq!(after[field], before[field]);
    }
    assert_eq!(world.admin().get(PATH).expect(200).body, after.body);
    assert_eq!(other.admin.get(PATH).expect(200)["default_currency"], "USD");
}

#[test]
fn every_invalid_setting_is_named_at_once() {
    let world = World::new();
    let refuse = |body| world.admin().patch(PATH, body).refused(422, "validation_failed");
    refuse(json!({ "time_zone": "Mars/Olympus", "default_currency": "ZZZ" }))
        .pointer("/time_zone", "unknown_time_zone")
        .pointer("/default_currency", "unknown_currency");
    refuse(json!({ "name": "  ", "dormant_after_days": 0 }))
        .pointer("/name", "invalid_format")
        .pointer("/dormant_after_days", "too_small");
    refuse(json!({ "dormant_after_days": 3651 })).pointer("/dormant_after_days", "too_large");
    refuse(json!({ "dormant_after_days": "90" })).pointer("/dormant_after_days", "wrong_type");
    refuse(json!({ "dormant_after_days": 90.5 })).pointer("/dormant_after_days", "wrong_type");
    refuse(json!({ "name": null })).pointer("/name", "wrong_type");
    refuse(json!({ "mode": "sandbox" })).pointer("/mode", "unknown_field");
    refuse(json!({})).pointer("", "empty_patch");
    assert_eq!(world.admin().get(PATH).header("etag"), "\"1\"");
}

#[test]
fn a_partner_may_read_but_not_change_it() {
    let world = World::new();
    let partner = world.full_partner_key(&world.partner("Nordlicht"));
    partner.get(PATH).expect(200);
    partner
        .patch(PATH, json!({ "name": "Mine" }))
        .refused(403, "permission_denied");
}
