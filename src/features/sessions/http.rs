//! The operations on sessions.

use super::domain::{RevokedBecause, Session};
use super::dto::{
    IssuerPath, KeySetView, NewSessionBody, OpenedSessionView, RefreshBody, SessionPage, SessionPath,
    SessionView, SessionsQuery, Tokens,
};
use super::service::{self, Refreshed};
use crate::kernel::ctx::Ctx;
use crate::kernel::permission::{Anyone, can};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::version::Precondition;
use crate::platform::credentials::{NewSecret, hash_of};
use crate::platform::tokens::{seals, signing};
use crate::platform::web::problem::Refusal;
use crate::platform::web::{Answer, Command, Filter, Granted, Nothing, Reply, Target, WebState, layers};
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use chrono::TimeDelta;
use std::sync::Arc;
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_sessions)
        .service(create_session)
        .service(refresh_session)
        .service(get_session)
        .service(revoke_session)
        .service(log_out)
        .service(get_issuer_keys);
}

fn record(session: Session) -> Result<Answer, Problem> {
    let version = session.row_version;
    Answer::record(&SessionView::from(session), version)
}

/// List sessions
///
/// The sessions that you may see, newest first, without their tokens. A partner's callers see those that are confined to
/// their partner.
#[utoipa::path(tag = "Sessions", operation_id = "listSessions", params(SessionsQuery),
    responses((status = 200, description = "One page of sessions.", body = SessionPage)),
    extensions(("x-required-permission" = json!("sessions:read"))))]
#[get("/v1/sessions")]
async fn list_sessions(who: Granted<can::SessionsRead>, query: Filter<SessionsQuery>) -> Reply {
    who.read(move |tx, ctx| {
        let page = service::list(tx, ctx, &query.filter(), &query.page(ctx)?)?;
        Answer::ok(&SessionPage::from(page.map(SessionView::from)))
    })
    .await
}

/// Create a session
///
/// Exchanges the API key or the identity provider's token that you call with for a short-lived access token, shown this
/// one time. It lets in what you may do at the moment, or, with `permissions`, only some of it; with `partner_id` only what
/// that partner sees, which is the token to embed in a partner's browser. Revoking your credential ends it at the next
/// request. With `refreshable` there is a refresh token too, which is good once. An answer given again for the same
/// Idempotency-Key has `null` for the tokens. `403` with a session's own token: no session comes of a session.
#[utoipa::path(tag = "Sessions", operation_id = "createSession", request_body = NewSessionBody,
    responses((status = 201, description = "The new session with its tokens.", body = OpenedSessionView)))]
#[post("/v1/sessions")]
async fn create_session(who: Granted<Anyone>, command: Command<NewSessionBody>) -> Reply {
    let (state, now) = (who.state(), who.ctx.wall_now);
    let organization_id = who.ctx.organization_id();
    let key = state
        .credentials
        .signer()
        .key(&state.db, organization_id, now)
        .await?;
    let refresh = NewSecret::generate_refresh()?;
    who.write(command, move |tx, ctx, command| {
        let new = command.body.terms()?;
        let (access, refresh) = (new.access, new.refreshable.then_some(&refresh));
        let session = service::create(tx, ctx, new, refresh)?;
        let tokens = Tokens::sign(&key, &session, access, refresh, ctx.wall_now)?;
        let (id, version) = (session.id, session.row_version);
        let kept = OpenedSessionView::new(session.clone(), None);
        let shown = OpenedSessionView::new(session, Some(tokens));
        Answer::created("sessions", id, &shown, version)?.keeping(&kept)
    })
    .await
}

/// Refresh a session
///
/// Exchanges a refresh token for a new access token and the next refresh token. A refresh token is good once: when one
/// comes a second time, the session is revoked, because nobody can tell who of the two is its bearer. So keep the new one
/// before you use it, and sign in anew when an answer was lost. Needs no other credential; `401` when the token is not good.
#[utoipa::path(tag = "Sessions", operation_id = "refreshSession", security(()), request_body = RefreshBody,
    responses((status = 200, description = "The session with its new tokens.", body = OpenedSessionView)),
    extensions(("x-carries-credential" = json!(true))))]
