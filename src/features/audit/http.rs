//! The operations on the audit trail: it is read, never written, from outside.

use super::dto::{AuditChainQuery, AuditChainView, AuditEventPage, AuditEventView, AuditEventsQuery};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Filter, Granted, Reply};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_audit_events).service(get_audit_chain);
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

/// Get the audit chain
///
/// Computes the hashes of the whole trail again and names the first fault. Each entry is sealed by a link whose hash is
/// SHA-256 of the 32 bytes of the hash before it and the entry's text in UTF-8; the first link follows SHA-256 of the
/// organization's UUID as text. The text is the stored entry as PostgreSQL writes a `jsonb` object (keys by length,
/// then by bytes; a space after each comma and colon), without `written_order` and columns that have no value, with
/// instants in UTC, so that a copy of the tables can be checked without this service. Keep `head_position` and
/// `head_hash` elsewhere and send them as `known_position` and `known_hash` later: only this shows that somebody with
/// all rights wrote the end of the chain anew.
#[utoipa::path(tag = "Audit Events", operation_id = "getAuditChain", params(AuditChainQuery),
    responses((status = 200, description = "The chain, and whether it holds.", body = AuditChainView)),
    extensions(("x-required-permission" = json!("audit_events:read"))))]
#[get("/v1/audit-chain")]
async fn get_audit_chain(who: Granted<can::AuditEventsRead>, query: Filter<AuditChainQuery>) -> Reply {
    who.snapshot(move |tx, ctx| {
        let chain = service::verify(tx, ctx, query.known_head()?.as_ref())?;
        Answer::ok(&AuditChainView::from(chain))
    })
    .await
}
