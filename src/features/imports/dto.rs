//! Imports on the wire.

use super::domain::{Import, ImportStatus};
use super::store::{ImportFilter, KeptRejection};
use super::targets::ImportResource;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::ImportId;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// A file to import and how to read it. Resource and mapping come before the file.
#[derive(Debug, ToSchema)]
#[schema(as = ImportCreate, examples(json!({"resource": "accounts", "mapping": {"fields": {"external_id": {"column": "account_ref"}, "name": {"column": "name"}}}, "dry_run": true, "atomic": false, "file": "account_ref,name\nA-1,Stadtwerke Beispiel\n"})))]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the form is read part by part; this type documents it")]
pub struct NewImportForm {
    /// What the rows become: product_families, partners, accounts, deals, invoices or exchange_rates.
    pub resource: ImportResource,
    /// Which of your columns fills which field.
    pub mapping: ImportMappingBody,
    /// Whether to compute everything and change nothing.
    #[schema(nullable = false, default = false)]
    pub dry_run: Option<bool>,
    /// Whether one rejected row rejects the whole file.
    #[schema(nullable = false, default = false)]
    pub atomic: Option<bool>,
    /// The CSV file: UTF-8, with headings in its first row.
    #[schema(value_type = String, format = Binary, max_length = 2147483647)]
    pub file: Vec<u8>,
}

/// Which of your columns fills which of our fields. Product families need external_id and name; partners external_id
/// and name, and take domain, country, territories (AT;CH;DE), status and program; accounts external_id and name, and
/// take domain and country; deals external_id, account, amount and currency, and take name, program, partner,
/// product_family, opened_on, expected_close_on, deal_type, status, won_at, sourced_by, influenced_by and delivered_by;
/// invoices external_id, deal, amount (net), currency and issued_on, and take kind, tax, cost, list (the
/// price by the price list), due_on, product_family and paid_at; exchange_rates date, beside a column for each currency. Records are
/// named by your own keys. Where paid_at is given, all that is open of the invoice is paid then, also where some was paid
/// before; an invoice that was paid in another way stays as it is.
#[derive(Debug, ToSchema)]
#[schema(as = ImportMapping, examples(json!({"fields": {"external_id": {"column": "deal_ref"}, "account": {"column": "account_ref"}, "program": {"constant": "g-cloud"}, "amount": {"column": "amount_gbp", "rounding": "half_up"}, "currency": {"constant": "GBP"}, "won_at": {"column": "registered_on", "format": "%Y-%m-%d"}, "status": {"column": "status", "values": {"closed won": "won"}}}, "delimiter": ","})))]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the mapping is read by hand, to name every mistake; this type documents it"
)]
pub struct ImportMappingBody {
    /// By our field's name: how it is filled.
    pub fields: BTreeMap<String, ImportFieldBody>,
    /// The character between two cells; a comma otherwise.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1,
        pattern = r#"^[^\x00\r\n"]$"#,
        example = ";"
    )]
    pub delimiter: Option<String>,
}

