//! Disputes: what they hold up, how they end, who may do what, and what many at once come to.

mod awards;
mod decisions;
mod falls;
mod lifecycle;
mod money;
mod several;
mod twice;

use crate::world::{Actor, Reply, World, money};
use serde_json::{Value, json};

const PATH: &str = "/v1/disputes";

/// A dispute of these commissions, opened by this caller.
fn open(actor: &Actor, lines: &[&str], claimed: &str) -> Reply {
    let body = json!({
        "subject_ids": lines, "reason_code": "amount_too_low", "statement": "It should be more.",
        "claimed_amount": money(claimed)
    });
    actor.post(PATH, body)
}

/// A dispute of what somebody decided.
fn contest(actor: &Actor, subject: &str, more: Value) -> Reply {
    let mut body = json!({ "subject_ids": [subject], "reason_code": "other", "statement": "Look again." });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    actor.post(PATH, body)
}

fn verb(actor: &Actor, id: &str, name: &str, body: Value) -> Reply {
    let path = format!("{PATH}/{id}/{}", name.replace('_', "-"));
    actor.post_once(&path, body)
}

fn decide(actor: &Actor, id: &str, outcome: &str) -> Reply {
    verb(
        actor,
        id,
        "decide",
        json!({ "outcome": outcome, "reason": "We looked again." }),
    )
}

/// Somebody else, with everything that is needed to decide.
fn judge(world: &World) -> Actor {
    world.another_hand(&[
        "disputes:read",
        "disputes:review",
        "disputes:decide",
        "adjustments:write",
        "adjustments:approve",
        "deal_registrations:review",
        "registration_conflicts:decide",
        "attributions:review",
    ])
}

fn status(world: &World, id: &str) -> String {
    let found = world.admin().get(&format!("{PATH}/{id}")).expect(200);
    found.text("/status").to_owned()
}

/// A world with a partner that earned 10.00 USD, approved; its key and the line.
fn earned() -> (World, String, String, Actor, String) {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let actor = world.full_partner_key(&partner);
    let line = world.line("")["id"].as_str().unwrap().to_owned();
    (world, program, partner, actor, line)
}
