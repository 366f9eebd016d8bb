//! Each kind of example as rules, lines and refunds.

use super::draws::draw;
use super::model::*;
use super::refunds::*;
use super::rules::*;
use chrono::Months;
use copartner::kernel::commission::{
    Clauses, FlatPer, LineKind, Recurrence, RecurrenceKind, Service, TierMetric, TierMode, TierScope,
};
use copartner::kernel::money::{Money, Part, Rounding};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const ZERO: Decimal = Decimal::ZERO;

pub fn text(money: Money) -> String {
    money.amount().to_string()
}

/// What the example comes to; none when the model cannot express it.
pub fn express(kind: &str, given: &Value) -> Option<Value> {
    Some(match kind {
        "percent_rounding" | "percent" => percentage(given),
        "percent_net_of_fees" => {
            let net = cents(&json!(
                decimal(&given["price_minor"]) - decimal(&given["fee_minor"])
            ));
            json!({ "commission_minor": minor(earn(&rule(percent(decimal(&given["affiliate_bp"]) / Decimal::ONE_HUNDRED)), net)) })
        }
        "flat_bounty" => {
            let rule = rule(flat(&[cents(&given["flat_minor"])], FlatPer::Unit));
            let units = decimal(&given["quantity"]);
            json!({ "commission_minor": minor(earn_units(&rule, usd(Decimal::from(1000)), units)) })
        }
        "flat_per_currency" => {
            let amounts = ["usd", "eur"].map(|code| {
                let amount = decimal(&given["fixed"][code]) / Decimal::ONE_HUNDRED;
                Money::new(amount, currency(&code.to_uppercase())).unwrap()
            });
            let rule = rule(flat(&amounts, FlatPer::Line));
            let of = |code| {
                minor(earn(
                    &rule,
                    Money::new(Decimal::from(1000), currency(code)).unwrap(),
                ))
            };
            json!({ "usd": of("USD"), "eur": of("EUR") })
        }
        "rule_precedence" => precedence(given),
        "rule_selection" => selection(given),
        "stacking" | "hybrid_onetime_plus_recurring" => components(kind, given),
        "per_product" => {
            let (one, two) = (&given["lines"][0], &given["lines"][1]);
            let first = rule(flat(&[usd(decimal(&one["flat"]))], FlatPer::Line));
            let second = rule(percent(decimal(&two["rate_percent"])));
            let sum = earn(&first, usd(decimal(&one["price"])))
                .checked_add(earn(&second, usd(decimal(&two["price"]))));
            json!({ "commission": text(sum.unwrap()) })
        }
        "base_definition" => {
            let clauses = Clauses {
                include_shipping: given["include_shipping"] == true,
                ..Clauses::default()
            };
            let rule = rule_with(percent(decimal(&given["rate_percent"])), clauses);
            let of = |amount: &Value, kind| {
                let mut input = line(usd(decimal(amount)), vec![party(&rule, 1, 10_000, usd(ZERO))]);
                input.goods.kind = kind;
                work(&input)[0].amount
            };
            let sum =
                of(&given["item"], LineKind::Product).checked_add(of(&given["shipping"], LineKind::Shipping));
            json!({ "total": text(sum.unwrap()) })
        }
        "floor" => {
            let clauses = Clauses {
                floors: vec![usd(decimal(&given["min"]))],
                ..Clauses::default()
            };
            let amount = usd(decimal(&given["amount"]));
            let earned = earn(
                &rule_with(percent(decimal(&given["rate_percent"])), clauses),
                amount,
            );
            let effective = earned.amount() / amount.amount() * Decimal::ONE_HUNDRED;
            json!({ "commission": text(earned), "effective_rate_percent": effective.normalize().to_string() })
        }
        "hybrid_cap" => hybrid_cap(given),
        "slab_flat_bounty" => {
            // The schedule of the source; its closed bands as lower bounds.
            let bands = [(0, 50), (100, 100), (166, 150), (1000, 500)];
            let bands =
                bands.map(|(from, amount)| band(Decimal::from(from), ZERO, Decimal::from(amount), ZERO));
            let rule = rule(by_money(TierMode::SlabPerLine, TierScope::Line, bands.to_vec()));
            json!({ "one_time_commission": text(earn(&rule, usd(decimal(&given["income_received"])))) })
        }
        "marginal_accelerator" => accelerator(given),
        "marginal_tier_with_prior_volume" => {
            let rule = rule(by_money(
                TierMode::Marginal,
                TierScope::Quarter,
                bands(&given["tiers"]),
            ));
            let deal = usd(decimal(&given["deal"]));
            let earned = earn_each(&rule, &[usd(decimal(&given["prior_volume"])), deal])[1];
            let blended = earned.amount() / deal.amount() * Decimal::ONE_HUNDRED;
            json!({ "commission": text(earned), "blended_rate_percent": blended.normalize().to_string() })
        }
        "marginal_tier_per_transaction" => {
            let rule = rule(by_money(
                TierMode::Marginal,
                TierScope::Line,
                bands(&given["tiers"]),
            ));
            json!({ "commission": text(earn(&rule, usd(decimal(&given["base"])))) })
        }
        "statement_total" => statement_total(given),
        "interpolated_tier" => interpolated(given),
        "marginal_tier_with_flat" => {
            let rule = rule(graduated(&given["ranges"], |row| {
                (decimal(&row[2]), decimal(&row[3]))
            }));
            json!({ "amount": text(units(&rule, decimal(&given["units"]))) })
        }
        "hybrid_flat_plus_marginal_percent" => {
            // A percentage of units is an amount per unit.
            let rule = rule(graduated(&given["ranges"], |row| {
                (decimal(&row[3]) / Decimal::ONE_HUNDRED, decimal(&row[2]))
            }));
            json!({ "amount": text(units(&rule, decimal(&given["base"]))) })
        }
        "slab_volume_retroactive" => {
            // The source's bands end with their last value: ours begin just above it.
            let just_above = Decimal::new(1, 4);
            let rows = given["ranges"].as_array().unwrap().iter();
            let bands = rows.map(|row| {
                let from = decimal(&row[0]);
                let from = if from.is_zero() {
                    from
                } else {
                    from - Decimal::ONE + just_above
                };
                band(from, ZERO, decimal(&row[3]), decimal(&row[2]))
            });
            let rule = rule(tiers(
                TierMode::SlabPerLine,
                TierScope::Line,
                TierMetric::Count,
                bands.collect(),
            ));
            json!({ "amount": text(units(&rule, decimal(&given["units"]))) })
        }
        "slab_whole_amount" | "tier_boundary" => {
            let rule = rule(by_money(
                TierMode::SlabPerLine,
                TierScope::Line,
                bands(&given["tiers"]),
            ));
            let base = usd(decimal(&given["base"]));
            let rate = earn(&rule, base).amount() / base.amount() * Decimal::ONE_HUNDRED;
            json!({ "rate_percent": rate.normalize().to_string() })
        }
        "split" => {
            let rule = rule(percent(decimal(&given["rate_percent"])));
            let deal = usd(decimal(&given["deal"]));
            let points: Vec<u32> = decimals(&given["split"])
                .iter()
                .map(|share| points(*share))
                .collect();
            let shares: Vec<String> = share(&rule, deal, &points).into_iter().map(text).collect();
            json!({ "shares": shares, "total": text(earn(&rule, deal)) })
        }
        "split_largest_remainder" | "split_negative" | "split_rounding" => split(given),
        "gap_split" => gap_split(given),
        "gap_refund" | "refund_partial" | "refund_partial_then_full" => refunds(given),
        "adjustment_allocation" => {
            let amounts = decimals(&given["referral_commissions_minor"]);
            let parts = allocate(cents(&given["adjustment_minor"]), &amounts);
            let net: Vec<i64> = amounts
                .iter()
                .zip(&parts)
                .map(|(amount, part)| i64::try_from(amount.trunc().mantissa()).unwrap() + minor(*part))
                .collect();
            json!({ "net_minor": net, "total_minor": net.iter().sum::<i64>() })
        }
        "split_refund_full" | "split_refund_partial" => split_refund(kind, given),
        "one_time" => {
            let recurrence = Recurrence {
                kind: RecurrenceKind::OneTime,
                ..Recurrence::default()
            };
            let clauses = Clauses {
                recurrence,
                ..Clauses::default()
            };
            let rule = rule_with(percent(decimal(&given["rate_percent"])), clauses);
            let (first, next) = (usd(decimal(&given["first_payment"])), month(1, false));
            assert!(earn_on(&rule, first, next).is_zero());
            json!({ "commission": text(earn_on(&rule, first, month(0, true))) })
        }
        "renewal_lower_rate" => renewal(given),
        "recurring_duration_cap" => {
            let months = u32::try_from(given["duration_months"].as_u64().unwrap()).unwrap();
            let recurrence = Recurrence {
                months: Some(months),
                ..Recurrence::default()
            };
            let anchor = day(given["paid_start"].as_str().unwrap());
            let mut last = anchor;
            while recurrence.admits(&Service {
                anchor,
                starts_on: last.succ_opt().unwrap(),
                is_first_invoice: false,
            }) {
                last = last.succ_opt().unwrap();
            }
            json!({ "last_eligible_date": last.to_string() })
        }
        "rounding_up" => {
            // Ours rounds to the cent: the whole of a month is the month.
            let rule = rule(percent(Decimal::ONE_HUNDRED));
            let each: Vec<String> = decimals(&given["monthly"])
                .into_iter()
                .map(|month| text(earn(&rule, usd(month))))
                .collect();
            json!({ "commission": each })
        }
        "refund_full" => refund_full(given),
        "clawback_adjustment" => {
            let earned = usd(decimal(&given["earned"]));
            let half =
                usd(decimal(&given["earned"]) * decimal(&given["clawback_percent"]) / Decimal::ONE_HUNDRED);
            json!({ "adjustment": (-take_back(earned, earned, &[half])[0].amount()).to_string() })
        }
        "refund_after_payment" => {
            let (paid, price) = (usd(decimal(&given["paid"])), usd(decimal(&given["new_price"])));
            let all = rule(percent(Decimal::ONE_HUNDRED));
            let back = take_back(earn(&all, paid), paid, &[paid.checked_sub(price).unwrap()]);
            json!({ "credit_balance": (-back[0].amount()).to_string() })
        }
        "refund_cap_remaining" => {
            let item = usd(decimal(&given["item"]));
            let (from, to) = (
                day(given["period"][0].as_str().unwrap()),
                day(given["period"][1].as_str().unwrap()),
            );
            let cancel = day(given["cancel"].as_str().unwrap());
            let unused = item
                .portion(days(from.max(cancel), to), days(from, to), Rounding::HalfUp)
                .unwrap();
            let prior = usd(-decimal(&given["prior_adjustment"]));
            let back = take_back(item, item, &[prior, unused]);
            json!({ "repair": (-back[1].amount()).to_string() })
        }
        "proration" => proration(given),
        "refund_rounding" => refund_rounding(given),
        "rounding_inconsistency" => inconsistency(given),
        "payout_fee" => payout_fee(given),
        "fx" | "fx_three_decimal" | "fx_commission" => exchange(kind, given),
        "affiliate_net_and_conservation" => affiliate(given),
        "negative_balance_recovery" => draw(given),
        "currency_exponent" | "rounding_half_even" => exponent(kind, given),
        "hold_dates" => hold(given),
        "hold_then_threshold" => {
            let earned = last_day("2026-06-30T12:00:00Z", 30);
            json!({ "payout_month": month_name(earned.checked_add_months(Months::new(1)).unwrap()) })
        }
        "payout_schedule" => {
            let date = given["balance_date"].as_str().unwrap();
            json!({ "next_payout_date": last_day(&format!("{date}T12:00:00Z"), 7).to_string() })
        }
        "payout_threshold" | "payout_negative" | "threshold_carry_over" => payout(kind, given),
        _ => return None,
    })
}

