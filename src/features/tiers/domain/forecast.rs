//! What a partner is short of, as figures and as a sentence.

use super::{Criterion, SpanFigures, StandingMetric, Tier, TierLadder, TierPeriod};
use crate::kernel::time::{ProgramZone, local_date};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

/// How far a partner has come with one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is asked for.
    pub criterion: Criterion,
    /// How much of it there is.
    pub reached: Decimal,
}

impl Progress {
    /// How much is missing; zero when it is met.
    pub fn missing(&self) -> Decimal {
        (self.criterion.threshold - self.reached).max(Decimal::ZERO)
    }
}

/// How far a partner has come with all that a tier asks for.
pub fn progress(tier: &Tier, span: &SpanFigures) -> Vec<Progress> {
    let of = |criterion: &Criterion| Progress {
        criterion: *criterion,
        reached: span.value(criterion),
    };
    tier.criteria.iter().map(of).collect()
}

/// Where a partner stands when it is told what is ahead.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outlook {
    /// Its place on the ladder; zero for none.
    pub rank: usize,
    /// The place that its figures give.
    pub earned: usize,
    /// When it falls, and to which place.
    pub falls: Option<(DateTime<Utc>, usize)>,
    /// Until when reviews leave it where it is.
    pub pinned_until: Option<DateTime<Utc>>,
}

/// What is ahead of a partner, in a sentence or two: until when its tier is pinned or when it falls, if it is or does, and
/// what the next one takes. `span` is the present one.
pub fn forecast(ladder: &TierLadder, outlook: Outlook, span: &SpanFigures, zone: ProgramZone) -> String {
    if ladder.tiers.is_empty() {
        return "The program has no tiers.".to_owned();
    }
    let Outlook {
        rank,
        earned,
        falls,
        pinned_until,
    } = outlook;
    let name = |rank: usize| ladder.tier(rank).map_or("no tier", |tier| tier.name.as_str());
    let day = |at| spoken_day(local_date(at, zone));
    let mut sentences = Vec::new();
    if let Some(until) = pinned_until {
        sentences.push(format!("Reviews leave the tier as it is until {}.", day(until)));
        if earned != rank {
            sentences.push(format!("The figures give {}.", name(earned)));
        }
    }
    if let (Some((at, to)), Some(tier)) = (falls, ladder.tier(rank)) {
        let (to, day, short) = (name(to), day(at), shortfall(tier, span));
        sentences.push(format!(
            "{} falls to {to} on {day}: {short} short of it.",
            tier.name
        ));
    }
    match ladder.tier(rank + 1) {
        Some(_) if earned > rank && pinned_until.is_some() => {}
        Some(_) if earned > rank => {
            sentences.push(format!("{} is reached with the next review.", name(earned)));
        }
        Some(next) => sentences.push(toward(ladder, next, span)),
        None => sentences.push(format!("{} is the highest tier.", name(rank))),
    }
    sentences.join(" ")
}

fn toward(ladder: &TierLadder, next: &Tier, span: &SpanFigures) -> String {
    let by = match ladder.period {
        TierPeriod::Rolling => String::new(),
        TierPeriod::Month | TierPeriod::Quarter | TierPeriod::Year => {
            format!(" by {}", spoken_day(span.ends_on))
        }
    };
    format!("{} short of {}{by}.", shortfall(next, span), next.name)
}

/// What is missing, such as `18,000.00 EUR and one deal`.
fn shortfall(tier: &Tier, span: &SpanFigures) -> String {
    let is_told_apart = tier.criteria.iter().filter(|one| one.metric.is_money()).count() > 1;
    let missing = progress(tier, span)
        .into_iter()
        .filter(|one| !one.missing().is_zero());
    let parts: Vec<String> = missing.map(|one| spoken(&one, is_told_apart)).collect();
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

fn spoken(progress: &Progress, is_told_apart: bool) -> String {
    let missing = progress.missing();
    let metric = progress.criterion.metric;
    let (one, several) = match metric {
        StandingMetric::PaidRevenue => (" of paid revenue", ""),
        StandingMetric::WonRevenue => (" of won revenue", ""),
        StandingMetric::WonDeals => ("deal", "deals"),
        StandingMetric::AcceptedReferrals => ("accepted referral", "accepted referrals"),
        StandingMetric::ApprovedRegistrations => ("approved registration", "approved registrations"),
        StandingMetric::Certifications => ("certification", "certifications"),
    };
    match progress.criterion.currency {
        Some(currency) => {
            let decimals = usize::try_from(currency.exponent()).unwrap_or_default();
            let amount = grouped(&format!("{missing:.decimals$}"));
            let what = if is_told_apart { one } else { "" };
            format!("{amount} {currency}{what}")
        }
        None if missing == Decimal::ONE => format!("one {one}"),
        None => format!("{} {several}", counted(missing)),
    }
}

/// A number in words as far as people write them out.
fn counted(number: Decimal) -> String {
    const WORDS: [&str; 11] = [
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    ];
    let words = WORDS.iter().zip(2_u32..);
    let word = words
        .into_iter()
        .find(|(_, value)| Decimal::from(*value) == number);
    word.map_or_else(
        || grouped(&number.normalize().to_string()),
        |(word, _)| (*word).to_owned(),
    )
}

/// A plain decimal with commas between its thousands.
fn grouped(plain: &str) -> String {
    let (whole, decimals) = plain.split_once('.').map_or((plain, None), |(a, b)| (a, Some(b)));
    let mut text = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(decimals) = decimals {
        text.push('.');
        text.push_str(decimals);
    }
    text
}

fn spoken_day(day: NaiveDate) -> String {
    day.format("%-d %B").to_string()
}
