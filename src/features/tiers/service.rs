//! The verbs of ladders and tiers.

use super::domain::{
    ManualMove, Outlook, Overview, TierLadder, TierLadderPatch, TierMove, TierMoveCause, TierStanding,
    day_after, forecast, no_ladder, respite_end,
};
use super::review_service::{Measure, changed, subject};
use super::store::{self, MoveFilter};
use crate::features::enrollments::{self, Enrollment, EnrollmentStatus};
use crate::features::programs;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{EnrollmentId, ProgramId, TierMoveId};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::{DateTime, Utc};

/// The ladder of a program that the caller sees; without tiers where nobody set it up.
pub fn ladder(tx: &mut Tx<'_>, ctx: &Ctx, id: ProgramId) -> Result<TierLadder, Problem> {
    let created_at = programs::get(tx, ctx, id)?.created_at;
    let ladder = store::ladder(tx, &ctx.scope, id)?;
    Ok(ladder.unwrap_or_else(|| TierLadder::none(id, created_at)))
}

/// Changes the ladder. It counts from the next review on.
pub fn update_ladder(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ProgramId,
    precondition: &Precondition,
    patch: TierLadderPatch,
) -> Result<TierLadder, Problem> {
    let program = programs::get(tx, ctx, id)?;
    store::lock_program(tx, &ctx.scope, id)?;
    let before = store::ladder(tx, &ctx.scope, id)?.unwrap_or_else(|| TierLadder::none(id, ctx.now));
    precondition.check(before.row_version)?;
    let after = before.clone().patched(patch, ctx.now)?;
    let codes: Vec<String> = before.tiers.iter().map(|tier| tier.code.clone()).collect();
    after.require_kept(&store::carried(tx, &ctx.scope, id, &codes)?)?;
    store::save_ladder(tx, &ctx.scope, &after)?;
    if !after.tiers.is_empty() {
        store::begin_standings(tx, &ctx.scope, id, day_after(ctx.now, program.time_zone))?;
    }
    let subject = Subject {
        kind: "program",
        id: id.uuid(),
    };
    tx.record(
        ctx,
        Change::updated("tier_ladder.updated", subject, &before, &after),
    );
    Ok(after)
}

/// Where an enrollment stands; a partner's caller asks about its own.
pub fn standing(tx: &mut Tx<'_>, ctx: &Ctx, id: EnrollmentId) -> Result<Overview, Problem> {
    let enrollment = enrollments::get(tx, ctx, id)?;
    if ctx
        .scope
        .partner_id
        .is_some_and(|own| own != enrollment.partner_id)
    {
        return Err(Problem::not_found());
    }
    let known = store::standings(tx, &ctx.scope, &[id])?.pop();
    let standing = known.unwrap_or_else(|| unknown(&enrollment));
    let measure = Measure::of(tx, ctx, enrollment.program_id)?;
    overview(tx, ctx, measure, enrollment, standing)
}

/// Moves an enrollment to a tier, whatever it has reached.
pub fn move_tier(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
    wanted: &ManualMove,
) -> Result<Overview, Problem> {
    let (enrollment, before) = lock(tx, ctx, id, precondition, "move-tier")?;
    let measure = Measure::of(tx, ctx, enrollment.program_id)?;
    require_other_tier(&measure.ladder, &enrollment, wanted.tier.as_deref())?;
    let (moved, after) = carry(tx, ctx, &measure, enrollment, &before, wanted)?;
    overview(tx, ctx, measure, moved, after)
}

