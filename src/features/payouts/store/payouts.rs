//! Payouts in Postgres.

use super::super::domain::{Payout, PayoutStatus};
use super::{Order, by_id};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{PartnerId, PayoutId, PayoutMethodId, PayoutRunId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::schema::payouts;
use crate::platform::db::{Page, PageRequest, Position, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

/// Which payouts a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct PayoutFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<PayoutStatus>,
    /// Of this run.
    pub payout_run_id: Option<PayoutRunId>,
    /// To this partner.
    pub partner_id: Option<PartnerId>,
    /// For this program.
    pub program_id: Option<ProgramId>,
    /// In this currency.
    pub currency: Option<String>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: Order,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payouts, check_for_backend(diesel::pg::Pg))]
struct PayoutRow {
    id: Uuid,
    payout_run_id: Uuid,
    partner_id: Uuid,
    program_id: Uuid,
    status: String,
    status_reason: Option<String>,
    currency: String,
    amount: Decimal,
    reference: Option<String>,
    paid_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    payout_method_id: Option<Uuid>,
}

/// One payout.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: PayoutId) -> Result<Option<Payout>, Problem> {
    let row: Option<PayoutRow> = payouts::table
        .filter(payouts::organization_id.eq(scope.organization_id.uuid()))
        .filter(payouts::id.eq(id.uuid()))
        .select(PayoutRow::as_select())
        .first(tx.connection())
        .optional()?;
    let payout = row.map(Payout::try_from).transpose()?;
    Ok(payout.filter(|payout| is_visible(scope, payout)))
}

/// One payout, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: PayoutId) -> Result<Option<Payout>, Problem> {
    let row: Option<PayoutRow> = payouts::table
        .filter(payouts::organization_id.eq(scope.organization_id.uuid()))
        .filter(payouts::id.eq(id.uuid()))
        .select(PayoutRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Payout::try_from).transpose()
}

