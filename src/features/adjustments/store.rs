//! Adjustments in Postgres. Every query takes the caller's scope.

use super::domain::{Adjustment, AdjustmentReason, AdjustmentStatus, Proposed, Proposer};
use crate::features::commissions::LineMove;
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{
    AdjustmentId, AttributionId, BacktestId, CommissionId, DealId, DisputeId, PartnerId, ProgramId,
};
use crate::kernel::money::{Currency, Money, Total};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::schema::adjustments;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::str::FromStr;
use uuid::Uuid;

/// Rows in one statement, which takes 65,535 parameters.
const INSERTED_AT_ONCE: usize = 1_000;

/// Which adjustments a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct AdjustmentFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<AdjustmentStatus>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// In this program.
    pub program_id: Option<ProgramId>,
    /// About this commission.
    pub commission_id: Option<CommissionId>,
    /// About this deal.
    pub deal_id: Option<DealId>,
    /// Of this recalculation.
    pub backtest_id: Option<BacktestId>,
    /// The caller's key.
    pub external_id: Option<String>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = adjustments, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct AdjustmentRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    partner_id: Uuid,
    program_id: Uuid,
    commission_id: Option<Uuid>,
    deal_id: Option<Uuid>,
    backtest_id: Option<Uuid>,
    attribution_id: Option<Uuid>,
    dispute_id: Option<Uuid>,
    status: String,
    status_reason: Option<String>,
    reason_code: String,
    reason: String,
    currency: String,
    amount: Decimal,
    created_by: Uuid,
    created_by_type: String,
    approved_by: Option<Uuid>,
    approved_by_type: Option<String>,
    approved_at: Option<DateTime<Utc>>,
    debt: Option<Decimal>,
    paid_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One adjustment.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: AdjustmentId) -> Result<Option<Adjustment>, Problem> {
    let row: Option<AdjustmentRow> = adjustments::table
        .filter(adjustments::organization_id.eq(scope.organization_id.uuid()))
        .filter(adjustments::id.eq(id.uuid()))
        .select(AdjustmentRow::as_select())
        .first(tx.connection())
        .optional()?;
    let adjustment = row.map(Adjustment::try_from).transpose()?;
    Ok(adjustment.filter(|adjustment| is_visible(scope, adjustment)))
}

/// One adjustment, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: AdjustmentId) -> Result<Option<Adjustment>, Problem> {
    let row: Option<AdjustmentRow> = adjustments::table
        .filter(adjustments::organization_id.eq(scope.organization_id.uuid()))
        .filter(adjustments::id.eq(id.uuid()))
        .select(AdjustmentRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Adjustment::try_from).transpose()
}

