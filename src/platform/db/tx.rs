//! A unit of work: the connection, and what happened in it.

use super::prepared::Prepared;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AuditEventId, EventId};
use crate::kernel::problem::Problem;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use uuid::Uuid;

/// The record that something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The singular noun of the resource, such as `deal`.
    pub kind: &'static str,
    /// Its id.
    pub id: Uuid,
}

/// One thing that happened to one record; it becomes an event and an audit entry in the same transaction.
#[derive(Debug, Clone)]
pub struct Change {
    /// The event's type, `<noun>.<past participle>`; also the audit entry's action.
    pub event: &'static str,
    /// What it happened to.
    pub subject: Subject,
    /// The partner whom it concerns and who may read the event.
    pub partner_id: Option<Uuid>,
    /// What a listener needs to know without asking again; never a secret, never another partner's.
    pub data: Value,
    /// The changed fields: `{"name": {"before": .., "after": ..}}`.
    pub changes: Value,
    /// Why, where the caller gave a reason.
    pub reason: Option<String>,
}

impl Change {
    /// A record came to be.
    pub fn created(event: &'static str, subject: Subject, after: &impl Serialize) -> Self {
        let after = facts(after);
        Self { event, subject, partner_id: None, data: Value::Object(after.clone()), changes: difference(&Map::new(), &after), reason: None }
    }

    /// A record changed.
    pub fn updated(event: &'static str, subject: Subject, before: &impl Serialize, after: &impl Serialize) -> Self {
        let (before, after) = (facts(before), facts(after));
        let changes = difference(&before, &after);
        Self { event, subject, partner_id: None, data: Value::Object(after), changes, reason: None }
    }

    /// Names the partner whom it concerns.
    #[must_use]
    pub fn for_partner(mut self, partner_id: Option<Uuid>) -> Self {
        self.partner_id = partner_id;
        self
    }

    /// Adds the reason that the caller gave.
    #[must_use]
    pub fn with_reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }
}

/// A record as the fields of a JSON object.
fn facts(record: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// The fields that differ, each with its value before and after.
fn difference(before: &Map<String, Value>, after: &Map<String, Value>) -> Value {
    let changed = after.iter().filter_map(|(name, now)| {
        let then = before.get(name).unwrap_or(&Value::Null);
        (then != now).then(|| (name.clone(), serde_json::json!({ "before": then, "after": now })))
    });
    Value::Object(changed.filter(|(name, _)| name != "updated_at" && name != "row_version").collect())
}

/// A unit of work. What is recorded in it is written in one statement just before the commit, so that it is true
/// exactly when the change is.
pub struct Tx<'a> {
    connection: &'a mut PgConnection,
    happened: Vec<(Ctx, Change)>,
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tx").field("happened", &self.happened).finish_non_exhaustive()
    }
}

impl<'a> Tx<'a> {
    pub(super) fn new(connection: &'a mut PgConnection) -> Self {
        Self { connection, happened: Vec::new() }
    }

    /// The connection; for stores.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.connection
    }

    /// Notes what happened; it is written with the commit.
    pub fn record(&mut self, ctx: &Ctx, change: Change) {
        self.happened.push((ctx.clone(), change));
    }

    /// Writes what happened: one event and one audit entry per change, all in one round trip.
    pub(super) fn flush(&mut self) -> Result<(), Problem> {
        let Some((ctx, _)) = self.happened.first() else { return Ok(()) };
        let (organization, occurred_at) = (ctx.organization_id().uuid(), ctx.now);
        let columns = Columns::of(&self.happened);
        columns.write(self.connection, organization, occurred_at)?;
        self.happened.clear();
        Ok(())
    }
}

/// The changes turned by ninety degrees, as `unnest` wants them.
#[derive(Default)]
struct Columns {
    event_ids: Vec<Uuid>,
    audit_ids: Vec<Uuid>,
    events: Vec<&'static str>,
    subject_types: Vec<&'static str>,
    subject_ids: Vec<Uuid>,
    partner_ids: Vec<Option<Uuid>>,
    data: Vec<Value>,
    actor_types: Vec<&'static str>,
    actor_ids: Vec<Option<Uuid>>,
    changes: Vec<Value>,
    reasons: Vec<Option<String>>,
    request_ids: Vec<Uuid>,
    addresses: Vec<Option<String>>,
}

const WRITE: &str = "WITH written AS (\
     INSERT INTO events (organization_id, id, type, subject_type, subject_id, partner_id, data, occurred_at) \
     SELECT $1, e.id, e.type, e.subject_type, e.subject_id, e.partner_id, e.data, $2 \
     FROM unnest($3, $4, $5, $6, $7, $8) AS e (id, type, subject_type, subject_id, partner_id, data)) \
     INSERT INTO audit_events (organization_id, id, action, subject_type, subject_id, actor_type, actor_id, changes, \
         reason, request_id, address, occurred_at) \
     SELECT $1, a.id, a.action, a.subject_type, a.subject_id, a.actor_type, a.actor_id, a.changes, a.reason, \
         a.request_id, a.address, $2 \
     FROM unnest($9, $4, $5, $6, $10, $11, $12, $13, $14, $15) \
         AS a (id, action, subject_type, subject_id, actor_type, actor_id, changes, reason, request_id, address)";

impl Columns {
    fn of(happened: &[(Ctx, Change)]) -> Self {
        let mut columns = Self::default();
        for (ctx, change) in happened {
            columns.event_ids.push(EventId::new(ctx.now).uuid());
            columns.audit_ids.push(AuditEventId::new(ctx.now).uuid());
            columns.events.push(change.event);
            columns.subject_types.push(change.subject.kind);
            columns.subject_ids.push(change.subject.id);
            columns.partner_ids.push(change.partner_id);
            columns.data.push(change.data.clone());
            columns.actor_types.push(ctx.actor.kind());
            columns.actor_ids.push(ctx.actor.id());
            columns.changes.push(change.changes.clone());
            columns.reasons.push(change.reason.clone());
            columns.request_ids.push(ctx.request_id.uuid());
            columns.addresses.push(ctx.address.clone());
        }
        columns
    }

    fn write(
        &self,
        connection: &mut PgConnection,
        organization: Uuid,
        occurred_at: DateTime<Utc>,
    ) -> Result<(), Problem> {
        let statement = sql_query(WRITE)
            .bind::<SqlUuid, _>(organization)
            .bind::<Timestamptz, _>(occurred_at)
            .bind::<Array<SqlUuid>, _>(&self.event_ids)
            .bind::<Array<Text>, _>(&self.events)
            .bind::<Array<Text>, _>(&self.subject_types)
            .bind::<Array<SqlUuid>, _>(&self.subject_ids)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.partner_ids)
            .bind::<Array<Jsonb>, _>(&self.data)
            .bind::<Array<SqlUuid>, _>(&self.audit_ids)
            .bind::<Array<Text>, _>(&self.actor_types)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.actor_ids)
            .bind::<Array<Jsonb>, _>(&self.changes)
            .bind::<Array<Nullable<Text>>, _>(&self.reasons)
            .bind::<Array<SqlUuid>, _>(&self.request_ids)
            .bind::<Array<Nullable<Text>>, _>(&self.addresses);
        Prepared(statement).execute(connection)?;
        Ok(())
    }
}
