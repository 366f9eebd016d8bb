//! A deal is won: its confirmed credits are settled, its registration is converted, and what its payments earned so far is accrued.

use super::{accrual, registration};
use crate::features::programs::{self, LockPoint};
use crate::features::{attributions, commission_rules, deals, enrollments};
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
    let has_rule = has_rule(tx, ctx, &deal)?;
    let mut takes_part = 0;
    for credit in &credits {
        if let Some(program_id) = deal.program_id
            && enrollments::takes_part(tx, ctx, credit.partner_id, program_id)?
        {
            takes_part += 1;
        }
    }
    let warnings = deal.win_warnings(credits.len(), takes_part, has_rule);
    Ok((deal, warnings))
}

/// Whether a rule can decide what the deal's payments earn: one that is in force when it was won, or where the payment
/// decides, one that is not over by then.
fn has_rule(tx: &mut Tx<'_>, ctx: &Ctx, deal: &deals::Deal) -> Result<bool, Problem> {
    let (Some(program_id), Some(won_at)) = (deal.program_id, deal.state.won_at()) else {
        return Ok(false);
    };
    let program = programs::get(tx, ctx, program_id)?;
    let rules = commission_rules::rules_of_program(tx, ctx, program_id)?;
    Ok(rules.iter().any(|rule| match program.lock_point {
        LockPoint::DealWon => rule.terms().is_in_force(won_at),
        LockPoint::InvoicePaid => !rule.terms().is_over(won_at),
    }))
}
