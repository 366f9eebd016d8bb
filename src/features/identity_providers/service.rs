//! The verbs of an identity provider.

use super::domain::{Identity, IdentityProvider, IdentityProviderPatch, NewIdentityProvider};
use super::store::{self, IdentityProviderFilter};
use crate::features::organizations;
use crate::features::roles;
use crate::features::users::User;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{IdentityProviderId, PartnerId, RoleId, UserId};
use crate::kernel::permission::Permission;
use crate::kernel::problem::{FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::TimeDelta;

/// People whom a provider may bring within a day.
const NEWCOMERS_A_DAY: i64 = 1_000;

/// One provider, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: IdentityProviderId) -> Result<IdentityProvider, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// One provider, locked, so that its first arrivals come one after the other.
pub fn lock(tx: &mut Tx<'_>, ctx: &Ctx, id: IdentityProviderId) -> Result<IdentityProvider, Problem> {
    store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the providers that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &IdentityProviderFilter,
    page: &PageRequest,
) -> Result<Page<IdentityProvider>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Connects a provider. What a partner's caller connects belongs to that partner.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewIdentityProvider) -> Result<IdentityProvider, Problem> {
    organizations::require_second_factor(tx, ctx)?;
    let partner_id = ctx.partner_of_new(new.partner_id)?;
    let provider = IdentityProvider::connect(NewIdentityProvider { partner_id, ..new }, ctx.wall_now);
    check(tx, ctx, &provider)?;
    store::insert(tx, &ctx.scope, &provider)?;
    let change = Change::created("identity_provider.created", subject(&provider), &provider);
    record(tx, ctx, change, &provider);
    Ok(provider)
}

/// Changes what may be changed; tokens are looked at anew at their next request.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: IdentityProviderId,
    precondition: &Precondition,
    patch: IdentityProviderPatch,
) -> Result<IdentityProvider, Problem> {
    // Whoever says what a second factor is, and whose word counts, must have come with one.
    organizations::require_second_factor(tx, ctx)?;
    let event = "identity_provider.updated";
    step(tx, ctx, id, precondition, event, None, |provider| {
        Ok(provider.patched(patch, ctx.wall_now))
    })
}

/// Refuses its people for now.
pub fn suspend(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: IdentityProviderId,
    precondition: &Precondition,
    reason: &str,
) -> Result<IdentityProvider, Problem> {
    let why = Some(reason.to_owned());
    let event = "identity_provider.suspended";
    step(tx, ctx, id, precondition, event, why, |provider| {
        provider.suspend(reason.to_owned(), ctx.wall_now)
    })
}

/// Lets its people in again.
pub fn reinstate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: IdentityProviderId,
    precondition: &Precondition,
) -> Result<IdentityProvider, Problem> {
    let event = "identity_provider.reinstated";
    step(tx, ctx, id, precondition, event, None, |provider| {
        provider.reinstate(ctx.wall_now)
    })
}

fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: IdentityProviderId,
    precondition: &Precondition,
    event: &'static str,
    reason: Option<String>,
    turn: impl FnOnce(IdentityProvider) -> Result<IdentityProvider, Problem>,
) -> Result<IdentityProvider, Problem> {
    let before = lock(tx, ctx, id)?;
    precondition.check(before.row_version)?;
    let after = turn(before.clone())?;
    check(tx, ctx, &after)?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated(event, subject(&after), &before, &after);
    record(tx, ctx, change.with_reason(reason), &after);
    Ok(after)
}

/// Whoever sets up where people come from could come as any of them.
fn check(tx: &mut Tx<'_>, ctx: &Ctx, provider: &IdentityProvider) -> Result<(), Problem> {
    let may_be_held =
        |permission: &&Permission| provider.partner_id.is_none() || permission.open_to_partners();
    if !Permission::ALL
        .iter()
        .filter(may_be_held)
        .all(|permission| ctx.holds(*permission))
    {
        let message = "Whoever sets up an identity provider decides who its people are, and must hold every \
            permission that they may hold.";
        return Err(Problem::field("/issuer", "not_held", message));
    }
    if provider.partner_id.is_some() && provider.claims.partner.is_some() {
        let message = "A partner's provider says of nobody whose person they are.";
        return Err(Problem::field("/claims/partner", "not_for_partners", message));
    }
    check_roles(tx, ctx, provider)
}

fn check_roles(tx: &mut Tx<'_>, ctx: &Ctx, provider: &IdentityProvider) -> Result<(), Problem> {
    let found = roles::several(tx, ctx, &provider.default_role_ids)?;
    let names_partners = provider.claims.partner.is_some();
    let refuse = |code: &str, message: &str| FieldProblem::new("/default_role_ids", code, message);
    let fault = |id: &RoleId| match found.iter().find(|role| role.id == *id) {
        None => Some(refuse("unknown_reference", "There is no such role.")),
        Some(role) if role.for_partners != provider.partner_id.is_some() && !names_partners => Some(refuse(
            "wrong_kind",
            "Partners' people hold roles for partners, and nobody else does.",
        )),
        Some(_) => None,
    };
    let faults: Vec<FieldProblem> = provider.default_role_ids.iter().filter_map(fault).collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(faults))
    }
}

/// The roles that a user gets who is made at the first arrival: those that suit where the user belongs.
pub fn default_roles(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    provider: &IdentityProvider,
    partner_id: Option<PartnerId>,
) -> Result<Vec<RoleId>, Problem> {
    let found = roles::several(tx, ctx, &provider.default_role_ids)?;
    let suiting = found
        .into_iter()
        .filter(|role| role.for_partners == partner_id.is_some());
    Ok(suiting.map(|role| role.id).collect())
}

/// Whether somebody is known by this subject of the provider.
pub fn is_linked(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    provider: &IdentityProvider,
    subject: &str,
) -> Result<bool, Problem> {
    store::is_known(tx, &ctx.scope, &identity(provider, subject))
}

/// Whether the provider made as many people known within a day as it may: what is made just in time stays, and a provider
/// that is taken over could fill the place.
pub fn has_brought_enough(tx: &mut Tx<'_>, ctx: &Ctx, provider: &IdentityProvider) -> Result<bool, Problem> {
    let since = ctx.wall_now - TimeDelta::days(1);
    Ok(store::linked_since(tx, &ctx.scope, provider.id, since)? >= NEWCOMERS_A_DAY)
}

/// Makes a user known by a subject of the provider; `false` when it is known by another subject of it already.
pub fn link(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    provider: &IdentityProvider,
    user: &User,
    subject: &str,
) -> Result<bool, Problem> {
    if store::has_identity(tx, &ctx.scope, user.id, provider.id)? {
        return Ok(false);
    }
    let identity = identity(provider, subject);
    store::link(tx, ctx, user.id, &identity)?;
    let change = Change::created("user.identity_linked", subject_of(user.id), &identity);
    tx.record(ctx, change.for_partner(user.partner_id.map(PartnerId::uuid)));
    Ok(true)
}

fn identity(provider: &IdentityProvider, subject: &str) -> Identity {
    Identity {
        identity_provider_id: provider.id,
        subject: subject.to_owned(),
    }
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, change: Change, provider: &IdentityProvider) {
    tx.record(ctx, change.for_partner(provider.partner_id.map(PartnerId::uuid)));
}

fn subject(provider: &IdentityProvider) -> Subject {
    Subject {
        kind: "identity_provider",
        id: provider.id.uuid(),
    }
}

fn subject_of(user_id: UserId) -> Subject {
    Subject {
        kind: "user",
        id: user_id.uuid(),
    }
}
