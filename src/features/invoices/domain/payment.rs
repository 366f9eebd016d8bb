//! Money received for an invoice, and money that went back.

use super::{Invoice, InvoiceStatus};
use crate::kernel::id::{CreditNoteId, DealId, InvoiceId, PaymentId, RefundId};
use crate::kernel::money::Money;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;

word_enum! {
    /// How money went back.
    RefundKind, "refund kind" {
        /// The vendor gave it back.
        Refund = "refund",
        /// The customer's bank took it back.
        Chargeback = "chargeback",
        /// A credit note on the invoice took more than was open.
        CreditNote = "credit_note",
        /// It came in again: a chargeback was won, or a refund failed.
        Reinstatement = "reinstatement",
    }
}

/// Money received for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The invoice that it pays.
    pub invoice_id: InvoiceId,
    /// What was received; nothing only for an invoice over nothing.
    pub amount: Money,
    /// What had been paid on the invoice with this payment.
    pub cumulative_amount: Money,
    /// What went back of it.
    pub refunded_amount: Money,
    /// When it was received.
    pub paid_at: DateTime<Utc>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new payment is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// What was received.
    pub amount: Money,
    /// When it was received.
    pub paid_at: DateTime<Utc>,
}

/// Money that went back, or came in again. It never changes, but for what is reinstated of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// The invoice that had been paid.
    pub invoice_id: InvoiceId,
    /// The payment that it takes back from.
    pub payment_id: PaymentId,
    /// The credit note that caused it.
    pub credit_note_id: Option<CreditNoteId>,
    /// The refund that it reinstates, or a part of it.
    pub reinstates_id: Option<RefundId>,
    /// How it went back.
    pub kind: RefundKind,
    /// What went back; below zero what came in again.
    pub amount: Money,
    /// What was reinstated of it.
    pub reinstated_amount: Money,
    /// What had gone back of the payment with this refund.
    pub cumulative_amount: Money,
    /// Which version of the payment it made.
    pub payment_version: i64,
    /// Why.
    pub reason: Option<String>,
    /// When it went back, or came in again.
    pub refunded_at: DateTime<Utc>,
    /// When it went back, also where it came in again.
    pub went_back_at: DateTime<Utc>,
    /// Counts its changes.
    pub row_version: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new refund is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefund {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// How it went back.
    pub kind: RefundKind,
    /// What went back.
    pub amount: Money,
    /// When it went back.
    pub refunded_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// What a new reinstatement is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReinstatement {
    /// The caller's key for it.
    pub external_id: Option<String>,
    /// What came in again; all that is left of the refund when it is not said.
    pub amount: Option<Money>,
    /// When it came in again.
    pub reinstated_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// What a reinstatement did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reinstated {
    /// The invoice after it.
    pub invoice: Invoice,
    /// The payment after it.
    pub payment: Payment,
    /// The refund that it reinstates, after it.
    pub refund: Refund,
    /// The reinstatement.
    pub reinstatement: Refund,
}

/// A credit note as the invoice sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// The credit note.
    pub credit_note_id: CreditNoteId,
    /// The deal that it names.
    pub deal_id: DealId,
    /// What is credited; above nothing.
    pub amount: Money,
    /// When.
    pub issued_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// What a credit note did to an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credited {
    /// The invoice after it.
    pub invoice: Invoice,
    /// What it took back of payments: each changed payment with its refund.
    pub refunds: Vec<(Payment, Refund)>,
}

impl Invoice {
    /// Records money received. Never more than is open.
    pub fn pay(self, new: NewPayment, now: DateTime<Utc>) -> Result<(Self, Payment), Problem> {
        let mut problems = amount_problems(&self, new.amount, self.total_amount.is_zero());
        problems.extend(future_problem("/paid_at", new.paid_at, now));
        refuse_any(problems)?;
        let settled_already = new.amount.is_zero() && self.status == InvoiceStatus::Paid;
        if self.status == InvoiceStatus::Void || settled_already {
            return Err(self.refuse("pay"));
        }
        let open = self.open_amount().map_err(Problem::damaged)?;
        within(
            new.amount,
            open,
            Code::PaymentExceedsInvoice,
            "is open on the invoice",
        )?;
        let paid_amount = sum(self.paid_amount, new.amount)?;
        let payment = Payment {
            id: PaymentId::new(now),
            external_id: new.external_id,
            invoice_id: self.id,
            amount: new.amount,
            cumulative_amount: paid_amount,
            refunded_amount: Money::zero(self.currency()),
            paid_at: new.paid_at,
            row_version: 1,
            created_at: now,
            updated_at: now,
        };
        let paid = Self {
            paid_amount,
            ..self.changed(now)
        };
        Ok((paid.settled()?, payment))
    }

