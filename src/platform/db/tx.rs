//! A unit of work: the connection, and what happened in it.

use super::prepared::Prepared;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AuditEventId, EventId};
use crate::kernel::problem::Problem;
use crate::kernel::subject::id_text;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{Array, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
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
    /// Whether it goes to the audit trail: what a caller did does, what followed from it by rule is an event only.
    pub audited: bool,
}

impl Change {
    /// A record came to be.
    pub fn created(event: &'static str, subject: Subject, after: &impl Serialize) -> Self {
        let after = facts(after);
        Self {
            event,
            subject,
            partner_id: None,
            data: Value::Object(after.clone()),
            changes: difference(&Map::new(), &after),
            reason: None,
            audited: true,
        }
    }

    /// A record changed.
    pub fn updated(
        event: &'static str,
        subject: Subject,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> Self {
        let (before, after) = (facts(before), facts(after));
        let changes = difference(&before, &after);
        Self {
            event,
            subject,
            partner_id: None,
            data: Value::Object(after),
            changes,
            reason: None,
            audited: true,
        }
    }

    /// Something followed by rule from what a caller did.
    pub fn consequence(event: &'static str, subject: Subject, data: Value) -> Self {
        Self {
            event,
            subject,
            partner_id: None,
            data,
            changes: Value::Null,
            reason: None,
            audited: false,
        }
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
    // What a record leaves out where there is nothing to say, it has no longer.
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    let gone = gone.map(|(name, then)| (name.clone(), serde_json::json!({ "before": then, "after": null })));
    Value::Object(
        changed
            .chain(gone)
            .filter(|(name, _)| name != "updated_at" && name != "row_version")
            .collect(),
    )
}

/// What listeners are told of a record: always its id, never how often it changed.
fn told(subject: &Subject, mut data: Value) -> Value {
    if let Some(fields) = data.as_object_mut() {
        fields.remove("row_version");
        if !fields.contains_key("id") {
            fields.insert("id".to_owned(), Value::from(id_text(subject.kind, subject.id)));
        }
    }
    data
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    is_so: bool,
}

/// A unit of work. What is recorded in it is written just before the commit, so that it is true exactly when the
/// change is.
pub struct Tx<'a> {
    connection: &'a mut PgConnection,
    ctx: Option<Ctx>,
    happened: Vec<Change>,
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tx")
            .field("happened", &self.happened)
            .finish_non_exhaustive()
    }
}

impl<'a> Tx<'a> {
    pub(super) fn new(connection: &'a mut PgConnection) -> Self {
        Self {
            connection,
            ctx: None,
            happened: Vec::new(),
        }
    }

    /// The connection; for stores.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.connection
    }

    /// Lets one transaction at a time go on that names this id, until it ends.
    pub fn one_at_a_time(&mut self, id: impl fmt::Display) -> Result<(), Problem> {
        let query = sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))");
        Prepared(query.bind::<Text, _>(id.to_string())).execute(self.connection)?;
        Ok(())
    }

    /// Whether this is the only transaction that names this id, until it ends; it waits for no other.
    pub fn is_alone(&mut self, id: impl fmt::Display) -> Result<bool, Problem> {
        let query = sql_query("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_so");
        let alone: Answer = Prepared(query.bind::<Text, _>(id.to_string())).get_result(self.connection)?;
        Ok(alone.is_so)
    }

    /// Does the work with joins that hash or merge. Behind row-level security the planner expects a row or two, and
    /// would go through a whole table again for every row of another.
    pub fn without_nested_loops<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.connection.batch_execute("SET LOCAL enable_nestloop = off")?;
        let outcome = work(self)?;
        self.connection.batch_execute("SET LOCAL enable_nestloop = on")?;
        Ok(outcome)
    }

    /// Does the service's own work within a request of a partner's caller: what the partner neither sees nor writes, as
    /// the claims of others to an account. The actor stays who it is; what happened is told in its name. To be entered
    /// only after the caller's own scope has found what the request is about, and nothing that was seen inside goes out
    /// but by the caller's scope again.
    pub fn in_house<T>(
        &mut self,
        ctx: &Ctx,
        work: impl FnOnce(&mut Self, &Ctx) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let Some(partner_id) = ctx.scope.partner_id else {
            return work(self, ctx);
        };
        self.confirm_caller()?;
        if self.ctx.is_none() {
            self.ctx = Some(ctx.clone());
        }
        let mut house = ctx.clone();
        house.scope.partner_id = None;
        self.confine_to("")?;
        // What happened is written here, because a partner's session may tell of nobody but itself.
        let outcome = work(self, &house).and_then(|value| self.flush().map(|()| value));
        let restored = self.confine_to(&partner_id.uuid().to_string());
        // What Postgres refused has ended the transaction: nothing can be done in it any more, nor need it be.
        let value = outcome?;
        restored?;
        Ok(value)
    }

    /// From here to the end of the transaction the session is confined to this partner, or to none.
    fn confine_to(&mut self, partner_id: &str) -> QueryResult<()> {
        let query =
            sql_query("SELECT set_config('copartner.partner_id', $1, true)").bind::<Text, _>(partner_id);
        Prepared(query).execute(self.connection)
    }

    /// Asks Postgres whether the caller is still let in.
    pub fn confirm_caller(&mut self) -> Result<(), Problem> {
        Ok(Prepared(sql_query("SELECT scope_organization()")).execute(self.connection)?)
    }

    /// Notes what happened; it is written with the commit.
    pub fn record(&mut self, ctx: &Ctx, change: Change) {
        if self.ctx.is_none() {
            self.ctx = Some(ctx.clone());
        }
        self.happened.push(change);
    }

    /// Writes what happened so far: one event per change and, unless it is only a consequence, one audit entry; all
    /// of them in one round trip.
    pub fn flush(&mut self) -> Result<(), Problem> {
        let Some(ctx) = self.ctx.as_ref().filter(|_| !self.happened.is_empty()) else {
            return Ok(());
        };
        let happened = std::mem::take(&mut self.happened);
        Columns::of(ctx, happened).write(self.connection, ctx)
    }
}

