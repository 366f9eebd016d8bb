//! What a credit note is.

use crate::features::invoices::Credit;
use crate::kernel::id::{CreditNoteId, DealId, InvoiceId};
use crate::kernel::money::Money;
use crate::kernel::problem::{FieldProblem, Problem};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A credit note; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditNote {
    /// Its id.
    pub id: CreditNoteId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The deal on which it is.
    pub deal_id: DealId,
    /// The invoice that it credits, if it names one.
    pub invoice_id: Option<InvoiceId>,
    /// What is credited, above nothing.
    pub amount: Money,
    /// Why.
    pub reason: Option<String>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new credit note is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCreditNote {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The deal on which it is.
    pub deal_id: DealId,
    /// The invoice that it credits.
    pub invoice_id: Option<InvoiceId>,
    /// What is credited.
    pub amount: Money,
    /// Why.
    pub reason: Option<String>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
}

impl CreditNote {
    /// A new credit note: above nothing, and not from the future.
    pub fn issue(new: NewCreditNote, now: DateTime<Utc>) -> Result<Self, Problem> {
        new.check(now)?;
        let NewCreditNote {
            external_id,
            deal_id,
            invoice_id,
            amount,
            reason,
            issued_at,
        } = new;
        Ok(Self {
            id: CreditNoteId::new(now),
            external_id,
            deal_id,
            invoice_id,
            amount,
            reason,
            issued_at,
            row_version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// The credit note as its invoice sees it.
    pub fn credit(&self) -> Credit {
        Credit {
            credit_note_id: self.id,
            deal_id: self.deal_id,
            amount: self.amount,
            issued_at: self.issued_at,
            reason: self.reason.clone(),
        }
    }
}

impl NewCreditNote {
    fn check(&self, now: DateTime<Utc>) -> Result<(), Problem> {
        let mut problems = Vec::new();
        if !self.amount.is_positive() {
            let message = "Send an amount above zero.";
            problems.push(FieldProblem::new("/amount/amount", "not_positive", message));
        }
        if self.issued_at > now {
            let message = "This has not happened yet.";
            problems.push(FieldProblem::new("/issued_at", "in_future", message));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Problem::fields(problems))
        }
    }
}
