//! Invoices: revenue events from billing, with their payments and refunds.
//!
//! open → partially_paid → paid; open → void (reason, final). The state follows from the amounts; only `void` is a
//! verb. A refund opens nothing again: it is money that went back, not money that is owed. What of it comes in again, for
//! a chargeback was won, is a reinstatement: a refund below zero.
//!
//! Invariant: 0 ≤ refunded ≤ paid, and paid + credited ≤ total, where credited is what credit notes took off the
//! unpaid part.
//! Invariant: payments and refunds of one invoice are recorded one after the other, under a lock of the invoice.
//! Events: `invoice.created`, `invoice.updated`, `invoice.voided`, `payment.recorded`, `refund.recorded`,
//! `refund.reinstated`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{
    Credit, Invoice, InvoiceLine, InvoiceStatus, NewInvoice, NewInvoiceLine, NewPayment, NewRefund,
    NewReinstatement, Payment, Refund, RefundKind, check_due_on, check_happened,
};
pub use dto::NewInvoiceLineBody;
pub use service::{
    create, credit, get, get_payment, get_refund, lines, record_payment, record_refund, record_reinstatement,
    refuse_unknown_product_families, void,
};
