//! Referrals that the service itself moves: promises that are broken, and ends that have come.

use super::ReferralRow;
use crate::features::referrals::domain::Referral;
use crate::kernel::ctx::Scope;
use crate::kernel::id::OrganizationId;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::referrals;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, sql_query};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
}

/// The organizations that have referrals which are late or over; asked outside of any scope.
pub fn organizations_with_late_referrals(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<OrganizationId>, Problem> {
    let query = sql_query("SELECT organizations_with_late_referrals($1) AS organization_id")
        .bind::<Timestamptz, _>(now);
    let rows: Vec<Waiting> = Prepared(query).load(connection)?;
    let ids = rows.iter().map(|row| row.organization_id);
    Ok(ids.map(OrganizationId::from_uuid).collect())
}

/// Some of the referrals that are late or over, locked; those that somebody else has in hand are left to them.
pub fn lock_late(
    tx: &mut Tx<'_>,
    scope: &Scope,
    now: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Referral>, Problem> {
    let is_late = referrals::response_breached_at
        .is_null()
        .and(referrals::respond_by.le(now).assume_not_null());
    let rows: Vec<ReferralRow> = referrals::table
        .filter(referrals::organization_id.eq(scope.organization_id.uuid()))
        .filter(referrals::status.eq("submitted"))
        .filter(referrals::expires_at.le(now).or(is_late))
        .select(ReferralRow::as_select())
        .order(referrals::id.asc())
        .limit(most)
        .for_no_key_update()
        .skip_locked()
        .load(tx.connection())?;
    rows.into_iter().map(Referral::try_from).collect()
}
