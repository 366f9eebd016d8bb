//! What goes back, what is charged and held, and what is paid out.

use super::express::text;
use super::model::*;
use crate::world::{World, texts};
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use copartner::kernel::commission::{FlatPer, Formula, TierMode, TierScope};
use copartner::kernel::money::{Currency, Money, Rounding};
use copartner::kernel::time::{ProgramZone, local_date, release_after_month_end, release_at};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const ZERO: Decimal = Decimal::ZERO;

pub fn refunds(given: &Value) -> Value {
    let base = if given["base_minor"].is_null() {
        &given["price_minor"]
    } else {
        &given["base_minor"]
    };
    let refunds = match &given["refunds_minor"] {
        Value::Null => vec![cents(&given["refund_minor"])],
        refunds => refunds.as_array().unwrap().iter().map(cents).collect(),
    };
    let commission = cents(&given["commission_minor"]);
    let taken: Vec<i64> = take_back(commission, cents(base), &refunds)
        .into_iter()
        .map(minor)
        .collect();
    let balance = minor(commission) - taken.iter().sum::<i64>();
    json!({ "clawbacks_minor": taken, "clawback_minor": taken[0], "balance_minor": balance })
}

pub fn split_refund(kind: &str, given: &Value) -> Value {
    let all = rule(percent(Decimal::ONE_HUNDRED));
    if kind == "split_refund_full" {
        let payment = usd(decimal(&given["payment"]));
        let shares = share(&all, payment, &[5_000, 5_000]);
        let refund = usd(decimal(&given["refund"]));
        let back: Vec<String> = shares
            .iter()
            .map(|share| text(take_back(*share, payment, &[refund])[0]))
            .collect();
        return json!({ "a": back[0], "b": back[1] });
    }
    let charge = usd(decimal(&given["charge"]));
    let destination = decimal(&given["destination_share"]) / charge.amount() * Decimal::from(10_000);
    let second = u32::try_from(
        destination
            .trunc()
            .normalize()
            .to_string()
            .parse::<u64>()
            .unwrap(),
    )
    .unwrap();
    let shares = share(&all, charge, &[10_000 - second, second]);
    json!({ "primary": text(shares[0]), "destination": text(shares[1]), "ratio": [(10_000 - second) / 100, second / 100] })
}

pub fn refund_full(given: &Value) -> Value {
    let rule = rule(percent(decimal(&given["rate_percent"])));
    if given["sale"].is_null() {
        let invoice = usd(decimal(&given["invoice"]));
        let returned = usd(-decimal(&given["return"]));
        return json!({ "invoice_commission": text(earn(&rule, invoice)), "return_commission": text(credit(&rule, returned)) });
    }
    let sale = usd(decimal(&given["sale"]));
    let earned = earn(&rule, sale);
    json!({ "commission": text(earned), "clawback": text(take_back(earned, sale, &[sale])[0]) })
}

/// A number of days, as what a portion is taken by.
pub fn days(from: NaiveDate, to: NaiveDate) -> Money {
    usd(Decimal::from((to - from).num_days()))
}

pub fn proration(given: &Value) -> Value {
    let whole = usd(decimal(&given["period_days"]));
    match given["monthly"].as_array() {
        Some(monthly) => {
            let part = usd(decimal(&given["days"]));
            let sum: Decimal = monthly
                .iter()
                .map(|month| {
                    usd(decimal(month))
                        .portion(part, whole, Rounding::HalfUp)
                        .unwrap()
                        .amount()
                })
                .sum();
            json!({ "amount": sum.to_string() })
        }
        None => {
            let back = take_back(
                usd(decimal(&given["monthly"])),
                whole,
                &[usd(decimal(&given["repair_days"]))],
            );
            json!({ "repair": (-back[0].amount()).to_string() })
        }
    }
}

