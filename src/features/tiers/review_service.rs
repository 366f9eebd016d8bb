//! Reviews: what the figures make of partners, at once for a program, day by day for all, or to look at first.

use super::domain::{
    Decision, Facts, Foreseen, Span, SpanFigures, Tally, TierLadder, TierMove, TierMoveCause, TierStanding,
    day_after, decide, grace_end, no_ladder, spans,
};
use super::{figures_store, store};
use crate::features::enrollments::{self, Enrollment, EnrollmentStatus};
use crate::features::programs;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{EnrollmentId, PartnerId, ProgramId, TierMoveId};
use crate::kernel::problem::Problem;
use crate::kernel::time::ProgramZone;
use crate::platform::db::{Change, Page, PageRequest, Position, Subject, Tx};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};

/// How many enrollments are looked at together.
const BATCH: i64 = 500;

/// What all enrollments of a program are measured by at one moment.
#[derive(Debug, Clone)]
pub struct Measure {
    /// The ladder.
    pub ladder: TierLadder,
    /// The program's time zone.
    pub zone: ProgramZone,
    /// When tiers are earned.
    pub spans: Vec<Span>,
}

/// One enrollment with what it has reached and what follows.
struct Finding {
    enrollment: Enrollment,
    standing: TierStanding,
    figures: Vec<SpanFigures>,
    earned: usize,
    decision: Decision,
}

impl Measure {
    /// The measure of a program that the caller sees.
    pub fn of(tx: &mut Tx<'_>, ctx: &Ctx, id: ProgramId) -> Result<Self, Problem> {
        let zone = programs::get(tx, ctx, id)?.time_zone;
        let ladder = store::ladder(tx, &ctx.scope, id)?;
        let ladder = ladder.unwrap_or_else(|| TierLadder::none(id, ctx.now));
        Ok(Self {
            spans: spans(&ladder, zone, ctx.now),
            ladder,
            zone,
        })
    }

    /// What partners have reached; in house.
    pub fn figures(
        &self,
        tx: &mut Tx<'_>,
        house: &Ctx,
        partners: &[PartnerId],
    ) -> Result<HashMap<PartnerId, Vec<SpanFigures>>, Problem> {
        figures_store::figures(tx, &house.scope, &self.ladder, &self.spans, partners)
    }

    fn find(
        &self,
        ctx: &Ctx,
        enrollment: Enrollment,
        standing: TierStanding,
        figures: Vec<SpanFigures>,
    ) -> Finding {
        let earned = self.ladder.earned(&figures);
        let decision = decide(&Facts {
            current: self.ladder.rank_of(enrollment.tier.as_deref()),
            earned,
            is_pinned: standing.is_pinned(ctx.now),
            falls_at: standing.falls_at,
            grace_end: grace_end(&self.ladder, self.zone, ctx.now),
            now: ctx.now,
        });
        Finding {
            enrollment,
            standing,
            figures,
            earned,
            decision,
        }
    }

    /// Looks at enrollments; those without a standing are none of the ladder's.
    fn look(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        enrollments: Vec<Enrollment>,
        standings: Vec<TierStanding>,
    ) -> Result<Vec<Finding>, Problem> {
        let partners: Vec<PartnerId> = enrollments.iter().map(|one| one.partner_id).collect();
        let mut figures = tx.in_house(ctx, |tx, house| self.figures(tx, house, &partners))?;
        let mut standings: HashMap<EnrollmentId, TierStanding> = standings
            .into_iter()
            .map(|one| (one.enrollment_id, one))
            .collect();
        let found = enrollments.into_iter().filter_map(|enrollment| {
            let standing = standings.remove(&enrollment.id)?;
            let figures = figures.remove(&enrollment.partner_id).unwrap_or_default();
            Some(self.find(ctx, enrollment, standing, figures))
        });
        Ok(found.collect())
    }
}

