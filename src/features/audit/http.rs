//! The operations on the audit trail: it is read, never written, from outside.

use super::dto::{AuditEventPage, AuditEventView, AuditEventsQuery};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Filter, Granted, Reply};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_audit_events);
}

/// List audit events
///
/// Who changed what, when, from where and why; newest first, a page at a time. The trail cannot be changed.
#[utoipa::path(tag = "Audit Events", operation_id = "listAuditEvents", params(AuditEventsQuery),
    responses((status = 200, description = "One page of the audit trail.", body = AuditEventPage)),
    extensions(("x-required-permission" = json!("audit_events:read"))))]
#[get("/v1/audit-events")]
async fn list_audit_events(who: Granted<can::AuditEventsRead>, query: Filter<AuditEventsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter()?, &query.page(ctx)?)?;
        Answer::ok(&AuditEventPage::from(page.map(AuditEventView::from)))
    })
    .await
}
