//! A fact of billing: what it says, and to what it refers.

use crate::features::invoices::{self, NewInvoiceLine, RefundKind};
use crate::kernel::id::{DealId, InvoiceId, PaymentId, RefundId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

word_enum! {
    /// What a billing arrival tells of.
    FactKind, "billing fact" {
        /// An invoice.
        Invoice = "invoice",
        /// A payment of an invoice.
        Payment = "payment",
        /// Money of a payment that went back.
        Refund = "refund",
        /// Money of a refund that came in again.
        Reinstatement = "reinstatement",
        /// A credit note.
        CreditNote = "credit_note",
        /// That an invoice does not count.
        InvoiceVoid = "invoice_void",
    }
}

impl FactKind {
    /// The noun of the record that it makes or changes.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Invoice | Self::InvoiceVoid => "invoice",
            Self::Payment => "payment",
            Self::Refund | Self::Reinstatement => "refund",
            Self::CreditNote => "credit_note",
        }
    }
}

word_enum! {
    /// What a fact of billing can refer to.
    Resource, "billing resource" {
        /// A deal.
        Deal = "deal",
        /// An invoice.
        Invoice = "invoice",
        /// A payment.
        Payment = "payment",
        /// A refund.
        Refund = "refund",
    }
}

/// A record by the caller's key for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// What it is.
    pub resource: Resource,
    /// The caller's key for it.
    pub external_id: String,
}

impl Reference {
    fn new(resource: Resource, external_id: &str) -> Self {
        Self {
            resource,
            external_id: external_id.to_owned(),
        }
    }
}

/// A fact of billing; records are named by the caller's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// An invoice.
    Invoice(InvoiceFact),
    /// A payment of an invoice.
    Payment(PaymentFact),
    /// Money of a payment that went back.
    Refund(RefundFact),
    /// Money of a refund that came in again.
    Reinstatement(ReinstatementFact),
    /// A credit note.
    CreditNote(CreditNoteFact),
    /// That an invoice does not count.
    InvoiceVoid(InvoiceVoidFact),
}

/// An invoice of a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceFact {
    /// The deal.
    pub deal: String,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// The day on it.
    pub issued_on: NaiveDate,
    /// When it should be paid.
    pub due_on: Option<NaiveDate>,
    /// The first day of the service that it bills, where that is another day.
    pub service_starts_on: Option<NaiveDate>,
    /// Its lines, in order.
    pub lines: Vec<NewInvoiceLine>,
}

/// Money received for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFact {
    /// The invoice.
    pub invoice: String,
    /// What was received.
    pub amount: Money,
    /// When it was received.
    pub paid_at: DateTime<Utc>,
}

/// Money of a payment that went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundFact {
    /// The payment.
    pub payment: String,
    /// How it went back.
    pub refund_kind: RefundKind,
    /// What went back.
    pub amount: Money,
    /// When it went back.
    pub refunded_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// Money of a refund that came in again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReinstatementFact {
    /// The refund.
    pub refund: String,
    /// What came in again; all that is left of the refund when it is not said.
    pub amount: Option<Money>,
    /// When it came in again.
    pub reinstated_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// A credit note on a deal, or on one of its invoices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNoteFact {
    /// The deal.
    pub deal: String,
    /// The invoice, if it names one.
    pub invoice: Option<String>,
    /// What is credited.
    pub amount: Money,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// That an invoice does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceVoidFact {
    /// The invoice.
    pub invoice: String,
    /// Why.
    pub reason: String,
}

impl Fact {
    /// What it tells of.
    pub const fn kind(&self) -> FactKind {
        match self {
            Self::Invoice(_) => FactKind::Invoice,
            Self::Payment(_) => FactKind::Payment,
            Self::Refund(_) => FactKind::Refund,
            Self::Reinstatement(_) => FactKind::Reinstatement,
            Self::CreditNote(_) => FactKind::CreditNote,
            Self::InvoiceVoid(_) => FactKind::InvoiceVoid,
        }
    }

