//! To whom referrals go.

use super::money;
use crate::features::referrals::domain::ReferralRoute;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{ProductFamilyId, ProgramId, ReferralId, UserId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::referral_routes;
use crate::platform::db::{Prepared, Tx};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = referral_routes, check_for_backend(diesel::pg::Pg))]
struct RouteRow {
    organization_id: Uuid,
    program_id: Uuid,
    position: i32,
    countries: Vec<String>,
    product_family_ids: Vec<Uuid>,
    minimum_amount: Option<Decimal>,
    currency: Option<String>,
    owner_ids: Vec<Uuid>,
    turns: i64,
}

/// The routes of a program, in the order in which they are tried.
pub fn routes(tx: &mut Tx<'_>, scope: &Scope, program_id: ProgramId) -> Result<Vec<ReferralRoute>, Problem> {
    let rows: Vec<RouteRow> = referral_routes::table
        .filter(referral_routes::organization_id.eq(scope.organization_id.uuid()))
        .filter(referral_routes::program_id.eq(program_id.uuid()))
        .select(RouteRow::as_select())
        .order(referral_routes::position.asc())
        .load(tx.connection())?;
    rows.into_iter().map(ReferralRoute::try_from).collect()
}

/// Puts these routes in the place of those before; two replacements of a program's come one after the other.
pub fn replace_routes(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: ProgramId,
    routes: &[ReferralRoute],
) -> Result<(), Problem> {
    let lock = sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))")
        .bind::<Text, _>(format!("referral routes {program_id}"))
        .bind::<BigInt, _>(0);
    Prepared(lock).execute(tx.connection())?;
    let before = referral_routes::table
        .filter(referral_routes::organization_id.eq(scope.organization_id.uuid()))
        .filter(referral_routes::program_id.eq(program_id.uuid()));
    Prepared(diesel::delete(before)).execute(tx.connection())?;
    let rows: Vec<RouteRow> = (1..)
        .zip(routes)
        .map(|(position, route)| RouteRow {
            organization_id: scope.organization_id.uuid(),
            program_id: program_id.uuid(),
            position,
            countries: route.countries.iter().cloned().collect(),
            product_family_ids: route.product_family_ids.iter().map(|id| id.uuid()).collect(),
            minimum_amount: route.minimum_amount.map(Money::amount),
            currency: route
                .minimum_amount
                .map(|least| least.currency().code().to_owned()),
            owner_ids: route.owner_ids.iter().map(|id| id.uuid()).collect(),
            turns: 0,
        })
        .collect();
    diesel::insert_into(referral_routes::table)
        .values(rows)
        .execute(tx.connection())?;
    Ok(())
}

/// Gives a new referral to whoever it goes to, if it goes to anybody.
pub fn route(tx: &mut Tx<'_>, id: ReferralId) -> Result<(), Problem> {
    let query = sql_query("SELECT route_referral($1)").bind::<SqlUuid, _>(id.uuid());
    Ok(Prepared(query).execute(tx.connection())?)
}

impl TryFrom<RouteRow> for ReferralRoute {
    type Error = Problem;

    fn try_from(row: RouteRow) -> Result<Self, Problem> {
        let families = row.product_family_ids.into_iter();
        Ok(Self {
            countries: row.countries.into_iter().collect(),
            product_family_ids: families.map(ProductFamilyId::from_uuid).collect(),
            minimum_amount: money(row.minimum_amount, row.currency.as_deref())?,
            owner_ids: row.owner_ids.into_iter().map(UserId::from_uuid).collect(),
        })
    }
}
