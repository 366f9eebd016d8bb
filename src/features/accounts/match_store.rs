//! The keys that accounts are found by, in Postgres. Every query takes the caller's scope.

use super::domain::Account;
use super::match_domain::{Decision, MatchKey};
use super::store::AccountRow;
use crate::kernel::ctx::Scope;
use crate::kernel::id::{AccountId, OrganizationId};
use crate::kernel::matching::{Company, CompanyName, KEY_VERSION, Search};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{account_match_keys, accounts};
use crate::platform::db::{Prepared, Tx};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Int4, Nullable, Text, Uuid as SqlUuid};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The most accounts that one key finds.
const MOST_FOUND: i32 = 50;
/// How many accounts get their keys in one go of the worker.
const BATCH: i64 = 500;
/// How many accounts the worker compares with all others in one go: each takes some tens of milliseconds among a million.
const COMPARED_AT_ONCE: i64 = 50;

/// The accounts that may be this company: those with one of its keys, and those with a name like it, of which [`Search`]
/// tells how they are looked for. With `seen_only`, those that the caller may see; without it, every account of the
/// organization, which is not to be shown.
pub fn candidates(tx: &mut Tx<'_>, company: &Company, seen_only: bool) -> Result<Vec<Account>, Problem> {
    let keys: Vec<String> = company.names.iter().map(CompanyName::key).collect();
    let names: BTreeSet<String> = company.names.iter().map(CompanyName::core).collect();
    let sought = Sought::of(names.iter().cloned().map(Search::of))?;
    let query = sql_query("SELECT * FROM account_match_candidates($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind::<Nullable<Text>, _>(company.external_id.as_deref())
        .bind::<Nullable<Text>, _>(company.domain.as_deref())
        .bind::<Array<Text>, _>(keys)
        .bind::<Array<Text>, _>(names.into_iter().collect::<Vec<_>>())
        .bind::<Array<Text>, _>(sought.slips)
        .bind::<Array<Text>, _>(sought.words)
        .bind::<Array<Text>, _>(sought.cores)
        .bind::<Array<Int4>, _>(sought.thresholds)
        .bind::<Bool, _>(seen_only)
        .bind::<Int4, _>(MOST_FOUND);
    let rows: Vec<AccountRow> = Prepared(query).load(tx.connection())?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// Searches as Postgres takes them: the words of all, each as texts with spaces between them, and with each the name and the
/// threshold that belong to it.
#[derive(Default)]
struct Sought {
    slips: Vec<String>,
    words: Vec<String>,
    cores: Vec<String>,
    thresholds: Vec<i32>,
}

impl Sought {
    fn of(searches: impl Iterator<Item = Search>) -> Result<Self, Problem> {
        let mut sought = Self::default();
        for search in searches {
            let threshold = i32::try_from(search.threshold).map_err(Problem::damaged)?;
            sought.slips.extend(search.slips);
            for word in search.words {
                sought.words.push(word.join(" "));
                sought.cores.push(search.core.clone());
                sought.thresholds.push(threshold);
            }
        }
        Ok(sought)
    }
}

/// Writes the keys of accounts, over those that they had in the same places.
pub fn write(tx: &mut Tx<'_>, scope: &Scope, keys: &[MatchKey]) -> Result<(), Problem> {
    let query = sql_query(
        "INSERT INTO account_match_keys (organization_id, account_id, position, name_key, core, domain, key_version) \
         SELECT $1, k.*, $7 FROM unnest($2, $3, $4, $5, $6) AS k \
         ON CONFLICT ON CONSTRAINT account_match_keys_pk DO UPDATE SET name_key = excluded.name_key, \
             core = excluded.core, domain = excluded.domain, key_version = excluded.key_version, compared = DEFAULT",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(each(keys, |key| key.account_id.uuid()))
    .bind::<Array<Int4>, _>(each(keys, |key| key.position))
    .bind::<Array<Nullable<Text>>, _>(each(keys, |key| key.name_key.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(each(keys, |key| key.core.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(each(keys, |key| key.domain.as_deref()))
    .bind::<Int4, _>(KEY_VERSION);
    Ok(Prepared(query).execute(tx.connection())?)
}

/// Forgets the keys that these accounts had besides these.
pub fn forget_others(tx: &mut Tx<'_>, scope: &Scope, keys: &[MatchKey]) -> Result<(), Problem> {
    let query = sql_query(
        "DELETE FROM account_match_keys k USING (SELECT account_id, max(position) AS last \
             FROM unnest($2, $3) AS n (account_id, position) GROUP BY account_id) n \
         WHERE k.organization_id = $1 AND k.account_id = n.account_id AND k.position > n.last",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(each(keys, |key| key.account_id.uuid()))
    .bind::<Array<Int4>, _>(each(keys, |key| key.position));
    Ok(Prepared(query).execute(tx.connection())?)
}

fn each<'a, T>(keys: &'a [MatchKey], of: impl Fn(&'a MatchKey) -> T) -> Vec<T> {
    keys.iter().map(of).collect()
}

/// Some accounts whose keys are missing, outdated or made in another way, locked: their ids, names and domains. What
/// somebody else has locked is left to them.
pub fn lock_wanting(
    tx: &mut Tx<'_>,
    scope: &Scope,
) -> Result<Vec<(AccountId, String, Option<String>)>, Problem> {
    let rows: Vec<(Uuid, String, Option<String>)> = accounts::table
        .inner_join(
            account_match_keys::table.on(account_match_keys::organization_id
                .eq(accounts::organization_id)
                .and(account_match_keys::account_id.eq(accounts::id))),
        )
        .filter(account_match_keys::organization_id.eq(scope.organization_id.uuid()))
        .filter(account_match_keys::key_version.lt(KEY_VERSION))
        .select((accounts::id, accounts::name, accounts::domain))
        .order(accounts::id)
        .limit(BATCH)
        .for_update()
        .skip_locked()
        .load(tx.connection())?;
    let told = rows.into_iter();
    Ok(told
        .map(|(id, name, domain)| (AccountId::from_uuid(id), name, domain))
        .collect())
}

/// An account that is to be compared, and in which state its keys were found.
#[derive(Debug, QueryableByName)]
pub struct Uncompared {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    /// The transaction that wrote the keys.
    #[diesel(sql_type = Text)]
    written: String,
}

impl Uncompared {
    /// The account.
    pub fn account_id(&self) -> AccountId {
        AccountId::from_uuid(self.account_id)
    }
}

/// Some accounts that were not compared with the others since their keys were made; none while another worker compares
/// accounts of the organization. What somebody else has locked is left to them, and nothing stays locked: comparing takes
/// seconds, and a large import would wait for it again every few rows, since the next accounts to compare are those that
/// it comes to next.
pub fn uncompared(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<Uncompared>, Problem> {
    if !tx.is_alone(format!("compare accounts {}", scope.organization_id))? {
        return Ok(Vec::new());
    }
    let query = sql_query(
        "SELECT account_id, xmin::text AS written FROM account_match_keys \
         WHERE organization_id = $1 AND NOT compared AND key_version > 0 AND position = 0 \
         ORDER BY account_id LIMIT $2 FOR UPDATE SKIP LOCKED",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<BigInt, _>(COMPARED_AT_ONCE);
    tx.connection().batch_execute("SAVEPOINT uncompared")?;
    let rows: Vec<Uncompared> = Prepared(query).load(tx.connection())?;
    // The locks go with what they were taken in.
    tx.connection()
        .batch_execute("ROLLBACK TO SAVEPOINT uncompared; RELEASE SAVEPOINT uncompared")?;
    Ok(rows)
}

/// Notes that these accounts were compared. Those whose keys were written since, or are being written, are to be compared
/// again.
pub fn note_compared(tx: &mut Tx<'_>, scope: &Scope, accounts: &[Uncompared]) -> Result<(), Problem> {
    let ids: Vec<Uuid> = accounts.iter().map(|one| one.account_id).collect();
    let written: Vec<&str> = accounts.iter().map(|one| one.written.as_str()).collect();
    let query = sql_query(
        "UPDATE account_match_keys k SET compared = true FROM (\
             SELECT m.account_id FROM account_match_keys m \
             JOIN unnest($2, $3) AS w (account_id, written) ON w.account_id = m.account_id \
             WHERE m.organization_id = $1 AND m.position = 0 AND m.xmin::text = w.written \
             FOR UPDATE OF m SKIP LOCKED) n \
         WHERE k.organization_id = $1 AND k.account_id = n.account_id AND k.position = 0",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(written);
    Ok(Prepared(query).execute(tx.connection())?)
}

/// Forgets the keys of an account, so that nobody finds it.
pub fn forget(tx: &mut Tx<'_>, scope: &Scope, id: AccountId) -> Result<(), Problem> {
    let target = account_match_keys::table
        .filter(account_match_keys::organization_id.eq(scope.organization_id.uuid()))
        .filter(account_match_keys::account_id.eq(id.uuid()));
    Prepared(diesel::delete(target)).execute(tx.connection())?;
    Ok(())
}

#[derive(QueryableByName)]
struct PairIds {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    other_account_id: Uuid,
}

/// For each of these accounts the others that have one of its keys or a name like it.
pub fn pairs(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<Vec<(AccountId, AccountId)>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let query = sql_query("SELECT account_id, other_account_id FROM account_pairs($1, $2)")
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Int4, _>(MOST_FOUND);
    let rows: Vec<PairIds> = Prepared(query).load(tx.connection())?;
    let pairs = rows.iter().map(|row| {
        let other = AccountId::from_uuid(row.other_account_id);
        (AccountId::from_uuid(row.account_id), other)
    });
    Ok(pairs.collect())
}

#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    account_id: Option<Uuid>,
}

/// The account that stands for the merged one with this external id, if there is such a one.
pub fn standing_for(tx: &mut Tx<'_>, external_id: &str) -> Result<Option<AccountId>, Problem> {
    let query = sql_query("SELECT account_standing_for($1) AS account_id").bind::<Text, _>(external_id);
    let row: Standing = Prepared(query).get_result(tx.connection())?;
    Ok(row.account_id.map(AccountId::from_uuid))
}

#[derive(QueryableByName)]
struct DecisionRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    other_account_id: Uuid,
    #[diesel(sql_type = Bool)]
    confirmed: bool,
}

/// What people decided between these accounts.
pub fn decisions(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<Vec<Decision>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let query = sql_query("SELECT account_id, other_account_id, confirmed FROM account_decisions($1)")
        .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<DecisionRow> = Prepared(query).load(tx.connection())?;
    let decisions = rows.iter().map(|row| Decision {
        between: (
            AccountId::from_uuid(row.account_id),
            AccountId::from_uuid(row.other_account_id),
        ),
        confirmed: row.confirmed,
    });
    Ok(decisions.collect())
}

/// The organizations with accounts that are yet to be compared.
pub fn organizations_to_compare(connection: &mut PgConnection) -> Result<Vec<OrganizationId>, Problem> {
    let query = sql_query("SELECT organizations_with_accounts_to_compare() AS organization_id");
    let rows: Vec<Waiting> = Prepared(query).load(connection)?;
    let ids = rows
        .iter()
        .map(|row| OrganizationId::from_uuid(row.organization_id));
    Ok(ids.collect())
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
}

/// The organizations with accounts that want keys.
pub fn organizations_wanting_keys(connection: &mut PgConnection) -> Result<Vec<OrganizationId>, Problem> {
    let query = sql_query("SELECT organizations_with_keys_wanted($1) AS organization_id");
    let rows: Vec<Waiting> = Prepared(query.bind::<Int4, _>(KEY_VERSION)).load(connection)?;
    let ids = rows
        .iter()
        .map(|row| OrganizationId::from_uuid(row.organization_id));
    Ok(ids.collect())
}
