//! What a new dispute is about: found in the caller's scope, and whether it can be disputed so.

use crate::features::attributions::{self, AttributionStatus};
use crate::features::commissions::{self, Commission};
use crate::features::disputes::{DisputedId, NewDispute, SubjectType};
use crate::features::registration_conflicts::{self, Outcome};
use crate::features::{audit, deal_registrations, deals, partners, tiers};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{
    AttributionId, CommissionId, DealId, DealRegistrationId, PartnerId, ProgramId, RegistrationConflictId,
    TierMoveId,
};
use crate::kernel::motion::Role;
use crate::kernel::problem::{FieldProblem, Problem};
use crate::platform::db::Tx;
use std::collections::HashMap;
use uuid::Uuid;

/// What is disputed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Whose dispute it is.
    pub partner_id: PartnerId,
    /// Under which program, where there is one.
    pub program_id: Option<ProgramId>,
    /// The record.
    pub subject_id: Uuid,
    /// What somebody may have decided about it, as the audit trail calls it.
    decisions: &'static [&'static str],
    /// Who decided it, where the record itself says so.
    decided_by: Option<ActorId>,
    /// Whether it can be disputed as it stands.
    is_disputable: bool,
    /// The share that counts, where credit is disputed.
    counting_share: Option<i32>,
}

impl Target {
    /// Who made the decision, where that can be told; in house.
    pub fn contested_by(&self, tx: &mut Tx<'_>, house: &Ctx) -> Result<Option<ActorId>, Problem> {
        match self.decided_by {
            None => audit::author_of(tx, house, self.subject_id, self.decisions),
            told => Ok(told),
        }
    }
}

/// Finds it, and refuses what does not fit together.
pub fn find(tx: &mut Tx<'_>, ctx: &Ctx, new: &NewDispute) -> Result<Target, Problem> {
    let named = named_partner(tx, ctx, new)?;
    let lines = lines(tx, ctx, new)?;
    let mut targets = Vec::with_capacity(new.subject_ids.len());
    for (place, subject) in new.subject_ids.iter().enumerate() {
        targets.push(seen(tx, ctx, *subject, (named, &lines), place)?);
    }
    let first = *targets.first().ok_or_else(Problem::internal)?;
    let mut errors = together(new, &targets);
    errors.extend(fitting(new, &first));
    if named.is_some_and(|named| named != first.partner_id) {
        let message = "What is disputed is another partner's.";
        errors.push(FieldProblem::new("/partner_id", "not_of_subject", message));
    }
    if !first.is_disputable {
        let message = "As it stands there is nothing to dispute.";
        errors.push(FieldProblem::new("/subject_ids/0", "not_disputable", message));
    }
    if errors.is_empty() {
        Ok(first)
    } else {
        Err(Problem::fields(errors))
    }
}

/// The disputed commissions that the caller sees, all at once.
fn lines(tx: &mut Tx<'_>, ctx: &Ctx, new: &NewDispute) -> Result<HashMap<Uuid, Commission>, Problem> {
    let subjects = new.subject_ids.iter();
    let ids: Vec<CommissionId> = subjects
        .filter(|subject| subject.subject_type == SubjectType::Commission)
        .map(|subject| CommissionId::from_uuid(subject.id))
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = commissions::several(tx, ctx, &ids)?;
    Ok(found.into_iter().map(|line| (line.id.uuid(), line)).collect())
}

fn named_partner(tx: &mut Tx<'_>, ctx: &Ctx, new: &NewDispute) -> Result<Option<PartnerId>, Problem> {
    let named = ctx.partner_of_new(new.partner_id)?;
    if let Some(id) = named {
        partners::get(tx, ctx, id).map_err(|problem| problem.or_if_missing(unknown("/partner_id")))?;
    }
    Ok(named)
}

fn unknown(pointer: &str) -> Problem {
    Problem::field(pointer, "unknown_reference", "There is no such record.")
}

