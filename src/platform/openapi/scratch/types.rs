//! Bodies and parameters of the scratch document.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An amount of money.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({ "amount": "1250.00", "currency": "USD" })))]
pub struct Money {
    /// Decimal amount with exactly the currency's decimals.
    #[schema(pattern = "^-?[0-9]{1,18}(\\.[0-9]{1,6})?$", max_length = 32)]
    amount: String,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$", max_length = 3)]
    currency: String,
}

/// A company that sells with us.
#[derive(Serialize, ToSchema)]
#[schema(as = Partner)]
pub struct PartnerView {
    /// Identifier.
    #[schema(
        pattern = "^ptn_[0-9a-z]{10,60}$",
        max_length = 64,
        example = "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w"
    )]
    id: String,
    /// Name of the company.
    #[schema(max_length = 200, example = "Northwind Resellers")]
    name: String,
    /// Where the partner stands.
    #[schema(extensions(("x-extensible-enum" = json!(["applied", "approved", "terminated"]))))]
    status: String,
    /// Values of the organization's own fields.
    #[schema(example = json!({ "region": "emea" }))]
    custom_fields: std::collections::HashMap<String, String>,
    /// Number of people trained.
    #[schema(example = 4)]
    trained_people: u32,
    /// Labels.
    #[schema(max_items = 20, example = json!(["gold"]))]
    labels: Vec<String>,
    /// When the partner was created.
    created_at: DateTime<Utc>,
    /// When the partner was last changed.
    updated_at: DateTime<Utc>,
}

/// One page of partners.
#[derive(Serialize, ToSchema)]
pub struct PartnerPage {
    /// The partners.
    data: Vec<PartnerView>,
    /// Where the next page starts; null on the last one.
    #[schema(required, pattern = "^[A-Za-z0-9_-]+$", max_length = 512)]
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// A page by way of a generic, whose name and inlined argument are repaired.
#[derive(Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The items.
    data: Vec<T>,
    /// Where the next page starts; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// A new partner.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PartnerCreate)]
pub struct NewPartner {
    /// Name of the company.
    #[schema(min_length = 1, max_length = 200, example = "Northwind Resellers")]
    name: String,
    /// First day of the agreement.
    #[schema(nullable = false)]
    agreement_starts_on: Option<NaiveDate>,
}

/// A change of a partner.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PartnerUpdate, min_properties = 1)]
pub struct PatchPartner {
    /// Name of the company.
    #[schema(min_length = 1, max_length = 200, nullable = false, example = "Northwind")]
    name: Option<String>,
    /// First day of the agreement; null clears it.
    agreement_starts_on: Option<NaiveDate>,
}

/// Why a partner ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerTerminate {
    /// The reason, in words.
    #[schema(min_length = 1, max_length = 500, example = "Contract breached.")]
    reason: String,
}

/// What a rate is paid on.
#[derive(Serialize, ToSchema)]
pub struct RateByVolume {
    /// Share in basis points.
    #[schema(minimum = 0, maximum = 10000, example = 1250)]
    basis_points: u32,
}

/// A fixed sum.
#[derive(Serialize, ToSchema)]
pub struct RateFixed {
    /// The sum.
    sum: Money,
}

/// How a partner is paid for a deal.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Rate {
    Volume(RateByVolume),
    Fixed(RateFixed),
    /// A share of what was sold.
    Percent {
        /// Share in basis points.
        #[schema(minimum = 0, maximum = 10000, example = 500)]
        basis_points: u32,
    },
}

/// An opportunity that a partner brings.
#[derive(Serialize, ToSchema)]
#[schema(as = Deal)]
pub struct DealView {
    /// Identifier.
    #[schema(
        pattern = "^del_[0-9a-z]{10,60}$",
        max_length = 64,
        example = "del_01j9zq4y8k7m5n3p2r1s0t6v4w"
    )]
    id: String,
    /// What it may bring.
    amount: Money,
    /// How the partner is paid.
    rate: Rate,
    /// When the deal was created.
    created_at: DateTime<Utc>,
}

/// A new deal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DealCreate)]
pub struct NewDeal {
    /// The partner that brings it.
    #[schema(
        pattern = "^ptn_[0-9a-z]{10,60}$",
        max_length = 64,
        example = "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w"
    )]
    partner_id: String,
}

/// A spreadsheet of partners.
#[derive(ToSchema)]
pub struct PartnerImport {
    /// The rows, as CSV with a header line.
    #[schema(value_type = String, format = Binary, content_media_type = "text/csv")]
    file: Vec<u8>,
    /// How columns and properties belong together.
    options: PartnerImportOptions,
}

/// Options of an import.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerImportOptions {
    /// Whether to check the rows only.
    dry_run: bool,
}

/// An import under way.
#[derive(Serialize, ToSchema)]
pub struct Job {
    /// Identifier.
    #[schema(
        pattern = "^job_[0-9a-z]{10,60}$",
        max_length = 64,
        example = "job_01j9zq4y8k7m5n3p2r1s0t6v4w"
    )]
    id: String,
}

/// Sold per month.
#[derive(Serialize, ToSchema)]
pub struct SalesReport {
    /// One row per month.
    rows: Vec<SalesReportRow>,
}

/// One month.
#[derive(Serialize, ToSchema)]
pub struct SalesReportRow {
    /// First day of the month.
    starts_on: NaiveDate,
    /// What was sold; null for a month that is not over.
    #[schema(required)]
    sold: Option<Money>,
}

/// Whether the service works.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or what is wrong.
    #[schema(extensions(("x-extensible-enum" = json!(["ok", "degraded"]))))]
    status: String,
}

/// A deal was created.
#[derive(Serialize, ToSchema)]
pub struct DealCreatedEvent {
    /// The type of the event.
    #[schema(pattern = "^deal\\.created$", max_length = 64, example = "deal.created")]
    r#type: String,
    /// When it happened.
    timestamp: DateTime<Utc>,
    /// The deal.
    data: DealView,
}

/// Order of partners.
#[derive(Deserialize, ToSchema)]
pub enum PartnerSort {
    #[serde(rename = "created_at")]
    Oldest,
    #[serde(rename = "-created_at")]
    Newest,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Largest number of items in the answer.
    #[param(minimum = 1, maximum = 100, default = 25, nullable = false)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", max_length = 512)]
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PartnerQuery {
    /// Only partners that stand there; may be repeated.
    #[param(max_items = 10, pattern = "^[a-z_]+$")]
    status: Option<Vec<String>>,
    /// Order of the answer.
    #[param(inline)]
    sort: Option<PartnerSort>,
    /// Only partners created at this time or later.
    created_at_gte: Option<DateTime<Utc>>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PartnerPath {
    /// The partner.
    #[param(
        pattern = "^ptn_[0-9a-z]{10,60}$",
        max_length = 64,
        example = "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w"
    )]
    partner_id: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DealPath {
    /// The deal.
    #[param(
        pattern = "^del_[0-9a-z]{10,60}$",
        max_length = 64,
        example = "del_01j9zq4y8k7m5n3p2r1s0t6v4w"
    )]
    deal_id: String,
}
