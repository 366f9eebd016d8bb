//! Referrals that the service itself moves: promises that are broken, and ends that have come.

use super::ReferralRow;
use crate::features::referrals::domain::Referral;
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::referrals;
use crate::platform::db::{Tx, due};
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use diesel::prelude::*;

/// The organizations that have referrals which are late or over, each at its own clock; asked outside of any scope.
pub fn organizations_with_late_referrals(
    connection: &mut PgConnection,
    wall_now: DateTime<Utc>,
) -> Result<Vec<Ctx>, Problem> {
    due(connection, "organizations_with_late_referrals", wall_now)
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
