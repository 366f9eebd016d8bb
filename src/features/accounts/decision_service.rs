//! The verbs of pairs and merges. What names an account moves with a merge in `flows::account_merged`.

use super::decision_domain::{Merge, MergeStatus, Pair};
use super::decision_store::{self, MergeFilter, PairFilter};
use super::domain::Account;
use super::match_domain::AccountMatch;
use super::match_service::keep_match_keys;
use super::match_store::Uncompared;
use super::{match_store, service, store};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{AccountId, AccountMatchId, AccountMergeId};
use crate::kernel::matching::{LIKELY, compare};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// The kinds of what a merge moves.
pub const DEAL: &str = "deal";
/// As [`DEAL`].
pub const REGISTRATION: &str = "deal_registration";
/// As [`DEAL`].
pub const CONFLICT: &str = "registration_conflict";
/// As [`DEAL`]: an account that was merged into the one before.
const LED: &str = "account";

/// The most pairs that are suggested for one account in one go.
const MOST_SUGGESTED: usize = 10;

/// One pair.
pub fn get_pair(tx: &mut Tx<'_>, ctx: &Ctx, id: AccountMatchId) -> Result<Pair, Problem> {
    decision_store::find_pair(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of pairs.
pub fn list_pairs(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &PairFilter,
    page: &PageRequest,
) -> Result<Page<Pair>, Problem> {
    decision_store::list_pairs(tx, &ctx.scope, filter, page)
}

/// A person says that the two are one company.
pub fn confirm_pair(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AccountMatchId,
    precondition: &Precondition,
    reason: Option<String>,
) -> Result<Pair, Problem> {
    let person = person(ctx)?;
    decide(tx, ctx, id, precondition, "account_match.confirmed", |pair| {
        pair.confirm(person, reason, ctx.now)
    })
}

/// A person says that they are two.
pub fn reject_pair(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AccountMatchId,
    precondition: &Precondition,
    reason: Option<String>,
) -> Result<Pair, Problem> {
    let person = person(ctx)?;
    decide(tx, ctx, id, precondition, "account_match.rejected", |pair| {
        pair.reject(person, reason, ctx.now)
    })
}

fn decide(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AccountMatchId,
    precondition: &Precondition,
    event: &'static str,
    turn: impl FnOnce(Pair) -> Result<Pair, Problem>,
) -> Result<Pair, Problem> {
    let before = decision_store::lock_pair(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(before.row_version)?;
    let after = turn(before.clone())?;
    decision_store::update_pair(tx, &ctx.scope, &after)?;
    let subject = Subject {
        kind: "account_match",
        id: id.uuid(),
    };
    let change = Change::updated(event, subject, &before, &after);
    tx.record(ctx, change.with_reason(after.status_reason.clone()));
    Ok(after)
}

/// Looks for others like some accounts that were not compared yet, and suggests the likely pairs; which accounts they
/// were. For `flows::registration::alike`, which lays before a person what meets by them.
pub fn suggest_pairs(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Vec<AccountId>, Problem> {
    let uncompared = match_store::uncompared(tx, &ctx.scope)?;
    let looked_at: Vec<AccountId> = uncompared.iter().map(Uncompared::account_id).collect();
    let found = match_store::pairs(tx, &looked_at)?;
    let ids: Vec<AccountId> = found.iter().flat_map(|(one, other)| [*one, *other]).collect();
    let accounts = store::find_several(tx, &ctx.scope, &ids)?;
    let accounts: HashMap<AccountId, &Account> =
        accounts.iter().map(|account| (account.id, account)).collect();
    let mut pairs: HashMap<AccountId, Vec<Pair>> = HashMap::new();
    for (one, other) in found {
        if let (Some(left), Some(right)) = (accounts.get(&one), accounts.get(&other)) {
            let verdict = compare(&left.company(), &right.company());
            if verdict.certain || verdict.score >= LIKELY {
                let pair = Pair::suggest(one, other, verdict, ctx.now);
                pairs.entry(one).or_default().push(pair);
            }
        }
    }
    let mut suggested = Vec::new();
    for mut of_one in pairs.into_values() {
        of_one.sort_by_key(|pair| (-pair.score, pair.account_id.uuid(), pair.other_account_id.uuid()));
        suggested.extend(of_one.into_iter().take(MOST_SUGGESTED));
    }
    // Everybody writes pairs in one order, so that nobody waits for another in a circle.
    suggested.sort_by_key(|pair| (pair.account_id.uuid(), pair.other_account_id.uuid()));
    decision_store::suggest(tx, &ctx.scope, &suggested)?;
    match_store::note_compared(tx, &ctx.scope, &uncompared)?;
    Ok(looked_at)
}

/// Pairs of one of these accounts and another one that it may be, as long as nobody has rejected that.
pub fn alike(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[AccountId]) -> Result<Vec<(AccountId, AccountId)>, Problem> {
    decision_store::alike(tx, &ctx.scope, ids)
}

/// Suggests what was found for an account, so that a person need not wait for the worker.
pub fn suggest_matches(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AccountId,
    found: &[AccountMatch],
) -> Result<(), Problem> {
    let mut pairs: Vec<Pair> = found
        .iter()
        .map(|found| Pair::suggest(id, found.account.id, found.verdict(), ctx.now))
        .collect();
    pairs.sort_by_key(|pair| (pair.account_id.uuid(), pair.other_account_id.uuid()));
    decision_store::suggest(tx, &ctx.scope, &pairs)
}

/// The account that this one stands for now: itself, or the survivor of a merge.
pub fn resolve(tx: &mut Tx<'_>, ctx: &Ctx, id: AccountId) -> Result<AccountId, Problem> {
    let account = store::find(tx, &ctx.scope, id)?;
    Ok(account.and_then(|account| account.merged_into_id).unwrap_or(id))
}

/// The account that stands for this one, locked until the transaction ends: the lock of all claims to it. A deal takes
/// none: its foreign key meets this lock.
pub fn lock_standing(tx: &mut Tx<'_>, ctx: &Ctx, id: AccountId) -> Result<Account, Problem> {
    let standing = resolve(tx, ctx, id)?;
    let account = service::lock_claims(tx, ctx, standing)?;
    match account.merged_into_id {
        // It was merged while this waited for it.
        Some(survivor) => service::lock_claims(tx, ctx, survivor),
        None => Ok(account),
    }
}

/// One merge.
pub fn get_merge(tx: &mut Tx<'_>, ctx: &Ctx, id: AccountMergeId) -> Result<Merge, Problem> {
    decision_store::find_merge(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of merges.
pub fn list_merges(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &MergeFilter,
    page: &PageRequest,
) -> Result<Page<Merge>, Problem> {
    decision_store::list_merges(tx, &ctx.scope, filter, page)
}

/// Locks two accounts that are to be merged, against everything that is written for them, and sees whether they can be.
pub fn lock_for_merge(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account_id: AccountId,
    survivor_id: AccountId,
) -> Result<(Account, Account), Problem> {
    if account_id == survivor_id {
        let message = "An account is not merged into itself.";
        return Err(Problem::field("/survivor_id", "same_account", message));
    }
    decision_store::lock_accounts(tx, &ctx.scope, &[account_id, survivor_id])?;
    let unknown = |pointer| Problem::field(pointer, "unknown_reference", "There is no such record.");
    let account = store::find(tx, &ctx.scope, account_id)?.ok_or_else(|| unknown("/account_id"))?;
    let survivor = store::find(tx, &ctx.scope, survivor_id)?.ok_or_else(|| unknown("/survivor_id"))?;
    if account.merged_into_id.is_some() || survivor.merged_into_id.is_some() {
        return Err(Problem::wrong_state("merge", "merged", &[]));
    }
    Ok((account, survivor))
}

/// Has the survivor stand for the account, whose records moved already.
pub fn merge(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account: &Account,
    survivor: &Account,
    reason: String,
    mut moved: Vec<(&'static str, Uuid)>,
) -> Result<Merge, Problem> {
    let led = decision_store::lead(tx, &ctx.scope, account.id, survivor.id)?;
    let merge = Merge {
        id: AccountMergeId::new(ctx.now),
        account_id: account.id,
        survivor_id: survivor.id,
        status: MergeStatus::Merged,
        reason,
        undo_reason: None,
        moved_deals: count_of(&moved, DEAL)?,
        moved_registrations: count_of(&moved, REGISTRATION)?,
        moved_accounts: i64::try_from(led.len()).map_err(Problem::damaged)?,
        row_version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    moved.extend(led.into_iter().map(|id| (LED, id)));
    decision_store::insert_merge(tx, &ctx.scope, &merge, &moved)?;
    let after = lead(tx, ctx, account, Some(survivor.id))?;
    match_store::forget(tx, &ctx.scope, account.id)?;
    let change = Change::updated("account.merged", service::subject(account), account, &after);
    tx.record(ctx, change.with_reason(Some(merge.reason.clone())));
    tx.record(
        ctx,
        Change::created("account_merge.created", merge_subject(&merge), &merge),
    );
    Ok(merge)
}

/// Locks a merge that is to be undone, and its accounts, and sees whether it can be: what was merged last is undone first.
pub fn lock_for_undo(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AccountMergeId,
    precondition: &Precondition,
) -> Result<Merge, Problem> {
    let found = get_merge(tx, ctx, id)?;
    decision_store::lock_accounts(tx, &ctx.scope, &[found.account_id, found.survivor_id])?;
    let merge = decision_store::lock_merge(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(merge.row_version)?;
    let survivor = service::get(tx, ctx, merge.survivor_id)?;
    if merge.status == MergeStatus::Merged && survivor.merged_into_id.is_some() {
        let refused = Problem::wrong_state("undo", merge.status.as_str(), &[]);
        return Err(refused.because("The survivor was itself merged since; undo that merge first."));
    }
    Ok(merge)
}

/// The records of a kind that a merge moved.
pub fn moved(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: AccountMergeId,
    kind: &'static str,
) -> Result<Vec<Uuid>, Problem> {
    decision_store::moved(tx, &ctx.scope, id, kind)
}

fn count_of(moved: &[(&str, Uuid)], kind: &str) -> Result<i64, Problem> {
    let of_kind = moved.iter().filter(|(one, _)| *one == kind);
    i64::try_from(of_kind.count()).map_err(Problem::damaged)
}

/// Parts two accounts again; what was moved goes back after that.
pub fn undo_merge(tx: &mut Tx<'_>, ctx: &Ctx, before: Merge, reason: String) -> Result<Merge, Problem> {
    let after = before.clone().undo(reason, ctx.now)?;
    decision_store::update_merge(tx, &ctx.scope, &after)?;
    let led = decision_store::moved(tx, &ctx.scope, after.id, LED)?;
    decision_store::lead_back(tx, &ctx.scope, &led, after.survivor_id, after.account_id)?;
    let merged = service::get(tx, ctx, after.account_id)?;
    let parted = lead(tx, ctx, &merged, None)?;
    let written = (parted.id, parted.name.as_str(), parted.domain.as_deref());
    keep_match_keys(tx, ctx, std::iter::once(written))?;
    let change = Change::updated("account.unmerged", service::subject(&parted), &merged, &parted);
    tx.record(ctx, change.with_reason(after.undo_reason.clone()));
    let change = Change::updated("account_merge.undone", merge_subject(&after), &before, &after);
    tx.record(ctx, change.with_reason(after.undo_reason.clone()));
    Ok(after)
}

fn lead(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account: &Account,
    merged_into_id: Option<AccountId>,
) -> Result<Account, Problem> {
    let after = Account {
        merged_into_id,
        row_version: account.row_version + 1,
        updated_at: ctx.now,
        ..account.clone()
    };
    store::update(tx, &ctx.scope, &after)?;
    Ok(after)
}

/// Who answers for it. The service itself decides nothing.
fn person(ctx: &Ctx) -> Result<ActorId, Problem> {
    ctx.responsible().ok_or_else(Problem::internal)
}

fn merge_subject(merge: &Merge) -> Subject {
    Subject {
        kind: "account_merge",
        id: merge.id.uuid(),
    }
}
