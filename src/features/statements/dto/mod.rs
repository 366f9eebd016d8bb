//! Statements on the wire.

mod letter;

pub use letter::letter;

use super::domain::{Statement, StatementLine, WrittenStatement};
use super::store::StatementFilter;
use crate::features::ledger::{EntryKind, Source};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, InvoiceId, LedgerEntryId, PartnerId, ProgramId, StatementId};
use crate::kernel::problem::Problem;
use crate::kernel::time::YearMonth;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{MoneyBody, harmless};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// Which statements to issue.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = StatementIssue, examples(json!({"month": "2026-03"})))]
#[serde(deny_unknown_fields)]
pub struct IssueStatementsBody {
    /// A month that is over in the organization's time zone.
    #[schema(
        min_length = 7,
        max_length = 7,
        pattern = "^(20|21)[0-9]{2}-(0[1-9]|1[0-2])$",
        example = "2026-03"
    )]
    pub month: String,
}

impl IssueStatementsBody {
    /// The month as business speaks of it.
    pub fn month(&self) -> Result<YearMonth, Problem> {
        let unknown = |_| Problem::field("/month", "not_a_month", "This is no month such as 2026-03.");
        YearMonth::from_str(&self.month).map_err(unknown)
    }
}

/// What was issued.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = IssuedStatements, examples(json!({"month": "2026-03", "issued_count": 42})))]
pub struct IssuedStatementsView {
    /// The last month that was issued.
    #[schema(max_length = 7)]
    pub month: String,
    /// How many statements came to be.
    #[schema(minimum = 0)]
    pub issued_count: usize,
}

impl IssuedStatementsView {
    /// What was issued with this request.
    pub fn new(body: &IssueStatementsBody, issued_count: usize) -> Self {
        Self {
            month: body.month.clone(),
            issued_count,
        }
    }
}

/// A statement: what became of a partner's balance in a month, in one currency. `opening` + `earned` - `reversed` +
/// `adjusted` + `exchanged` - `paid` = `closing`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Statement, examples(json!({"id": "stm_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "number": 3, "month": "2026-03", "time_zone": "Europe/Berlin", "opening": {"amount": "100.00", "currency": "EUR"}, "earned": {"amount": "50.00", "currency": "EUR"}, "reversed": {"amount": "10.00", "currency": "EUR"}, "adjusted": {"amount": "0.00", "currency": "EUR"}, "exchanged": {"amount": "0.00", "currency": "EUR"}, "paid": {"amount": "100.00", "currency": "EUR"}, "closing": {"amount": "40.00", "currency": "EUR"}, "previous_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752", "signature": "eyJhbGciOiJFZERTQSIsImtpZCI6ImsxIn0..c2lnbmF0dXJl", "issued_at": "2026-04-01T06:00:00Z"})))]
pub struct StatementView {
    /// Its id.
    pub id: StatementId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Its place among the statements of the partner in this currency, from 1 on.
    #[schema(minimum = 1)]
    pub number: i32,
    /// The month.
    #[schema(max_length = 7)]
    pub month: String,
    /// The time zone in which the month begins and ends.
    #[schema(max_length = 64)]
    pub time_zone: String,
    /// What was owed before: `closing` of the statement before.
    pub opening: MoneyBody,
    /// What was earned.
    pub earned: MoneyBody,
    /// What refunds and credit notes took back.
    pub reversed: MoneyBody,
    /// What people gave, less what they took.
    pub adjusted: MoneyBody,
    /// What came into the currency by exchange, less what left it.
    pub exchanged: MoneyBody,
    /// What was paid, less what came back.
    pub paid: MoneyBody,
    /// What is owed after.
    pub closing: MoneyBody,
    /// The hash of the statement before; `null` for the first.
    #[schema(required, max_length = 64)]
    pub previous_hash: Option<String>,
    /// SHA-256 over `previous_hash`, if there is one, followed by the text of the statement.
    #[schema(max_length = 64)]
    pub hash: String,
    /// The detached JSON Web Signature of the text (RFC 7515, appendix F), by a key of the issuer's set. `null` for what was
    /// issued before statements were signed, until the next issue signs it.
    #[schema(required, max_length = 512)]
    pub signature: Option<String>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
}

