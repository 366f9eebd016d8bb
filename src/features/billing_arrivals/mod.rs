//! Billing arrivals: facts of billing, told by the caller's own keys and in whichever order they come.
//!
//! parked → applied | refused | withdrawn; refused → parked | applied | withdrawn
//!
//! What refers to something that is not there yet is parked and awaits it; the worker settles it once that is there. What
//! each fact does, and how it is settled, is told in `flows::billing_arrival`.
//!
//! Invariant: of a kind and a key there is one arrival, however often it is delivered; what it says never changes.
//! Invariant: what could be applied at once and was refused by business is not kept.
//! Invariant: a fact is applied once, under the lock of its arrival.
//! Events: `billing_arrival.parked`, `billing_arrival.applied`, `billing_arrival.refused`, `billing_arrival.withdrawn`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{
    ArrivalStatus, BillingArrival, CreditNoteFact, Fact, FactKind, InvoiceFact, InvoiceVoidFact, Known, Met,
    NewArrival, PaymentFact, Reference, RefundFact, Resource,
};
pub use service::{
    applied, awaiting, becomes_parked, becomes_refused, keep, lock, lock_to_retry, meet,
    organizations_with_met, parked, ready, repeated,
};
pub use store::Ready;
