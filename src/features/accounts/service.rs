//! The verbs of an account.

use super::domain::{Account, AccountPatch, NewAccount, normalized};
use super::match_service::keep_match_keys;
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
pub fn lock(tx: &mut Tx<'_>, ctx: &Ctx, id: AccountId) -> Result<Account, Problem> {
    store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// The account with this domain, in upper or lower case; the oldest of several.
pub fn by_domain(tx: &mut Tx<'_>, ctx: &Ctx, domain: &str) -> Result<Option<Account>, Problem> {
    store::by_domain(tx, &ctx.scope, &normalized(domain.to_owned()))
}

/// Lets nobody else make an account with this domain until the transaction ends.
pub fn hold_domain(tx: &mut Tx<'_>, ctx: &Ctx, domain: &str) -> Result<(), Problem> {
    store::hold_domain(tx, &ctx.scope, &normalized(domain.to_owned()))
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
    keep_keys(tx, ctx, &account)?;
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
        keep_keys(tx, ctx, &after)?;
    }
    tx.record(
        ctx,
        Change::updated("account.updated", subject(&after), &before, &after),
    );
    Ok(after)
}

fn keep_keys(tx: &mut Tx<'_>, ctx: &Ctx, account: &Account) -> Result<(), Problem> {
    let written = (account.id, account.name.as_str(), account.domain.as_deref());
    keep_match_keys(tx, ctx, std::iter::once(written))
}

pub(super) fn subject(account: &Account) -> Subject {
    Subject {
        kind: "account",
        id: account.id.uuid(),
    }
}
