//! The operations on disputes.

use super::dto::{
    AnswerBody, CommentView, CommentsQuery, DecisionBody, DisputeCommentPage, DisputePage, DisputePath,
    DisputeView, DisputesQuery, NewCommentBody, NewDisputeBody, ReviewBody, WithdrawalBody,
};
use super::{Report, domain::Readers, service};
use crate::flows::dispute::{self, Ruling};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, ReasonBody, Reply, Target};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_disputes)
        .service(create_dispute)
        .service(get_dispute)
        .service(review_dispute)
        .service(request_dispute_information)
        .service(answer_dispute)
        .service(decide_dispute)
        .service(withdraw_dispute)
        .service(list_dispute_comments)
        .service(create_dispute_comment);
}

fn record(report: Report) -> Result<Answer, Problem> {
    let version = report.dispute.row_version;
    Answer::record(&DisputeView::from(report), version)
}

/// The version of a comment, which never changes.
const COMMENT_VERSION: i64 = 1;

/// List disputes
///
/// The disputes that you may see, newest first, a page at a time; a partner's own caller sees its own. Their life cycle:
/// open → in_review | withdrawn; in_review → needs_information | upheld | partially_upheld | denied | withdrawn;
/// needs_information → in_review | withdrawn
#[utoipa::path(tag = "Disputes", operation_id = "listDisputes", params(DisputesQuery),
    responses((status = 200, description = "One page of disputes.", body = DisputePage)),
    extensions(("x-required-permission" = json!("disputes:read"))))]
#[get("/v1/disputes")]
async fn list_disputes(who: Granted<can::DisputesRead>, query: Filter<DisputesQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&DisputePage::from(page.map(DisputeView::from)))
    })
    .await
}

/// Open a dispute
///
/// Challenges a decision or an amount: a registration that was rejected, revoked or expired, the decision of a conflict,
/// credit that was rejected or whose share is too small, a move to a lower tier, commissions that come to too little, or
/// one that is missing.
/// Disputed commissions wait until it is over: approved ones are frozen, others come no further, and those in a payout
/// are left alone and named. `409 already_exists` when there is a dispute about the same, be it of a commission or of all
/// that is missing on its deal.
#[utoipa::path(tag = "Disputes", operation_id = "createDispute", request_body = NewDisputeBody,
    responses((status = 201, description = "The new dispute.", body = DisputeView)),
    extensions(("x-required-permission" = json!("disputes:write"))))]
#[post("/v1/disputes")]
async fn create_dispute(who: Granted<can::DisputesWrite>, command: Command<NewDisputeBody>) -> Reply {
    who.write(command, |tx, ctx, command| {
        let report = dispute::open(tx, ctx, command.body.terms()?)?;
        let (id, version) = (report.dispute.id, report.dispute.row_version);
        Answer::created("disputes", id, &DisputeView::from(report), version)
    })
    .await
}

/// Get a dispute
///
/// One dispute with both calculations where money is disputed, and with its version as `ETag`.
#[utoipa::path(tag = "Disputes", operation_id = "getDispute", params(DisputePath),
    responses((status = 200, description = "The dispute.", body = DisputeView)),
    extensions(("x-required-permission" = json!("disputes:read"))))]
#[get("/v1/disputes/{dispute_id}")]
async fn get_dispute(who: Granted<can::DisputesRead>, target: Target<DisputePath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.dispute_id)?))
        .await
}

/// Review a dispute
///
/// Looks into a dispute, or takes the review over with what is found now. Where money is disputed, the finding says what
/// the commissions should come to, which needs adjustments:write; somebody else decides by it.
#[utoipa::path(tag = "Disputes", operation_id = "reviewDispute", params(DisputePath), request_body = Option<ReviewBody>,
    responses((status = 200, description = "The dispute in review.", body = DisputeView)),
    extensions(("x-required-permission" = json!("disputes:review"))))]
#[post("/v1/disputes/{dispute_id}/review")]
async fn review_dispute(
    who: Granted<can::DisputesReview>,
    target: Target<DisputePath>,
    command: Command<ReviewBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (note, found) = (command.body.note.clone(), command.body.found()?);
        record(dispute::review(
            tx,
            ctx,
            target.dispute_id,
            &command.precondition,
            note,
            found,
        )?)
    })
    .await
}

/// Request information
///
/// Asks the partner for something; the reason says for what. Until the answer comes the organization is not late.
#[utoipa::path(tag = "Disputes", operation_id = "requestDisputeInformation", params(DisputePath),
    request_body = ReasonBody,
    responses((status = 200, description = "The dispute that needs information.", body = DisputeView)),
    extensions(("x-required-permission" = json!("disputes:review"))))]
