//! Invoices on the wire.

mod line;
mod payment;
mod refund;

pub use line::{InvoiceLineView, NewInvoiceLineBody};
pub use payment::{NewPaymentBody, PaymentPage, PaymentPath, PaymentView, PaymentsQuery};
pub use refund::{NewRefundBody, NewReinstatementBody, RefundPage, RefundPath, RefundView, RefundsQuery};

use super::domain::{Invoice, InvoiceLine, InvoicePatch, InvoiceStatus, NewInvoice};
use super::store::{InvoiceFilter, InvoiceOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, InvoiceId};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// An invoice from billing. All its amounts are in its one currency.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = InvoiceCreate, examples(json!({"external_id": "in_1042", "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "currency": "USD", "issued_on": "2026-03-01", "due_on": "2026-03-31", "lines": [{"net": "1000.00", "tax": "190.00", "description": "Platform, March"}]})))]
#[serde(deny_unknown_fields)]
pub struct NewInvoiceBody {
    /// Your own key for the invoice; unique among your invoices.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "in_1042"
    )]
    pub external_id: Option<String>,
    /// The deal that it bills.
    pub deal_id: DealId,
    /// The currency of all its amounts, ISO 4217.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub currency: String,
    /// The day on the invoice.
    pub issued_on: NaiveDate,
    /// When it should be paid; not before `issued_on`.
    #[schema(nullable = false)]
    pub due_on: Option<NaiveDate>,
    /// The first day of the service that it bills; absent: `issued_on`. Rules that pay for some months ask for it.
    #[schema(nullable = false)]
    pub service_starts_on: Option<NaiveDate>,
    /// What it bills.
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<NewInvoiceLineBody>,
}

impl NewInvoiceBody {
    /// The body as business speaks of it, or everything that is wrong with its currency and amounts.
    pub fn terms(&self) -> Result<NewInvoice, Problem> {
        let Self {
            external_id,
            deal_id,
            currency,
            issued_on,
            due_on,
            service_starts_on,
            lines,
        } = self;
        let mut fields = Fields::new();
        let terms = fields.currency("/currency", currency).map(|currency| NewInvoice {
            external_id: external_id.clone(),
            deal_id: *deal_id,
            currency,
            issued_on: *issued_on,
            due_on: *due_on,
            service_starts_on: *service_starts_on,
            lines: (0..)
                .zip(lines)
                .filter_map(|(index, line)| line.terms(index, currency, &mut fields))
                .collect(),
        });
        fields.finish(terms)
    }
}

/// Changes of an invoice: absent leaves a field as it is, `null` clears it. Amounts never change: void the invoice or
/// credit it.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = InvoiceUpdate, min_properties = 1, examples(json!({"external_id": "in_1042", "due_on": null})))]
#[serde(deny_unknown_fields)]
pub struct PatchInvoiceBody {
    /// Your own key for the invoice.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "in_1042")]
    pub external_id: Patch<String>,
    /// When it should be paid; not before `issued_on`.
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    pub due_on: Patch<NaiveDate>,
}

impl PatchInvoiceBody {
    /// The body as business speaks of it.
    pub fn patch(&self) -> InvoicePatch {
        let Self { external_id, due_on } = self.clone();
        InvoicePatch { external_id, due_on }
    }
}

