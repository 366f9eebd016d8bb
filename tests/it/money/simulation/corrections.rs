//! Settled credit is corrected, and what that means for earlier money is approved by somebody else.

use super::story::Story;
use serde_json::{Value, json};

impl Story {
    /// Settled credit gets another share; it and whatever was proposed since the last time is approved.
    pub fn correction(&mut self) -> bool {
        let credits = self.world.admin().all("/v1/attributions?status=confirmed");
        let settled: Vec<Value> = credits
            .into_iter()
            .filter(|credit| !credit["settled_at"].is_null())
            .collect();
        let Some(credit) = self.chance.one(&settled).cloned() else {
            return false;
        };
        let share = credit["share_basis_points"].as_i64().unwrap();
        let body = json!({ "reason": "By chance.", "share_basis_points": self.chance.between(1, share + 500).min(10_000) });
        let path = format!("/v1/attributions/{}/correct", credit["id"].as_str().unwrap());
        let reply = self.world.admin().post_once(&path, body);
        let done = self.attempt(reply).is_some();
        for proposal in self.judge.all("/v1/adjustments?status=proposed") {
            let path = format!("/v1/adjustments/{}/approve", proposal["id"].as_str().unwrap());
            let reply = self.judge.post_once(&path, Value::Null);
            if reply.status == 409 {
                reply.refused(409, "commission_on_hold");
            } else {
                reply.expect(200);
            }
        }
        done
    }
}
