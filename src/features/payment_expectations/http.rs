//! The operations on payment expectations.

use super::dto::{
    CommissionExpectationPath, CommissionExpectationView, PartnerExpectationsPath, PartnerExpectationsView,
};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Granted, Reply, Target};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_payment_expectation)
        .service(list_payment_expectations);
}

/// Get a payment expectation
///
/// When a commission will be paid, and everything that is in the way, each with a sentence. `expected_on` is the earliest
/// day of the program's time zone on which a payout can pay it; `null` while something without a date is in the way, and
/// for what is paid, or is never paid. A partner's own caller asks about its own, and is not told what invoices lack, nor
/// of drafted payout runs.
#[utoipa::path(tag = "Commissions", operation_id = "getPaymentExpectation", params(CommissionExpectationPath),
    responses((status = 200, description = "When it will be paid.", body = CommissionExpectationView)),
    extensions(("x-required-permission" = json!("commissions:read")), ("x-unversioned" = json!(true))))]
#[get("/v1/commissions/{commission_id}/payment-expectation")]
async fn get_payment_expectation(
    who: Granted<can::CommissionsRead>,
    target: Target<CommissionExpectationPath>,
) -> Reply {
    who.snapshot(move |tx, ctx| {
        let found = service::of_commission(tx, ctx, target.commission_id)?;
        Answer::ok(&CommissionExpectationView::from(found))
    })
    .await
}

/// List payment expectations
///
/// What a partner has coming, by program and currency: what is pending, due, approved and in payouts, the next day on
/// which a payout can be made, and everything that is in its way. A partner's own caller asks about itself.
#[utoipa::path(tag = "Partners", operation_id = "listPaymentExpectations", params(PartnerExpectationsPath),
    responses((status = 200, description = "What the partner has coming.", body = PartnerExpectationsView)),
    extensions(("x-required-permission" = json!("commissions:read")), ("x-unversioned" = json!(true))))]
#[get("/v1/partners/{partner_id}/payment-expectations")]
async fn list_payment_expectations(
    who: Granted<can::CommissionsRead>,
    target: Target<PartnerExpectationsPath>,
) -> Reply {
    who.snapshot(move |tx, ctx| {
        let found = service::of_partner(tx, ctx, target.partner_id)?;
        Answer::ok(&PartnerExpectationsView::new(target.partner_id, found))
    })
    .await
}
