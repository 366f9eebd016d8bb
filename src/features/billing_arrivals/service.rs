//! The verbs of billing arrivals. What a fact does to other rooms is the flow's to do.

use super::domain::{ArrivalStatus, BillingArrival, Fact, Known, Met, NewArrival, Reference};
use super::store::{self, ArrivalFilter, Ready};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::BillingArrivalId;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use uuid::Uuid;

pub use super::store::organizations_with_met;

/// One arrival.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: BillingArrivalId) -> Result<BillingArrival, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the arrivals.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ArrivalFilter,
    page: &PageRequest,
) -> Result<Page<BillingArrival>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// The records to which a fact refers, or the first of them that is not there.
pub fn meet(tx: &mut Tx<'_>, ctx: &Ctx, fact: &Fact) -> Result<Met, Problem> {
    let (first, further) = fact.references();
    let mut known = Known::default();
    for reference in std::iter::once(first).chain(further) {
        match store::billed_record(tx, &ctx.scope, &reference)? {
            Some(id) => known = known.with(reference.resource, id),
            None => return Ok(Met::Missing(reference)),
        }
    }
    Ok(Met::Known(known))
}

/// Keeps a new arrival, or finds that there is one of its kind and key. Whoever tells the same at the same instant waits
/// here for whoever came first. Nothing is told of it yet.
pub fn keep(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    new: NewArrival,
    awaits: Reference,
) -> Result<Option<BillingArrival>, Problem> {
    let arrival = BillingArrival::arrive(new, awaits, ctx.actor.record(), ctx.now);
    let is_new = store::insert(tx, &ctx.scope, &arrival)?;
    Ok(is_new.then_some(arrival))
}

/// The arrival that was told before by this kind and key; refused where it says something else.
pub fn repeated(tx: &mut Tx<'_>, ctx: &Ctx, told: &NewArrival) -> Result<BillingArrival, Problem> {
    let known = store::find_by_key(tx, &ctx.scope, told.fact.kind(), &told.external_id)?;
    // Whoever had the key when this one asked has given it back since.
    let known = known.ok_or_else(|| Problem::new(Code::WriteConflict))?;
    known.same_as(&told.fact)?;
    Ok(known)
}

/// One arrival, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, ctx: &Ctx, id: BillingArrivalId) -> Result<BillingArrival, Problem> {
    store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// One arrival that is to be tried now, locked.
pub fn lock_to_retry(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: BillingArrivalId,
    precondition: &Precondition,
) -> Result<BillingArrival, Problem> {
    let arrival = lock(tx, ctx, id)?;
    precondition.check(arrival.row_version)?;
    arrival.allow("retry")?;
    Ok(arrival)
}

/// A new arrival stays parked.
pub fn parked(tx: &mut Tx<'_>, ctx: &Ctx, arrival: &BillingArrival) {
    tx.record(
        ctx,
        Change::created("billing_arrival.parked", subject(arrival), arrival),
    );
}

/// An arrival made or changed this record. One that is new is told of as such.
pub fn applied(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: BillingArrival,
    record_id: Uuid,
    is_new: bool,
) -> Result<BillingArrival, Problem> {
    let after = before.clone().applied(record_id, ctx.now);
    store::update(tx, &ctx.scope, &before, &after)?;
    let what = subject(&after);
    let change = if is_new {
        Change::created("billing_arrival.applied", what, &after)
    } else {
        Change::updated("billing_arrival.applied", what, &before, &after)
    };
    tx.record(ctx, change);
    Ok(after)
}

/// An arrival awaits this from now on; nothing changes where it did so before.
pub fn becomes_parked(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: BillingArrival,
    awaits: Reference,
) -> Result<BillingArrival, Problem> {
    if before.awaits.as_ref() == Some(&awaits) {
        return Ok(before);
    }
    let after = before.clone().parked(awaits, ctx.now);
    save(tx, ctx, "billing_arrival.parked", &before, &after, None)?;
    Ok(after)
}

/// A parked arrival is refused, if it is still parked.
pub fn becomes_refused(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: BillingArrivalId,
    problem: Problem,
) -> Result<(), Problem> {
    let before = lock(tx, ctx, id)?;
    if before.status != ArrivalStatus::Parked {
        return Ok(());
    }
    let after = before.clone().refused(problem, ctx.now);
    save(tx, ctx, "billing_arrival.refused", &before, &after, None)
}

/// Takes an arrival back.
pub fn withdraw(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: BillingArrivalId,
    precondition: &Precondition,
    reason: &str,
) -> Result<BillingArrival, Problem> {
    let before = lock(tx, ctx, id)?;
    precondition.check(before.row_version)?;
    let after = before.clone().withdraw(reason.to_owned(), ctx.now)?;
    save(
        tx,
        ctx,
        "billing_arrival.withdrawn",
        &before,
        &after,
        Some(reason),
    )?;
    Ok(after)
}

/// Parked arrivals of which what they await is there, by when they happened; at most so many.
pub fn ready(tx: &mut Tx<'_>, ctx: &Ctx, most: usize) -> Result<Vec<Ready>, Problem> {
    store::ready(tx, &ctx.scope, most)
}

/// Parked arrivals that await this.
pub fn awaiting(tx: &mut Tx<'_>, ctx: &Ctx, awaited: &Reference) -> Result<Vec<Ready>, Problem> {
    store::awaiting(tx, &ctx.scope, awaited)
}

fn save(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &'static str,
    before: &BillingArrival,
    after: &BillingArrival,
    reason: Option<&str>,
) -> Result<(), Problem> {
    store::update(tx, &ctx.scope, before, after)?;
    let change = Change::updated(event, subject(after), before, after);
    tx.record(ctx, change.with_reason(reason.map(str::to_owned)));
    Ok(())
}

fn subject(arrival: &BillingArrival) -> Subject {
    Subject {
        kind: "billing_arrival",
        id: arrival.id.uuid(),
    }
}
