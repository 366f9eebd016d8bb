//! What one credit has earned.

use crate::kernel::ctx::Scope;
use crate::kernel::id::{AttributionId, CommissionId, PartnerId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::commissions;
use crate::platform::db::{Prepared, Tx};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Integer, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A line that a credit earned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditLine {
    /// The line.
    pub id: CommissionId,
    /// Whose it is: of whoever has the credit, or of the distributor above.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// The share with which it was earned, in basis points.
    pub share: i32,
    /// What is left of it, less what was taken back: in the currency in which it is owed, or, where it is exchanged when it
    /// is paid out, in that of the invoice, which stays.
    pub kept: Money,
}

/// A column of a line in the currency that does not change any more when it is paid out.
fn lasting(invoiced: &str, owed: &str) -> String {
    format!(
        "CASE commissions.fx_policy WHEN 'at_payout' THEN commissions.{invoiced} ELSE commissions.{owed} END"
    )
}

/// The lines of a credit, oldest first.
pub fn lines_of_credit(
    tx: &mut Tx<'_>,
    scope: &Scope,
    attribution_id: AttributionId,
) -> Result<Vec<CreditLine>, Problem> {
    let mut query = commissions::table
        .filter(commissions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commissions::attribution_id.eq(attribution_id.uuid()))
        .order(commissions::id)
        .select((
            commissions::id,
            commissions::partner_id,
            commissions::program_id,
            sql::<Integer>("(commissions.explanation #>> '{entitlement,share,basis_points}')::integer"),
            sql::<Text>(&lasting("currency", "owed_currency")),
            sql::<Numeric>(&lasting("amount", "owed_amount")),
            sql::<Numeric>(&lasting("reversed_amount", "owed_reversed")),
        ))
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(commissions::partner_id.eq(partner_id.uuid()));
    }
    let rows: Vec<(Uuid, Uuid, Uuid, i32, String, Decimal, Decimal)> = query.load(tx.connection())?;
    let lines = rows.into_iter().map(
        |(id, partner_id, program_id, share, currency, amount, reversed)| {
            Ok(CreditLine {
                id: CommissionId::from_uuid(id),
                partner_id: PartnerId::from_uuid(partner_id),
                program_id: ProgramId::from_uuid(program_id),
                share,
                kept: super::money(amount - reversed, &currency)?,
            })
        },
    );
    lines.collect()
}

/// Locks the lines of a credit until the transaction ends, in the order of their ids, so that nothing is taken from them or
/// given back meanwhile.
pub fn lock_lines_of_credit(tx: &mut Tx<'_>, scope: &Scope, id: AttributionId) -> Result<(), Problem> {
    let query = sql_query(
        "SELECT FROM commissions WHERE organization_id = $1 AND attribution_id = $2 ORDER BY id FOR NO KEY UPDATE",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid());
    Prepared(query).execute(tx.connection())?;
    Ok(())
}

/// The credits that earned these lines.
pub fn credits_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    lines: &[CommissionId],
) -> Result<Vec<AttributionId>, Problem> {
    let ids: Vec<Uuid> = lines.iter().map(|id| id.uuid()).collect();
    let query = commissions::table
        .filter(commissions::organization_id.eq(scope.organization_id.uuid()))
        .filter(commissions::id.eq_any(ids))
        .select(commissions::attribution_id)
        .distinct();
    let found: Vec<Uuid> = Prepared(query).load(tx.connection())?;
    Ok(found.into_iter().map(AttributionId::from_uuid).collect())
}
