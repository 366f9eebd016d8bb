//! `kill -9` of Postgres while money comes in from all sides.

use super::books;
use crate::world::{Actor, Cluster, Settings, World, money};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const CLIENTS: usize = 6;
const PAYMENTS: usize = 10;
/// In the place of a status, of what was not asked.
const UNASKED: u16 = 0;

/// Invoices of one partner under a rule that counts, so that all payments meet at one standing.
fn stage(cluster: &std::sync::Arc<Cluster>) -> (World, Vec<Vec<String>>) {
    let world = World::on(cluster.database(), Settings::default());
    let program = world.program(json!({ "name": "Counted" }));
    world.rule(&program, "0.1", json!({}));
    let body = json!({ "program_id": program, "name": "Bonus", "component": "bonus", "terms": {
        "formula": { "type": "tiered", "currency": "USD", "tier_mode": "marginal", "tier_scope": "lifetime",
            "tiers": [{ "from": "0", "rate": "0" }, { "from": "0.01", "rate": "0.1" }] },
        "hold_days": 0, "effective_from": "2020-01-01T00:00:00Z" } });
    let rule = world.admin().post("/v1/commission-rules", body).expect(201).id();
    let versions = world
        .admin()
        .all(&format!("/v1/commission-rule-versions?commission_rule_id={rule}"));
    world.activate(versions[0]["id"].as_str().unwrap()).expect(200);
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "5000.00 USD", &[(&partner, 10_000)]);
    let invoices = (0..CLIENTS)
        .map(|_| {
            (0..PAYMENTS)
                .map(|_| world.invoice(&deal, "USD", &["10.00"]))
                .collect()
        })
        .collect();
    (world, invoices)
}

fn pay(actor: &Actor, invoice: &str) -> u16 {
    let path = format!("/v1/invoices/{invoice}/payments");
    let body = json!({ "amount": money("10.00 USD"), "paid_at": "2026-03-02T08:00:00Z" });
    actor.post_with_key(invoice, &path, body).status
}

#[test]
fn a_postgres_that_is_killed_under_load_keeps_what_was_answered_and_nothing_by_halves() {
    let (undisturbed, invoices) = stage(&Cluster::shared());
    for invoice in invoices.iter().flatten() {
        assert_eq!(pay(undisturbed.admin(), invoice), 201);
    }
    undisturbed.work();
    undisturbed.books_balance();
    let cluster = Cluster::that_lasts();
    let (world, invoices) = stage(&cluster);
    let answered = AtomicUsize::new(0);
    let kept: Vec<(String, u16)> = thread::scope(|scope| {
        let clients: Vec<_> = invoices
            .iter()
            .map(|invoices| {
                let (actor, answered) = (world.admin().clone(), &answered);
                scope.spawn(move || {
                    let mut goes_well = true;
                    let mut pay = |invoice: &String| {
                        // Whoever is refused asks nothing more for now.
                        let status = if goes_well { pay(&actor, invoice) } else { UNASKED };
                        goes_well = status == 201;
                        answered.fetch_add(usize::from(goes_well), Ordering::AcqRel);
                        (invoice.clone(), status)
                    };
                    invoices.iter().map(&mut pay).collect::<Vec<_>>()
                })
            })
            .collect();
        while answered.load(Ordering::Acquire) < CLIENTS * PAYMENTS / 4 {
            thread::yield_now();
        }
        cluster.kill();
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    });
    let lost = kept.iter().filter(|(_, status)| ![201, UNASKED].contains(status));
    let lost: Vec<u16> = lost.map(|(_, status)| *status).collect();
    assert_eq!(lost, vec![503; CLIENTS], "each client was refused once");
    cluster.start_again();
    world.nobody().get("/readyz").expect(200);
    world.books_balance();
    // What was answered is there; the rest is asked again with the same key, whether it had come through or not.
    for (invoice, status) in &kept {
        let found = world.admin().get(&format!("/v1/invoices/{invoice}")).expect(200);
        if *status == 201 {
            assert_eq!(found["status"], "paid");
        }
        assert_eq!(pay(world.admin(), invoice), 201);
    }
    world.work();
    world.books_balance();
    let total = |world: &World| world.admin().get("/v1/trial-balance").expect(200).body;
    assert_ne!(total(&world)["accounts"], Value::Array(Vec::new()));
    assert_eq!(total(&world), total(&undisturbed));
    for ((what, calm), (_, killed)) in books(&undisturbed).iter().zip(&books(&world)) {
        assert_eq!(calm, killed, "{what}");
    }
}
