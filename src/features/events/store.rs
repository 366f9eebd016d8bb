//! Events in Postgres. Every query takes the caller's scope.

use super::domain::Event;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{EventId, OrganizationId, PartnerId};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::schema::events;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

/// Events numbered in one transaction at most.
const NUMBERED_AT_ONCE: i32 = 5_000;

/// Which events a list shows.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Behind this number.
    pub after_sequence: Option<i64>,
    /// Any of these names; empty is all.
    pub names: Vec<String>,
    /// That happened to records of this noun.
    pub subject_type: Option<String>,
    /// Happened at or after this instant.
    pub occurred_at_gte: Option<DateTime<Utc>>,
    /// Happened before this instant.
    pub occurred_at_lt: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(diesel::pg::Pg))]
struct EventRow {
    id: Uuid,
    #[diesel(select_expression = events::sequence.assume_not_null())]
    sequence: i64,
    type_: String,
    subject_type: String,
    subject_id: Uuid,
    partner_id: Option<Uuid>,
    data: Value,
    occurred_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = Integer)]
    numbered: i32,
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
}

/// Numbers committed events of the organization in scope.
pub fn number(tx: &mut Tx<'_>) -> Result<i32, Problem> {
    let query =
        diesel::sql_query("SELECT sequence_events($1) AS numbered").bind::<Integer, _>(NUMBERED_AT_ONCE);
    let done: Numbered = Prepared(query).get_result(tx.connection())?;
    Ok(done.numbered)
}

/// The organizations with events that have no number yet.
pub fn organizations_waiting(connection: &mut PgConnection) -> Result<Vec<OrganizationId>, Problem> {
    let query = diesel::sql_query("SELECT organizations_with_unsequenced_events() AS organization_id");
    let waiting: Vec<Waiting> = Prepared(query).load(connection)?;
    Ok(waiting
        .into_iter()
        .map(|row| OrganizationId::from_uuid(row.organization_id))
        .collect())
}

/// A page of numbered events.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &EventFilter,
    page: &PageRequest,
) -> Result<Page<Event>, Problem> {
    let seen = page.after.as_ref().and_then(|last| last.key.parse().ok());
    let after: i64 = seen.or(filter.after_sequence).unwrap_or(0);
    let mut query = events::table
        .filter(events::organization_id.eq(scope.organization_id.uuid()))
        .filter(events::sequence.gt(after))
        .select(EventRow::as_select())
        .order(events::sequence.asc())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(events::partner_id.eq(partner_id.uuid()));
    }
    if !filter.names.is_empty() {
        query = query.filter(events::type_.eq_any(&filter.names));
    }
    if let Some(subject_type) = &filter.subject_type {
        query = query.filter(events::subject_type.eq(subject_type));
    }
    if let Some(instant) = filter.occurred_at_gte {
        query = query.filter(events::occurred_at.ge(instant));
    }
    if let Some(instant) = filter.occurred_at_lt {
        query = query.filter(events::occurred_at.lt(instant));
    }
    let rows: Vec<EventRow> = page.rows_of(query).load(tx.connection())?;
    let events = rows.into_iter().map(Event::from).collect();
    Ok(page.page(events, |last: &Event| Position {
        key: last.sequence.to_string(),
        id: last.id.uuid(),
    }))
}

/// A page of the numbered events of a partner, newest first.
pub fn timeline(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: PartnerId,
    names: &[String],
    page: &PageRequest,
) -> Result<Page<Event>, Problem> {
    let mut query = events::table
        .filter(events::organization_id.eq(scope.organization_id.uuid()))
        .filter(events::partner_id.eq(partner_id.uuid()))
        .filter(events::sequence.is_not_null())
        .select(EventRow::as_select())
        .order(events::sequence.desc())
        .into_boxed();
    if let Some(last) = &page.after {
        let before: i64 = last.key.parse().map_err(|_| Problem::new(Code::InvalidCursor))?;
        query = query.filter(events::sequence.lt(before));
    }
    if !names.is_empty() {
        query = query.filter(events::type_.eq_any(names));
    }
    let rows: Vec<EventRow> = page.rows_of(query).load(tx.connection())?;
    let events = rows.into_iter().map(Event::from).collect();
    Ok(page.page(events, |last: &Event| Position {
        key: last.sequence.to_string(),
        id: last.id.uuid(),
    }))
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            id: EventId::from_uuid(row.id),
            sequence: row.sequence,
            name: row.type_,
            subject_type: row.subject_type,
            subject_id: row.subject_id,
            partner_id: row.partner_id.map(PartnerId::from_uuid),
            data: row.data,
            occurred_at: row.occurred_at,
        }
    }
}