impl From<Statement> for StatementView {
    fn from(statement: Statement) -> Self {
        Self {
            id: statement.id,
            partner_id: statement.partner_id,
            number: statement.number,
            month: statement.month,
            time_zone: statement.time_zone,
            opening: statement.opening.into(),
            earned: statement.earned.into(),
            reversed: statement.reversed.into(),
            adjusted: statement.adjusted.into(),
            exchanged: statement.exchanged.into(),
            paid: statement.paid.into(),
            closing: statement.closing.into(),
            previous_hash: statement.previous_hash,
            hash: statement.hash,
            signature: statement.signature,
            issued_at: statement.issued_at,
        }
    }
}

page_of!(StatementPage, StatementView, "statements");

/// A line of a statement: a posting that changed what is owed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StatementLine, examples(json!({"ledger_entry_id": "led_01j9zq4y8k7m5n3p2r1s0t6v4w", "kind": "accrual", "source_id": "com_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "50.00", "currency": "EUR"}, "occurred_at": "2026-03-14T10:00:00Z", "recorded_at": "2026-03-14T10:00:02Z", "is_late": false, "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "invoice_id": "inv_01j9zq4y8k7m5n3p2r1s0t6v4w", "reference": "Harbor rollout"})))]
pub struct StatementLineView {
    /// The posting.
    pub ledger_entry_id: LedgerEntryId,
    /// What it stands for.
    pub kind: EntryKind,
    /// The commission, clawback, adjustment or payout that caused it.
    #[schema(max_length = 64)]
    pub source_id: String,
    /// In which program.
    pub program_id: ProgramId,
    /// What it adds to what is owed; below zero what it takes off.
    pub amount: MoneyBody,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded: in this month, or while the one before was being issued.
    pub recorded_at: DateTime<Utc>,
    /// Whether it happened before this month.
    pub is_late: bool,
    /// The deal that it is about.
    #[schema(required)]
    pub deal_id: Option<DealId>,
    /// The invoice that it is about.
    #[schema(required)]
    pub invoice_id: Option<InvoiceId>,
    /// What it is about, in words: the deal's name, the reason of an adjustment, the reference of a payout; as it was when
    /// the statement was issued.
    #[schema(required, max_length = 1000)]
    pub reference: Option<String>,
}

impl From<StatementLine> for StatementLineView {
    fn from(line: StatementLine) -> Self {
        Self {
            ledger_entry_id: LedgerEntryId::from_uuid(line.ledger_entry_id),
            kind: line.kind,
            source_id: source_text(line.kind.source(line.source_id)),
            program_id: ProgramId::from_uuid(line.program_id),
            amount: line.amount.into(),
            occurred_at: line.occurred_at,
            recorded_at: line.recorded_at,
            is_late: line.is_late,
            deal_id: line.deal_id,
            invoice_id: line.invoice_id,
            reference: line.reference,
        }
    }
}

/// The id of what caused a line.
fn source_text(source: Source) -> String {
    match source {
        Source::Commission(id) => id.to_string(),
        Source::Payout(id) => id.to_string(),
        Source::Clawback(id) => id.to_string(),
        Source::Adjustment(id) => id.to_string(),
        Source::Dispute(id) => id.to_string(),
    }
}

/// A statement with its lines.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StatementWithLines, examples(json!({"organization_name": "Brightwater", "partner_name": "Nordlicht Consulting", "statement": {"id": "stm_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "number": 1, "month": "2026-03", "time_zone": "Europe/Berlin", "opening": {"amount": "0.00", "currency": "EUR"}, "earned": {"amount": "50.00", "currency": "EUR"}, "reversed": {"amount": "0.00", "currency": "EUR"}, "adjusted": {"amount": "0.00", "currency": "EUR"}, "exchanged": {"amount": "0.00", "currency": "EUR"}, "paid": {"amount": "0.00", "currency": "EUR"}, "closing": {"amount": "50.00", "currency": "EUR"}, "previous_hash": null, "hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752", "signature": "eyJhbGciOiJFZERTQSIsImtpZCI6ImsxIn0..c2lnbmF0dXJl", "issued_at": "2026-04-01T06:00:00Z"}, "lines": [{"ledger_entry_id": "led_01j9zq4y8k7m5n3p2r1s0t6v4w", "kind": "accrual", "source_id": "com_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "50.00", "currency": "EUR"}, "occurred_at": "2026-03-14T10:00:00Z", "recorded_at": "2026-03-14T10:00:02Z", "is_late": false, "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "invoice_id": "inv_01j9zq4y8k7m5n3p2r1s0t6v4w", "reference": "Harbor rollout"}]})))]
pub struct StatementWithLinesView {
    /// The organization's name when it was issued; `null` where statements named nobody yet.
    #[schema(required, max_length = 255)]
    pub organization_name: Option<String>,
    /// The partner's name when it was issued.
    #[schema(required, max_length = 255)]
    pub partner_name: Option<String>,
    /// The statement.
    pub statement: StatementView,
    /// Its lines, in the order in which they were recorded.
    #[schema(max_items = 10_000_000)]
    pub lines: Vec<StatementLineView>,
}

