//! The terms of a version as one English sentence.

use super::domain::{CommissionRuleVersion, VersionTerms};
use crate::kernel::commission::{
    BaseMeasure, Clauses, Component, FlatPer, Formula, HoldStart, RecurrenceKind, Tier, TierMetric, TierMode,
    TierScope, Tiers,
};
use crate::kernel::money::Money;
use crate::kernel::rate::Rate;
use chrono::{DateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use std::fmt::Display;

impl CommissionRuleVersion {
    /// Says in plain English what the version pays, on what, to whom and when.
    pub fn sentence(&self) -> String {
        let terms = &self.terms;
        let amount = amount(&terms.formula);
        let amount = match self.component {
            Component::Base => amount,
            Component::Bonus => format!("A bonus of {amount}"),
            Component::Override => format!("An override of {amount}"),
        };
        format!(
            "{amount} on {} of {}{}{}{}{}{}, {}, {}.",
            deals(terms),
            partners(terms),
            prefixed(
                " for ",
                &named(
                    &terms.product_family_ids,
                    "",
                    "product family",
                    "product families"
                )
            ),
            prefixed(" in ", &either(&terms.currencies)),
            prefixed(" of customers in ", &either(&terms.clauses.countries)),
            if terms.roles.is_empty() {
                ", for each role in full"
            } else {
                ""
            },
            clauses(&terms.clauses),
            hold(terms.hold_days, terms.clauses.hold_start),
            period(terms),
        )
    }
}

fn amount(formula: &Formula) -> String {
    match formula {
        Formula::Percentage { rate } => format!("{} of net money received", percent(*rate)),
        Formula::Flat { amounts, per } => flat(amounts, *per),
        Formula::Tiered(tiers) => table(tiers),
        Formula::Hybrid { amounts, per, plus } => format!("{} plus {}", flat(amounts, *per), amount(plus)),
    }
}

fn flat(amounts: &[Money], per: FlatPer) -> String {
    match per {
        FlatPer::Line => format!("{} per invoice line", either(amounts)),
        FlatPer::Unit => format!("{} per unit", either(amounts)),
    }
}

fn percent(rate: Rate) -> String {
    format!("{}%", (rate.decimal() * Decimal::ONE_HUNDRED).normalize())
}

/// `by marginal tiers of net money received in a quarter (5% from 0 USD, 6% from 100000 USD)`
fn table(tiers: &Tiers) -> String {
    let currency = tiers.currency;
    let mode = match tiers.tier_mode {
        TierMode::Marginal => "each part at the rate of its own band",
        TierMode::SlabPerLine => "each line at the rate of its amount",
        TierMode::SlabProspective => "each line at the rate reached with it",
        TierMode::SlabRetroactive => "everything at the rate reached, earlier lines topped up",
    };
    let scope = match tiers.tier_scope {
        TierScope::Line => "of a line".to_owned(),
        TierScope::Lifetime => "ever".to_owned(),
        TierScope::Anniversary => "in a year from the enrollment".to_owned(),
        scope => format!("in a {scope}"),
    };
    let metric = match tiers.tier_metric {
        TierMetric::NetPaidBase => "net money received",
        TierMetric::Count => "units sold",
    };
    let band = |tier: &Tier| {
        let unit = (!tier.unit_amount.is_zero()).then(|| format!("{} {currency} per unit", tier.unit_amount));
        let amount = (!tier.amount.is_zero()).then(|| format!("{} {currency}", tier.amount));
        let rate =
            (tier.rate != Rate::ZERO || unit.is_none() && amount.is_none()).then(|| percent(tier.rate));
        let parts: Vec<String> = [rate, unit, amount].into_iter().flatten().collect();
        let bound = match tiers.tier_metric {
            TierMetric::NetPaidBase => format!("{} {currency}", tier.from),
            TierMetric::Count => tier.from.to_string(),
        };
        format!("{} from {bound}", parts.join(" plus "))
    };
    let bands: Vec<String> = tiers.tiers.iter().map(band).collect();
    format!("tiers by {metric} {scope}, {mode} ({})", bands.join(", "))
}

/// What else the terms say, each with a comma before it.
fn clauses(clauses: &Clauses) -> String {
    let mut parts = Vec::new();
    if clauses.base == BaseMeasure::Margin {
        parts.push("counted on the margin".to_owned());
    }
    match (clauses.include_shipping, clauses.include_fees) {
        (true, true) => parts.push("with shipping and fees".to_owned()),
        (true, false) => parts.push("with shipping".to_owned()),
        (false, true) => parts.push("with fees".to_owned()),
        (false, false) => {}
    }
    if !clauses.minimum_amounts.is_empty() {
        parts.push(format!(
            "for lines of at least {}",
            either(&clauses.minimum_amounts)
        ));
    }
    match (clauses.recurrence.kind, clauses.recurrence.months) {
        (RecurrenceKind::OneTime, _) => parts.push("on the first invoice of a deal alone".to_owned()),
        (RecurrenceKind::Recurring, Some(months)) => parts.push(format!("for {months} months from the win")),
        (RecurrenceKind::Recurring, None) => {}
    }
    for renewal in &clauses.recurrence.renewal_rates {
        parts.push(format!(
            "{} from renewal {}",
            percent(renewal.rate),
            renewal.from_year
        ));
    }
    if !clauses.floors.is_empty() {
        parts.push(format!("at least {} a line", either(&clauses.floors)));
    }
    if !clauses.line_caps.is_empty() {
        parts.push(format!("at most {} a line", either(&clauses.line_caps)));
    }
    if let Some(cap) = &clauses.period_cap {
        let period = match cap.period {
            TierScope::Lifetime => "ever".to_owned(),
            TierScope::Anniversary => "in a year from the enrollment".to_owned(),
            period => format!("in a {period}"),
        };
        parts.push(format!("at most {} {period}", either(&cap.amounts)));
    }
    parts.into_iter().map(|part| format!(", {part}")).collect()
}

/// `sourced or influenced co-sell deals`
fn deals(terms: &VersionTerms) -> String {
    let motions: Vec<String> = terms
        .motions
        .iter()
        .map(|motion| motion.as_str().replace('_', "-"))
        .collect();
    let types = either(&terms.clauses.deal_types);
    let words = [either(&terms.roles), types, either(&motions), "deals".to_owned()];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn partners(terms: &VersionTerms) -> String {
    let partners = named(&terms.partner_ids, "any partner", "partner", "partners");
    match terms.clauses.tiers.as_slice() {
        [] => partners,
        tiers => format!("{partners} of tier {}", either(tiers)),
    }
}

/// `any partner`, `partner ptn_..` or `3 named partners`.
fn named<T: Display>(ids: &[T], none: &str, one: &str, several: &str) -> String {
    match ids {
        [] => none.to_owned(),
        [only] => format!("{one} {only}"),
        _ => format!("{} named {several}", ids.len()),
    }
}

/// `a`, `a or b`, `a, b or c`.
fn either<T: Display>(entries: &[T]) -> String {
    match entries {
        [] => String::new(),
        [only] => only.to_string(),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{} or {last}", first.join(", "))
        }
    }
}

fn prefixed(prefix: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{prefix}{text}")
    }
}

fn hold(days: u32, start: HoldStart) -> String {
    let after = match start {
        HoldStart::Payment => "",
        HoldStart::EndOfMonth => " from the end of the month",
    };
    match (days, start) {
        (0, HoldStart::Payment) => "paid without a hold".to_owned(),
        (0, HoldStart::EndOfMonth) => "paid after the end of the month".to_owned(),
        (1, _) => format!("paid after a hold of 1 day{after}"),
        _ => format!("paid after a hold of {days} days{after}"),
    }
}

fn period(terms: &VersionTerms) -> String {
    let from = instant(terms.effective_from);
    match terms.effective_to {
        Some(end) => format!("from {from} until {}", instant(end)),
        None => format!("from {from}"),
    }
}

/// `1 April 2012`, with the time of day unless it is midnight.
fn instant(instant: DateTime<Utc>) -> String {
    let day = instant.format("%-d %B %Y");
    if instant.time() == NaiveTime::MIN {
        day.to_string()
    } else {
        format!("{day} at {} UTC", instant.format("%H:%M"))
    }
}
