//! Tiers: a table of lower bounds, and what it comes to.
//!
//! Invariant: only lower bounds are written, so that bands have neither gaps nor overlaps; a value exactly on a bound
//! belongs to the higher band.

use chrono::{Datelike, Months, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::explain::Step;
use super::rule::RuleError;
use crate::kernel::money::{Currency, Money, MoneyError, Rounding};
use crate::kernel::rate::Rate;
use crate::kernel::word::word_enum;

word_enum! {
    /// How a table of tiers turns a volume into an amount.
    TierMode, "tier mode" {
        /// Each part of the volume earns by its own band.
        Marginal = "marginal",
        /// The line's own volume picks the band of the whole line.
        SlabPerLine = "slab_per_line",
        /// The volume so far, this line included, picks the band of this line alone.
        SlabProspective = "slab_prospective",
        /// The volume so far picks the band of everything in the scope; earlier lines are topped up.
        SlabRetroactive = "slab_retroactive",
    }
}

word_enum! {
    /// What a volume is counted over.
    TierScope, "tier scope" {
        /// One invoice line.
        Line = "line",
        /// A month of the program's calendar.
        Month = "month",
        /// A quarter of the program's calendar.
        Quarter = "quarter",
        /// A year of the program's calendar.
        Year = "year",
        /// A year from the day on which the enrollment became active.
        Anniversary = "anniversary",
        /// For ever.
        Lifetime = "lifetime",
    }
}

word_enum! {
    /// What the bounds of tiers are compared with.
    TierMetric, "tier metric" {
        /// The net money received, less what was refunded.
        NetPaidBase = "net_paid_base",
        /// The units sold: the quantities of the lines.
        Count = "count",
    }
}

/// A band: from its bound up to the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// The lower bound, which belongs to the band.
    #[serde(with = "rust_decimal::serde::str")]
    pub from: Decimal,
    /// The share of the base.
    pub rate: Rate,
    /// An amount that the band pays once: on entering it (marginal), else with each line or target.
    #[serde(
        with = "rust_decimal::serde::str",
        default,
        skip_serializing_if = "Decimal::is_zero"
    )]
    pub amount: Decimal,
    /// An amount for each unit that is counted.
    #[serde(
        with = "rust_decimal::serde::str",
        default,
        skip_serializing_if = "Decimal::is_zero"
    )]
    pub unit_amount: Decimal,
}

/// A table of tiers in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    /// The currency of bounds and amounts; lines in another one earn nothing.
    pub currency: Currency,
    /// How the table is read.
    pub tier_mode: TierMode,
    /// What a volume is counted over.
    pub tier_scope: TierScope,
    /// What the bounds are compared with.
    pub tier_metric: TierMetric,
    /// The bands, in rising order of their bounds, the first of which is zero.
    pub tiers: Vec<Tier>,
}

/// How far a partner has come under a rule in the scope of its tiers, and in the period of its cap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The scope, for example `quarter:2026-04-01`; empty when the rule counts nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tier_period: String,
    /// The net money received, less what was refunded.
    #[serde(with = "rust_decimal::serde::str", default)]
    pub volume: Decimal,
    /// The units sold.
    #[serde(with = "rust_decimal::serde::str", default)]
    pub count: Decimal,
    /// The exact sum of what was earned, of which the rounded sum was posted; for `slab_prospective`.
    #[serde(with = "rust_decimal::serde::str", default)]
    pub exact: Decimal,
    /// What was posted, less what was taken back.
    #[serde(with = "rust_decimal::serde::str", default)]
    pub posted: Decimal,
    /// The period of the cap; empty when the rule has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cap_period: String,
    /// What was posted in the period of the cap, less what was taken back.
    #[serde(with = "rust_decimal::serde::str", default)]
    pub cap_used: Decimal,
}

/// Volume that is added with a payment, or taken off with a credit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Growth {
    /// Of the net money received.
    pub volume: Decimal,
    /// Of the units.
    pub count: Decimal,
    /// Of the exact sum of `slab_prospective`.
    pub exact: Decimal,
}

impl Tiers {
    /// Whether the table looks beyond the line at hand.
    pub fn accumulates(&self) -> bool {
        self.tier_scope != TierScope::Line
    }

