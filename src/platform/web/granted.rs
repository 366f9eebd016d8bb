//! Permission as a type: the first parameter of a handler, and the only source of a `Ctx`.

use super::answer::Answer;
use super::command::Command;
use super::once::once;
use super::problem::Refusal;
use super::state::WebState;
use super::{Reply, layers};
use crate::kernel::ctx::{Actor, Ctx, Scope};
use crate::kernel::permission::Right;
use crate::kernel::problem::{Code, Problem};
use crate::platform::credentials::Credential;
use crate::platform::db::Tx;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::{DateTime, Utc};
use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

/// A caller who holds the permission `R`.
pub struct Granted<R> {
    /// The circumstances of the request.
    pub ctx: Ctx,
    /// What the caller came with.
    pub credential: Arc<Credential>,
    state: Data<WebState>,
    right: PhantomData<R>,
}

impl<R> fmt::Debug for Granted<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Granted")
            .field("ctx", &self.ctx)
            .finish_non_exhaustive()
    }
}

impl<R: Right> FromRequest for Granted<R> {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(grant(request).map_err(Refusal))
    }
}

/// The bearer token of a request.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What came of a caller's credential, kept with the request.
struct Introduced {
    now: DateTime<Utc>,
    outcome: Result<Arc<Credential>, Problem>,
}

/// Finds out who calls, before the handler and its parameters are looked at. Parameters are read side by side, and
/// one that waited for the database here would let a stranger hear first what is wrong with the body.
pub(super) async fn introduce(request: &ServiceRequest, state: &WebState, known: Option<Arc<Credential>>) {
    let Some(token) = bearer(request.request()) else {
        return;
    };
    let now = state.clock.now();
    let outcome = state.credentials.authenticate(&state.db, token, known, now).await;
    request.extensions_mut().insert(Introduced { now, outcome });
}

fn grant<R: Right>(request: &HttpRequest) -> Result<Granted<R>, Problem> {
    let state = request
        .app_data::<Data<WebState>>()
        .ok_or_else(Problem::internal)?
        .clone();
    let introduced = request.extensions_mut().remove::<Introduced>();
    let Introduced { now, outcome } = introduced.ok_or_else(|| Problem::new(Code::Unauthorized))?;
    let credential = outcome?;
    if !credential.holds(R::PERMISSION) {
        let detail = format!("This operation needs the permission {}.", R::PERMISSION.name());
        return Err(Problem::new(Code::PermissionDenied).because(detail));
    }
    let ctx = Ctx {
        actor: Actor::ApiKey(credential.api_key_id),
        scope: Scope {
            organization_id: credential.organization_id,
            partner_id: credential.partner_id,
        },
        now,
        request_id: layers::current_request_id().ok_or_else(Problem::internal)?,
        address: request.peer_addr().map(|address| address.ip().to_string()),
    };
    Ok(Granted {
        ctx,
        credential,
        state,
        right: PhantomData,
    })
}

impl<R: Right> Granted<R> {
    /// The shared state; for the few handlers that do more than read or write.
    pub fn state(&self) -> &WebState {
        &self.state
    }

    /// Answers from what is committed.
    pub async fn read<F>(self, work: F) -> Reply
    where
        F: Fn(&mut Tx<'_>, &Ctx) -> Result<Answer, Problem> + Send + 'static,
    {
        let ctx = self.ctx.clone();
        let outcome = self.state.db.read(&self.ctx, move |tx| work(tx, &ctx)).await;
        self.reply(outcome)
    }

    /// Answers several queries from one snapshot.
    pub async fn snapshot<F>(self, work: F) -> Reply
    where
        F: Fn(&mut Tx<'_>, &Ctx) -> Result<Answer, Problem> + Send + 'static,
    {
        let ctx = self.ctx.clone();
        let outcome = self.state.db.snapshot(&self.ctx, move |tx| work(tx, &ctx)).await;
        self.reply(outcome)
    }

    /// Changes something, once per Idempotency-Key.
    pub async fn write<T, F>(self, command: Command<T>, work: F) -> Reply
    where
        T: Send + Sync + 'static,
        F: Fn(&mut Tx<'_>, &Ctx, &Command<T>) -> Result<Answer, Problem> + Send + 'static,
    {
        let ctx = self.ctx.clone();
        let work = move |tx: &mut Tx<'_>| match &command.key {
            Some(key) => once(tx, &ctx, key, |tx| work(tx, &ctx, &command)),
            None => work(tx, &ctx, &command),
        };
        let outcome = self.state.db.write(&self.ctx, work).await;
        self.reply(outcome)
    }

    /// A key that Postgres refused is forgotten, so that the next request asks anew.
    fn reply(&self, outcome: Result<Answer, Problem>) -> Reply {
        outcome.map_err(|problem| {
            if problem.code == Code::Unauthorized {
                self.state.credentials.forget(&self.credential);
            }
            Refusal(problem)
        })
    }
}
