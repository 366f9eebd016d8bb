//! What runs, payouts and their lines are, and how they move.

mod payout;
mod rail;
mod run;
#[cfg(test)]
mod tests;
mod transfer;

pub use payout::{
    CarryForward, CarryForwardReason, Confirmation, Payout, PayoutItem, PayoutItemKind, PayoutItemStatus,
    PayoutLines, PayoutStatus,
};
pub use rail::{PaymentFile, PaymentOrder, PayoutRail, Transfer};
pub use run::{NewPayoutRun, PayoutRun, PayoutRunFigures, PayoutRunStatus, Report, Signature, StatusCounts};
pub use transfer::{Claim, PayoutTransfer, Step, Told, TransferStatus};
