//! What a statement is.

use crate::features::ledger::EntryKind;
use crate::kernel::id::{DealId, InvoiceId, PartnerId, StatementId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::kernel::time::{Period, ProgramZone, YearMonth, month_range};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// A statement without its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Its id.
    pub id: StatementId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Its place in the chain of the partner and the currency, from 1 on.
    pub number: i32,
    /// The month, such as `2026-03`.
    pub month: String,
    /// The zone in which the month begins and ends.
    pub time_zone: String,
    /// What was owed before.
    pub opening: Money,
    /// What was earned.
    pub earned: Money,
    /// What was taken back.
    pub reversed: Money,
    /// What people gave, less what they took.
    pub adjusted: Money,
    /// What came into the currency by exchange, less what left it.
    pub exchanged: Money,
    /// What was paid, less what came back.
    pub paid: Money,
    /// What is owed after.
    pub closing: Money,
    /// The hash of the statement before.
    pub previous_hash: Option<String>,
    /// SHA-256 over the hash before and the text, in hexadecimal digits.
    pub hash: String,
    /// The detached JSON Web Signature of the text; none of what was issued before statements were signed.
    pub signature: Option<String>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
}

/// A statement as it was written down when it was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenStatement {
    /// The statement.
    pub statement: Statement,
    /// Whom it names; nobody where it was issued before statements named anybody.
    pub letterhead: Option<Letterhead>,
    /// Its lines, in the order in which they were recorded.
    pub lines: Vec<StatementLine>,
}

/// Whom a statement names, as they were called when it was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letterhead {
    /// The organization.
    pub organization_name: String,
    /// The partner.
    pub partner_name: String,
}

/// A text that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedText {
    /// The statement.
    pub id: StatementId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// What the signature will be over.
    pub text: String,
}

/// A posting on a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// The posting.
    pub ledger_entry_id: Uuid,
    /// What it stands for.
    pub kind: EntryKind,
    /// The commission, clawback, adjustment or payout that caused it.
    pub source_id: Uuid,
    /// In which program.
    pub program_id: Uuid,
    /// What it does to what is owed.
    pub amount: Money,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Whether it happened before the month in which it was recorded.
    pub is_late: bool,
    /// The deal that it is about.
    pub deal_id: Option<DealId>,
    /// The invoice that it is about.
    pub invoice_id: Option<InvoiceId>,
    /// What it is about, in words: the deal's name, the reason of an adjustment, the reference of a payout; as it was when
    /// the statement was issued.
    pub reference: Option<String>,
}

/// A month in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementMonth {
    /// The month.
    pub month: YearMonth,
    /// The zone.
    pub zone: ProgramZone,
}

impl StatementMonth {
    /// From when to when it is.
    pub fn period(self) -> Period {
        month_range(self.month, self.zone)
    }

    /// Refuses a month that is not over.
    pub fn require_over(self, now: DateTime<Utc>) -> Result<(), Problem> {
        if self.period().to <= now {
            Ok(())
        } else {
            Err(Problem::field("/month", "not_over", "The month is not over yet."))
        }
    }

    /// The months from this one up to the last one, in their order.
    pub fn until(self, last: YearMonth) -> impl Iterator<Item = Self> {
        let next = |at: &Self| {
            Some(Self {
                month: at.month.next(),
                ..*at
            })
        };
        std::iter::successors(Some(self), next).take_while(move |at| at.month <= last)
    }
}
