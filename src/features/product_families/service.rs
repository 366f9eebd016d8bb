//! The verbs of a product family.

use super::domain::{NewProductFamily, ProductFamily, ProductFamilyPatch};
use super::store::{self, ProductFamilyFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::ProductFamilyId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use std::collections::HashSet;

/// One product family.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: ProductFamilyId) -> Result<ProductFamily, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// Those of the asked that do not exist.
pub fn unknown(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    asked: HashSet<ProductFamilyId>,
) -> Result<HashSet<ProductFamilyId>, Problem> {
    if asked.is_empty() {
        return Ok(asked);
    }
    let known = store::known(tx, &ctx.scope, &asked)?;
    Ok(asked.difference(&known).copied().collect())
}

/// A page of the product families.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ProductFamilyFilter,
    page: &PageRequest,
) -> Result<Page<ProductFamily>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Makes a new one.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewProductFamily) -> Result<ProductFamily, Problem> {
    let family = ProductFamily::create(new, ctx.now);
    store::insert(tx, &ctx.scope, &family)?;
    tx.record(
        ctx,
        Change::created("product_family.created", subject(&family), &family),
    );
    Ok(family)
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: ProductFamilyId,
    precondition: &Precondition,
    patch: ProductFamilyPatch,
) -> Result<ProductFamily, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().patched(patch, ctx.now);
    store::update(tx, &ctx.scope, &after)?;
    tx.record(
        ctx,
        Change::updated("product_family.updated", subject(&after), &before, &after),
    );
    Ok(after)
}

fn subject(family: &ProductFamily) -> Subject {
    Subject {
        kind: "product_family",
        id: family.id.uuid(),
    }
}
