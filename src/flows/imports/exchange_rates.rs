//! Exchange rates from rows of days.

use super::batch::{Batch, Outcome, Refused};
use crate::features::exchange_rates::{self, GivenRate, LoadedDay};
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::NaiveDate;
use std::collections::HashMap;

/// Applies rows that are days, with a rate for each currency.
pub fn apply(tx: &mut Tx<'_>, ctx: &Ctx, batch: &mut Batch<'_>) -> Result<(), Problem> {
    let mut given = Vec::new();
    for row in batch.rows() {
        let valid_on = day(row.identity())?;
        given.extend(row.rates().iter().map(|(quote, rate)| GivenRate {
            valid_on,
            quote: quote.clone(),
            rate: *rate,
        }));
    }
    let loaded = exchange_rates::load(tx, ctx, &given)?;
    let loaded: HashMap<NaiveDate, LoadedDay> = loaded.into_iter().map(|day| (day.valid_on, day)).collect();
    for row in batch.rows() {
        let outcome = loaded.get(&day(row.identity())?).map(outcome);
        let empty = || {
            vec![Refused::new(
                "date",
                "no_rates",
                "The row has no rate of any currency.",
            )]
        };
        batch.decide(outcome.ok_or_else(empty));
    }
    Ok(())
}

/// What became of a day: it is new when nothing of it was known.
const fn outcome(day: &LoadedDay) -> Outcome {
    if day.added == day.given {
        Outcome::Created
    } else if day.added + day.corrected > 0 {
        Outcome::Updated
    } else {
        Outcome::Unchanged
    }
}

fn day(text: &str) -> Result<NaiveDate, Problem> {
    text.parse().map_err(Problem::damaged)
}
