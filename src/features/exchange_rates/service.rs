//! The verbs of a rate.

use super::domain::{Asked, ExchangeRate, NewRate, exchange, pairs_of};
use super::store::{self, RateFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::exchange::{Exchange, RateSource};
use crate::kernel::id::ExchangeRateId;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use std::collections::{HashMap, HashSet};

/// One rate.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: ExchangeRateId) -> Result<ExchangeRate, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of rates, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &RateFilter,
    page: &PageRequest,
) -> Result<Page<ExchangeRate>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Records a rate that somebody enters. With a reason it corrects what was entered for the day before.
pub fn record(tx: &mut Tx<'_>, ctx: &Ctx, new: NewRate) -> Result<ExchangeRate, Problem> {
    let before = store::entered(tx, &ctx.scope, &new)?;
    if before.is_some() && new.reason.is_none() {
        let message = "A rate was entered for this pair and day; to correct it, say why.";
        return Err(Problem {
            errors: vec![FieldProblem::new("/reason", "missing", message)],
            ..Problem::new(Code::AlreadyExists)
        });
    }
    if before.is_none() && new.reason.is_some() {
        let message = "No rate was entered for this pair and day, so that there is nothing to correct.";
        return Err(Problem::field("/reason", "nothing_to_correct", message));
    }
    let rate = ExchangeRate {
        id: ExchangeRateId::new(ctx.now),
        base: new.base.code().to_owned(),
        quote: new.quote.code().to_owned(),
        valid_on: new.valid_on,
        rate: new.rate,
        source: RateSource::Manual,
        supersedes_id: before,
        reason: new.reason,
        superseded_by_id: None,
        created_by: ctx.actor.record(),
        created_at: ctx.now,
    };
    store::insert(tx, &ctx.scope, &rate)?;
    let subject = Subject {
        kind: "exchange_rate",
        id: rate.id.uuid(),
    };
    tx.record(ctx, Change::created("exchange_rate.recorded", subject, &rate));
    Ok(rate)
}

/// The exchanges that hold, where there are any: each by the latest rates on or before its day that are at most so many
/// days old. One statement answers any number of questions.
pub fn rates_for(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    asked: &HashSet<Asked>,
    max_age_days: i32,
) -> Result<HashMap<Asked, Exchange>, Problem> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let pairs: HashSet<Asked> = asked.iter().copied().flat_map(pairs_of).collect();
    let known = store::latest(tx, &ctx.scope, &pairs, max_age_days)?;
    let found = |one: &Asked| Some((*one, exchange(*one, &known)?));
    Ok(asked.iter().filter_map(found).collect())
}
