//! Holds that are over and lines that somebody approves, set by set.

use super::super::domain::Moved;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionId, PartnerId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx, due};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    approves_by_itself: bool,
}

/// Which due lines a bulk approval takes.
#[derive(Debug, Clone, Default)]
pub struct ApprovalScope {
    /// Of this program.
    pub program_id: Option<ProgramId>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// Released at or before this instant.
    pub released_until: Option<DateTime<Utc>>,
}

/// Lines whose hold is over, which nobody disputes and whose partner may earn, locked; with each whether its program approves by itself.
pub fn lock_released(tx: &mut Tx<'_>, ctx: &Ctx, most: i64) -> Result<Vec<(Moved, bool)>, Problem> {
    let query = sql_query(
        "SELECT c.id, c.partner_id, c.program_id, c.owed_currency AS currency, c.owed_amount - c.owed_netted AS amount, c.release_at AS at, \
             g.commission_approval = 'automatic' AS approves_by_itself \
         FROM commissions c \
         JOIN programs g ON g.organization_id = $1 AND g.id = c.program_id \
         JOIN partners n ON n.organization_id = $1 AND n.id = c.partner_id AND n.status = 'approved' \
         WHERE c.organization_id = $1 AND c.status = 'pending' AND c.release_at <= $2 AND c.dispute_id IS NULL \
         ORDER BY c.release_at, c.id LIMIT $3 FOR NO KEY UPDATE OF c SKIP LOCKED",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<BigInt, _>(most);
    let rows: Vec<Raw> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(|row| row.moved()).collect()
}

/// The organizations in which some hold is over, each at its own clock; asked outside any scope.
pub fn organizations_with_holds_over(
    connection: &mut PgConnection,
    wall_now: DateTime<Utc>,
) -> Result<Vec<Ctx>, Problem> {
    due(connection, "organizations_with_holds_over", wall_now)
}

/// Ends the hold of lines that are locked.
pub fn release(tx: &mut Tx<'_>, ctx: &Ctx, lines: &[CommissionId]) -> Result<(), Problem> {
    let query = sql_query(
        "UPDATE commissions SET status = 'due', row_version = row_version + 1, updated_at = $2 \
         WHERE organization_id = $1 AND id = ANY($3) AND status = 'pending'",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|id| id.uuid()).collect::<Vec<_>>());
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// Approves the due lines among these, or all of the scope when none are named, and returns what moved.
pub fn approve(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    lines: Option<&[CommissionId]>,
    which: &ApprovalScope,
) -> Result<Vec<Moved>, Problem> {
    let ids: Option<Vec<Uuid>> = lines.map(|lines| lines.iter().map(|id| id.uuid()).collect());
    let query = sql_query(
        "WITH chosen AS (\
             SELECT c.id FROM commissions c WHERE c.organization_id = $1 AND c.status = 'due' AND c.dispute_id IS NULL \
                 AND ($3::uuid[] IS NULL OR c.id = ANY($3)) AND ($4::uuid IS NULL OR c.program_id = $4) \
                 AND ($5::uuid IS NULL OR c.partner_id = $5) AND ($6::timestamptz IS NULL OR c.release_at <= $6) \
             ORDER BY c.id FOR NO KEY UPDATE) \
         UPDATE commissions c SET status = 'approved', approved_at = $2, row_version = c.row_version + 1, updated_at = $2 \
         FROM chosen WHERE c.organization_id = $1 AND c.id = chosen.id \
         RETURNING c.id, c.partner_id, c.program_id, c.owed_currency AS currency, c.owed_amount - c.owed_netted AS amount, \
             c.release_at AS at, true AS approves_by_itself",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<Nullable<Array<SqlUuid>>, _>(ids)
    .bind::<Nullable<SqlUuid>, _>(which.program_id.map(ProgramId::uuid))
    .bind::<Nullable<SqlUuid>, _>(which.partner_id.map(PartnerId::uuid))
    .bind::<Nullable<Timestamptz>, _>(which.released_until);
    let rows: Vec<Raw> = Prepared(query).load(tx.connection())?;
    rows.into_iter().map(|row| Ok(row.moved()?.0)).collect()
}

impl Raw {
    fn moved(self) -> Result<(Moved, bool), Problem> {
        let moved = Moved {
            id: CommissionId::from_uuid(self.id),
            partner_id: PartnerId::from_uuid(self.partner_id),
            program_id: ProgramId::from_uuid(self.program_id),
            amount: super::money(self.amount, &self.currency)?,
            at: self.at,
        };
        Ok((moved, self.approves_by_itself))
    }
}