/// Reviews a batch of enrollments that are due, of any programs; how many were looked at.
pub fn review_due(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let ids = store::lock_due(tx, &ctx.scope, ctx.now, BATCH)?;
    if ids.is_empty() {
        return Ok(0);
    }
    let found = enrollments::several(tx, ctx, &ids)?;
    let (active, idle): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|one| one.status == EnrollmentStatus::Active);
    rest(tx, ctx, &idle)?;
    let mut programs: BTreeMap<ProgramId, Vec<Enrollment>> = BTreeMap::new();
    for enrollment in active {
        programs
            .entry(enrollment.program_id)
            .or_default()
            .push(enrollment);
    }
    for (id, members) in programs {
        let measure = Measure::of(tx, ctx, id)?;
        if measure.ladder.tiers.is_empty() {
            rest(tx, ctx, &members)?;
        } else {
            // Another worker may have been here between the look at what is due and the lock.
            let is_due = |one: &TierStanding| one.review_at.is_some_and(|at| at <= ctx.now);
            review(tx, ctx, &measure, members, is_due)?;
        }
    }
    Ok(ids.len())
}

/// Reviews all active enrollments of a program now.
pub fn review_program(tx: &mut Tx<'_>, ctx: &Ctx, id: ProgramId) -> Result<Tally, Problem> {
    let measure = Measure::of(tx, ctx, id)?;
    if measure.ladder.tiers.is_empty() {
        return Err(no_ladder());
    }
    let (mut tally, mut after) = (Tally::default(), None);
    loop {
        let ids = store::members(tx, &ctx.scope, id, after, BATCH, true)?;
        let Some(last) = ids.last() else {
            return Ok(tally);
        };
        after = Some(last.uuid());
        let members = enrollments::several(tx, ctx, &ids)?;
        tally.add(review(tx, ctx, &measure, members, |_| true)?);
    }
}

/// What a review would do now, a page of those to whom anything would happen. Changes nothing.
pub fn preview(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ProgramId,
    page: &PageRequest,
) -> Result<Page<Foreseen>, Problem> {
    let measure = Measure::of(tx, ctx, id)?;
    let wanted = usize::try_from(page.fetch()).unwrap_or(usize::MAX);
    let (mut found, mut after) = (Vec::new(), page.after.as_ref().map(|last| last.id));
    while found.len() < wanted {
        let ids = store::members(tx, &ctx.scope, id, after, BATCH, false)?;
        let Some(last) = ids.last() else {
            break;
        };
        after = Some(last.uuid());
        let members = enrollments::several(tx, ctx, &ids)?;
        let standings = store::standings(tx, &ctx.scope, &ids)?;
        let findings = measure.look(tx, ctx, members, standings)?;
        found.extend(findings.iter().filter_map(|one| measure.foreseen(one)));
    }
    found.truncate(wanted);
    Ok(page.page(found, |last: &Foreseen| Position {
        key: String::new(),
        id: last.enrollment_id.uuid(),
    }))
}

/// Reviews enrollments of one program that are locked, as far as they are wanted.
fn review(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    measure: &Measure,
    members: Vec<Enrollment>,
    is_wanted: impl Fn(&TierStanding) -> bool,
) -> Result<Tally, Problem> {
    let ids: Vec<EnrollmentId> = members.iter().map(|one| one.id).collect();
    let mut standings = store::standings(tx, &ctx.scope, &ids)?;
    standings.retain(is_wanted);
    let findings = measure.look(tx, ctx, members, standings)?;
    let moves: Vec<TierMove> = findings.iter().filter_map(|one| measure.turn(ctx, one)).collect();
    store::insert_moves(tx, &ctx.scope, &moves)?;
    let falls: Vec<_> = findings.iter().map(Finding::falls).collect();
    let next = day_after(ctx.now, measure.zone);
    store::save_reviewed(tx, &ctx.scope, &falls, ctx.now, next)?;
    let reasons: HashMap<EnrollmentId, &TierMove> =
        moves.iter().map(|one| (one.enrollment_id, one)).collect();
    let mut tally = Tally::default();
    for finding in &findings {
        tally.count(finding.decision);
        tell(tx, ctx, finding, reasons.get(&finding.enrollment.id).copied());
    }
    Ok(tally)
}

