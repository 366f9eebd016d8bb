//! Deal registrations: claims, their life cycle, races for an account, and what partners do not learn of one another.

mod alike;
mod contested;
mod joined;
mod lifecycle;
mod linked;
mod promises;
mod racing;
mod secrecy;
mod time;

use crate::world::{Actor, Reply, World, money};
use serde_json::{Value, json};

const PATH: &str = "/v1/deal-registrations";

/// A program in which partners register, with these deal rules.
fn program(world: &World, rules: Value) -> String {
    let program = world.program(json!({}));
    if rules.as_object().is_some_and(|rules| !rules.is_empty()) {
        let path = format!("/v1/programs/{program}/deal-rules");
        world.admin().patch(&path, rules).expect(200);
    }
    program
}

/// A partner of the program with a key of its own.
fn partner(world: &World, name: &str, program: &str) -> (String, Actor) {
    let partner = world.enrolled(name, program);
    let actor = world.full_partner_key(&partner);
    (partner, actor)
}

/// The plainest claim.
fn claim(program: &str, domain: &str) -> Value {
    json!({
        "program_id": program, "account_name": "Hafen Logistik", "account_domain": domain,
        "amount": money("25000.00 EUR")
    })
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

/// A verb on a registration.
fn verb(actor: &Actor, id: &str, verb: &str) -> Reply {
    actor.act(&format!("{PATH}/{id}/{verb}"))
}

fn why() -> Value {
    json!({ "reason_code": "other", "reason": "It was not to be." })
}

/// A verb with whatever body it needs.
fn verb_with_body(actor: &Actor, id: &str, name: &str) -> Reply {
    let path = format!("{PATH}/{id}/{}", name.replace('_', "-"));
    match name {
        "reject" | "revoke" => actor.post(&path, why()),
        "request_action" => actor.post(&path, json!({ "reason": "Who decides?" })),
        _ => actor.act(&path),
    }
}