    /// Records that money of one of its payments went back. Never more than is left of the payment.
    pub fn refund(
        self,
        payment: Payment,
        new: NewRefund,
        now: DateTime<Utc>,
    ) -> Result<(Self, Payment, Refund), Problem> {
        let mut problems = amount_problems(&self, new.amount, false);
        problems.extend(future_problem("/refunded_at", new.refunded_at, now));
        if new.refunded_at < payment.paid_at {
            let message = format!(
                "The payment was received later, at {}.",
                payment.paid_at.to_rfc3339()
            );
            problems.push(FieldProblem::new("/refunded_at", "before_payment", message));
        }
        refuse_any(problems)?;
        let left = payment.left().map_err(Problem::damaged)?;
        within(
            new.amount,
            left,
            Code::RefundExceedsPayment,
            "is left of the payment",
        )?;
        let invoice = self.after_refund(new.amount, now)?;
        let (payment, refund) = payment.give_back(new, None, now)?;
        Ok((invoice, payment, refund))
    }

    /// Records that money of one of its refunds came in again. Never more than is left of the refund.
    pub fn reinstate(
        self,
        payment: Payment,
        refund: Refund,
        new: NewReinstatement,
        now: DateTime<Utc>,
    ) -> Result<Reinstated, Problem> {
        if !matches!(refund.kind, RefundKind::Refund | RefundKind::Chargeback) {
            let detail = format!(
                "A {} is not reinstated; only refunds and chargebacks are.",
                refund.kind.noun()
            );
            return Err(Problem::new(Code::WrongState).because(detail));
        }
        let left = refund.left().map_err(Problem::damaged)?;
        let amount = new.amount.unwrap_or(left);
        let said = new.amount.map(|amount| amount_problems(&self, amount, false));
        let mut problems = said.unwrap_or_default();
        problems.extend(future_problem("/reinstated_at", new.reinstated_at, now));
        if new.reinstated_at < refund.refunded_at {
            let message = format!(
                "The money went back later, at {}.",
                refund.refunded_at.to_rfc3339()
            );
            problems.push(FieldProblem::new("/reinstated_at", "before_refund", message));
        }
        refuse_any(problems)?;
        if left.is_zero() {
            let detail = "All of the refund is reinstated already.";
            return Err(Problem::new(Code::ReinstatementExceedsRefund).because(detail));
        }
        let code = Code::ReinstatementExceedsRefund;
        within(amount, left, code, "is left of the refund to reinstate")?;
        let back = NewRefund {
            external_id: new.external_id,
            kind: RefundKind::Reinstatement,
            amount: amount.checked_neg().map_err(Problem::damaged)?,
            refunded_at: new.reinstated_at,
            reason: new.reason,
        };
        let invoice = self.after_refund(back.amount, now)?;
        let (payment, reinstatement) = payment.give_back(back, None, now)?;
        Ok(Reinstated {
            invoice,
            payment,
            reinstatement: Refund {
                reinstates_id: Some(refund.id),
                went_back_at: refund.went_back_at,
                ..reinstatement
            },
            refund: Refund {
                reinstated_amount: sum(refund.reinstated_amount, amount)?,
                row_version: refund.row_version + 1,
                updated_at: now,
                ..refund
            },
        })
    }

    /// Credits it: first what is open, then what was paid, the payment that was recorded last first.
    pub fn credit(
        self,
        mut payments: Vec<Payment>,
        credit: Credit,
        now: DateTime<Utc>,
    ) -> Result<Credited, Problem> {
        self.check_credit(&credit)?;
        let open = self.open_amount().map_err(Problem::damaged)?;
        let unpaid_part = credit.amount.min(open).map_err(Problem::damaged)?;
        let mut rest = credit.amount.checked_sub(unpaid_part).map_err(Problem::damaged)?;
        let credited_amount = sum(self.credited_amount, unpaid_part)?;
        let mut invoice = Self {
            credited_amount,
            ..self.changed(now)
        }
        .settled()?;
        payments
            .sort_by_key(|payment| std::cmp::Reverse((payment.cumulative_amount.minor_units(), payment.id)));
        let mut refunds = Vec::new();
        for payment in payments {
            let left = payment.left().map_err(Problem::damaged)?;
            let amount = rest.min(left).map_err(Problem::damaged)?;
            if amount.is_zero() {
                continue;
            }
            rest = rest.checked_sub(amount).map_err(Problem::damaged)?;
            invoice.refunded_amount = sum(invoice.refunded_amount, amount)?;
            let new = credit.taking(amount, &payment);
            refunds.push(payment.give_back(new, Some(credit.credit_note_id), now)?);
        }
        if rest.is_zero() {
            Ok(Credited { invoice, refunds })
        } else {
            Err(Problem::damaged(
                "the payments of an invoice do not add up to what it says was paid",
            ))
        }
    }