    /// Checks what activation does not have to be waited for.
    pub(super) fn check(&self) -> Result<(), RuleError> {
        let starts_at_zero = self.tiers.first().is_some_and(|tier| tier.from.is_zero());
        if !starts_at_zero {
            return Err(RuleError::TiersStartAboveZero);
        }
        if self.tiers.windows(2).any(|pair| pair[0].from >= pair[1].from) {
            return Err(RuleError::TiersNotRising);
        }
        let negative = |tier: &Tier| tier.amount.is_sign_negative() || tier.unit_amount.is_sign_negative();
        if self.tiers.iter().any(negative) {
            return Err(RuleError::NegativeTierAmount);
        }
        if self.tier_mode == TierMode::SlabPerLine && self.accumulates() {
            return Err(RuleError::PerLineBeyondLine);
        }
        let counts = self.tier_metric == TierMetric::Count;
        let wrong = |tier: &Tier| match (counts, self.tier_mode) {
            (true, TierMode::Marginal) => tier.rate != Rate::ZERO,
            (true, _) => false,
            (false, _) => !tier.unit_amount.is_zero(),
        };
        if self.tiers.iter().any(wrong) {
            return Err(RuleError::TierMetricMismatch);
        }
        Ok(())
    }

    /// The bound at which a retroactive table pays less for more, if there is one; refused at activation.
    pub fn falls_at(&self) -> Option<Decimal> {
        if self.tier_mode != TierMode::SlabRetroactive {
            return None;
        }
        let falls = |pair: &[Tier]| {
            let (below, above) = (&pair[0], &pair[1]);
            let bound = above.from;
            let worth = |tier: &Tier| match self.tier_metric {
                TierMetric::NetPaidBase => (bound * tier.rate.decimal() + tier.amount, Decimal::ZERO),
                TierMetric::Count => (bound * tier.unit_amount + tier.amount, tier.rate.decimal()),
            };
            let ((before, rate_before), (after, rate_after)) = (worth(below), worth(above));
            (after < before || rate_after < rate_before).then_some(bound)
        };
        self.tiers.windows(2).find_map(falls)
    }

    /// What one line of this base and quantity comes to, before rounding.
    pub(super) fn of_line(&self, base: Decimal, count: Decimal) -> Result<Decimal, MoneyError> {
        match self.tier_mode {
            TierMode::Marginal => self.marginal(base, count),
            _ => self.slab(base, count),
        }
    }

    /// What a growth posts on top of a standing, and what it adds to the exact sum.
    pub(super) fn entry(
        &self,
        standing: &Standing,
        volume: Decimal,
        count: Decimal,
        rounding: Rounding,
    ) -> Result<(Money, Decimal, Step), MoneyError> {
        let round = |exact: Decimal| Money::rounded(exact, self.currency, rounding);
        let (volume_after, count_after) = (sum(standing.volume, volume)?, sum(standing.count, count)?);
        let position = format!("{} + {volume}", standing.volume);
        match self.tier_mode {
            TierMode::Marginal | TierMode::SlabPerLine => {
                let before = if standing.count.is_zero() && standing.volume.is_zero() {
                    Decimal::ZERO
                } else {
                    self.marginal(standing.volume, standing.count)?
                };
                let after = self.marginal(volume_after, count_after)?;
                let amount = round(after)?.checked_sub(round(before)?)?;
                let text = format!("f({position}) - f({}) = {after} - {before}", standing.volume);
                Ok((amount, Decimal::ZERO, Step::new("tiers", text, amount)))
            }
            TierMode::SlabProspective => {
                // A credit takes off by the band that the volume stood in.
                let is_credit = volume.is_sign_negative() && !volume.is_zero();
                let tier = if is_credit {
                    self.band(standing.volume, standing.count)
                } else {
                    self.band(volume_after, count_after)
                };
                let once = if count.is_zero() {
                    Decimal::ZERO
                } else {
                    tier.amount
                };
                let grown = sum(
                    product(volume, tier.rate.decimal())?,
                    product(count, tier.unit_amount)?,
                )?;
                let grown = sum(grown, if is_credit { -once } else { once })?;
                let amount = round(sum(standing.exact, grown)?)?.checked_sub(round(standing.exact)?)?;
                let text = format!("{volume} x {} = {grown} at {position}", tier.rate);
                Ok((amount, grown, Step::new("tiers", text, amount)))
            }
            TierMode::SlabRetroactive => {
                let exact = self.slab(volume_after, count_after)?;
                let target = round(exact)?;
                let posted = Money::new(standing.posted, self.currency)?;
                let zero = Money::zero(self.currency);
                let difference = target.checked_sub(posted)?;
                let amount = if volume.is_sign_negative() && !volume.is_zero() {
                    difference.min(zero)?
                } else {
                    difference.max(zero)?
                };
                let text = format!("g({position}) - posted = {exact} - {}", standing.posted);
                Ok((amount, Decimal::ZERO, Step::new("tiers", text, amount)))
            }
        }
    }

