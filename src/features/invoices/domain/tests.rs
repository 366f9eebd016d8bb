//! The arithmetic of an invoice, and that no sequence of events breaks it.

use super::*;
use crate::kernel::id::CreditNoteId;
use crate::kernel::problem::Code;
use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_000_000, 0).unwrap()
}

fn deal_id() -> DealId {
    DealId::from_uuid(Uuid::from_u128(7))
}

fn usd(cents: i64) -> Money {
    Money::from_minor_units(i128::from(cents), Currency::USD).unwrap()
}

fn eur(cents: i64) -> Money {
    Money::from_minor_units(i128::from(cents), Currency::from_code("EUR").unwrap()).unwrap()
}

fn line(net: Money, tax: Money) -> NewInvoiceLine {
    NewInvoiceLine {
        list_amount: None,
        net_amount: net,
        tax_amount: tax,
        product_family_id: None,
        description: None,
        goods: Goods::default(),
    }
}

fn new_invoice(lines: Vec<NewInvoiceLine>) -> NewInvoice {
    NewInvoice {
        external_id: None,
        deal_id: deal_id(),
        currency: Currency::USD,
        issued_on: now().date_naive(),
        due_on: None,
        service_starts_on: None,
        lines,
    }
}

fn invoice(cents: i64) -> Invoice {
    Invoice::issue(new_invoice(vec![line(usd(cents), usd(0))]), now())
        .unwrap()
        .0
}

fn payment(amount: Money) -> NewPayment {
    NewPayment {
        external_id: None,
        amount,
        paid_at: now(),
    }
}

fn refund(amount: Money) -> NewRefund {
    NewRefund {
        external_id: None,
        kind: RefundKind::Refund,
        amount,
        refunded_at: now(),
        reason: None,
    }
}

fn credit(amount: Money) -> Credit {
    Credit {
        credit_note_id: CreditNoteId::from_uuid(Uuid::from_u128(9)),
        deal_id: deal_id(),
        amount,
        issued_at: now(),
        reason: None,
    }
}

fn refused_field<T: std::fmt::Debug>(outcome: Result<T, Problem>) -> (String, String) {
    let problem = outcome.unwrap_err();
    assert_eq!(problem.code, Code::ValidationFailed);
    let field = problem.errors.first().unwrap();
    (field.pointer.clone(), field.code.clone())
}