    /// What has to be there before it can be applied: one record, and further ones.
    pub fn references(&self) -> (Reference, Option<Reference>) {
        let one = |resource, key: &str| Reference::new(resource, key);
        match self {
            Self::Invoice(fact) => (one(Resource::Deal, &fact.deal), None),
            Self::Payment(fact) => (one(Resource::Invoice, &fact.invoice), None),
            Self::Refund(fact) => (one(Resource::Payment, &fact.payment), None),
            Self::Reinstatement(fact) => (one(Resource::Refund, &fact.refund), None),
            Self::InvoiceVoid(fact) => (one(Resource::Invoice, &fact.invoice), None),
            Self::CreditNote(fact) => (
                one(Resource::Deal, &fact.deal),
                fact.invoice.as_deref().map(|key| one(Resource::Invoice, key)),
            ),
        }
    }

    /// Refuses what no record could make true: amounts and days that contradict themselves, or lie in the future.
    pub fn could_be_true(&self, now: DateTime<Utc>) -> Result<(), Problem> {
        let (amount, moment) = match self {
            Self::Invoice(fact) => return invoices::check_due_on(fact.issued_on, fact.due_on),
            Self::InvoiceVoid(_) => return Ok(()),
            Self::Payment(fact) => (Some(fact.amount), ("/paid_at", fact.paid_at)),
            Self::Refund(fact) => (Some(fact.amount), ("/refunded_at", fact.refunded_at)),
            Self::Reinstatement(fact) => (fact.amount, ("/reinstated_at", fact.reinstated_at)),
            Self::CreditNote(fact) => (Some(fact.amount), ("/issued_at", fact.issued_at)),
        };
        let may_be_zero = matches!(self, Self::Payment(_));
        invoices::check_happened(amount, may_be_zero, moment, now)
    }

    /// The record to which it gives the key of its arrival, where it does.
    pub const fn makes(&self) -> Option<Resource> {
        match self {
            Self::Invoice(_) => Some(Resource::Invoice),
            Self::Payment(_) => Some(Resource::Payment),
            Self::Refund(_) => Some(Resource::Refund),
            Self::Reinstatement(_) | Self::CreditNote(_) | Self::InvoiceVoid(_) => None,
        }
    }

    /// When it happened; what does not say so happened when it arrived.
    pub fn happened_at(&self, arrived_at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Invoice(fact) => fact.issued_on.and_time(NaiveTime::MIN).and_utc(),
            Self::Payment(fact) => fact.paid_at,
            Self::Refund(fact) => fact.refunded_at,
            Self::Reinstatement(fact) => fact.reinstated_at,
            Self::CreditNote(fact) => fact.issued_at,
            Self::InvoiceVoid(_) => arrived_at,
        }
    }
}

/// The records to which a fact refers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    deal: Option<Uuid>,
    invoice: Option<Uuid>,
    payment: Option<Uuid>,
    refund: Option<Uuid>,
}

impl Known {
    /// With this one more.
    #[must_use]
    pub const fn with(self, resource: Resource, id: Uuid) -> Self {
        let id = Some(id);
        match resource {
            Resource::Deal => Self { deal: id, ..self },
            Resource::Invoice => Self { invoice: id, ..self },
            Resource::Payment => Self { payment: id, ..self },
            Resource::Refund => Self { refund: id, ..self },
        }
    }

    /// The deal.
    pub fn deal(&self) -> Result<DealId, Problem> {
        self.deal.map(DealId::from_uuid).ok_or_else(Problem::internal)
    }

    /// The invoice, if one is named.
    pub fn invoice_if_named(&self) -> Option<InvoiceId> {
        self.invoice.map(InvoiceId::from_uuid)
    }

    /// The invoice.
    pub fn invoice(&self) -> Result<InvoiceId, Problem> {
        self.invoice_if_named().ok_or_else(Problem::internal)
    }

    /// The payment.
    pub fn payment(&self) -> Result<PaymentId, Problem> {
        self.payment
            .map(PaymentId::from_uuid)
            .ok_or_else(Problem::internal)
    }

    /// The refund.
    pub fn refund(&self) -> Result<RefundId, Problem> {
        self.refund.map(RefundId::from_uuid).ok_or_else(Problem::internal)
    }
}

/// Whether what a fact refers to is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    /// All of it is.
    Known(Known),
    /// This is not.
    Missing(Reference),
}
