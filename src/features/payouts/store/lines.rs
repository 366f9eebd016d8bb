//! The lines of payouts in Postgres, and what was left for later.

use super::super::domain::{
    CarryForward, CarryForwardReason, Payout, PayoutItem, PayoutItemStatus, PayoutLines,
};
use super::payouts::statuses_open_to_partners;
use super::{Order, by_id};
use crate::features::commissions::SettledLines;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{
    AdjustmentId, ClawbackId, CommissionId, PartnerId, PayoutCarryForwardId, PayoutId, PayoutItemId,
    PayoutRunId, ProgramId,
};
use crate::kernel::money::{Currency, Money, Total};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{payout_carry_forwards, payout_items, payouts};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use diesel::dsl::count;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::collections::HashSet;
use std::str::FromStr;
use uuid::Uuid;

/// Which lines a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct PayoutItemFilter {
    /// Of this payout.
    pub payout_id: Option<PayoutId>,
    /// To this partner.
    pub partner_id: Option<PartnerId>,
    /// Of this commission.
    pub commission_id: Option<CommissionId>,
    /// Of this clawback.
    pub clawback_id: Option<ClawbackId>,
    /// Of this adjustment.
    pub adjustment_id: Option<AdjustmentId>,
    /// Any of these states; empty is all.
    pub statuses: Vec<PayoutItemStatus>,
    /// The order.
    pub order: Order,
}

/// Which carry-forwards a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct CarryForwardFilter {
    /// Of this run.
    pub payout_run_id: Option<PayoutRunId>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// Of this program.
    pub program_id: Option<ProgramId>,
    /// For any of these reasons; empty is all.
    pub reasons: Vec<CarryForwardReason>,
    /// The order.
    pub order: Order,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payout_items, check_for_backend(diesel::pg::Pg))]
struct PayoutItemRow {
    id: Uuid,
    payout_id: Uuid,
    partner_id: Uuid,
    commission_id: Option<Uuid>,
    clawback_id: Option<Uuid>,
    adjustment_id: Option<Uuid>,
    status: String,
    amount: Decimal,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payout_carry_forwards, check_for_backend(diesel::pg::Pg))]
struct CarryForwardRow {
    id: Uuid,
    payout_run_id: Uuid,
    partner_id: Uuid,
    program_id: Uuid,
    currency: String,
    amount: Decimal,
    reason: String,
    closed_gates: Vec<String>,
}

