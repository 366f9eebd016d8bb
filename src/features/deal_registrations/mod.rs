//! Deal registrations: a partner claims an account and a product family, and is protected for a time.
//!
//! draft → submitted | withdrawn; submitted → in_review | action_required | approved | rejected | withdrawn;
//! in_review → action_required | approved | rejected | withdrawn; action_required → submitted | rejected | withdrawn;
//! approved → converted | lost | expired | revoked; rejected → in_review; expired → in_review | approved;
//! revoked → in_review | approved
//!
//! What was decided is undone by a dispute alone.
//!
//! Invariant: no two approved registrations of one account meet in product family and time; no family is every family.
//! It is an exclusion constraint, so that no race, import or mended row gets around it.
//! Invariant: what a program promised when a registration was submitted stays, whatever becomes of its rules.
//! Invariant: the clock of the protection stands still while the organization is late with an answer.
//! Invariant: an internal comment is read by the organization alone.
//! Invariant: whose another claim is, and how many there are, is told to no partner; see `flows::registration`.
//! Events: `deal_registration.created`, `.updated`, `.submitted`, `.review_started`, `.approved`, `.rejected`,
//! `.action_requested`, `.withdrawn`, `.extended`, `.expiry_announced`, `.response_missed`, `.converted`, `.lost`,
//! `.expired`, `.revoked`, `.reopened`, `.reinstated`; `registration_comment.added`; `registration_extension.requested`, `.approved`, `.refused`, `.lapsed`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{
    AccountStanding, ClaimedAccount, DealRegistration, MOVES, NewRegistration, Question, RegistrationPatch,
    RegistrationReason, RegistrationStatus, Why,
};
pub use service::{
    Due, RESPONSE_MISSED, claimed, count_precheck, create, create_submitted, due, get, get_own, incumbent,
    live_count, lock, lock_of_deals, move_to_account, organizations_due, own_claim, person, require_apart,
    rules, rules_of, save, save_timed, step, update,
};
