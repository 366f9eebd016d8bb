//! The facts that can be told, one body for each kind.

use crate::features::billing_arrivals::domain::{
    CreditNoteFact, Fact, InvoiceFact, InvoiceVoidFact, NewArrival, PaymentFact, RefundFact,
    ReinstatementFact,
};
use crate::features::invoices::{NewInvoiceLineBody, RefundKind};
use crate::kernel::problem::Problem;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

/// A fact of billing. Records are named by your own keys, whether they are there yet or not.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = BillingArrivalCreate, examples(json!({"kind": "invoice", "external_id": "in_1042", "deal": "crm-opportunity-118", "currency": "USD", "issued_on": "2026-03-01", "due_on": "2026-03-31", "lines": [{"net": "1000.00", "tax": "190.00", "description": "Platform, March"}]})))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NewArrivalBody {
    /// An invoice.
    Invoice(InvoiceArrivalBody),
    /// Money received for an invoice.
    Payment(PaymentArrivalBody),
    /// Money of a payment that went back.
    Refund(RefundArrivalBody),
    /// Money of a refund that came in again.
    Reinstatement(ReinstatementArrivalBody),
    /// A credit note.
    CreditNote(CreditNoteArrivalBody),
    /// That an invoice does not count.
    InvoiceVoid(InvoiceVoidArrivalBody),
}

/// An invoice of a deal. All its amounts are in its one currency.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = InvoiceArrival, examples(json!({"kind": "invoice", "external_id": "in_1042", "deal": "crm-opportunity-118", "currency": "USD", "issued_on": "2026-03-01", "due_on": "2026-03-31", "lines": [{"net": "1000.00", "tax": "190.00", "description": "Platform, March"}]})))]
#[serde(deny_unknown_fields)]
pub struct InvoiceArrivalBody {
    /// Your own key for the invoice.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "in_1042"
    )]
    pub external_id: String,
    /// Your own key for the deal that it bills.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-opportunity-118"
    )]
    pub deal: String,
    /// The currency of all its amounts, ISO 4217.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub currency: String,
    /// The day on the invoice.
    pub issued_on: NaiveDate,
    /// When it should be paid; not before `issued_on`.
    #[schema(nullable = false)]
    pub due_on: Option<NaiveDate>,
    /// The first day of the service that it bills; absent: `issued_on`.
    #[schema(nullable = false)]
    pub service_starts_on: Option<NaiveDate>,
    /// What it bills.
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<NewInvoiceLineBody>,
}

/// Money received for an invoice, in full or in part.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = PaymentArrival, examples(json!({"kind": "payment", "external_id": "ch_8843", "invoice": "in_1042", "amount": {"amount": "500.00", "currency": "USD"}, "paid_at": "2026-03-15T09:30:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct PaymentArrivalBody {
    /// Your own key for the payment.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "ch_8843"
    )]
    pub external_id: String,
    /// Your own key for the invoice that it pays.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "in_1042"
    )]
    pub invoice: String,
    /// What was received, in the invoice's currency: above zero, or exactly zero for an invoice over zero.
    pub amount: MoneyBody,
    /// When it was received; not in the future.
    pub paid_at: DateTime<Utc>,
}

/// How the money of a payment went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = RefundArrivalKind)]
pub enum ArrivedRefundKind {
    /// The vendor gave it back.
    #[serde(rename = "refund")]
    Refund,
    /// The customer's bank took it back.
    #[serde(rename = "chargeback")]
    Chargeback,
}

/// Money of a payment that went back, in full or in part.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = RefundArrival, examples(json!({"kind": "refund", "external_id": "re_212", "payment": "ch_8843", "refund_kind": "refund", "amount": {"amount": "100.00", "currency": "USD"}, "refunded_at": "2026-04-02T10:00:00Z", "reason": "Two seats fewer."})))]
#[serde(deny_unknown_fields)]
pub struct RefundArrivalBody {
    /// Your own key for the refund.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "re_212")]
    pub external_id: String,
    /// Your own key for the payment of which it went back.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "ch_8843"
    )]
    pub payment: String,
    /// Whether it was given back or taken back.
    pub refund_kind: ArrivedRefundKind,
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

/// Money of a refund that came in again: a chargeback that was won, or a refund that failed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = ReinstatementArrival, examples(json!({"kind": "reinstatement", "external_id": "dp_77_won", "refund": "dp_77", "amount": {"amount": "100.00", "currency": "USD"}, "reinstated_at": "2026-06-15T10:00:00Z", "reason": "The bank decided the dispute for us."})))]
#[serde(deny_unknown_fields)]
pub struct ReinstatementArrivalBody {
    /// Your own key for the reinstatement; unique among your refunds.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "dp_77_won"
    )]
    pub external_id: String,
    /// Your own key for the refund of which it came in again.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "dp_77")]
    pub refund: String,
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

