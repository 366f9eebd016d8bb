//! Partners in Postgres. Every query takes the caller's scope.

use super::domain::{Partner, PartnerReasonCode, PartnerStatus};
use crate::kernel::ctx::Scope;
use crate::kernel::id::PartnerId;
use crate::kernel::money::Currency;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::partners;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Seen, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashSet;
use std::str::FromStr;
use uuid::Uuid;

/// Which partners a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct PartnerFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<PartnerStatus>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Directly below this partner.
    pub parent_id: Option<PartnerId>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: PartnerOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartnerOrder {
    /// Newest first. Ids are made from the time, so that their order is that of creation.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// By name.
    Name,
    /// By name, backwards.
    NameDescending,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = partners, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct PartnerRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    parent_id: Option<Uuid>,
    name: String,
    status: String,
    status_reason: Option<String>,
    domain: Option<String>,
    country: Option<String>,
    approved_at: Option<DateTime<Utc>>,
    terminated_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    hidden_from_parent: bool,
    status_reason_code: Option<String>,
    territories: Vec<String>,
    payout_currency: Option<String>,
}

/// One partner.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: PartnerId) -> Result<Option<Partner>, Problem> {
    let query = partners::table
        .filter(partners::organization_id.eq(scope.organization_id.uuid()))
        .filter(partners::id.eq(id.uuid()))
        .select(PartnerRow::as_select());
    let row = match Seen::partners(scope, partners::id) {
        None => query.first(tx.connection()),
        Some(seen) => query.filter(seen).first(tx.connection()),
    };
    row.optional()?.map(Partner::try_from).transpose()
}

/// Those of these ids that are partners.
pub fn known(tx: &mut Tx<'_>, scope: &Scope, ids: &[PartnerId]) -> Result<HashSet<PartnerId>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let found: Vec<Uuid> = partners::table
        .filter(partners::organization_id.eq(scope.organization_id.uuid()))
        .filter(partners::id.eq_any(ids))
        .select(partners::id)
        .load(tx.connection())?;
    Ok(found.into_iter().map(PartnerId::from_uuid).collect())
}

/// The partner of this key of the caller's.
pub fn find_external(tx: &mut Tx<'_>, scope: &Scope, external_id: &str) -> Result<Option<Partner>, Problem> {
    let row = partners::table
        .filter(partners::organization_id.eq(scope.organization_id.uuid()))
        .filter(partners::external_id.eq(external_id))
        .select(PartnerRow::as_select())
        .first(tx.connection())
        .optional()?;
    own(scope, row)
}

/// One partner, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: PartnerId) -> Result<Option<Partner>, Problem> {
    let row = partners::table
        .filter(partners::organization_id.eq(scope.organization_id.uuid()))
        .filter(partners::id.eq(id.uuid()))
        .select(PartnerRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    own(scope, row)
}

/// Which of these partners are paid; those stay so until the transaction ends.
pub fn hold_payable(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[PartnerId],
) -> Result<HashSet<PartnerId>, Problem> {
    let held: Vec<Uuid> = partners::table
        .filter(partners::organization_id.eq(scope.organization_id.uuid()))
        .filter(partners::id.eq_any(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>()))
        .filter(partners::status.eq(PartnerStatus::Approved.as_str()))
        .order(partners::id)
        .select(partners::id)
        .for_share()
        .load(tx.connection())?;
    Ok(held.into_iter().map(PartnerId::from_uuid).collect())
}

