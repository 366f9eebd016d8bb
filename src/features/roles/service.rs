//! The verbs of a role.

use super::domain::{NewRole, Role, RolePatch};
use super::store::{self, RoleFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::RoleId;
use crate::kernel::problem::Problem;
use crate::kernel::role::BuiltInRole;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One role, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: RoleId) -> Result<Role, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// Those of these roles that the caller may see, in no order.
pub fn several(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[RoleId]) -> Result<Vec<Role>, Problem> {
    store::several(tx, &ctx.scope, ids)
}

/// A page of the roles that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &RoleFilter,
    page: &PageRequest,
) -> Result<Page<Role>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Gives a new organization the roles that come with the service.
pub fn found(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(), Problem> {
    for built_in in BuiltInRole::ALL {
        store::insert(tx, &ctx.scope, &Role::built_in(*built_in, ctx.now))?;
    }
    Ok(())
}

/// Makes a role.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewRole) -> Result<Role, Problem> {
    let role = Role::made(new, ctx)?;
    store::insert(tx, &ctx.scope, &role)?;
    tx.record(ctx, Change::created("role.created", subject(&role), &role));
    Ok(role)
}

/// Changes what may be changed; whoever holds the role has its new permissions at their next request.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: RoleId,
    precondition: &Precondition,
    patch: RolePatch,
) -> Result<Role, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().patched(patch, ctx)?;
    store::update(tx, &ctx.scope, &after)?;
    tx.record(
        ctx,
        Change::updated("role.updated", subject(&after), &before, &after),
    );
    Ok(after)
}

fn subject(role: &Role) -> Subject {
    Subject {
        kind: "role",
        id: role.id.uuid(),
    }
}
