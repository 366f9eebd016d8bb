//! Deal rules: what a program asks of a referral or a registration, and what it promises for it.
//!
//! Each program has its rules from the start: the defaults ask for nothing, protect for 90 days from the approval and
//! promise an answer within 16 business hours.
//!
//! Invariant: rules that change touch no record that was submitted before; each record keeps what it was promised.
//! Invariant: a partner sees the rules of the programs that it is enrolled in, and no other.
//! Invariant: a program has business hours, so that every promise of an answer has an end.
//! Events: `deal_rules.updated`, whose subject is the program.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{
    AttributionClick, DealRules, EXTENSIONS_ALLOWED, ExistingAccounts, FIRST_REMINDER_DAYS, ProtectionStart,
    Qualification, QualificationField, QualificationType, SecondRegistrant,
};
pub use service::{of, of_program};
