//! The operation on a partner's start.

use super::dto::{OnboardingPath, OnboardingView};
use super::service;
use crate::kernel::permission::can;
use crate::platform::web::{Answer, Granted, Reply, Target};
use actix_web::get;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operation.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_onboarding);
}

/// Get an enrollment's onboarding
///
/// How far the partner's start in the program is: newest terms accepted, a contact given, a payout method confirmed, and
/// the first useful action of the program's motion. Computed when it is asked, and set by nobody. A partner's own caller
/// asks for its own.
#[utoipa::path(tag = "Enrollments", operation_id = "getEnrollmentOnboarding", params(OnboardingPath),
    responses((status = 200, description = "The steps.", body = OnboardingView)),
    extensions(("x-required-permission" = json!("enrollments:read"))))]
#[get("/v1/enrollments/{enrollment_id}/onboarding")]
async fn get_onboarding(who: Granted<can::EnrollmentsRead>, target: Target<OnboardingPath>) -> Reply {
    who.read(move |tx, ctx| {
        let start = service::of_enrollment(tx, ctx, target.enrollment_id)?;
        Answer::ok(&OnboardingView::from(start))
    })
    .await
}
