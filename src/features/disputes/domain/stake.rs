//! The money that a dispute is about.

use crate::kernel::id::{CommissionId, DealId, PartnerId};
use crate::kernel::money::Currency;
use crate::kernel::problem::Problem;

/// The money that a dispute is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stake {
    /// Whose it is.
    pub partner_id: PartnerId,
    /// In which currency.
    pub currency: Currency,
    /// The disputed commissions; none where all that the partner has on the deal is disputed.
    pub lines: Vec<CommissionId>,
    /// The deals on which they were earned, or the disputed one.
    pub deals: Vec<DealId>,
}

impl Stake {
    /// Refuses what adds up to more than an amount can be.
    pub fn too_much() -> Problem {
        let message = "Together they come to more than one amount can be; dispute fewer.";
        Problem::field("/subject_ids", "out_of_range", message)
    }
}