#[post("/v1/refresh-tokens/exchange")]
async fn refresh_session(
    state: Data<WebState>,
    request: HttpRequest,
    command: Command<RefreshBody>,
) -> Reply {
    let unauthorized = || Refusal(Problem::new(Code::Unauthorized));
    let presented = hash_of(&command.body.refresh_token);
    let whose = service::of_refresh_token(&state.db, presented).await?;
    let (organization_id, session_id, clock_offset) = whose.ok_or_else(unauthorized)?;
    let ctx = Ctx {
        request_id: layers::current_request_id().ok_or_else(Problem::internal)?,
        address: request.peer_addr().map(|address| address.ip().to_string()),
        ..Ctx::system(organization_id, state.clock.now()).ahead_by(clock_offset)
    };
    let signer = state.credentials.signer();
    let key = signer.key(&state.db, organization_id, ctx.wall_now).await?;
    let next = Arc::new(NewSecret::generate_refresh()?);
    let (circumstances, secret) = (ctx.clone(), Arc::clone(&next));
    let refreshed = state
        .db
        .write(&ctx, move |tx| {
            service::refresh(tx, &circumstances, session_id, &presented, &secret)
        })
        .await?;
    let Refreshed::Open(session) = refreshed else {
        return Err(unauthorized());
    };
    let access = TimeDelta::seconds(i64::from(command.body.expires_in_seconds));
    let tokens = Tokens::sign(&key, &session, access, Some(&next), ctx.wall_now)?;
    let version = session.row_version;
    Ok(Answer::record(
        &OpenedSessionView::new(session, Some(tokens)),
        version,
    )?)
}

/// Get a session
///
/// One session, without its tokens.
#[utoipa::path(tag = "Sessions", operation_id = "getSession", params(SessionPath),
    responses((status = 200, description = "The session.", body = SessionView)),
    extensions(("x-required-permission" = json!("sessions:read"))))]
#[get("/v1/sessions/{session_id}")]
async fn get_session(who: Granted<can::SessionsRead>, target: Target<SessionPath>) -> Reply {
    who.read(move |tx, ctx| record(service::get(tx, ctx, target.session_id)?))
        .await
}

/// Revoke a session
///
/// Ends a session: its access tokens are refused at the next request, and it is not refreshed any more. `409` when it is
/// revoked already.
#[utoipa::path(tag = "Sessions", operation_id = "revokeSession", params(SessionPath),
    responses((status = 200, description = "The revoked session.", body = SessionView)),
    extensions(("x-without-if-match" = json!(true)), ("x-required-permission" = json!("sessions:write"))))]
#[post("/v1/sessions/{session_id}/revoke")]
async fn revoke_session(
    who: Granted<can::SessionsWrite>,
    target: Target<SessionPath>,
    command: Command<Nothing>,
) -> Reply {
    who.write(command, move |tx, ctx, command| {
        let precondition = &command.precondition;
        record(service::revoke(
            tx,
            ctx,
            target.session_id,
            precondition,
            RevokedBecause::Revoked,
        )?)
    })
    .await
}

/// Log out
///
/// Ends the session whose access token you call with. `409` when you call with another credential: there is no session to
/// end.
#[utoipa::path(tag = "Sessions", operation_id = "logOut",
    responses((status = 200, description = "The revoked session.", body = SessionView)))]
#[post("/v1/me/log-out")]
async fn log_out(who: Granted<Anyone>, command: Command<Nothing>) -> Reply {
    who.write(command, move |tx, ctx, _| {
        let none = || Problem::wrong_state("log_out", "without_session", &[]);
        let id = ctx.session_id.ok_or_else(none)?;
        let any = Precondition::default();
        record(service::revoke(tx, ctx, id, &any, RevokedBecause::LoggedOut)?)
    })
    .await
}

/// Get an issuer's keys
///
/// The public keys that the access tokens of an organization's sessions, and its statements, are signed with (JSON Web Key
/// Set, RFC 7517); the claim `iss` of such a token is this address without `/jwks.json`. The keys of tokens change every
/// day and with every replica: fetch them anew when a token names one that you do not have. A key that signed a statement
/// stays. Needs no credential; an organization that is not there has none.
#[utoipa::path(tag = "Sessions", operation_id = "getIssuerKeys", security(()), params(IssuerPath),
    responses((status = 200, description = "The public keys.", body = KeySetView)))]
#[get("/v1/issuers/{organization_id}/jwks.json")]
async fn get_issuer_keys(state: Data<WebState>, target: Target<IssuerPath>) -> Reply {
    let now = state.clock.now();
    let of_tokens = signing::published(&state.db, target.organization_id, now).await?;
    let of_statements = seals::published(&state.db, target.organization_id).await?;
    Ok(Answer::ok(&KeySetView::new(&of_tokens, &of_statements))?)
}
