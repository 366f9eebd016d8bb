//! Entries are found by record, actor and period; a head is asked for whole.

use super::PATH;
use crate::world::World;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;

#[test]
fn half_a_head_is_refused() {
    let world = World::new();
    let hash = "0".repeat(64);
    let ask = |query: &str| world.admin().get(&format!("{PATH}?{query}"));
    ask("known_position=1")
        .refused(422, "validation_failed")
        .pointer("?known_hash", "missing");
    ask(&format!("known_hash={hash}"))
        .refused(422, "validation_failed")
        .pointer("?known_position", "missing");
    let reply = ask(&format!("known_position=1&known_hash={hash}")).expect(200);
    assert_eq!(reply["known_head_kept"], false);
}

/// The actions of a list, newest first.
#[track_caller]
fn listed(world: &World, query: &str) -> Vec<String> {
    let reply = world
        .admin()
        .get(&format!("/v1/audit-events?{query}"))
        .expect(200);
    let actions = reply.data().iter().map(|entry| entry["action"].as_str().unwrap());
    actions.map(str::to_owned).collect()
}

#[test]
fn entries_are_found_by_record_actor_and_period() {
    let world = World::new();
    let start = world.pass(TimeDelta::microseconds(1_000_500));
    let partner = world.partner("Nordlicht");
    let actor = world.key(&["partners:review"]);
    let later = world.pass(TimeDelta::microseconds(300));
    let reason = json!({ "reason": "Papers are late." });
    actor
        .post(&format!("/v1/partners/{partner}/suspend"), reason)
        .expect(200);
    world.pass(TimeDelta::days(1));
    let other = world.partner("Harbor");
    let at = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Micros, true);
    assert_eq!(
        listed(&world, &format!("subject_id={partner}")),
        ["partner.suspended", "partner.approved", "partner.created"]
    );
    assert_eq!(
        listed(&world, &format!("subject_id={other}")),
        ["partner.approved", "partner.created"]
    );
    let key = actor.key_id.as_deref().unwrap();
    assert_eq!(listed(&world, &format!("actor_id={key}")), ["partner.suspended"]);
    // Both instants are within one millisecond.
    assert_eq!(
        listed(
            &world,
            &format!("occurred_at_gte={}&occurred_at_lt={}", at(start), at(later))
        ),
        ["api_key.created", "partner.approved", "partner.created"]
    );
    let day = at(later + TimeDelta::hours(1));
    assert_eq!(
        listed(
            &world,
            &format!("occurred_at_gte={}&occurred_at_lt={day}", at(later))
        ),
        ["partner.suspended"]
    );
    assert_eq!(
        listed(&world, &format!("occurred_at_gte={day}")),
        ["partner.approved", "partner.created"]
    );
}
