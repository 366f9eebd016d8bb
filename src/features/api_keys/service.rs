//! The verbs of an API key.

use super::domain::{ApiKey, ApiKeyPatch, NewApiKey};
use super::store::{self, ApiKeyFilter};
use crate::features::users::{self, User, UserStatus};
use crate::kernel::ctx::{Actor, ActorId, Ctx};
use crate::kernel::id::{ApiKeyId, PartnerId, UserId};
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::credentials::NewSecret;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::TimeDelta;
use std::collections::BTreeSet;
use uuid::Uuid;

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

/// Who may know the secret that the caller came with, besides its holder: whoever made it, whoever knew the secret of the
/// key that it was made with, and so on. Nobody for a caller without a key.
pub fn secret_makers(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Vec<Uuid>, Problem> {
    match ctx.actor {
        Actor::ApiKey(id) => tx.in_house(ctx, |tx, house| store::secret_makers(tx, house, id)),
        Actor::User(_) | Actor::System => Ok(Vec::new()),
    }
}

/// Who may know a secret that the caller makes: the caller, whose key it came with, and whoever may know the secret of that.
fn makers(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Vec<Uuid>, Problem> {
    let own = ctx.actor.record().map(ActorId::uuid);
    let known = secret_makers(tx, ctx)?;
    let person = ctx.person.map(UserId::uuid);
    let all: BTreeSet<Uuid> = own.into_iter().chain(person).chain(known).collect();
    Ok(all.into_iter().collect())
}

/// Refuses a caller whose secret was made by the author of what it decides on, or with a key that the author made: the author
/// may know it, so that the key is no second person.
pub fn require_other_hand(tx: &mut Tx<'_>, ctx: &Ctx, author: ActorId) -> Result<(), Problem> {
    if secret_makers(tx, ctx)?.contains(&author.uuid()) {
        let detail = "Whoever proposed it made the secret of this key, or of one that it was made with. Let somebody else decide.";
        return Err(Problem::new(Code::SecondPersonRequired).because(detail));
    }
    Ok(())
}

/// Makes a key for the caller's own person, or for nobody when there is no person behind the caller. What a partner's
/// caller makes belongs to that partner, and so does what is made for a partner's user.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewApiKey, secret: &NewSecret) -> Result<ApiKey, Problem> {
    let owner = match new.owner_id.or(ctx.person) {
        Some(owner_id) => Some(owner(tx, ctx, owner_id)?),
        None => None,
    };
    let of_owner = owner.as_ref().and_then(|owner| owner.partner_id);
    let new = NewApiKey {
        owner_id: owner.as_ref().map(|owner| owner.id),
        partner_id: ctx.partner_of_new(new.partner_id)?.or(of_owner),
        ..new
    };
    new.check(ctx)?;
    if let Some(owner) = owner {
        check_owner(tx, ctx, &new, &owner)?;
    }
    let key = made(ctx, new, secret, makers(tx, ctx)?);
    require_within_own(tx, ctx, &key)?;
    add(tx, ctx, key, secret)
}

/// Refuses what is worth more than the key that the caller came with. A session that was made with a key handles no keys
/// at all: it was made to be worth less.
fn require_within_own(tx: &mut Tx<'_>, ctx: &Ctx, key: &ApiKey) -> Result<(), Problem> {
    let Actor::ApiKey(own) = ctx.actor else {
        return Ok(());
    };
    if ctx.session_id.is_some() {
        let detail =
            "A session that was made with a key makes and changes no keys. Come with the key itself.";
        return Err(Problem::new(Code::PermissionDenied).because(detail));
    }
    key.require_within(&get(tx, ctx, own)?)
}

/// Makes the very first key of an organization, with every permission.
pub fn create_first(tx: &mut Tx<'_>, ctx: &Ctx, name: &str, secret: &NewSecret) -> Result<ApiKey, Problem> {
    let permissions = Permission::ALL.to_vec();
    let new = NewApiKey {
        name: name.to_owned(),
        partner_id: None,
        owner_id: None,
        allowed_networks: Vec::new(),
        permissions,
        expires_at: None,
    };
    add(tx, ctx, made(ctx, new, secret, Vec::new()), secret)
}

/// Changes what may be changed; from the next request on the key is as it is now.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ApiKeyId,
    precondition: &Precondition,
    patch: ApiKeyPatch,
) -> Result<ApiKey, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    let after = before.clone().patched(patch, ctx.wall_now)?;
    require_within_own(tx, ctx, &after)?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated("api_key.updated", subject(&after), &before, &after);
    record(tx, ctx, change, &after);
    Ok(after)
}

/// Gives a key another secret; the present one stays good for this long, and one before it ends.
pub fn rotate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ApiKeyId,
    precondition: &Precondition,
    overlap: TimeDelta,
    secret: &NewSecret,
) -> Result<ApiKey, Problem> {
    let before = lock(tx, ctx, id, precondition)?;
    require_within_own(tx, ctx, &before)?;
    let makers = makers(tx, ctx)?;
    let after = before
        .clone()
        .rotated(secret.prefix.clone(), overlap, makers, ctx.wall_now)?;
    store::rotate(tx, &ctx.scope, &after, &secret.hash)?;
    let change = Change::updated("api_key.rotated", subject(&after), &before, &after);
    record(tx, ctx, change, &after);
    Ok(after)
}

