//! The terms of a version on the wire.

use super::clauses_dto::{BaseBody, LimitsBody, LimitsView, RecurrenceBody, RecurrenceView, amounts};
use super::domain::VersionTerms;
use super::formula_dto::FormulaBody;
use crate::kernel::commission::{Clauses, HoldStart};
use crate::kernel::id::{PartnerId, ProductFamilyId};
use crate::kernel::money::Currency;
use crate::kernel::motion::{DealType, Motion, Role};
use crate::kernel::problem::Problem;
use crate::platform::web::{CountryCode, Fields, MoneyBody};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// The tiers of the enrollment.
    #[schema(max_items = 50)]
    pub tiers: Vec<TierName>,
    /// The types of deals.
    #[schema(max_items = 3)]
    pub deal_types: Vec<DealType>,
    /// The countries of the customer, ISO 3166 alpha-2.
    #[schema(max_items = 250)]
    pub countries: Vec<CountryCode>,
    /// What a line must at least amount to, in its currency; a currency that is not listed has no minimum.
    #[schema(max_items = 50)]
    pub minimum_amounts: Vec<MoneyBody>,
}

/// An ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
pub struct CurrencyCode(pub String);

/// The name of a tier, as enrollments carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 100, pattern = r"^[^\x00]+$", example = "gold")]
pub struct TierName(pub String);

/// The terms of a version of a commission rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = CommissionTermsInput, examples(
    json!({"formula": {"type": "percentage", "rate": "0.1000"}, "conditions": {"roles": ["sourced"]}, "priority": 0, "hold_days": 30, "effective_from": "2026-01-01T00:00:00Z"}),
    json!({"formula": {"type": "flat", "amounts": [{"amount": "500.00", "currency": "USD"}, {"amount": "450.00", "currency": "EUR"}]}, "recurrence": {"kind": "one_time"}, "hold_days": 30, "effective_from": "2026-01-01T00:00:00Z"}),
    json!({"formula": {"type": "tiered", "currency": "USD", "tier_mode": "marginal", "tier_scope": "quarter", "tier_metric": "net_paid_base", "tiers": [{"from": "0", "rate": "0.0500"}, {"from": "100000", "rate": "0.0600"}, {"from": "125000", "rate": "0.0700"}]}, "limits": {"period_cap": {"period": "year", "amounts": [{"amount": "50000.00", "currency": "USD"}]}}, "hold_days": 15, "hold_start": "end_of_month", "effective_from": "2026-01-01T00:00:00Z"}),
    json!({"formula": {"type": "hybrid", "amounts": [{"amount": "2.00", "currency": "USD"}], "plus": {"type": "percentage", "rate": "0.0299"}}, "conditions": {"deal_types": ["new", "expansion"], "countries": ["DE", "AT"]}, "recurrence": {"kind": "recurring", "months": 24, "renewal_rates": [{"from_year": 1, "rate": "0.0100"}]}, "limits": {"floors": [{"amount": "1.75", "currency": "USD"}], "line_caps": [{"amount": "12.00", "currency": "USD"}]}, "hold_days": 30, "effective_from": "2026-01-01T00:00:00Z"})
))]
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
    /// How often and for how long it pays; absent: on every invoice, for ever.
    #[schema(nullable = false)]
    pub recurrence: Option<RecurrenceBody>,
    /// What of a line is the base; absent: the net amount of products.
    #[schema(nullable = false)]
    pub base: Option<BaseBody>,
    /// The least and the most that it pays; absent: no limits but the base.
    #[schema(nullable = false)]
    pub limits: Option<LimitsBody>,
    /// Days from the payment, or from the end of its month, to the release of the commission.
    #[schema(minimum = 0, maximum = 3650, example = 30)]
    pub hold_days: u32,
    /// From when the days are counted: `payment` (the default) or `end_of_month`.
    #[schema(nullable = false)]
    pub hold_start: Option<HoldStart>,
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
        let formula = self.formula.read("/terms/formula", &mut fields);
        let currencies = self.currencies(&mut fields);
        let clauses = self.clauses(&mut fields);
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
            clauses,
            priority: self.priority,
            hold_days: self.hold_days,
            effective_from: from.trunc_subsecs(6),
            effective_to: to.map(|to| to.trunc_subsecs(6)),
        });
        fields.finish(terms)
    }

    fn clauses(&self, fields: &mut Fields) -> Clauses {
        let conditions = &self.conditions;
        let minimums = amounts(
            "/terms/conditions/minimum_amounts",
            &conditions.minimum_amounts,
            fields,
        );
        let mut clauses = Clauses {
            tiers: conditions.tiers.iter().map(|tier| tier.0.clone()).collect(),
            deal_types: conditions.deal_types.clone(),
            countries: conditions.countries.iter().map(|code| code.0.clone()).collect(),
            minimum_amounts: minimums,
            hold_start: self.hold_start.unwrap_or_default(),
            ..Clauses::default()
        };
        if let Some(recurrence) = &self.recurrence {
            clauses.recurrence = recurrence.read(fields);
        }
        if let Some(base) = &self.base {
            base.write(&mut clauses);
        }
        if let Some(limits) = &self.limits {
            limits.write(&mut clauses, fields);
        }
        clauses
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

/// What must be true of a line. An empty list admits anything.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionConditions, examples(json!({"motions": [], "roles": ["sourced"], "partner_ids": [], "product_family_ids": [], "currencies": [], "tiers": [], "deal_types": [], "countries": [], "minimum_amounts": []})))]
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
    /// The tiers of the enrollment.
    #[schema(max_items = 50)]
    pub tiers: Vec<TierName>,
    /// The types of deals.
    #[schema(max_items = 3)]
    pub deal_types: Vec<DealType>,
    /// The countries of the customer, ISO 3166 alpha-2.
    #[schema(max_items = 250)]
    pub countries: Vec<CountryCode>,
    /// What a line must at least amount to, in its currency; a currency that is not listed has no minimum.
    #[schema(max_items = 50)]
    pub minimum_amounts: Vec<MoneyBody>,
}

