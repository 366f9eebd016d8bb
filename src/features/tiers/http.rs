//! The operations on ladders and tiers.

use super::domain::{Overview, TierLadder};
use super::dto::{
    MoveTierBody, PatchTierLadderBody, PinTierBody, TierEnrollmentPath, TierLadderView, TierMovePage,
    TierMoveView, TierMovesQuery, TierPreviewPage, TierPreviewQuery, TierPreviewView, TierProgramPath,
    TierReviewView, TierStandingView,
};
use super::{review_service, service};
use crate::kernel::permission::can;
use crate::kernel::problem::Problem;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, ReasonBody, Reply, Target};
use actix_web::{get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_tier_ladder)
        .service(update_tier_ladder)
        .service(preview_tiers)
        .service(review_tiers)
        .service(get_tier_standing)
        .service(move_tier)
        .service(pin_tier)
        .service(unpin_tier)
        .service(list_tier_moves);
}

fn ladder(ladder: TierLadder) -> Result<Answer, Problem> {
    let version = ladder.row_version;
    Answer::record(&TierLadderView::from(ladder), version)
}

fn record(overview: Overview) -> Result<Answer, Problem> {
    let version = overview.standing.row_version;
    Answer::record(&TierStandingView::from(overview), version)
}

/// Get tiers
///
/// The ladder of a program's tiers, the lowest first, and by what a partner is in one of them. A program has none until
/// it is given some.
#[utoipa::path(tag = "Tiers", operation_id = "getTierLadder", params(TierProgramPath),
    responses((status = 200, description = "The tiers of the program.", body = TierLadderView)),
    extensions(("x-required-permission" = json!("programs:read"))))]
#[get("/v1/programs/{program_id}/tiers")]
async fn get_tier_ladder(who: Granted<can::ProgramsRead>, target: Target<TierProgramPath>) -> Reply {
    who.read(move |tx, ctx| ladder(service::ladder(tx, ctx, target.program_id)?))
        .await
}

/// Update tiers
///
/// Changes what is sent of the ladder; `tiers` replaces all tiers. The code of a tier is what enrollments carry and
/// commission rules name. The change counts from the next review on: the preview tells who would move. `422`
/// `tier_in_use` when a tier is left out that partners are in.
#[utoipa::path(tag = "Tiers", operation_id = "updateTierLadder", params(TierProgramPath),
    request_body = PatchTierLadderBody,
    responses((status = 200, description = "The tiers as they are now.", body = TierLadderView)),
    extensions(("x-required-permission" = json!("programs:write"))))]
#[patch("/v1/programs/{program_id}/tiers")]
async fn update_tier_ladder(
    who: Granted<can::ProgramsWrite>,
    target: Target<TierProgramPath>,
    command: Command<PatchTierLadderBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        ladder(service::update_ladder(
            tx,
            ctx,
            target.program_id,
            &command.precondition,
            command.body.patch()?,
        )?)
    })
    .await
}

/// Preview a tier review
///
/// Who would move if the program's tiers were reviewed now: promotions, falls, graces that would begin and graces that
/// would end, in the order in which partners came. Nothing changes. A partner's own caller is told of itself.
#[utoipa::path(tag = "Tiers", operation_id = "previewTierReview", params(TierProgramPath, TierPreviewQuery),
    responses((status = 200, description = "One page of what would happen.", body = TierPreviewPage)),
    extensions(("x-required-permission" = json!("enrollments:read"))))]
#[get("/v1/programs/{program_id}/tier-preview")]
async fn preview_tiers(
    who: Granted<can::EnrollmentsRead>,
    target: Target<TierProgramPath>,
    query: Filter<TierPreviewQuery>,
) -> Reply {
    who.snapshot(move |tx, ctx| {
        let page = query.page(ctx, target.program_id)?;
        let page = review_service::preview(tx, ctx, target.program_id, &page)?;
        Answer::ok(&TierPreviewPage::from(page.map(TierPreviewView::from)))
    })
    .await
}

/// Review tiers
///
/// Reviews all active enrollments of the program now, as happens once a day by itself: whoever has earned more moves up
/// at once, for whoever has earned less the grace begins, and whose grace is over moves down. Pinned tiers stay. `409`
/// when the program has no tiers.
#[utoipa::path(tag = "Tiers", operation_id = "reviewTiers", params(TierProgramPath),
    responses((status = 200, description = "What the review came to.", body = TierReviewView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("enrollments:write"))))]
#[post("/v1/programs/{program_id}/tier-reviews")]
async fn review_tiers(
    who: Granted<can::EnrollmentsWrite>,
    target: Target<TierProgramPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, _| {
        let tally = review_service::review_program(tx, ctx, target.program_id)?;
        Answer::ok(&TierReviewView::of(target.program_id, tally, ctx.now))
    })
    .await
}

