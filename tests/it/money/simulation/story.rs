//! Who lives in the simulation, what they have, and what they do next.

use super::chance::Chance;
use crate::world::{Actor, FINANCE, Reply, World, count, money};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A program, what is sold in it, and the version of its base rule that was written last.
#[derive(Debug, Clone)]
pub struct Program {
    pub id: String,
    pub currencies: &'static [&'static str],
    pub versions: Vec<String>,
}

/// An invoice with what is open of it, in minor units.
#[derive(Debug, Clone)]
pub struct Invoice {
    pub id: String,
    pub currency: &'static str,
    pub open: i64,
}

/// A payment with what did not go back of it.
#[derive(Debug, Clone)]
pub struct Payment {
    pub id: String,
    pub currency: &'static str,
    pub left: i64,
}

/// A refund with what did not come in again of it, and the place of its payment among all.
#[derive(Debug, Clone)]
pub struct Refund {
    pub id: String,
    pub payment: usize,
    pub left: i64,
}

/// A deal.
#[derive(Debug, Clone)]
pub struct Deal {
    pub id: String,
    pub currency: &'static str,
    pub won: bool,
}

/// A partner and its key.
#[derive(Debug)]
pub struct Member {
    pub id: String,
    pub key: Actor,
    pub out: bool,
}

/// The whole of it.
#[derive(Debug)]
pub struct Story {
    pub world: World,
    pub chance: Chance,
    pub now: DateTime<Utc>,
    pub programs: Vec<Program>,
    pub members: Vec<Member>,
    pub deals: Vec<Deal>,
    pub invoices: Vec<Invoice>,
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
    pub disputes: Vec<(usize, String)>,
    pub runs: Vec<String>,
    /// The last day on which rates came in.
    pub rated_on: Option<NaiveDate>,
    pub clerk: Actor,
    pub finance: Actor,
    pub judge: Actor,
    done: BTreeMap<&'static str, u64>,
    log: Vec<String>,
}

