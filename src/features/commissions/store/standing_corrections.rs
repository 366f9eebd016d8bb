//! What corrections of a credit take of the caps of periods.

use super::super::standings::Row;
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{AttributionId, CommissionRuleId, PartnerId};
use crate::kernel::money::Currency;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::commission_standing_corrections as table;
use crate::platform::db::{Prepared, Tx};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Of one credit, and by how much more than before the standings have it.
const SAVE: &str = "WITH n AS (\
         SELECT * FROM unnest($4, $5, $6, $7, $8, $9) AS n (rule_id, partner_id, currency, period, amount, change)), \
     kept AS (\
         INSERT INTO commission_standing_corrections AS c (organization_id, attribution_id, commission_rule_id, \
             partner_id, currency, period, amount, row_version, created_at, updated_at) \
         SELECT $1, $2, n.rule_id, n.partner_id, n.currency, n.period, n.amount, 1, $3, $3 FROM n \
         ON CONFLICT ON CONSTRAINT commission_standing_corrections_pk DO UPDATE SET amount = excluded.amount, \
             row_version = c.row_version + 1, updated_at = excluded.updated_at) \
     UPDATE commission_standings s SET corrected = s.corrected + n.change, updated_at = $3 FROM n \
     WHERE s.organization_id = $1 AND s.commission_rule_id = n.rule_id AND s.partner_id = n.partner_id \
         AND s.currency = n.currency AND s.period = n.period";

type Stored = (Uuid, Uuid, String, String, Decimal);

/// What the credit takes, by the standings it takes it of.
pub fn of_credit(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: AttributionId,
) -> Result<BTreeMap<Row, Decimal>, Problem> {
    let query = table::table
        .filter(table::organization_id.eq(scope.organization_id.uuid()))
        .filter(table::attribution_id.eq(id.uuid()))
        .select((
            table::commission_rule_id,
            table::partner_id,
            table::currency,
            table::period,
            table::amount,
        ));
    let found: Vec<Stored> = Prepared(query).load(tx.connection())?;
    let row = |(rule_id, partner_id, currency, period, amount): Stored| {
        let currency = Currency::from_code(&currency).map_err(Problem::damaged)?;
        let rule_id = CommissionRuleId::from_uuid(rule_id);
        let row = (rule_id, PartnerId::from_uuid(partner_id), currency, period);
        Ok((row, amount.normalize()))
    };
    found.into_iter().map(row).collect()
}

/// Writes down what the credit takes of these standings from now on, and by how much that is more than before. Whoever
/// comes here holds the standings.
pub fn save(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AttributionId,
    taken: &[(Row, Decimal, Decimal)],
) -> Result<(), Problem> {
    let query = sql_query(SAVE)
        .bind::<SqlUuid, _>(ctx.organization_id().uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Timestamptz, _>(ctx.now)
        .bind::<Array<SqlUuid>, _>(taken.iter().map(|(row, ..)| row.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(taken.iter().map(|(row, ..)| row.1.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(taken.iter().map(|(row, ..)| row.2.code()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(taken.iter().map(|(row, ..)| row.3.clone()).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(taken.iter().map(|(_, amount, _)| *amount).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(taken.iter().map(|(.., change)| *change).collect::<Vec<_>>());
    Prepared(query).execute(tx.connection())?;
    Ok(())
}
