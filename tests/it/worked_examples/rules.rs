//! Rules that are chosen, that add up, and that count.

use super::express::text;
use super::model::*;
use chrono::Months;
use copartner::kernel::commission::{
    Clauses, Component, FlatPer, Formula, Recurrence, RecurrenceKind, Rule, RuleTerms, Service, TierMetric,
    TierMode, TierScope,
};
use copartner::kernel::money::Money;
use rust_decimal::Decimal;
use serde_json::{Value, json};

const ZERO: Decimal = Decimal::ZERO;

pub fn precedence(given: &Value) -> Value {
    let rate = |points: &Value| percent(decimal(points) / Decimal::ONE_HUNDRED);
    let mut own = terms(2, rate(&given["partner_a_override_bp"]));
    own.conditions.partners = vec![partner(1)];
    let rules = [rule(rate(&given["default_rate_bp"])), Rule::new(own).unwrap()];
    let net = cents(&given["amount_minor"]);
    let of = |number| minor(earn_selected(&rules, &facts(number, None, net)));
    json!({ "a_minor": of(1), "b_minor": of(2) })
}

/// A seller is a partner, a type of product a family.
pub fn selection(given: &Value) -> Value {
    let has = |list: &Value, word: &str| {
        list.as_array()
            .is_none_or(|list| list.iter().any(|entry| entry == word))
    };
    let rules = (1..)
        .zip(given["rules"].as_array().unwrap())
        .map(|(number, row)| {
            let mut terms = terms(number, percent(decimal(&row["rate_percent"])));
            if row["match"].is_array() && has(&row["match"], "seller") {
                terms.conditions.partners = vec![partner(1)];
            }
            if row["match"].is_array() && has(&row["match"], "product_type") {
                terms.conditions.product_families = vec![family(1)];
            }
            Rule::new(terms).unwrap()
        });
    let rules: Vec<Rule> = rules.collect();
    let net = usd(given["subtotal"]
        .as_str()
        .map_or(Decimal::from(100), |text| text.parse().unwrap()));
    let product = has(&given["item_matches"], "product_type").then_some(1);
    json!({ "commission": text(earn_selected(&rules, &facts(1, product, net))) })
}

/// Two components that add up.
pub fn components(kind: &str, given: &Value) -> Value {
    let once = Clauses {
        recurrence: Recurrence {
            kind: RecurrenceKind::OneTime,
            ..Recurrence::default()
        },
        ..Clauses::default()
    };
    let (net, base, bonus, clauses) = if kind == "stacking" {
        let flat = flat(&[usd(decimal(&given["program_flat_per_order"]))], FlatPer::Line);
        let share = percent(decimal(&given["product_rate_percent"]));
        (&given["product_price"], flat, share, Clauses::default())
    } else {
        let always = percent(decimal(&given["all_billing_percent"]));
        (
            &given["monthly"],
            always,
            percent(decimal(&given["first_month_percent"])),
            once,
        )
    };
    let bonus = RuleTerms {
        component: Component::Bonus,
        clauses,
        ..terms(2, bonus)
    };
    let net = usd(decimal(net));
    let base = earn_on(&rule(base), net, month(0, true));
    let mut input = line(net, vec![]);
    let bonus = Rule::new(bonus).unwrap();
    let mut second = party(&bonus, 1, 10_000, usd(ZERO));
    second.earlier = base;
    input.component = Component::Bonus;
    input.parties = vec![second];
    json!({ "commission": text(base.checked_add(work(&input)[0].amount).unwrap()) })
}

/// The source does not round: a currency of three decimals holds its figures.
pub fn hybrid_cap(given: &Value) -> Value {
    let dinar = |amount: Decimal| Money::new(amount, currency("KWD")).unwrap();
    let hybrid = Formula::Hybrid {
        amounts: vec![dinar(decimal(&given["fixed_each"]))],
        per: FlatPer::Line,
        plus: Box::new(percent(decimal(&given["rate_percent"]))),
    };
    let clauses = Clauses {
        floors: vec![dinar(decimal(&given["min"]))],
        line_caps: vec![dinar(decimal(&given["max"]))],
        ..Clauses::default()
    };
    let rule = rule_with(hybrid, clauses);
    let sum: Decimal = decimals(&given["transactions"])
        .into_iter()
        .map(|net| earn(&rule, dinar(net)).amount())
        .sum();
    json!({ "amount": sum.to_string() })
}

