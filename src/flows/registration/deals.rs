//! What deals mean for the claims to their accounts: a new one may meet a claim, a closed one ends its own.

use super::submission::respond_by;
use crate::features::deal_registrations::{self, DealRegistration};
use crate::features::deals::{self, Deal, DealPatch, NewDeal};
use crate::features::registration_conflicts::{self, ConflictKind, NewConflict};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, DealId, PartnerId, ProductFamilyId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};

/// Opens a deal, and flags it where another partner has a claim to its account. The deal's foreign key holds the account
/// against `accounts::lock_standing`: either the claim is committed and seen here, or the deal is seen by the claim.
pub fn open(tx: &mut Tx<'_>, ctx: &Ctx, new: NewDeal) -> Result<Deal, Problem> {
    let deal = deals::create(tx, ctx, new)?;
    flag_many(tx, ctx, &[Arrival::of(&deal)])?;
    Ok(deal)
}

/// A deal that came in, from whichever side.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The deal.
    pub deal_id: DealId,
    /// Its account.
    pub account_id: AccountId,
    /// What is sold.
    pub product_family_id: Option<ProductFamilyId>,
    /// Who made it; nobody where it is the organization's own.
    pub partner_id: Option<PartnerId>,
}

impl Arrival {
    /// The arrival of this deal.
    pub fn of(deal: &Deal) -> Self {
        Self {
            deal_id: deal.id,
            account_id: deal.account_id,
            product_family_id: deal.product_family_id,
            partner_id: deal.partner_id,
        }
    }
}

/// Flags a deal that meets a live claim of somebody else to this account: its own, or one that it may be.
pub(super) fn flag(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    arrival: &Arrival,
    account_id: AccountId,
) -> Result<(), Problem> {
    let (family, partner) = (arrival.product_family_id, arrival.partner_id);
    let claim = deal_registrations::incumbent(tx, ctx, account_id, family, partner)?;
    let Some(claim) = claim.filter(|claim| claim.deal_id != Some(arrival.deal_id)) else {
        return Ok(());
    };
    let rules = deal_registrations::rules(tx, ctx, claim.program_id)?;
    let new = NewConflict {
        kind: if account_id == arrival.account_id {
            ConflictKind::Deal
        } else {
            ConflictKind::SimilarAccount
        },
        policy: rules.second_registrant,
        incumbent: Some(&claim),
        deal_id: Some(arrival.deal_id),
        referral_id: None,
        challenger: None,
        respond_by: respond_by(&rules, ctx.now),
        is_refused: false,
    };
    registration_conflicts::raise(tx, ctx, &new).map(drop)
}

/// Flags those of some deals that meet a live claim of somebody else, to their account or to one that it may be.
pub fn flag_many(tx: &mut Tx<'_>, ctx: &Ctx, arrivals: &[Arrival]) -> Result<(), Problem> {
    if arrivals.is_empty() {
        return Ok(());
    }
    let accounts: Vec<AccountId> = arrivals.iter().map(|arrival| arrival.account_id).collect();
    let claimed = deal_registrations::claimed(tx, ctx, &accounts)?;
    for arrival in arrivals {
        let met = claimed.iter().filter(|(place, _)| *place == arrival.account_id);
        for (_, account_id) in met {
            flag(tx, ctx, arrival, *account_id)?;
        }
    }
    Ok(())
}

/// Changes a deal, and flags it where it came to another account or family to which another partner has a claim.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealId,
    precondition: &Precondition,
    patch: DealPatch,
) -> Result<Deal, Problem> {
    let before = deals::get(tx, ctx, id)?;
    let after = deals::update(tx, ctx, id, precondition, patch)?;
    let place = |deal: &Deal| (deal.account_id, deal.product_family_id);
    if place(&before) != place(&after) {
        flag_many(tx, ctx, &[Arrival::of(&after)])?;
    }
    Ok(after)
}

/// Loses a deal, and its registration with it.
pub fn lose(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealId,
    precondition: &Precondition,
    reason: &str,
    lost_at: Option<DateTime<Utc>>,
) -> Result<Deal, Problem> {
    let deal = deals::lose(tx, ctx, id, precondition, reason, lost_at)?;
    for claim in deal_registrations::lock_of_deals(tx, ctx, &[id])? {
        end(
            tx,
            ctx,
            "deal_registration.lost",
            &claim,
            claim.clone().lose(ctx.now)?,
        )?;
    }
    Ok(deal)
}

/// The deals were won: their registrations are converted.
pub fn won(tx: &mut Tx<'_>, ctx: &Ctx, deals: &[DealId]) -> Result<(), Problem> {
    for claim in deal_registrations::lock_of_deals(tx, ctx, deals)? {
        end(
            tx,
            ctx,
            "deal_registration.converted",
            &claim,
            claim.clone().convert(ctx.now)?,
        )?;
    }
    Ok(())
}

fn end(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event: &'static str,
    before: &DealRegistration,
    after: DealRegistration,
) -> Result<(), Problem> {
    deal_registrations::save(tx, ctx, event, before, &after)
}
