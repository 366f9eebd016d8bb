//! The reports.

use super::domain::GroupBy;
use super::dto::{ReportFormat, ReportQuery, ReportView};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Filter, Granted, Reply};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_program_summary)
        .service(get_partner_performance);
    super::attribution::http::routes(config);
    super::activity::http::routes(config);
    super::onboarding::http::routes(config);
    super::journal::http::routes(config);
}

async fn report(who: Granted<can::ReportsRead>, query: Filter<ReportQuery>, group_by: GroupBy) -> Reply {
    who.snapshot(move |tx, ctx| {
        let group_by = query.group_by.unwrap_or(group_by);
        let report = service::report(tx, ctx, &query.filter(group_by)?)?;
        let view = ReportView::new(&report, &query, group_by, ctx.now)?;
        match query.format {
            ReportFormat::Json => Answer::ok(&view),
            ReportFormat::Csv => Ok(Answer::text("text/csv; charset=utf-8", view.csv()?)),
        }
    })
    .await
}

/// Report programs
///
/// Deals, revenue by role and commissions of each program over a period, or of each motion, partner, tier, region or
/// month. Revenue is money received, net; each deal counts once in a role, whatever the shares, except that groups of
/// partners count it for each credited partner. Balances are those at the end of the period.
#[utoipa::path(tag = "Reports", operation_id = "getProgramSummary", params(ReportQuery),
    responses((status = 200, description = "The report.", content((ReportView = "application/json"), (String = "text/csv")))),
    extensions(("x-required-permission" = json!("reports:read"))))]
#[get("/v1/reports/program-summary")]
async fn get_program_summary(who: Granted<can::ReportsRead>, query: Filter<ReportQuery>) -> Reply {
    report(who, query, GroupBy::Program).await
}

/// Report partners
///
/// Deals, revenue by role and commissions of each partner over a period, or of each program, motion, tier, region or
/// month. A deal counts in full for each partner who has a confirmed credit in the role. Balances are those at the end
/// of the period.
#[utoipa::path(tag = "Reports", operation_id = "getPartnerPerformance", params(ReportQuery),
    responses((status = 200, description = "The report.", content((ReportView = "application/json"), (String = "text/csv")))),
    extensions(("x-required-permission" = json!("reports:read"))))]
#[get("/v1/reports/partner-performance")]
async fn get_partner_performance(who: Granted<can::ReportsRead>, query: Filter<ReportQuery>) -> Reply {
    report(who, query, GroupBy::Partner).await
}