/// A page of adjustments, newest first. A partner sees its approved ones.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &AdjustmentFilter,
    page: &PageRequest,
) -> Result<Page<Adjustment>, Problem> {
    let mut query = adjustments::table
        .filter(adjustments::organization_id.eq(scope.organization_id.uuid()))
        .select(AdjustmentRow::as_select())
        .order(adjustments::id.desc())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        let open = AdjustmentStatus::ALL
            .iter()
            .filter(|status| status.is_open_to_partners());
        let open: Vec<&str> = open.map(|status| status.as_str()).collect();
        query = query
            .filter(adjustments::partner_id.eq(partner_id.uuid()))
            .filter(adjustments::status.eq_any(open));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(adjustments::status.eq_any(statuses));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(adjustments::partner_id.eq(partner_id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(adjustments::program_id.eq(program_id.uuid()));
    }
    if let Some(commission_id) = filter.commission_id {
        query = query.filter(adjustments::commission_id.eq(commission_id.uuid()));
    }
    if let Some(deal_id) = filter.deal_id {
        query = query.filter(adjustments::deal_id.eq(deal_id.uuid()));
    }
    if let Some(backtest_id) = filter.backtest_id {
        query = query.filter(adjustments::backtest_id.eq(backtest_id.uuid()));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(adjustments::external_id.eq(external_id));
    }
    if let Some(last) = &page.after {
        query = query.filter(adjustments::id.lt(last.id));
    }
    let rows: Vec<AdjustmentRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(Adjustment::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes new adjustments; `secret_makers` made the secret of the key that proposes them.
pub fn insert(
    tx: &mut Tx<'_>,
    scope: &Scope,
    adjustments: &[Adjustment],
    secret_makers: &[Uuid],
) -> Result<(), Problem> {
    for some in adjustments.chunks(INSERTED_AT_ONCE) {
        let rows = some.iter().map(|adjustment| AdjustmentRow::of(scope, adjustment));
        let values: Vec<_> = rows
            .map(|row| (row, adjustments::author_secret_makers.eq(secret_makers)))
            .collect();
        diesel::insert_into(adjustments::table)
            .values(values)
            .execute(tx.connection())?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct RawProposed {
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    approved: Decimal,
}

/// What was proposed so far and nobody refused or withdrew.
pub fn proposed(tx: &mut Tx<'_>, scope: &Scope, proposer: Proposer<'_>) -> Result<Vec<Proposed>, Problem> {
    let (column, ids) = proposer.place();
    let query = diesel::sql_query(format!(
        "SELECT partner_id, program_id, currency, sum(amount) AS amount, \
             coalesce(sum(amount) FILTER (WHERE status <> 'proposed'), 0) AS approved FROM adjustments \
         WHERE organization_id = $1 AND {column} = ANY($2) AND status NOT IN ('refused', 'withdrawn') \
         GROUP BY partner_id, program_id, currency"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids);
    let sums: Vec<RawProposed> = Prepared(query).load(tx.connection())?;
    let sums = sums.into_iter().map(|sum| {
        let currency = Currency::from_code(&sum.currency).map_err(Problem::damaged)?;
        Ok(Proposed {
            partner_id: PartnerId::from_uuid(sum.partner_id),
            program_id: ProgramId::from_uuid(sum.program_id),
            amount: Total::new(sum.amount, currency).map_err(Problem::damaged)?,
            approved: Total::new(sum.approved, currency).map_err(Problem::damaged)?,
        })
    });
    sums.collect()
}

/// Those of these recalculations that proposed something, and whether some of it was neither refused nor withdrawn.
pub fn fates(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[BacktestId],
) -> Result<HashMap<BacktestId, bool>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let query = adjustments::table
        .filter(adjustments::organization_id.eq(scope.organization_id.uuid()))
        .filter(adjustments::backtest_id.eq_any(ids))
        .select((adjustments::backtest_id.assume_not_null(), adjustments::status))
        .distinct();
    let found: Vec<(Uuid, String)> = query.load(tx.connection())?;
    let mut fates = HashMap::new();
    for (id, status) in found {
        let status = AdjustmentStatus::from_str(&status).map_err(Problem::damaged)?;
        let is_alive = !matches!(status, AdjustmentStatus::Refused | AdjustmentStatus::Withdrawn);
        *fates.entry(BacktestId::from_uuid(id)).or_insert(false) |= is_alive;
    }
    Ok(fates)
}

/// Writes a changed adjustment.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, adjustment: &Adjustment) -> Result<(), Problem> {
    let row = AdjustmentRow::of(scope, adjustment);
    let target = adjustments::table
        .filter(adjustments::organization_id.eq(scope.organization_id.uuid()))
        .filter(adjustments::id.eq(adjustment.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// What was proposed so and nobody has decided, locked until the transaction ends, in the order of the ids.
pub fn lock_undecided(
    tx: &mut Tx<'_>,
    scope: &Scope,
    proposer: Proposer<'_>,
) -> Result<Vec<Adjustment>, Problem> {
    let (column, ids) = proposer.place();
    let query = diesel::sql_query(format!(
        "SELECT id FROM adjustments WHERE organization_id = $1 AND {column} = ANY($2) AND status = 'proposed' \
         ORDER BY id FOR NO KEY UPDATE"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids);
    let locked: Vec<RawId> = Prepared(query).load(tx.connection())?;
    let ids: Vec<Uuid> = locked.into_iter().map(|row| row.id).collect();
    let rows: Vec<AdjustmentRow> = adjustments::table
        .filter(adjustments::organization_id.eq(scope.organization_id.uuid()))
        .filter(adjustments::id.eq_any(ids))
        .select(AdjustmentRow::as_select())
        .order(adjustments::id)
        .load(tx.connection())?;
    rows.into_iter().map(Adjustment::try_from).collect()
}

#[derive(QueryableByName)]
struct RawId {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

impl Proposer<'_> {
    /// The column that names it, and the ids there.
    fn place(self) -> (&'static str, Vec<Uuid>) {
        match self {
            Proposer::Recalculations(ids) => ("backtest_id", ids.iter().map(|id| id.uuid()).collect()),
            Proposer::Credit(id) => ("attribution_id", vec![id.uuid()]),
            Proposer::Dispute(id) => ("dispute_id", vec![id.uuid()]),
        }
    }
}

/// Writes that somebody approved these, which are locked.
pub fn approve_several(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[AdjustmentId],
    approved_by: ActorId,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let targets = adjustments::table
        .filter(adjustments::organization_id.eq(scope.organization_id.uuid()))
        .filter(adjustments::id.eq_any(uuids(ids)))
        .filter(adjustments::status.eq(AdjustmentStatus::Proposed.as_str()));
    diesel::update(targets)
        .set((
            adjustments::status.eq(AdjustmentStatus::Approved.as_str()),
            adjustments::approved_by.eq(approved_by.uuid()),
            adjustments::approved_by_type.eq(approved_by.kind()),
            adjustments::approved_at.eq(now),
            adjustments::row_version.eq(adjustments::row_version + 1),
            adjustments::updated_at.eq(now),
        ))
        .execute(tx.connection())?;
    Ok(())
}

/// Locks adjustments in the order of their ids, as everyone does who takes several.
pub fn lock_several(tx: &mut Tx<'_>, scope: &Scope, ids: &[AdjustmentId]) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    let query = diesel::sql_query(
        "SELECT count(*) FROM (SELECT FROM adjustments WHERE organization_id = $1 AND id = ANY($2) \
         ORDER BY id FOR NO KEY UPDATE) locked",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(uuids(ids));
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// Moves adjustments with their payouts.
pub fn move_several(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[AdjustmentId],
    line_move: LineMove,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    let (from, to) = AdjustmentStatus::settled(line_move);
    let paid_at = match line_move {
        LineMove::Pay { paid_at } => Some(paid_at),
        LineMove::Reserve | LineMove::GiveBack | LineMove::TakeBack => None,
    };
    let query = diesel::sql_query(
        "UPDATE adjustments SET status = $4, paid_at = $5, row_version = row_version + 1, updated_at = $6 \
         WHERE organization_id = $1 AND id = ANY($2) AND status = $3",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(uuids(ids))
    .bind::<Text, _>(from.as_str())
    .bind::<Text, _>(to.as_str())
    .bind::<Nullable<Timestamptz>, _>(paid_at)
    .bind::<Timestamptz, _>(now);
    let moved = query.execute(tx.connection())?;
    if moved == ids.len() {
        Ok(())
    } else {
        tracing::warn!(
            moved,
            asked = ids.len(),
            "adjustments of a payout stood elsewhere"
        );
        Err(Problem::new(Code::WriteConflict))
    }
}

fn uuids(ids: &[AdjustmentId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

fn is_visible(scope: &Scope, adjustment: &Adjustment) -> bool {
    scope
        .partner_id
        .is_none_or(|own| own == adjustment.partner_id && adjustment.status.is_open_to_partners())
}

impl AdjustmentRow {
    fn of(scope: &Scope, adjustment: &Adjustment) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: adjustment.id.uuid(),
            external_id: adjustment.external_id.clone(),
            partner_id: adjustment.partner_id.uuid(),
            program_id: adjustment.program_id.uuid(),
            commission_id: adjustment.commission_id.map(CommissionId::uuid),
            deal_id: adjustment.deal_id.map(DealId::uuid),
            backtest_id: adjustment.backtest_id.map(BacktestId::uuid),
            attribution_id: adjustment.attribution_id.map(AttributionId::uuid),
            dispute_id: adjustment.dispute_id.map(DisputeId::uuid),
            status: adjustment.status.as_str().to_owned(),
            status_reason: adjustment.status_reason.clone(),
            reason_code: adjustment.reason_code.as_str().to_owned(),
            reason: adjustment.reason.clone(),
            currency: adjustment.amount.currency().code().to_owned(),
            amount: adjustment.amount.amount(),
            created_by: adjustment.created_by.uuid(),
            created_by_type: adjustment.created_by.kind().to_owned(),
            approved_by: adjustment.approved_by.map(ActorId::uuid),
            approved_by_type: adjustment.approved_by.map(|by| by.kind().to_owned()),
            approved_at: adjustment.approved_at,
            debt: adjustment.debt.map(Money::amount),
            paid_at: adjustment.paid_at,
            row_version: adjustment.row_version,
            created_at: adjustment.created_at,
            updated_at: adjustment.updated_at,
        }
    }
}

impl TryFrom<AdjustmentRow> for Adjustment {
    type Error = Problem;

    fn try_from(row: AdjustmentRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        let debt = row.debt.map(|debt| Money::new(debt, currency)).transpose();
        let created_by = ActorId::of_columns(Some(&row.created_by_type), Some(row.created_by));
        Ok(Self {
            id: AdjustmentId::from_uuid(row.id),
            external_id: row.external_id,
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            commission_id: row.commission_id.map(CommissionId::from_uuid),
            deal_id: row.deal_id.map(DealId::from_uuid),
            backtest_id: row.backtest_id.map(BacktestId::from_uuid),
            attribution_id: row.attribution_id.map(AttributionId::from_uuid),
            dispute_id: row.dispute_id.map(DisputeId::from_uuid),
            status: AdjustmentStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            reason_code: AdjustmentReason::from_str(&row.reason_code).map_err(Problem::damaged)?,
            reason: row.reason,
            amount: Money::new(row.amount, currency).map_err(Problem::damaged)?,
            created_by: created_by.ok_or_else(|| Problem::damaged("an adjustment lacks its author"))?,
            approved_by: ActorId::of_columns(row.approved_by_type.as_deref(), row.approved_by),
            approved_at: row.approved_at,
            debt: debt.map_err(Problem::damaged)?,
            paid_at: row.paid_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
