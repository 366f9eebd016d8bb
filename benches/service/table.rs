//! What a run comes to, as tables.

use super::Fault;
use super::accrual::Accrued;
use super::doors::Pair;
use super::load::Measured;
use super::money::{Column, Step};
use super::operations::Operation;
use std::io::Write;
use std::time::Duration;

/// The rounds of one operation.
#[derive(Debug, Default)]
pub struct Rounds {
    /// The service.
    pub service: Vec<Measured>,
    /// The bare statements.
    pub bare: Vec<Measured>,
    /// The statements as the service sends them.
    pub same: Vec<Measured>,
}

/// The medians of one operation.
#[derive(Debug)]
pub struct Outcome {
    name: &'static str,
    aim: u64,
    service: Measured,
    bare: Measured,
    same: Measured,
}

impl Rounds {
    /// The medians of the rounds.
    pub fn outcome(&self, operation: &Operation) -> Result<Outcome, Fault> {
        Ok(Outcome {
            name: operation.name,
            aim: operation.aim,
            service: median_round(&self.service)?,
            bare: median_round(&self.bare)?,
            same: median_round(&self.same)?,
        })
    }
}

fn median_round(rounds: &[Measured]) -> Result<Measured, Fault> {
    let median = |value: fn(&Measured) -> u64| {
        let mut values: Vec<u64> = rounds.iter().map(value).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().ok_or("no rounds")
    };
    Ok(Measured {
        count: rounds.iter().map(|round| round.count).sum(),
        per_second: median(|round| round.per_second)?,
        median: median(|round| round.median)?,
        percentile_99: median(|round| round.percentile_99)?,
    })
}

/// The operations: rates, their ratios, and times.
pub fn operations(outcomes: &[Outcome]) -> Result<(), Fault> {
    say(&format!(
        "\n{:<18}{:>9}{:>9}{:>8}{:>6}{:>9}{:>8}{:>17}{:>17}{:>8}",
        "operation",
        "service",
        "bare",
        "ratio",
        "aim",
        "same",
        "ratio",
        "service p50/p99",
        "bare p50/p99",
        "p99 x"
    ))?;
    for outcome in outcomes {
        let Outcome {
            name,
            aim,
            service,
            bare,
            same,
        } = outcome;
        say(&format!(
            "{name:<18}{:>7}/s{:>7}/s{:>8}{:>5}%{:>7}/s{:>8}{:>17}{:>17}{:>8}",
            service.per_second,
            bare.per_second,
            percent(service.per_second, bare.per_second),
            aim,
            same.per_second,
            percent(service.per_second, same.per_second),
            times(service),
            times(bare),
            multiple(service.percentile_99, bare.percentile_99),
        ))?;
    }
    say("Bare: the statements alone, prepared, without row-level security; the ratio to it counts.")?;
    say(
        "Same: the statements as the service sends them, with row-level security. Times in ms; p99 aims at 5 x.",
    )
}

/// What HTTP alone costs here, and how much of the bare rate is left when each statement comes with such an answer.
pub fn bounds(outcomes: &[Outcome], alone: &Measured) -> Result<(), Fault> {
    let bound = |outcome: &Outcome| {
        let (http, bare) = (alone.per_second, outcome.bare.per_second);
        let both = http * bare / (http + bare).max(1);
        format!("{} {}", outcome.name, percent(both, bare))
    };
    let bounds: Vec<String> = outcomes.iter().map(bound).collect();
    say(&format!(
        "HTTP alone (GET /healthz, no database): {}/s. The bare statement with such an answer and nothing else would \
         come to: {}.",
        alone.per_second,
        bounds.join(", ")
    ))
}

/// How long it takes to find a company.
pub fn matching(measured: &Measured) -> Result<(), Fault> {
    say(&format!(
        "One company looked for at a time, over HTTP: p50/p99 {} ms, {}/s (aim: under 20 ms).",
        times(measured),
        measured.per_second
    ))
}

/// Accrual: rates and their ratios.
pub fn accruals(accruals: &[Accrued]) -> Result<(), Fault> {
    say(&format!(
        "\n{:<18}{:>10}{:>16}{:>18}{:>8}{:>6}",
        "accrual", "payments", "service rows/s", "one SQL rows/s", "ratio", "aim"
    ))?;
    for accrued in accruals {
        say(&format!(
            "{:<18}{:>10}{:>16}{:>18}{:>8}{:>5}%",
            accrued.name,
            accrued.lines,
            rate(accrued.lines, accrued.service),
            rate(accrued.lines, accrued.statement),
            // The shorter one took, the more of it comes in a second.
            percent(micros(accrued.statement), micros(accrued.service)),
            40
        ))?;
    }
    say("Both wrote the same lines, postings and events; amounts were compared.")
}

