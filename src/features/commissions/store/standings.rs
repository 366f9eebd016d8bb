//! Where partners stand, locked while lines are worked out.

use super::super::standings::{Count, Key, Standings};
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{CommissionRuleId, PartnerId};
use crate::kernel::money::Currency;
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use diesel::sql_types::{Array, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    commission_rule_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    period: String,
    #[diesel(sql_type = Numeric)]
    volume: Decimal,
    #[diesel(sql_type = Numeric)]
    units: Decimal,
    #[diesel(sql_type = Numeric)]
    exact: Decimal,
    #[diesel(sql_type = Numeric)]
    posted: Decimal,
    #[diesel(sql_type = Numeric)]
    corrected: Decimal,
}

/// Rows are made and locked in one order, so that two that lock once do not wait in a circle. What follows from corrections
/// of credit may lock more; where that makes a circle, Postgres ends one and it is tried again.
const LOCK: &str = "INSERT INTO commission_standings AS s (organization_id, commission_rule_id, partner_id, currency, \
         period, volume, units, exact, posted, row_version, created_at, updated_at) \
     SELECT $1, n.rule_id, n.partner_id, n.currency, n.period, 0, 0, 0, 0, 1, $2, $2 \
     FROM unnest($3, $4, $5, $6) AS n (rule_id, partner_id, currency, period) ORDER BY 2, 3, 4, 5 \
     ON CONFLICT ON CONSTRAINT commission_standings_pk DO UPDATE SET row_version = s.row_version + 1 \
     RETURNING commission_rule_id, partner_id, currency, period, volume, units, exact, posted, corrected";

const READ: &str = "SELECT s.commission_rule_id, s.partner_id, s.currency, s.period, s.volume, s.units, s.exact, \
         s.posted, s.corrected \
     FROM commission_standings s JOIN unnest($2, $3, $4, $5) AS n (rule_id, partner_id, currency, period) \
         ON s.commission_rule_id = n.rule_id AND s.partner_id = n.partner_id AND s.currency = n.currency \
         AND s.period = n.period \
     WHERE s.organization_id = $1";

const SAVE: &str = "UPDATE commission_standings s SET volume = n.volume, units = n.units, exact = n.exact, \
         posted = n.posted, updated_at = $2 \
     FROM unnest($3, $4, $5, $6, $7, $8, $9, $10) \
         AS n (rule_id, partner_id, currency, period, volume, units, exact, posted) \
     WHERE s.organization_id = $1 AND s.commission_rule_id = n.rule_id AND s.partner_id = n.partner_id \
         AND s.currency = n.currency AND s.period = n.period";

/// The standings of these keys, held until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, ctx: &Ctx, keys: Vec<Key>) -> Result<Standings, Problem> {
    let mut standings = Standings::default();
    if keys.is_empty() {
        return Ok(standings);
    }
    let mut rows: Vec<_> = keys.iter().map(Key::row).collect();
    rows.sort_unstable();
    rows.dedup();
    let query = sql_query(LOCK)
        .bind::<SqlUuid, _>(ctx.organization_id().uuid())
        .bind::<Timestamptz, _>(ctx.now)
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.1.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.2.code()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.3.clone()).collect::<Vec<_>>());
    take(&mut standings, Prepared(query).load(tx.connection())?)?;
    Ok(standings)
}

/// The standings of these keys as they are, held by nobody.
pub fn read(tx: &mut Tx<'_>, scope: &Scope, keys: Vec<Key>) -> Result<Standings, Problem> {
    let mut standings = Standings::default();
    if keys.is_empty() {
        return Ok(standings);
    }
    let rows: BTreeSet<_> = keys.iter().map(Key::row).collect();
    let query = sql_query(READ)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.1.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.2.code()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.3.clone()).collect::<Vec<_>>());
    take(&mut standings, Prepared(query).load(tx.connection())?)?;
    Ok(standings)
}

fn take(standings: &mut Standings, found: Vec<Raw>) -> Result<(), Problem> {
    for raw in found {
        let key = (
            CommissionRuleId::from_uuid(raw.commission_rule_id),
            PartnerId::from_uuid(raw.partner_id),
            Currency::from_code(&raw.currency).map_err(Problem::damaged)?,
            raw.period,
        );
        let count = Count {
            volume: raw.volume.normalize(),
            units: raw.units.normalize(),
            exact: raw.exact.normalize(),
            posted: raw.posted.normalize(),
            corrected: raw.corrected.normalize(),
        };
        standings.insert(key, count);
    }
    Ok(())
}

/// Writes locked standings back.
pub fn save(tx: &mut Tx<'_>, ctx: &Ctx, standings: &Standings) -> Result<(), Problem> {
    let rows: Vec<_> = standings.rows().collect();
    if rows.is_empty() {
        return Ok(());
    }
    let query = sql_query(SAVE)
        .bind::<SqlUuid, _>(ctx.organization_id().uuid())
        .bind::<Timestamptz, _>(ctx.now)
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|(key, _)| key.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|(key, _)| key.1.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|(key, _)| key.2.code()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|(key, _)| key.3.clone()).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(rows.iter().map(|(_, count)| count.volume).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(rows.iter().map(|(_, count)| count.units).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(rows.iter().map(|(_, count)| count.exact).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(rows.iter().map(|(_, count)| count.posted).collect::<Vec<_>>());
    Prepared(query).execute(tx.connection())?;
    Ok(())
}