/// A page of lines. A partner sees those of the payouts that it sees.
pub fn list_items(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &PayoutItemFilter,
    page: &PageRequest,
) -> Result<Page<PayoutItem>, Problem> {
    let payout = payouts::organization_id
        .eq(payout_items::organization_id)
        .and(payouts::id.eq(payout_items::payout_id));
    let mut query = payout_items::table
        .inner_join(payouts::table.on(payout))
        .filter(payout_items::organization_id.eq(scope.organization_id.uuid()))
        .select((PayoutItemRow::as_select(), payouts::currency))
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query
            .filter(payout_items::partner_id.eq(partner_id.uuid()))
            .filter(payouts::status.eq_any(statuses_open_to_partners()));
    }
    if let Some(payout_id) = filter.payout_id {
        query = query.filter(payout_items::payout_id.eq(payout_id.uuid()));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(payout_items::partner_id.eq(partner_id.uuid()));
    }
    if let Some(commission_id) = filter.commission_id {
        query = query.filter(payout_items::commission_id.eq(commission_id.uuid()));
    }
    if let Some(clawback_id) = filter.clawback_id {
        query = query.filter(payout_items::clawback_id.eq(clawback_id.uuid()));
    }
    if let Some(adjustment_id) = filter.adjustment_id {
        query = query.filter(payout_items::adjustment_id.eq(adjustment_id.uuid()));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(payout_items::status.eq_any(statuses));
    }
    let query = by_id!(query, payout_items::id, filter.order, page);
    let rows: Vec<(PayoutItemRow, String)> = page.rows_of(query).load(tx.connection())?;
    let items = rows
        .into_iter()
        .map(|(row, currency)| item(row, &currency))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(items, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// A page of what runs left for later.
pub fn list_carry_forwards(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &CarryForwardFilter,
    page: &PageRequest,
) -> Result<Page<CarryForward>, Problem> {
    let mut query = payout_carry_forwards::table
        .filter(payout_carry_forwards::organization_id.eq(scope.organization_id.uuid()))
        .select(CarryForwardRow::as_select())
        .into_boxed();
    if let Some(payout_run_id) = filter.payout_run_id {
        query = query.filter(payout_carry_forwards::payout_run_id.eq(payout_run_id.uuid()));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(payout_carry_forwards::partner_id.eq(partner_id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(payout_carry_forwards::program_id.eq(program_id.uuid()));
    }
    if !filter.reasons.is_empty() {
        let reasons: Vec<&str> = filter.reasons.iter().map(|reason| reason.as_str()).collect();
        query = query.filter(payout_carry_forwards::reason.eq_any(reasons));
    }
    let query = by_id!(query, payout_carry_forwards::id, filter.order, page);
    let rows: Vec<CarryForwardRow> = page.rows_of(query).load(tx.connection())?;
    let carried = rows
        .into_iter()
        .map(CarryForward::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(carried, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// What the unreleased lines of these payouts stand for.
pub fn lines_of(tx: &mut Tx<'_>, scope: &Scope, payouts: &[Payout]) -> Result<PayoutLines, Problem> {
    let ids: Vec<Uuid> = payouts.iter().map(|payout| payout.id.uuid()).collect();
    let (commissions, clawbacks): (i64, i64) = payout_items::table
        .filter(payout_items::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_items::payout_id.eq_any(&ids))
        .filter(payout_items::status.ne(PayoutItemStatus::Released.as_str()))
        .select((
            count(payout_items::commission_id),
            count(payout_items::clawback_id),
        ))
        .first(tx.connection())?;
    let adjustments: Vec<Uuid> = payout_items::table
        .filter(payout_items::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_items::payout_id.eq_any(&ids))
        .filter(payout_items::status.ne(PayoutItemStatus::Released.as_str()))
        .filter(payout_items::adjustment_id.is_not_null())
        .select(payout_items::adjustment_id.assume_not_null())
        .load(tx.connection())?;
    Ok(PayoutLines {
        settled: SettledLines {
            payouts: payouts.iter().map(|payout| payout.id).collect(),
            commissions: usize::try_from(commissions).map_err(Problem::damaged)?,
            clawbacks: usize::try_from(clawbacks).map_err(Problem::damaged)?,
        },
        adjustments: adjustments.into_iter().map(AdjustmentId::from_uuid).collect(),
    })
}

/// Those of these commissions that are unreleased lines of the payouts.
pub fn held_among(
    tx: &mut Tx<'_>,
    scope: &Scope,
    payouts: &[Payout],
    commissions: &[CommissionId],
) -> Result<HashSet<CommissionId>, Problem> {
    let payouts: Vec<Uuid> = payouts.iter().map(|payout| payout.id.uuid()).collect();
    let commissions: Vec<Uuid> = commissions.iter().map(|id| id.uuid()).collect();
    let held: Vec<Uuid> = payout_items::table
        .filter(payout_items::organization_id.eq(scope.organization_id.uuid()))
        .filter(payout_items::payout_id.eq_any(payouts))
        .filter(payout_items::commission_id.eq_any(commissions))
        .filter(payout_items::status.ne(PayoutItemStatus::Released.as_str()))
        .select(payout_items::commission_id.assume_not_null())
        .load(tx.connection())?;
    Ok(held.into_iter().map(CommissionId::from_uuid).collect())
}

/// Lets the proposed lines of these payouts hold what they stand for; a line that another payout holds is refused.
pub fn reserve_items(tx: &mut Tx<'_>, scope: &Scope, payouts: &[Payout]) -> Result<(), Problem> {
    let held = [PayoutItemStatus::Proposed];
    move_items(tx, scope, payouts, &held, PayoutItemStatus::Live)
}

/// Frees what the lines of these payouts stand for.
pub fn release_items(tx: &mut Tx<'_>, scope: &Scope, payouts: &[Payout]) -> Result<(), Problem> {
    let held = [PayoutItemStatus::Proposed, PayoutItemStatus::Live];
    move_items(tx, scope, payouts, &held, PayoutItemStatus::Released)
}

fn move_items(
    tx: &mut Tx<'_>,
    scope: &Scope,
    payouts: &[Payout],
    from: &[PayoutItemStatus],
    to: PayoutItemStatus,
) -> Result<(), Problem> {
    let query = diesel::sql_query(
        "UPDATE payout_items SET status = $4 WHERE organization_id = $1 AND payout_id = ANY($2) AND status = ANY($3)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(payouts.iter().map(|payout| payout.id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(from.iter().map(|status| status.as_str()).collect::<Vec<_>>())
    .bind::<Text, _>(to.as_str());
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

fn money(amount: Decimal, currency: &str) -> Result<Money, Problem> {
    let currency = Currency::from_code(currency).map_err(Problem::damaged)?;
    Money::new(amount, currency).map_err(Problem::damaged)
}

fn item(row: PayoutItemRow, currency: &str) -> Result<PayoutItem, Problem> {
    Ok(PayoutItem {
        id: PayoutItemId::from_uuid(row.id),
        payout_id: PayoutId::from_uuid(row.payout_id),
        partner_id: PartnerId::from_uuid(row.partner_id),
        commission_id: row.commission_id.map(CommissionId::from_uuid),
        clawback_id: row.clawback_id.map(ClawbackId::from_uuid),
        adjustment_id: row.adjustment_id.map(AdjustmentId::from_uuid),
        amount: money(row.amount, currency)?,
        status: PayoutItemStatus::from_str(&row.status).map_err(Problem::damaged)?,
    })
}

impl TryFrom<CarryForwardRow> for CarryForward {
    type Error = Problem;

    fn try_from(row: CarryForwardRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        Ok(Self {
            id: PayoutCarryForwardId::from_uuid(row.id),
            payout_run_id: PayoutRunId::from_uuid(row.payout_run_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            amount: Total::new(row.amount, currency).map_err(Problem::damaged)?,
            reason: CarryForwardReason::from_str(&row.reason).map_err(Problem::damaged)?,
            closed_gates: row.closed_gates,
        })
    }
}
