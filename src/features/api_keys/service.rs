//! The verbs of an API key.

use super::domain::{ApiKey, NewApiKey};
use super::store::{self, ApiKeyFilter};
use crate::kernel::ctx::{Actor, Ctx};
use crate::kernel::id::{ApiKeyId, PartnerId};
use crate::kernel::permission::Permission;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::credentials::NewSecret;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One key of the organization.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: ApiKeyId) -> Result<ApiKey, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the organization's keys.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ApiKeyFilter,
    page: &PageRequest,
) -> Result<Page<ApiKey>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Makes a key; `giver` holds what the caller may give.
pub fn create(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    new: NewApiKey,
    giver: &[Permission],
    secret: &NewSecret,
) -> Result<ApiKey, Problem> {
    new.check(giver, ctx.now)?;
    add(tx, ctx, new, secret)
}

/// Makes the very first key of an organization, with every permission.
pub fn create_first(tx: &mut Tx<'_>, ctx: &Ctx, name: &str, secret: &NewSecret) -> Result<ApiKey, Problem> {
    let permissions = Permission::ALL.to_vec();
    let new = NewApiKey {
        name: name.to_owned(),
        partner_id: None,
        permissions,
        expires_at: None,
    };
    add(tx, ctx, new, secret)
}

/// Ends a key for good; it is refused at its next request.
pub fn revoke(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ApiKeyId,
    precondition: &Precondition,
) -> Result<ApiKey, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().revoke(ctx.now)?;
    store::update(tx, &ctx.scope, &after)?;
    tx.record(
        ctx,
        Change::updated("api_key.revoked", subject(&after), &before, &after),
    );
    Ok(after)
}

/// Ends every key of a partner.
pub fn revoke_of_partner(tx: &mut Tx<'_>, ctx: &Ctx, partner_id: PartnerId) -> Result<(), Problem> {
    for before in store::lock_of_partner(tx, &ctx.scope, partner_id)? {
        let after = before.clone().revoke(ctx.now)?;
        store::update(tx, &ctx.scope, &after)?;
        tx.record(
            ctx,
            Change::updated("api_key.revoked", subject(&after), &before, &after),
        );
    }
    Ok(())
}

fn add(tx: &mut Tx<'_>, ctx: &Ctx, new: NewApiKey, secret: &NewSecret) -> Result<ApiKey, Problem> {
    let key = ApiKey {
        id: ApiKeyId::new(ctx.now),
        partner_id: new.partner_id,
        name: new.name,
        prefix: secret.prefix.clone(),
        permissions: new
            .permissions
            .iter()
            .map(|permission| permission.name().to_owned())
            .collect(),
        created_by: match ctx.actor {
            Actor::ApiKey(id) => Some(id),
            Actor::System => None,
        },
        expires_at: new.expires_at,
        revoked_at: None,
        row_version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    store::insert(tx, &ctx.scope, &key, &secret.hash)?;
    tx.record(ctx, Change::created("api_key.created", subject(&key), &key));
    Ok(key)
}

fn subject(key: &ApiKey) -> Subject {
    Subject {
        kind: "api_key",
        id: key.id.uuid(),
    }
}
