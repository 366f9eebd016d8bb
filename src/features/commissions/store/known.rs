//! What had become of a line by an instant, as the journal tells.

use super::super::domain::{Commission, CommissionStatus, KnownMoves};
use super::money;
use crate::kernel::ctx::Scope;
use crate::kernel::id::DisputeId;
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = Bool)]
    was_released: bool,
    #[diesel(sql_type = Bool)]
    was_approved: bool,
    #[diesel(sql_type = Nullable<Text>)]
    payout_move: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    payout_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Numeric)]
    reversed: Decimal,
    #[diesel(sql_type = Numeric)]
    netted: Decimal,
    #[diesel(sql_type = Numeric)]
    owed_since: Decimal,
    #[diesel(sql_type = Numeric)]
    owed_netted_since: Decimal,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    dispute_id: Option<Uuid>,
}

/// A line of a payout moves with it, and each of a payout's moves is an entry; a payout that was only proposed has none.
const KNOWN: &str = "SELECT \
        EXISTS (SELECT FROM ledger_entries e WHERE e.organization_id = $1 AND e.source_id = $2 \
            AND e.kind = 'hold_release' AND e.recorded_at <= $3) AS was_released, \
        EXISTS (SELECT FROM ledger_entries e WHERE e.organization_id = $1 AND e.source_id = $2 \
            AND e.kind = 'approval' AND e.recorded_at <= $3) AS was_approved, \
        m.kind AS payout_move, m.occurred_at AS payout_at, \
        (SELECT coalesce(sum(k.amount), 0) FROM clawbacks k WHERE k.organization_id = $1 AND k.commission_id = $2 \
            AND k.created_at <= $3) AS reversed, \
        (SELECT coalesce(sum(k.amount), 0) FROM clawbacks k WHERE k.organization_id = $1 AND k.commission_id = $2 \
            AND k.taken_from IN ('held', 'released') AND k.created_at <= $3) AS netted, \
        (SELECT coalesce(sum(k.exchanged_amount), 0) FROM clawbacks k WHERE k.organization_id = $1 \
            AND k.commission_id = $2 AND k.created_at > $3) AS owed_since, \
        (SELECT coalesce(sum(k.exchanged_amount), 0) FROM clawbacks k WHERE k.organization_id = $1 \
            AND k.commission_id = $2 AND k.taken_from IN ('held', 'released') AND k.created_at > $3) \
            AS owed_netted_since, \
        (SELECT d.id FROM dispute_lines l JOIN disputes d ON d.organization_id = $1 AND d.id = l.dispute_id \
            WHERE l.organization_id = $1 AND l.commission_id = $2 AND d.created_at <= $3 \
                AND (d.status IN ('open', 'in_review', 'needs_information') OR coalesce(d.decided_at, d.updated_at) > $3) \
            ORDER BY d.id DESC LIMIT 1) AS dispute_id \
    FROM (SELECT) one LEFT JOIN LATERAL (SELECT e.kind, e.occurred_at \
        FROM payout_items i JOIN ledger_entries e ON e.organization_id = $1 AND e.source_id = i.payout_id \
        WHERE i.organization_id = $1 AND i.commission_id = $2 AND e.recorded_at <= $3 \
            AND e.kind IN ('reserve', 'reserve_cancelled', 'payout_paid', 'payout_failed', 'payout_returned') \
        ORDER BY e.id DESC LIMIT 1) m ON true";

/// What had become of the line by the instant.
pub fn known_at(
    tx: &mut Tx<'_>,
    scope: &Scope,
    line: &Commission,
    instant: DateTime<Utc>,
) -> Result<KnownMoves, Problem> {
    let query = sql_query(KNOWN)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(line.id.uuid())
        .bind::<Timestamptz, _>(instant);
    let raw: Raw = Prepared(query).get_result(tx.connection())?;
    let code = line.amount.currency().code();
    let payout = raw.payout_move.as_deref().map(|kind| match kind {
        "reserve" => (CommissionStatus::InPayout, None),
        "payout_paid" => (CommissionStatus::Paid, raw.payout_at),
        _ => (CommissionStatus::Approved, None),
    });
    Ok(KnownMoves {
        was_released: raw.was_released,
        was_approved: raw.was_approved,
        payout,
        reversed: money(raw.reversed, code)?,
        netted: money(raw.netted, code)?,
        owed_since: (raw.owed_since, raw.owed_netted_since),
        dispute_id: raw.dispute_id.map(DisputeId::from_uuid),
    })
}