/// The key, locked, if the caller may handle it: nobody comes by the secret of a key that may do more than they do, or
/// lets it in from elsewhere.
fn lock(tx: &mut Tx<'_>, ctx: &Ctx, id: ApiKeyId, precondition: &Precondition) -> Result<ApiKey, Problem> {
    let key = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(key.row_version)?;
    if key.may_be_given_by(ctx) {
        return Ok(key);
    }
    let detail = "The key holds a permission that you do not hold.";
    Err(Problem::new(Code::PermissionDenied).because(detail))
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
    let after = before.clone().revoke(ctx.wall_now)?;
    store::update(tx, &ctx.scope, &after)?;
    record(
        tx,
        ctx,
        Change::updated("api_key.revoked", subject(&after), &before, &after),
        &after,
    );
    Ok(after)
}

/// Ends every key of a user.
pub fn revoke_of_owner(tx: &mut Tx<'_>, ctx: &Ctx, owner_id: UserId) -> Result<(), Problem> {
    let keys = store::lock_of_owner(tx, &ctx.scope, owner_id)?;
    revoke_all(tx, ctx, keys)
}

/// Ends every key of a partner.
pub fn revoke_of_partner(tx: &mut Tx<'_>, ctx: &Ctx, partner_id: PartnerId) -> Result<(), Problem> {
    let keys = store::lock_of_partner(tx, &ctx.scope, partner_id)?;
    revoke_all(tx, ctx, keys)
}

fn revoke_all(tx: &mut Tx<'_>, ctx: &Ctx, keys: Vec<ApiKey>) -> Result<(), Problem> {
    for before in keys {
        let after = before.clone().revoke(ctx.wall_now)?;
        store::update(tx, &ctx.scope, &after)?;
        record(
            tx,
            ctx,
            Change::updated("api_key.revoked", subject(&after), &before, &after),
            &after,
        );
    }
    Ok(())
}

/// The user for whom a key is made.
fn owner(tx: &mut Tx<'_>, ctx: &Ctx, owner_id: UserId) -> Result<User, Problem> {
    let unknown = || Problem::field("/owner_id", "unknown_reference", "There is no such user.");
    users::get(tx, ctx, owner_id).map_err(|problem| problem.or_if_missing(unknown()))
}

/// The owner must be let in, belong where the key does, and hold what the key is for.
fn check_owner(tx: &mut Tx<'_>, ctx: &Ctx, new: &NewApiKey, owner: &User) -> Result<(), Problem> {
    let refuse = |pointer: String, code: &str, message: &str| FieldProblem::new(pointer, code, message);
    let mut faults = Vec::new();
    if owner.status != UserStatus::Active {
        let message = "The user is suspended or gone.";
        faults.push(refuse("/owner_id".to_owned(), "not_active", message));
    } else if owner.partner_id != new.partner_id {
        let message = "The key and its owner must belong to the same partner, or to none.";
        faults.push(refuse("/owner_id".to_owned(), "other_partner", message));
    }
    let rights = users::rights(tx, ctx, owner)?;
    for (index, permission) in new.permissions.iter().enumerate() {
        if !rights.contains(permission) {
            let message = "The owner does not hold this permission.";
            faults.push(refuse(
                format!("/permissions/{index}"),
                "not_held_by_owner",
                message,
            ));
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(faults))
    }
}

/// The key of these terms, made by the caller, whose secret these may know.
fn made(ctx: &Ctx, new: NewApiKey, secret: &NewSecret, secret_makers: Vec<Uuid>) -> ApiKey {
    ApiKey {
        id: ApiKeyId::new(ctx.wall_now),
        partner_id: new.partner_id,
        name: new.name,
        prefix: secret.prefix.clone(),
        permissions: new
            .permissions
            .iter()
            .map(|permission| permission.name().to_owned())
            .collect(),
        owner_id: new.owner_id,
        created_by: ctx.actor.record(),
        expires_at: new.expires_at,
        revoked_at: None,
        allowed_networks: new.allowed_networks,
        last_used_at: None,
        previous_secret_until: None,
        secret_makers,
        previous_secret_makers: Vec::new(),
        access_version: 1,
        row_version: 1,
        created_at: ctx.wall_now,
        updated_at: ctx.wall_now,
    }
}

fn add(tx: &mut Tx<'_>, ctx: &Ctx, key: ApiKey, secret: &NewSecret) -> Result<ApiKey, Problem> {
    store::insert(tx, &ctx.scope, &key, &secret.hash)?;
    record(
        tx,
        ctx,
        Change::created("api_key.created", subject(&key), &key),
        &key,
    );
    Ok(key)
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, change: Change, key: &ApiKey) {
    tx.record(ctx, change.for_partner(key.partner_id.map(PartnerId::uuid)));
}

fn subject(key: &ApiKey) -> Subject {
    Subject {
        kind: "api_key",
        id: key.id.uuid(),
    }
}
