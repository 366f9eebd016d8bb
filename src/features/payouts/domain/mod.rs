//! What runs, payouts and their lines are, and how they move.

mod payout;
mod run;
#[cfg(test)]
mod tests;

pub use payout::{
    CarryForward, CarryForwardReason, Confirmation, Payout, PayoutItem, PayoutItemKind, PayoutItemStatus,
    PayoutLines, PayoutStatus,
};
pub use run::{
    NewPayoutRun, PayoutRail, PayoutRun, PayoutRunFigures, PayoutRunStatus, Report, Signature, StatusCounts,
};
