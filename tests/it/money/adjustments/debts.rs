//! Whatever the order in which a partner earns, is paid, loses it again and is forgiven: a write-off never exceeds what is
//! owed when it is approved, and the balance ends where the journal says.

use super::{PATH, propose, second, small, verb};
use crate::world::{Actor, World};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};

/// What happens; amounts are cents of commission.
#[derive(Debug, Clone)]
enum Step {
    /// A sale earns this.
    Earn(i64),
    /// One of the sales is refunded in full.
    LoseOne(usize),
    /// What is owed is paid.
    BePaid,
    /// A person gives or takes this.
    Adjust(i64),
    /// Somebody proposes to write off this.
    Propose(i64),
    /// One of the proposals is approved.
    Approve(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1i64..2_000).prop_map(Step::Earn),
        3 => (0usize..64).prop_map(Step::LoseOne),
        2 => Just(Step::BePaid),
        1 => prop_oneof![-500i64..0, 1i64..500].prop_map(Step::Adjust),
        3 => (1i64..2_000).prop_map(Step::Propose),
        3 => (0usize..64).prop_map(Step::Approve),
    ]
}

/// A partner, and what a plain sum says of it.
struct Story {
    world: World,
    program: String,
    partner: String,
    second: Actor,
    finance: Actor,
    /// Sales that were not refunded: the payment and what it earned.
    sales: Vec<(String, i64)>,
    /// Write-offs that nobody decided.
    proposed: Vec<(String, i64)>,
    /// What is owed to the partner; below zero what it owes.
    owed: i64,
    written_off: i64,
}

fn dollars(cents: i64) -> String {
    format!("{} USD", Decimal::new(cents, 2))
}

impl Story {
    fn new() -> Self {
        let (world, program, partner) = small();
        let (second, finance) = (second(&world), world.finance());
        Self {
            world,
            program,
            partner,
            second,
            finance,
            sales: Vec::new(),
            proposed: Vec::new(),
            owed: 0,
            written_off: 0,
        }
    }

    fn debt(&self) -> i64 {
        (-self.owed).max(0)
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Earn(cents) => {
                let payment = self
                    .world
                    .sale(&self.program, &self.partner, &dollars(cents * 10));
                self.sales.push((payment, *cents));
                self.owed += cents;
            }
            Step::LoseOne(_) if self.sales.is_empty() => {}
            Step::LoseOne(index) => {
                let (payment, cents) = self.sales.swap_remove(index % self.sales.len());
                self.world.refund(&payment, &dollars(cents * 10));
                self.owed -= cents;
            }
            Step::BePaid if self.owed <= 0 => {}
            Step::BePaid => {
                self.world.paid_run(&self.finance);
                self.owed = 0;
            }
            Step::Adjust(cents) => {
                let amount = dollars(*cents);
                let id = propose(self.world.admin(), &self.partner, &self.program, &amount);
                verb(&self.second, &id, "approve").expect(200);
                self.owed += cents;
            }
            Step::Propose(cents) => self.propose(*cents),
            Step::Approve(_) if self.proposed.is_empty() => {}
            Step::Approve(index) => {
                let (id, cents) = self.proposed.swap_remove(index % self.proposed.len());
                self.approve(&id, cents);
            }
        }
    }

    fn propose(&mut self, cents: i64) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut body = super::body(&self.partner, &self.program, &dollars(cents));
        body["reason_code"] = "write_off".into();
        body["external_id"] = format!("debt-{}", COUNT.fetch_add(1, Ordering::Relaxed)).into();
        let reply = self.world.admin().post_once(PATH, body);
        if cents <= self.debt() {
            self.proposed.push((reply.expect(201).id(), cents));
        } else {
            reply.refused(409, "write_off_exceeds_debt");
        }
    }

    fn approve(&mut self, id: &str, cents: i64) {
        let debt = self.debt();
        let reply = verb(&self.second, id, "approve");
        if cents > debt {
            reply.refused(409, "write_off_exceeds_debt");
            return;
        }
        let debt = dollars(debt);
        assert_eq!(reply.expect(200)["debt"], crate::world::money(&debt));
        self.owed += cents;
        self.written_off += cents;
    }

    /// What the journal, the balance and the check of the books make of it.
    fn agree(&self) {
        let figures = |value: &Value| value["amount"].as_str().unwrap().parse::<Decimal>().unwrap();
        let entries = self
            .world
            .admin()
            .all("/v1/ledger-entries?kind=write_off&sort=created_at");
        let written_off: Decimal = entries.iter().map(|entry| figures(&entry["amount"])).sum();
        assert_eq!(written_off, Decimal::new(self.written_off, 2));
        let balances = self.world.admin().all("/v1/balances");
        let owed: Decimal = balances.iter().map(|balance| figures(&balance["payable"])).sum();
        assert_eq!(owed, Decimal::new(self.owed, 2));
        self.world.books_balance();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 12, ..ProptestConfig::with_cases(3) })]

    #[test]
    fn no_order_of_things_writes_off_more_than_is_owed(
        first in 500i64..2_000, steps in prop::collection::vec(any_step(), 10..26),
    ) {
        let mut story = Story::new();
        // From a debt on, so that there is something to forgive.
        let start = [Step::Earn(first), Step::BePaid, Step::LoseOne(0)];
        for step in start.iter().chain(&steps) {
            story.step(step);
        }
        story.agree();
    }
}
