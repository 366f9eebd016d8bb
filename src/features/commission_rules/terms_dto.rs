//! The terms of a version on the wire.

use super::domain::VersionTerms;
use crate::kernel::commission::Formula;
use crate::kernel::id::{PartnerId, ProductFamilyId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::motion::{Motion, Role};
use crate::kernel::problem::Problem;
use crate::kernel::rate::Rate;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a rule turns the net money received for an invoice line into an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CommissionFormula, examples(json!({"type": "percentage", "rate": "0.1000"})))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FormulaBody {
    /// A share of the money.
    Percentage(PercentageFormulaBody),
    /// One amount per invoice line and currency.
    Flat(FlatFormulaBody),
}

/// A share of the net money received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PercentageFormula, examples(json!({"type": "percentage", "rate": "0.1000"})))]
#[serde(deny_unknown_fields)]
pub struct PercentageFormulaBody {
    /// The share as a decimal from 0 to 1 with at most six decimals: `0.1000` is 10%.
    #[schema(
        pattern = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$",
        max_length = 8,
        example = "0.1000"
    )]
    pub rate: String,
}

/// One amount per invoice line, in the currency of the invoice; it is never converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FlatFormula, examples(json!({"type": "flat", "amounts": [{"amount": "100.00", "currency": "USD"}]})))]
#[serde(deny_unknown_fields)]
pub struct FlatFormulaBody {
    /// The amounts, at most one per currency. A line in another currency earns nothing.
    #[schema(min_items = 1, max_items = 50)]
    pub amounts: Vec<MoneyBody>,
}

/// What must be true of a line. An empty list admits anything; lists are joined by AND, entries of one list by OR.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CommissionConditionsInput, examples(json!({"roles": ["sourced"], "currencies": ["USD"]})))]
#[serde(deny_unknown_fields, default)]
pub struct ConditionsBody {
    /// The motions.
    #[schema(max_items = 6)]
    pub motions: Vec<Motion>,
    /// The roles of the attribution.
    #[schema(max_items = 3)]
    pub roles: Vec<Role>,
    /// The partners.
    #[schema(max_items = 100)]
    pub partner_ids: Vec<PartnerId>,
    /// The product families of the line.
    #[schema(max_items = 100)]
    pub product_family_ids: Vec<ProductFamilyId>,
    /// The currencies of the invoice, ISO 4217.
    #[schema(max_items = 50)]
    pub currencies: Vec<CurrencyCode>,
}

/// An ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
pub struct CurrencyCode(pub String);

/// The terms of a version of a commission rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = CommissionTermsInput, examples(json!({"formula": {"type": "percentage", "rate": "0.1000"}, "conditions": {"roles": ["sourced"]}, "priority": 0, "hold_days": 30, "effective_from": "2026-01-01T00:00:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct TermsBody {
    /// How much it pays.
    pub formula: FormulaBody,
    /// On what it pays; without conditions on everything in the program.
    #[serde(default)]
    pub conditions: ConditionsBody,
    /// The higher wins among rules that are equally specific.
    #[serde(default)]
    #[schema(minimum = -1000000, maximum = 1000000, default = 0, example = 0)]
    pub priority: i32,
    /// Days from the payment to the release of the commission.
    #[schema(minimum = 0, maximum = 3650, example = 30)]
    pub hold_days: u32,
    /// The first instant at which it is in force.
    pub effective_from: DateTime<Utc>,
    /// The first instant at which it is no longer in force; absent for no end.
    #[schema(nullable = false)]
    pub effective_to: Option<DateTime<Utc>>,
}

impl TermsBody {
    /// The body as business speaks of it; instants in microseconds, as the database keeps them.
    pub fn terms(&self) -> Result<VersionTerms, Problem> {
        let mut fields = Fields::new();
        let formula = self.formula.read(&mut fields);
        let currencies = self.currencies(&mut fields);
        let (from, to) = (self.effective_from, self.effective_to);
        fields.require(
            to.is_none_or(|to| to.trunc_subsecs(6) > from.trunc_subsecs(6)),
            "/terms/effective_to",
            "before_effective_from",
            "A version ends after it begins.",
        );
        let conditions = &self.conditions;
        let terms = formula.map(|formula| VersionTerms {
            formula,
            motions: conditions.motions.clone(),
            roles: conditions.roles.clone(),
            partner_ids: conditions.partner_ids.clone(),
            product_family_ids: conditions.product_family_ids.clone(),
            currencies,
            priority: self.priority,
            hold_days: self.hold_days,
            effective_from: from.trunc_subsecs(6),
            effective_to: to.map(|to| to.trunc_subsecs(6)),
        });
        fields.finish(terms)
    }

