//! Payout runs in Postgres.

use super::super::domain::{PayoutRail, PayoutRun, PayoutRunFigures, PayoutRunStatus, PayoutStatus};
use super::{Order, by_id, uuids};
use crate::features::organizations::Debtor;
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{PartnerId, PayoutId, PayoutRunId, ProgramId};
use crate::kernel::money::{Currency, Total};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{payout_runs, payouts};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::str::FromStr;
use uuid::Uuid;

/// Which runs a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct PayoutRunFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<PayoutRunStatus>,
    /// Limited to this program.
    pub program_id: Option<ProgramId>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: Order,
}

/// Not printable: it holds what must not be logged.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payout_runs, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct PayoutRunRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    program_id: Option<Uuid>,
    status: String,
    rail: String,
    cut_off_at: DateTime<Utc>,
    created_by: Option<Uuid>,
    created_by_type: Option<String>,
    approved_by: Option<Uuid>,
    approved_by_type: Option<String>,
    approved_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    cancelled_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    drafter_secret_makers: Vec<Uuid>,
    debtor_name: Option<String>,
    debtor_iban: Option<String>,
    debtor_bic: Option<String>,
    processed_at: Option<DateTime<Utc>>,
    partner_ids: Vec<Uuid>,
    excluded_partner_ids: Vec<Uuid>,
}

