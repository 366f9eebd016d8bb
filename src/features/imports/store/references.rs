//! Looking up records by the caller's keys, many at a time.

use crate::kernel::ctx::Scope;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use crate::platform::db::schema::{accounts, deals, partners, product_families, programs};
use diesel::prelude::*;
use uuid::Uuid;

/// A record that was found by the caller's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The caller's key.
    pub key: String,
    /// The record.
    pub id: Uuid,
    /// Whose deal it is, where it is a deal of a partner.
    pub partner_id: Option<Uuid>,
    /// Whether it is a partner that is not approved.
    pub is_unapproved: bool,
}

macro_rules! ids_by_key {
    ($table:ident, $tx:expr, $scope:expr, $keys:expr) => {
        $table::table
            .filter($table::organization_id.eq($scope.organization_id.uuid()))
            .filter($table::external_id.eq_any($keys))
            .select(($table::external_id.assume_not_null(), $table::id))
            .load($tx.connection())?
    };
}

/// The records of a noun, such as `account`, that have these keys.
pub fn named(tx: &mut Tx<'_>, scope: &Scope, noun: &str, keys: &[&str]) -> Result<Vec<Named>, Problem> {
    let found: Vec<(String, Uuid)> = match noun {
        "account" => accounts_named(tx, scope, keys)?,
        "program" => ids_by_key!(programs, tx, scope, keys),
        "partner" => return partners_named(tx, scope, keys),
        "product_family" => ids_by_key!(product_families, tx, scope, keys),
        _ => return deals_named(tx, scope, keys),
    };
    let named = found.into_iter().map(|(key, id)| Named {
        key,
        id,
        partner_id: None,
        is_unapproved: false,
    });
    Ok(named.collect())
}

fn partners_named(tx: &mut Tx<'_>, scope: &Scope, keys: &[&str]) -> Result<Vec<Named>, Problem> {
    let found: Vec<(String, Uuid, bool)> = partners::table
        .filter(partners::organization_id.eq(scope.organization_id.uuid()))
        .filter(partners::external_id.eq_any(keys))
        .select((
            partners::external_id.assume_not_null(),
            partners::id,
            partners::status.ne("approved"),
        ))
        .load(tx.connection())?;
    let named = found.into_iter().map(|(key, id, is_unapproved)| Named {
        key,
        id,
        partner_id: None,
        is_unapproved,
    });
    Ok(named.collect())
}

/// Accounts by their keys; the key of a merged one leads to its survivor.
fn accounts_named(tx: &mut Tx<'_>, scope: &Scope, keys: &[&str]) -> Result<Vec<(String, Uuid)>, Problem> {
    let found: Vec<(String, Uuid, Option<Uuid>)> = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::external_id.eq_any(keys))
        .select((
            accounts::external_id.assume_not_null(),
            accounts::id,
            accounts::merged_into_id,
        ))
        .load(tx.connection())?;
    let led = found
        .into_iter()
        .map(|(key, id, survivor)| (key, survivor.unwrap_or(id)));
    Ok(led.collect())
}

fn deals_named(tx: &mut Tx<'_>, scope: &Scope, keys: &[&str]) -> Result<Vec<Named>, Problem> {
    let found: Vec<(String, Uuid, Option<Uuid>)> = deals::table
        .filter(deals::organization_id.eq(scope.organization_id.uuid()))
        .filter(deals::external_id.eq_any(keys))
        .select((deals::external_id.assume_not_null(), deals::id, deals::partner_id))
        .load(tx.connection())?;
    let named = found.into_iter().map(|(key, id, partner_id)| Named {
        key,
        id,
        partner_id,
        is_unapproved: false,
    });
    Ok(named.collect())
}
