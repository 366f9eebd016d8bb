//! Credit under models, side by side: of one deal, and added up over many.
//!
//! Who has a part is what was confirmed: a partner with a confirmed sourced credit has a part in the sourced pool, and so
//! on. The model shares each pool out by the touchpoints of those partners up to the win; a partner without any counts as
//! if it had touched the deal when its credit was claimed. So every pool of a deal adds up to the whole under every model
//! but full credit, and no touchpoint gives credit to somebody whom nobody confirmed.
//!
//! What is sourced or influenced is a pool of its own and no sum: a deal that is both counts once.

mod domain;
mod dto;
pub mod http;
mod service;
mod store;
