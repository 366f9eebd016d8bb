//! Permission as a type: the first parameter of a handler, and the only source of a `Ctx`.

use super::Reply;
use super::answer::Answer;
use super::command::Command;
use super::once::{RequestKey, once};
use super::problem::Refusal;
use super::state::WebState;
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{OrganizationId, RequestId};
use crate::kernel::permission::Right;
use crate::kernel::problem::{Code, Problem};
use crate::platform::credentials::{Credential, Visit};
use crate::platform::db::Tx;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// How often a request is done again because the caller's rights, or its organization's clock, changed
/// meanwhile.
const MOST_RENEWALS: u32 = 3;

/// A caller who holds the permission `R`.
pub struct Granted<R> {
    caller: Caller,
    right: PhantomData<R>,
}

/// A caller who was let in. What is done for it is done here, for callers of any permission alike and behind one
/// pointer, so that the compiler writes it once and not once for every operation.
pub struct Caller {
    /// The circumstances of the request.
    pub ctx: Ctx,
    /// What the caller came with.
    pub credential: Arc<Credential>,
    state: Data<WebState>,
    token: Arc<str>,
    visit: Visit,
    renewals: u32,
    allow: fn(&Credential) -> Result<(), Problem>,
}

/// What is done in the caller's scope.
type Work = Arc<dyn Fn(&mut Tx<'_>, &Ctx) -> Result<Answer, Problem> + Send + Sync>;

impl<R> fmt::Debug for Granted<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.caller.fmt(formatter)
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Caller")
            .field("ctx", &self.ctx)
            .finish_non_exhaustive()
    }
}

impl<R> Deref for Granted<R> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<R: Right> FromRequest for Granted<R> {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = grant(request, allow::<R>).map_err(Refusal);
        ready(caller.map(|caller| Self {
            caller,
            right: PhantomData,
        }))
    }
}

/// The bearer token of a request.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The header by which a caller names the organization that it means; needed where several take its token.
const ORGANIZATION: &str = "copartner-organization";

/// The organization that the caller names: none, one, or something that is none.
fn organization(request: &HttpRequest) -> Result<Option<OrganizationId>, ()> {
    let named = request.headers().get(ORGANIZATION).map(HeaderValue::to_str);
    named
        .map(|text| text.map_err(|_| ())?.parse().map_err(|_| ()))
        .transpose()
}

/// The caller, as far as it is remembered.
pub(super) fn presented(request: &HttpRequest, state: &WebState) -> Option<Arc<Credential>> {
    let organization_id = organization(request).ok()?;
    state.credentials.known(bearer(request)?, organization_id)
}

/// What came of a caller's credential, kept with the request.
struct Introduced {
    visit: Visit,
    token: Arc<str>,
    outcome: Result<Arc<Credential>, Problem>,
}

/// Finds out who calls, before the handler and its parameters are looked at. Parameters are read side by side, and
/// one that waited for the database here would let a stranger hear first what is wrong with the body.
pub(super) async fn introduce(
    request: &ServiceRequest,
    state: &WebState,
    id: RequestId,
    known: Option<Arc<Credential>>,
) {
    let Some(token) = bearer(request.request()) else {
        return;
    };
    let named = organization(request.request());
    let visit = Visit {
        now: state.clock.now(),
        address: request.peer_addr().map(|address| address.ip()),
        request_id: id,
        organization_id: named.unwrap_or_default(),
    };
    let outcome = match named {
        Ok(_) => let_in(request, state, token, known, &visit).await,
        Err(()) => Err(Problem::new(Code::Unauthorized)),
    };
    let token = Arc::from(token);
    request.extensions_mut().insert(Introduced {
        visit,
        token,
        outcome,
    });
}

async fn let_in(
    request: &ServiceRequest,
    state: &WebState,
    token: &str,
    known: Option<Arc<Credential>>,
    visit: &Visit,
) -> Result<Arc<Credential>, Problem> {
    let (db, credentials) = (&state.db, &state.credentials);
    let credential = credentials.authenticate(db, token, known, visit).await?;
    if may_have_gained(&credential, request, state) {
        return credentials.renew(db, &credential, token, visit).await;
    }
    Ok(credential)
}

