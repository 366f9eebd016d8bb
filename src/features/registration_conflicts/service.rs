//! The verbs of a conflict. What follows from a decision is told in `flows::registration::conflict`.

use super::domain::{ConflictKind, Decision, NewConflict, Party, RegistrationConflict, Side};
use super::store::{self, ConflictFilter};
use crate::features::deal_registrations::{self, DealRegistration};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, DealId, DealRegistrationId, RegistrationConflictId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use serde_json::json;
use uuid::Uuid;

/// One conflict with the parties that the caller may see: all of them, or its own.
pub fn get(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: RegistrationConflictId,
) -> Result<(RegistrationConflict, Vec<Party>), Problem> {
    let conflict = store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    let parties = store::parties(tx, &ctx.scope, id)?;
    Ok((conflict, parties))
}

/// A page of the conflicts that the caller may see, each with the parties that it may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ConflictFilter,
    page: &PageRequest,
) -> Result<Page<(RegistrationConflict, Vec<Party>)>, Problem> {
    let found = store::list(tx, &ctx.scope, filter, page)?;
    let ids: Vec<RegistrationConflictId> = found.rows.iter().map(|one| one.id).collect();
    let mut parties = store::parties_of(tx, &ctx.scope, &ids)?;
    Ok(found.map(|conflict| {
        let own = parties.remove(&conflict.id).unwrap_or_default();
        (conflict, own)
    }))
}

/// The parties of a conflict that the caller may see.
pub fn parties(tx: &mut Tx<'_>, ctx: &Ctx, id: RegistrationConflictId) -> Result<Vec<Party>, Problem> {
    store::parties(tx, &ctx.scope, id)
}

/// One conflict, locked until the transaction ends; in house.
pub fn lock(
    tx: &mut Tx<'_>,
    house: &Ctx,
    id: RegistrationConflictId,
) -> Result<RegistrationConflict, Problem> {
    store::lock(tx, &house.scope, id)?.ok_or_else(Problem::not_found)
}

/// The last conflict in which this claim is a party; in house.
pub fn of_party(
    tx: &mut Tx<'_>,
    house: &Ctx,
    registration: &DealRegistration,
) -> Result<Option<RegistrationConflict>, Problem> {
    store::of_party(tx, &house.scope, registration.id)
}

/// Moves an account's conflicts, or those of these that it still has, to another account; which they were.
pub fn move_to_account(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    from: AccountId,
    to: AccountId,
    only: Option<&[Uuid]>,
) -> Result<Vec<Uuid>, Problem> {
    store::move_to_account(tx, ctx, from, to, only)
}

/// Raises a conflict, or joins the one that is open over the same; in house, with the account locked. What is refused at
/// once is recorded once for each claim, and its id is given again.
pub fn raise(tx: &mut Tx<'_>, house: &Ctx, new: &NewConflict<'_>) -> Result<RegistrationConflict, Problem> {
    if let Some(known) = store::same(tx, &house.scope, new)? {
        join(tx, house, &known, new)?;
        return Ok(known);
    }
    let conflict = RegistrationConflict::raise(new, house.now)?;
    store::insert(tx, &house.scope, &conflict)?;
    tx.record(
        house,
        Change::created("registration_conflict.opened", subject(&conflict), &conflict),
    );
    join(tx, house, &conflict, new)?;
    Ok(conflict)
}

fn join(
    tx: &mut Tx<'_>,
    house: &Ctx,
    conflict: &RegistrationConflict,
    new: &NewConflict<'_>,
) -> Result<(), Problem> {
    if new.kind == ConflictKind::SimilarAccount {
        return Ok(());
    }
    let incumbent = new.incumbent.filter(|_| !new.is_refused);
    let sides = [(Side::Incumbent, incumbent), (Side::Challenger, new.challenger)];
    for (side, claim) in sides {
        let Some(claim) = claim else { continue };
        let party = Party {
            deal_registration_id: claim.id,
            partner_id: claim.partner_id,
            side,
            evidence: None,
            joined_at: house.now,
        };
        if store::join(tx, &house.scope, conflict.id, &party)? {
            tell(tx, house, "registration_conflict.joined", conflict, &party);
        }
    }
    Ok(())
}

