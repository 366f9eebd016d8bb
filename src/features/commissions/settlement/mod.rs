//! The part of a line's life that payouts decide: reserved, paid, given back. Any number of lines in a few statements.

mod store;

use crate::kernel::ctx::Ctx;
use crate::kernel::id::{ClawbackId, CommissionId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};

/// The lines that a payout or several consist of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettledLines {
    /// What was earned, and what credit notes took.
    pub commissions: Vec<CommissionId>,
    /// What refunds took.
    pub clawbacks: Vec<ClawbackId>,
}

/// What a payout does to its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineMove {
    /// They are set aside for it.
    Reserve,
    /// It was paid at this instant.
    Pay {
        /// When the money was sent.
        paid_at: DateTime<Utc>,
    },
    /// It will not be paid, so that a later one can take them.
    GiveBack,
    /// It was paid and came back, so that a later one can take them.
    TakeBack,
}

/// Locks the lines until the transaction ends, in the order of their ids.
pub fn lock_lines(tx: &mut Tx<'_>, ctx: &Ctx, lines: &SettledLines) -> Result<(), Problem> {
    store::lock_commissions(tx, &ctx.scope, &lines.commissions)?;
    store::lock_clawbacks(tx, &ctx.scope, &lines.clawbacks)
}

/// Moves all the lines, or none: refused when one of them does not stand where the move begins.
pub fn move_lines(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    lines: &SettledLines,
    line_move: LineMove,
) -> Result<(), Problem> {
    lock_lines(tx, ctx, lines)?;
    store::move_commissions(tx, &ctx.scope, &lines.commissions, line_move, ctx.now)?;
    store::move_clawbacks(tx, &ctx.scope, &lines.clawbacks, line_move, ctx.now)
}

impl LineMove {
    /// Where a commission goes: from, to.
    const fn of_commission(self) -> (&'static str, &'static str) {
        match self {
            Self::Reserve => ("approved", "in_payout"),
            Self::Pay { .. } => ("in_payout", "paid"),
            Self::GiveBack => ("in_payout", "approved"),
            Self::TakeBack => ("paid", "approved"),
        }
    }

    /// Where a clawback goes: from, to.
    const fn of_clawback(self) -> (&'static str, &'static str) {
        match self {
            Self::Reserve => ("payable", "in_payout"),
            Self::Pay { .. } => ("in_payout", "paid"),
            Self::GiveBack => ("in_payout", "payable"),
            Self::TakeBack => ("paid", "payable"),
        }
    }

    /// When the line was paid, once it is.
    const fn paid_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Pay { paid_at } => Some(paid_at),
            Self::Reserve | Self::GiveBack | Self::TakeBack => None,
        }
    }
}
