//! Balances: sums of entries, worked out when they are asked for.

use super::domain::{AccountTotal, Balance, LedgerAccount};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money, Total, UNIT_LIMIT};
use crate::kernel::problem::Problem;
use crate::platform::db::{Page, PageRequest, Position, Tx};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

/// Which entries are summed.
#[derive(Debug, Clone, Default)]
pub struct BalanceFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// Of this program.
    pub program_id: Option<ProgramId>,
    /// In this currency.
    pub currency: Option<String>,
    /// What had been posted by this instant, itself included.
    pub as_of: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct BalanceRow {
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
    #[diesel(sql_type = Numeric)]
    released: Decimal,
    #[diesel(sql_type = Numeric)]
    payable: Decimal,
    #[diesel(sql_type = Numeric)]
    disputed: Decimal,
    #[diesel(sql_type = Numeric)]
    in_payout: Decimal,
    #[diesel(sql_type = Numeric)]
    earned: Decimal,
    #[diesel(sql_type = Numeric)]
    reversed: Decimal,
    #[diesel(sql_type = Numeric)]
    adjusted: Decimal,
    #[diesel(sql_type = Numeric)]
    exchanged: Decimal,
    #[diesel(sql_type = Numeric)]
    paid: Decimal,
}

#[derive(QueryableByName)]
struct OwedRow {
    #[diesel(sql_type = Numeric)]
    payable: Decimal,
    #[diesel(sql_type = Numeric)]
    owed: Decimal,
}

#[derive(QueryableByName)]
struct TotalRow {
    #[diesel(sql_type = Text)]
    account: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    debits: Decimal,
    #[diesel(sql_type = Numeric)]
    credits: Decimal,
}

/// The entries of the filter; `$2` is the caller's own partner. These statements are not kept prepared, so that each
/// is planned for the filters that are really set.
const CHOSEN: &str = "FROM ledger_entries WHERE organization_id = $1 \
    AND ($2 IS NULL OR partner_id = $2) AND ($3 IS NULL OR partner_id = $3) \
    AND ($4 IS NULL OR program_id = $4) AND ($5 IS NULL OR currency = $5) \
    AND ($6 IS NULL OR recorded_at <= $6)";

/// What an account is credited less what it is debited.
fn owed(account: LedgerAccount) -> String {
    format!(
        "coalesce(sum(CASE '{account}' WHEN credit_account THEN amount WHEN debit_account THEN -amount END), 0) \
         AS {account}"
    )
}

