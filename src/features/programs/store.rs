//! Programs in Postgres. Every query takes the caller's scope.

use super::domain::{CommissionApproval, LockPoint, Program};
use crate::kernel::ctx::Scope;
use crate::kernel::exchange::FxPolicy;
use crate::kernel::gate::{DocumentKind, Gate, GatedStep};
use crate::kernel::id::{ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money, Rounding};
use crate::kernel::motion::Motion;
use crate::kernel::problem::Problem;
use crate::kernel::time::ProgramZone;
use crate::platform::db::schema::{enrollments, programs};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Seen, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde::Deserialize;
use serde_json::{Value, json};
use std::str::FromStr;
use uuid::Uuid;

/// Which programs a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ProgramFilter {
    /// Any of these motions; empty is all.
    pub motions: Vec<Motion>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: ProgramOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProgramOrder {
    /// Newest first. Ids are made from the time, so that their order is that of creation.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// By name.
    Name,
    /// By name, backwards.
    NameDescending,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = programs, treat_none_as_null = true, check_for_backend(Pg))]
struct ProgramRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    name: String,
    motion: String,
    time_zone: String,
    rounding: String,
    commission_approval: String,
    lock_point: String,
    clawback_window_days: Option<i32>,
    minimum_payouts: Value,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    fx_policy: String,
    gates: Value,
}

/// One program.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: ProgramId) -> Result<Option<Program>, Problem> {
    let row: Option<ProgramRow> = programs::table
        .filter(programs::organization_id.eq(scope.organization_id.uuid()))
        .filter(programs::id.eq(id.uuid()))
        .filter(visible_to(scope))
        .select(ProgramRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(Program::try_from).transpose()
}

/// The programs that the caller may see.
pub fn visible(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<ProgramId>, Problem> {
    let ids: Vec<Uuid> = programs::table
        .filter(programs::organization_id.eq(scope.organization_id.uuid()))
        .filter(visible_to(scope))
        .select(programs::id)
        .load(tx.connection())?;
    Ok(ids.into_iter().map(ProgramId::from_uuid).collect())
}

/// One program, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: ProgramId) -> Result<Option<Program>, Problem> {
    let row: Option<ProgramRow> = programs::table
        .filter(programs::organization_id.eq(scope.organization_id.uuid()))
        .filter(programs::id.eq(id.uuid()))
        .filter(visible_to(scope))
        .select(ProgramRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Program::try_from).transpose()
}

