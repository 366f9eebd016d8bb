//! Registrations in Postgres. Every query takes the caller's scope.

mod claims;
mod rows;
mod threads;

pub use claims::{
    Due, claimed, count_precheck, due, incumbent, live_count, lock_of_deals, meeting, move_to_account,
    organizations_due, own_claim, save_timed,
};
pub use threads::{
    CommentFilter, count_granted, insert_comment, insert_extension, list_comments, list_extensions,
    lock_extension, lock_requested, registration_of_extension, update_extension,
};

use super::domain::{DealRegistration, RegistrationStatus};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::deal_registrations;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Seen, Tx};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use rows::RegistrationRow;

/// Which registrations a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct RegistrationFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<RegistrationStatus>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// Under this program.
    pub program_id: Option<ProgramId>,
    /// To this account; for the organization's own callers.
    pub account_id: Option<AccountId>,
    /// To this product family.
    pub product_family_id: Option<ProductFamilyId>,
    /// Of this deal.
    pub deal_id: Option<DealId>,
    /// The partner's key.
    pub external_id: Option<String>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// Oldest first rather than newest first.
    pub oldest_first: bool,
}

type Condition = Box<dyn BoxableExpression<deal_registrations::table, Pg, SqlType = Bool>>;

/// One registration.
pub fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: DealRegistrationId,
) -> Result<Option<DealRegistration>, Problem> {
    let query = deal_registrations::table
        .filter(deal_registrations::organization_id.eq(scope.organization_id.uuid()))
        .filter(deal_registrations::id.eq(id.uuid()))
        .select(RegistrationRow::as_select());
    let row = match scope.partner_id {
        None => query.first(tx.connection()),
        Some(own) => query.filter(concerns(scope, own)).first(tx.connection()),
    };
    row.optional()?.map(DealRegistration::try_from).transpose()
}

/// One registration, locked until the transaction ends. Partners' callers lock in house, once they have found it.
pub fn lock(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: DealRegistrationId,
) -> Result<Option<DealRegistration>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(None);
    }
    let row = deal_registrations::table
        .filter(deal_registrations::organization_id.eq(scope.organization_id.uuid()))
        .filter(deal_registrations::id.eq(id.uuid()))
        .select(RegistrationRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(DealRegistration::try_from).transpose()
}

/// A page of registrations.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &RegistrationFilter,
    page: &PageRequest,
) -> Result<Page<DealRegistration>, Problem> {
    let mut query = deal_registrations::table
        .filter(deal_registrations::organization_id.eq(scope.organization_id.uuid()))
        .select(RegistrationRow::as_select())
        .into_boxed();
    if let Some(own) = scope.partner_id {
        query = query.filter(concerns(scope, own));
    }
    query = match filter.statuses.as_slice() {
        [] => query,
        [status] => query.filter(deal_registrations::status.eq(status.as_str())),
        several => {
            let names: Vec<&str> = several.iter().map(|status| status.as_str()).collect();
            query.filter(deal_registrations::status.eq_any(names))
        }
    };
    if let Some(id) = filter.partner_id {
        query = query.filter(deal_registrations::partner_id.eq(id.uuid()));
    }
    if let Some(id) = filter.program_id {
        query = query.filter(deal_registrations::program_id.eq(id.uuid()));
    }
    if let Some(id) = filter.account_id {
        query = query.filter(deal_registrations::account_id.eq(id.uuid()));
        if scope.partner_id.is_some() {
            // Before it is approved a partner is not told which account its claim was matched with.
            query = query.filter(deal_registrations::deal_id.is_not_null());
        }
    }
    if let Some(id) = filter.product_family_id {
        query = query.filter(deal_registrations::product_family_id.eq(id.uuid()));
    }
    if let Some(id) = filter.deal_id {
        query = query.filter(deal_registrations::deal_id.eq(id.uuid()));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(deal_registrations::external_id.eq(external_id));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(deal_registrations::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(deal_registrations::updated_at.lt(instant));
    }
    query = match (filter.oldest_first, page.after.as_ref().map(|last| last.id)) {
        (false, Some(id)) => query.filter(deal_registrations::id.lt(id)),
        (true, Some(id)) => query.filter(deal_registrations::id.gt(id)),
        (_, None) => query,
    };
    query = if filter.oldest_first {
        query.order(deal_registrations::id.asc())
    } else {
        query.order(deal_registrations::id.desc())
    };
    let rows: Vec<RegistrationRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(DealRegistration::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new registration.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, registration: &DealRegistration) -> Result<(), Problem> {
    let row = RegistrationRow::of(scope, registration)?;
    Prepared(diesel::insert_into(deal_registrations::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed registration.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, registration: &DealRegistration) -> Result<(), Problem> {
    let row = RegistrationRow::of(scope, registration)?;
    let target = deal_registrations::table
        .filter(deal_registrations::organization_id.eq(scope.organization_id.uuid()))
        .filter(deal_registrations::id.eq(registration.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// What a partner sees: its own registrations, and those of the partners below it that are not hidden.
fn concerns(scope: &Scope, own: PartnerId) -> Condition {
    let in_organization = deal_registrations::organization_id.eq(scope.organization_id.uuid());
    let is_own = deal_registrations::partner_id.eq(own.uuid());
    let is_shown = deal_registrations::hidden_from_parent.eq(false);
    Box::new(
        in_organization
            .and(Seen::by(scope, own, deal_registrations::partner_id))
            .and(is_own.or(is_shown)),
    )
}
