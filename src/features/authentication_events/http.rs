//! The operations on authentication events.

use super::dto::{AuthenticationEventPage, AuthenticationEventView, AuthenticationEventsQuery};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Filter, Granted, Reply};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_authentication_events);
}

/// List authentication events
///
/// Who came in and who was refused, newest first: logins by an identity provider's token (once per token), sessions that
/// were made, refreshed and revoked, and refusals of callers who are known by a key, a session or a provider. The same
/// refusal is noted once a minute. The refused hear no reason; here it stands. A partner's callers see what concerns their
/// partner.
#[utoipa::path(tag = "Authentication Events", operation_id = "listAuthenticationEvents",
    params(AuthenticationEventsQuery),
    responses((status = 200, description = "One page of authentication events.", body = AuthenticationEventPage)),
    extensions(("x-required-permission" = json!("authentication_events:read"))))]
#[get("/v1/authentication-events")]
async fn list_authentication_events(
    who: Granted<can::AuthenticationEventsRead>,
    query: Filter<AuthenticationEventsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&AuthenticationEventPage::from(
            page.map(AuthenticationEventView::from),
        ))
    })
    .await
}