pub fn refund_rounding(given: &Value) -> Value {
    let (part, whole) = given["unused"].as_str().unwrap().split_once('/').unwrap();
    let (part, whole) = (usd(part.parse().unwrap()), usd(whole.parse().unwrap()));
    let amount = cents(&given["amount_minor"]);
    let item = take_back(amount, whole, &[part])[0];
    // The tax is that of the exact amount, rounded once.
    let tax = decimal(&given["tax_percent"]) / Decimal::ONE_HUNDRED;
    let exact = amount.amount() * part.amount() / whole.amount();
    let tax = Money::rounded(exact * tax, Currency::USD, Rounding::HalfUp).unwrap();
    json!({ "item": minor(item), "tax": minor(tax), "total": minor(item) + minor(tax) })
}

/// Cumulative: what was charged less what goes back in proportion, so that both ways end at the same.
pub fn inconsistency(given: &Value) -> Value {
    let hybrid = Formula::Hybrid {
        amounts: vec![usd(decimal(&given["fee_fixed"]))],
        per: FlatPer::Line,
        plus: Box::new(percent(decimal(&given["fee_rate_percent"]))),
    };
    let rule = rule(hybrid);
    let (charged, back) = (
        earn(&rule, usd(decimal(&given["order"]))),
        credit(&rule, usd(decimal(&given["refund"]))),
    );
    let kept = charged.checked_add(back).unwrap();
    let exact = decimal(&given["refund"]) * decimal(&given["fee_rate_percent"]) / Decimal::ONE_HUNDRED;
    json!({ "note": format!("cumulative: fee kept = {} - round_half_up({})={}", text(charged), exact.normalize(), text(kept)) })
}

/// A fee beyond what is free of it is a marginal tier; the cost of a card is paid on everything.
pub fn payout_fee(given: &Value) -> Value {
    let percentage = |value: &Value| decimal(value) * Decimal::ONE_HUNDRED;
    let card = if given["card_cost"].is_null() {
        ZERO
    } else {
        percentage(&given["card_cost"])
    };
    let fee = percentage(&given["fee"]);
    let limit = decimal(&given["limit"]) / Decimal::ONE_HUNDRED;
    let table = |free: Decimal, beyond: Decimal| {
        let bands = vec![band(ZERO, free, ZERO, ZERO), band(limit, beyond, ZERO, ZERO)];
        rule(by_money(TierMode::Marginal, TierScope::Lifetime, bands))
    };
    let nets = [cents(&given["used"]), cents(&given["payout_minor"])];
    let charged = minor(earn_each(&table(ZERO, Decimal::ONE_HUNDRED), &nets)[1]);
    let paid = minor(earn_each(&table(card, fee + card), &nets)[1]);
    json!({ "fee_free": minor(nets[1]) - charged, "fee_charged": charged, "fee": paid })
}

pub fn exchange(kind: &str, given: &Value) -> Value {
    let converted = |amount: Money, rate: &Value, to: &str| {
        Money::rounded(amount.amount() * decimal(rate), currency(to), Rounding::HalfUp).unwrap()
    };
    if kind == "fx_commission" {
        let invoice = Money::new(decimal(&given["invoice"]), currency("GBP")).unwrap();
        let earned = earn(&rule(percent(decimal(&given["rate_percent"]))), invoice);
        return json!({ "commission_gbp": text(earned), "commission_usd": text(converted(earned, &given["fx"], "USD")) });
    }
    let to = given["to"].as_str().unwrap();
    match &given["amount_minor"] {
        Value::Null => {
            let amount = usd(decimal(&given["amount"]));
            json!({ "converted": text(converted(amount, &given["rate"], to)) })
        }
        amount if kind == "fx" => {
            let exact = cents(amount).amount() * decimal(&given["rate"]);
            json!({ "amount": i64::try_from(exact.mantissa()).unwrap(), "scale": exact.scale() })
        }
        amount => {
            let money = converted(cents(amount), &given["rate"], to);
            json!({ "amount": minor(money), "scale": money.currency().exponent() })
        }
    }
}

