//! Sums of entries.

use super::LedgerAccount;
use crate::kernel::id::{PartnerId, ProgramId};
use crate::kernel::money::Total;

/// Where a partner stands in a program, in one currency. All of it is sums of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The partner.
    pub partner_id: PartnerId,
    /// The program.
    pub program_id: ProgramId,
    /// Earned, within the hold.
    pub held: Total,
    /// Earned, the hold is over, not yet approved.
    pub released: Total,
    /// Approved and not yet set aside for a payout; negative when more was taken back than earned.
    pub payable: Total,
    /// Approved, but disputed.
    pub disputed: Total,
    /// Set aside for a payout.
    pub in_payout: Total,
    /// Everything that was ever earned.
    pub earned: Total,
    /// Everything that was taken back.
    pub reversed: Total,
    /// What people gave, less what they took.
    pub adjusted: Total,
    /// What came into the currency by exchange, less what left it.
    pub exchanged: Total,
    /// Everything that was paid out and did not come back.
    pub paid: Total,
}

/// What one account moved in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTotal {
    /// The account.
    pub account: LedgerAccount,
    /// Everything that it was debited.
    pub debits: Total,
    /// Everything that it was credited.
    pub credits: Total,
}
