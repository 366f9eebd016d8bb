//! Amounts that people give and take: by two of them, in the books once, paid or set off by the next run.

mod debts;
mod deciding;
mod holding;
mod paying;
mod writing_off;

use crate::world::{Actor, Reply, World, money};
use serde_json::{Value, json};

const PATH: &str = "/v1/adjustments";

fn body(partner: &str, program: &str, amount: &str) -> Value {
    json!({
        "partner_id": partner, "program_id": program, "amount": money(amount), "reason_code": "correction",
        "reason": "Counted by hand."
    })
}

fn propose(actor: &Actor, partner: &str, program: &str, amount: &str) -> String {
    actor
        .post_once(PATH, body(partner, program, amount))
        .expect(201)
        .id()
}

fn verb(actor: &Actor, id: &str, verb: &str) -> Reply {
    actor.post_once(&format!("{PATH}/{id}/{verb}"), Value::Null)
}

fn refuse(actor: &Actor, id: &str) -> Reply {
    actor.post(
        &format!("{PATH}/{id}/refuse"),
        json!({ "reason": "Counted wrongly." }),
    )
}

/// Another person, who may approve and nothing else.
fn second(world: &World) -> Actor {
    world.another_hand(&["adjustments:read", "adjustments:approve"])
}

/// An adjustment that counts; its id.
fn adjusted(world: &World, partner: &str, program: &str, amount: &str) -> String {
    let id = propose(world.admin(), partner, program, amount);
    verb(&second(world), &id, "approve").expect(200);
    id
}

fn status(world: &World, id: &str) -> String {
    world
        .admin()
        .get(&format!("{PATH}/{id}"))
        .expect(200)
        .text("/status")
        .to_owned()
}

/// A world with a program of ten percent and a partner in it.
fn small() -> (World, String, String) {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    (world, program, partner)
}

fn entries(world: &World) -> Vec<Value> {
    world
        .admin()
        .all("/v1/ledger-entries?kind=adjustment_up&kind=adjustment_down&sort=created_at")
}
