//! What terms may say beyond formula and plain conditions: further conditions, recurrence, base, hold and limits.

use chrono::{Datelike, Months, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::IneligibleReason;
use super::rule::RuleError;
use super::tiers::TierScope;
use crate::kernel::money::{Currency, Money, MoneyError};
use crate::kernel::motion::DealType;
use crate::kernel::rate::Rate;
use crate::kernel::word::word_enum;

word_enum! {
    /// From when the days of a hold are counted.
    #[derive(Default)]
    HoldStart, "hold start" {
        /// From the local day of the payment.
        #[default]
        Payment = "payment",
        /// From the last day of the month of the payment.
        EndOfMonth = "end_of_month",
    }
}

word_enum! {
    /// How often a rule pays on one deal.
    RecurrenceKind, "recurrence" {
        /// On the first invoice of the deal.
        OneTime = "one_time",
        /// On every invoice within the months of the window, or for ever.
        Recurring = "recurring",
    }
}

word_enum! {
    /// What of a line is the base.
    #[derive(Default)]
    BaseMeasure, "base measure" {
        /// The net amount.
        #[default]
        Net = "net",
        /// The net amount less the cost.
        Margin = "margin",
    }
}

word_enum! {
    /// What an invoice line is about.
    LineKind, "line kind" {
        /// Goods or services.
        Product = "product",
        /// Shipping.
        Shipping = "shipping",
        /// A fee.
        Fee = "fee",
    }
}

/// Another rate from a year on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalRate {
    /// The renewal index: whole years since the anchor, from 1.
    pub from_year: u32,
    /// The rate from then on.
    pub rate: Rate,
}

/// How often and for how long a rule pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// How often.
    pub kind: RecurrenceKind,
    /// The length of the window in months from the anchor; none is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
    /// Other rates of later years, in rising order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renewal_rates: Vec<RenewalRate>,
}

/// The most that a rule pays a partner in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodCap {
    /// The period.
    pub period: TierScope,
    /// At most one amount per currency.
    #[serde(with = "super::rule::by_currency")]
    pub amounts: Vec<Money>,
}

/// What terms may say besides the plain ones; the default says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Clauses {
    /// The tiers of the enrollment that the rule is for; empty admits any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<String>,
    /// The types of deals; empty admits any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deal_types: Vec<DealType>,
    /// The countries of the customer, ISO 3166 alpha-2; empty admits any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// What a line must at least amount to, in its currency; a currency that is not named has no minimum.
    #[serde(with = "super::rule::by_currency", skip_serializing_if = "Vec::is_empty")]
    pub minimum_amounts: Vec<Money>,
    /// How often and for how long it pays.
    #[serde(skip_serializing_if = "Recurrence::is_endless")]
    pub recurrence: Recurrence,
    /// What of a line is the base.
    #[serde(skip_serializing_if = "is_net")]
    pub base: BaseMeasure,
    /// Whether shipping belongs to the base.
    #[serde(skip_serializing_if = "is_false")]
    pub include_shipping: bool,
    /// Whether fees belong to the base.
    #[serde(skip_serializing_if = "is_false")]
    pub include_fees: bool,
    /// From when the days of the hold are counted.
    #[serde(skip_serializing_if = "is_payment")]
    pub hold_start: HoldStart,
    /// The least for a line, at most one amount per currency.
    #[serde(with = "super::rule::by_currency", skip_serializing_if = "Vec::is_empty")]
    pub floors: Vec<Money>,
    /// The most for a line, at most one amount per currency.
    #[serde(with = "super::rule::by_currency", skip_serializing_if = "Vec::is_empty")]
    pub line_caps: Vec<Money>,
    /// The most in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_cap: Option<PeriodCap>,
}

/// What was sold with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// What the line is about.
    pub kind: LineKind,
    /// How many units.
    #[serde(with = "rust_decimal::serde::str")]
    pub quantity: Decimal,
    /// What it cost the vendor, where that is known.
    #[serde(
        with = "rust_decimal::serde::str_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub cost: Option<Decimal>,
}

/// Where a line stands in the life of its deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The day from which months and years are counted.
    pub anchor: NaiveDate,
    /// The first day of the service that is invoiced.
    pub starts_on: NaiveDate,
    /// Whether the invoice is the first of its deal.
    pub is_first_invoice: bool,
}

impl Default for Recurrence {
    fn default() -> Self {
        Self {
            kind: RecurrenceKind::Recurring,
            months: None,
            renewal_rates: Vec::new(),
        }
    }
}

impl Default for Goods {
    fn default() -> Self {
        Self {
            kind: LineKind::Product,
            quantity: Decimal::ONE,
            cost: None,
        }
    }
}

