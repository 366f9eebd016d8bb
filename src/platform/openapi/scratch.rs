//! A small document in the manner of the rooms: two resources, an import, a report, a webhook.

#![expect(
    dead_code,
    reason = "the types and handlers are only read by the derive macros"
)]
#![expect(
    unused_qualifications,
    reason = "the path macro writes qualified names of parameter types"
)]

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

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

/// List partners
///
/// Answers the partners in pages, newest first.
#[utoipa::path(get, path = "/v1/partners", tag = "Partners", operation_id = "listPartners",
    params(PageQuery, PartnerQuery), responses((status = 200, description = "One page.", body = PartnerPage)),
    extensions(("x-required-permission" = json!("partners:read"))))]
fn list_partners() {}

/// Create a partner
///
/// The partner starts as applied.
#[utoipa::path(post, path = "/v1/partners", tag = "Partners", operation_id = "createPartner",
    request_body = NewPartner, responses((status = 201, description = "Created.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:write"))))]
fn create_partner() {}

/// Get a partner
///
/// Answers one partner.
#[utoipa::path(get, path = "/v1/partners/{partner_id}", tag = "Partners", operation_id = "getPartner",
    params(PartnerPath, ("If-None-Match" = Option<String>, Header, description = "The version that you have.")),
    responses((status = 200, description = "The partner.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:read"))))]
fn get_partner() {}

/// Update a partner
///
/// Changes what the body names (RFC 7396).
#[utoipa::path(patch, path = "/v1/partners/{partner_id}", tag = "Partners", operation_id = "updatePartner",
    params(PartnerPath), request_body = PatchPartner,
    responses((status = 200, description = "The changed partner.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:write"))))]
fn update_partner() {}

/// Delete a partner
///
/// Only a partner without deals can be deleted.
#[utoipa::path(delete, path = "/v1/partners/{partner_id}", tag = "Partners", operation_id = "deletePartner",
    params(PartnerPath),
    responses((status = 204, description = "Deleted."), (status = 409, description = "The partner has deals.")),
    extensions(("x-required-permission" = json!("partners:write"))))]
fn delete_partner() {}

/// Terminate a partner
///
/// Final: the partner's users and keys stop working.
#[utoipa::path(post, path = "/v1/partners/{partner_id}/terminate", tag = "Partners",
    operation_id = "terminatePartner", params(PartnerPath), request_body = PartnerTerminate,
    responses((status = 200, description = "The terminated partner.", body = PartnerView)),
    extensions(("x-required-permission" = json!("partners:terminate")), ("x-requires-if-match" = json!(true)),
        ("x-requires-idempotency-key" = json!(true))))]
fn terminate_partner() {}

/// Import partners
///
/// Reads a CSV file in the background.
#[utoipa::path(post, path = "/v1/partner-imports", tag = "Partners", operation_id = "importPartners",
    request_body(content = PartnerImport, content_type = "multipart/form-data"),
    responses((status = 202, description = "Accepted.", body = Job)),
    extensions(("x-required-permission" = json!("partners:write"))))]
fn import_partners() {}

/// List deals
///
/// Answers the deals in pages.
#[utoipa::path(get, path = "/v1/deals", tag = "Deals", operation_id = "listDeals", params(PageQuery),
    responses((status = 200, description = "One page.", body = Page<DealView>)),
    extensions(("x-required-permission" = json!("deals:read"))))]
fn list_deals() {}

/// Create a deal
///
/// The deal starts as open.
#[utoipa::path(post, path = "/v1/deals", tag = "Deals", operation_id = "createDeal", request_body = NewDeal,
    responses((status = 201, description = "Created.", body = DealView)),
    extensions(("x-required-permission" = json!(["deals:write", "deals:admin"])),
        ("x-requires-idempotency-key" = json!(true))))]
fn create_deal() {}

/// Get a deal
///
/// Answers one deal.
#[utoipa::path(get, path = "/v1/deals/{deal_id}", tag = "Deals", operation_id = "getDeal", params(DealPath),
    responses((status = 200, description = "The deal.", body = DealView)),
    extensions(("x-required-permission" = json!("deals:read")), ("x-unversioned" = json!(true))))]
fn get_deal() {}

/// Report sales
///
/// Sums per month, as JSON or CSV.
#[utoipa::path(get, path = "/v1/reports/sales", tag = "Reports", operation_id = "getSalesReport",
    responses((status = 200, description = "The report.", content(
        (SalesReport = "application/json"),
        (String = "text/csv", example = json!("starts_on,sold,currency\n2026-01-01,1250.00,USD\n")),
    ))),
    extensions(("x-required-permission" = json!("reports:read"))))]
fn get_sales_report() {}

/// Check health
///
/// Answers whether the service can do its work.
#[utoipa::path(get, path = "/health", tag = "Service", operation_id = "getHealth", security(()),
    responses((status = 200, description = "It works.", body = Health)))]
fn get_health() {}

/// Deal created
///
/// Sent when a deal was created.
#[utoipa::path(post, path = "deal.created", tag = "Deals", operation_id = "onDealCreated",
    request_body = DealCreatedEvent, responses((status = 204, description = "Received.")))]
fn on_deal_created() {}

#[derive(OpenApi)]
#[openapi(
    info(title = "Scratch API", version = "1.0.0", description = "Partners and deals over HTTP.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "Copartner", url = "https://copartner.example/support", email = "api@copartner.example")),
    servers((url = "https://api.copartner.example", description = "Production")),
    paths(list_partners, create_partner, get_partner, update_partner, delete_partner, terminate_partner,
        import_partners, list_deals, create_deal, get_deal, get_sales_report, get_health),
    tags((name = "Service", description = "The service itself."),
        (name = "Partners", description = "Companies that sell with us."),
        (name = "Deals", description = "Opportunities that partners bring."),
        (name = "Reports", description = "What was sold.")),
)]
struct Paths;

#[derive(OpenApi)]
#[openapi(paths(on_deal_created))]
struct Webhooks;

/// The document as the macros collect it.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Paths::openapi();
    let mut webhooks = Webhooks::openapi();
    let events = std::mem::take(&mut webhooks.paths);
    document.merge(webhooks);
    document.webhooks = Some(events);
    document
}
