//! What a story about money starts from: programs, rules, partners, deals, invoices, payments and runs.
//!
//! Everything goes through HTTP, with the admin's key unless it says otherwise. Amounts are written `"10.00 USD"`.

use super::{Actor, Reply, World};
use copartner::app::ledger_check;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// What a key needs to be the second person of payouts.
/// What the second person may do: everything with payouts.
pub const FINANCE: [&str; 6] = [
    "payout_runs:read",
    "payout_runs:write",
    "payout_runs:approve",
    "payout_runs:process",
    "payouts:read",
    "payouts:confirm",
];

/// An amount on the wire, of a text such as `"10.00 USD"`.
#[track_caller]
pub fn money(text: &str) -> Value {
    let (amount, currency) = text.split_once(' ').unwrap();
    json!({ "amount": amount, "currency": currency })
}

/// A field of each record as text; of an amount its figures, of nothing an empty text.
pub fn texts(records: &[Value], field: &str) -> Vec<String> {
    let text = |record: &Value| match &record[field] {
        Value::Object(amount) => amount["amount"].as_str().unwrap().to_owned(),
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    records.iter().map(text).collect()
}

fn fresh_key() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("key-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn with(mut body: Value, more: Value) -> Value {
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

impl Actor {
    /// Posts under a key of its own, so that it happens once.
    pub fn post_once(&self, path: &str, body: Value) -> Reply {
        self.post_with_key(&fresh_key(), path, body)
    }

    /// Posts under this key.
    pub fn post_with_key(&self, key: &str, path: &str, body: Value) -> Reply {
        let ask = self.ask("POST", path).header("Idempotency-Key", key);
        if body.is_null() {
            ask.send()
        } else {
            ask.json(&body).send()
        }
    }

    /// The records that a list answers, which must fit its largest page; oldest first where the list has that order.
    #[track_caller]
    pub fn all(&self, path: &str) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let reply = self.get(&format!("{path}{separator}limit=100")).expect(200);
        assert_eq!(reply["has_more"], false, "{path} is longer than a page");
        reply.data().to_vec()
    }
}

/// A payout run and whoever moves it.
#[derive(Debug)]
pub struct Run<'w> {
    /// Its id.
    pub id: String,
    /// The run as it was drafted.
    pub drafted: Reply,
    world: &'w World,
}

impl World {
    /// A program with automatic approval in UTC, unless these settings say otherwise; its id.
    #[track_caller]
    pub fn program(&self, settings: Value) -> String {
        let body = json!({ "name": "Program", "motion": "reseller", "commission_approval": "automatic" });
        self.admin()
            .post("/v1/programs", with(body, settings))
            .expect(201)
            .id()
    }

    /// A new rule in force since 2020 that pays this rate at once, unless these terms say otherwise; its version's id.
    #[track_caller]
    pub fn rule(&self, program: &str, rate: &str, terms: Value) -> String {
        let version = self.rule_draft(program, rate, terms);
        self.activate(&version).expect(200);
        version
    }

    /// The same as a draft.
    #[track_caller]
    pub fn rule_draft(&self, program: &str, rate: &str, terms: Value) -> String {
        let usual = json!({
            "formula": { "type": "percentage", "rate": rate }, "hold_days": 0, "effective_from": "2020-01-01T00:00:00Z"
        });
        let body = json!({ "program_id": program, "name": "Rule", "terms": with(usual, terms) });
        let rule = self.admin().post("/v1/commission-rules", body).expect(201);
        rule.text("/first_version_id").to_owned()
    }

    /// Asks that a version be put in force.
    pub fn activate(&self, version: &str) -> Reply {
        let path = format!("/v1/commission-rule-versions/{version}");
        let current = self.admin().get(&path).expect(200);
        let ask = self.admin().ask("POST", &format!("{path}/activate"));
        ask.header("If-Match", current.header("etag")).send()
    }

    /// A program with a rule of 10% and no hold; its id.
    #[track_caller]
    pub fn ten_percent(&self, settings: Value) -> String {
        let program = self.program(settings);
        self.rule(&program, "0.1", json!({}));
        program
    }

    /// A new partner, approved and active in the program; its id.
    #[track_caller]
    pub fn enrolled(&self, name: &str, program: &str) -> String {
        let partner = self.partner(name);
        let body = json!({ "partner_id": partner, "program_id": program });
        let enrollment = self.admin().post("/v1/enrollments", body).expect(201);
        let activate = format!("/v1/enrollments/{}/activate", enrollment.id());
        self.admin().act(&activate).expect(200);
        partner
    }