/// A party brings something forward for its side.
pub fn add_evidence(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: RegistrationConflictId,
    precondition: &Precondition,
    registration_id: DealRegistrationId,
    evidence: String,
) -> Result<(RegistrationConflict, Vec<Party>), Problem> {
    let (_, own) = get(tx, ctx, id)?;
    let is_party = own
        .iter()
        .any(|party| party.deal_registration_id == registration_id);
    if !is_party {
        return Err(Problem::field(
            "/deal_registration_id",
            "unknown_reference",
            "There is no such record.",
        ));
    }
    tx.in_house(ctx, |tx, house| {
        let conflict = lock(tx, house, id)?;
        precondition.check(conflict.row_version)?;
        conflict.require_open("add_evidence")?;
        let claim = deal_registrations::get(tx, house, registration_id)?;
        if claim.status.is_over() {
            return Err(claim.refusal("add_evidence"));
        }
        store::add_evidence(tx, &house.scope, id, registration_id, &evidence)?;
        for party in store::parties(tx, &house.scope, id)? {
            if party.deal_registration_id == registration_id {
                tell(
                    tx,
                    house,
                    "registration_conflict.evidence_added",
                    &conflict,
                    &party,
                );
            }
        }
        Ok(())
    })?;
    get(tx, ctx, id)
}

/// How a conflict that was locked before ends.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// How.
    pub decision: Decision,
    /// The challenger that wins.
    pub winner: Option<DealRegistrationId>,
    /// Why.
    pub reason: &'a str,
    /// Whether it was decided otherwise before, and a dispute of that was upheld.
    pub is_anew: bool,
}

/// Decides a conflict that was locked before.
pub fn decide(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    before: &RegistrationConflict,
    verdict: Verdict<'_>,
) -> Result<RegistrationConflict, Problem> {
    let Verdict {
        decision,
        winner,
        reason,
        is_anew,
    } = verdict;
    let (author, why, conflict) = (
        deal_registrations::person(ctx)?,
        reason.to_owned(),
        before.clone(),
    );
    let after = if is_anew {
        conflict.redecide(decision, winner, why, author, ctx.now)?
    } else {
        conflict.decide(decision, winner, why, author, ctx.now)?
    };
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated("registration_conflict.decided", subject(&after), before, &after);
    tx.record(ctx, change.with_reason(Some(reason.to_owned())));
    for party in store::parties(tx, &ctx.scope, after.id)? {
        tell(tx, ctx, "registration_conflict.decided", &after, &party);
    }
    Ok(after)
}

/// Dismisses what is open between a claim and a deal that is the claim's own from now on, unless others are parties as well:
/// theirs is for a person to decide.
pub fn dismiss_with_deal(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    deal_id: DealId,
) -> Result<(), Problem> {
    for open in store::lock_open_with_deal(tx, &ctx.scope, id, deal_id)? {
        let parties = store::parties(tx, &ctx.scope, open.id)?;
        if parties.iter().any(|party| party.deal_registration_id != id) {
            continue;
        }
        let verdict = Verdict {
            decision: Decision::Dismissed,
            winner: None,
            reason: "The deal was linked to the registration.",
            is_anew: false,
        };
        decide(tx, ctx, &open, verdict)?;
    }
    Ok(())
}

/// Tells a party of its own side.
fn tell(tx: &mut Tx<'_>, house: &Ctx, event: &'static str, conflict: &RegistrationConflict, party: &Party) {
    let data = json!({
        "deal_registration_id": party.deal_registration_id, "side": party.side, "respond_by": conflict.respond_by,
        "outcome": conflict.outcome(party)
    });
    let change = Change::consequence(event, subject(conflict), data);
    tx.record(house, change.for_partner(Some(party.partner_id.uuid())));
}

fn subject(conflict: &RegistrationConflict) -> Subject {
    Subject {
        kind: "registration_conflict",
        id: conflict.id.uuid(),
    }
}
