//! Referrals that stand in the way of others.

use super::ReferralRow;
use crate::features::referrals::domain::Referral;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{PartnerId, ProductFamilyId};
use crate::kernel::matching::{Company, CompanyName};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use crate::platform::db::schema::referrals;
use diesel::prelude::*;

/// The most referrals of companies of one name that are looked at.
const MOST: i64 = 200;

/// The open referrals of others with the domain or a name of a company, the oldest first; in house.
pub fn open_of_others(
    tx: &mut Tx<'_>,
    scope: &Scope,
    company: &Company,
    family: Option<ProductFamilyId>,
    other_than: Option<PartnerId>,
) -> Result<Vec<Referral>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = company.names.iter().map(CompanyName::key).collect();
    let is_named = referrals::name_key.eq_any(names);
    let mut query = referrals::table
        .filter(referrals::organization_id.eq(scope.organization_id.uuid()))
        .filter(referrals::status.eq_any(["submitted", "accepted"]))
        .select(ReferralRow::as_select())
        .order(referrals::id.asc())
        .limit(MOST)
        .into_boxed();
    query = match &company.domain {
        Some(domain) => query.filter(referrals::domain_key.eq(domain.clone()).or(is_named)),
        None => query.filter(is_named),
    };
    if let Some(family) = family {
        let is_of_family = referrals::product_family_id.eq(family.uuid());
        query = query.filter(referrals::product_family_id.is_null().or(is_of_family));
    }
    if let Some(own) = other_than {
        query = query.filter(referrals::partner_id.ne(own.uuid()));
    }
    let rows: Vec<ReferralRow> = query.load(tx.connection())?;
    rows.into_iter().map(Referral::try_from).collect()
}
