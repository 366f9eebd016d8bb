//! The commission engine: who earns what on which money, and why.
//!
//! Pure functions over values: the same input gives the same output, whatever the clock, the database
//! or the order of a list. Callers pick the rules that were in force (`select`), accrue the money that
//! came in (`accrue_line`), take back what was refunded (`clawback`, `credit_note_lines`) and keep the
//! `Explanation` beside each posting, from which `recompute` gives the posted amount again.
//!
//! Invariant: a posting is the cumulative target minus what has been posted, so that parts add up.
//! Invariant: a pool is rounded once and then allocated; a reversal is never allocated again.
//! Invariant: whoever earns nothing gets a zero line with the reason.

mod accrue;
mod clauses;
mod explain;
mod formula;
mod fraction;
mod other_share;
mod pools;
mod reverse;
mod rule;
mod select;
mod sentence;
mod shared;
#[cfg(test)]
mod tests;
mod tiers;

use thiserror::Error;

use crate::kernel::money::MoneyError;
use crate::kernel::word::word_enum;

pub use accrue::{Accrual, LineInput, Party, accrue_line};
pub use clauses::{
    BaseMeasure, Clauses, Goods, HoldStart, LineKind, PeriodCap, Recurrence, RecurrenceKind, RenewalRate,
    Service,
};
pub use explain::{
    AccrualExplanation, ClawbackExplanation, CreditExplanation, Entitlement, Explanation, Progress, Step,
    recompute,
};
pub use formula::{FlatPer, Formula};
pub use reverse::{Clawback, CreditInput, Refunded, clawback, clawback_of_exchanged, credit_note_lines};
pub use rule::{Component, Conditions, Rule, RuleError, RuleSnapshot, RuleTerms};
pub use select::{Considered, Facts, Outcome, Selection, select, ties};
pub use sentence::sentence;
pub use shared::Shared;
pub use tiers::{Growth, Standing, Tier, TierMetric, TierMode, TierScope, Tiers};

word_enum! {
    /// Why a line earns nothing. The list grows; readers tolerate words that they do not know.
    IneligibleReason, "ineligibility reason" {
        /// No rule applies.
        NoRule = "no_rule",
        /// The partner is suspended.
        PartnerSuspended = "partner_suspended",
        /// The partner has been terminated.
        PartnerTerminated = "partner_terminated",
        /// The enrollment in the program is not active.
        EnrollmentNotActive = "enrollment_not_active",
        /// A gate of the program is closed to the partner: something that it asks for is not on file.
        GateClosed = "gate_closed",
        /// The flat rule names no amount in the currency of the invoice.
        NoFlatAmountInCurrency = "no_flat_amount_in_currency",
        /// A flat amount does not depend on the base, so that a credit takes nothing back from it.
        FlatRuleNotCredited = "flat_rule_not_credited",
        /// The deal is paid once, or the months of its window are over.
        RecurrenceOver = "recurrence_over",
        /// Shipping and fees do not belong to the base of the rule.
        NotInBase = "not_in_base",
        /// The rule pays on the margin, and the cost of the line is unknown.
        CostUnknown = "cost_unknown",
        /// The partner has earned as much in the period as the rule allows.
        PeriodCapReached = "period_cap_reached",
        /// The partner is eligible, but the amount comes to nothing.
        ZeroAmount = "zero_amount",
    }
}

impl IneligibleReason {
    /// Those that are about the partner, whatever the rule and the line.
    pub const OF_THE_PARTNER: &'static [Self] = &[
        Self::PartnerSuspended,
        Self::PartnerTerminated,
        Self::EnrollmentNotActive,
        Self::GateClosed,
    ];

    /// Whether the reason forbids earning, rather than describing an amount of nothing.
    pub(crate) const fn blocks(self) -> bool {
        !matches!(self, Self::ZeroAmount | Self::PeriodCapReached)
    }
}

/// Why a commission could not be worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CommissionError {
    /// An amount is out of range, in another currency, or cannot be divided.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A rule of one component was given for a line of another.
    #[error("the rule belongs to another component than the line")]
    WrongComponent,
    /// An explanation does not list the share that it explains.
    #[error("the explained share is not among the shares of its pool")]
    UnknownShare,
}
