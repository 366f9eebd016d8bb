//! A referral becomes a deal: its account, the deal and the credit of whoever sourced it.
//!
//! The account is found as for registrations, so that two leads about one company in two spellings come to one account.

use crate::features::attributions::{self, NewAttribution};
use crate::features::deals::{DealType, NewDeal};
use crate::features::referrals::{self, Referral};
use crate::flows::registration;
use crate::flows::registration::account::{self, Named};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, PipelineStageId, ReferralId};
use crate::kernel::money::Money;
use crate::kernel::motion::Role;
use crate::kernel::permission::Permission;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// The whole of a role, in basis points.
const WHOLE: i32 = 10_000;

/// What is known of the deal that a referral becomes; what is absent is taken from the referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// The customer, where it is known already.
    pub account_id: Option<AccountId>,
    /// The name of the deal.
    pub name: Option<String>,
    /// What it is worth.
    pub amount: Option<Money>,
    /// The step of the pipeline that it has reached.
    pub stage_id: Option<PipelineStageId>,
    /// The caller's key for the deal.
    pub deal_external_id: Option<String>,
}

/// Makes the deal. Its credit is confirmed where the caller may confirm credits, and claimed otherwise.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ReferralId,
    precondition: &Precondition,
    conversion: Conversion,
) -> Result<Referral, Problem> {
    let referral = referrals::for_conversion(tx, ctx, id, precondition)?;
    ctx.require(Permission::DealsWrite)?;
    let amount = conversion.amount.or(referral.lead.amount).ok_or_else(|| {
        Problem::field(
            "/amount",
            "missing",
            "The referral names no amount; name one here.",
        )
    })?;
    let account_id = match conversion.account_id {
        Some(account_id) => account_id,
        None => account_of(tx, ctx, &referral)?,
    };
    let deal = NewDeal {
        external_id: conversion.deal_external_id,
        name: conversion
            .name
            .unwrap_or_else(|| referral.lead.company_name.clone()),
        account_id,
        program_id: Some(referral.program_id),
        partner_id: Some(referral.partner_id),
        product_family_id: referral.lead.product_family_id,
        stage_id: conversion.stage_id,
        deal_type: DealType::New,
        amount,
        opened_on: None,
        expected_close_on: None,
        hidden_from_parent: referral.hidden_from_parent,
        crm_partner_source: None,
        crm_partner_influence: None,
    };
    let deal = registration::deals::open(tx, ctx, deal)?;
    let credit = NewAttribution {
        external_id: None,
        deal_id: deal.id,
        partner_id: Some(referral.partner_id),
        role: Role::Sourced,
        share_basis_points: WHOLE,
        confirm: ctx.holds(Permission::AttributionsReview),
        touchpoint_ids: Vec::new(),
    };
    attributions::create(tx, ctx, credit)?;
    referrals::converted(tx, ctx, referral, deal.id)
}

fn account_of(tx: &mut Tx<'_>, ctx: &Ctx, referral: &Referral) -> Result<AccountId, Problem> {
    ctx.require(Permission::AccountsWrite)?;
    let lead = &referral.lead;
    let named = Named {
        id: None,
        name: Some(&lead.company_name),
        domain: lead.company_domain.as_deref(),
        country: lead.country.as_deref(),
    };
    Ok(account::of_lead(tx, ctx, named)?.id)
}
