//! Lines of payouts in Postgres. Every statement takes the caller's scope.

use super::LineMove;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{ClawbackId, CommissionId};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Locks the commissions in the order of their ids, as everyone does who takes several.
pub fn lock_commissions(tx: &mut Tx<'_>, scope: &Scope, ids: &[CommissionId]) -> Result<(), Problem> {
    let ids = ids.iter().map(|id| id.uuid()).collect();
    lock(
        tx,
        scope,
        ids,
        "SELECT count(*) FROM (SELECT FROM commissions WHERE organization_id = $1 AND id = ANY($2) \
         ORDER BY id FOR NO KEY UPDATE) locked",
    )
}

/// Locks the clawbacks in the order of their ids.
pub fn lock_clawbacks(tx: &mut Tx<'_>, scope: &Scope, ids: &[ClawbackId]) -> Result<(), Problem> {
    let ids = ids.iter().map(|id| id.uuid()).collect();
    lock(
        tx,
        scope,
        ids,
        "SELECT count(*) FROM (SELECT FROM clawbacks WHERE organization_id = $1 AND id = ANY($2) \
         ORDER BY id FOR NO KEY UPDATE) locked",
    )
}

fn lock(tx: &mut Tx<'_>, scope: &Scope, ids: Vec<Uuid>, statement: &str) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    let query = diesel::sql_query(statement)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(ids);
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// Moves the commissions.
pub fn move_commissions(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[CommissionId],
    line_move: LineMove,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    let (from, to) = line_move.of_commission();
    let query = diesel::sql_query(
        "UPDATE commissions SET status = $4, paid_at = $5, row_version = row_version + 1, updated_at = $6 \
         WHERE organization_id = $1 AND id = ANY($2) AND status = $3",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind::<Text, _>(from)
    .bind::<Text, _>(to)
    .bind::<Nullable<Timestamptz>, _>(line_move.paid_at())
    .bind::<Timestamptz, _>(now);
    let moved = query.execute(tx.connection())?;
    all(moved, ids.len())
}

/// Moves the clawbacks.
pub fn move_clawbacks(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[ClawbackId],
    line_move: LineMove,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    let (from, to) = line_move.of_clawback();
    let query = diesel::sql_query(
        "UPDATE clawbacks SET status = $4, row_version = row_version + 1, updated_at = $5 \
         WHERE organization_id = $1 AND id = ANY($2) AND status = $3",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind::<Text, _>(from)
    .bind::<Text, _>(to)
    .bind::<Timestamptz, _>(now);
    let moved = query.execute(tx.connection())?;
    all(moved, ids.len())
}

/// A line that stood elsewhere was moved by somebody else.
fn all(moved: usize, asked: usize) -> Result<(), Problem> {
    if moved == asked {
        Ok(())
    } else {
        tracing::warn!(moved, asked, "lines of a payout stood elsewhere");
        Err(Problem::new(Code::WriteConflict))
    }
}
