//! Deals: opportunities with amount, stage and close date.
//!
//! open → won (final) | lost; lost → open
//!
//! Invariant: a won deal says when it was won, a lost one when and why.
//! Invariant: amount, product family and type of a won deal are settled.
//! Invariant: a stage is changed of an open deal only.
//! Invariant: this room never touches credits or commissions; see `flows::deal_won`.
//! Events: `deal.created`, `deal.updated`, `deal.won`, `deal.lost`, `deal.reopened`.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;

pub use domain::{Deal, DealPatch, DealState, DealStatus, DealType, NewDeal, WinWarning};
pub use service::{
    business, create, get, hide_of, lock, lose, move_to_account, open_direct, register, update, win,
};
