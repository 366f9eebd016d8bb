//! Billing arrivals on the wire.

mod facts;

pub use facts::NewArrivalBody;

use super::domain::{ArrivalStatus, BillingArrival, Fact, FactKind, RefusedField, Resource};
use super::store::ArrivalFilter;
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::BillingArrivalId;
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::MoneyBody;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A fact of billing, as it arrived, and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BillingArrival, examples(json!({"id": "bar_01j9zq4y8k7m5n3p2r1s0t6v4w", "kind": "refund", "external_id": "re_212", "status": "parked", "status_reason": null, "deal": null, "invoice": null, "payment": "ch_8843", "refund": null, "amount": "100.00", "currency": "USD", "reason": "Two seats fewer.", "happened_at": "2026-04-02T10:00:00Z", "awaits_resource": "payment", "awaits_external_id": "ch_8843", "record_id": null, "problem_code": null, "problem_detail": null, "problem_errors": [], "created_by": "key_01j9zq4y8k7m5n3p2r1s0t6v4w", "created_at": "2026-04-02T10:01:00Z", "updated_at": "2026-04-02T10:01:00Z"})))]
pub struct BillingArrivalView {
    /// Its id.
    pub id: BillingArrivalId,
    /// What it tells of: invoice, payment, refund, reinstatement, credit_note or invoice_void.
    pub kind: FactKind,
    /// Your own key for it, and for the record that it makes.
    #[schema(max_length = 255)]
    pub external_id: String,
    /// Where it stands: parked, applied, refused or withdrawn.
    pub status: ArrivalStatus,
    /// Why it was withdrawn.
    #[schema(required, max_length = 1000)]
    pub status_reason: Option<String>,
    /// Your key for the deal that it names.
    #[schema(required, max_length = 255)]
    pub deal: Option<String>,
    /// Your key for the invoice that it names.
    #[schema(required, max_length = 255)]
    pub invoice: Option<String>,
    /// Your key for the payment that it names.
    #[schema(required, max_length = 255)]
    pub payment: Option<String>,
    /// Your key for the refund that it names.
    #[schema(required, max_length = 255)]
    pub refund: Option<String>,
    /// What was received, went back, came in again or is credited; `null` for invoices, and where it is all that is left.
    #[schema(
        required,
        max_length = 32,
        pattern = r"^-?\d{1,15}(\.\d{1,4})?$",
        example = "100.00"
    )]
    pub amount: Option<String>,
    /// The currency of that, ISO 4217; for an invoice that of its amounts.
    #[schema(required, max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub currency: Option<String>,
    /// Why, as it was told.
    #[schema(required, max_length = 1000)]
    pub reason: Option<String>,
    /// When it happened. An invoice happens as its day begins in UTC, and that it is void when that arrives.
    pub happened_at: DateTime<Utc>,
    /// While it is parked: what it awaits, a deal, an invoice, a payment or a refund.
    #[schema(required)]
    pub awaits_resource: Option<Resource>,
    /// While it is parked: your key for what it awaits.
    #[schema(required, max_length = 255)]
    pub awaits_external_id: Option<String>,
    /// The record that it made, or the invoice that it made void; once it is applied.
    #[schema(required, max_length = 64, pattern = "^(inv|pay|rfd|crn)_[0-9a-z]{10,60}$")]
    pub record_id: Option<String>,
    /// Why it was refused: the code of the problem that you would have been answered.
    #[schema(required, max_length = 64, pattern = "^[a-z][a-z0-9_]*$")]
    pub problem_code: Option<String>,
    /// What happened, for a person.
    #[schema(required, max_length = 2048)]
    pub problem_detail: Option<String>,
    /// The fields of the fact that were refused, if it was about fields.
    #[schema(max_items = 100)]
    pub problem_errors: Vec<RefusedFieldView>,
    /// Who told of it.
    #[schema(required)]
    pub created_by: Option<ActorId>,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A field of a fact that was refused.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BillingArrivalFieldError, examples(json!({"pointer": "/amount/amount", "code": "too_much", "message": "40.00 USD is left of the payment."})))]
pub struct RefusedFieldView {
    /// RFC 6901 pointer into the fact as you sent it.
    #[schema(max_length = 512)]
    pub pointer: String,
    /// What is wrong with the value.
    #[schema(max_length = 64, pattern = "^[a-z][a-z0-9_]*$")]
    pub code: String,
    /// The same for people.
    #[schema(max_length = 1024)]
    pub message: String,
}