/// One run.
pub fn find_run(tx: &mut Tx<'_>, scope: &Scope, id: PayoutRunId) -> Result<Option<PayoutRun>, Problem> {
    let row = payout_runs::table
        .filter(payout_runs::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_runs::id.eq(id.uuid()))
        .select(PayoutRunRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(PayoutRun::try_from).transpose()
}

/// One run, locked until the transaction ends. Its lock is that of its payouts too: each verb takes it first.
pub fn lock_run(tx: &mut Tx<'_>, scope: &Scope, id: PayoutRunId) -> Result<Option<PayoutRun>, Problem> {
    let row = payout_runs::table
        .filter(payout_runs::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_runs::id.eq(id.uuid()))
        .select(PayoutRunRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(PayoutRun::try_from).transpose()
}

/// The run of a payout, locked until the transaction ends.
pub fn lock_run_of(tx: &mut Tx<'_>, scope: &Scope, id: PayoutId) -> Result<Option<PayoutRun>, Problem> {
    let run_id: Option<Uuid> = payouts::table
        .filter(payouts::organization_id.eq(scope.organization_id.uuid()))
        .filter(payouts::id.eq(id.uuid()))
        .select(payouts::payout_run_id)
        .first(tx.connection())
        .optional()?;
    match run_id {
        Some(run_id) => lock_run(tx, scope, PayoutRunId::from_uuid(run_id)),
        None => Ok(None),
    }
}

/// A page of runs.
pub fn list_runs(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &PayoutRunFilter,
    page: &PageRequest,
) -> Result<Page<PayoutRun>, Problem> {
    let mut query = payout_runs::table
        .filter(payout_runs::organization_id.eq(scope.organization_id.uuid()))
        .select(PayoutRunRow::as_select())
        .into_boxed();
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(payout_runs::status.eq_any(statuses));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(payout_runs::program_id.eq(program_id.uuid()));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(payout_runs::external_id.eq(external_id));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(payout_runs::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(payout_runs::updated_at.lt(instant));
    }
    let query = by_id!(query, payout_runs::id, filter.order, page);
    let rows: Vec<PayoutRunRow> = page.rows_of(query).load(tx.connection())?;
    let runs = rows
        .into_iter()
        .map(PayoutRun::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(runs, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new run.
pub fn insert_run(tx: &mut Tx<'_>, scope: &Scope, run: &PayoutRun) -> Result<(), Problem> {
    let row = PayoutRunRow::of(scope, run);
    Prepared(diesel::insert_into(payout_runs::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed run.
pub fn update_run(tx: &mut Tx<'_>, scope: &Scope, run: &PayoutRun) -> Result<(), Problem> {
    let row = PayoutRunRow::of(scope, run);
    let target = payout_runs::table
        .filter(payout_runs::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_runs::id.eq(run.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

#[derive(QueryableByName)]
struct FiguresRow {
    #[diesel(sql_type = SqlUuid)]
    payout_run_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    payouts: i64,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

/// What the runs add up to; a run without payouts is missing.
pub fn figures_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    runs: &[PayoutRunId],
) -> Result<HashMap<PayoutRunId, PayoutRunFigures>, Problem> {
    let query = diesel::sql_query(
        "SELECT payout_run_id, currency, status, count(*) AS payouts, sum(amount) AS amount FROM payouts \
         WHERE organization_id = $1 AND payout_run_id = ANY($2) \
         GROUP BY payout_run_id, currency, status ORDER BY payout_run_id, currency",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(runs.iter().map(|id| id.uuid()).collect::<Vec<_>>());
    let rows: Vec<FiguresRow> = Prepared(query).load(tx.connection())?;
    let mut figures: HashMap<PayoutRunId, PayoutRunFigures> = HashMap::new();
    for row in rows {
        let status = PayoutStatus::from_str(&row.status).map_err(Problem::damaged)?;
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        let amount = Total::new(row.amount, currency).map_err(Problem::damaged)?;
        figures
            .entry(PayoutRunId::from_uuid(row.payout_run_id))
            .or_default()
            .add(status, row.payouts, amount)?;
    }
    Ok(figures)
}

impl PayoutRunRow {
    fn of(scope: &Scope, run: &PayoutRun) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: run.id.uuid(),
            external_id: run.external_id.clone(),
            program_id: run.program_id.map(ProgramId::uuid),
            status: run.status.as_str().to_owned(),
            rail: run.rail.as_str().to_owned(),
            cut_off_at: run.cut_off_at,
            created_by: run.created_by.map(ActorId::uuid),
            created_by_type: run.created_by.map(|by| by.kind().to_owned()),
            approved_by: run.approved_by.map(ActorId::uuid),
            approved_by_type: run.approved_by.map(|by| by.kind().to_owned()),
            approved_at: run.approved_at,
            completed_at: run.completed_at,
            cancelled_at: run.cancelled_at,
            row_version: run.row_version,
            created_at: run.created_at,
            updated_at: run.updated_at,
            drafter_secret_makers: run.drafter_secret_makers.clone(),
            debtor_name: run.debtor.as_ref().map(|debtor| debtor.name.clone()),
            debtor_iban: run.debtor.as_ref().map(|debtor| debtor.iban.reveal().to_owned()),
            debtor_bic: run.debtor.as_ref().and_then(|debtor| debtor.bic.clone()),
            processed_at: run.processed_at,
            partner_ids: uuids(&run.partner_ids),
            excluded_partner_ids: uuids(&run.excluded_partner_ids),
        }
    }
}

impl TryFrom<PayoutRunRow> for PayoutRun {
    type Error = Problem;

    fn try_from(row: PayoutRunRow) -> Result<Self, Problem> {
        Ok(Self {
            id: PayoutRunId::from_uuid(row.id),
            external_id: row.external_id,
            program_id: row.program_id.map(ProgramId::from_uuid),
            partner_ids: row.partner_ids.into_iter().map(PartnerId::from_uuid).collect(),
            excluded_partner_ids: row
                .excluded_partner_ids
                .into_iter()
                .map(PartnerId::from_uuid)
                .collect(),
            status: PayoutRunStatus::from_str(&row.status).map_err(Problem::damaged)?,
            rail: PayoutRail::from_str(&row.rail).map_err(Problem::damaged)?,
            debtor: Debtor::of_columns(row.debtor_name, row.debtor_iban, row.debtor_bic)?,
            cut_off_at: row.cut_off_at,
            created_by: ActorId::of_columns(row.created_by_type.as_deref(), row.created_by),
            drafter_secret_makers: row.drafter_secret_makers,
            approved_by: ActorId::of_columns(row.approved_by_type.as_deref(), row.approved_by),
            approved_at: row.approved_at,
            processed_at: row.processed_at,
            completed_at: row.completed_at,
            cancelled_at: row.cancelled_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