    fn check_credit(&self, credit: &Credit) -> Result<(), Problem> {
        let mut problems = amount_problems(self, credit.amount, false);
        if credit.deal_id != self.deal_id {
            let message = "The invoice bills another deal.";
            problems.push(FieldProblem::new("/invoice_id", "other_deal", message));
        }
        refuse_any(problems)?;
        if self.status == InvoiceStatus::Void {
            return Err(self.refuse("credit"));
        }
        let left = self.creditable_amount().map_err(Problem::damaged)?;
        within(
            credit.amount,
            left,
            Code::CreditExceedsInvoice,
            "is left of the invoice",
        )
    }

    fn after_refund(self, amount: Money, now: DateTime<Utc>) -> Result<Self, Problem> {
        Ok(Self {
            refunded_amount: sum(self.refunded_amount, amount)?,
            ..self.changed(now)
        })
    }
}

impl Credit {
    /// The part that one payment gives back. It cannot have gone back before it was received.
    fn taking(&self, amount: Money, payment: &Payment) -> NewRefund {
        NewRefund {
            external_id: None,
            kind: RefundKind::CreditNote,
            amount,
            refunded_at: self.issued_at.max(payment.paid_at),
            reason: self.reason.clone(),
        }
    }
}

impl RefundKind {
    /// What it is called.
    const fn noun(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::CreditNote => "refund by a credit note",
            Self::Reinstatement => "reinstatement",
        }
    }
}

impl Refund {
    /// What was not reinstated yet.
    pub fn left(&self) -> Result<Money, crate::kernel::money::MoneyError> {
        self.amount.checked_sub(self.reinstated_amount)
    }
}

impl Payment {
    /// What did not go back yet.
    pub fn left(&self) -> Result<Money, crate::kernel::money::MoneyError> {
        self.amount.checked_sub(self.refunded_amount)
    }

    fn give_back(
        self,
        new: NewRefund,
        credit_note_id: Option<CreditNoteId>,
        now: DateTime<Utc>,
    ) -> Result<(Self, Refund), Problem> {
        let refunded_amount = sum(self.refunded_amount, new.amount)?;
        let refund = Refund {
            id: RefundId::new(now),
            external_id: new.external_id,
            invoice_id: self.invoice_id,
            payment_id: self.id,
            credit_note_id,
            reinstates_id: None,
            kind: new.kind,
            amount: new.amount,
            reinstated_amount: Money::zero(new.amount.currency()),
            cumulative_amount: refunded_amount,
            payment_version: self.row_version + 1,
            reason: new.reason,
            refunded_at: new.refunded_at,
            went_back_at: new.refunded_at,
            row_version: 1,
            created_at: now,
            updated_at: now,
        };
        let payment = Self {
            refunded_amount,
            row_version: self.row_version + 1,
            updated_at: now,
            ..self
        };
        Ok((payment, refund))
    }
}

/// What is wrong with an amount for this invoice, whatever is open on it.
fn amount_problems(invoice: &Invoice, amount: Money, zero_is_fine: bool) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if amount.currency() != invoice.currency() {
        let message = format!("The invoice is in {}.", invoice.currency());
        problems.push(FieldProblem::new("/amount/currency", "other_currency", message));
    }
    problems.extend(sign_problem(amount, zero_is_fine));
    problems
}

fn sign_problem(amount: Money, zero_is_fine: bool) -> Option<FieldProblem> {
    let is_wrong = amount.is_negative() || amount.is_zero() && !zero_is_fine;
    is_wrong.then(|| FieldProblem::new("/amount/amount", "not_positive", "Send an amount above zero."))
}

/// Refuses what cannot have happened to any invoice: an amount below zero, or of nothing where that makes no sense, and what
/// is yet to come.
pub fn check_happened(
    amount: Option<Money>,
    zero_is_fine: bool,
    (pointer, instant): (&str, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let sign = amount.and_then(|amount| sign_problem(amount, zero_is_fine));
    refuse_any(
        sign.into_iter()
            .chain(future_problem(pointer, instant, now))
            .collect(),
    )
}

fn future_problem(pointer: &str, instant: DateTime<Utc>, now: DateTime<Utc>) -> Option<FieldProblem> {
    (instant > now).then(|| FieldProblem::new(pointer, "in_future", "This has not happened yet."))
}

fn refuse_any(problems: Vec<FieldProblem>) -> Result<(), Problem> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(problems))
    }
}

/// Refuses with the code, and names how much there is.
fn within(amount: Money, most: Money, code: Code, what: &str) -> Result<(), Problem> {
    if amount.compare(most).map_err(Problem::damaged)?.is_le() {
        return Ok(());
    }
    let detail = format!("{most} {what}.");
    let field = FieldProblem::new("/amount/amount", "too_much", detail.clone());
    Err(Problem {
        errors: vec![field],
        ..Problem::new(code).because(detail)
    })
}

fn sum(left: Money, right: Money) -> Result<Money, Problem> {
    left.checked_add(right).map_err(Problem::damaged)
}
