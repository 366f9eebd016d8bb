//! Evidence, claims, shares and models: who gets credit for a deal, and who may know.

mod afterwards;
mod claims;
mod corrections;
mod models;
mod shared_anew;
mod timeline;
mod touchpoints;
mod under_caps;

use crate::world::{Actor, Reply, World, money};
use serde_json::{Value, json};

/// A deal that two partners have a part in: one made it, the other has influenced it. Neither knows of the other.
struct Shared {
    world: World,
    program: String,
    maker: String,
    rival: String,
    deal: String,
}

impl Shared {
    fn new() -> Self {
        let world = World::new();
        let program = world.ten_percent(json!({}));
        let [maker, rival] = ["Maker", "Rival"].map(|name| world.enrolled(name, &program));
        let body = json!({
            "name": "Deal", "account_id": world.account(), "program_id": program, "partner_id": maker,
            "amount": money("1000.00 USD"), "opened_on": "2026-01-02"
        });
        let deal = world.admin().post("/v1/deals", body).expect(201).id();
        world.credit(&deal, &rival, "influenced", 10_000);
        Self {
            world,
            program,
            maker,
            rival,
            deal,
        }
    }

    fn touch(&self, actor: &Actor, partner: &str, kind: &str, at: &str) -> String {
        let body = json!({ "deal_id": self.deal, "partner_id": partner, "kind": kind, "occurred_at": at });
        actor.post("/v1/touchpoints", body).expect(201).id()
    }

    fn claim(&self, actor: &Actor, role: &str, share: u32, evidence: &[&str]) -> Reply {
        let body = json!({
            "deal_id": self.deal, "role": role, "share_basis_points": share, "touchpoint_ids": evidence
        });
        actor.post("/v1/attributions", body)
    }
}

fn ids(records: &[Value]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record["id"].as_str().unwrap())
        .collect()
}
