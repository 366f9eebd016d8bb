//! A guaranteed draw: what it pays beyond what was earned is an advance, and later earnings pay it back.
//!
//! An advance is two adjustments: one that a run pays, and its opposite, approved after that run's cut-off. The balance
//! goes below zero by it and is carried forward as any other.

use super::express::text;
use super::model::*;
use crate::world::{Actor, World, money};
use chrono::TimeDelta;
use copartner::kernel::money::Money;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A partner that is guaranteed something, and whoever approves what it is advanced.
struct Guaranteed {
    world: World,
    program: String,
    partner: String,
    second: Actor,
    finance: Actor,
}

impl Guaranteed {
    fn new() -> Self {
        let world = World::new();
        let program = world.program(json!({}));
        world.rule(&program, "1", json!({}));
        let partner = world.enrolled("A", &program);
        let second = world.another_hand(&["adjustments:approve"]);
        let finance = world.finance();
        Self {
            world,
            program,
            partner,
            second,
            finance,
        }
    }

    /// What the partner is owed; below zero what it owes.
    fn owed(&self) -> Money {
        usd(self.world.balance(&self.partner, "payable").parse().unwrap())
    }

    fn adjust(&self, amount: Money) {
        let body = json!({
            "partner_id": self.partner, "program_id": self.program, "amount": money(&amount.to_string()),
            "reason_code": "advance", "reason": "The guaranteed draw."
        });
        let proposed = self.world.admin().post_once("/v1/adjustments", body).expect(201);
        let approve = format!("/v1/adjustments/{}/approve", proposed.id());
        self.second.post_once(&approve, Value::Null).expect(200);
    }

    /// A period: what the partner is paid for it, and what it owes afterwards.
    fn period(&self, gross: Decimal, draw: Money) -> (String, String) {
        self.world
            .sale(&self.program, &self.partner, &usd(gross).to_string());
        let advance = draw.checked_sub(self.owed()).unwrap();
        let is_short = advance.is_positive();
        if is_short {
            self.adjust(advance);
        }
        let payouts = self.world.paid_run(&self.finance).payouts();
        let paid = payouts[0]["amount"]["amount"].as_str().unwrap().to_owned();
        self.world.pass(TimeDelta::days(1));
        if is_short {
            self.adjust(advance.checked_neg().unwrap());
        }
        let owed = text(self.owed());
        if is_short {
            let carried = [(owed.clone(), "not_positive".to_owned())];
            assert_eq!(self.world.draft_run().carried(), carried);
        }
        self.world.pass(TimeDelta::days(29));
        (paid, owed)
    }
}

pub fn draw(given: &Value) -> Value {
    let guaranteed = Guaranteed::new();
    let draw = usd(decimal(&given["draw"]));
    let periods = decimals(&given["gross"])
        .into_iter()
        .map(|gross| guaranteed.period(gross, draw));
    let (net, debt): (Vec<String>, Vec<String>) = periods.unzip();
    guaranteed.world.books_balance();
    json!({ "net": net, "debt_after": debt })
}
