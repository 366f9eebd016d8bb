//! A registration is approved: it gets its deal and the credit for it.

use super::{Attempt, contested, submission};
use crate::features::deal_registrations::{self, DealRegistration};
use crate::features::deals::{self, Deal, DealStatus, DealType, NewDeal};
use crate::features::registration_conflicts::{self, ConflictKind, NewConflict, RegistrationConflict};
use crate::features::{accounts, attributions};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, DealRegistrationId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// Protects a claim, unless another one is protected: then the conflict is recorded, and its id is the answer. The deal
/// is the one that is named, or a new one.
pub fn approve(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealRegistrationId,
    precondition: &Precondition,
    deal_id: Option<DealId>,
) -> Result<Attempt, Problem> {
    let seen = deal_registrations::get(tx, ctx, id)?;
    accounts::lock_standing(tx, ctx, seen.account_id)?;
    let before = deal_registrations::lock(tx, ctx, id)?;
    precondition.check(before.row_version)?;
    before.require("approve")?;
    if let Some(conflict) = obstacle(tx, ctx, &before)? {
        return Ok(contested(&before, &conflict, "The registration stays as it is."));
    }
    // What was approved before and is looked at again has its deal already.
    let deal = match deal_id.or(before.deal_id) {
        Some(deal_id) => linked(tx, ctx, &before, deal_id)?,
        None => opened(tx, ctx, &before)?,
    };
    attributions::credit_source(tx, ctx, deal.id, before.partner_id)?;
    let rules = deal_registrations::rules(tx, ctx, before.program_id)?;
    let after = before.clone().approve(&rules, deal.id, ctx.now)?;
    deal_registrations::save(tx, ctx, "deal_registration.approved", &before, &after)?;
    Ok(Attempt::Done(Box::new(after)))
}

/// The conflict with a claim that is protected now.
fn obstacle(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    registration: &DealRegistration,
) -> Result<Option<RegistrationConflict>, Problem> {
    let (family, own) = (registration.product_family_id, Some(registration.partner_id));
    let rival = deal_registrations::incumbent(tx, ctx, registration.account_id, family, own)?;
    let Some(rival) = rival.filter(DealRegistration::is_protected) else {
        return Ok(None);
    };
    if let Some(known) = registration_conflicts::of_party(tx, ctx, registration)? {
        return Ok(Some(known));
    }
    let rules = deal_registrations::rules(tx, ctx, registration.program_id)?;
    let new = NewConflict {
        kind: ConflictKind::Registration,
        policy: rules.second_registrant,
        incumbent: Some(&rival),
        deal_id: None,
        referral_id: None,
        challenger: Some(registration),
        respond_by: submission::respond_by(&rules, ctx.now),
        is_refused: false,
    };
    registration_conflicts::raise(tx, ctx, &new).map(Some)
}

/// The deal that is named, when it can be this registration's. A direct deal becomes the partner's.
fn linked(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    registration: &DealRegistration,
    deal_id: DealId,
) -> Result<Deal, Problem> {
    let unknown = Problem::field("/deal_id", "unknown_reference", "There is no such record.");
    let deal = deals::lock(tx, ctx, deal_id).map_err(|problem| problem.or_if_missing(unknown))?;
    let is_others = deal
        .partner_id
        .is_some_and(|partner| partner != registration.partner_id);
    let is_elsewhere = deal
        .program_id
        .is_some_and(|program| program != registration.program_id && registration.deal_id != Some(deal_id));
    let refusal = if deal.account_id != registration.account_id {
        Some(("not_of_account", "The deal is another account's."))
    } else if is_others {
        Some(("not_of_partner", "The deal is another partner's."))
    } else if is_elsewhere {
        Some(("not_of_program", "The deal is made under another program."))
    } else if deal.state.status() != DealStatus::Open {
        Some(("not_open", "The deal is closed."))
    } else {
        None
    };
    if let Some((code, message)) = refusal {
        return Err(Problem::field("/deal_id", code, message));
    }
    registration_conflicts::dismiss_with_deal(tx, ctx, registration.id, deal_id)?;
    let of = (registration.program_id, registration.partner_id);
    deals::register(tx, ctx, deal, of, registration.hidden_from_parent)
}

fn opened(tx: &mut Tx<'_>, ctx: &Ctx, registration: &DealRegistration) -> Result<Deal, Problem> {
    let new = NewDeal {
        external_id: None,
        name: registration.name.clone(),
        account_id: registration.account_id,
        program_id: Some(registration.program_id),
        partner_id: Some(registration.partner_id),
        product_family_id: registration.product_family_id,
        stage_id: None,
        deal_type: DealType::New,
        amount: registration.amount,
        opened_on: None,
        expected_close_on: registration.expected_close_on,
        hidden_from_parent: registration.hidden_from_parent,
        crm_partner_source: None,
        crm_partner_influence: None,
    };
    deals::create(tx, ctx, new)
}
