//! What ladders and moves refuse.

use super::{days, laddered, of, review, set, standing, steps, tier};
use crate::world::World;
use serde_json::{Value, json};

#[test]
fn a_ladder_refuses_what_contradicts_itself_and_tiers_that_are_lived_in() {
    let world = World::new();
    let program = laddered(&world, json!({}));
    let refused = |body: Value| set(&world, &program, body).refused(422, "validation_failed");
    let criterion =
        |criterion: Value| json!({ "tiers": [{ "code": "a", "name": "A", "criteria": [criterion] }] });
    let at = "/tiers/0/criteria/0";
    for (body, field, code) in [
        (
            json!({ "metric": "paid_revenue", "threshold": "1" }),
            "currency",
            "missing",
        ),
        (
            json!({ "metric": "won_deals", "threshold": "1", "currency": "EUR" }),
            "currency",
            "not_money",
        ),
        (
            json!({ "metric": "won_deals", "threshold": "1.5" }),
            "threshold",
            "not_a_whole_number",
        ),
        (
            json!({ "metric": "won_deals", "threshold": "0" }),
            "threshold",
            "not_positive",
        ),
        (
            json!({ "metric": "won_revenue", "threshold": "1.001", "currency": "EUR" }),
            "threshold",
            "too_many_decimals",
        ),
    ] {
        refused(criterion(body)).pointer(&format!("{at}/{field}"), code);
    }
    let twice = json!({ "tiers": [{ "code": "a", "name": "A" }, { "code": "a", "name": "B" }] });
    refused(twice).pointer("/tiers/1/code", "duplicate");
    let asks = |code: &str, deals: &str| {
        let criterion = json!({ "metric": "won_deals", "threshold": deals });
        json!({ "code": code, "name": code, "criteria": [criterion] })
    };
    let falling = json!({ "tiers": [asks("a", "3"), asks("b", "3"), asks("c", "2")] });
    refused(falling).pointer("/tiers/2/criteria/0/threshold", "descending");
    refused(json!({ "period": "rolling" })).pointer("/period_months", "missing");
    refused(json!({ "period_months": 6 })).pointer("/period_months", "not_rolling");
    world.enrolled("Nordlicht", &program);
    world.work();
    refused(json!({ "tiers": [{ "code": "gold", "name": "Gold" }] })).pointer("/tiers", "tier_in_use");
    let keyed = |code: &str| json!({ "tiers": [{ "code": code, "name": "A", "external_id": "crm-a" }] });
    let (one, two) = (world.program(json!({})), world.program(json!({})));
    set(&world, &one, keyed("a")).expect(200);
    set(&world, &two, keyed("b"))
        .refused(409, "external_id_taken")
        .pointer("/tiers", "taken");
    let current = world
        .admin()
        .get(&format!("/v1/programs/{one}/tiers"))
        .expect(200);
    assert_eq!(current.header("etag"), "\"1\"");
}

#[test]
fn a_tier_of_a_ladder_changes_with_a_move_only() {
    let world = World::new();
    let free = world.program(json!({}));
    let bare = world.enrolled("Bare", &free);
    let move_to = |partner: &str, tier: Value| {
        let body = json!({ "tier": tier, "reason": "Because." });
        world.admin().post(&of(&world, partner, "move-tier"), body)
    };
    // Without a ladder the tier is free text, as ever, and no move.
    let path = |partner: &str| of(&world, partner, "").trim_end_matches('/').to_owned();
    world
        .admin()
        .patch(&path(&bare), json!({ "tier": "whatever" }))
        .expect(200);
    move_to(&bare, json!("gold")).refused(409, "wrong_state");
    assert_eq!(standing(&world, &bare)["forecast"], "The program has no tiers.");
    world
        .admin()
        .act(&format!("/v1/programs/{free}/tier-reviews"))
        .refused(409, "wrong_state");
    // What was written before the ladder is no tier of it, and the first review puts it right.
    set(&world, &free, json!({ "tiers": steps() })).expect(200);
    assert_eq!(review(&world, &free)["promoted"], 1);
    assert_eq!(tier(&world, &bare), "bronze");
    world
        .admin()
        .patch(&path(&bare), json!({ "tier": "gold" }))
        .refused(422, "validation_failed")
        .pointer("/tier", "moved_by_verb");
    world
        .admin()
        .patch(&path(&bare), json!({ "external_id": "crm-1" }))
        .expect(200);
    let body = json!({ "partner_id": world.partner("New"), "program_id": free, "tier": "platinum" });
    world
        .admin()
        .post("/v1/enrollments", body)
        .refused(422, "validation_failed")
        .pointer("/tier", "unknown_tier");
    move_to(&bare, json!("platinum"))
        .refused(422, "validation_failed")
        .pointer("/tier", "unknown_tier");
    move_to(&bare, json!("bronze")).refused(409, "wrong_state");
    let past = json!({ "pinned_until": "2026-03-01T00:00:00Z", "reason": "Late." });
    world
        .admin()
        .post(&of(&world, &bare, "pin-tier"), past)
        .refused(422, "validation_failed")
        .pointer("/pinned_until", "not_ahead");
    assert_eq!(move_to(&bare, Value::Null).expect(200)["tier"], Value::Null);
    let end = of(&world, &bare, "end");
    world.admin().post(&end, json!({ "reason": "Over." })).expect(200);
    for (verb, body) in [
        ("move-tier", json!({ "tier": "gold", "reason": "Late." })),
        (
            "pin-tier",
            json!({ "pinned_until": "2027-01-01T00:00:00Z", "reason": "Late." }),
        ),
        ("unpin-tier", json!({ "reason": "Late." })),
    ] {
        let refused = world
            .admin()
            .post(&of(&world, &bare, verb), body)
            .refused(409, "wrong_state");
        assert_eq!(
            (&refused["current_state"], &refused["allowed_moves"]),
            (&json!("ended"), &json!([]))
        );
    }
    days(&world, 2);
    assert_eq!(tier(&world, &bare), Value::Null, "who has ended is not reviewed");
}