/// All payouts of a run in this state, locked until the transaction ends.
pub fn lock_of_run(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: PayoutRunId,
    status: PayoutStatus,
) -> Result<Vec<Payout>, Problem> {
    let rows: Vec<PayoutRow> = payouts::table
        .filter(payouts::organization_id.eq(scope.organization_id.uuid()))
        .filter(payouts::payout_run_id.eq(id.uuid()))
        .filter(payouts::status.eq(status.as_str()))
        .order(payouts::id)
        .select(PayoutRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?;
    rows.into_iter().map(Payout::try_from).collect()
}

/// The payouts of a run that are being paid or were, whatever became of them, in the order of their ids.
pub fn sent_of_run(tx: &mut Tx<'_>, scope: &Scope, id: PayoutRunId) -> Result<Vec<Payout>, Problem> {
    let rows: Vec<PayoutRow> = payouts::table
        .filter(payouts::organization_id.eq(scope.organization_id.uuid()))
        .filter(payouts::payout_run_id.eq(id.uuid()))
        .filter(payouts::status.eq_any(statuses_open_to_partners()))
        .order(payouts::id)
        .select(PayoutRow::as_select())
        .load(tx.connection())?;
    rows.into_iter().map(Payout::try_from).collect()
}

/// How many payouts of the run are still to be settled.
pub fn count_open(tx: &mut Tx<'_>, scope: &Scope, id: PayoutRunId) -> Result<i64, Problem> {
    let open = [PayoutStatus::Pending.as_str(), PayoutStatus::Processing.as_str()];
    Ok(payouts::table
        .filter(payouts::organization_id.eq(scope.organization_id.uuid()))
        .filter(payouts::payout_run_id.eq(id.uuid()))
        .filter(payouts::status.eq_any(open))
        .count()
        .get_result(tx.connection())?)
}

/// A page of payouts. A partner sees its own ones that are being paid, or were.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &PayoutFilter,
    page: &PageRequest,
) -> Result<Page<Payout>, Problem> {
    let mut query = payouts::table
        .filter(payouts::organization_id.eq(scope.organization_id.uuid()))
        .select(PayoutRow::as_select())
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query
            .filter(payouts::partner_id.eq(partner_id.uuid()))
            .filter(payouts::status.eq_any(statuses_open_to_partners()));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(payouts::status.eq_any(statuses));
    }
    if let Some(payout_run_id) = filter.payout_run_id {
        query = query.filter(payouts::payout_run_id.eq(payout_run_id.uuid()));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(payouts::partner_id.eq(partner_id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(payouts::program_id.eq(program_id.uuid()));
    }
    if let Some(currency) = &filter.currency {
        query = query.filter(payouts::currency.eq(currency));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(payouts::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(payouts::updated_at.lt(instant));
    }
    let query = by_id!(query, payouts::id, filter.order, page);
    let rows: Vec<PayoutRow> = page.rows_of(query).load(tx.connection())?;
    let payouts = rows
        .into_iter()
        .map(Payout::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(payouts, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// The states of payouts that their partner sees.
pub(super) fn statuses_open_to_partners() -> Vec<&'static str> {
    PayoutStatus::ALL
        .iter()
        .filter(|status| status.is_open_to_partners())
        .map(|status| status.as_str())
        .collect()
}

fn is_visible(scope: &Scope, payout: &Payout) -> bool {
    scope
        .partner_id
        .is_none_or(|own| own == payout.partner_id && payout.status.is_open_to_partners())
}

/// Writes moved payouts, however many, in one statement; each must be the one that was read.
pub fn update_all(tx: &mut Tx<'_>, scope: &Scope, moved: &[Payout]) -> Result<(), Problem> {
    let ids: Vec<Uuid> = moved.iter().map(|payout| payout.id.uuid()).collect();
    let statuses: Vec<&str> = moved.iter().map(|payout| payout.status.as_str()).collect();
    let reasons: Vec<Option<&str>> = moved
        .iter()
        .map(|payout| payout.status_reason.as_deref())
        .collect();
    let references: Vec<Option<&str>> = moved.iter().map(|payout| payout.reference.as_deref()).collect();
    let paid_at: Vec<Option<DateTime<Utc>>> = moved.iter().map(|payout| payout.paid_at).collect();
    let versions: Vec<i64> = moved.iter().map(|payout| payout.row_version).collect();
    let updated_at: Vec<DateTime<Utc>> = moved.iter().map(|payout| payout.updated_at).collect();
    let query = diesel::sql_query(
        "UPDATE payouts p SET status = m.status, status_reason = m.status_reason, reference = m.reference, \
             paid_at = m.paid_at, row_version = m.row_version, updated_at = m.updated_at \
         FROM unnest($2, $3, $4, $5, $6, $7, $8) \
             AS m (id, status, status_reason, reference, paid_at, row_version, updated_at) \
         WHERE p.organization_id = $1 AND p.id = m.id AND p.row_version = m.row_version - 1",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(statuses)
    .bind::<Array<Nullable<Text>>, _>(reasons)
    .bind::<Array<Nullable<Text>>, _>(references)
    .bind::<Array<Nullable<Timestamptz>>, _>(paid_at)
    .bind::<Array<BigInt>, _>(versions)
    .bind::<Array<Timestamptz>, _>(updated_at);
    let written = query.execute(tx.connection())?;
    if written == moved.len() {
        Ok(())
    } else {
        Err(Problem::new(Code::WriteConflict))
    }
}

impl TryFrom<PayoutRow> for Payout {
    type Error = Problem;

    fn try_from(row: PayoutRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        Ok(Self {
            id: PayoutId::from_uuid(row.id),
            payout_run_id: PayoutRunId::from_uuid(row.payout_run_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            status: PayoutStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            amount: Money::new(row.amount, currency).map_err(Problem::damaged)?,
            payout_method_id: row.payout_method_id.map(PayoutMethodId::from_uuid),
            reference: row.reference,
            paid_at: row.paid_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
