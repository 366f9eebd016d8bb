//! What people do in the simulation. Each says whether it came to something.

use super::story::{Deal, Invoice, Payment, Story, amount};
use crate::world::texts;
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Deals that new money comes in on; older ones are done.
const RECENT: usize = 12;

pub fn recent<T>(all: &[T]) -> &[T] {
    &all[all.len().saturating_sub(RECENT)..]
}

impl Story {
    /// Somebody else's business with shares by chance; most are won at once.
    pub fn deal(&mut self) -> bool {
        let program = self.chance.one(&self.programs).unwrap().clone();
        let currency = *self.chance.one(program.currencies).unwrap();
        let account = self.world.account();
        let body = json!({
            "name": "Deal", "account_id": account, "program_id": program.id, "amount": amount(500_000, currency),
            "opened_on": self.now.date_naive() - TimeDelta::days(3)
        });
        let deal = self.world.admin().post("/v1/deals", body).expect(201).id();
        let mut left = 10_000;
        let first = usize::try_from(self.chance.between(0, 3)).unwrap();
        for index in 0..usize::try_from(self.chance.between(1, 3)).unwrap() {
            let share = if self.chance.percent(40) {
                left
            } else {
                self.chance.between(1, left)
            };
            let member = &self.members[(first + index) % self.members.len()];
            if member.out {
                continue;
            }
            let partner = member.id.clone();
            let share = u32::try_from(share).unwrap();
            self.world.credit(&deal, &partner, "sourced", share);
            left -= i64::from(share);
            if left == 0 {
                break;
            }
        }
        if self.chance.percent(25) {
            let member = self.chance.one(&self.members).unwrap();
            if !member.out {
                let partner = member.id.clone();
                self.world.credit(&deal, &partner, "delivered", 10_000);
            }
        }
        self.deals.push(Deal {
            id: deal,
            currency,
            won: false,
        });
        if self.chance.percent(75) {
            let last = self.deals.len() - 1;
            self.win_deal(last);
        }
        true
    }

    fn win_deal(&mut self, index: usize) -> bool {
        let path = format!("/v1/deals/{}/win", self.deals[index].id);
        let reply = self.world.admin().post(&path, json!({ "won_at": self.now }));
        let won = self.attempt(reply).is_some();
        self.deals[index].won |= won;
        won
    }

    /// An open deal is won, with all that was paid on it.
    pub fn win(&mut self) -> bool {
        let open: Vec<usize> = (0..self.deals.len())
            .filter(|index| !self.deals[*index].won)
            .collect();
        match self.chance.one(&open).copied() {
            Some(index) => self.win_deal(index),
            None => false,
        }
    }

    pub fn invoice(&mut self) -> bool {
        let deals = recent(&self.deals).to_vec();
        let Some(deal) = self.chance.one(&deals) else {
            return false;
        };
        let nets: Vec<i64> = (0..self.chance.between(1, 3))
            .map(|_| self.chance.between(1, 60_000))
            .collect();
        let lines: Vec<Value> = nets
            .iter()
            .map(|net| json!({ "net": amount(*net, deal.currency)["amount"] }))
            .collect();
        let body = json!({
            "deal_id": deal.id, "currency": deal.currency, "issued_on": self.now.date_naive(), "lines": lines
        });
        let id = self.world.admin().post("/v1/invoices", body).expect(201).id();
        self.invoices.push(Invoice {
            id,
            currency: deal.currency,
            open: nets.iter().sum(),
        });
        true
    }

    /// A part of what is open, or all of it.
    pub fn payment(&mut self) -> bool {
        let open: Vec<usize> = (0..self.invoices.len())
            .filter(|index| self.invoices[*index].open > 0)
            .collect();
        let Some(index) = self.chance.one(recent(&open)).copied() else {
            return false;
        };
        let Invoice { id, currency, open } = self.invoices[index].clone();
        let units = if self.chance.percent(50) {
            open
        } else {
            self.chance.between(1, open)
        };
        // Some payments are told late.
        let late = if self.chance.percent(15) { 60 } else { 0 };
        let paid_at = self.now - TimeDelta::hours(late);
        let body = json!({ "amount": amount(units, currency), "paid_at": paid_at });
        let path = format!("/v1/invoices/{id}/payments");
        let reply = self.world.admin().post_once(&path, body);
        let Some(paid) = self.attempt(reply) else {
            return false;
        };
        self.invoices[index].open -= units;
        self.payments.push(Payment {
            id: paid.id(),
            currency,
            left: units,
        });
        true
    }

    /// On a deal alone, as for goodwill; the invoice's own would change what is open of it.
    pub fn credit_note(&mut self) -> bool {
        let won: Vec<Deal> = recent(&self.deals)
            .iter()
            .filter(|deal| deal.won)
            .cloned()
            .collect();
        let Some(deal) = self.chance.one(&won) else {
            return false;
        };
        let units = self.chance.between(1, 20_000);
        let body =
            json!({ "deal_id": deal.id, "amount": amount(units, deal.currency), "issued_at": self.now });
        let reply = self.world.admin().post_once("/v1/credit-notes", body);
        self.attempt(reply).is_some()
    }

