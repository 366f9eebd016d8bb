//! The refunds that met lines of the past, and when each of them did.

use super::super::clawback::REFUNDED_WITHIN_WINDOW;
use super::super::money;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{CommissionId, RefundId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A refund of the payment of a line.
#[derive(Debug, Clone)]
pub struct RefundBefore {
    /// The refund.
    pub refund_id: RefundId,
    /// What was refunded with it; below zero what came in again.
    pub refund: Money,
    /// What was refunded of the payment with it, within the program's clawback window.
    pub refunded_cumulative: Money,
    /// When the money went back, or came in again.
    pub refunded_at: DateTime<Utc>,
    /// When it went back, also where it came in again.
    pub went_back_at: DateTime<Utc>,
    /// The program's clawback window.
    pub window_days: Option<i32>,
    /// The id of what was written when it met the line: its place among everything that was worked out.
    pub met_at: Uuid,
}

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    base_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    refund_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    refund: Decimal,
    #[diesel(sql_type = Numeric)]
    refunded_cumulative: Decimal,
    #[diesel(sql_type = Timestamptz)]
    refunded_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    went_back_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Integer>)]
    window_days: Option<i32>,
    #[diesel(sql_type = SqlUuid)]
    met_at: Uuid,
}

/// A refund met a line when it took something back from it, or else from another line of the payment; one that met none
/// counts from when it was recorded.
fn refunds() -> String {
    format!(
        "SELECT c.id AS base_id, r.id AS refund_id, c.currency, r.amount AS refund, r.refunded_at, r.went_back_at, \
             c.clawback_window_days AS window_days, {REFUNDED_WITHIN_WINDOW} AS refunded_cumulative, \
             coalesce( \
                 (SELECT k.id FROM clawbacks k WHERE k.organization_id = $1 AND k.commission_id = c.id \
                     AND k.refund_id = r.id), \
                 (SELECT k.id FROM clawbacks k WHERE k.organization_id = $1 AND k.refund_id = r.id ORDER BY k.id LIMIT 1), \
                 r.id) AS met_at \
         FROM commissions c \
         JOIN payments p ON p.organization_id = $1 AND p.id = c.payment_id \
         JOIN refunds r ON r.organization_id = $1 AND r.payment_id = c.payment_id \
         WHERE c.organization_id = $1 AND c.id = ANY($2) AND r.id < $3 \
         ORDER BY c.id, r.payment_version, r.id"
    )
}

/// The refunds of the payments of these lines, recorded before the horizon, in the order of each line.
pub fn refunds_before(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: &[Uuid],
    horizon: Uuid,
) -> Result<Vec<(CommissionId, RefundBefore)>, Problem> {
    let rows: Vec<Raw> = sql_query(refunds())
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(lines)
        .bind::<SqlUuid, _>(horizon)
        .load(tx.connection())?;
    rows.into_iter()
        .map(|row| {
            let refund = RefundBefore {
                refund_id: RefundId::from_uuid(row.refund_id),
                refund: money(row.refund, &row.currency)?,
                refunded_cumulative: money(row.refunded_cumulative, &row.currency)?,
                refunded_at: row.refunded_at,
                went_back_at: row.went_back_at,
                window_days: row.window_days,
                met_at: row.met_at,
            };
            Ok((CommissionId::from_uuid(row.base_id), refund))
        })
        .collect()
}