fn percentage(given: &Value) -> Value {
    let rate = match (&given["rate_percent"], &given["rate_bp"]) {
        (Value::Null, points) => decimal(points) / Decimal::ONE_HUNDRED,
        (rate, _) => decimal(rate),
    };
    let rule = rule(percent(rate));
    match (&given["amount_minor"], &given["amount"], &given["qty"]) {
        (Value::Null, Value::Null, quantity) => {
            let amount = usd(decimal(&given["rate"]) * decimal(quantity));
            json!({ "amount": text(amount), "commission": text(earn_units(&rule, amount, decimal(quantity))) })
        }
        (Value::Null, amount, _) => json!({ "commission": text(earn(&rule, usd(decimal(amount)))) }),
        (amount, ..) => json!({ "commission_minor": minor(earn(&rule, cents(amount))) }),
    }
}

/// The program of the source cuts down; the seller has what is left of the price.
fn affiliate(given: &Value) -> Value {
    let (mut paid, mut sellers) = (0, Vec::new());
    for sale in given["sales"].as_array().unwrap() {
        let rule = rule(percent(decimal(&sale["bp"]) / Decimal::ONE_HUNDRED));
        let net = cents(&json!(decimal(&sale["price"]) - decimal(&sale["fees"])));
        let mut input = line(net, vec![party(&rule, 1, 10_000, usd(ZERO))]);
        input.rounding = Rounding::Down;
        let earned = minor(work(&input)[0].amount);
        paid += earned;
        sellers.push(minor(net) - earned);
    }
    json!({ "affiliate": paid, "seller": sellers })
}

