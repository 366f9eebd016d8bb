//! The operations on the organization.

use super::dto::{OrganizationView, PatchOrganizationBody};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Command, Granted, Reply};
use actix_web::{get, patch};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_organization).service(update_organization);
}

/// Get the organization
///
/// The organization that your credential belongs to, and its settings.
#[utoipa::path(tag = "Organization", operation_id = "getOrganization",
    responses((status = 200, description = "The organization.", body = OrganizationView)),
    extensions(("x-required-permission" = json!("organization:read"))))]
#[get("/v1/organization")]
async fn get_organization(who: Granted<can::OrganizationRead>) -> Reply {
    who.read(|tx, ctx| {
        let organization = service::get(tx, ctx)?;
        let version = organization.row_version;
        Answer::record(&OrganizationView::from(organization), version)
    })
    .await
}

/// Update the organization
///
/// Changes the settings that are sent, as a JSON merge patch. What was computed before stays as it was.
#[utoipa::path(tag = "Organization", operation_id = "updateOrganization", request_body = PatchOrganizationBody,
    responses((status = 200, description = "The organization as it is now.", body = OrganizationView)),
    extensions(("x-required-permission" = json!("organization:write"))))]
#[patch("/v1/organization")]
async fn update_organization(
    who: Granted<can::OrganizationWrite>,
    command: Command<PatchOrganizationBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let organization = service::update(tx, ctx, &command.precondition, command.body.patch()?)?;
        let version = organization.row_version;
        Answer::record(&OrganizationView::from(organization), version)
    })
    .await
}