/// One move, if the caller may see it, and whether it is a fall that still stands.
pub fn fall(tx: &mut Tx<'_>, ctx: &Ctx, id: TierMoveId) -> Result<(TierMove, bool), Problem> {
    let found = store::find_move(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    let enrollment = enrollments::get(tx, ctx, found.enrollment_id)?;
    let ladder = store::ladder(tx, &ctx.scope, found.program_id)?;
    let is_fall = ladder.is_some_and(|ladder| found.is_fall(&ladder, enrollment.tier.as_deref()));
    let still_stands = is_fall && enrollment.status != EnrollmentStatus::Ended;
    Ok((found, still_stands))
}

/// Gives a partner back the tier from which it fell, or one between that tier and the present one, and leaves it there
/// until the present period is over. Who has come back up since stays where it is.
pub fn give_back(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: TierMoveId,
    between: Option<&str>,
    reason: &str,
) -> Result<(), Problem> {
    let fall = store::find_move(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    let (enrollment, before) = lock(tx, ctx, fall.enrollment_id, &Precondition::Any, "move-tier")?;
    let measure = Measure::of(tx, ctx, enrollment.program_id)?;
    let rank = |code: Option<&str>| measure.ladder.rank_of(code);
    let (lost, present) = (rank(fall.from_tier.as_deref()), rank(enrollment.tier.as_deref()));
    if let Some(wanted) = between {
        let wanted = rank(Some(wanted));
        if wanted <= present || wanted >= lost {
            let message = "Name a tier of the ladder between the present one and the one that was lost.";
            return Err(Problem::field("/tier", "not_between", message));
        }
    } else if lost == 0 {
        let detail =
            "The ladder has the lost tier no longer. Uphold the dispute partially and name another one.";
        return Err(Problem::new(Code::WrongState).because(detail));
    } else if present >= lost {
        return Ok(());
    }
    let respite = respite_end(&measure.ladder, measure.zone, ctx.now);
    let wanted = ManualMove {
        tier: between.map(str::to_owned).or(fall.from_tier),
        reason: reason.to_owned(),
        pinned_until: Some(before.pinned_until.map_or(respite, |until| until.max(respite))),
    };
    carry(tx, ctx, &measure, enrollment, &before, &wanted)?;
    Ok(())
}

/// Moves a locked enrollment, and tells of it; as it is then, and what is known of it.
fn carry(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    measure: &Measure,
    enrollment: Enrollment,
    before: &TierStanding,
    wanted: &ManualMove,
) -> Result<(Enrollment, TierStanding), Problem> {
    let mut figures = measure.figures(tx, ctx, &[enrollment.partner_id])?;
    let turn = TierMove {
        id: TierMoveId::new(ctx.now),
        enrollment_id: enrollment.id,
        partner_id: enrollment.partner_id,
        program_id: enrollment.program_id,
        from_tier: enrollment.tier.clone(),
        to_tier: wanted.tier.clone(),
        cause: TierMoveCause::Person,
        reason: wanted.reason.clone(),
        moved_by: ctx.responsible(),
        figures: figures.remove(&enrollment.partner_id).unwrap_or_default(),
        moved_at: ctx.now,
    };
    let mut after = before.clone().moved();
    if let Some(until) = wanted.pinned_until {
        after = TierStanding {
            row_version: after.row_version,
            ..after.clone().pinned(until, wanted.reason.clone(), ctx.now)?
        };
    }
    store::insert_moves(tx, &ctx.scope, std::slice::from_ref(&turn))?;
    store::save_standing(tx, &ctx.scope, &after)?;
    tx.record(ctx, changed(&enrollment, &turn));
    if wanted.pinned_until.is_some() {
        record(tx, ctx, "enrollment.tier_pinned", before, &after, &wanted.reason);
    } else if before.is_pinned(ctx.now) {
        record(
            tx,
            ctx,
            "enrollment.tier_unpinned",
            before,
            &after,
            &wanted.reason,
        );
    }
    Ok((enrollment.in_tier(wanted.tier.clone(), ctx.now), after))
}

/// Has reviews leave the tier as it is until an instant.
pub fn pin(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
    until: DateTime<Utc>,
    reason: &str,
) -> Result<Overview, Problem> {
    let (enrollment, before) = lock(tx, ctx, id, precondition, "pin-tier")?;
    let after = before.clone().pinned(until, reason.to_owned(), ctx.now)?;
    store::save_standing(tx, &ctx.scope, &after)?;
    record(tx, ctx, "enrollment.tier_pinned", &before, &after, reason);
    let measure = Measure::of(tx, ctx, enrollment.program_id)?;
    overview(tx, ctx, measure, enrollment, after)
}

/// Has reviews move the tier again.
pub fn unpin(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Overview, Problem> {
    let (enrollment, before) = lock(tx, ctx, id, precondition, "unpin-tier")?;
    let after = before.clone().unpinned(ctx.now)?;
    store::save_standing(tx, &ctx.scope, &after)?;
    record(tx, ctx, "enrollment.tier_unpinned", &before, &after, reason);
    let measure = Measure::of(tx, ctx, enrollment.program_id)?;
    overview(tx, ctx, measure, enrollment, after)
}

/// A page of the moves that the caller may see, newest first.
pub fn moves(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &MoveFilter,
    page: &PageRequest,
) -> Result<Page<TierMove>, Problem> {
    store::moves(tx, &ctx.scope, filter, page)
}

/// An enrollment that has not ended, locked, and what is known of it.
fn lock(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: EnrollmentId,
    precondition: &Precondition,
    verb: &str,
) -> Result<(Enrollment, TierStanding), Problem> {
    let enrollment = enrollments::lock(tx, ctx, id)?;
    let standing = store::standings(tx, &ctx.scope, &[id])?.pop();
    let known = standing.as_ref().map_or(0, |standing| standing.row_version);
    precondition.check(known)?;
    if enrollment.status == EnrollmentStatus::Ended {
        return Err(Problem::wrong_state(verb, enrollment.status.as_str(), &[]));
    }
    Ok((enrollment, standing.ok_or_else(no_ladder)?))
}

fn require_other_tier(
    ladder: &TierLadder,
    enrollment: &Enrollment,
    wanted: Option<&str>,
) -> Result<(), Problem> {
    if ladder.tiers.is_empty() {
        return Err(no_ladder());
    }
    if wanted.is_some() && ladder.rank_of(wanted) == 0 {
        let message = "The ladder of the program has no tier with this code.";
        return Err(Problem::field("/tier", "unknown_tier", message));
    }
    if enrollment.tier.as_deref() == wanted {
        let current = wanted.unwrap_or("no_tier");
        let problem = Problem::wrong_state("move-tier", current, &["pin-tier"]);
        return Err(problem.because("The partner is in this tier already."));
    }
    Ok(())
}

fn overview(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    measure: Measure,
    enrollment: Enrollment,
    standing: TierStanding,
) -> Result<Overview, Problem> {
    let own = enrollment.partner_id;
    let mut figures = tx.in_house(ctx, |tx, house| measure.figures(tx, house, &[own]))?;
    let spans = figures.remove(&own).unwrap_or_default();
    let (ladder, zone) = (measure.ladder, measure.zone);
    let (rank, earned) = (ladder.rank_of(enrollment.tier.as_deref()), ladder.earned(&spans));
    let present = spans.into_iter().next();
    // What recovered since the review that announced the fall does not fall.
    let standing = TierStanding {
        falls_at: standing.falls_at.filter(|_| earned < rank),
        ..standing
    };
    let outlook = Outlook {
        rank,
        earned,
        falls: standing.falls_at.map(|at| (at, earned)),
        pinned_until: standing.pinned_until.filter(|_| standing.is_pinned(ctx.now)),
    };
    let forecast = if enrollment.status == EnrollmentStatus::Ended {
        "The enrollment has ended.".to_owned()
    } else {
        let said = |span| forecast(&ladder, outlook, span, zone);
        present.as_ref().map(said).unwrap_or_default()
    };
    Ok(Overview {
        enrollment,
        standing,
        rank,
        earned,
        present,
        forecast,
        ladder,
    })
}

fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &'static str,
    before: &TierStanding,
    after: &TierStanding,
    reason: &str,
) {
    let change = Change::updated(event, subject(after.enrollment_id), before, after);
    tx.record(
        ctx,
        change
            .for_partner(Some(after.partner_id.uuid()))
            .with_reason(Some(reason.to_owned())),
    );
}

/// The standing of an enrollment in a program that has no ladder.
fn unknown(enrollment: &Enrollment) -> TierStanding {
    TierStanding {
        enrollment_id: enrollment.id,
        partner_id: enrollment.partner_id,
        program_id: enrollment.program_id,
        pinned_until: None,
        pin_reason: None,
        falls_at: None,
        reviewed_at: None,
        review_at: None,
        row_version: 0,
    }
}
