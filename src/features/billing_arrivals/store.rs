//! Billing arrivals in Postgres. Every query takes the caller's scope.

use super::domain::{ArrivalStatus, BillingArrival, Fact, FactKind, Reference, Refusal, Resource};
use crate::kernel::ctx::{ActorId, Ctx, Scope};
use crate::kernel::id::BillingArrivalId;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::subject;
use crate::platform::db::schema::billing_arrivals;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx, due};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// Which arrivals a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ArrivalFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<ArrivalStatus>,
    /// Of any of these kinds; empty is all.
    pub kinds: Vec<FactKind>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Arrived at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Arrived before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Oldest first.
    pub oldest_first: bool,
}

/// A parked arrival by the order in which arrivals are settled: as things happened, then as they arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ready {
    /// When it happened.
    pub happened_at: DateTime<Utc>,
    /// The arrival.
    pub id: BillingArrivalId,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = billing_arrivals, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct ArrivalRow {
    organization_id: Uuid,
    id: Uuid,
    kind: String,
    external_id: String,
    fact: Value,
    happened_at: DateTime<Utc>,
    status: String,
    status_reason: Option<String>,
    awaits_resource: Option<String>,
    awaits_external_id: Option<String>,
    record_id: Option<Uuid>,
    problem: Option<Value>,
    created_by: Option<Uuid>,
    created_by_type: Option<String>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One arrival.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: BillingArrivalId) -> Result<Option<BillingArrival>, Problem> {
    let row: Option<ArrivalRow> = billing_arrivals::table
        .filter(billing_arrivals::organization_id.eq(scope.organization_id.uuid()))
        .filter(billing_arrivals::id.eq(id.uuid()))
        .select(ArrivalRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(BillingArrival::try_from).transpose()
}

/// The arrival of this kind and key.
pub fn find_by_key(
    tx: &mut Tx<'_>,
    scope: &Scope,
    kind: FactKind,
    external_id: &str,
) -> Result<Option<BillingArrival>, Problem> {
    let row: Option<ArrivalRow> = billing_arrivals::table
        .filter(billing_arrivals::organization_id.eq(scope.organization_id.uuid()))
        .filter(billing_arrivals::kind.eq(kind.as_str()))
        .filter(billing_arrivals::external_id.eq(external_id))
        .filter(billing_arrivals::status.ne(ArrivalStatus::Withdrawn.as_str()))
        .select(ArrivalRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(BillingArrival::try_from).transpose()
}

/// One arrival, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: BillingArrivalId) -> Result<Option<BillingArrival>, Problem> {
    let row: Option<ArrivalRow> = billing_arrivals::table
        .filter(billing_arrivals::organization_id.eq(scope.organization_id.uuid()))
        .filter(billing_arrivals::id.eq(id.uuid()))
        .select(ArrivalRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(BillingArrival::try_from).transpose()
}

/// A page of arrivals.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ArrivalFilter,
    page: &PageRequest,
) -> Result<Page<BillingArrival>, Problem> {
    let mut query = billing_arrivals::table
        .filter(billing_arrivals::organization_id.eq(scope.organization_id.uuid()))
        .select(ArrivalRow::as_select())
        .into_boxed();
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(billing_arrivals::status.eq_any(statuses));
    }
    if !filter.kinds.is_empty() {
        let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.as_str()).collect();
        query = query.filter(billing_arrivals::kind.eq_any(kinds));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(billing_arrivals::external_id.eq(external_id));
    }
    if let Some(instant) = filter.created_at_gte {
        query = query.filter(billing_arrivals::created_at.ge(instant));
    }
    if let Some(instant) = filter.created_at_lt {
        query = query.filter(billing_arrivals::created_at.lt(instant));
    }
    let after = page.after.as_ref().map(|last| last.id);
    query = match (filter.oldest_first, after) {
        (false, None) => query.order(billing_arrivals::id.desc()),
        (true, None) => query.order(billing_arrivals::id.asc()),
        (false, Some(last)) => query
            .order(billing_arrivals::id.desc())
            .filter(billing_arrivals::id.lt(last)),
        (true, Some(last)) => query
            .order(billing_arrivals::id.asc())
            .filter(billing_arrivals::id.gt(last)),
    };
    let rows: Vec<ArrivalRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(BillingArrival::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new arrival, unless there is one of its kind and key; says whether it did.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, arrival: &BillingArrival) -> Result<bool, Problem> {
    let row = ArrivalRow::of(scope, arrival)?;
    let written = diesel::insert_into(billing_arrivals::table)
        .values(row)
        .on_conflict((
            billing_arrivals::organization_id,
            billing_arrivals::kind,
            billing_arrivals::external_id,
        ))
        .filter_target(sql::<Bool>("status <> 'withdrawn'"))
        .do_nothing()
        .execute(tx.connection())?;
    Ok(written == 1)
}

/// Writes a changed arrival over the version that was read, and over no other.
pub fn update(
    tx: &mut Tx<'_>,
    scope: &Scope,
    before: &BillingArrival,
    after: &BillingArrival,
) -> Result<(), Problem> {
    let row = ArrivalRow::of(scope, after)?;
    let target = billing_arrivals::table
        .filter(billing_arrivals::organization_id.eq(scope.organization_id.uuid()))
        .filter(billing_arrivals::id.eq(before.id.uuid()))
        .filter(billing_arrivals::status.eq(before.status.as_str()))
        .filter(billing_arrivals::row_version.eq(before.row_version));
    match diesel::update(target).set(row).execute(tx.connection())? {
        1 => Ok(()),
        _ => Err(Problem::new(Code::WriteConflict)),
    }
}

