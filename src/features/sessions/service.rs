//! The verbs of a session.

use super::domain::{NewSession, RevokedBecause, Session};
use super::store::{self, SessionFilter};
use crate::features::authentication_events::{self, AuthenticationEvent, AuthenticationEventType};
use crate::features::partners::{self, PartnerStatus};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{OrganizationId, PartnerId, SessionId};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::credentials::{KeyHash, NewSecret};
use crate::platform::db::{Change, Db, Page, PageRequest, Subject, Tx};
use chrono::TimeDelta;

/// One session, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: SessionId) -> Result<Session, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the sessions that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &SessionFilter,
    page: &PageRequest,
) -> Result<Page<Session>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Makes a session of the caller, with a refresh token where one was asked for.
pub fn create(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    new: NewSession,
    refresh: Option<&NewSecret>,
) -> Result<Session, Problem> {
    let partner_id = ctx.partner_of_new(new.partner_id)?;
    let new = NewSession { partner_id, ..new };
    new.check(ctx)?;
    if let Some(partner_id) = new.partner_id {
        let unknown = Problem::field("/partner_id", "unknown_reference", "There is no such record.");
        partners::get(tx, ctx, partner_id).map_err(|problem| problem.or_if_missing(unknown))?;
    }
    let session = Session::open(ctx, &new);
    store::insert(tx, &ctx.scope, &session)?;
    if let Some(refresh) = refresh {
        store::add_refresh_token(tx, ctx, session.id, 1, &refresh.hash)?;
    }
    note(tx, ctx, AuthenticationEventType::SessionCreated, &session)?;
    let change = Change::created("session.created", subject(&session), &session);
    record(tx, ctx, change, &session);
    Ok(session)
}

/// Ends a session before its time.
pub fn revoke(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: SessionId,
    precondition: &Precondition,
    because: RevokedBecause,
) -> Result<Session, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let session = end(tx, ctx, before, because)?;
    note(tx, ctx, AuthenticationEventType::SessionRevoked, &session)?;
    Ok(session)
}

fn end(tx: &mut Tx<'_>, ctx: &Ctx, before: Session, because: RevokedBecause) -> Result<Session, Problem> {
    let after = before.clone().revoke(because, ctx.wall_now)?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated("session.revoked", subject(&after), &before, &after);
    record(tx, ctx, change, &after);
    Ok(after)
}

/// What came of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// The session goes on.
    Open(Session),
    /// It does not, or not any more; what was written about it stays written.
    Refused,
}

/// Exchanges a refresh token for the next one. One that was exchanged before was stolen, or its successor was: nobody can
/// tell which, and the session ends.
pub fn refresh(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: SessionId,
    presented: &KeyHash,
    next: &NewSecret,
) -> Result<Refreshed, Problem> {
    let session = store::lock(tx, &ctx.scope, id)?.filter(|session| session.is_open(ctx.wall_now));
    let Some(session) = session else {
        return Ok(Refreshed::Refused);
    };
    let Some(token) = store::refresh_token(tx, &ctx.scope, id, presented)? else {
        return Ok(Refreshed::Refused);
    };
    if token.is_used {
        let session = end(tx, ctx, session, RevokedBecause::RefreshTokenReused)?;
        note(tx, ctx, AuthenticationEventType::RefreshTokenReused, &session)?;
        return Ok(Refreshed::Refused);
    }
    if token.expires_at <= ctx.wall_now || !is_let_in(tx, ctx, &session)? {
        return Ok(Refreshed::Refused);
    }
    store::use_refresh_token(tx, ctx, id, token.number)?;
    store::add_refresh_token(tx, ctx, id, token.number + 1, &next.hash)?;
    note(tx, ctx, AuthenticationEventType::SessionRefreshed, &session)?;
    Ok(Refreshed::Open(session))
}

fn is_let_in(tx: &mut Tx<'_>, ctx: &Ctx, session: &Session) -> Result<bool, Problem> {
    let is_out =
        |status: PartnerStatus| matches!(status, PartnerStatus::Suspended | PartnerStatus::Terminated);
    if let Some(partner_id) = session.partner_id
        && is_out(partners::get(tx, ctx, partner_id)?.status)
    {
        return Ok(false);
    }
    store::is_let_in(tx, ctx, session.id)
}

/// The organization, the session that a refresh token belongs to, good or not, and how far the organization's clock is
/// ahead; asked before any scope is known.
pub async fn of_refresh_token(
    db: &Db,
    hash: KeyHash,
) -> Result<Option<(OrganizationId, SessionId, TimeDelta)>, Problem> {
    store::of_refresh_token(db, hash).await
}

fn note(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    event_type: AuthenticationEventType,
    session: &Session,
) -> Result<(), Problem> {
    let event = AuthenticationEvent::of(ctx, event_type, session.bearer());
    authentication_events::note(tx, ctx, &event)
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, change: Change, session: &Session) {
    tx.record(ctx, change.for_partner(session.partner_id.map(PartnerId::uuid)));
}

fn subject(session: &Session) -> Subject {
    Subject {
        kind: "session",
        id: session.id.uuid(),
    }
}
