//! The explanation in plain English.

use rust_decimal::Decimal;
use std::borrow::Cow;

use super::explain::{
    AccrualExplanation, ClawbackExplanation, CreditExplanation, Entitlement, Explanation, Step,
};
use super::formula::Formula;
use super::tiers::TierMetric;
use super::{Component, IneligibleReason};
use crate::kernel::money::Currency;

/// Says in plain English how the amount came about.
pub fn sentence(explanation: &Explanation) -> String {
    match explanation {
        Explanation::Accrual(accrual) => accrual_sentence(accrual),
        Explanation::Credit(credit) => credit_sentence(credit),
        Explanation::Clawback(clawback) => clawback_sentence(clawback),
    }
}

fn accrual_sentence(accrual: &AccrualExplanation) -> String {
    let AccrualExplanation {
        currency,
        net,
        invoice_total,
        paid_after,
        already_posted,
        amount,
        ..
    } = accrual;
    let entitlement = &accrual.entitlement;
    if let Some(refusal) = refusal(entitlement) {
        return format!("Nothing is earned on {net} {currency}, because {refusal}.");
    }
    if let Some(own) = own_sentence(entitlement, &accrual.steps, *net, *currency) {
        return format!("{own} This line is {amount} {currency}.");
    }
    let earned = result(&accrual.steps, "earned");
    format!(
        "{} {paid_after} of {invoice_total} {currency} of the invoice has been paid, so {earned} {currency} is \
         earned so far; {already_posted} {currency} of it fell to earlier payments, so this line is {amount} {currency}.",
        entitled_sentences(entitlement, &accrual.steps, *net, *currency),
    )
}

fn credit_sentence(credit: &CreditExplanation) -> String {
    let CreditExplanation {
        currency,
        already_posted,
        amount,
        ..
    } = credit;
    let entitlement = &credit.entitlement;
    if let Some(refusal) = refusal(entitlement) {
        return format!(
            "Nothing is taken back for a credit of {} {currency}, because {refusal}.",
            credit.credit
        );
    }
    if let Some(own) = own_sentence(entitlement, &credit.steps, credit.credit, *currency) {
        return format!("{own} For a credit the sign is turned: this line is {amount} {currency}.");
    }
    let credited = result(&credit.steps, "credited");
    format!(
        "{} For a credit the sign is turned: {credited} {currency}; {already_posted} {currency} was posted before, \
         so this line is {amount} {currency}.",
        entitled_sentences(entitlement, &credit.steps, credit.credit, *currency),
    )
}

fn clawback_sentence(clawback: &ClawbackExplanation) -> String {
    let ClawbackExplanation {
        currency,
        original,
        base,
        refunded_cumulative,
        already_clawed,
        amount,
        ..
    } = clawback;
    let target = result(&clawback.steps, "target");
    let paid_in = clawback.base_currency.unwrap_or(*currency);
    if clawback.reinstates {
        return format!(
            "Money came in again, and {refunded_cumulative} of the {base} {paid_in} paid stays refunded, so {target} of \
             the {original} {currency} earned is due back; {already_clawed} {currency} was taken back before, so this \
             line gives back {} {currency}.",
            amount.abs()
        );
    }
    format!(
        "{refunded_cumulative} of the {base} {paid_in} paid has been refunded, so {target} of the {original} \
         {currency} earned is due back; {already_clawed} {currency} was taken back before, so this line takes back \
         {amount} {currency}."
    )
}