/// The subject, if the caller sees it and may act for its partner.
fn seen(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    subject: DisputedId,
    (named, lines): (Option<PartnerId>, &HashMap<Uuid, Commission>),
    place: usize,
) -> Result<Target, Problem> {
    let pointer = format!("/subject_ids/{place}");
    let found = match subject.subject_type {
        SubjectType::DealRegistration => registration(tx, ctx, subject.id),
        SubjectType::RegistrationConflict => conflict(tx, ctx, subject.id, named),
        SubjectType::Attribution => credit(tx, ctx, subject.id),
        SubjectType::Commission => commission(lines, subject.id),
        SubjectType::Deal => deal(tx, ctx, subject.id, named),
        SubjectType::TierMove => tier_move(tx, ctx, subject.id),
    };
    let target = found.map_err(|problem| problem.or_if_missing(unknown(&pointer)))?;
    match ctx.scope.partner_id {
        // What a partner sees of those below it is theirs to dispute.
        Some(own) if own != target.partner_id => Err(unknown(&pointer)),
        _ => Ok(target),
    }
}

fn registration(tx: &mut Tx<'_>, ctx: &Ctx, id: Uuid) -> Result<Target, Problem> {
    let found = deal_registrations::get(tx, ctx, DealRegistrationId::from_uuid(id))?;
    Ok(Target {
        partner_id: found.partner_id,
        program_id: Some(found.program_id),
        subject_id: id,
        decisions: &["deal_registration.rejected", "deal_registration.revoked"],
        decided_by: None,
        is_disputable: found.status.is_disputable(),
        counting_share: None,
    })
}

/// A conflict has several partners: the one that is named, whose claim the decision ended.
fn conflict(tx: &mut Tx<'_>, ctx: &Ctx, id: Uuid, named: Option<PartnerId>) -> Result<Target, Problem> {
    let (found, parties) = registration_conflicts::get(tx, ctx, RegistrationConflictId::from_uuid(id))?;
    let partner_id = named.ok_or_else(missing_partner)?;
    let own = || parties.iter().filter(|party| party.partner_id == partner_id);
    let is_lost = |outcome: Option<Outcome>| matches!(outcome, Some(Outcome::Ends | Outcome::Shares));
    let lost = own().find(|party| is_lost(found.outcome(party)));
    let Some(party) = lost.or_else(|| own().next()) else {
        let message = "The partner has no part in the conflict.";
        return Err(Problem::field("/partner_id", "not_of_subject", message));
    };
    let claim = deal_registrations::get(tx, ctx, party.deal_registration_id)?;
    Ok(Target {
        partner_id,
        program_id: Some(claim.program_id),
        subject_id: id,
        decisions: &["registration_conflict.decided"],
        decided_by: None,
        is_disputable: lost.is_some(),
        counting_share: None,
    })
}

fn credit(tx: &mut Tx<'_>, ctx: &Ctx, id: Uuid) -> Result<Target, Problem> {
    let found = attributions::get(tx, ctx, AttributionId::from_uuid(id))?;
    // Whose credit was rejected does not see the deal by it.
    let deal = tx.in_house(ctx, |tx, house| deals::get(tx, house, found.deal_id))?;
    Ok(Target {
        partner_id: found.partner_id,
        program_id: deal.program_id,
        subject_id: id,
        decisions: &[
            "attribution.created",
            "attribution.confirmed",
            "attribution.rejected",
            "attribution.corrected",
            "attribution.restored",
        ],
        decided_by: None,
        is_disputable: found.status != AttributionStatus::Claimed,
        counting_share: Some(found.counting_share()),
    })
}

/// What a commission comes to is decided by a rule and by nobody.
fn commission(lines: &HashMap<Uuid, Commission>, id: Uuid) -> Result<Target, Problem> {
    let found = lines.get(&id).ok_or_else(Problem::not_found)?;
    Ok(Target {
        partner_id: found.partner_id,
        program_id: Some(found.program_id),
        subject_id: id,
        decisions: &[],
        decided_by: None,
        is_disputable: true,
        counting_share: None,
    })
}