/// The changes turned by ninety degrees, as `unnest` wants them.
#[derive(Default)]
struct Columns {
    event_ids: Vec<Uuid>,
    audit_ids: Vec<Option<Uuid>>,
    events: Vec<&'static str>,
    subject_types: Vec<&'static str>,
    subject_ids: Vec<Uuid>,
    partner_ids: Vec<Option<Uuid>>,
    data: Vec<Value>,
    changes: Vec<Value>,
    reasons: Vec<Option<String>>,
}

const WRITE: &str = "WITH happened AS (\
         SELECT * FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11) \
         AS h (event_id, audit_id, type, subject_type, subject_id, partner_id, data, changes, reason)), \
     written AS (\
         INSERT INTO events (organization_id, id, type, subject_type, subject_id, partner_id, data, occurred_at) \
         SELECT $1, event_id, type, subject_type, subject_id, partner_id, data, $2 FROM happened) \
     INSERT INTO audit_events (organization_id, id, action, subject_type, subject_id, actor_type, actor_id, changes, \
         reason, request_id, address, responsible_id, session_id, confined_to, occurred_at) \
     SELECT $1, audit_id, type, subject_type, subject_id, $12, $13, changes, reason, $14, $15, $16, $17, $18, $2 \
     FROM happened WHERE audit_id IS NOT NULL";

impl Columns {
    fn of(ctx: &Ctx, happened: Vec<Change>) -> Self {
        let mut columns = Self::default();
        for change in happened {
            columns.event_ids.push(EventId::new(ctx.now).uuid());
            columns
                .audit_ids
                .push(change.audited.then(|| AuditEventId::new(ctx.now).uuid()));
            columns.events.push(change.event);
            columns.subject_types.push(change.subject.kind);
            columns.subject_ids.push(change.subject.id);
            columns.partner_ids.push(change.partner_id);
            columns.data.push(told(&change.subject, change.data));
            columns.changes.push(change.changes);
            columns.reasons.push(change.reason);
        }
        columns
    }

    fn write(&self, connection: &mut PgConnection, ctx: &Ctx) -> Result<(), Problem> {
        let statement = sql_query(WRITE)
            .bind::<SqlUuid, _>(ctx.organization_id().uuid())
            .bind::<Timestamptz, _>(ctx.now)
            .bind::<Array<SqlUuid>, _>(&self.event_ids)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.audit_ids)
            .bind::<Array<Text>, _>(&self.events)
            .bind::<Array<Text>, _>(&self.subject_types)
            .bind::<Array<SqlUuid>, _>(&self.subject_ids)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.partner_ids)
            .bind::<Array<Jsonb>, _>(&self.data)
            .bind::<Array<Jsonb>, _>(&self.changes)
            .bind::<Array<Nullable<Text>>, _>(&self.reasons)
            .bind::<Text, _>(ctx.actor.kind())
            .bind::<Nullable<SqlUuid>, _>(ctx.actor.id())
            .bind::<SqlUuid, _>(ctx.request_id.uuid())
            .bind::<Nullable<Text>, _>(&ctx.address)
            .bind::<Nullable<SqlUuid>, _>(ctx.person.map(|person| person.uuid()))
            .bind::<Nullable<SqlUuid>, _>(ctx.session_id.map(|session| session.uuid()))
            .bind::<Nullable<SqlUuid>, _>(ctx.scope.partner_id.map(|partner| partner.uuid()));
        Prepared(statement).execute(connection)?;
        Ok(())
    }
}
