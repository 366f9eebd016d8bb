//! Builders that the tests of the engine share.

mod accrual;
mod explanations;
mod invariants;
mod limits;
mod published;
mod reversal;
mod rules;
mod selection;
mod tiers;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::*;
use crate::kernel::id::{
    AttributionId, CommissionRuleId, CommissionRuleVersionId, PartnerId, ProductFamilyId, ProgramId,
};
use crate::kernel::money::{Currency, Money, Rounding};
use crate::kernel::motion::{DealType, Motion, Role};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn partner(number: u128) -> PartnerId {
    PartnerId::from_uuid(Uuid::from_u128(number))
}

fn family(number: u128) -> ProductFamilyId {
    ProductFamilyId::from_uuid(Uuid::from_u128(number))
}

fn program(number: u128) -> ProgramId {
    ProgramId::from_uuid(Uuid::from_u128(number))
}

fn rule_id(number: u128) -> CommissionRuleId {
    CommissionRuleId::from_uuid(Uuid::from_u128(number))
}

fn money(text: &str, code: &str) -> Money {
    Money::parse(text, Currency::from_code(code).unwrap()).unwrap()
}

fn usd(text: &str) -> Money {
    money(text, "USD")
}

fn cents(minor_units: i128) -> Money {
    Money::from_minor_units(minor_units, Currency::USD).unwrap()
}

fn percentage(rate: &str) -> Formula {
    Formula::Percentage {
        rate: rate.parse().unwrap(),
    }
}

/// The first version of base terms in program 1 that admit anything, in force from 2026.
fn terms(number: u128, formula: Formula) -> RuleTerms {
    RuleTerms {
        rule_id: rule_id(number),
        version_id: CommissionRuleVersionId::from_uuid(Uuid::from_u128(number)),
        version: 1,
        component: Component::Base,
        formula,
        conditions: Conditions {
            program_id: program(1),
            motions: vec![],
            roles: vec![],
            partners: vec![],
            product_families: vec![],
            currencies: vec![],
        },
        clauses: Clauses::default(),
        priority: 0,
        hold_days: 30,
        effective_from: at("2026-01-01T00:00:00Z"),
        effective_to: None,
    }
}

fn rule(number: u128, rate: &str) -> Rule {
    Rule::new(terms(number, percentage(rate))).unwrap()
}

fn flat_rule(number: u128, amounts: &[Money]) -> Rule {
    Rule::new(terms(
        number,
        Formula::Flat {
            amounts: amounts.to_vec(),
            per: FlatPer::Line,
        },
    ))
    .unwrap()
}

/// A sourced referral deal of partner 1, in program 1, without a product family, in dollars.
fn facts() -> Facts<'static> {
    Facts {
        program_id: program(1),
        motion: Motion::Referral,
        role: Role::Sourced,
        partner_id: partner(1),
        product_family_id: None,
        currency: Currency::USD,
        tier: None,
        deal_type: DealType::New,
        country: None,
        net: usd("1000"),
    }
}

fn party<'a>(rank: i32, basis_points: u32, rule: &'a Rule) -> Party<'a> {
    let number = rank.unsigned_abs().into();
    Party {
        attribution_id: AttributionId::from_uuid(Uuid::from_u128(number)),
        partner_id: partner(number),
        basis_points,
        rank,
        rule: Some(rule),
        considered: Shared::default(),
        eligible: Ok(()),
        closed_gates: &[],
        at_most: None,
        already_posted: Money::zero(Currency::USD),
        earlier: Money::zero(Currency::USD),
        standing: Standing::default(),
    }
}

/// A line of an invoice that has just this line and is paid in full at once.
fn line<'a>(net: Money, parties: Vec<Party<'a>>) -> LineInput<'a> {
    LineInput {
        component: Component::Base,
        net,
        goods: Goods::default(),
        service: None,
        invoice_total: net,
        paid_before: Money::zero(net.currency()),
        paid_after: net,
        rounding: Rounding::HalfUp,
        parties,
    }
}

/// The pool of a rule on a base of one plain unit.
fn whole(rule: &Rule, base: Money, rounding: Rounding) -> Option<Money> {
    let frame = pools::Frame {
        component: Component::Base,
        net: base,
        goods: Goods::default(),
        service: None,
        rounding,
        movement: pools::Movement::paid(Money::zero(base.currency()), base, base).unwrap(),
    };
    frame.pool(&rule.snapshot(), base).unwrap().map(|(_, pool)| pool)
}

fn amounts(input: &LineInput<'_>) -> Vec<Money> {
    accrue_line(input)
        .unwrap()
        .iter()
        .map(|accrual| accrual.amount)
        .collect()
}