fn points(percent: Decimal) -> u32 {
    u32::try_from((percent * Decimal::ONE_HUNDRED).trunc().mantissa()).unwrap()
}

/// Parts by weights, as integers in one proportion.
fn allocate(total: Money, weights: &[Decimal]) -> Vec<Money> {
    let scale = weights
        .iter()
        .map(|weight| weight.normalize().scale())
        .max()
        .unwrap_or(0)
        .min(8);
    let factor = Decimal::from(10u64.pow(scale));
    let weights: Vec<u32> = weights
        .iter()
        .map(|weight| {
            u32::try_from(
                (weight * factor)
                    .round()
                    .normalize()
                    .trunc()
                    .to_string()
                    .parse::<u64>()
                    .unwrap(),
            )
            .unwrap()
        })
        .collect();
    let parts: Vec<Part> = (1..)
        .zip(&weights)
        .map(|(rank, weight)| Part {
            basis_points: *weight,
            rank,
        })
        .collect();
    total.allocate(&parts, weights.iter().sum()).unwrap()
}

fn split(given: &Value) -> Value {
    let weights: Vec<Decimal> = match (&given["weights"], &given["portions"]) {
        (Value::Null, portions) => portions
            .as_array()
            .unwrap()
            .iter()
            .map(|portion| {
                let (part, whole) = portion.as_str().unwrap().split_once('/').unwrap();
                part.parse::<Decimal>().unwrap() / whole.parse::<Decimal>().unwrap()
            })
            .collect(),
        (weights, _) => decimals(weights)
            .into_iter()
            .map(|weight| weight.round_dp(7))
            .collect(),
    };
    let shares: Vec<i64> = allocate(cents(&given["total_minor"]), &weights)
        .into_iter()
        .map(minor)
        .collect();
    json!({ "shares": shares })
}

