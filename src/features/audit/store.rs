//! The audit trail in Postgres. Every query takes the caller's scope.

use super::domain::{ActorType, AuditEvent};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{AuditEventId, RequestId, UserId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::audit_events;
use crate::platform::db::{Page, PageRequest, Position, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// Which entries a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Done to this record.
    pub subject_id: Option<Uuid>,
    /// Done to records of this noun.
    pub subject_type: Option<String>,
    /// Done by this key.
    pub actor_id: Option<ActorId>,
    /// Done by this person or by a key of theirs.
    pub user_id: Option<UserId>,
    /// This was done.
    pub action: Option<String>,
    /// Done at or after this instant.
    pub occurred_at_gte: Option<DateTime<Utc>>,
    /// Done before this instant.
    pub occurred_at_lt: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_events, check_for_backend(diesel::pg::Pg))]
struct AuditRow {
    id: Uuid,
    action: String,
    subject_type: String,
    subject_id: Uuid,
    actor_type: String,
    actor_id: Option<Uuid>,
    responsible_id: Option<Uuid>,
    changes: Value,
    reason: Option<String>,
    request_id: Option<Uuid>,
    address: Option<String>,
    occurred_at: DateTime<Utc>,
}

/// A page of the trail.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<AuditEvent>, Problem> {
    let mut query = audit_events::table
        .filter(audit_events::organization_id.eq(scope.organization_id.uuid()))
        .select(AuditRow::as_select())
        .order(audit_events::id.desc())
        .into_boxed();
    if let Some(subject_id) = filter.subject_id {
        query = query.filter(audit_events::subject_id.eq(subject_id));
    }
    if let Some(subject_type) = &filter.subject_type {
        query = query.filter(audit_events::subject_type.eq(subject_type));
    }
    if let Some(actor_id) = filter.actor_id {
        query = query.filter(audit_events::actor_id.eq(actor_id.uuid()));
    }
    if let Some(user_id) = filter.user_id {
        query = query.filter(audit_events::responsible_id.eq(user_id.uuid()));
    }
    if let Some(action) = &filter.action {
        query = query.filter(audit_events::action.eq(action));
    }
    if let Some(instant) = filter.occurred_at_gte {
        query = query.filter(audit_events::occurred_at.ge(instant));
    }
    if let Some(instant) = filter.occurred_at_lt {
        query = query.filter(audit_events::occurred_at.lt(instant));
    }
    if let Some(last) = &page.after {
        query = query.filter(audit_events::id.lt(last.id));
    }
    let rows: Vec<AuditRow> = page.rows_of(query).load(tx.connection())?;
    let entries: Vec<AuditEvent> = rows
        .into_iter()
        .map(AuditEvent::try_from)
        .collect::<Result<_, _>>()?;
    Ok(page.page(entries, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

impl TryFrom<AuditRow> for AuditEvent {
    type Error = Problem;

    fn try_from(row: AuditRow) -> Result<Self, Problem> {
        Ok(Self {
            id: AuditEventId::from_uuid(row.id),
            action: row.action,
            subject_type: row.subject_type,
            subject_id: row.subject_id,
            actor_type: ActorType::from_str(&row.actor_type).map_err(Problem::damaged)?,
            actor_id: ActorId::of_columns(Some(&row.actor_type), row.actor_id),
            user_id: row.responsible_id.map(UserId::from_uuid),
            changes: row.changes,
            reason: row.reason,
            request_id: row.request_id.map(RequestId::from_uuid),
            address: row.address,
            occurred_at: row.occurred_at,
        })
    }
}
