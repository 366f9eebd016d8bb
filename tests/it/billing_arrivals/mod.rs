//! Facts of billing in any order: what comes too early waits, and the balances end as those of the right order.

mod doors;
mod orders;
mod repeated;
mod settled;

use crate::world::{Actor, Reply, World, money, texts};
use serde_json::{Value, json};

pub const PATH: &str = "/v1/billing-arrivals";

/// One customer's story: a deal of one partner, and the keys of what is billed for it.
#[derive(Debug)]
pub struct Story<'w> {
    pub world: &'w World,
    pub program: String,
    pub partner: String,
    /// What the keys of its records end in.
    pub mark: String,
}

/// An invoice over 1000.00 USD that keys of this end name.
pub fn invoice(mark: &str) -> Value {
    json!({
        "kind": "invoice", "external_id": format!("in-{mark}"), "deal": format!("deal-{mark}"), "currency": "USD",
        "issued_on": "2026-01-06", "lines": [{ "net": "1000.00" }]
    })
}

/// Money for it.
pub fn payment(mark: &str, key: &str, amount: &str, day: &str) -> Value {
    json!({
        "kind": "payment", "external_id": format!("{key}-{mark}"), "invoice": format!("in-{mark}"),
        "amount": money(&format!("{amount} USD")), "paid_at": format!("{day}T12:00:00Z")
    })
}

/// Money of that which went back: the kind, its own key, and the key of the payment.
pub fn refund(mark: &str, (kind, key, of): (&str, &str, &str), amount: &str, day: &str) -> Value {
    json!({
        "kind": "refund", "external_id": format!("{key}-{mark}"), "payment": format!("{of}-{mark}"),
        "refund_kind": kind, "amount": money(&format!("{amount} USD")), "refunded_at": format!("{day}T12:00:00Z")
    })
}

/// Money of a refund that came in again: its own key, and the key of the refund.
pub fn reinstatement(mark: &str, (key, of): (&str, &str), amount: &str, day: &str) -> Value {
    json!({
        "kind": "reinstatement", "external_id": format!("{key}-{mark}"), "refund": format!("{of}-{mark}"),
        "amount": money(&format!("{amount} USD")), "reinstated_at": format!("{day}T12:00:00Z")
    })
}

/// A credit note on the deal, or on the invoice as well.
pub fn credit_note(mark: &str, key: &str, on_the_invoice: bool, amount: &str, day: &str) -> Value {
    let mut body = json!({
        "kind": "credit_note", "external_id": format!("{key}-{mark}"), "deal": format!("deal-{mark}"),
        "amount": money(&format!("{amount} USD")), "issued_at": format!("{day}T12:00:00Z"), "reason": "Outage."
    });
    if on_the_invoice {
        body["invoice"] = json!(format!("in-{mark}"));
    }
    body
}

/// That the invoice does not count.
pub fn void(mark: &str) -> Value {
    json!({
        "kind": "invoice_void", "external_id": format!("void-{mark}"), "invoice": format!("in-{mark}"),
        "reason": "Billed twice."
    })
}

/// Tells a fact under a key of its own.
pub fn tell(actor: &Actor, fact: &Value) -> Reply {
    actor.post_once(PATH, fact.clone())
}

/// The arrival as it is now.
#[track_caller]
pub fn now(world: &World, arrival: &Reply) -> Reply {
    world.admin().get(&format!("{PATH}/{}", arrival.id())).expect(200)
}

impl<'w> Story<'w> {
    /// A partner in the program; there is no deal yet.
    pub fn new(world: &'w World, program: &str, mark: &str) -> Self {
        Self {
            world,
            program: program.to_owned(),
            partner: world.enrolled(mark, program),
            mark: mark.to_owned(),
        }
    }

    /// The same with the deal, won.
    pub fn of_a_won_deal(world: &'w World, program: &str, mark: &str) -> Self {
        let story = Self::new(world, program, mark);
        story.deal();
        story.win();
        story
    }

    /// Makes the deal, credited to the partner alone.
    pub fn deal(&self) {
        let body = json!({
            "name": "Deal", "external_id": format!("deal-{}", self.mark), "account_id": self.world.account(),
            "program_id": self.program, "amount": money("1000.00 USD"), "opened_on": "2026-01-02"
        });
        let deal = self.world.admin().post("/v1/deals", body).expect(201).id();
        self.world.credit(&deal, &self.partner, "sourced", 10_000);
    }

    /// Wins it.
    pub fn win(&self) {
        self.world.win(&self.record("deals", "deal"));
    }

    /// Tells a fact.
    pub fn tell(&self, fact: &Value) -> Reply {
        tell(self.world.admin(), fact)
    }

    /// The id of the record of this resource with this key.
    #[track_caller]
    pub fn record(&self, resource: &str, key: &str) -> String {
        let path = format!("/v1/{resource}?external_id={key}-{}", self.mark);
        let found = self.world.admin().all(&path);
        assert_eq!(found.len(), 1, "{path}");
        found[0]["id"].as_str().unwrap().to_owned()
    }

    /// Everything about money that must not depend on the order.
    #[track_caller]
    pub fn figures(&self) -> Value {
        let admin = self.world.admin();
        let mut balances = admin.all(&format!("/v1/balances?partner_id={}", self.partner));
        for balance in &mut balances {
            let fields = balance.as_object_mut().unwrap();
            fields.retain(|_, value| value["amount"].is_string());
        }
        let lines = self.world.lines(&format!("partner_id={}", self.partner));
        let invoice = admin
            .get(&format!("/v1/invoices/{}", self.record("invoices", "in")))
            .expect(200);
        let amounts = [
            "status",
            "paid_amount",
            "refunded_amount",
            "credited_amount",
            "open_amount",
        ];
        let invoice: Vec<Value> = amounts.iter().map(|field| invoice[field].clone()).collect();
        let mut earned: Vec<String> = texts(&lines, "amount")
            .into_iter()
            .zip(texts(&lines, "reversed"))
            .zip(texts(&lines, "status"))
            .map(|((amount, reversed), status)| format!("{amount} less {reversed}, {status}"))
            .collect();
        earned.sort();
        let taken = lines.iter().flat_map(|line| self.world.taken_back(line));
        let mut taken = texts(&taken.collect::<Vec<_>>(), "amount");
        taken.sort();
        json!({ "balances": balances, "lines": earned, "clawbacks": taken, "invoice": invoice })
    }

    /// Fails unless every arrival of the story was applied, as many as these.
    #[track_caller]
    pub fn all_applied(&self, count: usize) {
        let all = self.world.admin().all(&format!("{PATH}?sort=created_at"));
        let own: Vec<&Value> = all
            .iter()
            .filter(|one| {
                one["external_id"]
                    .as_str()
                    .unwrap()
                    .ends_with(&format!("-{}", self.mark))
            })
            .collect();
        assert_eq!(own.len(), count);
        for arrival in own {
            assert_eq!(arrival["status"], "applied", "{arrival}");
        }
    }
}
