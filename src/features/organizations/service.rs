//! The verbs of an organization.

use super::domain::{ClockAdvance, Organization, OrganizationMode, OrganizationPatch};
use super::store;
use crate::kernel::ctx::Ctx;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Subject, Tx};
use serde_json::json;

/// The caller's organization.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Organization, Problem> {
    store::find(tx, &ctx.scope)?.ok_or_else(Problem::not_found)
}

/// Refuses a caller who must have signed in with a second factor and has not.
pub fn require_second_factor(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(), Problem> {
    if ctx.second_factor || !get(tx, ctx)?.second_factor_for_payouts {
        return Ok(());
    }
    Err(Problem::new(Code::SecondFactorRequired))
}

/// Founds the organization that `ctx` is already in the scope of.
pub fn found(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    name: &str,
    mode: OrganizationMode,
) -> Result<Organization, Problem> {
    let founded = Organization::found(name.to_owned(), mode, ctx.now);
    let organization = Organization {
        id: ctx.organization_id(),
        ..founded
    };
    store::insert(tx, &organization)?;
    tx.record(
        ctx,
        Change::created("organization.created", subject(&organization), &organization),
    );
    Ok(organization)
}

/// Changes the settings.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    precondition: &Precondition,
    patch: OrganizationPatch,
) -> Result<Organization, Problem> {
    let before = store::lock(tx, &ctx.scope)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().patched(patch, ctx.now)?;
    let says_where_money_goes =
        |one: &Organization| (one.payout_debtor.clone(), one.payout_method_cooling_off_hours);
    if says_where_money_goes(&before) != says_where_money_goes(&after) {
        require_second_factor(tx, ctx)?;
    }
    if before.second_factor_for_payouts != after.second_factor_for_payouts && !ctx.second_factor {
        return Err(Problem::new(Code::SecondFactorRequired));
    }
    store::update(tx, &after)?;
    tx.record(
        ctx,
        Change::updated("organization.updated", subject(&after), &before, &after),
    );
    Ok(after)
}

/// Advances the clock of a sandbox; from the next request on everything in it happens at the new time. What this does is
/// told at the time before.
pub fn advance_clock(tx: &mut Tx<'_>, ctx: &Ctx, advance: ClockAdvance) -> Result<Organization, Problem> {
    let before = store::lock(tx, &ctx.scope)?.ok_or_else(Problem::not_found)?;
    let after = before.clone().with_clock_advanced(advance, ctx.wall_now)?;
    store::update(tx, &after)?;
    let (from, to) = (before.present(ctx.wall_now), after.present(ctx.wall_now));
    let data = json!({ "advanced_from": from, "advanced_to": to });
    let mut change = Change::consequence("organization.clock_advanced", subject(&after), data);
    change.changes = json!({ "current_at": { "before": from, "after": to } });
    change.audited = true;
    tx.record(ctx, change);
    Ok(after)
}

fn subject(organization: &Organization) -> Subject {
    Subject {
        kind: "organization",
        id: organization.id.uuid(),
    }
}
