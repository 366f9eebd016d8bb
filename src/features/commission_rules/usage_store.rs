//! What commissions, programs, partners and product families say about a rule.

use crate::kernel::ctx::Scope;
use crate::kernel::id::{CommissionRuleVersionId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::programs;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Timestamptz, Uuid as SqlUuid};
use std::collections::HashSet;
use uuid::Uuid;

/// Locks the program until the transaction ends, also against rows that would refer to it.
pub fn lock_program(tx: &mut Tx<'_>, scope: &Scope, id: ProgramId) -> Result<(), Problem> {
    programs::table
        .filter(programs::organization_id.eq(scope.organization_id.uuid()))
        .filter(programs::id.eq(id.uuid()))
        .select(programs::id)
        .for_update()
        .first::<Uuid>(tx.connection())?;
    Ok(())
}

#[derive(QueryableByName)]
struct Instant {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    instant: Option<DateTime<Utc>>,
}

/// The instant whose terms a commission got: when its deal was won or, where the program says so, when it was paid. A
/// line of a credit note has no payment and got those of the day it was issued.
const LOCK_POINT: &str = "CASE g.lock_point WHEN 'deal_won' THEN coalesce(d.won_at, c.earned_at) \
    ELSE coalesce(p.paid_at, c.earned_at) END";
const COMPUTED: &str = "FROM commissions c \
    JOIN programs g ON g.organization_id = c.organization_id AND g.id = c.program_id \
    JOIN deals d ON d.organization_id = c.organization_id AND d.id = c.deal_id \
    LEFT JOIN payments p ON p.organization_id = c.organization_id AND p.id = c.payment_id";

/// The latest lock point of the program's commissions that a rule decided, if it is not before `from`. A zero line for
/// which there was no rule was computed under no terms.
pub fn last_computed(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: ProgramId,
    from: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let query = diesel::sql_query(format!(
        "SELECT max({LOCK_POINT}) AS instant {COMPUTED} \
         WHERE c.organization_id = $1 AND c.program_id = $2 AND c.rule_version_id IS NOT NULL \
             AND {LOCK_POINT} >= $3"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(program_id.uuid())
    .bind::<Timestamptz, _>(from);
    let found: Instant = Prepared(query).get_result(tx.connection())?;
    Ok(found.instant)
}

/// The latest lock point of the commissions that a version decided.
pub fn last_use(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: CommissionRuleVersionId,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let query = diesel::sql_query(format!(
        "SELECT max({LOCK_POINT}) AS instant {COMPUTED} \
         WHERE c.organization_id = $1 AND c.rule_version_id = $2"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(id.uuid());
    let found: Instant = Prepared(query).get_result(tx.connection())?;
    Ok(found.instant)
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Which of these partners and product families exist.
pub fn known_references(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_ids: &[Uuid],
    product_family_ids: &[Uuid],
) -> Result<HashSet<Uuid>, Problem> {
    let query = diesel::sql_query(
        "SELECT id FROM partners WHERE organization_id = $1 AND id = ANY ($2) \
         UNION ALL SELECT id FROM product_families WHERE organization_id = $1 AND id = ANY ($3)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(partner_ids)
    .bind::<Array<SqlUuid>, _>(product_family_ids);
    let known: Vec<Known> = Prepared(query).load(tx.connection())?;
    Ok(known.into_iter().map(|row| row.id).collect())
}
