//! Comments on registrations, and requests for more time.

use crate::features::deal_registrations::domain::{CommentVisibility, Extension};
use crate::features::deal_registrations::dto::{
    CommentPage, CommentView, CommentsQuery, ExtensionPage, ExtensionPath, ExtensionView, ExtensionsQuery,
    NewCommentBody, NewExtensionBody, RegistrationPath,
};
use crate::features::deal_registrations::service;
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_registration_comments)
        .service(create_registration_comment)
        .service(list_registration_extensions)
        .service(create_registration_extension)
        .service(approve_registration_extension)
        .service(refuse_registration_extension);
}

fn record(extension: Extension) -> Result<Answer, Problem> {
    let version = extension.row_version;
    Answer::record(&ExtensionView::from(extension), version)
}

/// The version of a comment, which never changes.
const COMMENT_VERSION: i64 = 1;

/// List registration comments
///
/// The comments on the registrations that you may see, oldest first, a page at a time. A partner's own caller is never
/// shown an internal one.
#[utoipa::path(tag = "Deal Registrations", operation_id = "listRegistrationComments", params(CommentsQuery),
    responses((status = 200, description = "One page of comments.", body = CommentPage)),
    extensions(("x-required-permission" = json!("deal_registrations:read"))))]
#[get("/v1/registration-comments")]
async fn list_registration_comments(
    who: Granted<can::DealRegistrationsRead>,
    query: Filter<CommentsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::comments(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&CommentPage::from(page.map(CommentView::from)))
    })
    .await
}

/// Comment on a registration
///
/// Says something about a registration, to the partner or among the organization's own people. It never changes.
#[utoipa::path(tag = "Deal Registrations", operation_id = "createRegistrationComment", params(RegistrationPath),
    request_body = NewCommentBody,
    responses((status = 200, description = "The new comment.", body = CommentView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("deal_registrations:write"))))]
#[post("/v1/deal-registrations/{deal_registration_id}/comments")]
async fn create_registration_comment(
    who: Granted<can::DealRegistrationsWrite>,
    target: Target<RegistrationPath>,
    command: Command<NewCommentBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let visibility = command.body.visibility.unwrap_or(CommentVisibility::Partner);
        let (id, body) = (target.deal_registration_id, command.body.body.clone());
        let comment = service::comment(tx, ctx, id, visibility, body)?;
        Answer::record(&CommentView::from(comment), COMMENT_VERSION)
    })
    .await
}

/// List registration extensions
///
/// The requests for more time for the registrations that you may see, oldest first, a page at a time.
#[utoipa::path(tag = "Deal Registrations", operation_id = "listRegistrationExtensions", params(ExtensionsQuery),
    responses((status = 200, description = "One page of requests.", body = ExtensionPage)),
    extensions(("x-required-permission" = json!("deal_registrations:read"))))]
#[get("/v1/registration-extensions")]
async fn list_registration_extensions(
    who: Granted<can::DealRegistrationsRead>,
    query: Filter<ExtensionsQuery>,
) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::extensions(tx, ctx, query.deal_registration_id, &query.page(ctx)?)?;
        Answer::ok(&ExtensionPage::from(page.map(ExtensionView::from)))
    })
    .await
}

/// Request an extension
///
/// Asks for more time for an approved registration, with what speaks for it; one request at a time, and as often as the
/// program's deal rules allow. While the answer is late, the clock of the protection stands still.
#[utoipa::path(tag = "Deal Registrations", operation_id = "createRegistrationExtension", params(RegistrationPath),
    request_body = NewExtensionBody,
    responses((status = 200, description = "The request.", body = ExtensionView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("deal_registrations:write"))))]
#[post("/v1/deal-registrations/{deal_registration_id}/extensions")]
async fn create_registration_extension(
    who: Granted<can::DealRegistrationsWrite>,
    target: Target<RegistrationPath>,
    command: Command<NewExtensionBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, evidence) = (target.deal_registration_id, command.body.evidence.clone());
        record(service::request_extension(tx, ctx, id, evidence)?)
    })
    .await
}

/// Approve an extension
///
/// Extends the protection by the days of the program's deal rules. `409` when the request is answered, or the
/// registration no longer approved, or when somebody else is protected in that time.
#[utoipa::path(tag = "Deal Registrations", operation_id = "approveRegistrationExtension", params(ExtensionPath),
    responses((status = 200, description = "The approved request.", body = ExtensionView)),
    extensions(("x-required-permission" = json!("deal_registrations:review"))))]
#[post("/v1/registration-extensions/{registration_extension_id}/approve")]
async fn approve_registration_extension(
    who: Granted<can::DealRegistrationsReview>,
    target: Target<ExtensionPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let id = target.registration_extension_id;
        record(service::decide_extension(
            tx,
            ctx,
            id,
            &command.precondition,
            None,
        )?)
    })
    .await
}

/// Refuse an extension
///
/// Does not extend the protection; what the organization answered late is given back. The partner reads why.
#[utoipa::path(tag = "Deal Registrations", operation_id = "refuseRegistrationExtension", params(ExtensionPath),
    request_body = ReasonBody,
    responses((status = 200, description = "The refused request.", body = ExtensionView)),
    extensions(("x-required-permission" = json!("deal_registrations:review"))))]
#[post("/v1/registration-extensions/{registration_extension_id}/refuse")]
async fn refuse_registration_extension(
    who: Granted<can::DealRegistrationsReview>,
    target: Target<ExtensionPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (id, reason) = (target.registration_extension_id, command.body.reason.clone());
        record(service::decide_extension(
            tx,
            ctx,
            id,
            &command.precondition,
            Some(reason),
        )?)
    })
    .await
}