/// A page of programs.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ProgramFilter,
    page: &PageRequest,
) -> Result<Page<Program>, Problem> {
    let mut query = programs::table
        .filter(programs::organization_id.eq(scope.organization_id.uuid()))
        .filter(visible_to(scope))
        .select(ProgramRow::as_select())
        .into_boxed();
    if !filter.motions.is_empty() {
        let motions: Vec<&str> = filter.motions.iter().map(|motion| motion.as_str()).collect();
        query = query.filter(programs::motion.eq_any(motions));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(programs::external_id.eq(external_id));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(programs::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(programs::updated_at.lt(instant));
    }
    query = match (filter.order, page.after.clone()) {
        (ProgramOrder::Newest, None) => query.order(programs::id.desc()),
        (ProgramOrder::Newest, Some(last)) => {
            query.filter(programs::id.lt(last.id)).order(programs::id.desc())
        }
        (ProgramOrder::Oldest, None) => query.order(programs::id.asc()),
        (ProgramOrder::Oldest, Some(last)) => {
            query.filter(programs::id.gt(last.id)).order(programs::id.asc())
        }
        (ProgramOrder::Name, None) => query.order((programs::name.asc(), programs::id.asc())),
        (ProgramOrder::Name, Some(last)) => query
            .filter(programs::name.ge(last.key.clone()))
            .filter(programs::name.gt(last.key).or(programs::id.gt(last.id)))
            .order((programs::name.asc(), programs::id.asc())),
        (ProgramOrder::NameDescending, None) => query.order((programs::name.desc(), programs::id.desc())),
        (ProgramOrder::NameDescending, Some(last)) => query
            .filter(programs::name.le(last.key.clone()))
            .filter(programs::name.lt(last.key).or(programs::id.lt(last.id)))
            .order((programs::name.desc(), programs::id.desc())),
    };
    let rows: Vec<ProgramRow> = page.rows_of(query).load(tx.connection())?;
    let programs = rows
        .into_iter()
        .map(Program::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(programs, |last: &Program| Position {
        key: last.name.clone(),
        id: last.id.uuid(),
    }))
}

/// Writes a new program.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, program: &Program) -> Result<(), Problem> {
    let row = ProgramRow::of(scope, program);
    Prepared(diesel::insert_into(programs::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed program.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, program: &Program) -> Result<(), Problem> {
    let row = ProgramRow::of(scope, program);
    let target = programs::table
        .filter(programs::organization_id.eq(scope.organization_id.uuid()))
        .filter(programs::id.eq(program.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// A partner's caller sees the programs in which the partner, or one below it that it sees, is or was enrolled.
fn visible_to(scope: &Scope) -> Box<dyn BoxableExpression<programs::table, Pg, SqlType = Bool>> {
    let Some(partner_id) = scope.partner_id else {
        return Box::new(true.into_sql::<Bool>());
    };
    let own = enrollments::table
        .filter(enrollments::organization_id.eq(programs::organization_id))
        .filter(enrollments::program_id.eq(programs::id))
        .filter(Seen::by(scope, partner_id, enrollments::partner_id));
    Box::new(exists(own))
}

/// An amount as it is stored.
#[derive(Deserialize)]
struct Stored {
    currency: Currency,
    amount: String,
}

fn written(amount: &Money) -> Value {
    json!({ "currency": amount.currency(), "amount": amount.amount_text() })
}

fn amounts(stored: Value) -> Result<Vec<Money>, Problem> {
    let stored: Vec<Stored> = serde_json::from_value(stored).map_err(Problem::damaged)?;
    stored
        .iter()
        .map(|one| Money::parse(&one.amount, one.currency).map_err(Problem::damaged))
        .collect()
}

#[derive(Deserialize)]
struct StoredGate {
    blocks: GatedStep,
    requires: DocumentKind,
    document_name: Option<String>,
    product_family_ids: Vec<Uuid>,
    countries: Vec<String>,
}

/// As `closed_gates` reads it: families by the ids that Postgres knows.
fn written_gate(gate: &Gate) -> Value {
    let families: Vec<Uuid> = gate.product_family_ids.iter().map(|id| id.uuid()).collect();
    json!({
        "blocks": gate.blocks,
        "requires": gate.requires,
        "document_name": gate.document_name,
        "product_family_ids": families,
        "countries": gate.countries,
    })
}

fn gates(stored: Value) -> Result<Vec<Gate>, Problem> {
    let stored: Vec<StoredGate> = serde_json::from_value(stored).map_err(Problem::damaged)?;
    let gate = |one: StoredGate| Gate {
        blocks: one.blocks,
        requires: one.requires,
        document_name: one.document_name,
        product_family_ids: one
            .product_family_ids
            .into_iter()
            .map(ProductFamilyId::from_uuid)
            .collect(),
        countries: one.countries,
    };
    Ok(stored.into_iter().map(gate).collect())
}

impl ProgramRow {
    fn of(scope: &Scope, program: &Program) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: program.id.uuid(),
            external_id: program.external_id.clone(),
            name: program.name.clone(),
            motion: program.motion.as_str().to_owned(),
            time_zone: program.time_zone.name().to_owned(),
            rounding: program.rounding.as_str().to_owned(),
            commission_approval: program.commission_approval.as_str().to_owned(),
            lock_point: program.lock_point.as_str().to_owned(),
            fx_policy: program.fx_policy.as_str().to_owned(),
            clawback_window_days: program.clawback_window_days,
            minimum_payouts: program.minimum_payouts.iter().map(written).collect(),
            gates: program.gates.iter().map(written_gate).collect(),
            row_version: program.row_version,
            created_at: program.created_at,
            updated_at: program.updated_at,
        }
    }
}

impl TryFrom<ProgramRow> for Program {
    type Error = Problem;

    fn try_from(row: ProgramRow) -> Result<Self, Problem> {
        Ok(Self {
            id: ProgramId::from_uuid(row.id),
            external_id: row.external_id,
            name: row.name,
            motion: Motion::from_str(&row.motion).map_err(Problem::damaged)?,
            time_zone: ProgramZone::from_str(&row.time_zone).map_err(Problem::damaged)?,
            rounding: Rounding::from_str(&row.rounding).map_err(Problem::damaged)?,
            commission_approval: CommissionApproval::from_str(&row.commission_approval)
                .map_err(Problem::damaged)?,
            lock_point: LockPoint::from_str(&row.lock_point).map_err(Problem::damaged)?,
            fx_policy: FxPolicy::from_str(&row.fx_policy).map_err(Problem::damaged)?,
            clawback_window_days: row.clawback_window_days,
            minimum_payouts: amounts(row.minimum_payouts)?,
            gates: gates(row.gates)?,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