/// How one field is filled: by exactly one of column and constant.
#[derive(Debug, ToSchema)]
#[schema(as = ImportField, examples(json!({"column": "amount_gbp", "rounding": "half_up"})))]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the mapping is read by hand, to name every mistake; this type documents it"
)]
pub struct ImportFieldBody {
    /// The heading of the column that fills it.
    #[schema(nullable = false, max_length = 1000, pattern = r"^[^\x00]*$")]
    pub column: Option<String>,
    /// The text that fills it in every row.
    #[schema(nullable = false, max_length = 1000, pattern = r"^[^\x00]*$")]
    pub constant: Option<String>,
    /// How days and instants are written, in the notation of strftime; ISO 8601 otherwise. Without a time of day it is
    /// 00:00 UTC.
    #[schema(
        nullable = false,
        max_length = 1000,
        pattern = r"^[^\x00]*$",
        example = "%d.%m.%Y"
    )]
    pub format: Option<String>,
    /// How an amount with more decimals than its currency is rounded: half_up, half_even or down. Without it such a row is
    /// rejected.
    #[schema(
        nullable = false,
        max_length = 64,
        pattern = "^(half_up|half_even|down)$",
        example = "half_up"
    )]
    pub rounding: Option<String>,
    /// Our words for yours.
    #[schema(nullable = false)]
    pub values: Option<BTreeMap<String, String>>,
    /// What an empty cell stands for.
    #[schema(nullable = false, max_length = 1000, pattern = r"^[^\x00]*$")]
    pub default: Option<String>,
    /// For the amount of an invoice: credit_notes_negative says that credit notes are written as negative amounts.
    #[schema(
        nullable = false,
        max_length = 64,
        pattern = "^credit_notes_negative$",
        example = "credit_notes_negative"
    )]
    pub sign: Option<String>,
}

/// How far an import is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ImportProgress, examples(json!({"bytes_read": 262144, "bytes_total": 760171, "rows_read": 5000})))]
pub struct ImportProgressView {
    /// Bytes of the file that were read.
    #[schema(minimum = 0)]
    pub bytes_read: i64,
    /// Bytes of the file.
    #[schema(minimum = 0)]
    pub bytes_total: i64,
    /// Rows that were read.
    #[schema(minimum = 0)]
    pub rows_read: i64,
}

/// What became of the rows that were read; in a dry run, and in an atomic import that failed or was canceled, what would
/// have become of them.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ImportCounts, examples(json!({"created": 4812, "updated": 37, "unchanged": 149, "rejected": 2})))]
pub struct ImportCountsView {
    /// Rows that made a record.
    #[schema(minimum = 0)]
    pub created: i64,
    /// Rows that changed a record.
    #[schema(minimum = 0)]
    pub updated: i64,
    /// Rows that said what was known.
    #[schema(minimum = 0)]
    pub unchanged: i64,
    /// Rows that were rejected.
    #[schema(minimum = 0)]
    pub rejected: i64,
}

/// Why an import failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ImportError, examples(json!({"code": "missing_column", "detail": "The file has no column \"amount\", which the mapping takes for amount."})))]
pub struct ImportErrorView {
    /// A stable code: empty_file, missing_column, duplicate_column, invalid_encoding, row_too_long,
    /// unterminated_quote, rows_rejected, unauthorized or internal_error.
    #[schema(max_length = 64, pattern = "^[a-z_]+$")]
    pub code: String,
    /// What is wrong and what to do.
    #[schema(max_length = 2000)]
    pub detail: String,
}

