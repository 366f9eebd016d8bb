//! Entries of the journal as rows of CSV and as lines of JSON.

use super::service::Days;
use super::store::JournalEntry;
use crate::features::ledger::{EntryKind, LedgerAccount, Source};
use crate::kernel::id::{LedgerEntryId, PartnerId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::web::{Fields, File, MoneyBody, harmless};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The form of the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JournalFormat {
    /// Comma-separated values with a header, two rows for each entry.
    #[default]
    Csv,
    /// An object of JSON on a line of its own for each entry.
    Ndjson,
}

impl JournalFormat {
    /// The file that it makes.
    pub const fn file(self) -> File {
        match self {
            Self::Csv => File {
                media_type: "text/csv; charset=utf-8",
                name: "journal.csv",
            },
            Self::Ndjson => File {
                media_type: "application/x-ndjson",
                name: "journal.ndjson",
            },
        }
    }
}

/// Which entries are wanted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JournalQuery {
    /// The first day of the period, in the organization's time zone. Absent: from the beginning.
    pub from_on: Option<NaiveDate>,
    /// The day after the period's last. Absent: until now.
    pub until_on: Option<NaiveDate>,
    /// The form of the file.
    #[serde(default)]
    #[param(inline)]
    pub format: JournalFormat,
}

impl JournalQuery {
    /// The period.
    pub fn days(&self) -> Result<Days, Problem> {
        let mut fields = Fields::new();
        if let (Some(from), Some(until)) = (self.from_on, self.until_on) {
            fields.require(
                from < until,
                "?until_on",
                "empty_period",
                "The period must end after it begins.",
            );
        }
        fields.finish(Some((self.from_on, self.until_on)))
    }
}

/// An entry as a line of JSON.
#[derive(Debug, Serialize)]
struct EntryLine<'a> {
    entry_id: LedgerEntryId,
    recorded_at: String,
    occurred_at: String,
    kind: EntryKind,
    source_id: String,
    partner_id: PartnerId,
    partner_name: &'a str,
    program_id: ProgramId,
    program_name: &'a str,
    currency: &'a str,
    lines: [PostingLine<'a>; 2],
}

/// One side of an entry; the other amount is absent.
#[derive(Debug, Serialize)]
struct PostingLine<'a> {
    account: LedgerAccount,
    debit: Option<&'a str>,
    credit: Option<&'a str>,
}

const COLUMNS: [&str; 14] = [
    "entry_id",
    "line",
    "recorded_at",
    "occurred_at",
    "kind",
    "source_id",
    "partner_id",
    "partner_name",
    "program_id",
    "program_name",
    "account",
    "debit",
    "credit",
    "currency",
];

/// The entries as they go out; the first piece of CSV begins with the header.
pub fn written(entries: &[JournalEntry], format: JournalFormat, is_first: bool) -> Result<Vec<u8>, Problem> {
    match format {
        JournalFormat::Csv => rows(entries, is_first),
        JournalFormat::Ndjson => lines(entries),
    }
}

fn rows(entries: &[JournalEntry], is_first: bool) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    if is_first {
        writer.write_record(COLUMNS).map_err(Problem::damaged)?;
    }
    for entry in entries {
        let amount = MoneyBody::from(entry.amount);
        for (number, posting) in (1..).zip(postings(entry, &amount.amount)) {
            let row = row(entry, number, &posting, &amount.currency);
            writer.write_record(row).map_err(Problem::damaged)?;
        }
    }
    writer.into_inner().map_err(Problem::damaged)
}

fn row(entry: &JournalEntry, number: u8, posting: &PostingLine<'_>, currency: &str) -> [String; 14] {
    let side = |amount: Option<&str>| amount.unwrap_or_default().to_owned();
    [
        entry.id.to_string(),
        number.to_string(),
        instant(entry.recorded_at),
        instant(entry.occurred_at),
        entry.kind.to_string(),
        source_id(entry.source),
        entry.partner_id.to_string(),
        harmless(&entry.partner_name),
        entry.program_id.to_string(),
        harmless(&entry.program_name),
        posting.account.to_string(),
        side(posting.debit),
        side(posting.credit),
        currency.to_owned(),
    ]
}

fn lines(entries: &[JournalEntry]) -> Result<Vec<u8>, Problem> {
    let mut written = Vec::new();
    for entry in entries {
        let amount = MoneyBody::from(entry.amount);
        let line = EntryLine {
            entry_id: entry.id,
            recorded_at: instant(entry.recorded_at),
            occurred_at: instant(entry.occurred_at),
            kind: entry.kind,
            source_id: source_id(entry.source),
            partner_id: entry.partner_id,
            partner_name: &entry.partner_name,
            program_id: entry.program_id,
            program_name: &entry.program_name,
            currency: &amount.currency,
            lines: postings(entry, &amount.amount),
        };
        serde_json::to_writer(&mut written, &line).map_err(Problem::damaged)?;
        written.push(b'\n');
    }
    Ok(written)
}

/// The two sides of an entry.
fn postings<'a>(entry: &JournalEntry, amount: &'a str) -> [PostingLine<'a>; 2] {
    let debit = PostingLine {
        account: entry.debit,
        debit: Some(amount),
        credit: None,
    };
    let credit = PostingLine {
        account: entry.credit,
        debit: None,
        credit: Some(amount),
    };
    [debit, credit]
}

fn source_id(source: Source) -> String {
    match source {
        Source::Commission(id) => id.to_string(),
        Source::Payout(id) => id.to_string(),
        Source::Clawback(id) => id.to_string(),
        Source::Adjustment(id) => id.to_string(),
        Source::Dispute(id) => id.to_string(),
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
