//! A dispute of a decision was upheld: the decision is undone, as far as exclusivity allows. What cannot be is refused,
//! and nothing changes.

use super::submission::require_first;
use super::{Attempt, conflict, decision};
use crate::features::accounts;
use crate::features::deal_registrations::{self, DealRegistration, RegistrationStatus};
use crate::features::deals::{self, DealStatus};
use crate::features::registration_conflicts::{
    self, Decision, Outcome, Party, RegistrationConflict, Side, Verdict,
};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, DealRegistrationId, PartnerId, RegistrationConflictId};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Has a claim looked at again, as if nobody had decided.
pub fn reopen(tx: &mut Tx<'_>, ctx: &Ctx, id: DealRegistrationId) -> Result<(), Problem> {
    let before = locked(tx, ctx, id)?;
    reopened(tx, ctx, &before).map(drop)
}

/// Protects a claim that was rejected, revoked or had expired.
pub fn restore(tx: &mut Tx<'_>, ctx: &Ctx, id: DealRegistrationId) -> Result<(), Problem> {
    let before = locked(tx, ctx, id)?;
    require_free(tx, ctx, &before)?;
    if before.status == RegistrationStatus::Rejected {
        reopened(tx, ctx, &before)?;
        return match decision::approve(tx, ctx, id, &Precondition::Any, before.deal_id)? {
            Attempt::Done(_) => Ok(()),
            Attempt::Refused(_) => Err(taken()),
        };
    }
    require_open_deal(tx, ctx, &before)?;
    let rules = deal_registrations::rules(tx, ctx, before.program_id)?;
    let after = before.clone().reinstate(&rules, ctx.now)?;
    deal_registrations::save(tx, ctx, "deal_registration.reinstated", &before, &after)
}

/// Decides a conflict anew for a partner that had lost it: wholly, so that its claim goes on and the others end, or by
/// a part in the deal of the claim that goes on.
pub fn redecide(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: RegistrationConflictId,
    partner_id: PartnerId,
    is_whole: bool,
    reason: &str,
) -> Result<(), Problem> {
    let (seen, _) = registration_conflicts::get(tx, ctx, id)?;
    accounts::lock_standing(tx, ctx, seen.account_id)?;
    let before = registration_conflicts::lock(tx, ctx, id)?;
    let parties = registration_conflicts::parties(tx, ctx, id)?;
    let own = parties
        .iter()
        .find(|party| party.partner_id == partner_id && before.outcome(party) != Some(Outcome::GoesOn));
    let own = own.ok_or_else(|| {
        Problem::new(Code::WrongState).because("The partner's claim goes on by the decision as it is now.")
    })?;
    if is_whole {
        prefer(tx, ctx, &before, own, &parties, reason)
    } else {
        share(tx, ctx, &before, own, &parties, reason)
    }
}

fn prefer(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &RegistrationConflict,
    own: &Party,
    parties: &[Party],
    reason: &str,
) -> Result<(), Problem> {
    let (decision, winner) = match own.side {
        Side::Challenger => (Decision::ChallengerWins, Some(own.deal_registration_id)),
        Side::Incumbent => (Decision::IncumbentKeeps, None),
    };
    decide(tx, ctx, before, (decision, winner), reason)?;
    for rival in rivals(before, own, parties) {
        let claim = deal_registrations::lock(tx, ctx, rival)?;
        if claim.status == RegistrationStatus::Converted {
            let detail =
                "The other claim's deal is won. A part in it can be given: uphold the dispute partially.";
            return Err(Problem::new(Code::WrongState).because(detail));
        }
        conflict::end(tx, ctx, rival)?;
    }
    let claim = deal_registrations::lock(tx, ctx, own.deal_registration_id)?;
    match claim.status {
        RegistrationStatus::Revoked | RegistrationStatus::Expired => restore(tx, ctx, claim.id),
        RegistrationStatus::Rejected => reopened(tx, ctx, &claim).map(drop),
        RegistrationStatus::Draft => submitted(tx, ctx, &claim),
        RegistrationStatus::Withdrawn | RegistrationStatus::Lost => Err(given_up(&claim)),
        RegistrationStatus::Submitted
        | RegistrationStatus::InReview
        | RegistrationStatus::ActionRequired
        | RegistrationStatus::Approved
        | RegistrationStatus::Converted => Ok(()),
    }
}

/// Nothing can come of a claim that the partner took back, or whose deal was lost.
fn given_up(claim: &DealRegistration) -> Problem {
    let detail = format!(
        "The partner's registration is {}; there is nothing to give back to it.",
        claim.status
    );
    Problem::new(Code::WrongState).because(detail)
}

