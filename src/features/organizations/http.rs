//! The operations on the organization.

use super::dto::{AdvanceClockBody, ClockView, OrganizationView, PatchOrganizationBody};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Command, Granted, Reply};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_organization)
        .service(update_organization)
        .service(get_clock)
        .service(advance_clock);
}

/// Get the organization
///
/// The organization that your credential belongs to, and its settings. A partner's own caller does not see from which
/// account it is paid.
#[utoipa::path(tag = "Organization", operation_id = "getOrganization",
    responses((status = 200, description = "The organization.", body = OrganizationView)),
    extensions(("x-required-permission" = json!("organization:read"))))]
#[get("/v1/organization")]
async fn get_organization(who: Granted<can::OrganizationRead>) -> Reply {
    who.read(|tx, ctx| {
        let mut organization = service::get(tx, ctx)?;
        if ctx.scope.partner_id.is_some() {
            organization.payout_debtor = None;
        }
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

/// Get the clock
///
/// What time it is in the organization: the real time, or, in a sandbox whose clock was advanced, a later one.
#[utoipa::path(tag = "Organization", operation_id = "getOrganizationClock",
    responses((status = 200, description = "The clock.", body = ClockView)),
    extensions(("x-required-permission" = json!("organization:read"))))]
#[get("/v1/organization/clock")]
async fn get_clock(who: Granted<can::OrganizationRead>) -> Reply {
    who.read(|tx, ctx| Answer::ok(&ClockView::new(&service::get(tx, ctx)?, ctx.wall_now)))
        .await
}

/// Advance the clock
///
/// Moves the clock of a sandbox forward, by some time or until an instant; it goes on from there. From the next request
/// on it is that time for everything in the organization, and the background work catches up within moments: holds end,
/// answers are late, referrals expire. Keys, tokens, sessions and kept answers go by the real time, as before. `409`
/// `sandbox_only` in a live organization. `422` `not_ahead` for an instant that has passed: a clock does not go back.
#[utoipa::path(tag = "Organization", operation_id = "advanceOrganizationClock", request_body = AdvanceClockBody,
    responses((status = 200, description = "The clock as it is now.", body = ClockView)),
    extensions(("x-required-permission" = json!("organization:write"))))]
#[post("/v1/organization/clock/advance")]
async fn advance_clock(who: Granted<can::OrganizationWrite>, command: Command<AdvanceClockBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let organization = service::advance_clock(tx, ctx, command.body.advance()?)?;
        Answer::ok(&ClockView::new(&organization, ctx.wall_now))
    })
    .await
}
