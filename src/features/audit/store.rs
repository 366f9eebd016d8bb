//! The audit trail in Postgres. Every query takes the caller's scope.

use super::domain::{ActorType, AuditChain, AuditEvent, Fault, FaultKind, KnownHead};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{AuditEventId, OrganizationId, PartnerId, RequestId, SessionId, UserId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::audit_events;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// Entries sealed in one transaction at most.
const SEALED_AT_ONCE: i32 = 5_000;

const HEAD: &str =
    "SELECT sealed, unsealed, head_position, encode(head_hash, 'hex') AS head_hash FROM audit_chain_head()";
const FAULT: &str = "SELECT fault, fault_position, audit_event_id FROM audit_chain_fault()";
const HAS_LINK: &str = "\
    SELECT CASE $2 WHEN 0 THEN audit_chain_origin($1) = decode($3, 'hex') ELSE EXISTS (\
        SELECT FROM audit_links WHERE organization_id = $1 AND position = $2 AND hash = decode($3, 'hex')) END AS found";

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
    session_id: Option<Uuid>,
    confined_to: Option<Uuid>,
    changes: Value,
    reason: Option<String>,
    request_id: Option<Uuid>,
    address: Option<String>,
    occurred_at: DateTime<Utc>,
}

/// Who did the last of these things to a record: the person behind it, else the key.
pub fn author_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    subject_id: Uuid,
    actions: &[&str],
) -> Result<Option<ActorId>, Problem> {
    let found: Option<(String, Option<Uuid>, Option<Uuid>)> = audit_events::table
        .filter(audit_events::organization_id.eq(scope.organization_id.uuid()))
        .filter(audit_events::subject_id.eq(subject_id))
        .filter(audit_events::action.eq_any(actions))
        .order(audit_events::id.desc())
        .select((
            audit_events::actor_type,
            audit_events::actor_id,
            audit_events::responsible_id,
        ))
        .first(tx.connection())
        .optional()?;
    Ok(found.and_then(|(kind, actor, person)| {
        let person = person.map(|id| ActorId::User(UserId::from_uuid(id)));
        person.or_else(|| ActorId::of_columns(Some(&kind), actor))
    }))
}

/// A page of the trail. An entry's id is of the instant at which it occurred, so that a period is a stretch of the
/// primary key.
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
        query = query
            .filter(audit_events::occurred_at.ge(instant))
            .filter(audit_events::id.ge(AuditEventId::least_at(instant).uuid()));
    }
    if let Some(instant) = filter.occurred_at_lt {
        let after = instant
            .checked_add_signed(TimeDelta::milliseconds(1))
            .unwrap_or(instant);
        query = query
            .filter(audit_events::occurred_at.lt(instant))
            .filter(audit_events::id.lt(AuditEventId::least_at(after).uuid()));
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

#[derive(QueryableByName)]
struct SealedRow {
    #[diesel(sql_type = Integer)]
    sealed: i32,
}

#[derive(QueryableByName)]
struct WaitingRow {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
}

#[derive(QueryableByName)]
struct HeadRow {
    #[diesel(sql_type = BigInt)]
    sealed: i64,
    #[diesel(sql_type = BigInt)]
    unsealed: i64,
    #[diesel(sql_type = BigInt)]
    head_position: i64,
    #[diesel(sql_type = Text)]
    head_hash: String,
}

#[derive(QueryableByName)]
struct FaultRow {
    #[diesel(sql_type = Text)]
    fault: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    fault_position: Option<i64>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    audit_event_id: Option<Uuid>,
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// Seals committed entries of the organization in scope.
pub fn seal(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<i32, Problem> {
    let query = sql_query("SELECT seal_audit_events($1, $2) AS sealed")
        .bind::<Integer, _>(SEALED_AT_ONCE)
        .bind::<Timestamptz, _>(now);
    let done: SealedRow = Prepared(query).get_result(tx.connection())?;
    Ok(done.sealed)
}

/// The organizations with entries that are not sealed yet.
pub fn organizations_waiting(connection: &mut PgConnection) -> Result<Vec<OrganizationId>, Problem> {
    let query = sql_query("SELECT organizations_with_unsealed_audit_events() AS organization_id");
    let waiting: Vec<WaitingRow> = Prepared(query).load(connection)?;
    Ok(waiting
        .into_iter()
        .map(|row| OrganizationId::from_uuid(row.organization_id))
        .collect())
}

/// The chain of the organization in scope, with the first thing that is wrong with it.
pub fn chain(tx: &mut Tx<'_>) -> Result<AuditChain, Problem> {
    let head: HeadRow = Prepared(sql_query(HEAD)).get_result(tx.connection())?;
    let fault: Option<FaultRow> = Prepared(sql_query(FAULT))
        .get_result(tx.connection())
        .optional()?;
    Ok(AuditChain {
        sealed: head.sealed,
        unsealed: head.unsealed,
        head: KnownHead {
            position: head.head_position,
            hash: head.head_hash,
        },
        fault: fault.map(Fault::try_from).transpose()?,
        known_head_kept: None,
    })
}

/// Whether the chain has this link, or begins like this.
pub fn has_link(tx: &mut Tx<'_>, scope: &Scope, known: &KnownHead) -> Result<bool, Problem> {
    let query = sql_query(HAS_LINK)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<BigInt, _>(known.position)
        .bind::<Text, _>(&known.hash);
    let answer: FoundRow = Prepared(query).get_result(tx.connection())?;
    Ok(answer.found)
}

impl TryFrom<FaultRow> for Fault {
    type Error = Problem;

    fn try_from(row: FaultRow) -> Result<Self, Problem> {
        Ok(Self {
            kind: FaultKind::from_str(&row.fault).map_err(Problem::damaged)?,
            position: row.fault_position,
            audit_event_id: row.audit_event_id.map(AuditEventId::from_uuid),
        })
    }
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
            session_id: row.session_id.map(SessionId::from_uuid),
            partner_id: row.confined_to.map(PartnerId::from_uuid),
            changes: row.changes,
            reason: row.reason,
            request_id: row.request_id.map(RequestId::from_uuid),
            address: row.address,
            occurred_at: row.occurred_at,
        })
    }
}
