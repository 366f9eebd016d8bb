//! Payouts that the service pays itself by transfers at Stripe, against a stand-in that keeps its word about keys, loses
//! answers and orders, refuses, and tells of what came back. Whatever happens, no payout is ever transferred twice.

mod killed;
mod lost;
mod paying;
mod refused;
mod told;

use crate::world::{Actor, Reply, Run, StandIn, World, texts};
use chrono::TimeDelta;
use copartner::platform::stripe::Stripe;
use serde_json::{Value, json};

const ACCOUNT: &str = "acct_1MTfjCQ9PRzxEwkZ";
/// Longer than an account cools off.
const COOLED_OFF: TimeDelta = TimeDelta::hours(73);
/// Longer than a transfer rests after its first attempts.
const A_WHILE: TimeDelta = TimeDelta::minutes(11);

/// A world that pays by a stand-in, with a partner that it owes 10.00 USD.
struct House {
    stand_in: StandIn,
    world: World,
    program: String,
    partner: String,
}

impl House {
    fn new() -> Self {
        let mut world = World::new();
        let stand_in = StandIn::at(&world.clock);
        world.stripe = Some(stand_in.account(world.home.id));
        world.restart();
        let program = world.ten_percent(json!({}));
        let partner = world.enrolled("Nordlicht", &program);
        method(&world, &partner, "USD", ACCOUNT);
        world.sale(&program, &partner, "100.00 USD");
        world.pass(COOLED_OFF);
        Self {
            stand_in,
            world,
            program,
            partner,
        }
    }

    /// The service pays in another way from now on; whoever called it before calls nobody.
    fn pay_with(&mut self, stripe: Stripe) {
        self.world.stripe = Some(stripe);
        self.world.restart();
    }

    fn finance(&self) -> Actor {
        self.world.finance()
    }

    /// A run of everything until now that is to be paid by Stripe; nothing was sent yet.
    fn run(&self) -> Run<'_> {
        let clerk = self.world.key(&["payout_runs:write"]);
        let finance = self.finance();
        let run = self.world.draft_run_on("stripe", &clerk);
        run.verb(&finance, "approve", Value::Null).expect(200);
        run.verb(&finance, "process", Value::Null).expect(200);
        run
    }

    /// The same, and the worker did what there was to do.
    fn sent(&self) -> Run<'_> {
        let run = self.run();
        self.world.work();
        run
    }

    /// Time passes, and the worker does what there is to do.
    fn later(&self, time: TimeDelta) {
        self.world.pass(time);
        self.world.work();
    }

    fn balance(&self, account: &str) -> String {
        self.world.balance(&self.partner, account)
    }

    /// What was told of payouts by these events: their reasons in the audit trail.
    fn told(&self, event: &str) -> Vec<String> {
        self.world.work();
        let entries = self
            .world
            .admin()
            .all(&format!("/v1/audit-events?action={event}"));
        texts(&entries, "reason")
    }
}

/// A confirmed account at Stripe; the method's id.
fn method(world: &World, partner: &str, currency: &str, account: &str) -> String {
    let body =
        json!({ "partner_id": partner, "currency": currency, "kind": "stripe", "stripe_account": account });
    let id = world.admin().post("/v1/payout-methods", body).expect(201).id();
    let second = world.another_hand(&["payout_methods:confirm"]);
    second
        .act(&format!("/v1/payout-methods/{id}/confirm"))
        .expect(200);
    id
}

/// The only payout of a run as it stands.
fn payout(run: &Run<'_>) -> Value {
    let payouts = run.payouts();
    assert_eq!(payouts.len(), 1, "{payouts:?}");
    payouts[0].clone()
}

fn status(run: &Run<'_>) -> String {
    payout(run)["status"].as_str().unwrap().to_owned()
}

/// A person's verb on the payout of a run.
fn decide(house: &House, run: &Run<'_>, verb: &str, body: Value) -> Reply {
    let path = format!("/v1/payouts/{}/{verb}", run.payout());
    house.finance().post_once(&path, body)
}