impl From<WrittenStatement> for StatementWithLinesView {
    fn from(written: WrittenStatement) -> Self {
        let names = written
            .letterhead
            .map(|head| (head.organization_name, head.partner_name));
        let (organization_name, partner_name) = names.unzip();
        Self {
            organization_name,
            partner_name,
            statement: written.statement.into(),
            lines: written.lines.into_iter().map(StatementLineView::from).collect(),
        }
    }
}

impl StatementWithLinesView {
    /// The lines between a row with the opening and one with the closing.
    pub fn csv(&self) -> Result<Vec<u8>, Problem> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        let statement = &self.statement;
        let columns = [
            "kind",
            "amount",
            "currency",
            "source_id",
            "program_id",
            "occurred_at",
            "recorded_at",
            "is_late",
            "deal_id",
            "invoice_id",
            "reference",
        ];
        let balance = |name: &str, money: &MoneyBody| {
            let blank = String::new();
            let month = statement.month.clone();
            [
                name.to_owned(),
                money.amount.clone(),
                money.currency.clone(),
                statement.id.to_string(),
                blank.clone(),
                month,
                blank.clone(),
                blank.clone(),
                blank.clone(),
                blank.clone(),
                blank,
            ]
        };
        writer.write_record(columns).map_err(Problem::damaged)?;
        let opening = balance("opening", &statement.opening);
        writer.write_record(opening).map_err(Problem::damaged)?;
        for line in &self.lines {
            writer.write_record(line.columns()).map_err(Problem::damaged)?;
        }
        let closing = balance("closing", &statement.closing);
        writer.write_record(closing).map_err(Problem::damaged)?;
        writer.into_inner().map_err(Problem::damaged)
    }
}

impl StatementLineView {
    fn columns(&self) -> [String; 11] {
        let text = |id: Option<String>| id.unwrap_or_default();
        let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        [
            self.kind.to_string(),
            self.amount.amount.clone(),
            self.amount.currency.clone(),
            self.source_id.clone(),
            self.program_id.to_string(),
            instant(self.occurred_at),
            instant(self.recorded_at),
            self.is_late.to_string(),
            text(self.deal_id.map(|id| id.to_string())),
            text(self.invoice_id.map(|id| id.to_string())),
            harmless(self.reference.as_deref().unwrap_or_default()),
        ]
    }
}

/// What a list of statements is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatementsQuery {
    /// Only statements of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only statements of this month.
    #[param(max_length = 7, pattern = "^(20|21)[0-9]{2}-(0[1-9]|1[0-2])$")]
    pub month: Option<String>,
    /// Only statements in this currency, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl StatementsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it. The document's pattern lets months through only.
    pub fn filter(&self) -> StatementFilter {
        let month = self
            .month
            .as_deref()
            .and_then(|text| YearMonth::from_str(text).ok());
        StatementFilter {
            partner_id: self.partner_id,
            currency: self.currency.clone(),
            month: month.map(YearMonth::first_day),
        }
    }
}

/// The statement that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct StatementPath {
    /// The statement.
    pub statement_id: StatementId,
}

/// The form of a statement's file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatementFormat {
    /// Its lines, comma-separated, with a header.
    #[default]
    Csv,
    /// The text over which its hash and its signature are, in JSON.
    Text,
    /// A letter on A4 pages, for a person.
    Pdf,
}

/// How the file is wanted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatementFileQuery {
    /// The form of the file.
    #[serde(default)]
    #[param(inline)]
    pub format: StatementFormat,
}
