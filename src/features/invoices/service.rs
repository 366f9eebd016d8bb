//! The verbs of an invoice, and of the money received for it and given back.

use super::domain::{
    Credit, Invoice, InvoiceLine, InvoicePatch, NewInvoice, NewInvoiceLine, NewPayment, NewRefund,
    NewReinstatement, Payment, Refund, Reinstated,
};
use super::store::{self, InvoiceFilter, PaymentFilter, RefundFilter};
use crate::features::product_families;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{InvoiceId, PaymentId, RefundId};
use crate::kernel::problem::{FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use serde::Serialize;
use serde_json::Value;

/// One invoice.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: InvoiceId) -> Result<Invoice, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// The lines of an invoice, in order.
pub fn lines(tx: &mut Tx<'_>, ctx: &Ctx, invoice: &Invoice) -> Result<Vec<InvoiceLine>, Problem> {
    store::lines(tx, &ctx.scope, invoice)
}

/// A page of the invoices.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &InvoiceFilter,
    page: &PageRequest,
) -> Result<Page<Invoice>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Takes an invoice from billing.
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, new: NewInvoice) -> Result<(Invoice, Vec<InvoiceLine>), Problem> {
    refuse_unknown_product_families(tx, ctx, &new.lines)?;
    let (invoice, lines) = Invoice::issue(new, ctx.now)?;
    store::insert(tx, &ctx.scope, &invoice)?;
    store::insert_lines(tx, &ctx.scope, &invoice, &lines)?;
    tx.record(
        ctx,
        Change::created("invoice.created", subject(&invoice), &invoice),
    );
    Ok((invoice, lines))
}

/// Changes what may be changed.
pub fn update(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: InvoiceId,
    precondition: &Precondition,
    patch: InvoicePatch,
) -> Result<Invoice, Problem> {
    step(tx, ctx, id, precondition, "invoice.updated", None, |invoice| {
        invoice.patched(patch, ctx.now)
    })
}

/// Takes it out of the count.
pub fn void(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: InvoiceId,
    precondition: &Precondition,
    reason: &str,
) -> Result<Invoice, Problem> {
    let why = Some(reason.to_owned());
    step(tx, ctx, id, precondition, "invoice.voided", why, |invoice| {
        invoice.void(reason.to_owned(), ctx.now)
    })
}

