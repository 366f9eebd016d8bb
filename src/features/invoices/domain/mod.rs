//! What an invoice is, and how payments, refunds and credits change it.

mod payment;
#[cfg(test)]
mod tests;

pub use payment::{
    Credit, NewPayment, NewRefund, NewReinstatement, Payment, Refund, RefundKind, Reinstated, check_happened,
};

use crate::kernel::commission::Goods;
use crate::kernel::id::{DealId, InvoiceId, InvoiceLineId, ProductFamilyId};
use crate::kernel::money::{Currency, Money, MoneyError};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// Where an invoice stands.
    InvoiceStatus, "invoice status" {
        /// Nothing was paid.
        Open = "open",
        /// A part was paid.
        PartiallyPaid = "partially_paid",
        /// Nothing is open any more.
        Paid = "paid",
        /// It does not count.
        Void = "void",
    }
}

impl InvoiceStatus {
    /// The verbs that this state allows.
    pub const fn moves(self) -> &'static [&'static str] {
        match self {
            Self::Open => &["pay", "credit", "void"],
            Self::PartiallyPaid => &["pay", "refund", "credit"],
            Self::Paid => &["refund", "credit"],
            Self::Void => &[],
        }
    }
}

/// An invoice without its lines. All amounts are in its one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The deal that it bills.
    pub deal_id: DealId,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// Why it is void.
    pub status_reason: Option<String>,
    /// The sum of the lines without tax.
    pub net_amount: Money,
    /// The sum of the lines with tax.
    pub total_amount: Money,
    /// What was received, before anything went back.
    pub paid_amount: Money,
    /// What went back of that.
    pub refunded_amount: Money,
    /// What credit notes took off the unpaid part.
    pub credited_amount: Money,
    /// The day on it.
    pub issued_on: NaiveDate,
    /// When it should be paid.
    pub due_on: Option<NaiveDate>,
    /// The first day of the service that it bills, where that is another day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_starts_on: Option<NaiveDate>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A line of an invoice; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvoiceLine {
    /// Its id.
    pub id: InvoiceLineId,
    /// Its place on the invoice, from 1.
    pub position: i32,
    /// What was sold.
    pub product_family_id: Option<ProductFamilyId>,
    /// What was sold, in words.
    pub description: Option<String>,
    /// The amount without tax.
    pub net_amount: Money,
    /// The tax.
    pub tax_amount: Money,
    /// What it is about, how many, and at which cost.
    #[serde(skip_serializing_if = "Goods::is_plain")]
    pub goods: Goods,
    /// What it costs by the price list, before a reseller's margin; not below the amount without tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_amount: Option<Money>,
}

/// What a new invoice is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvoice {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The deal that it bills.
    pub deal_id: DealId,
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

/// What a new line is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewInvoiceLine {
    /// The amount without tax.
    pub net_amount: Money,
    /// The tax.
    pub tax_amount: Money,
    /// What was sold.
    pub product_family_id: Option<ProductFamilyId>,
    /// What was sold, in words.
    pub description: Option<String>,
    /// What it is about, how many, and at which cost.
    pub goods: Goods,
    /// What it costs by the price list, before a reseller's margin.
    pub list_amount: Option<Money>,
}

/// What may be changed of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InvoicePatch {
    /// The caller's key for it.
    pub external_id: Patch<String>,
    /// When it should be paid.
    pub due_on: Patch<NaiveDate>,
}

/// Refuses an invoice that is due before it is issued.
pub fn check_due_on(issued_on: NaiveDate, due_on: Option<NaiveDate>) -> Result<(), Problem> {
    if due_on.is_none_or(|due_on| due_on >= issued_on) {
        return Ok(());
    }
    let message = "An invoice is not due before it is issued.";
    Err(Problem::field("/due_on", "before_issued_on", message))
}

