//! The verbs of an enrollment.

use super::domain::{Enrollment, EnrollmentPatch, NewEnrollment};
use super::store::{self, EnrollmentFilter};
use crate::features::partners::{self, PartnerStatus};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One enrollment, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: EnrollmentId) -> Result<Enrollment, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// One enrollment that the caller may change, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, ctx: &Ctx, id: EnrollmentId) -> Result<Enrollment, Problem> {
    store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// Several enrollments in the order of their ids, as far as the caller may see them.
pub fn several(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[EnrollmentId]) -> Result<Vec<Enrollment>, Problem> {
    store::several(tx, &ctx.scope, ids)
}

/// Whether a partner takes part in a program now.
pub fn takes_part(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    partner_id: PartnerId,
    program_id: ProgramId,
) -> Result<bool, Problem> {
    store::is_active(tx, &ctx.scope, partner_id, program_id)
}

/// A page of the enrollments that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &EnrollmentFilter,
    page: &PageRequest,
) -> Result<Page<Enrollment>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// A partner applies to take part in a program.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewEnrollment) -> Result<Enrollment, Problem> {
    let enrollment = Enrollment::apply(new, ctx.now);
    store::insert(tx, &ctx.scope, &enrollment)?;
    let change = Change::created("enrollment.created", subject(&enrollment), &enrollment);
    tx.record(ctx, change.for_partner(Some(enrollment.partner_id.uuid())));
    Ok(enrollment)
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
    patch: EnrollmentPatch,
) -> Result<Enrollment, Problem> {
    step(tx, ctx, id, precondition, "enrollment.updated", None, |_, one| {
        Ok(one.patched(patch, ctx.now))
    })
}

/// Lets the partner take part.
pub fn activate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
) -> Result<Enrollment, Problem> {
    step(
        tx,
        ctx,
        id,
        precondition,
        "enrollment.activated",
        None,
        |tx, one| {
            let partner = partner_status(tx, ctx, &one)?;
            one.activate(partner, ctx.now)
        },
    )
}

/// Stops the partner from taking part for now.
pub fn pause(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Enrollment, Problem> {
    let why = Some(reason.to_owned());
    step(tx, ctx, id, precondition, "enrollment.paused", why, |_, one| {
        one.pause(reason.to_owned(), ctx.now)
    })
}

/// Lets the partner take part again.
pub fn resume(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
) -> Result<Enrollment, Problem> {
    step(
        tx,
        ctx,
        id,
        precondition,
        "enrollment.resumed",
        None,
        |tx, one| {
            let partner = partner_status(tx, ctx, &one)?;
            one.resume(partner, ctx.now)
        },
    )
}

/// Ends it for good.
pub fn end(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Enrollment, Problem> {
    let why = Some(reason.to_owned());
    step(tx, ctx, id, precondition, "enrollment.ended", why, |_, one| {
        one.end(reason.to_owned(), ctx.now)
    })
}

/// One move: lock, check the version, move, save, record.
fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
    event: &'static str,
    reason: Option<String>,
    turn: impl FnOnce(&mut Tx<'_>, Enrollment) -> Result<Enrollment, Problem>,
) -> Result<Enrollment, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = turn(tx, before.clone())?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated(event, subject(&after), &before, &after);
    tx.record(
        ctx,
        change
            .for_partner(Some(after.partner_id.uuid()))
            .with_reason(reason),
    );
    Ok(after)
}

fn partner_status(tx: &mut Tx<'_>, ctx: &Ctx, enrollment: &Enrollment) -> Result<PartnerStatus, Problem> {
    Ok(partners::get(tx, ctx, enrollment.partner_id)?.status)
}

fn subject(enrollment: &Enrollment) -> Subject {
    Subject {
        kind: "enrollment",
        id: enrollment.id.uuid(),
    }
}