/// What happens, and how often in a hundred.
type Step = (i64, &'static str, fn(&mut Story) -> bool);

const STEPS: &[Step] = &[
    (14, "a deal", Story::deal),
    (4, "a win", Story::win),
    (12, "an invoice", Story::invoice),
    (20, "a payment", Story::payment),
    (9, "a refund", Story::refund),
    (5, "a reinstatement", Story::reinstatement),
    (4, "a credit note", Story::credit_note),
    (4, "a correction", Story::correction),
    (5, "an approval", Story::approval),
    (4, "an adjustment", Story::adjustment),
    (5, "a dispute", Story::dispute),
    (4, "an end of a dispute", Story::settle),
    (3, "other terms", Story::other_terms),
    (2, "a partner out or in", Story::suspension),
    (9, "a run", Story::run),
    (5, "rates of the day", Story::rates),
    (9, "time", Story::time),
];

/// What has to have happened within the steps as well.
const MILESTONES: &[&str] = &[
    "a payout that was paid",
    "a payout that failed",
    "a payout that came back",
    "a run that was given up",
    "an upheld dispute",
    "a denied dispute",
    "a withdrawn dispute",
];

/// Refusals that are part of life: what was tried is no longer, or not yet, possible.
const REFUSALS: &[&str] = &[
    "wrong_state",
    "rule_backdated",
    "payout_run_stale",
    "validation_failed",
    "already_disputed",
    "exceeds_open_amount",
    "shares_exceed_whole",
];

/// Minor units as an amount on the wire.
pub fn amount(units: i64, currency: &str) -> Value {
    let exponent = match currency {
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    };
    let whole = 10_i64.pow(exponent);
    let text = if exponent == 0 {
        units.to_string()
    } else {
        let width = usize::try_from(exponent).unwrap();
        format!("{}.{:0width$}", units / whole, units % whole)
    };
    money(&format!("{text} {currency}"))
}

impl Story {
    /// Three programs that differ in everything that money goes by, and four partners, one below another, of whom two are
    /// paid in one currency whatever they earn.
    pub fn begin(seed: u64) -> Self {
        let world = World::sandbox();
        let now = world
            .admin()
            .get("/v1/organization/clock")
            .expect(200)
            .text("/current_at")
            .parse()
            .unwrap();
        let programs = programs(&world);
        let mut members = Vec::new();
        for name in ["Distributor", "Reseller", "Agency", "Integrator"] {
            let id = world.partner(name);
            for program in &programs {
                let body = json!({ "partner_id": id, "program_id": program.id });
                let enrollment = world.admin().post("/v1/enrollments", body).expect(201);
                let activate = format!("/v1/enrollments/{}/activate", enrollment.id());
                world.admin().act(&activate).expect(200);
            }
            let key = world.full_partner_key(&id);
            members.push(Member { id, key, out: false });
        }
        let above = json!({ "parent_id": members[0].id });
        world
            .admin()
            .patch(&format!("/v1/partners/{}", members[1].id), above)
            .expect(200);
        for (index, currency) in [(2, "EUR"), (3, "USD")] {
            let paid_in = json!({ "payout_currency": currency });
            let path = format!("/v1/partners/{}", members[index].id);
            world.admin().patch(&path, paid_in).expect(200);
        }
        let clerk = world.key(&["payout_runs:write", "payout_runs:read"]);
        let finance = world.key(&FINANCE);
        let judge = world.another_hand(&[
            "disputes:read",
            "disputes:review",
            "disputes:decide",
            "adjustments:read",
            "adjustments:write",
            "adjustments:approve",
        ]);
        Self {
            world,
            chance: Chance::new(seed),
            now,
            programs,
            members,
            deals: Vec::new(),
            invoices: Vec::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            runs: Vec::new(),
            rated_on: None,
            clerk,
            finance,
            judge,
            done: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    /// Something happens, by chance.
    pub fn step(&mut self) {
        let mut drawn = self.chance.between(1, STEPS.iter().map(|step| step.0).sum());
        for (weight, name, act) in STEPS {
            if drawn <= *weight {
                self.log.push((*name).to_owned());
                if act(self) {
                    self.note(name);
                }
                return;
            }
            drawn -= weight;
        }
    }

    /// Everything that is under way comes to its end: all of it is paid, or carried on.
    pub fn end(&mut self) {
        self.advance(400);
        while self.settle() {}
        self.rates();
        self.approval();
        self.run();
        self.advance(40);
        self.world.work();
    }

    /// Fails unless every kind of step succeeded; otherwise the story would prove little.
    pub fn was_eventful(&self, steps: u64) {
        if steps >= super::STEPS {
            let steps = STEPS.iter().map(|(_, name, _)| name);
            for name in steps.chain(MILESTONES) {
                assert!(self.done.contains_key(name), "never {name}: {:?}", self.done);
            }
            let mut owner = self.world.database().owner();
            for policy in ["at_accrual", "at_payout"] {
                let lines = format!(
                    "SELECT count(*) AS count FROM commissions WHERE fx_policy = '{policy}' AND exchange IS NOT NULL"
                );
                assert!(count(&mut owner, &lines) > 0, "never exchanged {policy}");
            }
        }
    }

    /// Keeps that something happened.
    pub fn note(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// Which of these happened least so far.
    pub fn rarest(&self, of: &[&'static str]) -> &'static str {
        of.iter()
            .copied()
            .min_by_key(|what| self.done.get(what).copied().unwrap_or_default())
            .unwrap()
    }

    /// Does something that may be refused for good reasons.
    pub fn attempt(&mut self, reply: Reply) -> Option<Reply> {
        if (200..300).contains(&reply.status) {
            self.log.push(format!("  {} {}", reply.status, brief(&reply)));
            return Some(reply);
        }
        let code = reply["code"].as_str().unwrap_or_default().to_owned();
        self.log.push(format!("  refused: {code} {}", reply["detail"]));
        assert!(
            (reply.status == 409 || reply.status == 422) && REFUSALS.contains(&code.as_str()),
            "{} after {:?}",
            reply.raw(),
            self.last()
        );
        None
    }

    /// The sandbox's clock goes on, and the worker does what is due.
    pub fn advance(&mut self, hours: i64) {
        let body = json!({ "by_seconds": hours * 3_600 });
        let clock = self
            .world
            .admin()
            .post("/v1/organization/clock/advance", body)
            .expect(200);
        self.now = clock.text("/current_at").parse().unwrap();
        self.world.work();
    }

    /// What happened last.
    pub fn last(&self) -> &[String] {
        &self.log[self.log.len().saturating_sub(12)..]
    }

    /// The run that was drafted last.
    pub fn last_run(&self) -> Option<&str> {
        self.runs.last().map(String::as_str)
    }

    /// Every version of a base rule; each was in force from one midnight to another.
    pub fn base_versions(&self) -> Vec<String> {
        let versions = self.programs.iter().flat_map(|program| &program.versions);
        versions.cloned().collect()
    }
}

fn brief(reply: &Reply) -> String {
    let fields = ["id", "status", "amount"].map(|field| reply[field].to_string());
    fields.join(" ")
}

fn component(world: &World, program: &str, component: &str, terms: Value) {
    let body = json!({ "program_id": program, "name": component, "component": component, "terms": terms });
    let rule = world.admin().post("/v1/commission-rules", body).expect(201).id();
    let versions = world
        .admin()
        .all(&format!("/v1/commission-rule-versions?commission_rule_id={rule}"));
    world.activate(versions[0]["id"].as_str().unwrap()).expect(200);
}

fn percentage(rate: &str, more: Value) -> Value {
    let mut terms = json!({
        "formula": { "type": "percentage", "rate": rate }, "hold_days": 0, "effective_from": "2020-01-01T00:00:00Z"
    });
    terms
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    terms
}

fn programs(world: &World) -> Vec<Program> {
    let plain = world.program(json!({ "name": "Plain" }));
    let plain_rule = world.rule(&plain, "0.1", json!({ "hold_days": 30 }));
    component(world, &plain, "override", percentage("0.0233", json!({})));
    let counted = world.program(json!({
        "name": "Counted", "commission_approval": "manual", "rounding": "half_even",
        "minimum_payouts": [money("20.00 USD")], "time_zone": "America/New_York", "fx_policy": "at_payout"
    }));
    let tiers = json!([
        { "from": "0", "rate": "0.0515" }, { "from": "250", "rate": "0.0777" }, { "from": "2000", "rate": "0.13" }
    ]);
    let formula = json!({
        "type": "tiered", "currency": "USD", "tier_mode": "marginal", "tier_scope": "quarter", "tiers": tiers
    });
    let counted_rule = world.rule(&counted, "0", json!({ "formula": formula, "hold_days": 7 }));
    let cap = json!({ "limits": { "period_cap": { "amounts": [money("25.00 USD")], "period": "month" } } });
    component(world, &counted, "bonus", percentage("0.02", cap));
    let flat = world.program(json!({
        "name": "Flat", "lock_point": "invoice_paid", "clawback_window_days": 45, "time_zone": "Asia/Tokyo",
        "rounding": "down"
    }));
    let amounts = json!([money("777 JPY"), money("3.335 KWD")]);
    let formula = json!({ "type": "flat", "amounts": amounts });
    let flat_rule = world.rule(&flat, "0", json!({ "formula": formula, "hold_days": 0 }));
    vec![
        Program {
            id: plain,
            currencies: &["EUR", "USD", "JPY", "KWD"],
            versions: vec![plain_rule],
        },
        Program {
            id: counted,
            currencies: &["USD"],
            versions: vec![counted_rule],
        },
        Program {
            id: flat,
            currencies: &["JPY", "KWD"],
            versions: vec![flat_rule],
        },
    ]
}