/// A credit note on an invoice, or on a deal alone.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = CreditNoteArrival, examples(json!({"kind": "credit_note", "external_id": "cn_77", "deal": "crm-opportunity-118", "invoice": "in_1042", "amount": {"amount": "200.00", "currency": "USD"}, "issued_at": "2026-04-10T12:00:00Z", "reason": "Outage in March."})))]
#[serde(deny_unknown_fields)]
pub struct CreditNoteArrivalBody {
    /// Your own key for the credit note.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$", example = "cn_77")]
    pub external_id: String,
    /// Your own key for the deal on which it is.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "crm-opportunity-118"
    )]
    pub deal: String,
    /// Your own key for the invoice that it credits, one of the deal. Without it, commissions are reduced under the deal's
    /// own rules.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "in_1042"
    )]
    pub invoice: Option<String>,
    /// What is credited, with tax, in the currency of the invoice; above zero.
    pub amount: MoneyBody,
    /// When it was issued; not in the future.
    pub issued_at: DateTime<Utc>,
    /// Why.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Outage in March."
    )]
    pub reason: Option<String>,
}

/// That an invoice does not count. Only while nothing of it is paid.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = InvoiceVoidArrival, examples(json!({"kind": "invoice_void", "external_id": "evt_9001", "invoice": "in_1042", "reason": "Billed twice."})))]
#[serde(deny_unknown_fields)]
pub struct InvoiceVoidArrivalBody {
    /// Your own key for this fact, such as the id of your billing's event.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "evt_9001"
    )]
    pub external_id: String,
    /// Your own key for the invoice.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "in_1042"
    )]
    pub invoice: String,
    /// Why; kept with the invoice.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Billed twice."
    )]
    pub reason: String,
}

/// What a schema cannot say is found in [`NewArrivalBody::told`].
impl Validate for NewArrivalBody {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

impl NewArrivalBody {
    /// The fact as business speaks of it, or everything that is wrong with its currency and amounts. Instants are kept in
    /// microseconds.
    pub fn told(&self) -> Result<NewArrival, Problem> {
        let mut fields = Fields::new();
        let (external_id, fact) = match self {
            Self::Invoice(body) => (&body.external_id, body.fact(&mut fields).map(Fact::Invoice)),
            Self::Payment(body) => (&body.external_id, body.fact(&mut fields).map(Fact::Payment)),
            Self::Refund(body) => (&body.external_id, body.fact(&mut fields).map(Fact::Refund)),
            Self::Reinstatement(body) => (
                &body.external_id,
                Some(Fact::Reinstatement(body.fact(&mut fields))),
            ),
            Self::CreditNote(body) => (&body.external_id, body.fact(&mut fields).map(Fact::CreditNote)),
            Self::InvoiceVoid(body) => (&body.external_id, Some(Fact::InvoiceVoid(body.fact()))),
        };
        fields.finish(fact.map(|fact| NewArrival {
            external_id: external_id.clone(),
            fact,
        }))
    }
}

impl InvoiceArrivalBody {
    fn fact(&self, fields: &mut Fields) -> Option<InvoiceFact> {
        let currency = fields.currency("/currency", &self.currency)?;
        let lines = (0..).zip(&self.lines);
        let lines = lines.filter_map(|(index, line)| line.terms(index, currency, fields));
        Some(InvoiceFact {
            lines: lines.collect(),
            deal: self.deal.clone(),
            currency,
            issued_on: self.issued_on,
            due_on: self.due_on,
            service_starts_on: self.service_starts_on,
        })
    }
}

impl PaymentArrivalBody {
    fn fact(&self, fields: &mut Fields) -> Option<PaymentFact> {
        Some(PaymentFact {
            invoice: self.invoice.clone(),
            amount: fields.money("/amount", &self.amount)?,
            paid_at: self.paid_at.trunc_subsecs(6),
        })
    }
}

impl RefundArrivalBody {
    fn fact(&self, fields: &mut Fields) -> Option<RefundFact> {
        Some(RefundFact {
            payment: self.payment.clone(),
            refund_kind: match self.refund_kind {
                ArrivedRefundKind::Refund => RefundKind::Refund,
                ArrivedRefundKind::Chargeback => RefundKind::Chargeback,
            },
            amount: fields.money("/amount", &self.amount)?,
            refunded_at: self.refunded_at.trunc_subsecs(6),
            reason: self.reason.clone(),
        })
    }
}

impl ReinstatementArrivalBody {
    fn fact(&self, fields: &mut Fields) -> ReinstatementFact {
        let amount = self.amount.as_ref();
        ReinstatementFact {
            refund: self.refund.clone(),
            amount: amount.and_then(|amount| fields.money("/amount", amount)),
            reinstated_at: self.reinstated_at.trunc_subsecs(6),
            reason: self.reason.clone(),
        }
    }
}

impl CreditNoteArrivalBody {
    fn fact(&self, fields: &mut Fields) -> Option<CreditNoteFact> {
        Some(CreditNoteFact {
            deal: self.deal.clone(),
            invoice: self.invoice.clone(),
            amount: fields.money("/amount", &self.amount)?,
            issued_at: self.issued_at.trunc_subsecs(6),
            reason: self.reason.clone(),
        })
    }
}

impl InvoiceVoidArrivalBody {
    fn fact(&self) -> InvoiceVoidFact {
        InvoiceVoidFact {
            invoice: self.invoice.clone(),
            reason: self.reason.clone(),
        }
    }
}
