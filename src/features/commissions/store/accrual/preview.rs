//! What a preview asks about partners that a deal would have.

use super::{Detail, Distributor, Holder, PoolParty};
use crate::kernel::commission::Goods;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{AttributionId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::motion::Role;
use crate::kernel::problem::Problem;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    partner_status: String,
    #[diesel(sql_type = Bool)]
    enrolled: bool,
    #[diesel(sql_type = Nullable<Text>)]
    tier: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    enrolled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    above_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    above_status: Option<String>,
    #[diesel(sql_type = Bool)]
    above_enrolled: bool,
    #[diesel(sql_type = Nullable<Text>)]
    above_tier: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    above_enrolled_at: Option<DateTime<Utc>>,
}

/// Partners as they stand in a program, each with its tier at every lock point that was asked for.
#[derive(Debug)]
pub struct Candidates {
    lock_points: Vec<DateTime<Utc>>,
    found: HashMap<(PartnerId, usize), Candidate>,
}

impl Candidates {
    /// Whether there is such a partner.
    pub fn know(&self, partner_id: PartnerId) -> bool {
        self.found.contains_key(&(partner_id, 0))
    }

    /// These partners, and those right above them.
    pub fn partners(&self) -> Vec<PartnerId> {
        let above = |one: &Candidate| one.distributor.as_ref().map(|above| above.partner_id);
        let all = self.found.values();
        let all: BTreeSet<Uuid> = all
            .flat_map(|one| [Some(one.partner_id), above(one)])
            .flatten()
            .map(PartnerId::uuid)
            .collect();
        all.into_iter().map(PartnerId::from_uuid).collect()
    }

    /// The partner as of one of the lock points.
    pub fn get(&self, partner_id: PartnerId, lock_point: DateTime<Utc>) -> Option<&Candidate> {
        let place = self.lock_points.binary_search(&lock_point).ok()?;
        self.found.get(&(partner_id, place))
    }
}

/// A partner as it stands in a program.
#[derive(Debug, Clone)]
pub struct Candidate {
    partner_id: PartnerId,
    partner_status: String,
    enrolled: bool,
    holder: Holder,
    distributor: Option<Distributor>,
}

/// These partners as they stand in the program, at each of these lock points; whom the caller does not see is not among
/// them.
pub fn candidates(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: ProgramId,
    partners: &[PartnerId],
    lock_points: BTreeSet<DateTime<Utc>>,
) -> Result<Candidates, Problem> {
    let lock_points: Vec<DateTime<Utc>> = lock_points.into_iter().collect();
    let query = sql_query(
        "SELECT t.place - 1 AS place, n.id AS partner_id, n.status AS partner_status, \
             coalesce(e.status = 'active', false) AS enrolled, tier_as_of($1, n.id, $2, t.lock_at) AS tier, \
             e.activated_at AS enrolled_at, n.parent_id AS above_id, u.status AS above_status, \
             coalesce(f.status = 'active', false) AS above_enrolled, \
             tier_as_of($1, u.id, $2, t.lock_at) AS above_tier, f.activated_at AS above_enrolled_at \
         FROM partners n \
         CROSS JOIN unnest($5) WITH ORDINALITY AS t (lock_at, place) \
         LEFT JOIN enrollments e ON e.organization_id = $1 AND e.partner_id = n.id AND e.program_id = $2 \
             AND e.status <> 'ended' \
         LEFT JOIN partners u ON u.organization_id = $1 AND u.id = n.parent_id \
         LEFT JOIN enrollments f ON f.organization_id = $1 AND f.partner_id = u.id AND f.program_id = $2 \
             AND f.status <> 'ended' \
         WHERE n.organization_id = $1 AND n.id = ANY($3) AND ($4::uuid IS NULL OR n.id = $4)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(program_id.uuid())
    .bind::<Array<SqlUuid>, _>(partners.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind::<Nullable<SqlUuid>, _>(scope.partner_id.map(PartnerId::uuid))
    .bind::<Array<Timestamptz>, _>(&lock_points);
    let rows: Vec<Raw> = Prepared(query).load(tx.connection())?;
    let of = |raw: Raw| {
        let place = usize::try_from(raw.place).map_err(Problem::damaged)?;
        Ok(((PartnerId::from_uuid(raw.partner_id), place), raw.into()))
    };
    let found = rows.into_iter().map(of).collect::<Result<_, Problem>>()?;
    Ok(Candidates { lock_points, found })
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Which of these product families there are.
pub fn known_families(
    tx: &mut Tx<'_>,
    scope: &Scope,
    families: &[ProductFamilyId],
) -> Result<HashSet<ProductFamilyId>, Problem> {
    let query = sql_query("SELECT id FROM product_families WHERE organization_id = $1 AND id = ANY($2)")
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(families.iter().map(|id| id.uuid()).collect::<Vec<_>>());
    let rows: Vec<Known> = Prepared(query).load(tx.connection())?;
    Ok(rows
        .iter()
        .map(|row| ProductFamilyId::from_uuid(row.id))
        .collect())
}

impl From<Raw> for Candidate {
    fn from(raw: Raw) -> Self {
        let above = raw.above_id.zip(raw.above_status);
        Self {
            partner_id: PartnerId::from_uuid(raw.partner_id),
            partner_status: raw.partner_status,
            enrolled: raw.enrolled,
            holder: Holder {
                tier: raw.tier,
                enrolled_at: raw.enrolled_at,
            },
            distributor: above.map(|(id, partner_status)| Distributor {
                partner_id: PartnerId::from_uuid(id),
                partner_status,
                enrolled: raw.above_enrolled,
                closed_gates: Vec::new(),
                holder: Holder {
                    tier: raw.above_tier,
                    enrolled_at: raw.above_enrolled_at,
                },
            }),
        }
    }
}

impl Candidate {
    /// The partner's credit on a deal that need not exist.
    pub fn party(
        &self,
        attribution_id: AttributionId,
        role: Role,
        basis_points: u32,
        rank: i32,
    ) -> PoolParty {
        PoolParty {
            attribution_id,
            partner_id: self.partner_id,
            role,
            basis_points,
            rank,
            partner_status: self.partner_status.clone(),
            enrolled: self.enrolled,
        }
    }

    /// What rules ask about the partner and a line.
    pub fn detail(&self, goods: Goods, country: Option<String>) -> Detail {
        Detail {
            goods,
            starts_on: None,
            is_first_invoice: true,
            country,
            closed_gates: Vec::new(),
            holder: self.holder.clone(),
            distributor: self.distributor.clone(),
        }
    }
}