impl Goods {
    /// Whether it is one unit of a product of unknown cost, as a line is that says nothing about it.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

impl Recurrence {
    fn is_endless(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an invoice for service from a day on, on a deal with this anchor, is paid on.
    ///
    /// The window is `[anchor, anchor + months)`, months added from the anchor at once and clamped to the end of a
    /// month. Service before the anchor belongs to the first month.
    pub fn admits(&self, service: &Service) -> bool {
        if self.kind == RecurrenceKind::OneTime && !service.is_first_invoice {
            return false;
        }
        self.window_end(service.anchor)
            .is_none_or(|end| service.starts_on < end)
    }

    /// The first day after the window.
    pub fn window_end(&self, anchor: NaiveDate) -> Option<NaiveDate> {
        anchor.checked_add_months(Months::new(self.months?))
    }

    /// The rate of a year, where another one than that of the formula.
    pub(super) fn renewal_rate(&self, service: Option<&Service>) -> Option<Rate> {
        let index = service.map_or(0, Service::renewal_index);
        let renewals = self.renewal_rates.iter().rev();
        renewals
            .into_iter()
            .find(|renewal| renewal.from_year <= index)
            .map(|renewal| renewal.rate)
    }
}

impl Service {
    /// Whole years since the anchor.
    pub fn renewal_index(&self) -> u32 {
        let years = self.starts_on.year() - self.anchor.year();
        let Ok(years) = u32::try_from(years) else { return 0 };
        let reached = |years: u32| {
            years
                .checked_mul(12)
                .and_then(|months| self.anchor.checked_add_months(Months::new(months)))
                .is_some_and(|day| day <= self.starts_on)
        };
        if reached(years) {
            years
        } else {
            years.saturating_sub(1)
        }
    }
}

impl Clauses {
    /// Whether they say nothing.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether they hold no line back.
    pub(super) fn is_unconditional(&self) -> bool {
        self.tiers.is_empty()
            && self.deal_types.is_empty()
            && self.countries.is_empty()
            && self.minimum_amounts.is_empty()
    }

    /// Whether it matters where a line stands in the life of its deal.
    pub fn asks_for_service(&self) -> bool {
        !self.recurrence.is_endless()
    }

    /// The least and the most for a line in a currency.
    pub(super) fn limits(&self, currency: Currency) -> (Option<Money>, Option<Money>) {
        (
            in_currency(&self.floors, currency),
            in_currency(&self.line_caps, currency),
        )
    }

    /// The most in a period, in a currency.
    pub fn cap(&self, currency: Currency) -> Option<Money> {
        in_currency(&self.period_cap.as_ref()?.amounts, currency)
    }

    /// The part of a line that the rule pays on.
    pub(super) fn base(
        &self,
        net: Money,
        goods: &Goods,
    ) -> Result<Result<Money, IneligibleReason>, MoneyError> {
        let included = match goods.kind {
            LineKind::Product => true,
            LineKind::Shipping => self.include_shipping,
            LineKind::Fee => self.include_fees,
        };
        if !included {
            return Ok(Err(IneligibleReason::NotInBase));
        }
        match (self.base, goods.cost) {
            (BaseMeasure::Net, _) => Ok(Ok(net)),
            (BaseMeasure::Margin, None) => Ok(Err(IneligibleReason::CostUnknown)),
            (BaseMeasure::Margin, Some(cost)) => {
                let cost = Money::new(cost, net.currency())?;
                Ok(Ok(net.checked_sub(cost)?.max(Money::zero(net.currency()))?))
            }
        }
    }

    /// Brings the lists into one order, so that the same terms have the same hash.
    pub(super) fn sort(&mut self) {
        self.tiers.sort_unstable();
        self.deal_types.sort_unstable();
        self.countries.sort_unstable();
        let caps = self.period_cap.as_mut().map(|cap| &mut cap.amounts);
        let lists = [&mut self.minimum_amounts, &mut self.floors, &mut self.line_caps];
        for amounts in lists.into_iter().chain(caps) {
            amounts.sort_unstable_by_key(|amount| amount.currency());
        }
    }

    pub(super) fn check(&self, has_rate: bool) -> Result<(), RuleError> {
        let lists = [
            Some(&self.minimum_amounts),
            Some(&self.floors),
            Some(&self.line_caps),
        ];
        let cap = self.period_cap.as_ref().map(|cap| &cap.amounts);
        for amounts in lists.into_iter().chain([cap]).flatten() {
            if amounts.iter().any(|amount| amount.is_negative()) {
                return Err(RuleError::NegativeLimit);
            }
            let twice = |(index, amount): (usize, &Money)| {
                amounts[..index]
                    .iter()
                    .any(|other| other.currency() == amount.currency())
            };
            if amounts.iter().enumerate().any(twice) {
                return Err(RuleError::DuplicateLimitCurrency);
            }
        }
        let above = |floor: &Money| {
            in_currency(&self.line_caps, floor.currency()).is_some_and(|cap| floor.amount() > cap.amount())
        };
        if self.floors.iter().any(above) {
            return Err(RuleError::FloorAboveCap);
        }
        if self
            .period_cap
            .as_ref()
            .is_some_and(|cap| cap.period == TierScope::Line)
        {
            return Err(RuleError::CapWithoutPeriod);
        }
        let renewals = &self.recurrence.renewal_rates;
        let rising = renewals
            .windows(2)
            .all(|pair| pair[0].from_year < pair[1].from_year);
        if !rising || renewals.first().is_some_and(|renewal| renewal.from_year == 0) {
            return Err(RuleError::RenewalsNotRising);
        }
        if !renewals.is_empty() && !has_rate {
            return Err(RuleError::RenewalWithoutRate);
        }
        if self.recurrence.months == Some(0) {
            return Err(RuleError::EmptyWindow);
        }
        if self.recurrence.kind == RecurrenceKind::OneTime
            && (self.recurrence.months.is_some() || !renewals.is_empty())
        {
            return Err(RuleError::OneTimeRecurs);
        }
        Ok(())
    }
}

pub(super) fn in_currency(amounts: &[Money], currency: Currency) -> Option<Money> {
    amounts
        .iter()
        .copied()
        .find(|amount| amount.currency() == currency)
}

fn is_net(measure: &BaseMeasure) -> bool {
    *measure == BaseMeasure::Net
}

fn is_payment(start: &HoldStart) -> bool {
    *start == HoldStart::Payment
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
