//! Credit notes on the wire.

use super::domain::{CreditNote, NewCreditNote};
use super::store::{CreditNoteFilter, CreditNoteOrder};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CreditNoteId, DealId, InvoiceId};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// A credit note on an invoice, or on a deal alone.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = CreditNoteCreate, examples(json!({"external_id": "cn_77", "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "invoice_id": "inv_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "200.00", "currency": "USD"}, "issued_at": "2026-04-10T12:00:00Z", "reason": "Outage in March."})))]
#[serde(deny_unknown_fields)]
pub struct NewCreditNoteBody {
    /// Your own key for the credit note; unique among your credit notes.
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00]+$",
        example = "cn_77"
    )]
    pub external_id: Option<String>,
    /// The deal on which it is.
    pub deal_id: DealId,
    /// The invoice that it credits, one of the deal. Without it, commissions are reduced under the deal's own rules.
    #[schema(nullable = false)]
    pub invoice_id: Option<InvoiceId>,
    /// What is credited, above zero. On an invoice: with tax, in its currency. On a deal alone: net of tax, because nothing
    /// tells which tax was on it; commissions are reduced by all of it.
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

impl NewCreditNoteBody {
    /// The body as business speaks of it. Instants are kept in microseconds.
    pub fn terms(&self) -> Result<NewCreditNote, Problem> {
        let Self {
            external_id,
            deal_id,
            invoice_id,
            amount,
            issued_at,
            reason,
        } = self;
        let mut fields = Fields::new();
        let terms = fields.money("/amount", amount).map(|amount| NewCreditNote {
            external_id: external_id.clone(),
            deal_id: *deal_id,
            invoice_id: *invoice_id,
            amount,
            reason: reason.clone(),
            issued_at: issued_at.trunc_subsecs(6),
        });
        fields.finish(terms)
    }
}

/// A credit note.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CreditNote, examples(json!({"id": "crn_01j9zq4y8k7m5n3p2r1s0t6v4w", "external_id": "cn_77", "deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "invoice_id": "inv_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "200.00", "currency": "USD"}, "reason": "Outage in March.", "issued_at": "2026-04-10T12:00:00Z", "created_at": "2026-04-10T12:01:00Z", "updated_at": "2026-04-10T12:01:00Z"})))]
pub struct CreditNoteView {
    /// Its id.
    pub id: CreditNoteId,
    /// Your own key for it.
    #[schema(required, max_length = 255)]
    pub external_id: Option<String>,
    /// The deal on which it is.
    pub deal_id: DealId,
    /// The invoice that it credits.
    #[schema(required)]
    pub invoice_id: Option<InvoiceId>,
    /// What is credited: with tax on an invoice, net of tax on a deal alone.
    pub amount: MoneyBody,
    /// Why.
    #[schema(required, max_length = 1000)]
    pub reason: Option<String>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<CreditNote> for CreditNoteView {
    fn from(credit_note: CreditNote) -> Self {
        Self {
            id: credit_note.id,
            external_id: credit_note.external_id,
            deal_id: credit_note.deal_id,
            invoice_id: credit_note.invoice_id,
            amount: credit_note.amount.into(),
            reason: credit_note.reason,
            issued_at: credit_note.issued_at,
            created_at: credit_note.created_at,
            updated_at: credit_note.updated_at,
        }
    }
}

page_of!(CreditNotePage, CreditNoteView, "credit notes");

/// The order of a list of credit notes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum CreditNoteSort {
    /// Recorded last first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Recorded first first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of credit notes is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CreditNotesQuery {
    /// Only the credit note with this key of yours.
    #[param(min_length = 1, max_length = 255, pattern = r"^[^\x00]+$")]
    pub external_id: Option<String>,
    /// Only credit notes on this deal.
    pub deal_id: Option<DealId>,
    /// Only credit notes on this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// Only what was issued at or after this instant.
    pub issued_at_gte: Option<DateTime<Utc>>,
    /// Only what was issued before this instant.
    pub issued_at_lt: Option<DateTime<Utc>>,
    /// Only what changed at or after this instant.
    pub updated_at_gte: Option<DateTime<Utc>>,
    /// Only what changed before this instant.
    pub updated_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: CreditNoteSort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl CreditNotesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> CreditNoteFilter {
        CreditNoteFilter {
            external_id: self.external_id.clone(),
            deal_id: self.deal_id,
            invoice_id: self.invoice_id,
            issued_at_gte: self.issued_at_gte,
            issued_at_lt: self.issued_at_lt,
            updated_at_gte: self.updated_at_gte,
            updated_at_lt: self.updated_at_lt,
            order: match self.sort {
                CreditNoteSort::Newest => CreditNoteOrder::Newest,
                CreditNoteSort::Oldest => CreditNoteOrder::Oldest,
            },
        }
    }
}

/// The credit note that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CreditNotePath {
    /// The credit note.
    pub credit_note_id: CreditNoteId,
}