#[post("/v1/disputes/{dispute_id}/request-information")]
async fn request_dispute_information(
    who: Granted<can::DisputesReview>,
    target: Target<DisputePath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::request_information(
            tx,
            ctx,
            target.dispute_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// Answer a dispute's question
///
/// Answers what was asked, with more evidence where there is some. The organization has its time again from now on.
#[utoipa::path(tag = "Disputes", operation_id = "answerDispute", params(DisputePath), request_body = AnswerBody,
    responses((status = 200, description = "The dispute in review.", body = DisputeView)),
    extensions(("x-required-permission" = json!("disputes:write"))))]
#[post("/v1/disputes/{dispute_id}/answer")]
async fn answer_dispute(
    who: Granted<can::DisputesWrite>,
    target: Target<DisputePath>,
    command: Command<AnswerBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let (body, evidence) = (command.body.body.clone(), command.body.evidence());
        record(service::answer(
            tx,
            ctx,
            target.dispute_id,
            &command.precondition,
            body,
            evidence,
        )?)
    })
    .await
}

/// Decide a dispute
///
/// Decides a dispute in review, and carries the outcome out in the same transaction. Final. A registration is protected
/// again, or looked at again where it is partially upheld; a conflict is decided anew, or shared; credit gets its share; a
/// lost tier is given back, or one between, and pinned until the present period is over; money goes on, and the difference that the reviewer found is posted as an adjustment, which needs adjustments:approve.
/// When money goes back of the commissions later, or comes in again, what was given on them is worth less, or is given
/// already: that is proposed as an adjustment of the dispute.
/// What else changes needs the permission to change it. `409 second_person_required` for whoever made the disputed
/// decision or found the amount, and `409 registration_conflict` while another registration is protected.
#[utoipa::path(tag = "Disputes", operation_id = "decideDispute", params(DisputePath), request_body = DecisionBody,
    responses((status = 200, description = "The decided dispute.", body = DisputeView)),
    extensions(("x-required-permission" = json!("disputes:decide")), ("x-requires-idempotency-key" = json!(true))))]
#[post("/v1/disputes/{dispute_id}/decide")]
async fn decide_dispute(
    who: Granted<can::DisputesDecide>,
    target: Target<DisputePath>,
    command: Command<DecisionBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let ruling = Ruling {
            outcome: command.body.outcome,
            reason: command.body.reason.clone(),
            share_basis_points: command.body.share_basis_points,
            tier: command.body.tier.clone(),
        };
        record(dispute::decide(
            tx,
            ctx,
            target.dispute_id,
            &command.precondition,
            &ruling,
        )?)
    })
    .await
}

/// Withdraw a dispute
///
/// Takes back a dispute that is not decided. Final; money that waited for it waits no longer. For the partner's own callers;
/// the organization decides disputes, and of its people only whoever opened one for the partner takes it back, with a
/// reason: `403 permission_denied` for others, and `409 second_person_required` where the decision was their own.
#[utoipa::path(tag = "Disputes", operation_id = "withdrawDispute", params(DisputePath),
    request_body = Option<WithdrawalBody>,
    responses((status = 200, description = "The withdrawn dispute.", body = DisputeView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("disputes:write"))))]
#[post("/v1/disputes/{dispute_id}/withdraw")]
async fn withdraw_dispute(
    who: Granted<can::DisputesWrite>,
    target: Target<DisputePath>,
    command: Command<WithdrawalBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(dispute::withdraw(
            tx,
            ctx,
            target.dispute_id,
            &command.precondition,
            command.body.reason.clone(),
        )?)
    })
    .await
}

/// List dispute comments
///
/// The comments on the disputes that you may see, oldest first, a page at a time. A partner's own caller is never shown
/// an internal one.
#[utoipa::path(tag = "Disputes", operation_id = "listDisputeComments", params(CommentsQuery),
    responses((status = 200, description = "One page of comments.", body = DisputeCommentPage)),
    extensions(("x-required-permission" = json!("disputes:read"))))]
#[get("/v1/dispute-comments")]
async fn list_dispute_comments(who: Granted<can::DisputesRead>, query: Filter<CommentsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::comments(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&DisputeCommentPage::from(page.map(CommentView::from)))
    })
    .await
}

/// Comment on a dispute
///
/// Says something about a dispute, to the partner or among the organization's own people. It never changes.
#[utoipa::path(tag = "Disputes", operation_id = "createDisputeComment", params(DisputePath),
    request_body = NewCommentBody,
    responses((status = 200, description = "The new comment.", body = CommentView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("disputes:write"))))]
#[post("/v1/disputes/{dispute_id}/comments")]
async fn create_dispute_comment(
    who: Granted<can::DisputesWrite>,
    target: Target<DisputePath>,
    command: Command<NewCommentBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let visibility = command.body.visibility.unwrap_or(Readers::Partner);
        let body = command.body.body.clone();
        let comment = service::comment(tx, ctx, target.dispute_id, visibility, body)?;
        Answer::record(&CommentView::from(comment), COMMENT_VERSION)
    })
    .await
}