pub fn exponent(kind: &str, given: &Value) -> Value {
    let rounding = if kind == "rounding_half_even" {
        Rounding::HalfEven
    } else {
        Rounding::HalfUp
    };
    let code = given["currency"].as_str().unwrap_or("USD");
    let money = Money::rounded(decimal(&given["amount"]), currency(code), rounding).unwrap();
    json!({ "rounded": text(money), "minor": minor(money) })
}

/// The local day on which a hold of some days from an instant is over.
pub fn last_day(paid_at: &str, hold_days: u32) -> NaiveDate {
    let paid_at: DateTime<Utc> = instant(paid_at);
    local_date(release_at(paid_at, hold_days, ProgramZone::UTC), ProgramZone::UTC)
}

pub fn month_name(day: NaiveDate) -> String {
    day.format("%B").to_string()
}

pub fn hold(given: &Value) -> Value {
    if given["earned"].is_string() {
        // Earned on the last day of February; the run of a month pays what cleared in the one before.
        let days = u32::try_from(given["hold_days"].as_u64().unwrap()).unwrap();
        let clears = last_day("2027-02-28T12:00:00Z", days);
        let paid = clears.checked_add_months(Months::new(1)).unwrap();
        return json!({ "clears": month_name(clears), "paid": month_name(paid) });
    }
    let date = given["date"].as_str().or(given["date_mmdd"].as_str()).unwrap();
    let paid_at = format!("2027-{date}T12:00:00Z");
    let terms = given["terms"].as_str().unwrap();
    let digits: String = terms
        .split("et ")
        .nth(1)
        .unwrap()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let count: u32 = digits.parse().unwrap();
    let due = if terms.ends_with("EOM") {
        // Of the two readings of the sources: days within the following month, or up to the end of it.
        let after = release_after_month_end(instant(&paid_at), count, ProgramZone::UTC);
        local_date(after, ProgramZone::UTC)
    } else {
        last_day(&paid_at, count)
    };
    let due = format!("{:02}-{:02}", due.month(), due.day());
    json!({ "due_mmdd": due, "net_due": due })
}

/// Runs, through the service itself.
pub fn payout(kind: &str, given: &Value) -> Value {
    let world = World::new();
    let minimum = match kind {
        "payout_threshold" => Some(text(cents(&given["min_payout_minor"]))),
        "threshold_carry_over" => Some(text(usd(decimal(&given["min"])))),
        _ => None,
    };
    let minimums: Vec<Value> = minimum
        .iter()
        .map(|amount| json!({ "amount": amount, "currency": "USD" }))
        .collect();
    let program = world.program(json!({ "minimum_payouts": minimums }));
    world.rule(&program, "1", json!({}));
    let partner = world.enrolled("A", &program);
    let earn = |amount: Money| world.sale(&program, &partner, &amount.to_string());
    let pays = || !world.draft_run().payouts().is_empty();
    match kind {
        "payout_threshold" => {
            earn(cents(&given["available_minor"]));
            json!({ "payout_created": pays() })
        }
        "threshold_carry_over" => {
            let (december, january) = (
                usd(decimal(&given["balance_dec1"])),
                usd(decimal(&given["balance_jan1"])),
            );
            earn(december);
            let first = pays();
            earn(january.checked_sub(december).unwrap());
            json!({ "payout_dec1": first, "payout_jan1": pays() })
        }
        _ => {
            let owed = Money::abs(cents(&given["balances_minor"][1]));
            let payment = earn(owed);
            world.paid_run(&world.finance());
            world.refund(&payment, &owed.to_string());
            earn(cents(&given["balances_minor"][0]));
            let balances = world.admin().all(&format!("/v1/balances?partner_id={partner}"));
            let payable: Decimal = texts(&balances, "payable")[0].parse().unwrap();
            json!({ "unpaid_balance_minor": (payable * Decimal::ONE_HUNDRED).normalize().to_string(), "payment_created": pays() })
        }
    }
}