impl Invoice {
    /// A new invoice with its lines. Refused when the sum is out of the range of money.
    pub fn issue(new: NewInvoice, now: DateTime<Utc>) -> Result<(Self, Vec<InvoiceLine>), Problem> {
        let NewInvoice {
            external_id,
            deal_id,
            currency,
            issued_on,
            due_on,
            service_starts_on,
            lines,
        } = new;
        let (net_amount, total_amount) = sums(&lines, currency).map_err(|error| {
            Problem::field(
                "/lines",
                "out_of_range",
                format!("The sum of the lines: {error}."),
            )
        })?;
        let invoice = Self {
            id: InvoiceId::new(now),
            external_id,
            deal_id,
            status: InvoiceStatus::Open,
            status_reason: None,
            net_amount,
            total_amount,
            paid_amount: Money::zero(currency),
            refunded_amount: Money::zero(currency),
            credited_amount: Money::zero(currency),
            issued_on,
            due_on,
            service_starts_on,
            row_version: 1,
            created_at: now,
            updated_at: now,
        };
        check_due_on(invoice.issued_on, invoice.due_on)?;
        let lines = (1..)
            .zip(lines)
            .map(|(position, line)| InvoiceLine::new(position, line, now));
        Ok((invoice, lines.collect()))
    }

    /// The currency of all its amounts.
    pub const fn currency(&self) -> Currency {
        self.total_amount.currency()
    }

    /// What may still be paid: neither paid nor credited, and nothing of a void invoice.
    pub fn open_amount(&self) -> Result<Money, MoneyError> {
        if self.status == InvoiceStatus::Void {
            return Ok(Money::zero(self.currency()));
        }
        self.total_amount
            .checked_sub(self.paid_amount)?
            .checked_sub(self.credited_amount)
    }

    /// What may still be credited: what is open, and what was paid and did not go back.
    pub fn creditable_amount(&self) -> Result<Money, MoneyError> {
        self.total_amount
            .checked_sub(self.credited_amount)?
            .checked_sub(self.refunded_amount)
    }

    /// The invoice with the patch applied.
    pub fn patched(mut self, patch: InvoicePatch, now: DateTime<Utc>) -> Result<Self, Problem> {
        let InvoicePatch { external_id, due_on } = patch;
        external_id.apply_to(&mut self.external_id);
        due_on.apply_to(&mut self.due_on);
        check_due_on(self.issued_on, self.due_on)?;
        Ok(self.changed(now))
    }

    /// Takes it out of the count. Only while nothing is paid.
    pub fn void(self, reason: String, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            InvoiceStatus::Open => Ok(Self {
                status: InvoiceStatus::Void,
                status_reason: Some(reason),
                ..self.changed(now)
            }),
            _ => Err(self.refuse("void")),
        }
    }

    /// The state that follows from the amounts. An invoice over nothing is settled by a payment of nothing, so that
    /// this is asked only after a payment or a credit.
    fn settled(self) -> Result<Self, Problem> {
        let open = self.open_amount().map_err(Problem::damaged)?;
        let status = if open.is_zero() {
            InvoiceStatus::Paid
        } else if self.paid_amount.is_positive() {
            InvoiceStatus::PartiallyPaid
        } else {
            InvoiceStatus::Open
        };
        Ok(Self { status, ..self })
    }

    fn changed(self, now: DateTime<Utc>) -> Self {
        Self {
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        }
    }

    fn refuse(&self, verb: &str) -> Problem {
        Problem::wrong_state(verb, self.status.as_str(), self.status.moves())
    }
}

impl InvoiceLine {
    fn new(position: i32, new: NewInvoiceLine, now: DateTime<Utc>) -> Self {
        let NewInvoiceLine {
            net_amount,
            tax_amount,
            product_family_id,
            description,
            goods,
            list_amount,
        } = new;
        Self {
            id: InvoiceLineId::new(now),
            position,
            product_family_id,
            description,
            net_amount,
            tax_amount,
            goods,
            list_amount,
        }
    }
}

/// The sum without tax and the sum with tax.
fn sums(lines: &[NewInvoiceLine], currency: Currency) -> Result<(Money, Money), MoneyError> {
    let nothing = Money::zero(currency);
    lines.iter().try_fold((nothing, nothing), |(net, total), line| {
        let with_tax = line.net_amount.checked_add(line.tax_amount)?;
        Ok((net.checked_add(line.net_amount)?, total.checked_add(with_tax)?))
    })
}