    pub fn approval(&mut self) -> bool {
        let reply = self
            .world
            .admin()
            .post_once("/v1/commission-approvals", json!({}));
        let approved = self.attempt(reply);
        approved.is_some()
    }

    pub fn adjustment(&mut self) -> bool {
        let program = self.chance.one(&self.programs).unwrap().clone();
        let currency = *self.chance.one(program.currencies).unwrap();
        let partner = self.chance.one(&self.members).unwrap().id.clone();
        let units = self.chance.between(1, 5_000);
        let mut given = amount(units, currency);
        if self.chance.percent(50) {
            given["amount"] = json!(format!("-{}", given["amount"].as_str().unwrap()));
        }
        let body = json!({
            "partner_id": partner, "program_id": program.id, "amount": given, "reason_code": "correction",
            "reason": "By chance."
        });
        let proposed = self.world.admin().post_once("/v1/adjustments", body);
        let Some(proposed) = self.attempt(proposed) else {
            return false;
        };
        let path = format!("/v1/adjustments/{}/approve", proposed.id());
        let reply = self.judge.post_once(&path, Value::Null);
        self.attempt(reply).is_some()
    }

    /// A partner disputes some of its lines.
    pub fn dispute(&mut self) -> bool {
        let index = usize::try_from(self.chance.between(0, 3)).unwrap();
        if self.members[index].out {
            return false;
        }
        let reply = self.members[index]
            .key
            .get("/v1/commissions?limit=20")
            .expect(200);
        let lines: Vec<Value> = reply
            .data()
            .iter()
            .filter(|line| line["status"] != "ineligible" && line["dispute_id"].is_null())
            .cloned()
            .collect();
        let Some(line) = self.chance.one(&lines) else {
            return false;
        };
        let currency = line["owed"]["currency"].as_str().unwrap();
        let body = json!({
            "subject_ids": [line["id"]], "reason_code": "amount_too_low", "statement": "It should be more.",
            "claimed_amount": amount(99_999, currency)
        });
        let reply = self.members[index].key.post("/v1/disputes", body);
        match self.attempt(reply) {
            Some(opened) => {
                self.disputes.push((index, opened.id()));
                true
            }
            None => false,
        }
    }

    /// The oldest dispute ends: it is withdrawn, denied, or upheld with what was found.
    pub fn settle(&mut self) -> bool {
        if self.disputes.is_empty() {
            return false;
        }
        let (index, id) = self.disputes.remove(0);
        let path = format!("/v1/disputes/{id}");
        let endings = ["an upheld dispute", "a denied dispute", "a withdrawn dispute"];
        let mut ending = self.rarest(&endings);
        if self.members[index].out && ending == endings[2] {
            ending = endings[1];
        }
        if ending == endings[2] {
            let reply = self.members[index]
                .key
                .post_once(&format!("{path}/withdraw"), Value::Null);
            let done = self.attempt(reply).is_some();
            if done {
                self.note(ending);
            }
            return done;
        }
        let found = self.world.admin().get(&path).expect(200);
        let upheld = ending == endings[0];
        let mut review = json!({ "note": "We looked." });
        if upheld {
            review["found_amount"] = found["claimed_amount"].clone();
        }
        let reply = self.world.admin().post_once(&format!("{path}/review"), review);
        if self.attempt(reply).is_none() {
            return false;
        }
        let outcome = if upheld { "upheld" } else { "denied" };
        let body = json!({ "outcome": outcome, "reason": "We looked again." });
        let reply = self.judge.post_once(&format!("{path}/decide"), body);
        let done = self.attempt(reply).is_some();
        if done {
            self.note(ending);
        }
        done
    }

    /// The next version of the plain program's base rule, in force from midnight on.
    pub fn other_terms(&mut self) -> bool {
        let version = self.programs[0].versions.last().unwrap().clone();
        let rule = self
            .world
            .admin()
            .get(&format!("/v1/commission-rule-versions/{version}"))
            .expect(200);
        let tomorrow = self.now.date_naive() + TimeDelta::days(1);
        let midnight = tomorrow.and_hms_opt(0, 0, 0).unwrap().and_utc();
        let rate = format!("0.{:04}", self.chance.between(100, 2_500));
        let terms = json!({ "terms": {
            "formula": { "type": "percentage", "rate": rate }, "hold_days": self.chance.between(0, 45),
            "effective_from": midnight
        } });
        let path = format!(
            "/v1/commission-rules/{}/versions",
            rule.text("/commission_rule_id")
        );
        let draft = self.world.admin().post(&path, terms).expect(201).id();
        let reply = self.world.activate(&draft);
        let done = self.attempt(reply).is_some();
        if done {
            self.programs[0].versions.push(draft);
            self.advance((midnight - self.now).num_hours() + 1);
        }
        done
    }