/// Tells what happened to an enrollment, if anything did.
fn tell(tx: &mut Tx<'_>, ctx: &Ctx, finding: &Finding, turn: Option<&TierMove>) {
    let before = &finding.enrollment;
    if let Some(turn) = turn {
        tx.record(ctx, changed(before, turn));
        return;
    }
    let event = match finding.decision {
        Decision::Endanger(_) => "enrollment.tier_endangered",
        Decision::Secure => "enrollment.tier_secured",
        Decision::Stay | Decision::Promote(_) | Decision::Demote(_) => return,
    };
    let (_, falls_at) = finding.falls();
    let after = TierStanding {
        falls_at,
        ..finding.standing.clone()
    };
    let change = Change::updated(event, subject(before.id), &finding.standing, &after);
    tx.record(ctx, change.for_partner(Some(before.partner_id.uuid())));
}

/// What is told of a move: the enrollment, which carries another tier.
pub fn changed(before: &Enrollment, turn: &TierMove) -> Change {
    let after = before.clone().in_tier(turn.to_tier.clone(), turn.moved_at);
    Change::updated("enrollment.tier_changed", subject(before.id), before, &after)
        .for_partner(Some(before.partner_id.uuid()))
        .with_reason(Some(turn.reason.clone()))
}

/// What happens to tiers happens to enrollments.
pub fn subject(id: EnrollmentId) -> Subject {
    Subject {
        kind: "enrollment",
        id: id.uuid(),
    }
}

fn rest(tx: &mut Tx<'_>, ctx: &Ctx, enrollments: &[Enrollment]) -> Result<(), Problem> {
    let ids: Vec<EnrollmentId> = enrollments.iter().map(|one| one.id).collect();
    store::rest(tx, &ctx.scope, &ids)
}

impl Measure {
    /// The move that a finding makes.
    fn turn(&self, ctx: &Ctx, finding: &Finding) -> Option<TierMove> {
        let rank = finding.decision.moves_to()?;
        let name = |rank: usize| {
            self.ladder
                .tier(rank)
                .map_or("no tier", |tier| tier.name.as_str())
        };
        let enrollment = &finding.enrollment;
        let reason = match finding.decision {
            Decision::Demote(_) => {
                let lost = name(self.ladder.rank_of(enrollment.tier.as_deref()));
                format!(
                    "The figures give {}, and the grace for {lost} is over.",
                    name(rank)
                )
            }
            _ => format!("The figures give {}.", name(rank)),
        };
        Some(TierMove {
            id: TierMoveId::new(ctx.now),
            enrollment_id: enrollment.id,
            partner_id: enrollment.partner_id,
            program_id: enrollment.program_id,
            from_tier: enrollment.tier.clone(),
            to_tier: self.ladder.code(rank),
            cause: TierMoveCause::Review,
            reason,
            moved_by: ctx.responsible(),
            figures: finding.figures.clone(),
            moved_at: ctx.now,
        })
    }

    fn foreseen(&self, finding: &Finding) -> Option<Foreseen> {
        let (_, falls_at) = finding.falls();
        Some(Foreseen {
            enrollment_id: finding.enrollment.id,
            partner_id: finding.enrollment.partner_id,
            outcome: finding.decision.outcome()?,
            from_tier: finding.enrollment.tier.clone(),
            to_tier: self.ladder.code(finding.earned),
            falls_at,
        })
    }
}

impl Finding {
    /// When the enrollment falls after the review.
    fn falls(&self) -> (EnrollmentId, Option<DateTime<Utc>>) {
        (self.enrollment.id, self.decision.falls_at(self.standing.falls_at))
    }
}
