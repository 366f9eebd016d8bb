//! The verbs of an account.

use super::domain::{Account, AccountPatch, NewAccount};
use super::match_service::{keep_match_keys, make_first_keys};
use super::store::{self, AccountFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AccountId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};

/// One account, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: AccountId) -> Result<Account, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// One account, locked until the transaction ends: the lock of all claims to it.
pub fn lock_claims(tx: &mut Tx<'_>, ctx: &Ctx, id: AccountId) -> Result<Account, Problem> {
    store::lock_claims(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// The account that stands for a merged one with this registrable domain; in house. A merged account has no keys left
/// by which matching would find it.
pub fn survivor_of_domain(tx: &mut Tx<'_>, house: &Ctx, domain: &str) -> Result<Option<Account>, Problem> {
    store::survivor_of_domain(tx, &house.scope, domain)
}

/// Lets nobody else hold these keys of an account until the transaction ends. Everybody takes theirs in one order.
pub fn hold_keys(tx: &mut Tx<'_>, ctx: &Ctx, keys: &[String]) -> Result<(), Problem> {
    store::hold_keys(tx, &ctx.scope, keys)
}

/// A page of the accounts that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &AccountFilter,
    page: &PageRequest,
) -> Result<Page<Account>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Makes a new one.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewAccount) -> Result<Account, Problem> {
    let account = Account::create(new, ctx.now);
    store::insert(tx, &ctx.scope, &account)?;
    make_first_keys(tx, ctx, &account)?;
    tx.record(
        ctx,
        Change::created("account.created", subject(&account), &account),
    );
    Ok(account)
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AccountId,
    precondition: &Precondition,
    patch: AccountPatch,
) -> Result<Account, Problem> {
    let before = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = before.clone().patched(patch, ctx.now);
    store::update(tx, &ctx.scope, &after)?;
    if after.merged_into_id.is_none() && (&before.name, &before.domain) != (&after.name, &after.domain) {
        let written = (after.id, after.name.as_str(), after.domain.as_deref());
        keep_match_keys(tx, ctx, std::iter::once(written))?;
    }
    tx.record(
        ctx,
        Change::updated("account.updated", subject(&after), &before, &after),
    );
    Ok(after)
}

pub(super) fn subject(account: &Account) -> Subject {
    Subject {
        kind: "account",
        id: account.id.uuid(),
    }
}
