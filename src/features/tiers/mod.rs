//! Tiers: the ladder of a program, where partners stand on it, and how they came there.
//!
//! below → above at once, as soon as one period holds what the tier asks for; above → below after the days of grace,
//! unless the figures recover before; a pinned tier is not moved by a review; a person moves anybody anywhere, with a
//! reason; a dispute of a fall gives the tier back, or one between, and pins it until the present period is over.
//!
//! An enrollment carries its tier as the code of a step of the ladder, the word that commission rules name as well. That
//! field was there before ladders were, as free text, and stays so in a program without tiers. Once a program has them,
//! an enrollment may begin in one of them, and changes with a move only (`note_tier_move`, `guard_enrollment_tier`): no
//! tier without a line in the history. Where there is no ladder an edit is noted there as well, so that the tier as of any
//! instant can be told (`tier_as_of`). A code that was on the enrollment before the ladder and is not on it counts as no
//! tier, and the first review puts it right.
//!
//! A tier is earned in one calendar period, this one to date or the whole one before, so that nobody falls because a
//! quarter begins; a rolling period is the one that ends today. Revenue counts by the partner's confirmed share of a deal
//! of the program, the largest one where it has several roles, in the currency of the criterion; paid revenue is money
//! received without tax and less refunds, at the date of the payment.
//!
//! Reviews: the worker looks at each active enrollment once a day, at midnight of the program's time zone by the
//! organization's clock, in batches that may be ended at any moment; whoever becomes active is looked at right away.
//!
//! Invariant: a move begins where the enrollment stands; two reviews at once make one move.
//! Invariant: a tier that enrollments are in is not taken off the ladder.
//! Invariant: a partner sees the ladders of its programs, and the standings and moves of nobody but itself.
//! Events: `tier_ladder.updated`, whose subject is the program; `enrollment.tier_changed`, `enrollment.tier_endangered`,
//! `enrollment.tier_secured`, `enrollment.tier_pinned`, `enrollment.tier_unpinned`.

mod domain;
mod dto;
mod figures_store;
pub mod http;
mod review_service;
mod service;
mod store;

pub use review_service::review_due;
pub use service::{fall, give_back};
pub use store::organizations_due;