    /// A new account; its id.
    #[track_caller]
    pub fn account(&self) -> String {
        let body = json!({ "name": "Customer" });
        self.admin().post("/v1/accounts", body).expect(201).id()
    }

    /// An open deal of the program, with confirmed shares of whoever sourced it; its id.
    #[track_caller]
    pub fn open_deal(&self, program: &str, amount: &str, shares: &[(&str, u32)]) -> String {
        let body = json!({
            "name": "Deal", "account_id": self.account(), "program_id": program, "amount": money(amount),
            "opened_on": "2026-01-02"
        });
        let deal = self.admin().post("/v1/deals", body).expect(201).id();
        for (partner, basis_points) in shares {
            self.credit(&deal, partner, "sourced", *basis_points);
        }
        deal
    }

    /// The same, won in January.
    #[track_caller]
    pub fn won_deal(&self, program: &str, amount: &str, shares: &[(&str, u32)]) -> String {
        let deal = self.open_deal(program, amount, shares);
        self.win(&deal);
        deal
    }

    /// A confirmed share; the credit's id.
    #[track_caller]
    pub fn credit(&self, deal: &str, partner: &str, role: &str, basis_points: u32) -> String {
        let body = json!({
            "deal_id": deal, "partner_id": partner, "role": role, "share_basis_points": basis_points, "confirm": true
        });
        self.admin().post("/v1/attributions", body).expect(201).id()
    }

    /// Wins the deal, on the 5th of January.
    #[track_caller]
    pub fn win(&self, deal: &str) {
        let body = json!({ "won_at": "2026-01-05T12:00:00Z" });
        let path = format!("/v1/deals/{deal}/win");
        self.admin().post(&path, body).expect(200);
    }

    /// An invoice with these net amounts as its lines; its id.
    #[track_caller]
    pub fn invoice(&self, deal: &str, currency: &str, nets: &[&str]) -> String {
        let lines: Vec<Value> = nets.iter().map(|net| json!({ "net": net })).collect();
        let body =
            json!({ "deal_id": deal, "currency": currency, "issued_on": "2026-01-06", "lines": lines });
        self.admin().post("/v1/invoices", body).expect(201).id()
    }

    /// A payment that comes in now; its id.
    #[track_caller]
    pub fn pay(&self, invoice: &str, amount: &str) -> String {
        let body = json!({ "amount": money(amount), "paid_at": self.clock.now() });
        let path = format!("/v1/invoices/{invoice}/payments");
        self.admin().post_once(&path, body).expect(201).id()
    }

    /// A whole sale: a won deal of one partner, with one invoice that is paid now; the payment's id.
    #[track_caller]
    pub fn sale(&self, program: &str, partner: &str, amount: &str) -> String {
        let deal = self.won_deal(program, amount, &[(partner, 10_000)]);
        let (net, currency) = amount.split_once(' ').unwrap();
        let invoice = self.invoice(&deal, currency, &[net]);
        self.pay(&invoice, amount)
    }

    /// A refund that goes out now; its id.
    #[track_caller]
    pub fn refund(&self, payment: &str, amount: &str) -> String {
        let body = json!({ "kind": "refund", "amount": money(amount), "refunded_at": self.clock.now() });
        let path = format!("/v1/payments/{payment}/refunds");
        self.admin().post_once(&path, body).expect(201).id()
    }

    /// A credit note of today on the deal, or on one of its invoices; its id.
    #[track_caller]
    pub fn credit_note(&self, deal: &str, invoice: Option<&str>, amount: &str) -> String {
        let mut body = json!({ "deal_id": deal, "amount": money(amount), "issued_at": self.clock.now() });
        if let Some(invoice) = invoice {
            body["invoice_id"] = json!(invoice);
        }
        self.admin().post_once("/v1/credit-notes", body).expect(201).id()
    }

    /// The commission lines that the query asks for, oldest first.
    #[track_caller]
    pub fn lines(&self, query: &str) -> Vec<Value> {
        self.admin()
            .all(&format!("/v1/commissions?sort=created_at&{query}"))
    }

    /// The only commission line that the query asks for.
    #[track_caller]
    pub fn line(&self, query: &str) -> Value {
        let lines = self.lines(query);
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines[0].clone()
    }

