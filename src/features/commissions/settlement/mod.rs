//! The part of a line's life that payouts decide: reserved, paid, given back. Any number of lines in a few statements, and
//! none of them in memory: they are named by their payouts.

mod store;

use super::domain::Commission;
use super::service;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PayoutId;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};

/// The lines that a payout or several consist of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettledLines {
    /// The payouts; what they gave up is none of their lines any more.
    pub payouts: Vec<PayoutId>,
    /// How many lines were earned, or taken by credit notes.
    pub commissions: usize,
    /// How many refunds took.
    pub clawbacks: usize,
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
    store::lock_commissions(tx, &ctx.scope, lines)?;
    store::lock_clawbacks(tx, &ctx.scope, lines)
}

/// Those of the lines that somebody disputes, locked.
pub fn lock_disputed(tx: &mut Tx<'_>, ctx: &Ctx, lines: &SettledLines) -> Result<Vec<Commission>, Problem> {
    let disputed = store::disputed(tx, &ctx.scope, lines)?;
    if disputed.is_empty() {
        return Ok(Vec::new());
    }
    service::lock_several(tx, ctx, &disputed)
}

/// Moves all the lines, or none: refused when one of them does not stand where the move begins.
pub fn move_lines(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    lines: &SettledLines,
    line_move: LineMove,
) -> Result<(), Problem> {
    lock_lines(tx, ctx, lines)?;
    move_locked_lines(tx, ctx, lines, line_move)
}

/// The same of lines that the caller has locked.
pub fn move_locked_lines(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    lines: &SettledLines,
    line_move: LineMove,
) -> Result<(), Problem> {
    store::move_commissions(tx, &ctx.scope, lines, line_move, ctx.now)?;
    store::move_clawbacks(tx, &ctx.scope, lines, line_move, ctx.now)
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
