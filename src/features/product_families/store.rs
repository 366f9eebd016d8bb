//! Product families in Postgres. Every query takes the caller's scope.

use super::domain::ProductFamily;
use crate::kernel::ctx::Scope;
use crate::kernel::id::ProductFamilyId;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::product_families;
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashSet;
use uuid::Uuid;

/// Which product families a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ProductFamilyFilter {
    /// The caller's key.
    pub external_id: Option<String>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: ProductFamilyOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProductFamilyOrder {
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
#[diesel(table_name = product_families, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct ProductFamilyRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    name: String,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One product family.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: ProductFamilyId) -> Result<Option<ProductFamily>, Problem> {
    let row: Option<ProductFamilyRow> = product_families::table
        .filter(product_families::organization_id.eq(scope.organization_id.uuid()))
        .filter(product_families::id.eq(id.uuid()))
        .select(ProductFamilyRow::as_select())
        .first(tx.connection())
        .optional()?;
    Ok(row.map(ProductFamily::from))
}

/// One product family, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: ProductFamilyId) -> Result<Option<ProductFamily>, Problem> {
    let row: Option<ProductFamilyRow> = product_families::table
        .filter(product_families::organization_id.eq(scope.organization_id.uuid()))
        .filter(product_families::id.eq(id.uuid()))
        .select(ProductFamilyRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    Ok(row.map(ProductFamily::from))
}

/// Those of the asked that exist.
pub fn known(
    tx: &mut Tx<'_>,
    scope: &Scope,
    asked: &HashSet<ProductFamilyId>,
) -> Result<HashSet<ProductFamilyId>, Problem> {
    let ids: Vec<Uuid> = asked.iter().map(|id| id.uuid()).collect();
    let known: Vec<Uuid> = product_families::table
        .filter(product_families::organization_id.eq(scope.organization_id.uuid()))
        .filter(product_families::id.eq_any(ids))
        .select(product_families::id)
        .load(tx.connection())?;
    Ok(known.into_iter().map(ProductFamilyId::from_uuid).collect())
}

/// A page of product families.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ProductFamilyFilter,
    page: &PageRequest,
) -> Result<Page<ProductFamily>, Problem> {
    let mut query = product_families::table
        .filter(product_families::organization_id.eq(scope.organization_id.uuid()))
        .select(ProductFamilyRow::as_select())
        .into_boxed();
    if let Some(external_id) = &filter.external_id {
        query = query.filter(product_families::external_id.eq(external_id));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(product_families::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(product_families::updated_at.lt(instant));
    }
    query = match (filter.order, page.after.clone()) {
        (ProductFamilyOrder::Newest, None) => query.order(product_families::id.desc()),
        (ProductFamilyOrder::Newest, Some(last)) => query
            .filter(product_families::id.lt(last.id))
            .order(product_families::id.desc()),
        (ProductFamilyOrder::Oldest, None) => query.order(product_families::id.asc()),
        (ProductFamilyOrder::Oldest, Some(last)) => query
            .filter(product_families::id.gt(last.id))
            .order(product_families::id.asc()),
        (ProductFamilyOrder::Name, None) => {
            query.order((product_families::name.asc(), product_families::id.asc()))
        }
        (ProductFamilyOrder::Name, Some(last)) => query
            .filter(product_families::name.ge(last.key.clone()))
            .filter(
                product_families::name
                    .gt(last.key)
                    .or(product_families::id.gt(last.id)),
            )
            .order((product_families::name.asc(), product_families::id.asc())),
        (ProductFamilyOrder::NameDescending, None) => {
            query.order((product_families::name.desc(), product_families::id.desc()))
        }
        (ProductFamilyOrder::NameDescending, Some(last)) => query
            .filter(product_families::name.le(last.key.clone()))
            .filter(
                product_families::name
                    .lt(last.key)
                    .or(product_families::id.lt(last.id)),
            )
            .order((product_families::name.desc(), product_families::id.desc())),
    };
    let rows: Vec<ProductFamilyRow> = page.rows_of(query).load(tx.connection())?;
    let families = rows.into_iter().map(ProductFamily::from).collect();
    Ok(page.page(families, |last: &ProductFamily| Position {
        key: last.name.clone(),
        id: last.id.uuid(),
    }))
}

/// Writes a new product family.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, family: &ProductFamily) -> Result<(), Problem> {
    let row = ProductFamilyRow::of(scope, family);
    Prepared(diesel::insert_into(product_families::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed product family.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, family: &ProductFamily) -> Result<(), Problem> {
    let row = ProductFamilyRow::of(scope, family);
    let target = product_families::table
        .filter(product_families::organization_id.eq(scope.organization_id.uuid()))
        .filter(product_families::id.eq(family.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

impl ProductFamilyRow {
    fn of(scope: &Scope, family: &ProductFamily) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: family.id.uuid(),
            external_id: family.external_id.clone(),
            name: family.name.clone(),
            row_version: family.row_version,
            created_at: family.created_at,
            updated_at: family.updated_at,
        }
    }
}

impl From<ProductFamilyRow> for ProductFamily {
    fn from(row: ProductFamilyRow) -> Self {
        Self {
            id: ProductFamilyId::from_uuid(row.id),
            external_id: row.external_id,
            name: row.name,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