    /// What was taken back from the line, in the order in which it was.
    #[track_caller]
    pub fn taken_back(&self, commission: &Value) -> Vec<Value> {
        let id = commission["id"].as_str().unwrap();
        let mut taken = self.admin().all(&format!("/v1/clawbacks?commission_id={id}"));
        taken.reverse();
        taken
    }

    /// A balance of the partner, such as `payable`, in its only program and currency.
    #[track_caller]
    pub fn balance(&self, partner: &str, account: &str) -> String {
        let balances = self.admin().all(&format!("/v1/balances?partner_id={partner}"));
        assert_eq!(balances.len(), 1, "{balances:?}");
        texts(&balances, account).remove(0)
    }

    /// The second person: a key that may do everything with payouts.
    pub fn finance(&self) -> Actor {
        self.key(&FINANCE)
    }

    /// A run of everything until now, drafted by a key that is good for nothing else.
    #[track_caller]
    pub fn draft_run(&self) -> Run<'_> {
        let clerk = self.key(&["payout_runs:write"]);
        self.draft_run_by(&clerk)
    }

    /// A run of everything until now, drafted by this caller.
    #[track_caller]
    pub fn draft_run_by(&self, drafter: &Actor) -> Run<'_> {
        self.draft_run_on("manual", drafter)
    }

    /// The same on another rail.
    #[track_caller]
    pub fn draft_run_on(&self, rail: &str, drafter: &Actor) -> Run<'_> {
        let body = json!({ "cut_off_at": self.clock.now(), "rail": rail });
        self.run_of(drafter.post_once("/v1/payout-runs", body))
    }

    /// The run that was drafted.
    #[track_caller]
    pub fn run_of(&self, drafted: Reply) -> Run<'_> {
        let drafted = drafted.expect(201);
        Run {
            id: drafted.id(),
            drafted,
            world: self,
        }
    }

    /// A run of everything until now, paid by the second person.
    #[track_caller]
    pub fn paid_run(&self, finance: &Actor) -> Run<'_> {
        let run = self.processing_run(finance);
        run.verb(finance, "confirm", json!({})).expect(200);
        run
    }

    /// A run of everything until now that is on its way to the bank.
    #[track_caller]
    pub fn processing_run(&self, finance: &Actor) -> Run<'_> {
        let run = self.draft_run();
        run.verb(finance, "approve", Value::Null).expect(200);
        run.verb(finance, "process", Value::Null).expect(200);
        run
    }

    /// Fails unless everything that is stored agrees with everything else.
    #[track_caller]
    pub fn books_balance(&self) {
        let findings = ledger_check::all(&self.db, self.clock.now()).unwrap();
        assert!(!findings.is_empty(), "no organization was checked");
        for finding in findings {
            assert_eq!(finding.faults, [], "{:?}", finding.organization_id);
        }
    }
}

impl Run<'_> {
    /// A verb on the run as it stands.
    #[track_caller]
    pub fn verb(&self, actor: &Actor, verb: &str, body: Value) -> Reply {
        let current = self.now();
        let mut ask = actor
            .ask("POST", &format!("/v1/payout-runs/{}/{verb}", self.id))
            .header("Idempotency-Key", &fresh_key())
            .header("If-Match", current.header("etag"));
        if !body.is_null() {
            ask = ask.json(&body);
        }
        ask.send()
    }

    /// The run as it stands.
    #[track_caller]
    pub fn now(&self) -> Reply {
        let path = format!("/v1/payout-runs/{}", self.id);
        self.world.admin().get(&path).expect(200)
    }

    /// Its payouts.
    #[track_caller]
    pub fn payouts(&self) -> Vec<Value> {
        let path = format!("/v1/payouts?payout_run_id={}", self.id);
        self.world.admin().all(&path)
    }

    /// The id of its only payout.
    #[track_caller]
    pub fn payout(&self) -> String {
        let payouts = self.payouts();
        assert_eq!(payouts.len(), 1, "{payouts:?}");
        texts(&payouts, "id").remove(0)
    }

    /// What it left for a later run: the amount and the reason of each.
    #[track_caller]
    pub fn carried(&self) -> Vec<(String, String)> {
        let path = format!("/v1/payout-carry-forwards?payout_run_id={}", self.id);
        let carried = self.world.admin().all(&path);
        let reasons = texts(&carried, "reason");
        texts(&carried, "amount").into_iter().zip(reasons).collect()
    }
}
