//! Transfers: what is ordered, what Stripe says of it, and the events that tell of one.

use crate::kernel::iban::masked;
use crate::kernel::id::PayoutId;
use crate::kernel::money::{Currency, Money};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;

/// The currencies in which Stripe counts as ISO 4217 does, so that an amount cannot be taken for a hundred times as much.
/// Not among them are those that it counts otherwise (ISK, MGA, UGX), those of which it takes multiples only (HUF, TWD and
/// what has three decimals), and those in which it keeps no balance.
pub const CURRENCIES: &[&str] = &[
    "AED", "AUD", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HKD", "JPY", "KRW", "MXN", "MYR", "NOK",
    "NZD", "PLN", "RON", "SEK", "SGD", "THB", "USD", "ZAR",
];

/// A transfer as it is ordered. The same payout orders the same transfer, word for word, however often it does.
#[derive(Clone, PartialEq, Eq)]
pub struct TransferOrder {
    /// The payout that it is made for.
    pub payout_id: PayoutId,
    /// How much.
    pub amount: Money,
    /// The connected account that gets it.
    pub destination: String,
}

/// It prints masked.
impl fmt::Debug for TransferOrder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TransferOrder")
            .field("payout_id", &self.payout_id)
            .field("amount", &self.amount)
            .field("destination", &masked(&self.destination))
            .finish()
    }
}

impl TransferOrder {
    /// The key by which Stripe knows the order again. A payout is one attempt: once it is known to have failed it is over,
    /// and what it was to pay goes with another payout, whose order has a key of its own.
    pub(super) fn key(&self) -> String {
        format!("payout-{}", self.payout_id)
    }

    /// The group by which its transfer is found when the key is forgotten.
    pub(super) fn group(&self) -> String {
        self.payout_id.to_string()
    }

    /// What is sent.
    pub(super) fn form(&self) -> [(&'static str, String); 5] {
        [
            ("amount", self.amount.minor_units().to_string()),
            ("currency", self.amount.currency().code().to_ascii_lowercase()),
            ("destination", self.destination.clone()),
            ("transfer_group", self.group()),
            ("metadata[payout_id]", self.payout_id.to_string()),
        ]
    }

    /// Whether this transfer is what was ordered.
    pub fn is_met_by(&self, transfer: &Transfer) -> bool {
        transfer.payout_id() == Some(self.payout_id)
            && i128::from(transfer.amount) == self.amount.minor_units()
            && transfer
                .currency
                .eq_ignore_ascii_case(self.amount.currency().code())
            && transfer.destination.as_deref() == Some(self.destination.as_str())
    }
}

/// A transfer as Stripe describes it; what is not needed is left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Transfer {
    /// Its id.
    pub id: String,
    amount: i64,
    amount_reversed: i64,
    created: i64,
    currency: String,
    destination: Option<String>,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

impl Transfer {
    /// The payout that it was made for, if it was made by this service.
    pub fn payout_id(&self) -> Option<PayoutId> {
        self.metadata.get("payout_id")?.parse().ok()
    }

    /// When it was made, by Stripe's clock.
    pub fn made_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.created, 0)
    }

    /// What came back of it, in a currency that it is known to be in.
    pub fn reversed(&self, currency: Currency) -> Option<Money> {
        Money::from_minor_units(i128::from(self.amount_reversed), currency).ok()
    }
}

/// An event that Stripe tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The transfer as it was when the event came to be.
    pub transfer: Transfer,
    /// When that was, by Stripe's clock.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// What every event has.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    account: Option<String>,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: Value,
}

