//! Payments on the wire.

use crate::features::invoices::domain::{NewPayment, Payment};
use crate::features::invoices::store::{PaymentFilter, PaymentOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{InvoiceId, PaymentId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// Money received for an invoice, in full or in part.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = PaymentCreate, examples(json!({"external_id": "ch_8843", "amount": {"amount": "500.00", "currency": "USD"}, "paid_at": "2026-03-15T09:30:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct NewPaymentBody {
    /// Your own key for the payment; unique among your payments.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "ch_8843"
    )]
    pub external_id: Option<String>,
    /// What was received, in the invoice's currency: above zero, or exactly zero for an invoice over zero.
    pub amount: MoneyBody,
    /// When it was received; not in the future.
    pub paid_at: DateTime<Utc>,
}

impl NewPaymentBody {
    /// The body as business speaks of it. Instants are kept in microseconds.
    pub fn terms(&self) -> Result<NewPayment, Problem> {
        let Self {
            external_id,
            amount,
            paid_at,
        } = self;
        let mut fields = Fields::new();
        let terms = fields.money("/amount", amount).map(|amount| NewPayment {
            external_id: external_id.clone(),
            amount,
            paid_at: paid_at.trunc_subsecs(6),
        });
        fields.finish(terms)
    }
}

/// Money received for an invoice.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Payment, examples(json!({"id": "pay_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "ch_8843", "invoice_id": "inv_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "500.00", "currency": "USD"}, "cumulative_amount": {"amount": "500.00", "currency": "USD"}, "refunded_amount": {"amount": "0.00", "currency": "USD"}, "paid_at": "2026-03-15T09:30:00Z", "created_at": "2026-03-15T09:31:00Z", "updated_at": "2026-03-15T09:31:00Z"})))]
pub struct PaymentView {
    /// Its id.
    pub id: PaymentId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The invoice that it pays.
    pub invoice_id: InvoiceId,
    /// What was received.
    pub amount: MoneyBody,
    /// What had been paid on the invoice when this payment was recorded, itself included.
    pub cumulative_amount: MoneyBody,
    /// What went back of it.
    pub refunded_amount: MoneyBody,
    /// When it was received.
    pub paid_at: DateTime<Utc>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        Self {
            id: payment.id,
            external_id: payment.external_id,
            invoice_id: payment.invoice_id,
            amount: payment.amount.into(),
            cumulative_amount: payment.cumulative_amount.into(),
            refunded_amount: payment.refunded_amount.into(),
            paid_at: payment.paid_at,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
        }
    }
}

page_of!(PaymentPage, PaymentView, "payments");

/// The order of a list of payments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum PaymentSort {
    /// Recorded last first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Recorded first first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of payments is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PaymentsQuery {
    /// Only the payment with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only payments of this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// Only what was received at or after this instant.
    pub paid_at_gte: Option<DateTime<Utc>>,
    /// Only what was received before this instant.
    pub paid_at_lt: Option<DateTime<Utc>>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: PaymentSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl PaymentsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> PaymentFilter {
        PaymentFilter {
            external_id: self.external_id.clone(),
            invoice_id: self.invoice_id,
            paid_at_gte: self.paid_at_gte,
            paid_at_lt: self.paid_at_lt,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                PaymentSort::Newest => PaymentOrder::Newest,
                PaymentSort::Oldest => PaymentOrder::Oldest,
            },
        }
    }
}

/// The payment that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PaymentPath {
    /// The payment.
    pub payment_id: PaymentId,
}