/// The terms of a version of a commission rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionTerms, examples(json!({"formula": {"type": "percentage", "rate": "0.1000"}, "conditions": {"motions": [], "roles": ["sourced"], "partner_ids": [], "product_family_ids": [], "currencies": [], "tiers": [], "deal_types": [], "countries": [], "minimum_amounts": []}, "priority": 0, "recurrence": {"kind": "recurring", "months": null, "renewal_rates": []}, "base": {"measure": "net", "include_shipping": false, "include_fees": false}, "limits": {"floors": [], "line_caps": [], "period_cap": null}, "hold_days": 30, "hold_start": "payment", "effective_from": "2026-01-01T00:00:00Z", "effective_to": null})))]
pub struct TermsView {
    /// How much it pays.
    pub formula: FormulaBody,
    /// On what it pays.
    pub conditions: ConditionsView,
    /// The higher wins among rules that are equally specific.
    #[schema(minimum = -1000000, maximum = 1000000)]
    pub priority: i32,
    /// How often and for how long it pays.
    pub recurrence: RecurrenceView,
    /// What of a line is the base.
    pub base: BaseBody,
    /// The least and the most that it pays.
    pub limits: LimitsView,
    /// Days from the payment, or from the end of its month, to the release of the commission.
    #[schema(minimum = 0, maximum = 3650)]
    pub hold_days: u32,
    /// From when the days are counted: `payment` or `end_of_month`.
    pub hold_start: HoldStart,
    /// The first instant at which it is in force.
    pub effective_from: DateTime<Utc>,
    /// The first instant at which it is no longer in force; `null` for no end.
    #[schema(required)]
    pub effective_to: Option<DateTime<Utc>>,
}

impl From<VersionTerms> for TermsView {
    fn from(terms: VersionTerms) -> Self {
        let code = |currency: Currency| CurrencyCode(currency.code().to_owned());
        let clauses = terms.clauses;
        Self {
            recurrence: RecurrenceView::from(&clauses.recurrence),
            base: BaseBody::from(&clauses),
            limits: LimitsView::from(&clauses),
            hold_start: clauses.hold_start,
            formula: terms.formula.into(),
            conditions: ConditionsView {
                motions: terms.motions,
                roles: terms.roles,
                partner_ids: terms.partner_ids,
                product_family_ids: terms.product_family_ids,
                currencies: terms.currencies.into_iter().map(code).collect(),
                tiers: clauses.tiers.into_iter().map(TierName).collect(),
                deal_types: clauses.deal_types,
                countries: clauses.countries.into_iter().map(CountryCode).collect(),
                minimum_amounts: clauses.minimum_amounts.into_iter().map(MoneyBody::from).collect(),
            },
            priority: terms.priority,
            hold_days: terms.hold_days,
            effective_from: terms.effective_from,
            effective_to: terms.effective_to,
        }
    }
}