impl Notice {
    /// What an event says of a transfer; nothing where it is about something else, or about a transfer that a connected
    /// account made on its own: there anybody may write anything.
    pub fn read(event: &Value) -> Result<Option<Self>, serde_json::Error> {
        let event = Event::deserialize(event)?;
        if event.account.is_some() || !event.kind.starts_with("transfer.") {
            return Ok(None);
        }
        Ok(Some(Self {
            transfer: Transfer::deserialize(event.data.object)?,
            occurred_at: DateTime::from_timestamp(event.created, 0),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ZERO_DECIMALS: [&str; 2] = ["JPY", "KRW"];

    fn order(amount: &str, currency: &str) -> TransferOrder {
        TransferOrder {
            payout_id: PayoutId::new(DateTime::UNIX_EPOCH),
            amount: Money::parse(amount, Currency::from_code(currency).unwrap()).unwrap(),
            destination: "acct_1MTfjCQ9PRzxEwkZ".to_owned(),
        }
    }

    fn transfer(order: &TransferOrder) -> Value {
        let [
            (_, amount),
            (_, currency),
            (_, destination),
            (_, group),
            (_, payout_id),
        ] = order.form();
        json!({
            "id": "tr_1MiN3gLkdIwHu7ixNCZvFdgA", "object": "transfer", "amount": amount.parse::<i64>().unwrap(),
            "amount_reversed": 0, "created": 1_678_043_844, "currency": currency, "destination": destination,
            "livemode": false, "metadata": { "payout_id": payout_id }, "reversed": false, "transfer_group": group
        })
    }

    #[test]
    fn amounts_go_out_in_the_smallest_unit() {
        for (amount, currency, sent) in [
            ("1250.00", "USD", "125000"),
            ("0.01", "EUR", "1"),
            ("1250", "JPY", "1250"),
        ] {
            let [(_, amount), (_, code), ..] = order(amount, currency).form();
            assert_eq!((amount.as_str(), code), (sent, currency.to_ascii_lowercase()));
        }
    }

    #[test]
    fn it_pays_only_in_currencies_that_stripe_counts_as_we_do() {
        for code in CURRENCIES {
            let decimals = if ZERO_DECIMALS.contains(code) { 0 } else { 2 };
            assert_eq!(Currency::from_code(code).unwrap().exponent(), decimals, "{code}");
        }
    }

    #[test]
    fn a_transfer_that_differs_in_anything_is_another_one() {
        let order = order("12.50", "USD");
        let same = transfer(&order);
        let read = |transfer: &Value| Transfer::deserialize(transfer).unwrap();
        assert!(order.is_met_by(&read(&same)));
        for (pointer, other) in [
            ("/amount", json!(1_251)),
            ("/currency", json!("eur")),
            ("/destination", json!("acct_other")),
            ("/metadata", json!({})),
            ("/metadata/payout_id", json!("pyt_01j9zq4y8k7m5n3p2r1s0t6v4w")),
        ] {
            let mut different = same.clone();
            *different.pointer_mut(pointer).unwrap() = other;
            assert!(!order.is_met_by(&read(&different)), "{pointer}");
        }
    }

    #[test]
    fn only_the_platforms_own_transfers_are_heard_of() {
        let order = order("12.50", "USD");
        let event = |kind: &str| {
            json!({
                "id": "evt_1", "object": "event", "type": kind, "created": 1_678_043_900,
                "data": { "object": transfer(&order) }
            })
        };
        for kind in ["transfer.created", "transfer.reversed", "transfer.updated"] {
            let notice = Notice::read(&event(kind)).unwrap().unwrap();
            assert_eq!(notice.transfer.payout_id(), Some(order.payout_id));
        }
        assert_eq!(Notice::read(&event("payout.paid")).unwrap(), None);
        let mut foreign = event("transfer.reversed");
        foreign["account"] = json!("acct_1MTfjCQ9PRzxEwkZ");
        assert_eq!(Notice::read(&foreign).unwrap(), None);
        let mut damaged = event("transfer.reversed");
        damaged["data"]["object"]["amount"] = json!("12.50");
        assert!(Notice::read(&damaged).is_err());
        assert!(Notice::read(&json!({})).is_err());
    }

    #[test]
    fn an_order_prints_masked() {
        let told = format!("{:?}", order("12.50", "USD"));
        assert!(told.contains("EwkZ") && !told.contains("1MTfjC"), "{told}");
    }
}