/// The loading of one file.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Import, examples(json!({"id": "imp_01j9zq4y8k7m5n3p2r1s0t6v4w", "resource": "accounts", "status": "running", "mapping": {"fields": {"external_id": {"column": "account_ref"}, "name": {"column": "name"}}}, "dry_run": false, "atomic": false, "file_name": "accounts.csv", "progress": {"bytes_read": 262144, "bytes_total": 760171, "rows_read": 5000}, "counts": {"created": 4812, "updated": 37, "unchanged": 149, "rejected": 2}, "error": null, "created_by": "key_01j9zq4y8k7m5n3p2r1s0t6v4w", "started_at": "2026-03-01T08:00:01Z", "finished_at": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-01T08:00:02Z"})))]
pub struct ImportView {
    /// Its id.
    pub id: ImportId,
    /// What the rows become.
    pub resource: ImportResource,
    /// Where it stands: queued, running, succeeded, failed or canceled.
    pub status: ImportStatus,
    /// The mapping as you sent it.
    #[schema(value_type = ImportMappingBody)]
    pub mapping: Value,
    /// Whether everything is computed and nothing changed.
    pub dry_run: bool,
    /// Whether one rejected row rejects the whole file.
    pub atomic: bool,
    /// The file's name, where you gave one.
    #[schema(required, max_length = 255)]
    pub file_name: Option<String>,
    /// How far it is.
    pub progress: ImportProgressView,
    /// What became of the rows that were read.
    pub counts: ImportCountsView,
    /// Why it failed.
    #[schema(required)]
    pub error: Option<ImportErrorView>,
    /// Who asked for it.
    #[schema(required)]
    pub created_by: Option<ActorId>,
    /// When a worker took it up.
    #[schema(required)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[schema(required)]
    pub finished_at: Option<DateTime<Utc>>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Import> for ImportView {
    fn from(import: Import) -> Self {
        Self {
            id: import.id,
            resource: import.resource,
            status: import.status,
            mapping: import.mapping,
            dry_run: import.dry_run,
            atomic: import.atomic,
            file_name: import.file_name,
            progress: ImportProgressView {
                bytes_read: i64::try_from(import.next.offset).unwrap_or(i64::MAX),
                bytes_total: import.file_bytes,
                rows_read: import.counts.read,
            },
            counts: ImportCountsView {
                created: import.counts.created,
                updated: import.counts.updated,
                unchanged: import.counts.unchanged,
                rejected: import.counts.rejected,
            },
            error: import.error.map(|error| ImportErrorView {
                code: error.code,
                detail: error.detail,
            }),
            created_by: import.created_by,
            started_at: import.started_at,
            finished_at: import.finished_at,
            created_at: import.created_at,
            updated_at: import.updated_at,
        }
    }
}

page_of!(ImportPage, ImportView, "imports");

/// A row that was rejected, and why. A row with several mistakes of form is listed once for each; what it names is looked up
/// when its form is right.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ImportRejection, examples(json!({"line": 17, "column": "amount_gbp", "code": "too_many_decimals", "message": "Expected at most 2 decimals."})))]
pub struct ImportRejectionView {
    /// The line of the file on which the row starts, counted from 1.
    #[schema(minimum = 1)]
    pub line: i64,
    /// The heading of the column, or our field's name where a constant fills it; `null` when it is about the whole row.
    #[schema(required, max_length = 255)]
    pub column: Option<String>,
    /// A stable code, such as missing, too_many_decimals, invalid_date, unknown_value, unknown_reference, ragged_row,
    /// invalid_encoding, duplicate_in_file, wrong_state or immutable_field.
    #[schema(max_length = 64, pattern = "^[a-z_]+$")]
    pub code: String,
    /// What is wrong and what to do.
    #[schema(max_length = 2000)]
    pub message: String,
}

impl From<KeptRejection> for ImportRejectionView {
    fn from(kept: KeptRejection) -> Self {
        Self {
            line: kept.line,
            column: Some(kept.column_name).filter(|name| !name.is_empty()),
            code: kept.code,
            message: kept.message,
        }
    }
}

page_of!(ImportRejectionPage, ImportRejectionView, "rejected rows");

/// The order of a list of imports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ImportSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of imports is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportsQuery {
    /// Only imports in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 5)]
    pub status: Vec<ImportStatus>,
    /// Only imports of these resources; repeat for several.
    #[serde(default)]
    #[param(max_items = 5)]
    pub resource: Vec<ImportResource>,
    /// Only what was made at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Only what was made before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: ImportSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl ImportsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ImportFilter {
        ImportFilter {
            statuses: self.status.clone(),
            resources: self.resource.clone(),
            created_at_gte: self.created_at_gte,
            created_at_lt: self.created_at_lt,
            oldest_first: self.sort == ImportSort::Oldest,
        }
    }
}

/// Which part of the rejected rows is asked for.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RejectionsQuery {
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl RejectionsQuery {
    /// The page that is asked for, of this import alone.
    pub fn page(&self, ctx: &Ctx, id: ImportId) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), &id)
    }
}

/// The import that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ImportPath {
    /// The import.
    pub import_id: ImportId,
}