impl From<RefusedField> for RefusedFieldView {
    fn from(field: RefusedField) -> Self {
        Self {
            pointer: field.pointer,
            code: field.code,
            message: field.message,
        }
    }
}

/// What a fact names by the caller's keys, and the amount.
#[derive(Default)]
struct Named {
    deal: Option<String>,
    invoice: Option<String>,
    payment: Option<String>,
    refund: Option<String>,
    amount: Option<Money>,
    currency: Option<Currency>,
}

fn named(fact: &Fact) -> Named {
    let mut named = Named::default();
    match fact.clone() {
        Fact::Invoice(fact) => (named.deal, named.currency) = (Some(fact.deal), Some(fact.currency)),
        Fact::Payment(fact) => (named.invoice, named.amount) = (Some(fact.invoice), Some(fact.amount)),
        Fact::Refund(fact) => (named.payment, named.amount) = (Some(fact.payment), Some(fact.amount)),
        Fact::Reinstatement(fact) => (named.refund, named.amount) = (Some(fact.refund), fact.amount),
        Fact::CreditNote(fact) => {
            (named.deal, named.invoice) = (Some(fact.deal), fact.invoice);
            named.amount = Some(fact.amount);
        }
        Fact::InvoiceVoid(fact) => named.invoice = Some(fact.invoice),
    }
    named
}

/// Why it was so, where the fact says it.
fn reason(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Invoice(_) | Fact::Payment(_) => None,
        Fact::Refund(fact) => fact.reason.clone(),
        Fact::Reinstatement(fact) => fact.reason.clone(),
        Fact::CreditNote(fact) => fact.reason.clone(),
        Fact::InvoiceVoid(fact) => Some(fact.reason.clone()),
    }
}

impl From<BillingArrival> for BillingArrivalView {
    fn from(arrival: BillingArrival) -> Self {
        let named = named(&arrival.fact);
        let currency = named.amount.map(Money::currency).or(named.currency);
        let happened_at = arrival.fact.happened_at(arrival.created_at);
        let (resource, awaited) = arrival.awaits.map(|one| (one.resource, one.external_id)).unzip();
        let (code, detail, errors) = match arrival.problem {
            Some(problem) => (Some(problem.code), Some(problem.detail), problem.errors),
            None => (None, None, Vec::new()),
        };
        Self {
            id: arrival.id,
            kind: arrival.fact.kind(),
            external_id: arrival.external_id,
            status: arrival.status,
            status_reason: arrival.status_reason,
            deal: named.deal,
            invoice: named.invoice,
            payment: named.payment,
            refund: named.refund,
            amount: named.amount.map(|amount| MoneyBody::from(amount).amount),
            currency: currency.map(|currency| currency.code().to_owned()),
            reason: reason(&arrival.fact),
            happened_at,
            awaits_resource: resource,
            awaits_external_id: awaited,
            record_id: arrival.record_id,
            problem_code: code,
            problem_detail: detail,
            problem_errors: errors.into_iter().map(RefusedFieldView::from).collect(),
            created_by: arrival.created_by,
            created_at: arrival.created_at,
            updated_at: arrival.updated_at,
        }
    }
}

page_of!(BillingArrivalPage, BillingArrivalView, "billing arrivals");

/// The order of a list of billing arrivals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum BillingArrivalSort {
    /// Arrived last first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Arrived first first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of billing arrivals is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BillingArrivalsQuery {
    /// Only arrivals in one of these states; repeat for several.
    #[serde(default)]
    #[param(max_items = 4)]
    pub status: Vec<ArrivalStatus>,
    /// Only arrivals of one of these kinds; repeat for several.
    #[serde(default)]
    #[param(max_items = 6)]
    pub kind: Vec<FactKind>,
    /// Only arrivals with this key of yours, of whichever kind.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only what arrived at or after this instant.
    pub created_at_gte: Option<DateTime<Utc>>,
    /// Only what arrived before this instant.
    pub created_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: BillingArrivalSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl BillingArrivalsQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> ArrivalFilter {
        ArrivalFilter {
            statuses: self.status.clone(),
            kinds: self.kind.clone(),
            external_id: self.external_id.clone(),
            created_at_gte: self.created_at_gte,
            created_at_lt: self.created_at_lt,
            oldest_first: self.sort == BillingArrivalSort::Oldest,
        }
    }
}

/// The billing arrival that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BillingArrivalPath {
    /// The billing arrival.
    pub billing_arrival_id: BillingArrivalId,
}
