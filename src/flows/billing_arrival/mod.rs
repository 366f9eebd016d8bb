//! A fact of billing arrived: applied at once where what it refers to is there, by the very flows of the ordinary
//! operations; else parked, and settled by the worker.

mod settling;

pub use settling::work;

use super::{credit_note_issued, payment_recorded, refund_recorded};
use crate::features::billing_arrivals::{
    self as room, BillingArrival, Fact, InvoiceFact, Known, Met, NewArrival,
};
use crate::features::credit_notes::NewCreditNote;
use crate::features::invoices::{self, NewInvoice, NewPayment, NewRefund, NewReinstatement};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::BillingArrivalId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use uuid::Uuid;

/// What became of a fact that was told.
#[derive(Debug)]
pub enum TakenIn {
    /// It is new.
    New(BillingArrival),
    /// It was told before.
    Before(BillingArrival),
}

/// Takes a fact in. A refusal by business keeps nothing of it.
pub fn take_in(tx: &mut Tx<'_>, ctx: &Ctx, new: NewArrival) -> Result<TakenIn, Problem> {
    new.fact.could_be_true(ctx.now)?;
    if let Fact::Invoice(invoice) = &new.fact {
        // These ids are the service's own, so that no later record makes them known.
        invoices::refuse_unknown_product_families(tx, ctx, &invoice.lines)?;
    }
    let met = room::meet(tx, ctx, &new.fact)?;
    let awaits = match &met {
        Met::Missing(missing) => missing.clone(),
        Met::Known(_) => new.fact.references().0,
    };
    let Some(arrival) = room::keep(tx, ctx, new.clone(), awaits)? else {
        return room::repeated(tx, ctx, &new).map(TakenIn::Before);
    };
    match met {
        Met::Missing(_) => {
            room::parked(tx, ctx, &arrival);
            Ok(TakenIn::New(arrival))
        }
        Met::Known(known) => {
            let record_id = apply(tx, ctx, &arrival, &known)?;
            room::applied(tx, ctx, arrival, record_id, true).map(TakenIn::New)
        }
    }
}

/// Tries an arrival now. A refusal by business changes nothing of it.
pub fn retry(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: BillingArrivalId,
    precondition: &Precondition,
) -> Result<BillingArrival, Problem> {
    let arrival = room::lock_to_retry(tx, ctx, id, precondition)?;
    settle(tx, ctx, arrival)
}

/// Applies a locked arrival, or lets it wait for what is not there.
fn settle(tx: &mut Tx<'_>, ctx: &Ctx, arrival: BillingArrival) -> Result<BillingArrival, Problem> {
    match room::meet(tx, ctx, &arrival.fact)? {
        Met::Missing(missing) => room::becomes_parked(tx, ctx, arrival, missing),
        Met::Known(known) => {
            let record_id = apply(tx, ctx, &arrival, &known)?;
            room::applied(tx, ctx, arrival, record_id, false)
        }
    }
}

/// Does what the fact says; the record that it made or changed.
fn apply(tx: &mut Tx<'_>, ctx: &Ctx, arrival: &BillingArrival, known: &Known) -> Result<Uuid, Problem> {
    act(tx, ctx, arrival, known).map_err(in_words_of_the_fact)
}

fn act(tx: &mut Tx<'_>, ctx: &Ctx, arrival: &BillingArrival, known: &Known) -> Result<Uuid, Problem> {
    let external_id = Some(arrival.external_id.clone());
    match &arrival.fact {
        Fact::Invoice(fact) => {
            let new = invoice(fact, external_id, known)?;
            Ok(invoices::create(tx, ctx, new)?.0.id.uuid())
        }
        Fact::Payment(fact) => {
            let new = NewPayment {
                external_id,
                amount: fact.amount,
                paid_at: fact.paid_at,
            };
            Ok(payment_recorded::run(tx, ctx, known.invoice()?, new)?.id.uuid())
        }
        Fact::Refund(fact) => {
            let new = NewRefund {
                external_id,
                kind: fact.refund_kind,
                amount: fact.amount,
                refunded_at: fact.refunded_at,
                reason: fact.reason.clone(),
            };
            Ok(refund_recorded::run(tx, ctx, known.payment()?, new)?.id.uuid())
        }
        Fact::Reinstatement(fact) => {
            let new = NewReinstatement {
                external_id,
                amount: fact.amount,
                reinstated_at: fact.reinstated_at,
                reason: fact.reason.clone(),
            };
            let again = refund_recorded::reinstate(tx, ctx, known.refund()?, new)?;
            Ok(again.id.uuid())
        }
        Fact::CreditNote(fact) => {
            let new = NewCreditNote {
                external_id,
                deal_id: known.deal()?,
                invoice_id: known.invoice_if_named(),
                amount: fact.amount,
                reason: fact.reason.clone(),
                issued_at: fact.issued_at,
            };
            Ok(credit_note_issued::run(tx, ctx, new)?.id.uuid())
        }
        Fact::InvoiceVoid(fact) => {
            let any = Precondition::Any;
            let void = invoices::void(tx, ctx, known.invoice()?, &any, &fact.reason)?;
            Ok(void.id.uuid())
        }
    }
}

fn invoice(fact: &InvoiceFact, external_id: Option<String>, known: &Known) -> Result<NewInvoice, Problem> {
    Ok(NewInvoice {
        external_id,
        deal_id: known.deal()?,
        currency: fact.currency,
        issued_on: fact.issued_on,
        due_on: fact.due_on,
        service_starts_on: fact.service_starts_on,
        lines: fact.lines.clone(),
    })
}

/// A fact names records by keys where the ordinary operations take ids.
fn in_words_of_the_fact(mut problem: Problem) -> Problem {
    for error in &mut problem.errors {
        if let "/deal_id" | "/invoice_id" = error.pointer.as_str() {
            error.pointer.truncate(error.pointer.len() - "_id".len());
        }
    }
    problem
}
