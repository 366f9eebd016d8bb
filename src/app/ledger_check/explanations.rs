//! Does every stored explanation give the amount that was posted?

use super::Fault;
use crate::kernel::commission::{Explanation, recompute};
use crate::kernel::exchange::LineExchange;
use crate::kernel::id::OrganizationId;
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::kernel::subject;
use crate::platform::db::{Prepared, Tx};
use diesel::sql_types::{BigInt, Jsonb, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

/// Rows read at once.
const BATCH: i64 = 5_000;
const CHECK: &str = "explanations give the posted amount";

const COMMISSIONS: &str = "\
    SELECT c.id, c.currency, c.amount, c.explanation, v.terms_hash, c.exchange, c.payout_currency AS exchanged_currency, \
        c.exchanged_amount FROM commissions c \
    LEFT JOIN commission_rule_versions v ON v.organization_id = c.organization_id AND v.id = c.rule_version_id \
    WHERE c.organization_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3";
const CLAWBACKS: &str = "\
    SELECT id, currency, amount, explanation, NULL::text AS terms_hash, exchange, exchanged_currency, exchanged_amount \
    FROM clawbacks \
    WHERE organization_id = $1 AND zero_reason IS NULL AND id > $2 ORDER BY id LIMIT $3";

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Jsonb)]
    explanation: Value,
    #[diesel(sql_type = Nullable<Text>)]
    terms_hash: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    exchange: Option<Value>,
    #[diesel(sql_type = Nullable<Text>)]
    exchanged_currency: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    exchanged_amount: Option<Decimal>,
}

/// Computes every explanation again: how many there were, and the first broken row of commissions and of clawbacks.
pub(super) fn recompute_all(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
) -> Result<(usize, Vec<Fault>), Problem> {
    let (mut count, mut faults) = (0, Vec::new());
    for (noun, sql) in [("commission", COMMISSIONS), ("clawback", CLAWBACKS)] {
        let (read, fault) = recompute_each(tx, organization_id, noun, sql)?;
        count += read;
        faults.extend(fault);
    }
    Ok((count, faults))
}

/// Stops at the first broken row.
fn recompute_each(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    noun: &str,
    sql: &str,
) -> Result<(usize, Option<Fault>), Problem> {
    let (mut count, mut last) = (0, Uuid::nil());
    loop {
        let query = sql_query(sql)
            .bind::<SqlUuid, _>(organization_id.uuid())
            .bind::<SqlUuid, _>(last)
            .bind::<BigInt, _>(BATCH);
        let batch: Vec<Stored> = Prepared(query).load(tx.connection())?;
        let Some(end) = batch.last() else {
            return Ok((count, None));
        };
        last = end.id;
        for stored in batch {
            let id = stored.id;
            if let Err(why) = stored.check() {
                let row = format!("{noun} {}: {why}", subject::id_text(noun, id));
                return Ok((count, Some(Fault { check: CHECK, row })));
            }
            count += 1;
        }
    }
}

impl Stored {
    /// What is wrong with the row, if anything.
    fn check(self) -> Result<(), String> {
        let currency = Currency::from_code(&self.currency).map_err(|error| error.to_string())?;
        let posted = Money::new(self.amount, currency).map_err(|error| error.to_string())?;
        let explanation: Explanation = serde_json::from_value(self.explanation)
            .map_err(|error| format!("the explanation cannot be read: {error}"))?;
        let computed = recompute(&explanation).map_err(|error| error.to_string())?;
        if computed != posted {
            return Err(format!("posted {posted}, but its explanation gives {computed}"));
        }
        if let (Some(exchange), Some(code), Some(amount)) =
            (self.exchange, &self.exchanged_currency, self.exchanged_amount)
        {
            let currency = Currency::from_code(code).map_err(|error| error.to_string())?;
            let owed = Money::new(amount, currency).map_err(|error| error.to_string())?;
            let computed = owed_again(exchange)?;
            if computed != owed {
                return Err(format!("{owed} is owed, but its exchange gives {computed}"));
            }
        }
        match (self.terms_hash, rule_hash(&explanation)) {
            (Some(stored), Some(explained)) if stored != explained => {
                Err("its explanation has other terms than its rule version".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// What is owed by a stored exchange: that of a line by its rates, that of a clawback in proportion to the line's.
fn owed_again(exchange: Value) -> Result<Money, String> {
    let unreadable = |error| format!("the exchange cannot be read: {error}");
    if exchange.get("policy").is_some() {
        let exchange: LineExchange = serde_json::from_value(exchange).map_err(unreadable)?;
        return exchange.recompute().map_err(|error| error.to_string());
    }
    let exchange: Explanation = serde_json::from_value(exchange).map_err(unreadable)?;
    recompute(&exchange).map_err(|error| error.to_string())
}

/// The hash of the terms that decided, as the explanation keeps it.
fn rule_hash(explanation: &Explanation) -> Option<&str> {
    let entitlement = match explanation {
        Explanation::Accrual(accrual) => &accrual.entitlement,
        Explanation::Credit(credit) => &credit.entitlement,
        Explanation::Clawback(_) => return None,
    };
    entitlement.rule.as_deref().map(|rule| rule.hash.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stored(amount: i64, explained: &str) -> Stored {
        Stored {
            id: Uuid::nil(),
            currency: "USD".to_owned(),
            amount: Decimal::new(amount, 2),
            explanation: json!({
                "kind": "clawback", "currency": "USD", "rounding": "half_up", "original": "10.00",
                "base": "100.00", "refunded_cumulative": explained, "already_clawed": "0.00", "steps": [],
                "amount": "99.00",
            }),
            terms_hash: None,
            exchange: None,
            exchanged_currency: None,
            exchanged_amount: None,
        }
    }

    #[test]
    fn a_row_is_broken_when_its_exchange_gives_another_amount() {
        let mut row = stored(500, "50.00");
        row.exchanged_currency = Some("EUR".to_owned());
        row.exchange = Some(json!({
            "policy": "at_accrual", "on": "2026-03-02", "rounding": "half_up", "before": "0.00", "amount": "5.00",
            "result": "9.99", "exchange": { "from": "USD", "to": "EUR", "legs": [{
                "exchange_rate_id": "fxr_00000000000000000000000000", "base": "EUR", "quote": "USD", "rate": "1.25",
                "valid_on": "2026-03-02", "source": "ecb"
            }] }
        }));
        row.exchanged_amount = Some(Decimal::new(401, 2));
        let why = row.check().unwrap_err();
        assert_eq!(why, "4.01 EUR is owed, but its exchange gives 4.00 EUR");
    }

    #[test]
    fn a_row_agrees_when_its_explanation_gives_its_amount() {
        assert_eq!(stored(500, "50.00").check(), Ok(()));
    }

    #[test]
    fn a_row_is_broken_when_its_explanation_gives_another_amount() {
        let why = stored(501, "50.00").check().unwrap_err();
        assert_eq!(why, "posted 5.01 USD, but its explanation gives 5.00 USD");
    }

    #[test]
    fn a_row_is_broken_when_its_explanation_cannot_be_read() {
        let mut row = stored(500, "50.00");
        row.explanation = json!({});
        assert!(
            row.check()
                .unwrap_err()
                .starts_with("the explanation cannot be read")
        );
    }
}
