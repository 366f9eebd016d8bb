//! Which gates before earning would be closed on a deal that need not exist.

use super::Detail;
use crate::kernel::ctx::Scope;
use crate::kernel::gate::GatedStep;
use crate::kernel::id::{PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    lock_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    product_family_id: Option<Uuid>,
    #[diesel(sql_type = Array<Text>)]
    closed: Vec<String>,
}

/// The gates that are closed to partners, at lock points, for product families.
#[derive(Debug, Default)]
pub struct ClosedGates {
    found: HashMap<(PartnerId, DateTime<Utc>, Option<ProductFamilyId>), Vec<String>>,
}

impl ClosedGates {
    /// Notes in the details of a line what is closed to its partner and to the one above.
    pub fn note(
        &self,
        detail: &mut Detail,
        partner_id: PartnerId,
        lock_at: DateTime<Utc>,
        family: Option<ProductFamilyId>,
    ) {
        let closed = |partner_id| self.found.get(&(partner_id, lock_at, family)).cloned();
        detail.closed_gates = closed(partner_id).unwrap_or_default();
        if let Some(above) = &mut detail.distributor {
            above.closed_gates = closed(above.partner_id).unwrap_or_default();
        }
    }
}

/// What is closed to each of these partners at each of these lock points, for each of these product families and a
/// customer in this country.
pub fn closed_gates(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: ProgramId,
    partners: &[PartnerId],
    lock_points: &BTreeSet<DateTime<Utc>>,
    (families, country): (BTreeSet<Option<Uuid>>, Option<&str>),
) -> Result<ClosedGates, Problem> {
    let query = sql_query(
        "SELECT p.id AS partner_id, t.lock_at, f.id AS product_family_id, \
             closed_gates($1, $2, p.id, $3, t.lock_at, f.id, $4) AS closed \
         FROM unnest($5) p (id) CROSS JOIN unnest($6) t (lock_at) CROSS JOIN unnest($7) f (id)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(program_id.uuid())
    .bind::<Text, _>(GatedStep::Accruing.as_str())
    .bind::<Nullable<Text>, _>(country)
    .bind::<Array<SqlUuid>, _>(partners.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(lock_points.iter().copied().collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(families.into_iter().collect::<Vec<_>>());
    let rows: Vec<Raw> = Prepared(query).load(tx.connection())?;
    let of = |raw: Raw| {
        let family = raw.product_family_id.map(ProductFamilyId::from_uuid);
        (
            (PartnerId::from_uuid(raw.partner_id), raw.lock_at, family),
            raw.closed,
        )
    };
    Ok(ClosedGates {
        found: rows.into_iter().map(of).collect(),
    })
}
