//! The operations that answer about authorization.

use super::dto::{AnswerView, MeView, QuestionBody};
use super::service;
use crate::kernel::permission::{Anyone, can};
use crate::platform::web::{Answer, Command, Granted, Reply};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_me).service(explain_authorization);
}

/// Get yourself
///
/// Who the service takes you for, what you may do, and until when. Every credential that is good may ask.
#[utoipa::path(tag = "Authorization", operation_id = "getMe",
    responses((status = 200, description = "The caller.", body = MeView)))]
#[get("/v1/me")]
async fn get_me(who: Granted<Anyone>) -> Reply {
    let expires_at = who.credential.expires_at;
    who.read(move |tx, ctx| {
        tx.confirm_caller()?;
        Answer::ok(&MeView::of(ctx, expires_at)?)
    })
    .await
}

/// Explain an authorization
///
/// Whether a user or a key may do something, with a record or with any, and by which rule. Changes nothing. The record
/// is looked up with the actor's own reach. `422` for an actor or a record that you do not see yourself.
#[utoipa::path(tag = "Authorization", operation_id = "explainAuthorization", request_body = QuestionBody,
    responses((status = 200, description = "The answer.", body = AnswerView)),
    extensions(("x-required-permission" = json!("authorization:explain"))))]
#[post("/v1/authorization/explain")]
async fn explain_authorization(
    who: Granted<can::AuthorizationExplain>,
    command: Command<QuestionBody>,
) -> Reply {
    let body = command.body;
    who.snapshot(move |tx, ctx| {
        let rule = service::explain(tx, ctx, &body.question()?)?;
        Answer::ok(&AnswerView::new(&body, rule))
    })
    .await
}
