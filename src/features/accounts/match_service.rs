//! Whether a company is known: the verbs of matching.

use super::domain::Account;
use super::match_domain::{AccountMatch, Candidate, Known, MatchKey, keys_of, matches};
use super::match_store;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::AccountId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// The accounts of the organization that may be this company, the best first, whether the caller may see them or not.
/// For decisions of the service; what is found is not to be shown to a partner, not even that there is something,
/// unless the rules of the resource that asks say so.
pub fn find_match(tx: &mut Tx<'_>, _ctx: &Ctx, candidate: &Candidate) -> Result<Vec<AccountMatch>, Problem> {
    found(tx, candidate, false)
}

/// The accounts that the caller may see and that may be this company, the best first.
pub fn find_seen_match(
    tx: &mut Tx<'_>,
    _ctx: &Ctx,
    candidate: &Candidate,
) -> Result<Vec<AccountMatch>, Problem> {
    found(tx, candidate, true)
}

fn found(tx: &mut Tx<'_>, candidate: &Candidate, seen_only: bool) -> Result<Vec<AccountMatch>, Problem> {
    let company = candidate.company();
    let accounts = match_store::candidates(tx, &company, seen_only)?;
    let mut ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    ids.extend(candidate.account_id);
    // With one account there is nothing to decide between.
    let decisions = if ids.len() > 1 {
        match_store::decisions(tx, &ids)?
    } else {
        Vec::new()
    };
    let by_external_id = match &candidate.external_id {
        Some(external_id) if !accounts.is_empty() => match_store::standing_for(tx, external_id)?,
        _ => None,
    };
    let known = Known {
        own: candidate.account_id,
        by_external_id,
    };
    Ok(matches(&company, &known, accounts, &decisions))
}

/// Makes the keys of accounts that were written: their ids, names and domains.
pub fn keep_match_keys<'a>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    written: impl Iterator<Item = (AccountId, &'a str, Option<&'a str>)>,
) -> Result<(), Problem> {
    let keys: Vec<MatchKey> = written
        .flat_map(|(id, name, domain)| keys_of(id, name, domain))
        .collect();
    match_store::write(tx, &ctx.scope, &keys)?;
    match_store::forget_others(tx, &ctx.scope, &keys)
}

/// Makes the keys of an account that is new, and has none besides.
pub fn make_first_keys(tx: &mut Tx<'_>, ctx: &Ctx, account: &Account) -> Result<(), Problem> {
    let keys = keys_of(account.id, &account.name, account.domain.as_deref());
    match_store::write(tx, &ctx.scope, &keys)
}

/// Makes keys of some accounts that want them; how many they were.
pub fn make_match_keys(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<usize, Problem> {
    let wanting = match_store::lock_wanting(tx, &ctx.scope)?;
    let written = wanting
        .iter()
        .map(|(id, name, domain)| (*id, name.as_str(), domain.as_deref()));
    keep_match_keys(tx, ctx, written)?;
    Ok(wanting.len())
}
