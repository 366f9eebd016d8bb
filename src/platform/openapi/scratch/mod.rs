//! A small document in the manner of the rooms: two resources, an import, a report, a webhook.

#![expect(
    dead_code,
    reason = "the types and handlers are only read by the derive macros"
)]

mod types;

use utoipa::OpenApi;

use types::{
    DealCreatedEvent, DealPath, DealView, Health, Job, NewDeal, NewPartner, Page, PageQuery, PartnerImport,
    PartnerPage, PartnerPath, PartnerQuery, PartnerTerminate, PartnerView, PatchPartner, SalesReport,
};

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