/// How tiers lead to an amount on the partner's own part of the base.
fn own_sentence(
    entitlement: &Entitlement,
    steps: &[Step],
    base: Decimal,
    currency: Currency,
) -> Option<String> {
    let rule = entitlement.rule.as_deref()?;
    let tiers = rule.formula.tiers()?;
    let percent = Decimal::new(i64::from(entitlement.share.basis_points), 2).normalize();
    let own = result(steps, "own_base");
    let before = match entitlement.progress.as_deref() {
        Some(progress) if tiers.accumulates() => {
            let period = &progress.before.tier_period;
            let (before, more, unit) = match tiers.tier_metric {
                TierMetric::NetPaidBase => (progress.before.volume, progress.volume, currency.code()),
                TierMetric::Count => (progress.before.count, progress.count, "units"),
            };
            format!(" {before} {unit} had been counted in {period}, {more} {unit} come on top.")
        }
        _ => String::new(),
    };
    Some(format!(
        "Version {} of rule {} pays by {} tiers on the partner's own part of {base} {currency}: {percent}% of it is {own} \
         {currency}.{before} The tiers come to {} {currency}.",
        rule.version,
        rule.rule_id,
        tiers.tier_mode.as_str().replace('_', " "),
        result(steps, "tiers"),
    ))
}

/// How the rule and the share lead to what the partner is entitled to.
fn entitled_sentences(
    entitlement: &Entitlement,
    steps: &[Step],
    base: Decimal,
    currency: Currency,
) -> String {
    let (pool, share) = (result(steps, "pool"), result(steps, "share"));
    let component = match entitlement.component {
        Component::Base => "commission",
        Component::Bonus => "bonus",
        Component::Override => "override",
    };
    let terms = match entitlement.formula() {
        Some(Formula::Percentage { rate }) => {
            format!(
                "{}% of {base} {currency}",
                (rate.decimal() * Decimal::ONE_HUNDRED).normalize()
            )
        }
        Some(formula @ Formula::Hybrid { .. }) => format!(
            "a flat amount and {}% of {base} {currency}",
            (formula.rate().map_or(Decimal::ZERO, |rate| rate.decimal()) * Decimal::ONE_HUNDRED).normalize()
        ),
        Some(Formula::Tiered(_)) => format!("by tiers on {base} {currency}"),
        Some(Formula::Flat { .. }) => format!("a flat amount, at most {base} {currency}"),
        None => format!("nothing on {base} {currency}"),
    };
    let version = entitlement.rule.as_deref().map_or_else(String::new, |rule| {
        format!(" under version {} of rule {}", rule.version, rule.rule_id)
    });
    let percent = Decimal::new(i64::from(entitlement.share.basis_points), 2).normalize();
    format!(
        "The {component}{version} is {terms}: {pool} {currency}. A share of {percent}% of it is {share} {currency}."
    )
}

fn refusal(entitlement: &Entitlement) -> Option<Cow<'static, str>> {
    let text = match entitlement.ineligible? {
        IneligibleReason::NoRule => "no commission rule applies",
        IneligibleReason::PartnerSuspended => "the partner is suspended",
        IneligibleReason::PartnerTerminated => "the partner has been terminated",
        IneligibleReason::EnrollmentNotActive => {
            "the partner that would earn it has no active enrollment in the program"
        }
        IneligibleReason::GateClosed => {
            let closed = entitlement.closed_gates.join(", ");
            return Some(
                format!("the program asked for what was not on file, verified and valid: {closed}").into(),
            );
        }
        IneligibleReason::NoFlatAmountInCurrency => "the rule has no flat amount in this currency",
        IneligibleReason::FlatRuleNotCredited => "a flat amount does not depend on what was sold",
        IneligibleReason::RecurrenceOver => "the rule pays no further invoices of the deal",
        IneligibleReason::NotInBase => "shipping and fees do not belong to the base of the rule",
        IneligibleReason::CostUnknown => "the rule pays on the margin and the cost is unknown",
        IneligibleReason::PeriodCapReached => "the cap of the period has been reached",
        IneligibleReason::ZeroAmount => return None,
    };
    Some(text.into())
}

fn result(steps: &[Step], name: &str) -> Decimal {
    steps
        .iter()
        .find(|step| step.name == name)
        .map_or(Decimal::ZERO, |step| step.result)
}
