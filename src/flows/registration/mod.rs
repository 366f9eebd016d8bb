//! Deal registrations among other claims, deals and customers: submitted, decided, contested, ended.
//!
//! The account's row is the lock of all claims to it: whoever submits, approves or decides takes it first, so that of
//! many at the same instant each sees the ones before. The exclusion constraint stands behind it.
//!
//! What stands in a partner's way is looked at in house. What the partner hears of it is a conflict's id, which shows
//! nothing but its own side.

pub mod account;
pub mod alike;
pub mod clock;
pub mod conflict;
pub mod deals;
pub mod decision;
pub mod hiding;
pub mod precheck;
mod standing;
pub mod submission;
pub mod undoing;

use crate::features::deal_registrations::DealRegistration;
use crate::features::registration_conflicts::RegistrationConflict;
use crate::kernel::problem::{Code, FieldProblem, Problem};

/// What came of an attempt.
#[derive(Debug)]
pub enum Attempt {
    /// It was done.
    Done(Box<DealRegistration>),
    /// It was not, and what stood in its way is recorded: the refusal is an answer to be committed.
    Refused(Box<Problem>),
}

/// The refusal that a conflict is: the field in which the claims meet, and the conflict's id.
fn contested(registration: &DealRegistration, conflict: &RegistrationConflict, kept: &str) -> Attempt {
    let pointer = if registration.account_domain.is_some() {
        "/account_domain"
    } else {
        "/account_name"
    };
    let message = "The account is claimed already for this product family or for all of them.";
    Attempt::Refused(Box::new(Problem {
        conflict_id: Some(Box::new(conflict.id)),
        errors: vec![FieldProblem::new(pointer, "contested", message)],
        ..Problem::new(Code::RegistrationConflict).because(format!(
            "Another claim to this account stands in the way: conflict {}. {kept}",
            conflict.id
        ))
    }))
}