    pub fn suspension(&mut self) -> bool {
        let index = usize::try_from(self.chance.between(0, 3)).unwrap();
        let member = &mut self.members[index];
        let (verb, body) = if member.out {
            ("reinstate", Value::Null)
        } else {
            ("suspend", json!({ "reason": "By chance." }))
        };
        member.out = !member.out;
        let path = format!("/v1/partners/{}/{verb}", member.id);
        let reply = self.world.admin().post_once(&path, body);
        self.attempt(reply).is_some()
    }

    /// A run, from its draft to the bank: it may be given up, and each payout may fail or come back.
    pub fn run(&mut self) -> bool {
        if self.chance.percent(75) {
            self.rates();
        }
        let body = json!({ "cut_off_at": self.now, "rail": "manual" });
        let reply = self.clerk.post_once("/v1/payout-runs", body);
        let Some(drafted) = self.attempt(reply) else {
            return false;
        };
        let run = drafted.id();
        self.runs.push(run.clone());
        if self.chance.percent(10) {
            self.refund();
        }
        if self.run_verb(&run, "approve", Value::Null).is_none() {
            return false;
        }
        if self.chance.percent(15) {
            let cancelled = self.run_verb(&run, "cancel", json!({ "reason": "By chance." }));
            if cancelled.is_some() {
                self.note("a run that was given up");
            }
            return cancelled.is_some();
        }
        if self.chance.percent(20) {
            self.refund();
            self.dispute();
        }
        if self.run_verb(&run, "process", Value::Null).is_none() {
            return false;
        }
        if self.chance.percent(30) {
            self.refund();
        }
        let payouts = self
            .finance
            .all(&format!("/v1/payouts?payout_run_id={run}&status=processing"));
        for payout in texts(&payouts, "id") {
            self.pay_out(&payout);
        }
        true
    }

    fn pay_out(&mut self, payout: &str) {
        let path = format!("/v1/payouts/{payout}");
        let endings = [
            "a payout that was paid",
            "a payout that failed",
            "a payout that came back",
        ];
        let ending = if self.chance.percent(50) {
            endings[0]
        } else {
            self.rarest(&endings)
        };
        if ending == endings[1] {
            let body = json!({ "reason": "The account is closed." });
            let reply = self.finance.post_once(&format!("{path}/fail"), body);
            if self.attempt(reply).is_some() {
                self.note(ending);
            }
            return;
        }
        let confirm = format!("{path}/confirm");
        let reply = self.finance.post_with_key(payout, &confirm, json!({}));
        if self.attempt(reply).is_none() {
            return;
        }
        // The answer was lost and it is asked again; nothing is paid twice.
        if self.chance.percent(20) {
            let again = self
                .finance
                .post_with_key(payout, &confirm, json!({}))
                .expect(200);
            assert_eq!(again.header("idempotency-replayed"), "true");
        }
        if ending == endings[2] {
            let body = json!({ "reason": "It came back." });
            let reply = self.finance.post_once(&format!("{path}/return"), body);
            if self.attempt(reply).is_none() {
                return;
            }
        }
        self.note(ending);
    }

    fn run_verb(&mut self, run: &str, verb: &str, body: Value) -> Option<crate::world::Reply> {
        let path = format!("/v1/payout-runs/{run}");
        let current = self.finance.get(&path).expect(200);
        let key = format!("{run}-{verb}");
        let mut ask = self
            .finance
            .ask("POST", &format!("{path}/{verb}"))
            .header("Idempotency-Key", &key)
            .header("If-Match", current.header("etag"));
        if !body.is_null() {
            ask = ask.json(&body);
        }
        let reply = ask.send();
        self.attempt(reply)
    }

    /// How much of other currencies there is for a euro today, once a day.
    pub fn rates(&mut self) -> bool {
        let today = self.now.date_naive();
        if self.rated_on == Some(today) {
            return false;
        }
        let rates = [
            ("USD", format!("1.{:04}", self.chance.between(300, 2_500))),
            ("JPY", format!("{}.25", self.chance.between(140, 180))),
            ("KWD", format!("0.{}", self.chance.between(3_100, 3_700))),
        ];
        for (quote, rate) in rates {
            let body = json!({ "base": "EUR", "quote": quote, "valid_on": today, "rate": rate });
            self.world.admin().post("/v1/exchange-rates", body).expect(201);
        }
        self.rated_on = Some(today);
        // What waited for them is exchanged.
        self.world.work();
        true
    }

    /// Between an hour and six weeks go by.
    pub fn time(&mut self) -> bool {
        let hours = if self.chance.percent(60) {
            self.chance.between(1, 100)
        } else {
            self.chance.between(100, 1_000)
        };
        self.advance(hours);
        true
    }
}
