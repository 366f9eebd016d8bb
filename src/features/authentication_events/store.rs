//! Authentication events in Postgres. Every query takes the caller's scope.

use super::domain::{AuthenticationEvent, AuthenticationEventType};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{
    ApiKeyId, AuthenticationEventId, IdentityProviderId, PartnerId, RequestId, SessionId, UserId,
};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::authentication_events;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use crate::platform::tokens::refusal::RefusalReason;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use std::str::FromStr;
use uuid::Uuid;

/// Which events a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct AuthenticationEventFilter {
    /// Of this type.
    pub event_type: Option<AuthenticationEventType>,
    /// Of this user.
    pub user_id: Option<UserId>,
    /// At or after this instant.
    pub occurred_at_gte: Option<DateTime<Utc>>,
    /// Before this instant.
    pub occurred_at_lt: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = authentication_events, check_for_backend(diesel::pg::Pg))]
struct AuthenticationEventRow {
    organization_id: Uuid,
    id: Uuid,
    partner_id: Option<Uuid>,
    type_: String,
    reason: Option<String>,
    api_key_id: Option<Uuid>,
    user_id: Option<Uuid>,
    identity_provider_id: Option<Uuid>,
    session_id: Option<Uuid>,
    subject: Option<String>,
    address: Option<String>,
    request_id: Option<Uuid>,
    occurred_at: DateTime<Utc>,
}

/// Writes an event.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, event: &AuthenticationEvent) -> Result<(), Problem> {
    let row = AuthenticationEventRow::of(scope, event);
    Prepared(diesel::insert_into(authentication_events::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// A page of events, newest first. An event's id is of the instant at which it occurred.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &AuthenticationEventFilter,
    page: &PageRequest,
) -> Result<Page<AuthenticationEvent>, Problem> {
    let mut query = authentication_events::table
        .filter(authentication_events::organization_id.eq(scope.organization_id.uuid()))
        .select(AuthenticationEventRow::as_select())
        .order(authentication_events::id.desc())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(authentication_events::partner_id.eq(partner_id.uuid()));
    }
    if let Some(event_type) = filter.event_type {
        query = query.filter(authentication_events::type_.eq(event_type.as_str()));
    }
    if let Some(user_id) = filter.user_id {
        query = query.filter(authentication_events::user_id.eq(user_id.uuid()));
    }
    if let Some(instant) = filter.occurred_at_gte {
        query = query
            .filter(authentication_events::occurred_at.ge(instant))
            .filter(authentication_events::id.ge(AuthenticationEventId::least_at(instant).uuid()));
    }
    if let Some(instant) = filter.occurred_at_lt {
        let after = instant
            .checked_add_signed(TimeDelta::milliseconds(1))
            .unwrap_or(instant);
        query = query
            .filter(authentication_events::occurred_at.lt(instant))
            .filter(authentication_events::id.lt(AuthenticationEventId::least_at(after).uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(authentication_events::id.lt(last.id));
    }
    let rows: Vec<AuthenticationEventRow> = page.rows_of(query).load(tx.connection())?;
    let events: Vec<AuthenticationEvent> = rows
        .into_iter()
        .map(AuthenticationEvent::try_from)
        .collect::<Result<_, _>>()?;
    Ok(page.page(events, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

impl AuthenticationEventRow {
    fn of(scope: &Scope, event: &AuthenticationEvent) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: event.id.uuid(),
            partner_id: event.partner_id.map(PartnerId::uuid),
            type_: event.event_type.as_str().to_owned(),
            reason: event.reason.map(|reason| reason.as_str().to_owned()),
            api_key_id: event.api_key_id.map(ApiKeyId::uuid),
            user_id: event.user_id.map(UserId::uuid),
            identity_provider_id: event.identity_provider_id.map(IdentityProviderId::uuid),
            session_id: event.session_id.map(SessionId::uuid),
            subject: event.subject.clone(),
            address: event.address.clone(),
            request_id: event.request_id.map(RequestId::uuid),
            occurred_at: event.occurred_at,
        }
    }
}

impl TryFrom<AuthenticationEventRow> for AuthenticationEvent {
    type Error = Problem;

    fn try_from(row: AuthenticationEventRow) -> Result<Self, Problem> {
        let reason = row.reason.as_deref().map(RefusalReason::from_str);
        Ok(Self {
            id: AuthenticationEventId::from_uuid(row.id),
            partner_id: row.partner_id.map(PartnerId::from_uuid),
            event_type: AuthenticationEventType::from_str(&row.type_).map_err(Problem::damaged)?,
            reason: reason.transpose().map_err(Problem::damaged)?,
            api_key_id: row.api_key_id.map(ApiKeyId::from_uuid),
            user_id: row.user_id.map(UserId::from_uuid),
            identity_provider_id: row.identity_provider_id.map(IdentityProviderId::from_uuid),
            session_id: row.session_id.map(SessionId::from_uuid),
            subject: row.subject,
            address: row.address,
            request_id: row.request_id.map(RequestId::from_uuid),
            occurred_at: row.occurred_at,
        })
    }
}
