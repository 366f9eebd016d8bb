//! A conflict is decided, and what follows from that is done.

use crate::features::accounts;
use crate::features::attributions::{self, NewAttribution};
use crate::features::deal_registrations::{
    self, DealRegistration, RegistrationReason, RegistrationStatus, Why,
};
use crate::features::registration_conflicts::{
    self, ConflictKind, Decision, Outcome, Party, RegistrationConflict, Side, Verdict,
};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, DealRegistrationId, RegistrationConflictId};
use crate::kernel::motion::Role;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// The whole of a role, to be lowered before it is confirmed.
const WHOLE_BASIS_POINTS: i32 = 10_000;

/// Decides a conflict: claims that end are rejected or revoked, and those that share are credited in the deal.
pub fn decide(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: RegistrationConflictId,
    precondition: &Precondition,
    decision: Decision,
    winner: Option<DealRegistrationId>,
    reason: &str,
) -> Result<RegistrationConflict, Problem> {
    let (seen, _) = registration_conflicts::get(tx, ctx, id)?;
    accounts::lock_standing(tx, ctx, seen.account_id)?;
    let before = registration_conflicts::lock(tx, ctx, id)?;
    precondition.check(before.row_version)?;
    before.require_open("decide")?;
    require_fitting(before.kind, decision)?;
    let parties = registration_conflicts::parties(tx, ctx, id)?;
    require_winner(&parties, decision, winner)?;
    if let Some(winner) = winner {
        require_goes_on(tx, ctx, winner, "/winner_registration_id")?;
        require_unfinished(tx, ctx, &parties, winner)?;
    }
    let incumbent = before.incumbent_registration_id;
    if let Some(incumbent) = incumbent.filter(|_| decision == Decision::IncumbentKeeps) {
        require_goes_on(tx, ctx, incumbent, "/decision")?;
    }
    let shared = shared_deal(tx, ctx, &before, decision)?;
    let verdict = Verdict {
        decision,
        winner,
        reason,
        is_anew: false,
    };
    let after = registration_conflicts::decide(tx, ctx, &before, verdict)?;
    for party in &parties {
        match (after.outcome(party), shared) {
            (Some(Outcome::Ends), _) => end(tx, ctx, party.deal_registration_id)?,
            (Some(Outcome::Shares), Some(deal_id)) => {
                // Who gave up has no part in what the others share.
                let claim = deal_registrations::lock(tx, ctx, party.deal_registration_id)?;
                if !claim.status.is_over() {
                    end(tx, ctx, party.deal_registration_id)?;
                    credit(tx, ctx, party, deal_id)?;
                }
            }
            (Some(Outcome::GoesOn | Outcome::Shares) | None, _) => {}
        }
    }
    Ok(after)
}

/// Between accounts nobody wins: they are merged, or the doubt is dismissed.
fn require_fitting(kind: ConflictKind, decision: Decision) -> Result<(), Problem> {
    if kind != ConflictKind::SimilarAccount || decision == Decision::Dismissed {
        return Ok(());
    }
    let message = "The claims are to two accounts. Merge the accounts, or dismiss this.";
    Err(Problem::field("/decision", "not_allowed", message))
}

/// Nobody wins by a claim that is over: the others would lose the account, and nobody would have it.
fn require_goes_on(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    winner: DealRegistrationId,
    pointer: &str,
) -> Result<(), Problem> {
    let status = deal_registrations::lock(tx, ctx, winner)?.status;
    if !status.is_over() {
        return Ok(());
    }
    let message = format!("The registration is {status}; nothing can be won by it any more.");
    Err(Problem::field(pointer, "wrong_state", message))
}

/// Nobody wins an account away from a claim whose deal is won.
fn require_unfinished(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parties: &[Party],
    winner: DealRegistrationId,
) -> Result<(), Problem> {
    for party in parties
        .iter()
        .filter(|party| party.deal_registration_id != winner)
    {
        let rival = deal_registrations::get(tx, ctx, party.deal_registration_id)?;
        if rival.status == RegistrationStatus::Converted {
            let detail = format!(
                "The deal of {} is won. Let it keep the account, share its deal, or dismiss the conflict.",
                rival.id
            );
            return Err(Problem::new(Code::WrongState).because(detail));
        }
    }
    Ok(())
}

fn require_winner(
    parties: &[Party],
    decision: Decision,
    winner: Option<DealRegistrationId>,
) -> Result<(), Problem> {
    let pointer = "/winner_registration_id";
    let is_named = |party: &Party| Some(party.deal_registration_id) == winner;
    if winner.is_some() && !parties.iter().any(is_named) {
        return Err(Problem::field(
            pointer,
            "unknown_reference",
            "There is no such record.",
        ));
    }
    match (decision, winner) {
        (Decision::ChallengerWins, Some(winner)) => {
            let is_challenger =
                |party: &Party| party.deal_registration_id == winner && party.side == Side::Challenger;
            if parties.iter().any(is_challenger) {
                return Ok(());
            }
            Err(Problem::field(
                pointer,
                "not_a_challenger",
                "It came first; let it keep the account.",
            ))
        }
        (Decision::ChallengerWins, None) => Err(Problem::field(
            pointer,
            "missing",
            "Name the challenger that wins.",
        )),
        (_, Some(_)) => Err(Problem::field(
            pointer,
            "not_allowed",
            "Only where a challenger wins it is named.",
        )),
        (_, None) => Ok(()),
    }
}

/// The deal in which challengers get a part.
fn shared_deal(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    conflict: &RegistrationConflict,
    decision: Decision,
) -> Result<Option<DealId>, Problem> {
    if decision != Decision::CoSellShare {
        return Ok(None);
    }
    let of_claim = match conflict.incumbent_registration_id {
        Some(id) => deal_registrations::get(tx, ctx, id)?.deal_id,
        None => None,
    };
    let deal_id = of_claim.or(conflict.deal_id);
    deal_id.map(Some).ok_or_else(|| {
        Problem::new(Code::WrongState)
            .because("There is no deal to share yet: approve the registration that came first.")
    })
}

/// A claim ends. The reason that the partner reads names nobody; a draft claims nothing and stays.
pub(super) fn end(tx: &mut Tx<'_>, ctx: &Ctx, id: DealRegistrationId) -> Result<(), Problem> {
    let before = deal_registrations::lock(tx, ctx, id)?;
    let why = Why {
        code: RegistrationReason::Contested,
        text: "Another claim to the account was preferred.".to_owned(),
    };
    let (event, after): (_, DealRegistration) = match before.status {
        RegistrationStatus::Approved => ("deal_registration.revoked", before.clone().revoke(why, ctx.now)?),
        RegistrationStatus::Submitted | RegistrationStatus::InReview | RegistrationStatus::ActionRequired => {
            ("deal_registration.rejected", before.clone().reject(why, ctx.now)?)
        }
        _ => return Ok(()),
    };
    deal_registrations::save(tx, ctx, event, &before, &after)
}

/// The partner's part in the deal, to be confirmed by a person.
pub(super) fn credit(tx: &mut Tx<'_>, ctx: &Ctx, party: &Party, deal_id: DealId) -> Result<(), Problem> {
    if attributions::is_credited(tx, ctx, deal_id, party.partner_id, Role::Influenced)? {
        return Ok(());
    }
    let new = NewAttribution {
        external_id: None,
        deal_id,
        partner_id: Some(party.partner_id),
        role: Role::Influenced,
        share_basis_points: WHOLE_BASIS_POINTS,
        confirm: false,
        touchpoint_ids: Vec::new(),
    };
    attributions::create(tx, ctx, new).map(drop)
}
