//! The verbs of a user.

use super::domain::{NewUser, User, UserPatch, UserStatus};
use super::store::{self, UserFilter};
use crate::features::roles::{self, Role};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{PartnerId, RoleId, UserId};
use crate::kernel::patch::Patch;
use crate::kernel::permission::Permission;
use crate::kernel::problem::{FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One user, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: UserId) -> Result<User, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// Everybody who has this e-mail address and is not gone: one of the organization and one of each partner at most.
pub fn with_email(tx: &mut Tx<'_>, ctx: &Ctx, email: &str) -> Result<Vec<User>, Problem> {
    store::with_email(tx, &ctx.scope, email)
}

/// What a user may do, by its roles; nothing unless it is active.
pub fn rights(tx: &mut Tx<'_>, ctx: &Ctx, user: &User) -> Result<Vec<Permission>, Problem> {
    if user.status != UserStatus::Active {
        return Ok(Vec::new());
    }
    let held = roles::several(tx, ctx, &user.role_ids)?;
    let names: Vec<&String> = held.iter().flat_map(|role| &role.permissions).collect();
    let all = Permission::ALL.iter().copied();
    Ok(all
        .filter(|permission| names.iter().any(|name| *name == permission.name()))
        .collect())
}

/// A page of the users that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &UserFilter,
    page: &PageRequest,
) -> Result<Page<User>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Makes a user. What a partner's caller makes belongs to that partner.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewUser) -> Result<User, Problem> {
    if ctx.scope.partner_id.is_some() && new.external_id.is_some() {
        return Err(not_yours());
    }
    let partner_id = ctx.partner_of_new(new.partner_id)?;
    let user = User::welcome(NewUser { partner_id, ..new }, ctx.now);
    check_roles(tx, ctx, user.partner_id, &user.role_ids)?;
    store::insert(tx, &ctx.scope, &user)?;
    store::give_roles(tx, &ctx.scope, user.id, &user.role_ids)?;
    record(
        tx,
        ctx,
        Change::created("user.created", subject(&user), &user),
        &user,
    );
    Ok(user)
}

/// Changes what may be changed. Changed roles count at the user's next request.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: UserId,
    precondition: &Precondition,
    patch: UserPatch,
) -> Result<User, Problem> {
    if ctx.scope.partner_id.is_some() && patch.external_id != Patch::Absent {
        return Err(not_yours());
    }
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().patched(patch, ctx.now)?;
    let missing_from = |roles: &[RoleId], all: &[RoleId]| -> Vec<RoleId> {
        all.iter().filter(|id| !roles.contains(id)).copied().collect()
    };
    let (given, taken) = (
        missing_from(&before.role_ids, &after.role_ids),
        missing_from(&after.role_ids, &before.role_ids),
    );
    check_roles(tx, ctx, after.partner_id, &given)?;
    check_givable(tx, ctx, &taken)?;
    if before.email != after.email {
        // Whoever has the address can come in as the user by an identity provider.
        check_givable(tx, ctx, &before.role_ids)?;
    }
    store::update(tx, &ctx.scope, &after)?;
    store::give_roles(tx, &ctx.scope, id, &given)?;
    store::take_roles(tx, &ctx.scope, id, &taken)?;
    let change = Change::updated("user.updated", subject(&after), &before, &after);
    record(tx, ctx, change, &after);
    Ok(after)
}

/// Refuses the user for now.
pub fn suspend(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: UserId,
    precondition: &Precondition,
    reason: &str,
) -> Result<User, Problem> {
    let why = Some(reason.to_owned());
    step(tx, ctx, id, precondition, "user.suspended", why, |user| {
        user.suspend(reason.to_owned(), ctx.now)
    })
}

/// Lets the user in again.
pub fn reinstate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: UserId,
    precondition: &Precondition,
) -> Result<User, Problem> {
    step(tx, ctx, id, precondition, "user.reinstated", None, |user| {
        user.reinstate(ctx.now)
    })
}

/// Sees the user off for good.
pub fn terminate(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: UserId,
    precondition: &Precondition,
    reason: &str,
) -> Result<User, Problem> {
    let why = Some(reason.to_owned());
    step(tx, ctx, id, precondition, "user.terminated", why, |user| {
        user.terminate(reason.to_owned(), ctx.now)
    })
}

/// Sees off everybody who is left of a partner.
pub fn terminate_of_partner(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    partner_id: PartnerId,
    reason: &str,
) -> Result<(), Problem> {
    for before in store::lock_of_partner(tx, &ctx.scope, partner_id)? {
        let after = before.clone().terminate(reason.to_owned(), ctx.now)?;
        store::update(tx, &ctx.scope, &after)?;
        let change = Change::updated("user.terminated", subject(&after), &before, &after);
        record(tx, ctx, change.with_reason(Some(reason.to_owned())), &after);
    }
    Ok(())
}

/// One move: lock, check the version, move, save, record. Whoever holds more than the caller is out of its reach.
fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: UserId,
    precondition: &Precondition,
    event: &'static str,
    reason: Option<String>,
    turn: impl FnOnce(User) -> Result<User, Problem>,
) -> Result<User, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = turn(before.clone())?;
    check_givable(tx, ctx, &before.role_ids)?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated(event, subject(&after), &before, &after);
    record(tx, ctx, change.with_reason(reason), &after);
    Ok(after)
}

/// The roles must exist, suit where the user belongs, and hold nothing that the caller does not.
fn check_roles(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    partner_id: Option<PartnerId>,
    role_ids: &[RoleId],
) -> Result<(), Problem> {
    if role_ids.is_empty() {
        return Ok(());
    }
    let found = roles::several(tx, ctx, role_ids)?;
    let refuse = |code: &str, message: &str| FieldProblem::new("/role_ids", code, message);
    let fault = |id: &RoleId| match found.iter().find(|role| role.id == *id) {
        None => Some(refuse("unknown_reference", "There is no such role.")),
        Some(role) if role.for_partners != partner_id.is_some() => Some(refuse(
            "wrong_kind",
            "Partners' people hold roles for partners, and nobody else does.",
        )),
        Some(role) if !role.may_be_given_by(ctx) => Some(not_held()),
        Some(_) => None,
    };
    let faults: Vec<FieldProblem> = role_ids.iter().filter_map(fault).collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(faults))
    }
}

/// Nobody takes a role away, or puts out somebody who holds one, that they could not give.
fn check_givable(tx: &mut Tx<'_>, ctx: &Ctx, role_ids: &[RoleId]) -> Result<(), Problem> {
    let found: Vec<Role> = roles::several(tx, ctx, role_ids)?;
    if found.iter().all(|role| role.may_be_given_by(ctx)) {
        Ok(())
    } else {
        Err(Problem::fields(vec![not_held()]))
    }
}

fn not_held() -> FieldProblem {
    FieldProblem::new(
        "/role_ids",
        "not_held",
        "The role holds a permission that you do not hold.",
    )
}

fn not_yours() -> Problem {
    let message = "These keys are the organization's own.";
    Problem::field("/external_id", "not_for_partners", message)
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, change: Change, user: &User) {
    tx.record(ctx, change.for_partner(user.partner_id.map(PartnerId::uuid)));
}

fn subject(user: &User) -> Subject {
    Subject {
        kind: "user",
        id: user.id.uuid(),
    }
}