/// Whether the caller lacks the permission by what is remembered of a person, who may hold it by now. Rights that were
/// lost are told by Postgres.
fn may_have_gained(credential: &Credential, request: &ServiceRequest, state: &WebState) -> bool {
    if credential.person.is_none() {
        return false;
    }
    let needed = state.contract.permissions_at(request.method(), request.path());
    !needed.is_empty() && !needed.iter().any(|permission| credential.holds(*permission))
}

fn grant(request: &HttpRequest, allow: fn(&Credential) -> Result<(), Problem>) -> Result<Caller, Problem> {
    let state = request
        .app_data::<Data<WebState>>()
        .ok_or_else(Problem::internal)?
        .clone();
    let introduced = request.extensions_mut().remove::<Introduced>();
    let Introduced {
        visit,
        token,
        outcome,
    } = introduced.ok_or_else(|| Problem::new(Code::Unauthorized))?;
    let credential = outcome?;
    allow(&credential)?;
    let ctx = Ctx {
        actor: credential.actor,
        person: credential.person,
        session_id: credential.session_id,
        identity_provider_id: credential.identity_provider_id,
        second_factor: credential.second_factor,
        access_version: Some(credential.access_version),
        key_ends_at: credential.key_ends_at(),
        admission_id: credential.admission_id,
        rights: Arc::clone(&credential.rights),
        scope: Scope {
            organization_id: credential.organization_id,
            partner_id: credential.partner_id,
        },
        now: visit.now + credential.clock_offset,
        wall_now: visit.now,
        request_id: visit.request_id,
        address: visit.address.map(|address| address.to_string()),
    };
    Ok(Caller {
        ctx,
        credential,
        state,
        token,
        visit,
        renewals: 0,
        allow,
    })
}

fn allow<R: Right>(credential: &Credential) -> Result<(), Problem> {
    match R::PERMISSION {
        Some(permission) if !credential.holds(permission) => {
            let detail = format!("This operation needs the permission {}.", permission.name());
            Err(Problem::new(Code::PermissionDenied).because(detail))
        }
        _ => Ok(()),
    }
}

impl<R: Right> Granted<R> {
    /// The caller with the rights of the moment; for handlers that work outside [`Self::read`] and [`Self::write`].
    pub async fn confirmed(mut self) -> Result<Self, Refusal> {
        self.caller.confirm().await?;
        Ok(self)
    }

