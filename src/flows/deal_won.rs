//! A deal is won: its confirmed credits are settled, its registration is converted, and what its payments earned so far is accrued.

use super::{accrual, registration};
use crate::features::{attributions, deals};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::DealId;
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};

/// Wins the deal at `won_at`, or now; warns when that earns nobody anything though it looks as if it should.
pub fn run(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealId,
    precondition: &Precondition,
    won_at: Option<DateTime<Utc>>,
) -> Result<(deals::Deal, Vec<deals::WinWarning>), Problem> {
    let deal = deals::win(tx, ctx, id, precondition, won_at)?;
    let credits = attributions::settle(tx, ctx, id)?;
    registration::deals::won(tx, ctx, &[id])?;
    accrual::of_deals(tx, ctx, &[id])?;
    let warnings = deal.win_warnings(credits.len());
    Ok((deal, warnings))
}
