//! Posting to the journal and reading from it.

use super::balance_store::{self, BalanceFilter};
use super::domain::{AccountTotal, Balance, LedgerEntry, NewEntry};
use super::store::{self, EntryFilter};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{LedgerEntryId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::{Page, PageRequest, Tx};

/// Posts the entries, in one statement. Nothing is not posted: entries of zero are left out.
pub fn post(tx: &mut Tx<'_>, ctx: &Ctx, entries: &[NewEntry]) -> Result<(), Problem> {
    let moving = |entry: &&NewEntry| !entry.amount().is_zero();
    let entries: Vec<&NewEntry> = entries.iter().filter(moving).collect();
    if entries.is_empty() {
        return Ok(());
    }
    store::insert(tx, &ctx.scope, &entries, ctx.now)
}

/// One entry, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: LedgerEntryId) -> Result<LedgerEntry, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the entries that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &EntryFilter,
    page: &PageRequest,
) -> Result<Page<LedgerEntry>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// What a partner owes in a program: what is payable to it there is below zero by so much, and all that is on its way to
/// it would not make that good. Nothing, where it owes nothing.
pub fn debt(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    partner_id: PartnerId,
    program_id: ProgramId,
    currency: Currency,
) -> Result<Money, Problem> {
    let (payable, owed) = balance_store::owed_to(tx, &ctx.scope, partner_id, program_id, currency)?;
    let highest = payable.max(owed).map_err(Problem::damaged)?;
    let debt = highest.checked_neg().map_err(Problem::damaged)?;
    debt.max(Money::zero(currency)).map_err(Problem::damaged)
}

/// A page of balances, by partner, program and currency.
pub fn balances(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &BalanceFilter,
    page: &PageRequest,
) -> Result<Page<Balance>, Problem> {
    balance_store::balances(tx, &ctx.scope, filter, page)
}

/// What every account moved, by currency.
pub fn trial_balance(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &BalanceFilter,
) -> Result<Vec<AccountTotal>, Problem> {
    balance_store::account_totals(tx, &ctx.scope, filter)
}
