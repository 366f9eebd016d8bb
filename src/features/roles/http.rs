//! The operations on roles.

use super::dto::{AccessRolePage, NewRoleBody, PatchRoleBody, RolePath, RoleView, RolesQuery};
use super::{Role, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_roles)
        .service(create_role)
        .service(get_role)
        .service(update_role);
}

fn record(role: Role) -> Result<Answer, Problem> {
    let version = role.row_version;
    Answer::record(&RoleView::from(role), version)
}

/// List roles
///
/// The roles of your organization, oldest first: those that come with the service and those that you made. A partner's
/// callers see the roles for partners.
#[utoipa::path(tag = "Roles", operation_id = "listRoles", params(RolesQuery),
    responses((status = 200, description = "One page of roles.", body = AccessRolePage)),
    extensions(("x-required-permission" = json!("roles:read"))))]
#[get("/v1/roles")]
async fn list_roles(who: Granted<can::RolesRead>, query: Filter<RolesQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&AccessRolePage::from(page.map(RoleView::from)))
    })
    .await
}

/// Create a role
///
/// Makes a role of permissions that you hold yourself; one for partners holds only what is open to partners. `409` when
/// another role has the name.
#[utoipa::path(tag = "Roles", operation_id = "createRole", request_body = NewRoleBody,
    responses((status = 201, description = "The new role.", body = RoleView)),
    extensions(("x-required-permission" = json!("roles:write"))))]
#[post("/v1/roles")]
async fn create_role(who: Granted<can::RolesWrite>, command: Command<NewRoleBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let role = service::create(tx, ctx, command.body.terms()?)?;
        let (id, version) = (role.id, role.row_version);
        Answer::created("roles", id, &RoleView::from(role), version)
    })
    .await
}

/// Get a role
///
/// One role, with its version as `ETag`.
#[utoipa::path(tag = "Roles", operation_id = "getRole", params(RolePath),
    responses((status = 200, description = "The role.", body = RoleView)),
    extensions(("x-required-permission" = json!("roles:read"))))]
#[get("/v1/roles/{role_id}")]
async fn get_role(who: Granted<can::RolesRead>, target: Target<RolePath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.role_id)?))
        .await
}

/// Update a role
///
/// Changes the fields that are sent. Whoever holds the role has its new permissions at their next request. `409` for a
/// role that comes with the service.
#[utoipa::path(tag = "Roles", operation_id = "updateRole", params(RolePath), request_body = PatchRoleBody,
    responses((status = 200, description = "The role as it is now.", body = RoleView)),
    extensions(("x-required-permission" = json!("roles:write"))))]
#[patch("/v1/roles/{role_id}")]
async fn update_role(
    who: Granted<can::RolesWrite>,
    target: Target<RolePath>,
    command: Command<PatchRoleBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let patch = command.body.patch()?;
        record(service::update(
            tx,
            ctx,
            target.role_id,
            &command.precondition,
            patch,
        )?)
    })
    .await
}
