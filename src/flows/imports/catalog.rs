//! Product families and accounts from rows.

use super::batch::{Batch, decide_each};
use crate::features::accounts;
use crate::features::imports::happened::Happened;
use crate::features::imports::rows::Row;
use crate::features::imports::stored::{self, AccountRow, ProductFamilyRow, Stored};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AccountId, ProductFamilyId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Applies rows that are product families.
pub fn product_families(tx: &mut Tx<'_>, ctx: &Ctx, batch: &mut Batch<'_>) -> Result<(), Problem> {
    let known = stored::product_families_by_key(tx, &ctx.scope, &batch.keys())?;
    let made = |row: &Row| ProductFamilyRow {
        organization_id: ctx.organization_id().uuid(),
        id: ProductFamilyId::new(ctx.now).uuid(),
        external_id: Some(row.key("external_id").to_owned()),
        name: row.key("name").to_owned(),
        row_version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    let changed = |row: &Row, known: &ProductFamilyRow| {
        Ok(ProductFamilyRow {
            name: row.key("name").to_owned(),
            ..known.clone()
        })
    };
    let told = telling("product_family.created", "product_family.updated");
    decide_each(batch, ctx, &known, made, changed, told)?.write(tx)
}

/// Applies rows that are accounts.
pub fn account_rows(tx: &mut Tx<'_>, ctx: &Ctx, batch: &mut Batch<'_>) -> Result<(), Problem> {
    let known = stored::accounts_by_key(tx, &ctx.scope, &batch.keys())?;
    let made = |row: &Row| {
        account(
            row,
            AccountRow {
                organization_id: ctx.organization_id().uuid(),
                id: AccountId::new(ctx.now).uuid(),
                external_id: Some(row.key("external_id").to_owned()),
                name: String::new(),
                domain: None,
                country: None,
                merged_into_id: None,
                row_version: 1,
                created_at: ctx.now,
                updated_at: ctx.now,
            },
        )
    };
    let changed = |row: &Row, known: &AccountRow| Ok(account(row, known.clone()));
    let told = telling("account.created", "account.updated");
    let writes = decide_each(batch, ctx, &known, made, changed, told)?;
    writes.write(tx)?;
    let written = writes.created.iter().chain(&writes.updated);
    let written = written.filter(|row| row.merged_into_id.is_none());
    let written = written.map(|row| {
        (
            AccountId::from_uuid(row.id),
            row.name.as_str(),
            row.domain.as_deref(),
        )
    });
    accounts::keep_match_keys(tx, ctx, written)
}

/// The account as the row says it is.
fn account(row: &Row, mut account: AccountRow) -> AccountRow {
    account.name = row.key("name").to_owned();
    row.change("domain").apply_to(&mut account.domain);
    row.change("country").apply_to(&mut account.country);
    account
}

/// Tells changes that concern no partner.
fn telling<S: Stored>(
    created: &'static str,
    updated: &'static str,
) -> impl Fn(&mut Happened, Option<&S>, &S) -> Result<(), Problem> {
    move |happened, before, after| match before {
        None => happened.created(created, after, None),
        Some(before) => happened.updated(updated, before, after, None),
    }
}