fn pair(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

#[test]
fn the_total_is_the_sum_of_the_lines_with_tax() {
    let lines = vec![line(usd(1000), usd(190)), line(usd(1), usd(0))];
    let (invoice, lines) = Invoice::issue(new_invoice(lines), now()).unwrap();
    assert_eq!((invoice.net_amount, invoice.total_amount), (usd(1001), usd(1191)));
    assert_eq!(invoice.status, InvoiceStatus::Open);
    assert_eq!(lines.iter().map(|line| line.position).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_sum_out_of_range_is_refused_and_does_not_wrap() {
    let most = Money::from_minor_units(99_999_999_999_999_999, Currency::USD).unwrap();
    let outcome = Invoice::issue(new_invoice(vec![line(most, usd(0)), line(usd(1), usd(0))]), now());
    assert_eq!(refused_field(outcome), pair("/lines", "out_of_range"));
}

#[test]
fn an_invoice_is_not_due_before_it_is_issued() {
    let before = now().date_naive().pred_opt().unwrap();
    let new = NewInvoice {
        due_on: Some(before),
        ..new_invoice(vec![line(usd(1), usd(0))])
    };
    assert_eq!(
        refused_field(Invoice::issue(new, now())),
        pair("/due_on", "before_issued_on")
    );
    let patch = InvoicePatch {
        due_on: Patch::Set(before),
        ..InvoicePatch::default()
    };
    assert_eq!(
        refused_field(invoice(1).patched(patch, now())),
        pair("/due_on", "before_issued_on")
    );
}

#[test]
fn payments_move_it_from_open_to_paid() {
    let (invoice, first) = invoice(100).pay(payment(usd(40)), now()).unwrap();
    assert_eq!(invoice.status, InvoiceStatus::PartiallyPaid);
    assert_eq!(first.cumulative_amount, usd(40));
    let (invoice, second) = invoice.pay(payment(usd(60)), now()).unwrap();
    assert_eq!(invoice.status, InvoiceStatus::Paid);
    assert_eq!(second.cumulative_amount, usd(100));
    let problem = invoice.pay(payment(usd(1)), now()).unwrap_err();
    assert_eq!(problem.code, Code::PaymentExceedsInvoice);
}

#[test]
fn a_payment_beyond_what_is_open_names_what_is_open() {
    let (invoice, _) = invoice(100).pay(payment(usd(40)), now()).unwrap();
    let problem = invoice.pay(payment(usd(61)), now()).unwrap_err();
    assert_eq!(problem.code, Code::PaymentExceedsInvoice);
    assert_eq!(
        problem.detail.as_deref(),
        Some("0.60 USD is open on the invoice.")
    );
}

#[test]
fn an_invoice_over_nothing_is_settled_by_one_payment_of_nothing() {
    let invoice = invoice(0);
    assert_eq!(invoice.status, InvoiceStatus::Open);
    let (invoice, payment_of_nothing) = invoice.pay(payment(usd(0)), now()).unwrap();
    assert_eq!(invoice.status, InvoiceStatus::Paid);
    assert_eq!(payment_of_nothing.cumulative_amount, usd(0));
    let problem = invoice.pay(payment(usd(0)), now()).unwrap_err();
    assert_eq!(problem.code, Code::WrongState);
}

#[test]
fn a_payment_of_nothing_or_less_is_refused() {
    for amount in [usd(0), usd(-1)] {
        let outcome = invoice(100).pay(payment(amount), now());
        assert_eq!(refused_field(outcome), pair("/amount/amount", "not_positive"));
    }
    let outcome = invoice(0).pay(payment(usd(-1)), now());
    assert_eq!(refused_field(outcome), pair("/amount/amount", "not_positive"));
}

#[test]
fn every_wrong_field_of_a_payment_is_named_at_once() {
    let new = NewPayment {
        amount: eur(-1),
        paid_at: now() + TimeDelta::microseconds(1),
        ..payment(usd(1))
    };
    let problem = invoice(100).pay(new, now()).unwrap_err();
    let codes: Vec<&str> = problem.errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["other_currency", "not_positive", "in_future"]);
}

#[test]
fn a_refund_opens_nothing_again() {
    let (invoice, paid) = invoice(100).pay(payment(usd(100)), now()).unwrap();
    let (invoice, paid, first) = invoice.refund(paid, refund(usd(100)), now()).unwrap();
    assert_eq!(invoice.status, InvoiceStatus::Paid);
    assert_eq!(invoice.open_amount().unwrap(), usd(0));
    assert_eq!(
        (first.cumulative_amount, paid.left().unwrap()),
        (usd(100), usd(0))
    );
    let problem = invoice.refund(paid, refund(usd(1)), now()).unwrap_err();
    assert_eq!(problem.code, Code::RefundExceedsPayment);
}

#[test]
fn money_cannot_go_back_before_it_came() {
    let (invoice, paid) = invoice(100).pay(payment(usd(100)), now()).unwrap();
    let new = NewRefund {
        refunded_at: now() - TimeDelta::microseconds(1),
        ..refund(usd(1))
    };
    assert_eq!(
        refused_field(invoice.refund(paid, new, now())),
        pair("/refunded_at", "before_payment")
    );
}

#[test]
fn a_credit_takes_what_is_open_first_then_the_last_payment() {
    let (invoice, first) = invoice(100).pay(payment(usd(30)), now()).unwrap();
    let (invoice, second) = invoice.pay(payment(usd(20)), now()).unwrap();
    let payments = vec![first.clone(), second.clone()];
    let credited = invoice.credit(payments, credit(usd(75)), now()).unwrap();
    assert_eq!(credited.invoice.credited_amount, usd(50));
    assert_eq!(credited.invoice.refunded_amount, usd(25));
    assert_eq!(credited.invoice.status, InvoiceStatus::Paid);
    let taken: Vec<_> = credited
        .refunds
        .iter()
        .map(|(payment, refund)| (payment.id, refund.amount, refund.kind))
        .collect();
    assert_eq!(
        taken,
        [
            (second.id, usd(20), RefundKind::CreditNote),
            (first.id, usd(5), RefundKind::CreditNote)
        ]
    );
}

#[test]
fn a_credited_invoice_is_paid_with_less() {
    let credited = invoice(100).credit(Vec::new(), credit(usd(30)), now()).unwrap();
    assert_eq!(credited.invoice.status, InvoiceStatus::Open);
    let problem = credited.invoice.clone().pay(payment(usd(71)), now()).unwrap_err();
    assert_eq!(problem.code, Code::PaymentExceedsInvoice);
    let (invoice, _) = credited.invoice.pay(payment(usd(70)), now()).unwrap();
    assert_eq!(invoice.status, InvoiceStatus::Paid);
}

#[test]
fn a_credit_beyond_the_invoice_is_refused() {
    let (invoice, paid) = invoice(100).pay(payment(usd(60)), now()).unwrap();
    let (invoice, paid, _) = invoice.refund(paid, refund(usd(10)), now()).unwrap();
    let problem = invoice
        .clone()
        .credit(vec![paid.clone()], credit(usd(91)), now())
        .unwrap_err();
    assert_eq!(problem.code, Code::CreditExceedsInvoice);
    assert!(invoice.credit(vec![paid], credit(usd(90)), now()).is_ok());
}

#[test]
fn a_credit_issued_before_the_payment_goes_back_when_it_was_paid() {
    let (invoice, paid) = invoice(100).pay(payment(usd(100)), now()).unwrap();
    let early = Credit {
        issued_at: now() - TimeDelta::days(1),
        ..credit(usd(1))
    };
    let credited = invoice.credit(vec![paid], early, now()).unwrap();
    assert_eq!(credited.refunds[0].1.refunded_at, now());
}

#[test]
fn a_credit_of_another_deal_is_refused() {
    let foreign = Credit {
        deal_id: DealId::from_uuid(Uuid::from_u128(8)),
        ..credit(usd(1))
    };
    assert_eq!(
        refused_field(invoice(100).credit(Vec::new(), foreign, now())),
        pair("/invoice_id", "other_deal")
    );
}

#[test]
fn only_an_unpaid_invoice_can_be_voided_and_then_takes_nothing() {
    let (paid, _) = invoice(100).pay(payment(usd(1)), now()).unwrap();
    assert_eq!(
        paid.void("wrong".to_owned(), now()).unwrap_err().code,
        Code::WrongState
    );
    let void = invoice(100).void("wrong".to_owned(), now()).unwrap();
    assert_eq!(void.status_reason.as_deref(), Some("wrong"));
    assert_eq!(void.open_amount().unwrap(), usd(0));
    let again = void.clone().void("wrong".to_owned(), now());
    assert_eq!(again.unwrap_err().code, Code::WrongState);
    let paid = void.clone().pay(payment(usd(1)), now());
    assert_eq!(paid.unwrap_err().code, Code::WrongState);
    let credited = void.credit(Vec::new(), credit(usd(1)), now());
    assert_eq!(credited.unwrap_err().code, Code::WrongState);
}

#[derive(Debug, Clone)]
enum Step {
    Pay(i64),
    Refund(usize, i64),
    Credit(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1i64..60).prop_map(Step::Pay),
        (any::<usize>(), 1i64..60).prop_map(|(which, cents)| Step::Refund(which, cents)),
        (1i64..60).prop_map(Step::Credit),
    ];
    prop::collection::vec(step, 0..40)
}

/// An invoice with its payments, and what was taken of its events so far, counted apart.
struct Story {
    invoice: Invoice,
    payments: Vec<Payment>,
    refunds: Vec<Refund>,
    credited: i64,
}

impl Story {
    /// Takes the step if it is allowed; a refusal is allowed only when the step is too much.
    fn take(&mut self, step: &Step) {
        let invoice = self.invoice.clone();
        match *step {
            Step::Pay(cents) => match invoice.pay(payment(usd(cents)), now()) {
                Ok((invoice, payment)) => {
                    self.invoice = invoice;
                    self.payments.push(payment);
                }
                Err(problem) => {
                    assert_eq!(problem.code, Code::PaymentExceedsInvoice);
                    assert!(cents > cents_of(self.invoice.open_amount().unwrap()));
                }
            },
            Step::Refund(which, cents) if !self.payments.is_empty() => {
                let index = which % self.payments.len();
                let paid = self.payments[index].clone();
                match invoice.refund(paid.clone(), refund(usd(cents)), now()) {
                    Ok((invoice, payment, refund)) => {
                        self.invoice = invoice;
                        self.payments[index] = payment;
                        self.refunds.push(refund);
                    }
                    Err(problem) => {
                        assert_eq!(problem.code, Code::RefundExceedsPayment);
                        assert!(cents > cents_of(paid.left().unwrap()));
                    }
                }
            }
            Step::Refund(..) => {}
            Step::Credit(cents) => match invoice.credit(self.payments.clone(), credit(usd(cents)), now()) {
                Ok(done) => {
                    self.invoice = done.invoice;
                    self.credited += cents;
                    for (payment, refund) in done.refunds {
                        let known = self.payments.iter_mut().find(|known| known.id == payment.id);
                        *known.unwrap() = payment;
                        self.refunds.push(refund);
                    }
                }
                Err(problem) => {
                    assert_eq!(problem.code, Code::CreditExceedsInvoice);
                    assert!(cents > cents_of(self.invoice.creditable_amount().unwrap()));
                }
            },
        }
    }

    fn check(&self) {
        let invoice = &self.invoice;
        let (total, paid) = (cents_of(invoice.total_amount), cents_of(invoice.paid_amount));
        let (refunded, credited) = (
            cents_of(invoice.refunded_amount),
            cents_of(invoice.credited_amount),
        );
        assert!(0 <= refunded && refunded <= paid && 0 <= credited && paid + credited <= total);
        assert_eq!(paid, sum_of(self.payments.iter().map(|payment| payment.amount)));
        assert_eq!(
            refunded,
            sum_of(self.payments.iter().map(|payment| payment.refunded_amount))
        );
        assert_eq!(refunded, sum_of(self.refunds.iter().map(|refund| refund.amount)));
        let by_notes = self
            .refunds
            .iter()
            .filter(|refund| refund.kind == RefundKind::CreditNote);
        assert_eq!(
            self.credited,
            credited + sum_of(by_notes.map(|refund| refund.amount))
        );
        for payment in &self.payments {
            assert!(!payment.left().unwrap().is_negative());
        }
        let expected = match (paid + credited == total, paid) {
            (true, _) => InvoiceStatus::Paid,
            (false, 0) => InvoiceStatus::Open,
            (false, _) => InvoiceStatus::PartiallyPaid,
        };
        assert_eq!(invoice.status, expected);
    }
}

fn cents_of(money: Money) -> i64 {
    i64::try_from(money.minor_units()).unwrap()
}

fn sum_of(amounts: impl Iterator<Item = Money>) -> i64 {
    amounts.map(cents_of).sum()
}

proptest! {
    #[test]
    fn no_sequence_of_events_breaks_the_amounts(total in 1i64..200, steps in steps()) {
        let mut story = Story {
            invoice: invoice(total),
            payments: Vec::new(),
            refunds: Vec::new(),
            credited: 0,
        };
        for step in &steps {
            story.take(step);
            story.check();
        }
    }

    #[test]
    fn any_partition_of_the_total_pays_it_exactly(parts in prop::collection::vec(1i64..1000, 1..30)) {
        let total: i64 = parts.iter().sum();
        let mut unpaid = invoice(total);
        let mut so_far = 0;
        for part in parts {
            so_far += part;
            let (after, payment) = unpaid.pay(payment(usd(part)), now()).unwrap();
            prop_assert_eq!(payment.cumulative_amount, usd(so_far));
            prop_assert_eq!(after.status == InvoiceStatus::Paid, so_far == total);
            unpaid = after;
        }
    }
}