    fn currencies(&self, fields: &mut Fields) -> Vec<Currency> {
        let codes = self.conditions.currencies.iter().enumerate();
        codes
            .filter_map(|(index, code)| {
                fields.currency(&format!("/terms/conditions/currencies/{index}"), &code.0)
            })
            .collect()
    }
}

impl FormulaBody {
    fn read(&self, fields: &mut Fields) -> Option<Formula> {
        match self {
            Self::Percentage(body) => {
                let rate: Option<Rate> =
                    fields.keep("/terms/formula/rate", "invalid_rate", body.rate.parse());
                rate.map(|rate| Formula::Percentage { rate })
            }
            Self::Flat(body) => {
                let amounts: Vec<Option<Money>> = body
                    .amounts
                    .iter()
                    .enumerate()
                    .map(|(index, amount)| fields.money(&format!("/terms/formula/amounts/{index}"), amount))
                    .collect();
                let amounts: Option<Vec<Money>> = amounts.into_iter().collect();
                amounts.map(|amounts| Formula::Flat { amounts })
            }
        }
    }
}

impl From<Formula> for FormulaBody {
    fn from(formula: Formula) -> Self {
        match formula {
            Formula::Percentage { rate } => Self::Percentage(PercentageFormulaBody {
                rate: rate.to_string(),
            }),
            Formula::Flat { amounts } => Self::Flat(FlatFormulaBody {
                amounts: amounts.into_iter().map(MoneyBody::from).collect(),
            }),
        }
    }
}

/// What must be true of a line. An empty list admits anything.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionConditions, examples(json!({"motions": [], "roles": ["sourced"], "partner_ids": [], "product_family_ids": [], "currencies": []})))]
pub struct ConditionsView {
    /// The motions.
    #[schema(max_items = 6)]
    pub motions: Vec<Motion>,
    /// The roles of the attribution.
    #[schema(max_items = 3)]
    pub roles: Vec<Role>,
    /// The partners.
    #[schema(max_items = 100)]
    pub partner_ids: Vec<PartnerId>,
    /// The product families of the line.
    #[schema(max_items = 100)]
    pub product_family_ids: Vec<ProductFamilyId>,
    /// The currencies of the invoice, ISO 4217.
    #[schema(max_items = 50)]
    pub currencies: Vec<CurrencyCode>,
}

/// The terms of a version of a commission rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionTerms, examples(json!({"formula": {"type": "percentage", "rate": "0.1000"}, "conditions": {"motions": [], "roles": ["sourced"], "partner_ids": [], "product_family_ids": [], "currencies": []}, "priority": 0, "hold_days": 30, "effective_from": "2026-01-01T00:00:00Z", "effective_to": null})))]
pub struct TermsView {
    /// How much it pays.
    pub formula: FormulaBody,
    /// On what it pays.
    pub conditions: ConditionsView,
    /// The higher wins among rules that are equally specific.
    #[schema(minimum = -1000000, maximum = 1000000)]
    pub priority: i32,
    /// Days from the payment to the release of the commission.
    #[schema(minimum = 0, maximum = 3650)]
    pub hold_days: u32,
    /// The first instant at which it is in force.
    pub effective_from: DateTime<Utc>,
    /// The first instant at which it is no longer in force; `null` for no end.
    #[schema(required)]
    pub effective_to: Option<DateTime<Utc>>,
}

impl From<VersionTerms> for TermsView {
    fn from(terms: VersionTerms) -> Self {
        let code = |currency: Currency| CurrencyCode(currency.code().to_owned());
        Self {
            formula: terms.formula.into(),
            conditions: ConditionsView {
                motions: terms.motions,
                roles: terms.roles,
                partner_ids: terms.partner_ids,
                product_family_ids: terms.product_family_ids,
                currencies: terms.currencies.into_iter().map(code).collect(),
            },
            priority: terms.priority,
            hold_days: terms.hold_days,
            effective_from: terms.effective_from,
            effective_to: terms.effective_to,
        }
    }
}
