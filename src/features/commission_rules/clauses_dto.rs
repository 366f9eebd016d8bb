//! Recurrence, base and limits on the wire.

use crate::kernel::commission::{
    BaseMeasure, Clauses, PeriodCap, Recurrence, RecurrenceKind, RenewalRate, TierScope,
};
use crate::kernel::money::Money;
use crate::platform::web::{Fields, MoneyBody};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How often and for how long a rule pays on one deal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = CommissionRecurrenceInput, examples(json!({"kind": "recurring", "months": 12})))]
#[serde(deny_unknown_fields)]
pub struct RecurrenceBody {
    /// `one_time`: on the first invoice of the deal; `recurring`: on every one.
    pub kind: RecurrenceKind,
    /// For how many months from the win; absent is for ever. The start of the invoiced service decides.
    #[schema(nullable = false, minimum = 1, maximum = 1200)]
    pub months: Option<u32>,
    /// Other rates of later years, in rising order.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub renewal_rates: Vec<RenewalRateBody>,
}

/// Another rate from a year on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CommissionRenewalRate, examples(json!({"from_year": 1, "rate": "0.0500"})))]
#[serde(deny_unknown_fields)]
pub struct RenewalRateBody {
    /// Whole years since the win: 1 is the first renewal.
    #[schema(minimum = 1, maximum = 100)]
    pub from_year: u32,
    /// The rate from then on.
    #[schema(
        pattern = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$",
        max_length = 8,
        example = "0.0500"
    )]
    pub rate: String,
}

/// How often and for how long a rule pays on one deal.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionRecurrence, examples(json!({"kind": "recurring", "months": 12, "renewal_rates": []})))]
pub struct RecurrenceView {
    /// `one_time` or `recurring`.
    pub kind: RecurrenceKind,
    /// For how many months from the win; `null` is for ever.
    #[schema(required, minimum = 1, maximum = 1200)]
    pub months: Option<u32>,
    /// Other rates of later years.
    #[schema(max_items = 50)]
    pub renewal_rates: Vec<RenewalRateBody>,
}

/// What of a line is the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CommissionBase, examples(json!({"measure": "net", "include_shipping": false, "include_fees": false})))]
#[serde(deny_unknown_fields)]
pub struct BaseBody {
    /// `net`, or `margin`: net less the cost of the line.
    pub measure: BaseMeasure,
    /// Whether lines of shipping are paid on.
    #[serde(default)]
    pub include_shipping: bool,
    /// Whether lines of fees are paid on.
    #[serde(default)]
    pub include_fees: bool,
}

/// The least and the most that a rule pays. It never pays more than the base.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = CommissionLimitsInput, examples(json!({"floors": [{"amount": "25.00", "currency": "USD"}]})))]
#[serde(deny_unknown_fields, default)]
pub struct LimitsBody {
    /// The least for a line, at most one amount per currency.
    #[schema(max_items = 50)]
    pub floors: Vec<MoneyBody>,
    /// The most for a line, at most one amount per currency.
    #[schema(max_items = 50)]
    pub line_caps: Vec<MoneyBody>,
    /// The most for a partner in a period.
    #[schema(nullable = false)]
    pub period_cap: Option<PeriodCapBody>,
}

/// The most for a partner in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CommissionPeriodCap, examples(json!({"period": "year", "amounts": [{"amount": "50000.00", "currency": "USD"}]})))]
#[serde(deny_unknown_fields)]
pub struct PeriodCapBody {
    /// The period; a line is none.
    pub period: TierScope,
    /// At most one amount per currency.
    #[schema(min_items = 1, max_items = 50)]
    pub amounts: Vec<MoneyBody>,
}

/// The least and the most that a rule pays.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionLimits, examples(json!({"floors": [], "line_caps": [], "period_cap": null})))]
pub struct LimitsView {
    /// The least for a line.
    #[schema(max_items = 50)]
    pub floors: Vec<MoneyBody>,
    /// The most for a line.
    #[schema(max_items = 50)]
    pub line_caps: Vec<MoneyBody>,
    /// The most for a partner in a period; `null` when there is none.
    #[schema(required)]
    pub period_cap: Option<PeriodCapBody>,
}

/// Amounts as they were sent; what is wrong with one is refused at its place.
pub fn amounts(pointer: &str, bodies: &[MoneyBody], fields: &mut Fields) -> Vec<Money> {
    let read = |(index, body): (usize, &MoneyBody)| fields.money(&format!("{pointer}/{index}"), body);
    bodies.iter().enumerate().filter_map(read).collect()
}

fn views(amounts: &[Money]) -> Vec<MoneyBody> {
    amounts.iter().copied().map(MoneyBody::from).collect()
}

impl RecurrenceBody {
    /// The recurrence, or what is wrong with its rates.
    pub fn read(&self, fields: &mut Fields) -> Recurrence {
        let rates = self.renewal_rates.iter().enumerate();
        let renewal_rates = rates
            .filter_map(|(index, body)| {
                let pointer = format!("/terms/recurrence/renewal_rates/{index}/rate");
                let rate = fields.keep(&pointer, "invalid_rate", body.rate.parse())?;
                let from_year = body.from_year;
                Some(RenewalRate { from_year, rate })
            })
            .collect();
        Recurrence {
            kind: self.kind,
            months: self.months,
            renewal_rates,
        }
    }
}

impl BaseBody {
    /// Writes it into the clauses.
    pub fn write(&self, clauses: &mut Clauses) {
        clauses.base = self.measure;
        clauses.include_shipping = self.include_shipping;
        clauses.include_fees = self.include_fees;
    }
}

impl LimitsBody {
    /// Writes them into the clauses.
    pub fn write(&self, clauses: &mut Clauses, fields: &mut Fields) {
        clauses.floors = amounts("/terms/limits/floors", &self.floors, fields);
        clauses.line_caps = amounts("/terms/limits/line_caps", &self.line_caps, fields);
        clauses.period_cap = self.period_cap.as_ref().map(|cap| PeriodCap {
            period: cap.period,
            amounts: amounts("/terms/limits/period_cap/amounts", &cap.amounts, fields),
        });
    }
}

impl From<&Recurrence> for RecurrenceView {
    fn from(recurrence: &Recurrence) -> Self {
        let rate = |renewal: &RenewalRate| RenewalRateBody {
            from_year: renewal.from_year,
            rate: renewal.rate.to_string(),
        };
        Self {
            kind: recurrence.kind,
            months: recurrence.months,
            renewal_rates: recurrence.renewal_rates.iter().map(rate).collect(),
        }
    }
}

impl From<&Clauses> for BaseBody {
    fn from(clauses: &Clauses) -> Self {
        Self {
            measure: clauses.base,
            include_shipping: clauses.include_shipping,
            include_fees: clauses.include_fees,
        }
    }
}

impl From<&Clauses> for LimitsView {
    fn from(clauses: &Clauses) -> Self {
        let cap = |cap: &PeriodCap| PeriodCapBody {
            period: cap.period,
            amounts: views(&cap.amounts),
        };
        Self {
            floors: views(&clauses.floors),
            line_caps: views(&clauses.line_caps),
            period_cap: clauses.period_cap.as_ref().map(cap),
        }
    }
}
