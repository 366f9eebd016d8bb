//! Rules, lines and partners, as short as the examples are.

use chrono::{DateTime, NaiveDate, Utc};
use copartner::kernel::commission::{
    Accrual, Clauses, Component, Conditions, CreditInput, Facts, FlatPer, Formula, Goods, LineInput, Party,
    Refunded, Rule, RuleTerms, Service, Shared, Standing, Tier, TierMetric, TierMode, TierScope, Tiers,
    accrue_line, clawback, credit_note_lines, recompute, select,
};
use copartner::kernel::id::{
    AttributionId, CommissionRuleId, CommissionRuleVersionId, PartnerId, ProductFamilyId, ProgramId,
};
use copartner::kernel::money::{Currency, Money, Rounding};
use copartner::kernel::motion::{DealType, Motion, Role};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

/// A decimal that is written as a number or as a text.
#[track_caller]
pub fn decimal(value: &Value) -> Decimal {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.to_string().parse().unwrap(),
    }
}

pub fn decimals(value: &Value) -> Vec<Decimal> {
    value.as_array().unwrap().iter().map(decimal).collect()
}

pub fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

pub fn usd(amount: Decimal) -> Money {
    Money::new(amount, Currency::USD).unwrap()
}

/// An amount in cents.
pub fn cents(value: &Value) -> Money {
    usd(decimal(value) / Decimal::ONE_HUNDRED)
}

pub fn minor(money: Money) -> i64 {
    i64::try_from(money.minor_units()).unwrap()
}

pub fn percent(rate: Decimal) -> Formula {
    let rate = (rate / Decimal::ONE_HUNDRED).normalize().to_string();
    Formula::Percentage {
        rate: rate.parse().unwrap(),
    }
}

pub fn flat(amounts: &[Money], per: FlatPer) -> Formula {
    let amounts = amounts.to_vec();
    Formula::Flat { amounts, per }
}

/// A band: bound, rate in percent, amount, amount per unit.
pub fn band(from: Decimal, rate: Decimal, amount: Decimal, unit_amount: Decimal) -> Tier {
    let rate = (rate / Decimal::ONE_HUNDRED).normalize().to_string();
    Tier {
        from,
        rate: rate.parse().unwrap(),
        amount,
        unit_amount,
    }
}

/// Bands of `[from, to, percent]`.
pub fn bands(value: &Value) -> Vec<Tier> {
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| band(decimal(&row[0]), decimal(&row[2]), Decimal::ZERO, Decimal::ZERO))
        .collect()
}

pub fn tiers(mode: TierMode, scope: TierScope, metric: TierMetric, tiers: Vec<Tier>) -> Formula {
    Formula::Tiered(Tiers {
        currency: Currency::USD,
        tier_mode: mode,
        tier_scope: scope,
        tier_metric: metric,
        tiers,
    })
}

pub fn by_money(mode: TierMode, scope: TierScope, bands: Vec<Tier>) -> Formula {
    tiers(mode, scope, TierMetric::NetPaidBase, bands)
}

/// The terms of a base rule; its number makes it another one.
pub fn terms(number: u128, formula: Formula) -> RuleTerms {
    RuleTerms {
        rule_id: CommissionRuleId::from_uuid(Uuid::from_u128(number)),
        version_id: CommissionRuleVersionId::from_uuid(Uuid::from_u128(number)),
        version: 1,
        component: Component::Base,
        formula,
        conditions: Conditions {
            program_id: program(),
            motions: vec![],
            roles: vec![],
            partners: vec![],
            product_families: vec![],
            currencies: vec![],
        },
        clauses: Clauses::default(),
        priority: 0,
        hold_days: 30,
        effective_from: instant("2000-01-01T00:00:00Z"),
        effective_to: None,
    }
}

pub fn rule(formula: Formula) -> Rule {
    Rule::new(terms(1, formula)).unwrap()
}

pub fn rule_with(formula: Formula, clauses: Clauses) -> Rule {
    Rule::new(RuleTerms {
        clauses,
        ..terms(1, formula)
    })
    .unwrap()
}

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn program() -> ProgramId {
    ProgramId::from_uuid(Uuid::from_u128(1))
}

pub fn partner(number: u128) -> PartnerId {
    PartnerId::from_uuid(Uuid::from_u128(number))
}

pub fn family(number: u128) -> ProductFamilyId {
    ProductFamilyId::from_uuid(Uuid::from_u128(number))
}

