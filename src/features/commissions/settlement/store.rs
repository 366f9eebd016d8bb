//! Lines of payouts in Postgres. Every statement takes the caller's scope.

use super::{LineMove, SettledLines};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{CommissionId, PayoutId};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

/// The commissions of payouts `$2`, which nobody takes from them while their run is locked. As an array they are looked up in
/// the primary key one after the other, in its order, whatever Postgres believes to know of tables that have just grown.
const COMMISSIONS: &str = "ANY (ARRAY(SELECT i.commission_id FROM payout_items i WHERE i.organization_id = $1 \
    AND i.payout_id = ANY($2) AND i.status <> 'released' AND i.commission_id IS NOT NULL))";

/// Their clawbacks.
const CLAWBACKS: &str = "ANY (ARRAY(SELECT i.clawback_id FROM payout_items i WHERE i.organization_id = $1 \
    AND i.payout_id = ANY($2) AND i.status <> 'released' AND i.clawback_id IS NOT NULL))";

#[derive(QueryableByName)]
struct Disputed {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Locks the commissions in the order of their ids, as everyone does who takes several.
pub fn lock_commissions(tx: &mut Tx<'_>, scope: &Scope, lines: &SettledLines) -> Result<(), Problem> {
    if lines.commissions == 0 {
        return Ok(());
    }
    let statement = format!(
        "SELECT count(*) FROM (SELECT FROM commissions WHERE organization_id = $1 AND id = {COMMISSIONS} \
         ORDER BY id FOR NO KEY UPDATE) locked"
    );
    lock(tx, scope, lines, statement)
}

/// Locks the clawbacks in the order of their ids.
pub fn lock_clawbacks(tx: &mut Tx<'_>, scope: &Scope, lines: &SettledLines) -> Result<(), Problem> {
    if lines.clawbacks == 0 {
        return Ok(());
    }
    let statement = format!(
        "SELECT count(*) FROM (SELECT FROM clawbacks WHERE organization_id = $1 AND id = {CLAWBACKS} \
         ORDER BY id FOR NO KEY UPDATE) locked"
    );
    lock(tx, scope, lines, statement)
}

fn lock(tx: &mut Tx<'_>, scope: &Scope, lines: &SettledLines, statement: String) -> Result<(), Problem> {
    let query = sql_query(statement)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(uuids(&lines.payouts));
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// The commissions that somebody disputes.
pub fn disputed(tx: &mut Tx<'_>, scope: &Scope, lines: &SettledLines) -> Result<Vec<CommissionId>, Problem> {
    let query = sql_query(format!(
        "SELECT id FROM commissions WHERE organization_id = $1 AND (dispute_id IS NOT NULL) IS TRUE \
         AND id = {COMMISSIONS} ORDER BY id"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(uuids(&lines.payouts));
    let found: Vec<Disputed> = Prepared(query).load(tx.connection())?;
    Ok(found
        .into_iter()
        .map(|row| CommissionId::from_uuid(row.id))
        .collect())
}

/// Moves the commissions. Their status is asked in a way that no index answers: few are believed to stand where a million
/// have just been put.
pub fn move_commissions(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: &SettledLines,
    line_move: LineMove,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if lines.commissions == 0 {
        return Ok(());
    }
    let (from, to) = line_move.of_commission();
    let query = sql_query(format!(
        "UPDATE commissions SET status = $4, paid_at = $5, row_version = row_version + 1, updated_at = $6 \
         WHERE organization_id = $1 AND id = {COMMISSIONS} AND (status = $3) IS TRUE"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(uuids(&lines.payouts))
    .bind::<Text, _>(from)
    .bind::<Text, _>(to)
    .bind::<Nullable<Timestamptz>, _>(line_move.paid_at())
    .bind::<Timestamptz, _>(now);
    let moved = query.execute(tx.connection())?;
    all(moved, lines.commissions)
}

/// Moves the clawbacks.
pub fn move_clawbacks(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: &SettledLines,
    line_move: LineMove,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if lines.clawbacks == 0 {
        return Ok(());
    }
    let (from, to) = line_move.of_clawback();
    let query = sql_query(format!(
        "UPDATE clawbacks SET status = $4, row_version = row_version + 1, updated_at = $5 \
         WHERE organization_id = $1 AND id = {CLAWBACKS} AND (status = $3) IS TRUE"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(uuids(&lines.payouts))
    .bind::<Text, _>(from)
    .bind::<Text, _>(to)
    .bind::<Timestamptz, _>(now);
    let moved = query.execute(tx.connection())?;
    all(moved, lines.clawbacks)
}

fn uuids(payouts: &[PayoutId]) -> Vec<Uuid> {
    payouts.iter().map(|id| id.uuid()).collect()
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
