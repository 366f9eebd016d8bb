//! What one credit has earned.

use crate::kernel::ctx::Scope;
use crate::kernel::id::{AttributionId, CommissionId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use crate::platform::db::schema::commissions;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Numeric, Text};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A line that a credit earned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditLine {
    /// The line.
    pub id: CommissionId,
    /// In which program.
    pub program_id: ProgramId,
    /// What is owed of it, less what was taken back.
    pub kept: Money,
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
            commissions::program_id,
            sql::<Text>("commissions.owed_currency"),
            sql::<Numeric>("commissions.owed_amount"),
            sql::<Numeric>("commissions.owed_reversed"),
        ))
        .into_boxed();
    if let Some(partner_id) = scope.partner_id {
        query = query.filter(commissions::partner_id.eq(partner_id.uuid()));
    }
    let rows: Vec<(Uuid, Uuid, String, Decimal, Decimal)> = query.load(tx.connection())?;
    let lines = rows
        .into_iter()
        .map(|(id, program_id, currency, amount, reversed)| {
            Ok(CreditLine {
                id: CommissionId::from_uuid(id),
                program_id: ProgramId::from_uuid(program_id),
                kept: super::money(amount - reversed, &currency)?,
            })
        });
    lines.collect()
}
