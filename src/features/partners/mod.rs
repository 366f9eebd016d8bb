//! Partners: the companies outside the organization that sell, refer, integrate or implement.
//!
//! applied → approved | declined; approved ⇄ suspended; approved | suspended → terminated (final)
//!
//! Invariant: only an approved partner earns and is paid.
//! Invariant: a partner is never its own parent, and never below itself; partners stand on five levels at most.
//! Invariant: whoever is declined, suspended or terminated is told why, by a code that is for this move, and in words.
//! Invariant: whoever is above a partner sees what it does, unless it is hidden; see `platform::db::Seen`.
//! Events: `partner.created`, `partner.updated`, `partner.approved`, `partner.declined`, `partner.suspended`,
//! `partner.reinstated`, `partner.terminated`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Partner, PartnerReasonCode, PartnerStatus, Why};
pub use service::{get, hold_payable, lock, named, require_known, terminate};