/// An invoice with its lines.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Invoice, examples(json!({"id": "inv_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "in_1042", "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "partially_paid", "status_reason": null, "net_amount": {"amount": "1000.00", "currency": "USD"}, "total_amount": {"amount": "1190.00", "currency": "USD"}, "paid_amount": {"amount": "500.00", "currency": "USD"}, "refunded_amount": {"amount": "0.00", "currency": "USD"}, "credited_amount": {"amount": "0.00", "currency": "USD"}, "open_amount": {"amount": "690.00", "currency": "USD"}, "issued_on": "2026-03-01", "due_on": "2026-03-31", "service_starts_on": null, "lines": [{"id": "inl_01j9zq4y8k7m5n3p2r1s0t6v4w", "position": 1, "product_family_id": null, "description": "Platform, March", "net_amount": {"amount": "1000.00", "currency": "USD"}, "tax_amount": {"amount": "190.00", "currency": "USD"}, "kind": "product", "quantity": "1", "cost_amount": null, "list_amount": {"amount": "1250.00", "currency": "USD"}}], "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-15T09:30:00Z"})))]
pub struct InvoiceView {
    /// Its id.
    pub id: InvoiceId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The deal that it bills.
    pub deal_id: DealId,
    /// Where it stands: open, partially_paid, paid or void.
    pub status: InvoiceStatus,
    /// Why it is void.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// The sum of the lines without tax.
    pub net_amount: MoneyBody,
    /// The sum of the lines with tax.
    pub total_amount: MoneyBody,
    /// What was received, before anything went back.
    pub paid_amount: MoneyBody,
    /// What went back of that: refunds, chargebacks, and credit notes beyond the unpaid part.
    pub refunded_amount: MoneyBody,
    /// What credit notes took off the unpaid part.
    pub credited_amount: MoneyBody,
    /// What may still be paid.
    pub open_amount: MoneyBody,
    /// The day on it.
    pub issued_on: NaiveDate,
    /// When it should be paid.
    #[schema(required)]
    pub due_on: Option<NaiveDate>,
    /// The first day of the service that it bills; `null` for the day on it.
    #[schema(required)]
    pub service_starts_on: Option<NaiveDate>,
    /// What it bills, in order.
    #[schema(max_items = 500)]
    pub lines: Vec<InvoiceLineView>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// An invoice without its lines, as lists show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = InvoiceSummary, examples(json!({"id": "inv_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "in_1042", "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "status": "partially_paid", "status_reason": null, "net_amount": {"amount": "1000.00", "currency": "USD"}, "total_amount": {"amount": "1190.00", "currency": "USD"}, "paid_amount": {"amount": "500.00", "currency": "USD"}, "refunded_amount": {"amount": "0.00", "currency": "USD"}, "credited_amount": {"amount": "0.00", "currency": "USD"}, "open_amount": {"amount": "690.00", "currency": "USD"}, "issued_on": "2026-03-01", "due_on": "2026-03-31", "service_starts_on": null, "created_at": "2026-03-01T08:00:00Z", "updated_at": "2026-03-15T09:30:00Z"})))]
pub struct InvoiceSummaryView {
    /// Its id.
    pub id: InvoiceId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The deal that it bills.
    pub deal_id: DealId,
    /// Where it stands: open, partially_paid, paid or void.
    pub status: InvoiceStatus,
    /// Why it is void.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// The sum of the lines without tax.
    pub net_amount: MoneyBody,
    /// The sum of the lines with tax.
    pub total_amount: MoneyBody,
    /// What was received, before anything went back.
    pub paid_amount: MoneyBody,
    /// What went back of that: refunds, chargebacks, and credit notes beyond the unpaid part.
    pub refunded_amount: MoneyBody,
    /// What credit notes took off the unpaid part.
    pub credited_amount: MoneyBody,
    /// What may still be paid.
    pub open_amount: MoneyBody,
    /// The day on it.
    pub issued_on: NaiveDate,
    /// When it should be paid.
    #[schema(required)]
    pub due_on: Option<NaiveDate>,
    /// The first day of the service that it bills; `null` for the day on it.
    #[schema(required)]
    pub service_starts_on: Option<NaiveDate>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl InvoiceView {
    /// The invoice with these lines. Fails only when its amounts contradict one another.
    pub fn of(invoice: Invoice, lines: Vec<InvoiceLine>) -> Result<Self, Problem> {
        let summary = InvoiceSummaryView::try_from(invoice)?;
        Ok(Self {
            id: summary.id,
            external_id: summary.external_id,
            deal_id: summary.deal_id,
            status: summary.status,
            status_reason: summary.status_reason,
            net_amount: summary.net_amount,
            total_amount: summary.total_amount,
            paid_amount: summary.paid_amount,
            refunded_amount: summary.refunded_amount,
            credited_amount: summary.credited_amount,
            open_amount: summary.open_amount,
            issued_on: summary.issued_on,
            due_on: summary.due_on,
            service_starts_on: summary.service_starts_on,
            lines: lines.into_iter().map(InvoiceLineView::from).collect(),
            created_at: summary.created_at,
            updated_at: summary.updated_at,
        })
    }
}

impl TryFrom<Invoice> for InvoiceSummaryView {
    type Error = Problem;

    fn try_from(invoice: Invoice) -> Result<Self, Problem> {
        Ok(Self {
            open_amount: invoice.open_amount().map_err(Problem::damaged)?.into(),
            id: invoice.id,
            external_id: invoice.external_id,
            deal_id: invoice.deal_id,
            status: invoice.status,
            status_reason: invoice.status_reason,
            net_amount: invoice.net_amount.into(),
            total_amount: invoice.total_amount.into(),
            paid_amount: invoice.paid_amount.into(),
            refunded_amount: invoice.refunded_amount.into(),
            credited_amount: invoice.credited_amount.into(),
            issued_on: invoice.issued_on,
            due_on: invoice.due_on,
            service_starts_on: invoice.service_starts_on,
            created_at: invoice.created_at,
            updated_at: invoice.updated_at,
        })
    }
}

page_of!(InvoicePage, InvoiceSummaryView, "invoices");

/// The order of a list of invoices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum InvoiceSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of invoices is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InvoicesQuery {
    /// Only invoices in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 4)]
    pub status: Vec<InvoiceStatus>,
    /// Only the invoice with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only invoices of this deal.
    pub deal_id: Option<DealId>,
    /// Only what was issued on or after this day.
    pub issued_on_gte: Option<NaiveDate>,
    /// Only what was issued before this day.
    pub issued_on_lt: Option<NaiveDate>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: InvoiceSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl InvoicesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> InvoiceFilter {
        InvoiceFilter {
            statuses: self.status.clone(),
            external_id: self.external_id.clone(),
            deal_id: self.deal_id,
            issued_on_gte: self.issued_on_gte,
            issued_on_lt: self.issued_on_lt,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                InvoiceSort::Newest => InvoiceOrder::Newest,
                InvoiceSort::Oldest => InvoiceOrder::Oldest,
            },
        }
    }
}

/// The invoice that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct InvoicePath {
    /// The invoice.
    pub invoice_id: InvoiceId,
}