fn gap_split(given: &Value) -> Value {
    let points: Vec<u32> = decimals(&given["split"])
        .iter()
        .map(|share| points(*share))
        .collect();
    let (rule, net) = match given["currency"].as_str() {
        Some(code) => {
            let net = Money::new(decimal(&given["amount"]), currency(code)).unwrap();
            (rule(percent(decimal(&given["rate_percent"]))), net)
        }
        None => (
            rule(percent(Decimal::ONE_HUNDRED)),
            cents(&given["commission_minor"]),
        ),
    };
    let shares: Vec<i64> = share(&rule, net, &points).into_iter().map(minor).collect();
    json!({ "commission_minor": minor(earn(&rule, net)), "shares": shares })
}

/// A first rate and a lower one: a base that recurs, and a bonus on top of it that is paid once.
fn renewal(given: &Value) -> Value {
    let first = &given["first_rate_percent"];
    if given["recurring_rate_percent"].is_null() {
        return json!({ "commission": text(earn(&rule(percent(decimal(first))), usd(decimal(&given["first_payment"])))) });
    }
    let monthly = usd(decimal(&given["monthly"]));
    let lower = decimal(&given["recurring_rate_percent"]);
    let months = given["months"]
        .as_u64()
        .map_or(1, |months| u32::try_from(months).unwrap());
    let recurs = Clauses {
        recurrence: Recurrence {
            months: Some(months),
            ..Recurrence::default()
        },
        ..Clauses::default()
    };
    let once = Clauses {
        recurrence: Recurrence {
            kind: RecurrenceKind::OneTime,
            ..Recurrence::default()
        },
        ..Clauses::default()
    };
    let base = rule_with(percent(lower), recurs);
    let per_month = earn_on(&base, monthly, month(0, true));
    if first.is_null() {
        return json!({ "per_month": text(per_month) });
    }
    let bonus = rule_with(percent(decimal(first) - lower), once);
    let total: Decimal = (0..months + 12)
        .map(|index| {
            let service = month(index, index == 0);
            earn_on(&base, monthly, service).amount() + earn_on(&bonus, monthly, service).amount()
        })
        .sum();
    json!({ "total": total.to_string() })
}