    /// The sum over bands of what lies in each.
    fn marginal(&self, base: Decimal, count: Decimal) -> Result<Decimal, MoneyError> {
        let value = self.value(base, count);
        let mut total = Decimal::ZERO;
        for (index, tier) in self.tiers.iter().enumerate() {
            if index > 0 && value <= tier.from {
                break;
            }
            let next = self.tiers.get(index + 1).map(|next| next.from);
            let end = next.map_or(value, |next| next.min(value));
            let per_unit = match self.tier_metric {
                TierMetric::NetPaidBase => tier.rate.decimal(),
                TierMetric::Count => tier.unit_amount,
            };
            total = sum(total, sum(product(end - tier.from, per_unit)?, tier.amount)?)?;
        }
        Ok(total)
    }

    /// Everything at the rate of the band.
    fn slab(&self, base: Decimal, count: Decimal) -> Result<Decimal, MoneyError> {
        let tier = self.band(base, count);
        let shares = product(base, tier.rate.decimal())?;
        sum(sum(shares, product(count, tier.unit_amount)?)?, tier.amount)
    }

    /// The band of a volume; below zero it is the first.
    pub(super) fn band(&self, base: Decimal, count: Decimal) -> &Tier {
        let value = self.value(base, count);
        let position = self.tiers.partition_point(|tier| tier.from <= value);
        &self.tiers[position.saturating_sub(1)]
    }

    fn value(&self, base: Decimal, count: Decimal) -> Decimal {
        match self.tier_metric {
            TierMetric::NetPaidBase => base,
            TierMetric::Count => count,
        }
    }
}

impl TierScope {
    /// The scope that a local day falls into, by the first day of it, for example `quarter:2026-04-01`. Years of an
    /// anniversary are counted from its day, clamped to the end of the month; without one they are calendar years.
    pub fn period(self, day: NaiveDate, anniversary: Option<NaiveDate>) -> String {
        let start = match self {
            Self::Line | Self::Lifetime => return self.as_str().to_owned(),
            Self::Month => day.with_day(1),
            Self::Quarter => day
                .with_day(1)
                .and_then(|first| first.with_month(day.month0() / 3 * 3 + 1)),
            Self::Year => NaiveDate::from_yo_opt(day.year(), 1),
            Self::Anniversary => match anniversary {
                Some(anchor) => year_since(anchor, day),
                None => NaiveDate::from_yo_opt(day.year(), 1),
            },
        };
        format!("{self}:{}", start.unwrap_or(day))
    }
}

/// The first day of the year since the anchor that a day falls into.
fn year_since(anchor: NaiveDate, day: NaiveDate) -> Option<NaiveDate> {
    let start_of = |years: i32| {
        let months = Months::new(years.unsigned_abs() * 12);
        if years < 0 {
            anchor.checked_sub_months(months)
        } else {
            anchor.checked_add_months(months)
        }
    };
    let years = day.year() - anchor.year();
    match start_of(years) {
        Some(start) if start <= day => Some(start),
        _ => start_of(years - 1),
    }
}

pub(super) fn sum(one: Decimal, other: Decimal) -> Result<Decimal, MoneyError> {
    one.checked_add(other).ok_or(MoneyError::OutOfRange)
}

pub(super) fn product(one: Decimal, other: Decimal) -> Result<Decimal, MoneyError> {
    one.checked_mul(other).ok_or(MoneyError::OutOfRange)
}