#[derive(QueryableByName)]
struct BilledRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The record that the organization knows by this key.
pub fn billed_record(tx: &mut Tx<'_>, scope: &Scope, reference: &Reference) -> Result<Option<Uuid>, Problem> {
    let query = sql_query(
        "SELECT id FROM billed_records() WHERE organization_id = $1 AND resource = $2 AND external_id = $3",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Text, _>(reference.resource.as_str())
    .bind::<Text, _>(&reference.external_id);
    let row: Option<BilledRow> = Prepared(query).get_result(tx.connection()).optional()?;
    Ok(row.map(|row| row.id))
}

#[derive(QueryableByName)]
struct ReadyRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    happened_at: DateTime<Utc>,
}

/// Parked arrivals of which what they await is there, in the order in which they are settled; at most so many.
pub fn ready(tx: &mut Tx<'_>, scope: &Scope, most: usize) -> Result<Vec<Ready>, Problem> {
    let query = sql_query(
        "SELECT id, happened_at FROM met_arrivals() WHERE organization_id = $1 ORDER BY happened_at, id LIMIT $2",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<BigInt, _>(i64::try_from(most).map_err(Problem::damaged)?);
    let rows: Vec<ReadyRow> = Prepared(query).load(tx.connection())?;
    Ok(rows.into_iter().map(Ready::from).collect())
}

/// Parked arrivals that await this.
pub fn awaiting(tx: &mut Tx<'_>, scope: &Scope, awaited: &Reference) -> Result<Vec<Ready>, Problem> {
    let query = sql_query(
        "SELECT id, happened_at FROM billing_arrivals WHERE organization_id = $1 AND status = 'parked' \
             AND awaits_resource = $2 AND awaits_external_id = $3",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Text, _>(awaited.resource.as_str())
    .bind::<Text, _>(&awaited.external_id);
    let rows: Vec<ReadyRow> = Prepared(query).load(tx.connection())?;
    Ok(rows.into_iter().map(Ready::from).collect())
}

/// Where something waits for what is there by now.
pub fn organizations_with_met(
    connection: &mut PgConnection,
    wall_now: DateTime<Utc>,
) -> Result<Vec<Ctx>, Problem> {
    due(connection, "organizations_with_met_arrivals", wall_now)
}

impl From<ReadyRow> for Ready {
    fn from(row: ReadyRow) -> Self {
        Self {
            happened_at: row.happened_at,
            id: BillingArrivalId::from_uuid(row.id),
        }
    }
}

impl ArrivalRow {
    fn of(scope: &Scope, arrival: &BillingArrival) -> Result<Self, Problem> {
        let problem = arrival.problem.as_ref().map(serde_json::to_value).transpose();
        Ok(Self {
            organization_id: scope.organization_id.uuid(),
            id: arrival.id.uuid(),
            kind: arrival.fact.kind().as_str().to_owned(),
            external_id: arrival.external_id.clone(),
            fact: serde_json::to_value(&arrival.fact).map_err(Problem::damaged)?,
            happened_at: arrival.fact.happened_at(arrival.created_at),
            status: arrival.status.as_str().to_owned(),
            status_reason: arrival.status_reason.clone(),
            awaits_resource: arrival
                .awaits
                .as_ref()
                .map(|one| one.resource.as_str().to_owned()),
            awaits_external_id: arrival.awaits.as_ref().map(|one| one.external_id.clone()),
            record_id: arrival.record_id.as_deref().and_then(subject::parse_id),
            problem: problem.map_err(Problem::damaged)?,
            created_by: arrival.created_by.map(ActorId::uuid),
            created_by_type: arrival.created_by.map(|by| by.kind().to_owned()),
            row_version: arrival.row_version,
            created_at: arrival.created_at,
            updated_at: arrival.updated_at,
        })
    }

    fn awaits(&self) -> Result<Option<Reference>, Problem> {
        let (Some(resource), Some(external_id)) = (&self.awaits_resource, &self.awaits_external_id) else {
            return Ok(None);
        };
        Ok(Some(Reference {
            resource: Resource::from_str(resource).map_err(Problem::damaged)?,
            external_id: external_id.clone(),
        }))
    }
}

impl TryFrom<ArrivalRow> for BillingArrival {
    type Error = Problem;

    fn try_from(row: ArrivalRow) -> Result<Self, Problem> {
        let awaits = row.awaits()?;
        let fact: Fact = serde_json::from_value(row.fact).map_err(Problem::damaged)?;
        let problem: Option<Refusal> = row
            .problem
            .map(serde_json::from_value)
            .transpose()
            .map_err(Problem::damaged)?;
        let noun = fact.kind().noun();
        Ok(Self {
            id: BillingArrivalId::from_uuid(row.id),
            external_id: row.external_id,
            fact,
            status: ArrivalStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            awaits,
            record_id: row.record_id.map(|id| subject::id_text(noun, id)),
            problem,
            created_by: ActorId::of_columns(row.created_by_type.as_deref(), row.created_by),
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
