//! Lines of the past, with all that they were earned on.

use super::{CreditRow, Details, PaymentRow, ProgramTerms};
use crate::kernel::id::{AttributionId, CommissionId, CommissionRuleVersionId, DealId, PartnerId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A line of the base component as it was earned; the other components of its party follow from the same.
#[derive(Debug)]
pub struct EarnedBefore {
    /// The line.
    pub id: CommissionId,
    /// The deal.
    pub deal_id: DealId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// The credit that earned it.
    pub attribution_id: AttributionId,
    /// The share that counts now, where the credit was corrected since; by it everything is worked out.
    pub corrected_share: Option<i32>,
    /// The version that decided it.
    pub rule_version_id: Option<CommissionRuleVersionId>,
    /// When the money moved.
    pub earned_at: DateTime<Utc>,
    /// When it was worked out.
    pub created_at: DateTime<Utc>,
    /// The program with the rounding of that time.
    pub program: ProgramTerms,
    /// What it was earned on; the party itself is the first.
    pub money: MoneyBefore,
    /// What some rules ask.
    pub details: Details,
}

/// What a line was earned on, for each party of its pool.
#[derive(Debug)]
pub enum MoneyBefore {
    /// A payment.
    Payment(Vec<PaymentRow>),
    /// A credit note.
    Credit(Vec<CreditRow>),
}

impl EarnedBefore {
    /// The payment and the line of the invoice, or twice the credit note.
    pub fn place(&self) -> (Uuid, Uuid) {
        let payment = |rows: &[PaymentRow]| {
            let first = rows.first()?;
            Some((first.payment_id.uuid(), first.invoice_line_id.uuid()))
        };
        let credit = |rows: &[CreditRow]| rows.first().map(|row| row.credit_note_id.uuid());
        match &self.money {
            MoneyBefore::Payment(rows) => payment(rows),
            MoneyBefore::Credit(rows) => credit(rows).map(|note| (note, note)),
        }
        .unwrap_or_default()
    }
}
