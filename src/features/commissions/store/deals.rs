//! The deal is the lock between winning it and recording money on it.

use super::super::accrual::Source;
use crate::kernel::ctx::Scope;
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use diesel::sql_query;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use uuid::Uuid;

/// Holds the deals of the source as they are until the transaction ends. A deal that is being won at this instant is
/// waited for, and one that is about to be won waits: whoever comes second sees what the first one left, so that the
/// money is earned by exactly one of them.
pub fn hold(tx: &mut Tx<'_>, scope: &Scope, source: Source<'_>, ids: &[Uuid]) -> Result<(), Problem> {
    let of_source = match source {
        Source::Deals(_) => return Ok(()),
        Source::Payments(_) => {
            "SELECT i.deal_id FROM payments p JOIN invoices i ON i.organization_id = $1 AND i.id = p.invoice_id \
             WHERE p.organization_id = $1 AND p.id = ANY($2)"
        }
        Source::CreditNotes(_) => {
            "SELECT k.deal_id FROM credit_notes k WHERE k.organization_id = $1 AND k.id = ANY($2)"
        }
    };
    share(tx, scope, of_source, ids)
}

/// The same for refunds.
pub fn hold_of_refunds(tx: &mut Tx<'_>, scope: &Scope, ids: &[Uuid]) -> Result<(), Problem> {
    let of_refunds = "SELECT i.deal_id FROM refunds r JOIN invoices i ON i.organization_id = $1 AND i.id = r.invoice_id \
        WHERE r.organization_id = $1 AND r.id = ANY($2)";
    share(tx, scope, of_refunds, ids)
}

fn share(tx: &mut Tx<'_>, scope: &Scope, which: &str, ids: &[Uuid]) -> Result<(), Problem> {
    let text = format!(
        "SELECT d.id FROM deals d WHERE d.organization_id = $1 AND d.id IN ({which}) ORDER BY d.id FOR SHARE"
    );
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(ids);
    Prepared(query).execute(tx.connection())?;
    Ok(())
}
