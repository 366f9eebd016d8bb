//! Accounts in Postgres. Every query takes the caller's scope.

use super::domain::Account;
use crate::kernel::ctx::Scope;
use crate::kernel::id::AccountId;
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{accounts, attributions, deals};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Seen, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::{exists, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use uuid::Uuid;

/// Which accounts a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    /// The caller's key.
    pub external_id: Option<String>,
    /// The internet domain, in lower case.
    pub domain: Option<String>,
    /// Text in the name, whatever its case.
    pub name_contains: Option<String>,
    /// Made at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Made before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// Changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    pub order: AccountOrder,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountOrder {
    /// Newest first. Ids are made from the time, so that their order is that of creation.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// By name.
    Name,
    /// By name, backwards.
    NameDescending,
}

/// An account as Postgres keeps it.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = accounts, treat_none_as_null = true, check_for_backend(Pg))]
pub struct AccountRow {
    organization_id: Uuid,
    id: Uuid,
    external_id: Option<String>,
    name: String,
    domain: Option<String>,
    country: Option<String>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    merged_into_id: Option<Uuid>,
}

/// One account.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: AccountId) -> Result<Option<Account>, Problem> {
    let row: Option<AccountRow> = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::id.eq(id.uuid()))
        .filter(visible_to(scope))
        .select(AccountRow::as_select())
        .first(tx.connection())
        .optional()?;
    Ok(row.map(Account::from))
}

/// One account, locked for a change of its own until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: AccountId) -> Result<Option<Account>, Problem> {
    let row: Option<AccountRow> = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::id.eq(id.uuid()))
        .filter(visible_to(scope))
        .select(AccountRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    Ok(row.map(Account::from))
}

/// One account, locked until the transaction ends against whatever refers to it: a deal that is written for it waits in
/// its foreign key, and deals that are being written are waited for.
pub fn lock_claims(tx: &mut Tx<'_>, scope: &Scope, id: AccountId) -> Result<Option<Account>, Problem> {
    let row: Option<AccountRow> = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::id.eq(id.uuid()))
        .filter(visible_to(scope))
        .select(AccountRow::as_select())
        .for_update()
        .first(tx.connection())
        .optional()?;
    Ok(row.map(Account::from))
}

/// The account that stands for a merged one with this domain.
pub fn survivor_of_domain(tx: &mut Tx<'_>, scope: &Scope, domain: &str) -> Result<Option<Account>, Problem> {
    let led: Option<Option<Uuid>> = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::domain.eq_any([domain.to_owned(), format!("www.{domain}")]))
        .filter(accounts::merged_into_id.is_not_null())
        .order(accounts::id)
        .select(accounts::merged_into_id)
        .first(tx.connection())
        .optional()?;
    match led.flatten() {
        Some(id) => find(tx, scope, AccountId::from_uuid(id)),
        None => Ok(None),
    }
}

/// One transaction at a time for each key. Whoever waited sees in its next statement what the one before has made.
pub fn hold_keys(tx: &mut Tx<'_>, scope: &Scope, keys: &[String]) -> Result<(), Problem> {
    let names: Vec<String> = keys
        .iter()
        .map(|key| format!("account {} {key}", scope.organization_id))
        .collect();
    // The order is that of the locks, which differs from that of the keys; two keys may share a lock.
    let query = diesel::sql_query(
        "SELECT pg_advisory_xact_lock(k.lock) FROM (SELECT hashtextextended(name, 0) AS lock FROM unnest($1) AS n (name) \
         ORDER BY lock) k",
    );
    Prepared(query.bind::<Array<Text>, _>(names)).execute(tx.connection())?;
    Ok(())
}

