//! The money at stake in a dispute: what was given on it before, and who else disputes it. Asked in house.

use super::super::domain::{DisputeStatus, Stake};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{CommissionId, DealId, DisputeId, PartnerId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Bool, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use uuid::Uuid;

/// One new dispute of money at a time for each of these deals. Whoever waited sees in its next statement what the one
/// before has opened.
pub fn hold_deals(tx: &mut Tx<'_>, scope: &Scope, deals: &[DealId]) -> Result<(), Problem> {
    let names: Vec<String> = deals
        .iter()
        .map(|deal| format!("disputes {} {deal}", scope.organization_id))
        .collect();
    // The order is that of the locks, which differs from that of the deals.
    let query = sql_query(
        "SELECT pg_advisory_xact_lock(k.lock) FROM (SELECT hashtextextended(name, 0) AS lock FROM unnest($1) AS n (name) \
         ORDER BY lock) k",
    );
    Prepared(query.bind::<Array<Text>, _>(names)).execute(tx.connection())?;
    Ok(())
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// A living dispute of this partner about what is missing on one of these deals.
pub fn living_on_deals(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: PartnerId,
    deals: &[DealId],
) -> Result<Option<DisputeId>, Problem> {
    let query = sql_query(
        "SELECT d.id FROM disputes d WHERE d.organization_id = $1 AND d.partner_id = $2 AND d.subject_type = 'deal' \
             AND d.status = ANY ($4) AND d.subject_ids && $3 ORDER BY d.id LIMIT 1",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(partner_id.uuid())
    .bind::<Array<SqlUuid>, _>(uuids(deals))
    .bind::<Array<Text>, _>(DisputeStatus::LIVE.map(DisputeStatus::as_str).to_vec());
    let found: Option<Found> = Prepared(query).get_result(tx.connection()).optional()?;
    Ok(found.map(|found| DisputeId::from_uuid(found.id)))
}

/// A commission of this partner on one of these deals that a living dispute is about.
pub fn disputed_on_deals(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: PartnerId,
    deals: &[DealId],
) -> Result<Option<CommissionId>, Problem> {
    let query = sql_query(
        "SELECT c.id FROM commissions c WHERE c.organization_id = $1 AND c.partner_id = $2 AND c.deal_id = ANY ($3) \
             AND c.dispute_id IS NOT NULL ORDER BY c.id LIMIT 1",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(partner_id.uuid())
    .bind::<Array<SqlUuid>, _>(uuids(deals));
    let found: Option<Found> = Prepared(query).get_result(tx.connection()).optional()?;
    Ok(found.map(|found| CommissionId::from_uuid(found.id)))
}

#[derive(QueryableByName)]
struct Given {
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

/// What corrections and disputes have given on the stake so far, less what corrections of it alone have taken.
///
/// An adjustment that is about more than the stake counts whole where it gave: the same claim is not paid twice, and who
/// thinks that it was given for something else disputes all that it was about.
pub fn given(tx: &mut Tx<'_>, scope: &Scope, stake: &Stake) -> Result<Money, Problem> {
    let query = sql_query(
        "WITH own AS (\
             SELECT c.id FROM commissions c \
             WHERE c.organization_id = $1 AND c.partner_id = $2 \
                 AND CASE WHEN $6 THEN c.deal_id = ANY ($5) ELSE c.id = ANY ($4) END) \
         SELECT coalesce(sum(a.amount), 0) AS amount FROM adjustments a \
         WHERE a.organization_id = $1 AND a.partner_id = $2 AND a.currency = $3 \
             AND a.reason_code IN ('dispute', 'correction') \
             AND (a.status IN ('approved', 'in_payout', 'paid') OR a.status = 'proposed' AND a.dispute_id IS NOT NULL) \
             AND (a.commission_id IN (TABLE own) \
                 OR a.deal_id = ANY ($5) AND ($6 OR a.amount > 0) \
                 OR EXISTS (\
                     SELECT FROM dispute_lines l WHERE l.organization_id = $1 AND l.dispute_id = a.dispute_id \
                         AND l.commission_id IN (TABLE own)) \
                 OR a.amount > 0 AND EXISTS (\
                     SELECT FROM disputes d \
                     JOIN dispute_lines l ON l.organization_id = $1 AND l.dispute_id = d.id \
                     WHERE d.organization_id = $1 AND d.adjustment_id = a.id AND l.commission_id IN (TABLE own)))",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(stake.partner_id.uuid())
    .bind::<Text, _>(stake.currency.code())
    .bind::<Array<SqlUuid>, _>(stake.lines.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(uuids(&stake.deals))
    .bind::<Bool, _>(stake.lines.is_empty());
    let found: Given = Prepared(query).get_result(tx.connection())?;
    Money::new(found.amount, stake.currency).map_err(|_| Stake::too_much())
}

/// The disputes that gave something on these commissions.
pub fn that_gave_on(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: &[CommissionId],
) -> Result<Vec<DisputeId>, Problem> {
    let query = sql_query(
        "SELECT DISTINCT d.id FROM dispute_lines l \
         JOIN disputes d ON d.organization_id = $1 AND d.id = l.dispute_id AND d.adjustment_id IS NOT NULL \
         WHERE l.organization_id = $1 AND l.commission_id = ANY ($2) ORDER BY d.id",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|id| id.uuid()).collect::<Vec<_>>());
    let found: Vec<Found> = Prepared(query).load(tx.connection())?;
    Ok(found
        .into_iter()
        .map(|found| DisputeId::from_uuid(found.id))
        .collect())
}

fn uuids(deals: &[DealId]) -> Vec<Uuid> {
    deals.iter().map(|id| id.uuid()).collect()
}
