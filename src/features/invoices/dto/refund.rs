//! Refunds on the wire.

use crate::features::invoices::domain::{NewRefund, NewReinstatement, Refund, RefundKind};
use crate::features::invoices::store::{RefundFilter, RefundOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CreditNoteId, InvoiceId, PaymentId, RefundId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// How the money of a payment went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = RefundCreateKind)]
pub enum NewRefundKind {
    /// The vendor gave it back.
    #[serde(rename = "refund")]
    Refund,
    /// The customer's bank took it back.
    #[serde(rename = "chargeback")]
    Chargeback,
}

/// Money of a payment that went back, in full or in part.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = RefundCreate, examples(json!({"external_id": "re_212", "kind": "refund", "amount": {"amount": "100.00", "currency": "USD"}, "refunded_at": "2026-04-02T10:00:00Z", "reason": "Two seats fewer."})))]
#[serde(deny_unknown_fields)]
pub struct NewRefundBody {
    /// Your own key for the refund; unique among your refunds.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "re_212"
    )]
    pub external_id: Option<String>,
    /// Whether it was given back or taken back.
    pub kind: NewRefundKind,
    /// What went back, in the invoice's currency; above zero.
    pub amount: MoneyBody,
    /// When it went back; not before the payment was received and not in the future.
    pub refunded_at: DateTime<Utc>,
    /// Why.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Two seats fewer."
    )]
    pub reason: Option<String>,
}

impl NewRefundBody {
    /// The body as business speaks of it. Instants are kept in microseconds.
    pub fn terms(&self) -> Result<NewRefund, Problem> {
        let Self {
            external_id,
            kind,
            amount,
            refunded_at,
            reason,
        } = self;
        let mut fields = Fields::new();
        let terms = fields.money("/amount", amount).map(|amount| NewRefund {
            external_id: external_id.clone(),
            kind: match kind {
                NewRefundKind::Refund => RefundKind::Refund,
                NewRefundKind::Chargeback => RefundKind::Chargeback,
            },
            amount,
            refunded_at: refunded_at.trunc_subsecs(6),
            reason: reason.clone(),
        });
        fields.finish(terms)
    }
}

/// Money of a refund that came in again.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ReinstatementCreate, examples(json!({"external_id": "dp_77_won", "amount": {"amount": "100.00", "currency": "USD"}, "reinstated_at": "2026-06-15T10:00:00Z", "reason": "The bank decided the dispute for us."})))]
#[serde(deny_unknown_fields)]
pub struct NewReinstatementBody {
    /// Your own key for the reinstatement; unique among your refunds.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "dp_77_won"
    )]
    pub external_id: Option<String>,
    /// What came in again, in the invoice's currency, above zero; all that is left of the refund when it is absent.
    #[schema(nullable = false)]
    pub amount: Option<MoneyBody>,
    /// When it came in again; not before the money went back and not in the future.
    pub reinstated_at: DateTime<Utc>,
    /// Why.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The bank decided the dispute for us."
    )]
    pub reason: Option<String>,
}

impl NewReinstatementBody {
    /// The body as business speaks of it. Instants are kept in microseconds.
    pub fn terms(&self) -> Result<NewReinstatement, Problem> {
        let Self {
            external_id,
            amount,
            reinstated_at,
            reason,
        } = self;
        let mut fields = Fields::new();
        let amount = amount.as_ref().and_then(|amount| fields.money("/amount", amount));
        fields.finish(Some(NewReinstatement {
            external_id: external_id.clone(),
            amount,
            reinstated_at: reinstated_at.trunc_subsecs(6),
            reason: reason.clone(),
        }))
    }
}

/// Money of a payment that went back, or came in again.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Refund, examples(json!({"id": "rfd_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "re_212", "invoice_id": "inv_01j9zq4y8k7m5n3p2r1s0t6v4w", "payment_id": "pay_01j9zq4y8k7m5n3p2r1s0t6v4w", "credit_note_id": null, "reinstates_refund_id": null, "kind": "refund", "amount": {"amount": "100.00", "currency": "USD"}, "reinstated_amount": {"amount": "0.00", "currency": "USD"}, "cumulative_amount": {"amount": "100.00", "currency": "USD"}, "reason": "Two seats fewer.", "refunded_at": "2026-04-02T10:00:00Z", "created_at": "2026-04-02T10:01:00Z", "updated_at": "2026-04-02T10:01:00Z"})))]
pub struct RefundView {
    /// Its id.
    pub id: RefundId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The invoice that had been paid.
    pub invoice_id: InvoiceId,
    /// The payment that it takes back from.
    pub payment_id: PaymentId,
    /// The credit note that caused it.
    #[schema(required)]
    pub credit_note_id: Option<CreditNoteId>,
    /// The refund that it reinstates, in full or in part.
    #[schema(required)]
    pub reinstates_refund_id: Option<RefundId>,
    /// How it went back: refund, chargeback or credit_note; or reinstatement, where it came in again.
    pub kind: RefundKind,
    /// What went back; below zero for a reinstatement.
    pub amount: MoneyBody,
    /// What of it came in again since.
    pub reinstated_amount: MoneyBody,
    /// What had gone back of the payment when this refund was recorded, itself included.
    pub cumulative_amount: MoneyBody,
    /// Why.
    #[schema(required, max_length = 1000)]
    pub reason: Option<String>,
    /// When it went back, or came in again.
    pub refunded_at: DateTime<Utc>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<Refund> for RefundView {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund.id,
            external_id: refund.external_id,
            invoice_id: refund.invoice_id,
            payment_id: refund.payment_id,
            credit_note_id: refund.credit_note_id,
            reinstates_refund_id: refund.reinstates_id,
            kind: refund.kind,
            amount: refund.amount.into(),
            reinstated_amount: refund.reinstated_amount.into(),
            cumulative_amount: refund.cumulative_amount.into(),
            reason: refund.reason,
            refunded_at: refund.refunded_at,
            created_at: refund.created_at,
            updated_at: refund.updated_at,
        }
    }
}

page_of!(RefundPage, RefundView, "refunds");

/// The order of a list of refunds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum RefundSort {
    /// Recorded last first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Recorded first first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of refunds is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RefundsQuery {
    /// Only refunds of one of these kinds; repeat for several.
    #[serde(default)]
    #[param(max_items = 4)]
    pub kind: Vec<RefundKind>,
    /// Only the refund with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only refunds of this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// Only refunds of this payment.
    pub payment_id: Option<PaymentId>,
    /// Only refunds that this credit note caused.
    pub credit_note_id: Option<CreditNoteId>,
    /// Only reinstatements of this refund.
    pub reinstates_refund_id: Option<RefundId>,
    /// Only what went back at or after this instant.
    pub refunded_at_gte: Option<DateTime<Utc>>,
    /// Only what went back before this instant.
    pub refunded_at_lt: Option<DateTime<Utc>>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: RefundSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl RefundsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> RefundFilter {
        RefundFilter {
            kinds: self.kind.clone(),
            external_id: self.external_id.clone(),
            invoice_id: self.invoice_id,
            payment_id: self.payment_id,
            credit_note_id: self.credit_note_id,
            reinstates_id: self.reinstates_refund_id,
            refunded_at_gte: self.refunded_at_gte,
            refunded_at_lt: self.refunded_at_lt,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                RefundSort::Newest => RefundOrder::Newest,
                RefundSort::Oldest => RefundOrder::Oldest,
            },
        }
    }
}

/// The refund that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RefundPath {
    /// The refund.
    pub refund_id: RefundId,
}