    /// Answers from what is committed.
    pub async fn read<F>(self, work: F) -> Reply
    where
        F: Fn(&mut Tx<'_>, &Ctx) -> Result<Answer, Problem> + Send + Sync + 'static,
    {
        self.caller.read(Arc::new(work)).await
    }

    /// Answers several queries from one snapshot.
    pub async fn snapshot<F>(self, work: F) -> Reply
    where
        F: Fn(&mut Tx<'_>, &Ctx) -> Result<Answer, Problem> + Send + Sync + 'static,
    {
        self.caller.snapshot(Arc::new(work)).await
    }

    /// Reads something that is no answer by itself; the caller may read on.
    pub(super) async fn read_again<T, F>(&mut self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, &Ctx) -> Result<T, Problem> + Clone + Send + Sync + 'static,
    {
        let caller = &mut self.caller;
        loop {
            let (ctx, work) = (caller.ctx.clone(), work.clone());
            let outcome = caller.state.db.read(&caller.ctx, move |tx| work(tx, &ctx)).await;
            if let Some(value) = caller.renewed(outcome).await? {
                return Ok(value);
            }
        }
    }

    /// Answers, and keeps that it did: a read that is told and audited. The answer itself is kept nowhere.
    pub async fn recorded<F>(self, work: F) -> Reply
    where
        F: Fn(&mut Tx<'_>, &Ctx) -> Result<Answer, Problem> + Send + Sync + 'static,
    {
        self.caller.write(None, Arc::new(work)).await
    }

    /// Changes something, once per Idempotency-Key.
    pub async fn write<T, F>(self, command: Command<T>, work: F) -> Reply
    where
        T: Send + Sync + 'static,
        F: Fn(&mut Tx<'_>, &Ctx, &Command<T>) -> Result<Answer, Problem> + Send + Sync + 'static,
    {
        let key = command.key.clone();
        let work: Work = Arc::new(move |tx, ctx| work(tx, ctx, &command));
        self.caller.write(key, work).await
    }
}

impl Caller {
    /// The shared state; for the few handlers that do more than read or write.
    pub fn state(&self) -> &WebState {
        &self.state
    }

    async fn confirm(&mut self) -> Result<(), Refusal> {
        loop {
            let outcome = self.state.db.read(&self.ctx, |tx| tx.confirm_caller()).await;
            if self.renewed(outcome).await?.is_some() {
                return Ok(());
            }
        }
    }

    async fn read(mut self, work: Work) -> Reply {
        loop {
            let (ctx, work) = (self.ctx.clone(), Arc::clone(&work));
            let outcome = self.state.db.read(&self.ctx, move |tx| work(tx, &ctx)).await;
            if let Some(answer) = self.renewed(outcome).await? {
                return Ok(answer);
            }
        }
    }

    async fn snapshot(mut self, work: Work) -> Reply {
        loop {
            let (ctx, work) = (self.ctx.clone(), Arc::clone(&work));
            let outcome = self.state.db.snapshot(&self.ctx, move |tx| work(tx, &ctx)).await;
            if let Some(answer) = self.renewed(outcome).await? {
                return Ok(answer);
            }
        }
    }

    async fn write(mut self, key: Option<RequestKey>, work: Work) -> Reply {
        loop {
            let (ctx, work, key) = (self.ctx.clone(), Arc::clone(&work), key.clone());
            let work = move |tx: &mut Tx<'_>| match &key {
                Some(key) => once(tx, &ctx, key, |tx| work(tx, &ctx)),
                None => work(tx, &ctx),
            };
            let outcome = self.state.db.write(&self.ctx, work).await;
            if let Some(answer) = self.renewed(outcome).await? {
                return Ok(answer);
            }
        }
    }

    /// The outcome, or nothing when the work has to be done again because the caller's rights had changed since they
    /// were looked up, or a sandbox's clock: now the caller has those of the moment, which may no longer suffice.
    async fn renewed<T>(&mut self, outcome: Result<T, Problem>) -> Result<Option<T>, Refusal> {
        match outcome {
            Err(problem) if problem.code == Code::RightsChanged && self.renewals < MOST_RENEWALS => {
                self.renewals += 1;
                let state = &self.state;
                let renewed = state
                    .credentials
                    .renew(&state.db, &self.credential, &self.token, &self.visit)
                    .await;
                let credential = renewed.map_err(Refusal)?;
                (self.allow)(&credential).map_err(Refusal)?;
                self.ctx.access_version = Some(credential.access_version);
                self.ctx.key_ends_at = credential.key_ends_at();
                self.ctx.admission_id = credential.admission_id;
                self.ctx.rights = Arc::clone(&credential.rights);
                self.ctx.second_factor = credential.second_factor;
                self.ctx.now = self.ctx.wall_now + credential.clock_offset;
                self.credential = credential;
                Ok(None)
            }
            outcome => self.settled(outcome).map(Some),
        }
    }

    /// A credential that Postgres refused is forgotten, so that the next request asks anew.
    fn settled<T>(&self, outcome: Result<T, Problem>) -> Result<T, Refusal> {
        outcome.map_err(|problem| {
            let (credentials, credential) = (&self.state.credentials, &self.credential);
            if problem.code == Code::Unauthorized {
                credentials.refused(&self.state.db, credential, &self.visit);
            }
            if matches!(problem.code, Code::Unauthorized | Code::RightsChanged) {
                credentials.forget(credential);
            }
            Refusal(problem)
        })
    }
}
