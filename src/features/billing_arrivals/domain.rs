//! What a fact of billing says, to what it refers, and what becomes of it.

use crate::features::invoices::{NewInvoiceLine, RefundKind};
use crate::kernel::ctx::ActorId;
use crate::kernel::id::{BillingArrivalId, DealId, InvoiceId, PaymentId, RefundId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::subject;
use crate::kernel::word::word_enum;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most invalid fields that a refusal keeps.
const MOST_ERRORS: usize = 100;

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
    /// Where a billing arrival stands.
    ArrivalStatus, "billing arrival status" {
        /// It awaits something that is not there yet.
        Parked = "parked",
        /// It was applied.
        Applied = "applied",
        /// What it awaited is there, and it was refused.
        Refused = "refused",
        /// Somebody took it back.
        Withdrawn = "withdrawn",
    }
}

impl ArrivalStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Parked | Self::Refused => &["retry", "withdraw"],
            Self::Applied | Self::Withdrawn => &[],
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

/// Why a fact was refused, as its caller would have been told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code.
    pub code: String,
    /// What happened, for a person.
    pub detail: String,
    /// The invalid fields.
    pub errors: Vec<RefusedField>,
}

/// An invalid field of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedField {
    /// Where it is in the fact as it was sent.
    pub pointer: String,
    /// A stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let field = |error: FieldProblem| RefusedField {
            pointer: error.pointer,
            code: error.code,
            message: error.message,
        };
        let advice = || problem.code.advice().to_owned();
        Self {
            code: problem.code.name().to_owned(),
            detail: problem.detail.clone().unwrap_or_else(advice),
            errors: problem.errors.into_iter().take(MOST_ERRORS).map(field).collect(),
        }
    }
}

/// A fact to be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArrival {
    /// The caller's key for it.
    pub external_id: String,
    /// What it says.
    pub fact: Fact,
}

/// A fact of billing, as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BillingArrival {
    /// Its id.
    pub id: BillingArrivalId,
    /// The caller's key for it, and for the record that it makes.
    pub external_id: String,
    /// What it says.
    pub fact: Fact,
    /// Where it stands.
    pub status: ArrivalStatus,
    /// Why it was withdrawn.
    pub status_reason: Option<String>,
    /// What is not there yet.
    pub awaits: Option<Reference>,
    /// The record that it made or changed.
    pub record_id: Option<String>,
    /// Why it was refused.
    pub problem: Option<Refusal>,
    /// Who told of it.
    pub created_by: Option<ActorId>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl BillingArrival {
    /// A fact that arrived and awaits this.
    pub fn arrive(new: NewArrival, awaits: Reference, by: Option<ActorId>, now: DateTime<Utc>) -> Self {
        Self {
            id: BillingArrivalId::new(now),
            external_id: new.external_id,
            fact: new.fact,
            status: ArrivalStatus::Parked,
            status_reason: None,
            awaits: Some(awaits),
            record_id: None,
            problem: None,
            created_by: by,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// It made or changed this record.
    pub fn applied(self, record_id: Uuid, now: DateTime<Utc>) -> Self {
        let record_id = subject::id_text(self.fact.kind().noun(), record_id);
        Self {
            record_id: Some(record_id),
            ..self.moved(ArrivalStatus::Applied, now)
        }
    }

    /// It awaits this.
    pub fn parked(self, awaits: Reference, now: DateTime<Utc>) -> Self {
        Self {
            awaits: Some(awaits),
            ..self.moved(ArrivalStatus::Parked, now)
        }
    }

    /// What it awaited is there, and it cannot be applied.
    pub fn refused(self, problem: Problem, now: DateTime<Utc>) -> Self {
        Self {
            problem: Some(problem.into()),
            ..self.moved(ArrivalStatus::Refused, now)
        }
    }

    /// Takes it back; why it was refused stays readable.
    pub fn withdraw(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        self.allow("withdraw")?;
        let problem = self.problem.clone();
        Ok(Self {
            status_reason: Some(reason),
            problem,
            ..self.moved(ArrivalStatus::Withdrawn, now)
        })
    }

    /// Refused where the state does not allow this verb.
    pub fn allow(&self, verb: &str) -> Result<(), Problem> {
        let moves = self.status.moves();
        if moves.contains(&verb) {
            return Ok(());
        }
        Err(Problem::wrong_state(verb, self.status.as_str(), moves))
    }

    /// Refused where another fact has the key.
    pub fn same_as(&self, told: &Fact) -> Result<(), Problem> {
        if self.fact == *told {
            return Ok(());
        }
        let message = "This key was told with other content before.";
        Err(Problem {
            errors: vec![FieldProblem::new("/external_id", "taken", message)],
            ..Problem::new(Code::ExternalIdTaken).because(format!("{} says something else.", self.id))
        })
    }

    fn moved(self, status: ArrivalStatus, now: DateTime<Utc>) -> Self {
        Self {
            status,
            awaits: None,
            problem: None,
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(amount: &str) -> Fact {
        Fact::Payment(PaymentFact {
            invoice: "in_1".to_owned(),
            amount: Money::parse(amount, Currency::from_code("USD").unwrap()).unwrap(),
            paid_at: "2026-03-02T09:30:00Z".parse().unwrap(),
        })
    }

    fn parked() -> BillingArrival {
        let new = NewArrival {
            external_id: "ch_1".to_owned(),
            fact: payment("10.00"),
        };
        let (awaits, _) = new.fact.references();
        BillingArrival::arrive(new, awaits, None, "2026-03-02T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_fact_reads_back_as_it_was_written() {
        let told = payment("10.00");
        let written = serde_json::to_value(&told).unwrap();
        assert_eq!(written["kind"], "payment");
        assert_eq!(serde_json::from_value::<Fact>(written).unwrap(), told);
    }

    #[test]
    fn the_same_amount_is_the_same_fact_and_another_one_is_not() {
        assert!(parked().same_as(&payment("10")).is_ok());
        let refused = parked().same_as(&payment("10.01")).unwrap_err();
        assert_eq!(refused.code, Code::ExternalIdTaken);
    }

    #[test]
    fn what_is_applied_or_withdrawn_is_settled() {
        let now: DateTime<Utc> = "2026-03-02T11:00:00Z".parse().unwrap();
        let refused = parked().refused(Problem::not_found(), now);
        assert!(refused.allow("retry").is_ok());
        let withdrawn = refused.withdraw("Never mind.".to_owned(), now).unwrap();
        assert!(withdrawn.problem.is_some() && withdrawn.row_version == 3);
        let applied = parked().applied(Uuid::nil(), now);
        assert_eq!(applied.awaits, None);
        for arrival in [applied, withdrawn] {
            assert!(arrival.allow("retry").is_err());
            assert!(arrival.withdraw("No.".to_owned(), now).is_err());
        }
    }
}
