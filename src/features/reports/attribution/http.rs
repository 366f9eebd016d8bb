//! The operations on credit under models.

use super::super::dto::ReportFormat;
use super::dto::{
    AttributionReportQuery, AttributionReportView, DealAttributionQuery, DealAttributionView, DealPath,
};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Filter, Granted, Reply, Target};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_deal_attribution)
        .service(get_attribution_report);
}

/// Compare attribution models
///
/// The credit for a deal under one model, or under all of them side by side, as of now or of an earlier instant. Who has
/// a part in a pool is who has a confirmed credit in that role; the model shares it out by these partners' touchpoints up
/// to the win: full_credit (all of it to each), first_touch, last_touch, linear, time_decay (half as much for each 30
/// days before the last touch) or position_based (40% to the first, 40% to the last, 20% to those between). Money follows
/// none of them but the confirmed shares.
#[utoipa::path(tag = "Reports", operation_id = "getDealAttribution", params(DealPath, DealAttributionQuery),
    responses((status = 200, description = "The credit under models.", body = DealAttributionView)),
    extensions(("x-required-permission" = json!("reports:read"))))]
#[get("/v1/deals/{deal_id}/attribution")]
async fn get_deal_attribution(
    who: Granted<can::ReportsRead>,
    target: Target<DealPath>,
    query: Filter<DealAttributionQuery>,
) -> Reply {
    who.snapshot(move |tx, ctx| {
        let as_of = query.as_of.unwrap_or(ctx.now);
        let (deal, known) = service::of_deal(tx, ctx, target.deal_id, as_of)?;
        Answer::ok(&DealAttributionView::new(&deal, &known, as_of, query.model)?)
    })
    .await
}

/// Report attribution
///
/// Sourced and influenced pipeline and revenue of each partner over a period, or of each program, motion, tier, region or
/// month, under a model. Pipeline is the worth of deals opened in the period, whatever became of them; revenue is money
/// received in it, net. What is sourced or influenced is a figure of its own in which each deal counts once, and no sum.
/// Under full_credit each partner has the whole, so that partners add up to more than the total; under every other model
/// they add up to it exactly.
#[utoipa::path(tag = "Reports", operation_id = "getAttributionReport", params(AttributionReportQuery),
    responses((status = 200, description = "The report.", content((AttributionReportView = "application/json"), (String = "text/csv")))),
    extensions(("x-required-permission" = json!("reports:read"))))]
#[get("/v1/reports/attribution")]
async fn get_attribution_report(
    who: Granted<can::ReportsRead>,
    query: Filter<AttributionReportQuery>,
) -> Reply {
    who.snapshot(move |tx, ctx| {
        let figures = service::report(tx, ctx, &query.filter()?, query.model())?;
        let view = AttributionReportView::new(figures, &query, ctx.now);
        match query.format {
            ReportFormat::Json => Answer::ok(&view),
            ReportFormat::Csv => Ok(Answer::text("text/csv; charset=utf-8", view.csv()?)),
        }
    })
    .await
}