/// A deal on which something is missing is one that the partner made, or claims credit for.
fn deal(tx: &mut Tx<'_>, ctx: &Ctx, id: Uuid, named: Option<PartnerId>) -> Result<Target, Problem> {
    let found = deals::get(tx, ctx, DealId::from_uuid(id))?;
    let partner_id = named.or(found.partner_id).ok_or_else(missing_partner)?;
    let mut has_part = found.partner_id == Some(partner_id);
    for &role in Role::ALL {
        has_part = has_part || attributions::is_credited(tx, ctx, found.id, partner_id, role)?;
    }
    if !has_part && ctx.scope.partner_id.is_some() {
        return Err(Problem::not_found());
    }
    Ok(Target {
        partner_id,
        program_id: found.program_id,
        subject_id: id,
        decisions: &[],
        decided_by: None,
        is_disputable: has_part && found.program_id.is_some(),
        counting_share: None,
    })
}

/// A fall that still stands. What the figures decided by themselves was decided by nobody.
fn tier_move(tx: &mut Tx<'_>, ctx: &Ctx, id: Uuid) -> Result<Target, Problem> {
    let (found, still_stands) = tiers::fall(tx, ctx, TierMoveId::from_uuid(id))?;
    Ok(Target {
        partner_id: found.partner_id,
        program_id: Some(found.program_id),
        subject_id: id,
        decisions: &[],
        decided_by: found.moved_by,
        is_disputable: still_stands,
        counting_share: None,
    })
}

fn missing_partner() -> Problem {
    Problem::field(
        "/partner_id",
        "missing",
        "The partner whose dispute it is must be named.",
    )
}

/// Several are disputed together only where they are commissions of one partner.
fn together(new: &NewDispute, targets: &[Target]) -> Vec<FieldProblem> {
    let [first, rest @ ..] = new.subject_ids.as_slice() else {
        return Vec::new();
    };
    let is_alike = |subject: &DisputedId| subject.subject_type == SubjectType::Commission;
    let is_one_partners = targets.iter().all(|one| one.partner_id == targets[0].partner_id);
    if rest.is_empty() || is_alike(first) && rest.iter().all(is_alike) && is_one_partners {
        return Vec::new();
    }
    let message = "Only commissions of one partner are disputed several at once.";
    vec![FieldProblem::new("/subject_ids", "not_together", message)]
}

fn fitting(new: &NewDispute, target: &Target) -> Vec<FieldProblem> {
    let Some(subject) = new.subject_ids.first().map(|first| first.subject_type) else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    let mut refuse = |pointer: &str, code: &str, message: &str| {
        errors.push(FieldProblem::new(pointer, code, message));
    };
    if !new.reason_code.fits(subject) {
        refuse(
            "/reason_code",
            "not_fitting",
            "This is no reason to dispute such a record.",
        );
    }
    match (subject.is_money(), new.claimed_amount) {
        (true, None) => refuse("/claimed_amount", "missing", "Say what it should come to in all."),
        (false, Some(_)) => refuse("/claimed_amount", "not_allowed", "No money is disputed here."),
        _ => {}
    }
    match (target.counting_share, new.claimed_share_basis_points) {
        (None, Some(_)) => refuse(
            "/claimed_share_basis_points",
            "not_allowed",
            "No share is disputed here.",
        ),
        (Some(counts), None) if counts > 0 => refuse(
            "/claimed_share_basis_points",
            "missing",
            "Say which share the credit should have.",
        ),
        (Some(counts), Some(claimed)) if claimed <= counts => refuse(
            "/claimed_share_basis_points",
            "not_more",
            "The credit has this share already, or more.",
        ),
        _ => {}
    }
    errors
}