/// What every step took at every size: in all, and for each payment. A step that grows no faster than its payments takes the
/// same for each.
pub fn money(columns: &[Column]) -> Result<(), Fault> {
    let sizes: Vec<String> = columns
        .iter()
        .map(|column| format!("{:>28}", format!("{} payments", column.payments)))
        .collect();
    say(&format!("\n{:<34}{}", "step", sizes.concat()))?;
    for (row, name) in columns.first().into_iter().flat_map(Column::names).enumerate() {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| {
                format!(
                    "{:>28}",
                    column
                        .steps
                        .get(row)
                        .map_or(String::new(), |step| cell(step, column.payments))
                )
            })
            .collect();
        say(&format!("{name:<34}{}", cells.concat()))?;
    }
    for column in columns {
        let (alone, meanwhile) = (&column.alone, &column.meanwhile);
        say(&format!(
            "{} payments: a payment recorded over HTTP took {} ms at most by itself, and {} ms at most of {} while the run over \
             all partners was drafted and approved (aim: under 1000). Resident memory of the service: {} MiB at the start, \
             {} MiB at the end, {} MiB at the peak.",
            column.payments,
            milliseconds(alone.longest),
            milliseconds(meanwhile.longest),
            meanwhile.count,
            column.at_start.now,
            column.at_end.now,
            column.at_end.peak,
        ))?;
    }
    say("Times in all, and in microseconds for each payment; of a statement the median of several readings.")
}

fn cell(step: &Step, payments: u64) -> String {
    let each = step.took.as_nanos() / u128::from(payments.max(1));
    let ratio = step
        .of
        .map(|of| format!("  {:>4}", percent(micros(of), micros(step.took))));
    format!(
        "{} ms {:>5}.{}{}",
        milliseconds(step.took),
        each / 1000,
        each % 1000 / 100,
        ratio.unwrap_or_default()
    )
}

fn milliseconds(duration: Duration) -> String {
    let micros = micros(duration);
    format!("{}.{}", micros / 1000, micros % 1000 / 100)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn rate(lines: u64, elapsed: Duration) -> u64 {
    lines * 1_000_000 / micros(elapsed).max(1)
}

/// The head of the table of doors.
pub fn doors_head() -> Result<(), Fault> {
    say(&format!(
        "\n{:<18}{:>10}{:>11}{:>8}{:>18}{:>18}{:>18}",
        "operation", "with", "without", "cost", "middle half", "with p50/p99", "without p50/p99"
    ))
}

/// What authentication and isolation cost one operation.
pub fn doors(name: &str, rounds: &[Pair]) -> Result<(), Fault> {
    let side = |of: fn(&Pair) -> Measured| median_round(&rounds.iter().map(of).collect::<Vec<_>>());
    let (guarded, open) = (side(|pair| pair.guarded)?, side(|pair| pair.open)?);
    let mut costs: Vec<i64> = rounds.iter().map(Pair::cost).collect();
    costs.sort_unstable();
    let at = |place: usize| costs.get(place).copied().map(tenths).ok_or("no rounds");
    say(&format!(
        "{name:<18}{:>8}/s{:>9}/s{:>8}{:>18}{:>18}{:>18}",
        guarded.per_second,
        open.per_second,
        at(costs.len() / 2)?,
        format!("{} to {}", at(costs.len() / 4)?, at(costs.len() * 3 / 4)?),
        times(&guarded),
        times(&open),
    ))
}

/// Tenths of a percent, as a percentage.
fn tenths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}.{}%", value.abs() / 10, value.abs() % 10)
}

/// One line of the report.
pub fn say(line: &str) -> Result<(), Fault> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

fn percent(part: u64, whole: u64) -> String {
    format!("{}%", part * 100 / whole.max(1))
}

fn multiple(part: u64, whole: u64) -> String {
    let tenths = part * 10 / whole.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn times(measured: &Measured) -> String {
    let milliseconds = |micros: u64| format!("{}.{:02}", micros / 1000, micros % 1000 / 10);
    format!(
        "{}/{}",
        milliseconds(measured.median),
        milliseconds(measured.percentile_99)
    )
}
