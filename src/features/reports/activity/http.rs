//! The operations on the activity of partners.

use super::dto::{HeadcountView, PartnerActivityView, PartnerPath};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Granted, Reply, Target};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_partner_activity).service(get_activity_report);
}

/// Get a partner's activity
///
/// When the partner was useful for the first time in each motion of its programs (referral: an accepted referral; agency:
/// a confirmed credit, once it held a certification; integration: a shared account list; reseller and co_sell: an approved registration; affiliate: a
/// conversion), what it did last, and whether it is active or dormant by the organization's `dormant_after_days`. Computed
/// from numbered events, and set by nobody. A partner's own caller asks for its own.
#[utoipa::path(tag = "Partners", operation_id = "getPartnerActivity", params(PartnerPath),
    responses((status = 200, description = "The partner's activity.", body = PartnerActivityView)),
    extensions(("x-required-permission" = json!("partners:read"))))]
#[get("/v1/partners/{partner_id}/activity")]
async fn get_partner_activity(who: Granted<can::PartnersRead>, target: Target<PartnerPath>) -> Reply {
    who.snapshot(move |tx, ctx| {
        let (activity, days) = service::of_partner(tx, ctx, target.partner_id)?;
        Answer::ok(&PartnerActivityView::new(
            target.partner_id,
            activity,
            days,
            ctx.now,
        ))
    })
    .await
}

/// Report partner activity
///
/// How many approved partners there are, how many of them were useful at least once, and how many are active or dormant
/// now.
#[utoipa::path(tag = "Reports", operation_id = "getPartnerActivityReport",
    responses((status = 200, description = "The report.", body = HeadcountView)),
    extensions(("x-required-permission" = json!("reports:read"))))]
#[get("/v1/reports/partner-activity")]
async fn get_activity_report(who: Granted<can::ReportsRead>) -> Reply {
    who.snapshot(move |tx, ctx| {
        let (count, days) = service::headcount(tx, ctx)?;
        Answer::ok(&HeadcountView::new(&count, days, ctx.now))
    })
    .await
}