pub fn accelerator(given: &Value) -> Value {
    let bands = bands(&given["tiers"]);
    let base = decimal(&given["base"]);
    let rule = rule(by_money(TierMode::Marginal, TierScope::Year, bands.clone()));
    let mut ends: Vec<Decimal> = bands.iter().skip(1).map(|band| band.from).collect();
    ends.push(base);
    let mut from = ZERO;
    let parts = ends.iter().map(|end| {
        let part = usd(end - from);
        from = *end;
        part
    });
    let parts: Vec<Money> = parts.collect();
    let each: Vec<String> = earn_each(&rule, &parts).into_iter().map(text).collect();
    json!({ "parts": each })
}

pub fn statement_total(given: &Value) -> Value {
    if let Some(rows) = given["rows"].as_array() {
        // Each row is a sale or a return under a rule of its own rate.
        let (mut amounts, mut commissions) = (ZERO, ZERO);
        for row in rows {
            let (amount, commission) = (decimal(&row[0]), decimal(&row[1]));
            let rule = rule(percent((commission / amount * Decimal::ONE_HUNDRED).abs()));
            let earned = if amount < ZERO {
                credit(&rule, usd(-amount))
            } else {
                earn(&rule, usd(amount))
            };
            amounts += amount;
            commissions += earned.amount();
        }
        return json!({ "total_amount": amounts.to_string(), "total_commission": commissions.to_string() });
    }
    let nets: Vec<Money> = decimals(&given["transactions"]).into_iter().map(usd).collect();
    let total = |scope| {
        let rule = rule(by_money(TierMode::Marginal, scope, bands(&given["tiers"])));
        earn_each(&rule, &nets)
            .iter()
            .map(|money| money.amount())
            .sum::<Decimal>()
    };
    let per_line = total(TierScope::Line).to_string();
    json!({ "total": per_line, "per_transaction": per_line, "cumulative_over_period": total(TierScope::Quarter).to_string() })
}

/// An amount that a band pays pro rata is a rate: the amount by the width of the band.
pub fn interpolated(given: &Value) -> Value {
    let rows = given["tiers_amount"].as_array().unwrap().iter();
    let bands = rows.map(|row| {
        let width = decimal(&row[1]) - decimal(&row[0]);
        let rate = (decimal(&row[2]) / width * Decimal::ONE_HUNDRED).round_dp(4);
        band(decimal(&row[0]), rate, ZERO, ZERO)
    });
    let rule = rule(by_money(TierMode::Marginal, TierScope::Line, bands.collect()));
    let each: Vec<Decimal> = decimals(&given["transactions"])
        .into_iter()
        .map(|net| earn(&rule, usd(net)).amount())
        .collect();
    let total: Decimal = each.iter().sum();
    json!({ "each": each.iter().map(ToString::to_string).collect::<Vec<_>>(), "total": total.to_string() })
}

/// Ranges of units that end with their last unit, each with an amount per unit and one for entering it.
pub fn graduated(ranges: &Value, amounts: impl Fn(&Value) -> (Decimal, Decimal)) -> Formula {
    let rows = ranges.as_array().unwrap().iter();
    let bands = rows.map(|row| {
        let (unit_amount, amount) = amounts(row);
        let from = decimal(&row[0]);
        let from = if from.is_zero() { from } else { from - Decimal::ONE };
        band(from, ZERO, amount, unit_amount)
    });
    tiers(
        TierMode::Marginal,
        TierScope::Line,
        TierMetric::Count,
        bands.collect(),
    )
}

/// What a rule that counts pays for units, whatever they were sold for.
pub fn units(rule: &Rule, units: Decimal) -> Money {
    earn_units(rule, usd(Decimal::from(1_000_000)), units)
}

/// The service of a month, counted from the anchor.
pub fn month(index: u32, is_first_invoice: bool) -> Service {
    let anchor = day("2026-01-15");
    Service {
        anchor,
        starts_on: anchor + Months::new(index),
        is_first_invoice,
    }
}
