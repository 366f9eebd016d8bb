//! Pairs and merges of accounts in Postgres. Every query takes the caller's scope; partners have no part in them.

use super::decision_domain::{Merge, MergeStatus, Pair, PairStatus};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{AccountId, AccountMatchId, AccountMergeId};
use crate::kernel::matching::Reason;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{account_matches, account_merge_moves, account_merges, accounts};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use std::str::FromStr;
use uuid::Uuid;

/// Which pairs a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct PairFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<PairStatus>,
    /// Of this account.
    pub account_id: Option<AccountId>,
}

/// Which merges a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct MergeFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<MergeStatus>,
    /// With this account on either side.
    pub account_id: Option<AccountId>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = account_matches, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct PairRow {
    organization_id: Uuid,
    id: Uuid,
    account_id: Uuid,
    other_account_id: Uuid,
    status: String,
    status_reason: Option<String>,
    score: i32,
    reasons: Vec<Option<String>>,
    decided_by: Option<Uuid>,
    decided_by_type: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = account_merges, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct MergeRow {
    organization_id: Uuid,
    id: Uuid,
    account_id: Uuid,
    survivor_id: Uuid,
    status: String,
    reason: String,
    undo_reason: Option<String>,
    moved_deals: i64,
    moved_registrations: i64,
    moved_accounts: i64,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One pair.
pub fn find_pair(tx: &mut Tx<'_>, scope: &Scope, id: AccountMatchId) -> Result<Option<Pair>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(None);
    }
    let row: Option<PairRow> = account_matches::table
        .filter(account_matches::organization_id.eq(scope.organization_id.uuid()))
        .filter(account_matches::id.eq(id.uuid()))
        .select(PairRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(Pair::try_from).transpose()
}

/// One pair, locked until the transaction ends.
pub fn lock_pair(tx: &mut Tx<'_>, scope: &Scope, id: AccountMatchId) -> Result<Option<Pair>, Problem> {
    let row: Option<PairRow> = account_matches::table
        .filter(account_matches::organization_id.eq(scope.organization_id.uuid()))
        .filter(account_matches::id.eq(id.uuid()))
        .select(PairRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Pair::try_from).transpose()
}

/// A page of pairs.
pub fn list_pairs(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &PairFilter,
    page: &PageRequest,
) -> Result<Page<Pair>, Problem> {
    let mut query = account_matches::table
        .filter(account_matches::organization_id.eq(scope.organization_id.uuid()))
        .select(PairRow::as_select())
        .order(account_matches::id.desc())
        .into_boxed();
    if scope.partner_id.is_some() {
        query = query.filter(false.into_sql::<diesel::sql_types::Bool>());
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(account_matches::status.eq_any(statuses));
    }
    if let Some(id) = filter.account_id {
        let either = account_matches::account_id.eq(id.uuid());
        query = query.filter(either.or(account_matches::other_account_id.eq(id.uuid())));
    }
    if let Some(last) = &page.after {
        query = query.filter(account_matches::id.lt(last.id));
    }
    let rows: Vec<PairRow> = page.rows_of(query).load(tx.connection())?;
    let pairs = rows
        .into_iter()
        .map(Pair::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(pairs, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes new pairs; one that is there already stays as it is, with what was decided about it.
pub fn suggest(tx: &mut Tx<'_>, scope: &Scope, pairs: &[Pair]) -> Result<(), Problem> {
    for some in pairs.chunks(1_000) {
        let rows: Vec<PairRow> = some.iter().map(|pair| PairRow::of(scope, pair)).collect();
        diesel::insert_into(account_matches::table)
            .values(rows)
            .on_conflict((
                account_matches::organization_id,
                account_matches::account_id,
                account_matches::other_account_id,
            ))
            .do_nothing()
            .execute(tx.connection())?;
    }
    Ok(())
}

/// Pairs of one of these accounts and another one that it may be.
pub fn alike(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[AccountId],
) -> Result<Vec<(AccountId, AccountId)>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let query = sql_query(
        "SELECT account_id, other_account_id FROM account_matches \
         WHERE organization_id = $1 AND account_id = ANY($2) AND status <> 'rejected' \
         UNION ALL SELECT other_account_id, account_id FROM account_matches \
         WHERE organization_id = $1 AND other_account_id = ANY($2) AND status <> 'rejected'",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<Alike> = Prepared(query).load(tx.connection())?;
    let typed = |row: &Alike| {
        (
            AccountId::from_uuid(row.account_id),
            AccountId::from_uuid(row.other_account_id),
        )
    };
    Ok(rows.iter().map(typed).collect())
}

#[derive(QueryableByName)]
struct Alike {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    other_account_id: Uuid,
}

/// Writes a changed pair.
pub fn update_pair(tx: &mut Tx<'_>, scope: &Scope, pair: &Pair) -> Result<(), Problem> {
    let target = account_matches::table
        .filter(account_matches::organization_id.eq(scope.organization_id.uuid()))
        .filter(account_matches::id.eq(pair.id.uuid()));
    Prepared(diesel::update(target).set(PairRow::of(scope, pair))).execute(tx.connection())?;
    Ok(())
}

/// One merge.
pub fn find_merge(tx: &mut Tx<'_>, scope: &Scope, id: AccountMergeId) -> Result<Option<Merge>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(None);
    }
    let row: Option<MergeRow> = account_merges::table
        .filter(account_merges::organization_id.eq(scope.organization_id.uuid()))
        .filter(account_merges::id.eq(id.uuid()))
        .select(MergeRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(Merge::try_from).transpose()
}

/// One merge, locked until the transaction ends.
pub fn lock_merge(tx: &mut Tx<'_>, scope: &Scope, id: AccountMergeId) -> Result<Option<Merge>, Problem> {
    let row: Option<MergeRow> = account_merges::table
        .filter(account_merges::organization_id.eq(scope.organization_id.uuid()))
        .filter(account_merges::id.eq(id.uuid()))
        .select(MergeRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(Merge::try_from).transpose()
}

/// A page of merges.
pub fn list_merges(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &MergeFilter,
    page: &PageRequest,
) -> Result<Page<Merge>, Problem> {
    let mut query = account_merges::table
        .filter(account_merges::organization_id.eq(scope.organization_id.uuid()))
        .select(MergeRow::as_select())
        .order(account_merges::id.desc())
        .into_boxed();
    if scope.partner_id.is_some() {
        query = query.filter(false.into_sql::<diesel::sql_types::Bool>());
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(account_merges::status.eq_any(statuses));
    }
    if let Some(id) = filter.account_id {
        let either = account_merges::account_id.eq(id.uuid());
        query = query.filter(either.or(account_merges::survivor_id.eq(id.uuid())));
    }
    if let Some(last) = &page.after {
        query = query.filter(account_merges::id.lt(last.id));
    }
    let rows: Vec<MergeRow> = page.rows_of(query).load(tx.connection())?;
    let merges = rows
        .into_iter()
        .map(Merge::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(merges, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new merge with the records that it moved.
pub fn insert_merge(
    tx: &mut Tx<'_>,
    scope: &Scope,
    merge: &Merge,
    moved: &[(&str, Uuid)],
) -> Result<(), Problem> {
    let row = MergeRow::of(scope, merge);
    Prepared(diesel::insert_into(account_merges::table).values(row)).execute(tx.connection())?;
    for some in moved.chunks(5_000) {
        let rows: Vec<_> = some
            .iter()
            .map(|(kind, id)| {
                (
                    account_merge_moves::organization_id.eq(scope.organization_id.uuid()),
                    account_merge_moves::merge_id.eq(merge.id.uuid()),
                    account_merge_moves::kind.eq(*kind),
                    account_merge_moves::record_id.eq(*id),
                )
            })
            .collect();
        diesel::insert_into(account_merge_moves::table)
            .values(rows)
            .execute(tx.connection())?;
    }
    Ok(())
}

/// Writes a changed merge.
pub fn update_merge(tx: &mut Tx<'_>, scope: &Scope, merge: &Merge) -> Result<(), Problem> {
    let target = account_merges::table
        .filter(account_merges::organization_id.eq(scope.organization_id.uuid()))
        .filter(account_merges::id.eq(merge.id.uuid()));
    Prepared(diesel::update(target).set(MergeRow::of(scope, merge))).execute(tx.connection())?;
    Ok(())
}

/// The records of a kind that a merge moved.
pub fn moved(tx: &mut Tx<'_>, scope: &Scope, id: AccountMergeId, kind: &str) -> Result<Vec<Uuid>, Problem> {
    Ok(account_merge_moves::table
        .filter(account_merge_moves::organization_id.eq(scope.organization_id.uuid()))
        .filter(account_merge_moves::merge_id.eq(id.uuid()))
        .filter(account_merge_moves::kind.eq(kind))
        .select(account_merge_moves::record_id)
        .load(tx.connection())?)
}

/// Locks accounts, in the order of their ids, against everything that is written for them.
pub fn lock_accounts(tx: &mut Tx<'_>, scope: &Scope, ids: &[AccountId]) -> Result<(), Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let _locked: Vec<Uuid> = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::id.eq_any(ids))
        .select(accounts::id)
        .order(accounts::id)
        .for_update()
        .load(tx.connection())?;
    Ok(())
}

/// Has the accounts that were merged into one account lead to another; which they were.
pub fn lead(tx: &mut Tx<'_>, scope: &Scope, from: AccountId, to: AccountId) -> Result<Vec<Uuid>, Problem> {
    let target = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::merged_into_id.eq(from.uuid()));
    Ok(diesel::update(target)
        .set(accounts::merged_into_id.eq(to.uuid()))
        .returning(accounts::id)
        .load(tx.connection())?)
}

/// Has these accounts, where they still lead to one account, lead to another.
pub fn lead_back(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[Uuid],
    from: AccountId,
    to: AccountId,
) -> Result<(), Problem> {
    let target = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::id.eq_any(ids))
        .filter(accounts::merged_into_id.eq(from.uuid()));
    diesel::update(target)
        .set(accounts::merged_into_id.eq(to.uuid()))
        .execute(tx.connection())?;
    Ok(())
}

impl PairRow {
    fn of(scope: &Scope, pair: &Pair) -> Self {
        let reasons = pair.reasons.iter().map(|reason| Some(reason.as_str().to_owned()));
        Self {
            organization_id: scope.organization_id.uuid(),
            id: pair.id.uuid(),
            account_id: pair.account_id.uuid(),
            other_account_id: pair.other_account_id.uuid(),
            status: pair.status.as_str().to_owned(),
            status_reason: pair.status_reason.clone(),
            score: pair.score,
            reasons: reasons.collect(),
            decided_by: pair.decided_by.map(ActorId::uuid),
            decided_by_type: pair.decided_by.map(|by| by.kind().to_owned()),
            decided_at: pair.decided_at,
            row_version: pair.row_version,
            created_at: pair.created_at,
            updated_at: pair.updated_at,
        }
    }
}

impl TryFrom<PairRow> for Pair {
    type Error = Problem;

    fn try_from(row: PairRow) -> Result<Self, Problem> {
        let reasons = row.reasons.iter().flatten().map(|word| Reason::from_str(word));
        Ok(Self {
            id: AccountMatchId::from_uuid(row.id),
            account_id: AccountId::from_uuid(row.account_id),
            other_account_id: AccountId::from_uuid(row.other_account_id),
            status: PairStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            score: row.score,
            reasons: reasons.collect::<Result<_, _>>().map_err(Problem::damaged)?,
            decided_by: ActorId::of_columns(row.decided_by_type.as_deref(), row.decided_by),
            decided_at: row.decided_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl MergeRow {
    fn of(scope: &Scope, merge: &Merge) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: merge.id.uuid(),
            account_id: merge.account_id.uuid(),
            survivor_id: merge.survivor_id.uuid(),
            status: merge.status.as_str().to_owned(),
            reason: merge.reason.clone(),
            undo_reason: merge.undo_reason.clone(),
            moved_deals: merge.moved_deals,
            moved_registrations: merge.moved_registrations,
            moved_accounts: merge.moved_accounts,
            row_version: merge.row_version,
            created_at: merge.created_at,
            updated_at: merge.updated_at,
        }
    }
}

impl TryFrom<MergeRow> for Merge {
    type Error = Problem;

    fn try_from(row: MergeRow) -> Result<Self, Problem> {
        Ok(Self {
            id: AccountMergeId::from_uuid(row.id),
            account_id: AccountId::from_uuid(row.account_id),
            survivor_id: AccountId::from_uuid(row.survivor_id),
            status: MergeStatus::from_str(&row.status).map_err(Problem::damaged)?,
            reason: row.reason,
            undo_reason: row.undo_reason,
            moved_deals: row.moved_deals,
            moved_registrations: row.moved_registrations,
            moved_accounts: row.moved_accounts,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