/// Several accounts, in no order.
pub fn find_several(tx: &mut Tx<'_>, scope: &Scope, ids: &[AccountId]) -> Result<Vec<Account>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<AccountRow> = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::id.eq_any(ids))
        .filter(visible_to(scope))
        .select(AccountRow::as_select())
        .load(tx.connection())?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// A page of accounts.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &AccountFilter,
    page: &PageRequest,
) -> Result<Page<Account>, Problem> {
    let mut query = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(visible_to(scope))
        .select(AccountRow::as_select())
        .into_boxed();
    if let Some(external_id) = &filter.external_id {
        query = query.filter(accounts::external_id.eq(external_id));
    }
    if let Some(domain) = &filter.domain {
        query = query.filter(accounts::domain.eq(domain));
    }
    if let Some(text) = &filter.name_contains {
        query = query.filter(name_like(containing(text)));
    }
    if let Some(instant) = filter.created_at_gte {
        query = query.filter(accounts::created_at.ge(instant));
    }
    if let Some(instant) = filter.created_at_lt {
        query = query.filter(accounts::created_at.lt(instant));
    }
    if let Some(instant) = filter.updated_at_gte {
        query = query.filter(accounts::updated_at.ge(instant));
    }
    if let Some(instant) = filter.updated_at_lt {
        query = query.filter(accounts::updated_at.lt(instant));
    }
    query = match (filter.order, page.after.clone()) {
        (AccountOrder::Newest, None) => query.order(accounts::id.desc()),
        (AccountOrder::Newest, Some(last)) => {
            query.filter(accounts::id.lt(last.id)).order(accounts::id.desc())
        }
        (AccountOrder::Oldest, None) => query.order(accounts::id.asc()),
        (AccountOrder::Oldest, Some(last)) => {
            query.filter(accounts::id.gt(last.id)).order(accounts::id.asc())
        }
        (AccountOrder::Name, None) => query.order((accounts::name.asc(), accounts::id.asc())),
        (AccountOrder::Name, Some(last)) => query
            .filter(accounts::name.ge(last.key.clone()))
            .filter(accounts::name.gt(last.key).or(accounts::id.gt(last.id)))
            .order((accounts::name.asc(), accounts::id.asc())),
        (AccountOrder::NameDescending, None) => query.order((accounts::name.desc(), accounts::id.desc())),
        (AccountOrder::NameDescending, Some(last)) => query
            .filter(accounts::name.le(last.key.clone()))
            .filter(accounts::name.lt(last.key).or(accounts::id.lt(last.id)))
            .order((accounts::name.desc(), accounts::id.desc())),
    };
    let rows: Vec<AccountRow> = page.rows_of(query).load(tx.connection())?;
    let accounts = rows.into_iter().map(Account::from).collect();
    Ok(page.page(accounts, |last: &Account| Position {
        key: last.name.clone(),
        id: last.id.uuid(),
    }))
}

/// Writes a new account.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, account: &Account) -> Result<(), Problem> {
    let row = AccountRow::of(scope, account);
    Prepared(diesel::insert_into(accounts::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed account.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, account: &Account) -> Result<(), Problem> {
    let row = AccountRow::of(scope, account);
    let target = accounts::table
        .filter(accounts::organization_id.eq(scope.organization_id.uuid()))
        .filter(accounts::id.eq(account.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// A partner's caller sees the accounts of deals that the partner works on or has a credit for, and of those of the
/// partners below it unless the deals are hidden.
fn visible_to(scope: &Scope) -> Box<dyn BoxableExpression<accounts::table, Pg, SqlType = Bool>> {
    let Some(partner_id) = scope.partner_id else {
        return Box::new(true.into_sql::<Bool>());
    };
    let own = attributions::partner_id.eq(partner_id.uuid());
    let is_own = deals::partner_id.is_not_distinct_from(partner_id.uuid());
    let is_own = is_own.or(exists(credits().filter(own)));
    let below = Seen::by(scope, partner_id, attributions::partner_id);
    let is_below = Seen::by(scope, partner_id, deals::partner_id);
    let is_below = is_below.or(exists(credits().filter(below)));
    let seen = deals::table
        .filter(deals::organization_id.eq(accounts::organization_id))
        .filter(deals::account_id.eq(accounts::id))
        .filter(is_own.or(deals::hidden_from_parent.eq(false).and(is_below)));
    Box::new(exists(seen))
}

/// The credits for a deal that were not rejected.
#[diesel::dsl::auto_type]
fn credits() -> _ {
    attributions::table
        .filter(attributions::organization_id.eq(deals::organization_id))
        .filter(attributions::deal_id.eq(deals::id))
        .filter(attributions::status.ne("rejected"))
}

/// Whether the name matches the pattern, whatever the case. The collation is named, because a database whose own locale
/// is C knows upper and lower case of ASCII letters only.
fn name_like(pattern: String) -> Box<dyn BoxableExpression<accounts::table, Pg, SqlType = Bool>> {
    Box::new(sql::<Bool>("accounts.name COLLATE \"und-x-icu\" ILIKE ").bind::<Text, _>(pattern))
}

/// The pattern of a text that contains this one: the signs that mean something in a pattern lose their meaning.
fn containing(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

impl AccountRow {
    fn of(scope: &Scope, account: &Account) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: account.id.uuid(),
            external_id: account.external_id.clone(),
            name: account.name.clone(),
            domain: account.domain.clone(),
            country: account.country.clone(),
            row_version: account.row_version,
            created_at: account.created_at,
            updated_at: account.updated_at,
            merged_into_id: account.merged_into_id.map(AccountId::uuid),
        }
    }
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            id: AccountId::from_uuid(row.id),
            external_id: row.external_id,
            name: row.name,
            domain: row.domain,
            country: row.country,
            merged_into_id: row.merged_into_id.map(AccountId::from_uuid),
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_a_pattern_stand_for_themselves() {
        assert_eq!(containing("100%"), r"%100\%%");
        assert_eq!(containing(r"a_b\c"), r"%a\_b\\c%");
    }
}
