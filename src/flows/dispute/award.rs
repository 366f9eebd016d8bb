//! Money went back of commissions on which a dispute gave something, or came in again: what was given is worth less, or is
//! given already, and what follows is proposed as adjustments.

use super::money::{commissions_of, kept_in};
use crate::features::adjustments::{self, AdjustmentReason, NewAdjustment, Proposer};
use crate::features::commissions;
use crate::features::disputes::{self, Award, Report};
use crate::flows::proposals::{Hand, Targets, Undecided};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionId, DisputeId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;

/// Proposes what follows for disputes that gave something on these commissions. Whoever comes here holds them.
pub fn follow(tx: &mut Tx<'_>, ctx: &Ctx, lines: &[CommissionId]) -> Result<(), Problem> {
    for id in disputes::that_gave_on(tx, ctx, lines)? {
        propose(tx, ctx, id)?;
    }
    Ok(())
}

/// In the name of whoever found what was owed, as what was given was.
fn propose(tx: &mut Tx<'_>, ctx: &Ctx, id: DisputeId) -> Result<(), Problem> {
    disputes::hold_award(tx, id)?;
    let Report { dispute, review, .. } = disputes::get(tx, ctx, id)?;
    let (Some(review), Some(given), Some(program_id)) = (review, dispute.adjustment_id, dispute.program_id)
    else {
        return Ok(());
    };
    let amount = adjustments::get(tx, ctx, given)?.amount;
    let (Some(kept), Some((_, computed)), Some(author)) = (review.kept, review.finding, review.reviewed_by)
    else {
        return Ok(());
    };
    let ids = commissions_of(&dispute);
    let lines = commissions::several(tx, ctx, &ids)?;
    let award = Award {
        amount,
        kept,
        computed,
    };
    let kept = kept_in(&lines, amount.currency())?.and_then(|kept| Money::try_from(kept).ok());
    let Some(worth) = kept.and_then(|kept| award.worth(kept)) else {
        return Ok(());
    };
    let place = (dispute.partner_id, program_id, amount.currency());
    let targets = Targets::from([(place, worth - amount.amount())]);
    let hand = Hand {
        author,
        others: review.reviewer_secret_makers,
    };
    let undecided = Undecided::lock(tx, ctx, Proposer::Dispute(id))?;
    undecided.replace(tx, ctx, targets, hand, |(partner_id, program_id, _), amount| {
        NewAdjustment {
            external_id: None,
            partner_id,
            program_id,
            commission_id: None,
            deal_id: None,
            backtest_id: None,
            attribution_id: None,
            dispute_id: Some(id),
            reason_code: AdjustmentReason::Dispute,
            reason: dispute
                .status_reason
                .clone()
                .unwrap_or_else(|| dispute.statement.clone()),
            amount,
        }
    })
}
