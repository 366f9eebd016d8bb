//! Commissions: earned lines with their explanation.

pub mod http;
mod settlement;

pub use settlement::{LineMove, SettledLines, lock_lines, move_lines};
