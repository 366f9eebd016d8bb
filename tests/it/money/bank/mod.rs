//! Payouts by a file for a bank: whom such a run pays, and what is in the file.

mod files;
mod gate;
mod pain001;
mod stopped;

use crate::world::{Actor, World};
use chrono::TimeDelta;
use serde_json::json;

/// Longer than an account cools off.
const COOLED_OFF: TimeDelta = TimeDelta::hours(73);

/// A proposal of a bank account in this currency; its id.
fn proposed(world: &World, partner: &str, currency: &str, iban: &str) -> String {
    let body = json!({
        "partner_id": partner, "currency": currency, "kind": "bank_account", "account_holder": "Nordlicht & Söhne",
        "iban": iban
    });
    world.admin().post("/v1/payout-methods", body).expect(201).id()
}

/// A bank account in this currency that another person confirmed just now; its id.
fn account(world: &World, partner: &str, currency: &str, iban: &str) -> String {
    let id = proposed(world, partner, currency, iban);
    confirm(world, &id);
    id
}

fn confirm(world: &World, id: &str) {
    let second = world.another_hand(&["payout_methods:confirm"]);
    second
        .act(&format!("/v1/payout-methods/{id}/confirm"))
        .expect(200);
}

fn withdraw(world: &World, id: &str) {
    world
        .admin()
        .act(&format!("/v1/payout-methods/{id}/withdraw"))
        .expect(200);
}

/// The organization pays from this account.
fn name_debtor(world: &World, name: &str, iban: &str) {
    let body = json!({ "payout_debtor_name": name, "payout_debtor_iban": iban });
    world.admin().patch("/v1/organization", body).expect(200);
}

fn clerk(world: &World) -> Actor {
    world.key(&["payout_runs:write"])
}
