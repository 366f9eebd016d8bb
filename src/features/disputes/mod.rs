//! Disputes: a partner challenges a decision or an amount, with a deadline and an outcome that carries itself out.
//!
//! open → in_review | withdrawn; in_review → needs_information | upheld | partially_upheld | denied | withdrawn;
//! needs_information → in_review | withdrawn
//!
//! Invariant: what is disputed, by whom and why never changes; an answer adds evidence.
//! Invariant: a partner has one living dispute about the same, and a commission is in one living dispute at most.
//! Invariant: the same money is in one living dispute at most, be it a commission's or what is missing on its deal, and
//! what a dispute gave counts when the same is disputed again.
//! Invariant: an answer is always promised; that it did not come in time is told once.
//! Invariant: a partner sees its own disputes, and neither internal comments nor who reviews, what they find, and who
//! decides. What the organization alone knows lies in a table of its own.
//! Invariant: whoever made the disputed decision does not decide the dispute, as far as that can be told; what is found
//! to be owed is found by one person and decided by another.
//! Invariant: what was given on commissions is worth less as they keep less, and is not paid beside what they are given
//! back; what follows is proposed.
//! Invariant: what an outcome means is done with it, in `flows::dispute`: this room moves no money, no
//! claim and no tier.
//! Events: `dispute.opened`, `.review_started`, `.information_requested`, `.answered`, `.upheld`, `.partially_upheld`,
//! `.denied`, `.withdrawn`, `.response_overdue`; `dispute_comment.added`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{
    Amounts, Award, Dispute, DisputeLine, DisputeOutcome, DisputeStatus, DisputedId, Effect, Found, MOVES,
    NewDispute, Report, Review, Stake, SubjectType,
};
pub use service::{
    freeze_late, get, given, hold_award, hold_stake, insert, lines, lock, look_after,
    organizations_with_overdue, person, promised, review_of, save, save_review, that_gave_on,
};