/// A page of partners.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &PartnerFilter,
    page: &PageRequest,
) -> Result<Page<Partner>, Problem> {
    let mut query = partners::table
        .filter(partners::organization_id.eq(scope.organization_id.uuid()))
        .select(PartnerRow::as_select())
        .into_boxed();
    if let Some(seen) = Seen::partners(scope, partners::id) {
        query = query.filter(seen);
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(partners::status.eq_any(statuses));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(partners::external_id.eq(external_id));
    }
    if let Some(parent_id) = filter.parent_id {
        query = query.filter(partners::parent_id.eq(parent_id.uuid()));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(partners::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(partners::updated_at.lt(instant));
    }
    let after = page.after.clone();
    query = match (filter.order, after) {
        (PartnerOrder::Newest, None) => query.order(partners::id.desc()),
        (PartnerOrder::Newest, Some(last)) => {
            query.filter(partners::id.lt(last.id)).order(partners::id.desc())
        }
        (PartnerOrder::Oldest, None) => query.order(partners::id.asc()),
        (PartnerOrder::Oldest, Some(last)) => {
            query.filter(partners::id.gt(last.id)).order(partners::id.asc())
        }
        (PartnerOrder::Name, None) => query.order((partners::name.asc(), partners::id.asc())),
        (PartnerOrder::Name, Some(last)) => query
            .filter(partners::name.ge(last.key.clone()))
            .filter(partners::name.gt(last.key).or(partners::id.gt(last.id)))
            .order((partners::name.asc(), partners::id.asc())),
        (PartnerOrder::NameDescending, None) => query.order((partners::name.desc(), partners::id.desc())),
        (PartnerOrder::NameDescending, Some(last)) => query
            .filter(partners::name.le(last.key.clone()))
            .filter(partners::name.lt(last.key).or(partners::id.lt(last.id)))
            .order((partners::name.desc(), partners::id.desc())),
    };
    let rows: Vec<PartnerRow> = page.rows_of(query).load(tx.connection())?;
    let partners = rows
        .into_iter()
        .map(Partner::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(partners, |last| Position {
        key: last.name.clone(),
        id: last.id.uuid(),
    }))
}

/// Writes a new partner.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, partner: &Partner) -> Result<(), Problem> {
    let row = PartnerRow::of(scope, partner);
    Prepared(diesel::insert_into(partners::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed partner.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, partner: &Partner) -> Result<(), Problem> {
    let row = PartnerRow::of(scope, partner);
    let target = partners::table
        .filter(partners::organization_id.eq(scope.organization_id.uuid()))
        .filter(partners::id.eq(partner.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// A partner's caller changes itself at most, whatever it sees.
fn own(scope: &Scope, row: Option<PartnerRow>) -> Result<Option<Partner>, Problem> {
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.id));
    row.map(Partner::try_from).transpose()
}

impl PartnerRow {
    fn of(scope: &Scope, partner: &Partner) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: partner.id.uuid(),
            external_id: partner.external_id.clone(),
            parent_id: partner.parent_id.map(PartnerId::uuid),
            name: partner.name.clone(),
            status: partner.status.as_str().to_owned(),
            status_reason: partner.status_reason.clone(),
            domain: partner.domain.clone(),
            country: partner.country.clone(),
            approved_at: partner.approved_at,
            terminated_at: partner.terminated_at,
            row_version: partner.row_version,
            created_at: partner.created_at,
            updated_at: partner.updated_at,
            hidden_from_parent: partner.hidden_from_parent,
            status_reason_code: partner.status_reason_code.map(|code| code.as_str().to_owned()),
            territories: partner.territories.iter().cloned().collect(),
            payout_currency: partner.payout_currency.map(|currency| currency.code().to_owned()),
        }
    }
}

impl TryFrom<PartnerRow> for Partner {
    type Error = Problem;

    fn try_from(row: PartnerRow) -> Result<Self, Problem> {
        let code = row.status_reason_code.as_deref();
        let code = code.map(PartnerReasonCode::from_str).transpose();
        let payout_currency = row.payout_currency.as_deref().map(Currency::from_code);
        Ok(Self {
            id: PartnerId::from_uuid(row.id),
            external_id: row.external_id,
            parent_id: row.parent_id.map(PartnerId::from_uuid),
            name: row.name,
            status: PartnerStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason_code: code.map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            domain: row.domain,
            country: row.country,
            territories: row.territories.into_iter().collect(),
            hidden_from_parent: row.hidden_from_parent,
            payout_currency: payout_currency.transpose().map_err(Problem::damaged)?,
            approved_at: row.approved_at,
            terminated_at: row.terminated_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