/// Get a tier standing
///
/// Where an enrollment stands on the ladder of its program: its tier, what it has earned, what the tier and the one above
/// ask for, when the tier falls if it does, and what is ahead in a sentence, such as "18,000.00 EUR and one deal short of
/// Gold by 30 September." A partner's own caller sees its own.
#[utoipa::path(tag = "Tiers", operation_id = "getTierStanding", params(TierEnrollmentPath),
    responses((status = 200, description = "Where the enrollment stands.", body = TierStandingView)),
    extensions(("x-required-permission" = json!("enrollments:read"))))]
#[get("/v1/enrollments/{enrollment_id}/tier-standing")]
async fn get_tier_standing(who: Granted<can::EnrollmentsRead>, target: Target<TierEnrollmentPath>) -> Reply {
    who.snapshot(move |tx, ctx| {
        let overview = service::standing(tx, ctx, target.enrollment_id)?;
        Answer::ok(&TierStandingView::from(overview))
    })
    .await
}

/// Move to a tier
///
/// Moves an enrollment to a tier, whatever it has earned, with a reason that the partner reads. The next review goes by
/// the figures again, unless the tier is pinned along with the move. `409` when it is in this tier already, when it has
/// ended, and when the program has no tiers. `422` `unknown_tier` for a tier that is not on the ladder.
#[utoipa::path(tag = "Tiers", operation_id = "moveTier", params(TierEnrollmentPath), request_body = MoveTierBody,
    responses((status = 200, description = "Where the enrollment stands now.", body = TierStandingView)),
    extensions(("x-required-permission" = json!("enrollments:write"))))]
#[post("/v1/enrollments/{enrollment_id}/move-tier")]
async fn move_tier(
    who: Granted<can::EnrollmentsWrite>,
    target: Target<TierEnrollmentPath>,
    command: Command<MoveTierBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::move_tier(
            tx,
            ctx,
            target.enrollment_id,
            &command.precondition,
            &command.body.wanted(),
        )?)
    })
    .await
}

/// Pin a tier
///
/// Has reviews leave the tier as it is until an instant; a fall that was announced does not come. A tier that is pinned
/// already is pinned anew. `422` `not_ahead` for an instant that has passed. `409` when the enrollment has ended or the
/// program has no tiers.
#[utoipa::path(tag = "Tiers", operation_id = "pinTier", params(TierEnrollmentPath), request_body = PinTierBody,
    responses((status = 200, description = "Where the enrollment stands now.", body = TierStandingView)),
    extensions(("x-required-permission" = json!("enrollments:write"))))]
#[post("/v1/enrollments/{enrollment_id}/pin-tier")]
async fn pin_tier(
    who: Granted<can::EnrollmentsWrite>,
    target: Target<TierEnrollmentPath>,
    command: Command<PinTierBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::pin(
            tx,
            ctx,
            target.enrollment_id,
            &command.precondition,
            command.body.pinned_until,
            &command.body.reason,
        )?)
    })
    .await
}

/// Unpin a tier
///
/// Has reviews move the tier again, from the next one on. `409` when it is not pinned.
#[utoipa::path(tag = "Tiers", operation_id = "unpinTier", params(TierEnrollmentPath), request_body = ReasonBody,
    responses((status = 200, description = "Where the enrollment stands now.", body = TierStandingView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("enrollments:write"))))]
#[post("/v1/enrollments/{enrollment_id}/unpin-tier")]
async fn unpin_tier(
    who: Granted<can::EnrollmentsWrite>,
    target: Target<TierEnrollmentPath>,
    command: Command<ReasonBody>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        record(service::unpin(
            tx,
            ctx,
            target.enrollment_id,
            &command.precondition,
            &command.body.reason,
        )?)
    })
    .await
}

/// List tier moves
///
/// The moves from tier to tier, newest first, each with who, why, and the figures that it was decided on. A partner's own
/// caller sees its own.
#[utoipa::path(tag = "Tiers", operation_id = "listTierMoves", params(TierMovesQuery),
    responses((status = 200, description = "One page of moves.", body = TierMovePage)),
    extensions(("x-required-permission" = json!("enrollments:read"))))]
#[get("/v1/tier-moves")]
async fn list_tier_moves(who: Granted<can::EnrollmentsRead>, query: Filter<TierMovesQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::moves(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&TierMovePage::from(
            page.map(|turn| TierMoveView::of(turn, &ctx.scope)),
        ))
    })
    .await
}
