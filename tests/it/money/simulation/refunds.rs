//! Money goes back, and some of it comes in again.

use super::story::{Payment, Refund, Story, amount};
use super::verbs::recent;
use serde_json::json;

impl Story {
    /// A part of what was paid goes back, or all of it, by the vendor or by the bank.
    pub fn refund(&mut self) -> bool {
        let left: Vec<usize> = (0..self.payments.len())
            .filter(|index| self.payments[*index].left > 0)
            .collect();
        let Some(index) = self.chance.one(recent(&left)).copied() else {
            return false;
        };
        let Payment { id, currency, left } = self.payments[index].clone();
        let units = if self.chance.percent(40) {
            left
        } else {
            self.chance.between(1, left)
        };
        let kind = if self.chance.percent(70) {
            "refund"
        } else {
            "chargeback"
        };
        let body = json!({ "kind": kind, "amount": amount(units, currency), "refunded_at": self.now });
        let path = format!("/v1/payments/{id}/refunds");
        let reply = self.world.admin().post_once(&path, body);
        let Some(refund) = self.attempt(reply) else {
            return false;
        };
        self.payments[index].left -= units;
        self.refunds.push(Refund {
            id: refund.id(),
            payment: index,
            left: units,
        });
        true
    }

    /// A part of a refund comes in again, or all of it.
    pub fn reinstatement(&mut self) -> bool {
        let left: Vec<usize> = (0..self.refunds.len())
            .filter(|index| self.refunds[*index].left > 0)
            .collect();
        let Some(index) = self.chance.one(recent(&left)).copied() else {
            return false;
        };
        let Refund { id, payment, left } = self.refunds[index].clone();
        let mut body = json!({ "reinstated_at": self.now });
        let mut units = left;
        if self.chance.percent(50) {
            units = self.chance.between(1, left);
            body["amount"] = amount(units, self.payments[payment].currency);
        }
        let path = format!("/v1/refunds/{id}/reinstatements");
        let reply = self.world.admin().post_once(&path, body);
        let done = self.attempt(reply).is_some();
        if done {
            self.refunds[index].left -= units;
            self.payments[payment].left += units;
        }
        done
    }
}
