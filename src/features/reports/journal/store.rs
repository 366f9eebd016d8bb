//! Entries of the journal, with the names of whom and what they are about.

use crate::features::ledger::{EntryKind, LedgerAccount, Source};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{LedgerEntryId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::str::FromStr;
use uuid::Uuid;

/// Entries in a piece at most: enough that a piece is worth its round trip, and few enough to be read in a moment.
pub const PIECE: usize = 1_000;

/// When entries were recorded.
#[derive(Debug, Clone, Copy)]
pub struct Recorded {
    /// At this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
}

/// An entry, with names.
#[derive(Debug, Clone)]
pub struct JournalEntry {
    /// Its id.
    pub id: LedgerEntryId,
    /// What it stands for.
    pub kind: EntryKind,
    /// What caused it.
    pub source: Source,
    /// The account that is debited.
    pub debit: LedgerAccount,
    /// The account that is credited.
    pub credit: LedgerAccount,
    /// Whose entry it is.
    pub partner_id: PartnerId,
    /// The partner's name now.
    pub partner_name: String,
    /// In which program.
    pub program_id: ProgramId,
    /// The program's name now.
    pub program_name: String,
    /// How much moves.
    pub amount: Money,
    /// When it happened in business.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Raw {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Text)]
    debit_account: String,
    #[diesel(sql_type = Text)]
    credit_account: String,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    partner_name: String,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Text)]
    program_name: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    recorded_at: DateTime<Utc>,
}

/// An id begins with the millisecond of recording, so that the primary key finds where a period starts and ends; the exact
/// instants decide within these milliseconds. Whom a partner's caller may not see by name has none.
const ENTRIES: &str = "SELECT e.id, e.kind, e.source_id, e.debit_account, e.credit_account, e.partner_id, \
        coalesce(n.name, '') AS partner_name, e.program_id, coalesce(g.name, '') AS program_name, e.currency, e.amount, \
        e.occurred_at, e.recorded_at \
    FROM ledger_entries e \
    LEFT JOIN partners n ON n.organization_id = $1 AND n.id = e.partner_id \
    LEFT JOIN programs g ON g.organization_id = $1 AND g.id = e.program_id \
    WHERE e.organization_id = $1 AND ($2 IS NULL OR e.partner_id = $2) AND ($3 IS NULL OR e.id > $3) \
        AND ($4 IS NULL OR e.recorded_at >= $4 AND e.id >= $5) \
        AND ($6 IS NULL OR e.recorded_at < $6 AND e.id < $7) \
    ORDER BY e.id LIMIT $8";

/// The next entries of the period.
pub fn entries(
    tx: &mut Tx<'_>,
    scope: &Scope,
    recorded: &Recorded,
    after: Option<LedgerEntryId>,
) -> Result<Vec<JournalEntry>, Problem> {
    let least = |instant: DateTime<Utc>| LedgerEntryId::least_at(instant).uuid();
    let millisecond = chrono::TimeDelta::milliseconds(1);
    let rows: Vec<Raw> = sql_query(ENTRIES)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Nullable<SqlUuid>, _>(scope.partner_id.map(PartnerId::uuid))
        .bind::<Nullable<SqlUuid>, _>(after.map(LedgerEntryId::uuid))
        .bind::<Nullable<Timestamptz>, _>(recorded.from)
        .bind::<Nullable<SqlUuid>, _>(recorded.from.map(least))
        .bind::<Nullable<Timestamptz>, _>(recorded.until)
        .bind::<Nullable<SqlUuid>, _>(recorded.until.map(|until| least(until + millisecond)))
        .bind::<BigInt, _>(i64::try_from(PIECE).unwrap_or(i64::MAX))
        .load(tx.connection())?;
    rows.into_iter().map(JournalEntry::try_from).collect()
}

impl TryFrom<Raw> for JournalEntry {
    type Error = Problem;

    fn try_from(raw: Raw) -> Result<Self, Problem> {
        let kind = EntryKind::from_str(&raw.kind).map_err(Problem::damaged)?;
        let currency = Currency::from_code(&raw.currency).map_err(Problem::damaged)?;
        Ok(Self {
            id: LedgerEntryId::from_uuid(raw.id),
            kind,
            source: kind.source(raw.source_id),
            debit: LedgerAccount::from_str(&raw.debit_account).map_err(Problem::damaged)?,
            credit: LedgerAccount::from_str(&raw.credit_account).map_err(Problem::damaged)?,
            partner_id: PartnerId::from_uuid(raw.partner_id),
            partner_name: raw.partner_name,
            program_id: ProgramId::from_uuid(raw.program_id),
            program_name: raw.program_name,
            amount: Money::new(raw.amount, currency).map_err(Problem::damaged)?,
            occurred_at: raw.occurred_at,
            recorded_at: raw.recorded_at,
        })
    }
}