/// One payment.
pub fn get_payment(tx: &mut Tx<'_>, ctx: &Ctx, id: PaymentId) -> Result<Payment, Problem> {
    store::find_payment(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the payments.
pub fn list_payments(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &PaymentFilter,
    page: &PageRequest,
) -> Result<Page<Payment>, Problem> {
    store::list_payments(tx, &ctx.scope, filter, page)
}

/// Records money received for an invoice. One payment of an invoice is recorded after the other.
pub fn record_payment(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    invoice_id: InvoiceId,
    new: NewPayment,
) -> Result<Payment, Problem> {
    let before = lock(tx, ctx, invoice_id)?;
    let (invoice, payment) = before.pay(new, ctx.now)?;
    store::insert_payment(tx, &ctx.scope, &payment)?;
    store::update(tx, &ctx.scope, &invoice)?;
    let what = Subject {
        kind: "payment",
        id: payment.id.uuid(),
    };
    tx.record(ctx, Change::created("payment.recorded", what, &payment));
    follow(tx, ctx, &invoice)?;
    Ok(payment)
}

/// One refund.
pub fn get_refund(tx: &mut Tx<'_>, ctx: &Ctx, id: RefundId) -> Result<Refund, Problem> {
    store::find_refund(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the refunds.
pub fn list_refunds(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &RefundFilter,
    page: &PageRequest,
) -> Result<Page<Refund>, Problem> {
    store::list_refunds(tx, &ctx.scope, filter, page)
}

/// Records that money of a payment went back. The invoice is locked before the payment, as everywhere.
pub fn record_refund(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    payment_id: PaymentId,
    new: NewRefund,
) -> Result<Refund, Problem> {
    let invoice_id = get_payment(tx, ctx, payment_id)?.invoice_id;
    let invoice = lock(tx, ctx, invoice_id)?;
    let payment = store::lock_payment(tx, &ctx.scope, payment_id)?.ok_or_else(Problem::not_found)?;
    let (invoice, payment, refund) = invoice.refund(payment, new, ctx.now)?;
    store::insert_refund(tx, &ctx.scope, &refund)?;
    store::update_payment(tx, &ctx.scope, &payment)?;
    store::update(tx, &ctx.scope, &invoice)?;
    let change = Change::created("refund.recorded", refund_subject(&refund), &refund);
    tx.record(ctx, change.with_reason(refund.reason.clone()));
    follow(tx, ctx, &invoice)?;
    Ok(refund)
}

/// Records that money of a refund came in again. Answers the reinstatement. The invoice is locked before the payment, and
/// that before the refund.
pub fn record_reinstatement(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    refund_id: RefundId,
    new: NewReinstatement,
) -> Result<Refund, Problem> {
    let Refund {
        invoice_id,
        payment_id,
        ..
    } = get_refund(tx, ctx, refund_id)?;
    let invoice = lock(tx, ctx, invoice_id)?;
    let payment = store::lock_payment(tx, &ctx.scope, payment_id)?.ok_or_else(Problem::not_found)?;
    let before = store::lock_refund(tx, &ctx.scope, refund_id)?.ok_or_else(Problem::not_found)?;
    let Reinstated {
        invoice,
        payment,
        refund,
        reinstatement,
    } = invoice.reinstate(payment, before.clone(), new, ctx.now)?;
    store::insert_refund(tx, &ctx.scope, &reinstatement)?;
    store::update_refund(tx, &ctx.scope, &refund)?;
    store::update_payment(tx, &ctx.scope, &payment)?;
    store::update(tx, &ctx.scope, &invoice)?;
    let change = Change::created("refund.recorded", refund_subject(&reinstatement), &reinstatement);
    tx.record(ctx, change.with_reason(reinstatement.reason.clone()));
    let change = Change::updated("refund.reinstated", refund_subject(&refund), &before, &refund);
    tx.record(ctx, change);
    follow(tx, ctx, &invoice)?;
    Ok(reinstatement)
}

/// Credits an invoice: first what is open, then what was paid. Answers the refunds that this makes.
pub fn credit(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    invoice_id: InvoiceId,
    credit: Credit,
) -> Result<Vec<Refund>, Problem> {
    let invoice = lock(tx, ctx, invoice_id)?;
    let payments = store::lock_payments_of(tx, &ctx.scope, invoice_id)?;
    let credited = invoice.credit(payments, credit, ctx.now)?;
    let mut refunds = Vec::with_capacity(credited.refunds.len());
    for (payment, refund) in credited.refunds {
        store::insert_refund(tx, &ctx.scope, &refund)?;
        store::update_payment(tx, &ctx.scope, &payment)?;
        let change = Change::consequence("refund.recorded", refund_subject(&refund), data(&refund)?);
        tx.record(ctx, change);
        refunds.push(refund);
    }
    store::update(tx, &ctx.scope, &credited.invoice)?;
    follow(tx, ctx, &credited.invoice)?;
    Ok(refunds)
}

/// One move: lock, check the version, move, save, record.
fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: InvoiceId,
    precondition: &Precondition,
    event: &'static str,
    reason: Option<String>,
    turn: impl FnOnce(Invoice) -> Result<Invoice, Problem>,
) -> Result<Invoice, Problem> {
    let before = lock(tx, ctx, id)?;
    precondition.check(before.row_version)?;
    let after = turn(before.clone())?;
    store::update(tx, &ctx.scope, &after)?;
    let change = Change::updated(event, subject(&after), &before, &after);
    tx.record(ctx, change.with_reason(reason));
    Ok(after)
}

fn lock(tx: &mut Tx<'_>, ctx: &Ctx, id: InvoiceId) -> Result<Invoice, Problem> {
    store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// The amounts and the state of the invoice followed from what was recorded; whoever mirrors invoices hears of it.
fn follow(tx: &mut Tx<'_>, ctx: &Ctx, invoice: &Invoice) -> Result<(), Problem> {
    let change = Change::consequence("invoice.updated", subject(invoice), data(invoice)?);
    tx.record(ctx, change);
    Ok(())
}

fn data(record: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(record).map_err(Problem::damaged)
}

/// Refuses lines that name a product family that there is not.
pub fn refuse_unknown_product_families(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    lines: &[NewInvoiceLine],
) -> Result<(), Problem> {
    let asked = lines.iter().filter_map(|line| line.product_family_id).collect();
    let unknown = product_families::unknown(tx, ctx, asked)?;
    if unknown.is_empty() {
        return Ok(());
    }
    let is_unknown = |line: &NewInvoiceLine| line.product_family_id.is_some_and(|id| unknown.contains(&id));
    let refused = lines.iter().enumerate().filter(|(_, line)| is_unknown(line));
    Err(Problem::fields(
        refused
            .map(|(index, _)| {
                let pointer = format!("/lines/{index}/product_family_id");
                FieldProblem::new(pointer, "unknown_reference", "There is no such record.")
            })
            .collect(),
    ))
}

fn subject(invoice: &Invoice) -> Subject {
    Subject {
        kind: "invoice",
        id: invoice.id.uuid(),
    }
}

fn refund_subject(refund: &Refund) -> Subject {
    Subject {
        kind: "refund",
        id: refund.id.uuid(),
    }
}