/// The claim of whom the program's policy refused at once is made after all.
fn submitted(tx: &mut Tx<'_>, ctx: &Ctx, before: &DealRegistration) -> Result<(), Problem> {
    require_first(tx, ctx, before)?;
    let rules = deal_registrations::rules(tx, ctx, before.program_id)?;
    let after = before.clone().submit(&rules, ctx.now)?;
    deal_registrations::save(tx, ctx, "deal_registration.submitted", before, &after)
}

fn share(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &RegistrationConflict,
    own: &Party,
    parties: &[Party],
    reason: &str,
) -> Result<(), Problem> {
    let verdict = match own.side {
        Side::Challenger => (Decision::CoSellShare, None),
        Side::Incumbent => (Decision::ChallengerWins, before.winner_registration_id),
    };
    let claim = deal_registrations::lock(tx, ctx, own.deal_registration_id)?;
    if claim.status == RegistrationStatus::Withdrawn {
        return Err(given_up(&claim));
    }
    let deal_id = deal_of_rivals(tx, ctx, before, own, parties)?;
    decide(tx, ctx, before, verdict, reason)?;
    conflict::credit(tx, ctx, own, deal_id)
}

fn decide(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &RegistrationConflict,
    (decision, winner): (Decision, Option<DealRegistrationId>),
    reason: &str,
) -> Result<(), Problem> {
    let verdict = Verdict {
        decision,
        winner,
        reason,
        is_anew: true,
    };
    registration_conflicts::decide(tx, ctx, before, verdict).map(drop)
}

/// The other claims. Whoever came first is no party where the program's policy refused the challenger at once.
fn rivals(conflict: &RegistrationConflict, own: &Party, parties: &[Party]) -> Vec<DealRegistrationId> {
    let parties = parties.iter().map(|party| party.deal_registration_id);
    let all = parties.chain(conflict.incumbent_registration_id);
    let mut rivals: Vec<DealRegistrationId> = all.filter(|id| *id != own.deal_registration_id).collect();
    rivals.sort_unstable();
    rivals.dedup();
    rivals
}

/// The deal of the claim that goes on, or the one that the claims met.
fn deal_of_rivals(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    conflict: &RegistrationConflict,
    own: &Party,
    parties: &[Party],
) -> Result<DealId, Problem> {
    for rival in rivals(conflict, own, parties) {
        let claim = deal_registrations::get(tx, ctx, rival)?;
        let goes_on = claim.is_protected() || claim.status == RegistrationStatus::Converted;
        if let Some(deal_id) = claim.deal_id.filter(|_| goes_on) {
            return Ok(deal_id);
        }
    }
    conflict.deal_id.ok_or_else(|| {
        Problem::new(Code::WrongState)
            .because("There is no deal to share yet: approve the registration that goes on.")
    })
}

/// The claim, locked after its account, as everyone does who decides about claims.
fn locked(tx: &mut Tx<'_>, ctx: &Ctx, id: DealRegistrationId) -> Result<DealRegistration, Problem> {
    let seen = deal_registrations::get(tx, ctx, id)?;
    accounts::lock_standing(tx, ctx, seen.account_id)?;
    deal_registrations::lock(tx, ctx, id)
}

fn reopened(tx: &mut Tx<'_>, ctx: &Ctx, before: &DealRegistration) -> Result<DealRegistration, Problem> {
    require_first(tx, ctx, before)?;
    let rules = deal_registrations::rules(tx, ctx, before.program_id)?;
    let after = before.clone().reopen(&rules, ctx.now)?;
    deal_registrations::save(tx, ctx, "deal_registration.reopened", before, &after)?;
    Ok(after)
}

/// Refuses while another claim is protected. The exclusion constraint has the last word.
fn require_free(tx: &mut Tx<'_>, ctx: &Ctx, claim: &DealRegistration) -> Result<(), Problem> {
    let (family, own) = (claim.product_family_id, Some(claim.partner_id));
    let rival = deal_registrations::incumbent(tx, ctx, claim.account_id, family, own)?;
    match rival.filter(DealRegistration::is_protected) {
        Some(_) => Err(taken()),
        None => Ok(()),
    }
}

fn taken() -> Problem {
    Problem::new(Code::RegistrationConflict).because(
        "Another registration of the account is protected now, so that this one cannot be. Revoke the other one first, or \
         uphold the dispute partially, so that the registration is looked at again.",
    )
}

fn require_open_deal(tx: &mut Tx<'_>, ctx: &Ctx, claim: &DealRegistration) -> Result<(), Problem> {
    let Some(deal_id) = claim.deal_id else {
        return Ok(());
    };
    match deals::lock(tx, ctx, deal_id)?.state.status() {
        DealStatus::Open => Ok(()),
        closed => Err(Problem::new(Code::WrongState).because(format!(
            "The registration's deal is {closed}; there is nothing to protect any more."
        ))),
    }
}
