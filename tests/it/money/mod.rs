//! From the deal to the bank: what partners earn, what is taken back and what they are paid.

mod adjustments;
pub mod backtests;
mod bank;
mod books;
mod crashes;
mod earning;
mod exchange;
mod expectations;
mod field_defects;
mod giving_back;
mod guards;
mod holds;
mod journal;
mod known;
mod late;
mod letters;
mod paying;
mod promised;
pub mod races;
mod rounding;
mod runs;
mod simulation;
mod statements;
mod stripe;
mod taking_back;
mod tiers;
