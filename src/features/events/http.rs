//! The operations on events.

use super::dto::{EventPage, EventView, EventsQuery, PartnerPath, TimelineQuery};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Filter, Granted, Reply, Target};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_events).service(list_partner_timeline);
}

/// List events
///
/// The change feed in the order of its numbers, a page at a time; read on with `after_sequence` or the cursor. What was
/// committed before the request is in it. A partner's own key sees what concerns it alone.
#[utoipa::path(tag = "Events", operation_id = "listEvents", params(EventsQuery),
    responses((status = 200, description = "One page of events.", body = EventPage)),
    extensions(("x-required-permission" = json!("events:read"))))]
#[get("/v1/events")]
async fn list_events(who: Granted<can::EventsRead>, query: Filter<EventsQuery>) -> Reply {
    number(&who).await;
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&EventPage::from(page.map(EventView::from)))
    })
    .await
}

/// List a partner's timeline
///
/// Everything that happened with a partner, newest first, a page at a time: the events that concern it, as it may read
/// them itself in the change feed. What was committed before the request is in it. A partner's own caller asks for its
/// own timeline.
#[utoipa::path(tag = "Partners", operation_id = "listPartnerTimeline", params(PartnerPath, TimelineQuery),
    responses((status = 200, description = "One page of the timeline.", body = EventPage)),
    extensions(("x-required-permission" = json!("events:read"))))]
#[get("/v1/partners/{partner_id}/timeline")]
async fn list_partner_timeline(
    who: Granted<can::EventsRead>,
    target: Target<PartnerPath>,
    query: Filter<TimelineQuery>,
) -> Reply {
    number(&who).await;
    who.read(move |tx, ctx| {
        let page = query.page(ctx, target.partner_id)?;
        let page = service::timeline(tx, ctx, target.partner_id, &query.names(), &page)?;
        Answer::ok(&EventPage::from(page.map(EventView::from)))
    })
    .await
}

/// Numbers what is committed, so that a writer finds its own events at once. When that fails, what has a number is still
/// worth reading.
async fn number(who: &Granted<can::EventsRead>) {
    if let Err(problem) = who.state().db.write(&who.ctx, service::number).await {
        tracing::warn!(%problem, "events were not numbered");
    }
}
