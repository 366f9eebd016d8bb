//! The terms of a version as one English sentence.

use super::domain::{CommissionRuleVersion, VersionTerms};
use crate::kernel::commission::{Component, Formula};
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
            "{amount} on {} of {}{}{}, {}, {}.",
            deals(terms),
            named(&terms.partner_ids, "any partner", "partner", "partners"),
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
            hold(terms.hold_days),
            period(terms),
        )
    }
}

fn amount(formula: &Formula) -> String {
    match formula {
        Formula::Percentage { rate } => {
            let percent = (rate.decimal() * Decimal::ONE_HUNDRED).normalize();
            format!("{percent}% of net money received")
        }
        Formula::Flat { amounts } => format!("{} per invoice line", either(amounts)),
    }
}

/// `sourced or influenced co-sell deals`
fn deals(terms: &VersionTerms) -> String {
    let motions: Vec<String> = terms
        .motions
        .iter()
        .map(|motion| motion.as_str().replace('_', "-"))
        .collect();
    let words = [either(&terms.roles), either(&motions), "deals".to_owned()];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
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

fn hold(days: u32) -> String {
    match days {
        0 => "paid without a hold".to_owned(),
        1 => "paid after a hold of 1 day".to_owned(),
        _ => format!("paid after a hold of {days} days"),
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