pub fn party<'a>(rule: &'a Rule, number: u128, basis_points: u32, zero: Money) -> Party<'a> {
    Party {
        attribution_id: AttributionId::from_uuid(Uuid::from_u128(number)),
        partner_id: partner(number),
        basis_points,
        rank: i32::try_from(number).unwrap(),
        rule: Some(rule),
        considered: Shared::default(),
        eligible: Ok(()),
        closed_gates: &[],
        at_most: None,
        already_posted: zero,
        earlier: zero,
        standing: Standing::default(),
    }
}

/// A line that is paid in full at once.
pub fn line<'a>(net: Money, parties: Vec<Party<'a>>) -> LineInput<'a> {
    let rule = parties.first().and_then(|party| party.rule);
    LineInput {
        component: rule.map_or(Component::Base, |rule| rule.terms().component),
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

/// What the lines come to; each of them must explain itself.
pub fn work<'a>(input: &LineInput<'a>) -> Vec<Accrual<'a>> {
    let lines = accrue_line(input).unwrap();
    for line in &lines {
        assert_eq!(recompute(&line.explanation).unwrap(), line.amount);
    }
    lines
}

/// What one partner earns on one line.
pub fn earn(rule: &Rule, net: Money) -> Money {
    earn_units(rule, net, Decimal::ONE)
}

/// The same for a quantity.
pub fn earn_units(rule: &Rule, net: Money, quantity: Decimal) -> Money {
    let mut input = line(net, vec![party(rule, 1, 10_000, Money::zero(net.currency()))]);
    input.goods.quantity = quantity;
    work(&input)[0].amount
}

/// What one partner earns on a line whose service starts on a day.
pub fn earn_on(rule: &Rule, net: Money, service: Service) -> Money {
    let mut input = line(net, vec![party(rule, 1, 10_000, Money::zero(net.currency()))]);
    input.service = Some(service);
    work(&input)[0].amount
}

/// What lines one after another earn under a rule that counts.
pub fn earn_each(rule: &Rule, nets: &[Money]) -> Vec<Money> {
    let mut standing = Standing::default();
    let each = nets.iter().map(|net| {
        let mut one = party(rule, 1, 10_000, Money::zero(net.currency()));
        one.standing = standing.clone();
        let accrual = work(&line(*net, vec![one])).remove(0);
        standing.volume += accrual.growth.volume;
        standing.count += accrual.growth.count;
        standing.exact += accrual.growth.exact;
        standing.posted += accrual.amount.amount();
        accrual.amount
    });
    each.collect()
}

/// How several partners share what a rule pays on a line.
pub fn share(rule: &Rule, net: Money, basis_points: &[u32]) -> Vec<Money> {
    let zero = Money::zero(net.currency());
    let parties = (1..)
        .zip(basis_points)
        .map(|(number, share)| party(rule, number, *share, zero));
    let lines = work(&line(net, parties.collect()));
    lines.iter().map(|line| line.amount).collect()
}

/// The negative line of a credit note.
pub fn credit(rule: &Rule, net: Money) -> Money {
    let input = CreditInput {
        component: Component::Base,
        credit: net,
        service: None,
        rounding: Rounding::HalfUp,
        parties: vec![party(rule, 1, 10_000, Money::zero(net.currency()))],
    };
    credit_note_lines(&input).unwrap()[0].amount
}

/// What refunds one after another take back of a commission on a base.
pub fn take_back(commission: Money, base: Money, refunds: &[Money]) -> Vec<Money> {
    let (mut refunded, mut taken) = (Decimal::ZERO, Decimal::ZERO);
    let each = refunds.iter().map(|refund| {
        refunded += refund.amount();
        let currency = commission.currency();
        let (refunded, already) = (
            Money::new(refunded, currency).unwrap(),
            Money::new(taken, currency).unwrap(),
        );
        let line = clawback(
            Refunded::More,
            commission,
            base,
            refunded,
            already,
            Rounding::HalfUp,
        )
        .unwrap();
        assert_eq!(recompute(&line.explanation).unwrap(), line.amount);
        taken += line.amount.amount();
        line.amount
    });
    each.collect()
}

/// The facts of a sourced referral deal of a partner, for a product family.
pub fn facts(partner_number: u128, product_family: Option<u128>, net: Money) -> Facts<'static> {
    Facts {
        program_id: program(),
        motion: Motion::Referral,
        role: Role::Sourced,
        partner_id: partner(partner_number),
        product_family_id: product_family.map(family),
        currency: net.currency(),
        tier: None,
        deal_type: DealType::New,
        country: None,
        net,
    }
}

/// What the rule that is selected earns.
pub fn earn_selected(rules: &[Rule], facts: &Facts<'_>) -> Money {
    let selection = select(rules, facts, instant("2026-06-01T00:00:00Z"));
    earn(selection.chosen(Component::Base).unwrap(), facts.net)
}
