//! Referrals: leads that partners hand over and the organization answers.
//!
//! submitted → accepted | rejected | duplicate | withdrawn | expired; accepted → converted
//!
//! Invariant: what was submitted and promised never changes (`guard_referral`); the rules of the moment decided.
//! Invariant: a referral is answered once; whoever answers late leaves a breach behind (`response_breached_at`).
//! Invariant: a partner sees its own referrals, and those of the partners below it unless they are hidden, with status,
//! reasons and history, and not who answers them. It touches its own alone.
//! Invariant: a referral becomes one deal, with the credit of its partner, in one transaction; see
//! `flows::referral_converted`.
//! Events: `referral.submitted`, `referral.updated`, `referral.accepted`, `referral.rejected`,
//! `referral.marked_duplicate`, `referral.withdrawn`, `referral.expired`, `referral.converted`, `referral.assigned`,
//! `referral.response_overdue`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Lead, MOVES, NewReferral, Referral, ReferralStatus};
pub use service::{converted, for_conversion, get, look_after, open_of_others, submit};
pub use store::organizations_with_late_referrals;