/// A page of balances, by partner, program and currency.
pub fn balances(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &BalanceFilter,
    page: &PageRequest,
) -> Result<Page<Balance>, Problem> {
    let accounts = [
        LedgerAccount::Held,
        LedgerAccount::Released,
        LedgerAccount::Payable,
        LedgerAccount::Disputed,
        LedgerAccount::InPayout,
    ];
    let sql = format!(
        "SELECT partner_id, program_id, currency, {}, \
             coalesce(sum(amount) FILTER (WHERE kind = 'accrual'), 0) AS earned, \
             coalesce(sum(CASE WHEN kind IN ('clawback', 'credit_note') THEN amount \
                 WHEN kind = 'reinstatement' THEN -amount END), 0) AS reversed, \
             coalesce(sum(CASE WHEN kind IN ('adjustment_up', 'write_off') THEN amount \
                 WHEN kind = 'adjustment_down' THEN -amount END), 0) \
                 AS adjusted, \
             coalesce(sum(CASE WHEN kind IN ('exchange_in', 'clawback_exchange_in') THEN amount \
                 WHEN kind IN ('exchange_out', 'clawback_exchange_out') THEN -amount END), 0) AS exchanged, \
             coalesce(sum(CASE kind WHEN 'payout_paid' THEN amount WHEN 'payout_returned' THEN -amount END), 0) \
                 AS paid \
         {CHOSEN} AND ($7 IS NULL OR (partner_id, program_id, currency) > ($7, $8, $9)) \
         GROUP BY partner_id, program_id, currency ORDER BY partner_id, program_id, currency LIMIT $10",
        accounts.map(owed).join(", ")
    );
    let after = page.after.as_ref().and_then(last_seen);
    let rows: Vec<BalanceRow> = diesel::sql_query(sql)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Nullable<SqlUuid>, _>(scope.partner_id.map(PartnerId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.partner_id.map(PartnerId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.program_id.map(ProgramId::uuid))
        .bind::<Nullable<Text>, _>(&filter.currency)
        .bind::<Nullable<Timestamptz>, _>(filter.as_of)
        .bind::<Nullable<SqlUuid>, _>(after.as_ref().map(|last| last.0))
        .bind::<Nullable<SqlUuid>, _>(after.as_ref().map(|last| last.1))
        .bind::<Nullable<Text>, _>(after.as_ref().map(|last| &last.2))
        .bind::<BigInt, _>(page.fetch())
        .load(tx.connection())?;
    let balances: Vec<Balance> = rows
        .into_iter()
        .map(Balance::try_from)
        .collect::<Result<_, _>>()?;
    Ok(page.page(balances, |last| Position {
        key: format!("{} {}", last.program_id.uuid(), last.held.currency()),
        id: last.partner_id.uuid(),
    }))
}

/// What is payable to a partner in a program, and what is owed to it there on all accounts; where either is more than an
/// amount can be, the largest amount.
pub fn owed_to(
    tx: &mut Tx<'_>,
    scope: &Scope,
    partner_id: PartnerId,
    program_id: ProgramId,
    currency: Currency,
) -> Result<(Money, Money), Problem> {
    let row: OwedRow = diesel::sql_query(format!(
        "SELECT greatest(1 - {UNIT_LIMIT}, least({UNIT_LIMIT} - 1, payable)) AS payable, \
             greatest(1 - {UNIT_LIMIT}, least({UNIT_LIMIT} - 1, owed)) AS owed \
         FROM (SELECT \
             coalesce(sum(CASE 'payable' WHEN credit_account THEN amount WHEN debit_account THEN -amount END), 0) \
                 AS payable, \
             coalesce(sum(amount * ((credit_account IN ('held', 'released', 'payable', 'disputed', 'in_payout'))::int \
                 - (debit_account IN ('held', 'released', 'payable', 'disputed', 'in_payout'))::int)), 0) AS owed \
             FROM ledger_entries \
             WHERE organization_id = $1 AND partner_id = $2 AND program_id = $3 AND currency = $4) sums"
    ))
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<SqlUuid, _>(partner_id.uuid())
    .bind::<SqlUuid, _>(program_id.uuid())
    .bind::<Text, _>(currency.code())
    .get_result(tx.connection())?;
    let money = |amount| Money::new(amount, currency).map_err(Problem::damaged);
    Ok((money(row.payable)?, money(row.owed)?))
}

/// The partner, program and currency of the last balance seen.
fn last_seen(position: &Position) -> Option<(Uuid, Uuid, String)> {
    let (program_id, currency) = position.key.split_once(' ')?;
    Some((position.id, program_id.parse().ok()?, currency.to_owned()))
}

/// What every account moved, by currency.
pub fn account_totals(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &BalanceFilter,
) -> Result<Vec<AccountTotal>, Problem> {
    let sql = format!(
        "WITH moved AS (\
             SELECT debit_account, credit_account, currency, sum(amount) AS amount {CHOSEN} \
             GROUP BY debit_account, credit_account, currency) \
         SELECT account, currency, sum(debits) AS debits, sum(credits) AS credits FROM (\
             SELECT debit_account AS account, currency, amount AS debits, 0::numeric AS credits FROM moved \
             UNION ALL SELECT credit_account, currency, 0, amount FROM moved) sides \
         GROUP BY account, currency ORDER BY currency, account"
    );
    let rows: Vec<TotalRow> = diesel::sql_query(sql)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Nullable<SqlUuid>, _>(scope.partner_id.map(PartnerId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.partner_id.map(PartnerId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.program_id.map(ProgramId::uuid))
        .bind::<Nullable<Text>, _>(&filter.currency)
        .bind::<Nullable<Timestamptz>, _>(filter.as_of)
        .load(tx.connection())?;
    rows.into_iter().map(AccountTotal::try_from).collect()
}

impl TryFrom<BalanceRow> for Balance {
    type Error = Problem;

    fn try_from(row: BalanceRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        let money = |amount| Total::new(amount, currency).map_err(Problem::damaged);
        Ok(Self {
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            held: money(row.held)?,
            released: money(row.released)?,
            payable: money(row.payable)?,
            disputed: money(row.disputed)?,
            in_payout: money(row.in_payout)?,
            earned: money(row.earned)?,
            reversed: money(row.reversed)?,
            adjusted: money(row.adjusted)?,
            exchanged: money(row.exchanged)?,
            paid: money(row.paid)?,
        })
    }
}

impl TryFrom<TotalRow> for AccountTotal {
    type Error = Problem;

    fn try_from(row: TotalRow) -> Result<Self, Problem> {
        let currency = Currency::from_code(&row.currency).map_err(Problem::damaged)?;
        Ok(Self {
            account: LedgerAccount::from_str(&row.account).map_err(Problem::damaged)?,
            debits: Total::new(row.debits, currency).map_err(Problem::damaged)?,
            credits: Total::new(row.credits, currency).map_err(Problem::damaged)?,
        })
    }
}
