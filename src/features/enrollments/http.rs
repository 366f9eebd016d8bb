//! The operations on enrollments.

use super::dto::{
    EnrollmentPage, EnrollmentPath, EnrollmentView, EnrollmentsQuery, NewEnrollmentBody, PatchEnrollmentBody,
};
use super::{Enrollment, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_enrollments)
        .service(create_enrollment)
        .service(get_enrollment)
        .service(update_enrollment)
        .service(activate_enrollment)
        .service(pause_enrollment)
        .service(resume_enrollment)
        .service(end_enrollment);
}

fn record(enrollment: Enrollment) -> Result<Answer, Problem> {
    let version = enrollment.row_version;
    Answer::record(&EnrollmentView::from(enrollment), version)
}

/// List enrollments
///
/// The enrollments that you may see, a page at a time. A partner's own caller sees those of the partner and of those
/// below it that are not hidden.
#[utoipa::path(tag = "Enrollments", operation_id = "listEnrollments", params(EnrollmentsQuery),
    responses((status = 200, description = "One page of enrollments.", body = EnrollmentPage)),
    extensions(("x-required-permission" = json!("enrollments:read"))))]
#[get("/v1/enrollments")]
async fn list_enrollments(who: Granted<can::EnrollmentsRead>, query: Filter<EnrollmentsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&EnrollmentPage::from(page.map(EnrollmentView::from)))
    })
    .await
}

/// Create an enrollment
///
/// A partner applies to take part in a program. It starts as `applied`. `409` when the partner is in the program already
/// and that enrollment has not ended.
#[utoipa::path(tag = "Enrollments", operation_id = "createEnrollment", request_body = NewEnrollmentBody,
    responses((status = 201, description = "The new enrollment.", body = EnrollmentView)),
    extensions(("x-required-permission" = json!("enrollments:write"))))]
#[post("/v1/enrollments")]
async fn create_enrollment(
    who: Granted<can::EnrollmentsWrite>,
    command: Command<NewEnrollmentBody>,
) -> Reply {
    who.write(command, |tx, ctx, command| {
        let enrollment = service::create(tx, ctx, command.body.terms())?;
        let (id, version) = (enrollment.id, enrollment.row_version);
        Answer::created("enrollments", id, &EnrollmentView::from(enrollment), version)
    })
    .await
}

/// Get an enrollment
///
/// One enrollment, with its version as `ETag`.
#[utoipa::path(tag = "Enrollments", operation_id = "getEnrollment", params(EnrollmentPath),
    responses((status = 200, description = "The enrollment.", body = EnrollmentView)),
    extensions(("x-required-permission" = json!("enrollments:read"))))]
#[get("/v1/enrollments/{enrollment_id}")]
async fn get_enrollment(who: Granted<can::EnrollmentsRead>, target: Target<EnrollmentPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.enrollment_id)?))
        .await
}

/// Update an enrollment
///
/// Changes the fields that are sent, as a JSON merge patch. The state changes by its own verbs only; the partner and the
/// program are set once.
#[utoipa::path(tag = "Enrollments", operation_id = "updateEnrollment", params(EnrollmentPath), request_body = PatchEnrollmentBody,
    responses((status = 200, description = "The enrollment as it is now.", body = EnrollmentView)),
    extensions(("x-required-permission" = json!("enrollments:write"))))]
#[patch("/v1/enrollments/{enrollment_id}")]
async fn update_enrollment(
    who: Granted<can::EnrollmentsWrite>,
    target: Target<EnrollmentPath>,
    command: Command<PatchEnrollmentBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::update(
            tx,
            ctx,
            target.enrollment_id,
            &command.precondition,
            command.body.patch(),
        )?)
    })
    .await
}

/// Activate an enrollment
///
/// Lets the partner take part. `409` when the enrollment is not `applied`, or when the partner is not `approved`.
#[utoipa::path(tag = "Enrollments", operation_id = "activateEnrollment", params(EnrollmentPath),
    responses((status = 200, description = "The active enrollment.", body = EnrollmentView)),
    extensions(("x-required-permission" = json!("enrollments:write"))))]
#[post("/v1/enrollments/{enrollment_id}/activate")]
async fn activate_enrollment(
    who: Granted<can::EnrollmentsWrite>,
    target: Target<EnrollmentPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::activate(
            tx,
            ctx,
            target.enrollment_id,
            &command.precondition,
        )?)
    })
    .await
}

/// Pause an enrollment
///
/// Stops the partner from taking part until the enrollment is resumed. What it has earned stays. `409` when it is not
/// `active`.
#[utoipa::path(tag = "Enrollments", operation_id = "pauseEnrollment", params(EnrollmentPath), request_body = ReasonBody,
    responses((status = 200, description = "The paused enrollment.", body = EnrollmentView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("enrollments:write"))))]
#[post("/v1/enrollments/{enrollment_id}/pause")]
async fn pause_enrollment(
    who: Granted<can::EnrollmentsWrite>,
    target: Target<EnrollmentPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::pause(
            tx,
            ctx,
            target.enrollment_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// Resume an enrollment
///
/// Lets the partner take part again. `409` when the enrollment is not `paused`, or when the partner is not `approved`.
#[utoipa::path(tag = "Enrollments", operation_id = "resumeEnrollment", params(EnrollmentPath),
    responses((status = 200, description = "The resumed enrollment.", body = EnrollmentView)),
    extensions(("x-required-permission" = json!("enrollments:write"))))]
#[post("/v1/enrollments/{enrollment_id}/resume")]
async fn resume_enrollment(
    who: Granted<can::EnrollmentsWrite>,
    target: Target<EnrollmentPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::resume(
            tx,
            ctx,
            target.enrollment_id,
            &command.precondition,
        )?)
    })
    .await
}

/// End an enrollment
///
/// Ends the enrollment for good; a reason is kept, and so is what the partner has earned. The partner may be enrolled anew.
/// `409` when it has ended already.
#[utoipa::path(tag = "Enrollments", operation_id = "endEnrollment", params(EnrollmentPath), request_body = ReasonBody,
    responses((status = 200, description = "The ended enrollment.", body = EnrollmentView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("enrollments:write"))))]
#[post("/v1/enrollments/{enrollment_id}/end")]
async fn end_enrollment(
    who: Granted<can::EnrollmentsWrite>,
    target: Target<EnrollmentPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::end(
            tx,
            ctx,
            target.enrollment_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}
