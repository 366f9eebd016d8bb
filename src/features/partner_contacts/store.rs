//! Partner contacts in Postgres. Every query takes the caller's scope.

use super::domain::{ContactRole, PartnerContact};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{PartnerContactId, PartnerId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::partner_contacts;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = partner_contacts, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct ContactRow {
    organization_id: Uuid,
    id: Uuid,
    partner_id: Uuid,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    job_title: Option<String>,
    roles: Vec<String>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One contact.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: PartnerContactId) -> Result<Option<PartnerContact>, Problem> {
    let row = partner_contacts::table
        .filter(partner_contacts::organization_id.eq(scope.organization_id.uuid()))
        .filter(partner_contacts::id.eq(id.uuid()))
        .select(ContactRow::as_select())
        .first(tx.connection())
        .optional()?;
    own(scope, row)
}

/// One contact, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: PartnerContactId) -> Result<Option<PartnerContact>, Problem> {
    let row = partner_contacts::table
        .filter(partner_contacts::organization_id.eq(scope.organization_id.uuid()))
        .filter(partner_contacts::id.eq(id.uuid()))
        .select(ContactRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    own(scope, row)
}

/// A page of contacts, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: Option<PartnerId>,
    page: &PageRequest,
) -> Result<Page<PartnerContact>, Problem> {
    let mut query = partner_contacts::table
        .filter(partner_contacts::organization_id.eq(scope.organization_id.uuid()))
        .select(ContactRow::as_select())
        .order(partner_contacts::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&partner_id) {
        query = query.filter(partner_contacts::partner_id.eq(partner_id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(partner_contacts::id.lt(last.id));
    }
    let rows: Vec<ContactRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows
        .into_iter()
        .map(PartnerContact::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new contact.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, contact: &PartnerContact) -> Result<(), Problem> {
    let row = ContactRow::of(scope, contact);
    Prepared(diesel::insert_into(partner_contacts::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed contact.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, contact: &PartnerContact) -> Result<(), Problem> {
    let row = ContactRow::of(scope, contact);
    let target = partner_contacts::table
        .filter(partner_contacts::organization_id.eq(scope.organization_id.uuid()))
        .filter(partner_contacts::id.eq(contact.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// Forgets a contact.
pub fn delete(tx: &mut Tx<'_>, scope: &Scope, contact: &PartnerContact) -> Result<(), Problem> {
    let target = partner_contacts::table
        .filter(partner_contacts::organization_id.eq(scope.organization_id.uuid()))
        .filter(partner_contacts::id.eq(contact.id.uuid()));
    Prepared(diesel::delete(target)).execute(tx.connection())?;
    Ok(())
}

/// A partner's caller meets the contacts of its own company and no other's.
fn own(scope: &Scope, row: Option<ContactRow>) -> Result<Option<PartnerContact>, Problem> {
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(PartnerContact::try_from).transpose()
}

impl ContactRow {
    fn of(scope: &Scope, contact: &PartnerContact) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: contact.id.uuid(),
            partner_id: contact.partner_id.uuid(),
            name: contact.name.clone(),
            email: contact.email.clone(),
            phone: contact.phone.clone(),
            job_title: contact.job_title.clone(),
            roles: contact
                .roles
                .iter()
                .map(|role| role.as_str().to_owned())
                .collect(),
            row_version: contact.row_version,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
        }
    }
}

impl TryFrom<ContactRow> for PartnerContact {
    type Error = Problem;

    fn try_from(row: ContactRow) -> Result<Self, Problem> {
        let roles = row
            .roles
            .iter()
            .map(|role| ContactRole::from_str(role).map_err(Problem::damaged));
        Ok(Self {
            id: PartnerContactId::from_uuid(row.id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            name: row.name,
            email: row.email,
            phone: row.phone,
            job_title: row.job_title,
            roles: roles.collect::<Result<_, _>>()?,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
