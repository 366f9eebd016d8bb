//! Referral links: addresses that partners pass on, who came by them, and who of these became a referral.
//!
//! active → retired
//!
//! Invariant: a link never changes but for being retired; from then on its clicks do not count, and those before do
//! (`guard_referral_link`).
//! Invariant: a visitor who comes by a link several times within half an hour has clicked once (`clicks_window_key`);
//! what calls itself a machine has not clicked at all.
//! Invariant: a visitor becomes one referral in a program, credited to its first or its last click within the time that
//! the program's deal rules say (`clicks_converted_key`); see `flows::visitor_converted`.
//! Invariant: clicks are reported by the organization alone; a partner sees its own, and not whose they are.
//! Events: `referral_link.created`, `referral_link.retired`, `referral_link.converted`. Clicks are too many for events.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Click, Conversion, MOVES, ReferralLinkStatus};
pub use service::{converted, credited};
