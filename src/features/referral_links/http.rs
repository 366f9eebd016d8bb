//! The operations on referral links and clicks.

use super::domain::ReferralLink;
use super::dto::{
    ClickPage, ClickView, ClicksQuery, ConversionView, ConvertVisitorBody, NewReferralLinkBody,
    ReferralLinkPage, ReferralLinkPath, ReferralLinkView, ReferralLinksQuery, ReportedClicksBody, TallyView,
};
use super::service;
use crate::flows::visitor_converted::{self, Visitor};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_referral_links)
        .service(create_referral_link)
        .service(get_referral_link)
        .service(retire_referral_link)
        .service(list_clicks)
        .service(report_clicks)
        .service(convert_visitor);
}

fn record(link: ReferralLink) -> Result<Answer, Problem> {
    let version = link.row_version;
    Answer::record(&ReferralLinkView::from(link), version)
}

/// List referral links
///
/// The links that you may see, newest first, a page at a time. A partner's own caller sees its own.
#[utoipa::path(tag = "Referral Links", operation_id = "listReferralLinks", params(ReferralLinksQuery),
    responses((status = 200, description = "One page of links.", body = ReferralLinkPage)),
    extensions(("x-required-permission" = json!("referral_links:read"))))]
#[get("/v1/referral-links")]
async fn list_referral_links(
    who: Granted<can::ReferralLinksRead>,
    query: Filter<ReferralLinksQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&ReferralLinkPage::from(page.map(ReferralLinkView::from)))
    })
    .await
}

/// Create a referral link
///
/// Makes a link of a partner in one of its programs. Your site tells its visitors by the code, and reports their clicks
/// with it. A link never changes: active → retired. `409` when the partner has no active enrollment in the program, and
/// when the code is taken.
#[utoipa::path(tag = "Referral Links", operation_id = "createReferralLink", request_body = NewReferralLinkBody,
    responses((status = 201, description = "The new link.", body = ReferralLinkView)),
    extensions(("x-required-permission" = json!("referral_links:write"))))]
#[post("/v1/referral-links")]
async fn create_referral_link(
    who: Granted<can::ReferralLinksWrite>,
    command: Command<NewReferralLinkBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let link = service::create(tx, ctx, command.body.terms())?;
        let (id, version) = (link.id, link.row_version);
        Answer::created("referral-links", id, &ReferralLinkView::from(link), version)
    })
    .await
}

/// Get a referral link
///
/// One link, with its version as `ETag`.
#[utoipa::path(tag = "Referral Links", operation_id = "getReferralLink", params(ReferralLinkPath),
    responses((status = 200, description = "The link.", body = ReferralLinkView)),
    extensions(("x-required-permission" = json!("referral_links:read"))))]
#[get("/v1/referral-links/{referral_link_id}")]
async fn get_referral_link(who: Granted<can::ReferralLinksRead>, target: Target<ReferralLinkPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.referral_link_id)?))
        .await
}

/// Retire a referral link
///
/// Its clicks do not count from now on; those before are still credited. Final. `409` when it is retired already.
#[utoipa::path(tag = "Referral Links", operation_id = "retireReferralLink", params(ReferralLinkPath),
    responses((status = 200, description = "The retired link.", body = ReferralLinkView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("referral_links:write"))))]
#[post("/v1/referral-links/{referral_link_id}/retire")]
async fn retire_referral_link(
    who: Granted<can::ReferralLinksWrite>,
    target: Target<ReferralLinkPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::retire(
            tx,
            ctx,
            target.referral_link_id,
            &command.precondition,
        )?)
    })
    .await
}

/// List clicks
///
/// The clicks that count, newest first, a page at a time: one for a visitor, a link and half an hour. A partner's own
/// caller sees those by its own links, without the visitors' keys.
#[utoipa::path(tag = "Referral Links", operation_id = "listClicks", params(ClicksQuery),
    responses((status = 200, description = "One page of clicks.", body = ClickPage)),
    extensions(("x-required-permission" = json!("referral_links:read"))))]
#[get("/v1/clicks")]
async fn list_clicks(who: Granted<can::ReferralLinksRead>, query: Filter<ClicksQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::clicks(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&ClickPage::from(
            page.map(|click| ClickView::of(click, &ctx.scope)),
        ))
    })
    .await
}

/// Report clicks
///
/// Reports who came by links, up to a thousand at once and as often as you like: a visitor who comes by a link several
/// times within half an hour counts once, machines and unknown codes do not count. The answer says how many were what.
/// Clicks may come late and in any order. `422` when one of them is in the future; then none is recorded.
#[utoipa::path(tag = "Referral Links", operation_id = "reportClicks", request_body = ReportedClicksBody,
    responses((status = 200, description = "What became of them.", body = TallyView)),
    extensions(("x-required-permission" = json!("clicks:write"))))]
#[post("/v1/clicks")]
async fn report_clicks(who: Granted<can::ClicksWrite>, command: Command<ReportedClicksBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let (people, bots) = command.body.clicks(ctx.now)?;
        Answer::ok(&TallyView::from(service::report(tx, ctx, &people, bots)?))
    })
    .await
}

/// Convert a visitor
///
/// A visitor made itself known, and becomes a referral of the partner by whose link it came: by its first or its last
/// click within the attribution window, as the program's deal rules say, of a partner that still takes part in the
/// program. `422` when there is no such click, or when the lead is not what the program asks for. `409` when the visitor
/// became a referral in this program already.
#[utoipa::path(tag = "Referral Links", operation_id = "convertVisitor", request_body = ConvertVisitorBody,
    responses((status = 200, description = "The referral, and the click that is credited.", body = ConversionView)),
    extensions(("x-required-permission" = json!("clicks:write"))))]
#[post("/v1/clicks/convert")]
async fn convert_visitor(who: Granted<can::ClicksWrite>, command: Command<ConvertVisitorBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let visitor = Visitor {
            key: command.body.visitor.clone(),
            program_id: command.body.program_id,
            lead: command.body.lead()?,
        };
        let conversion = visitor_converted::run(tx, ctx, visitor)?;
        Answer::ok(&ConversionView::from(conversion))
    })
    .await
}
