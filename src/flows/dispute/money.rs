//! Disputed money: it waits while the dispute lives, and what was found to be owed is posted as an adjustment.
//!
//! An approved line is frozen: its amount lies on the account `disputed`. What is not approved stays where it is and comes
//! no further. What is in a payout or paid is left alone; when its payout gives it back, it is frozen then.

use super::Ruling;
use super::subject::Target;
use crate::features::adjustments::{self, AdjustmentReason, NewAdjustment};
use crate::features::commissions::{self, Commission, CommissionKind, CommissionStatus, SettledLines};
use crate::features::disputes::{
    self, Amounts, Dispute, DisputeLine, DisputeOutcome, Effect, NewDispute, Review, Stake, SubjectType,
};
use crate::features::ledger::{self, NewEntry};
use crate::flows::adjustment_decided;
use crate::kernel::commission::sentence;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{AdjustmentId, CommissionId, DealId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money, Total};
use crate::kernel::permission::Permission;
use crate::kernel::problem::{Code, FieldProblem, Problem};
use crate::kernel::version::Precondition;
use crate::platform::db::Tx;

/// The money that a new dispute is about.
#[derive(Debug)]
pub struct Sum {
    /// Under which program.
    pub program_id: ProgramId,
    /// Both calculations.
    pub amounts: Amounts,
    /// The lines, locked, in the order of their ids; none where a commission is missing.
    pub lines: Vec<Commission>,
}

/// Locks and adds up what a new dispute is about; nothing where it is not about money.
pub fn disputed(
    tx: &mut Tx<'_>,
    house: &Ctx,
    new: &NewDispute,
    target: &Target,
) -> Result<Option<Sum>, Problem> {
    let Some(claimed) = new.claimed_amount else {
        return Ok(None);
    };
    let is_missing = new
        .subject_ids
        .iter()
        .any(|subject| subject.subject_type == SubjectType::Deal);
    let missing_on = is_missing.then(|| DealId::from_uuid(target.subject_id));
    let ids: Vec<CommissionId> = new
        .subject_ids
        .iter()
        .filter(|_| !is_missing)
        .map(|subject| CommissionId::from_uuid(subject.id))
        .collect();
    let seen = commissions::several(tx, house, &ids)?;
    let stake = stake(target.partner_id, claimed.currency(), &seen, missing_on);
    disputes::hold_stake(tx, house, &stake)?;
    let lines = commissions::lock_several(tx, house, &ids)?;
    require_alike(&lines, claimed)?;
    let computed = come_to(tx, house, &stake, &lines, missing_on)?;
    if claimed.amount() <= computed.amount() {
        let message = format!("It comes to {computed} already; the claim is what it should come to in all.");
        return Err(Problem::field("/claimed_amount/amount", "not_more", message));
    }
    Ok(Some(Sum {
        program_id: target.program_id.ok_or_else(Problem::internal)?,
        amounts: Amounts { computed, claimed },
        lines,
    }))
}

/// Refuses lines of several programs or currencies, and those that another dispute holds up.
fn require_alike(lines: &[Commission], claimed: Money) -> Result<(), Problem> {
    if let Some(held) = lines.iter().find(|line| line.dispute_id.is_some()) {
        let detail = format!("The commission {} is disputed already.", held.id);
        return Err(Problem::new(Code::AlreadyExists).because(detail));
    }
    let mut errors = Vec::new();
    let key = |line: &Commission| (line.program_id, line.owed.amount.currency());
    if lines.iter().any(|line| key(line) != key(&lines[0])) {
        let message = "Commissions are disputed together where they are of one program and currency.";
        errors.push(FieldProblem::new("/subject_ids", "not_together", message));
    } else if lines
        .iter()
        .any(|line| line.owed.amount.currency() != claimed.currency())
    {
        let message = "The commissions are in another currency.";
        errors.push(FieldProblem::new(
            "/claimed_amount/currency",
            "not_of_subject",
            message,
        ));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(errors))
    }
}

fn stake(
    partner_id: PartnerId,
    currency: Currency,
    lines: &[Commission],
    missing_on: Option<DealId>,
) -> Stake {
    let earned_on = lines.iter().map(|line| line.deal_id);
    let mut deals: Vec<DealId> = earned_on.chain(missing_on).collect();
    deals.sort_unstable();
    deals.dedup();
    Stake {
        partner_id,
        currency,
        lines: lines.iter().map(|line| line.id).collect(),
        deals,
    }
}

/// What the stake comes to: what was earned and kept, and what was given on it by hand since.
fn come_to(
    tx: &mut Tx<'_>,
    house: &Ctx,
    stake: &Stake,
    lines: &[Commission],
    missing_on: Option<DealId>,
) -> Result<Money, Problem> {
    let earned = match missing_on {
        Some(deal_id) => commissions::kept_on_deal(tx, house, deal_id, stake.partner_id, stake.currency)?,
        None => {
            let kept = kept_in(lines, stake.currency)?;
            kept.ok_or_else(|| Problem::damaged("a disputed commission is in another currency"))?
        }
    };
    let given = disputes::given(tx, house, stake)?;
    let sum = earned.checked_add(given.into()).and_then(Money::try_from);
    sum.map_err(|_| Stake::too_much())
}

/// Writes a new dispute down and lets its money wait.
pub fn open(
    tx: &mut Tx<'_>,
    house: &Ctx,
    dispute: &Dispute,
    review: &Review,
    commissions: &[Commission],
) -> Result<(), Problem> {
    let mut lines = Vec::with_capacity(commissions.len());
    let ids: Vec<CommissionId> = commissions.iter().map(|line| line.id).collect();
    let explanations = commissions::explanations(tx, house, &ids)?;
    for (position, line) in (0..).zip(commissions) {
        let explanation = explanations.get(&line.id).ok_or_else(Problem::internal)?;
        let (effect, frozen) = effect_on(line)?;
        lines.push(DisputeLine {
            dispute_id: dispute.id,
            position,
            commission_id: line.id,
            partner_id: line.partner_id,
            program_id: line.program_id,
            amount: line.kept().map_err(Problem::damaged)?,
            explanation: sentence(explanation),
            effect,
            frozen,
        });
    }
    disputes::insert(tx, house, dispute, review, &lines)?;
    commissions::set_dispute(tx, house, &ids, Some(dispute.id))?;
    post(tx, house, &lines, NewEntry::freeze)
}

/// What a dispute does to a line, and how much of it is frozen.
fn effect_on(line: &Commission) -> Result<(Effect, Money), Problem> {
    let nothing = Money::zero(line.owed.amount.currency());
    // What a credit note takes is set off all the same: whoever holds the money needs no dispute to keep it.
    Ok(match (line.status, line.kind) {
        (_, CommissionKind::CreditNote) => (Effect::LeftAlone, nothing),
        (CommissionStatus::Approved, _) => (Effect::Frozen, line.payable().map_err(Problem::damaged)?),
        (CommissionStatus::Pending | CommissionStatus::Due, _) => (Effect::Withheld, nothing),
        _ => (Effect::LeftAlone, nothing),
    })
}

/// A constructor of [`NewEntry`] for disputes.
type EntryOf =
    fn(crate::kernel::id::DisputeId, PartnerId, ProgramId, Money, chrono::DateTime<chrono::Utc>) -> NewEntry;

/// One entry per frozen line.
fn post(tx: &mut Tx<'_>, house: &Ctx, lines: &[DisputeLine], entry: EntryOf) -> Result<(), Problem> {
    let entries: Vec<NewEntry> = lines
        .iter()
        .map(|line| {
            let entry = entry(
                line.dispute_id,
                line.partner_id,
                line.program_id,
                line.frozen,
                house.now,
            );
            entry.at_step(line.position)
        })
        .collect();
    ledger::post(tx, house, &entries)
}

/// Disputed lines came back from a payout that was cancelled, failed or was returned: they are frozen now. The caller has
/// them locked.
pub fn freeze_returned(tx: &mut Tx<'_>, ctx: &Ctx, lines: &SettledLines) -> Result<(), Problem> {
    let mut returned = Vec::new();
    for line in commissions::lock_disputed(tx, ctx, lines)? {
        if let (Some(dispute_id), (Effect::Frozen, frozen)) = (line.dispute_id, effect_on(&line)?) {
            returned.push((dispute_id, line.id, frozen));
        }
    }
    let frozen = disputes::freeze_late(tx, ctx, &returned)?;
    post(tx, ctx, &frozen, NewEntry::freeze)
}

/// Lets the money of a dispute go on; its lines, locked. The dispute was locked before.
pub fn thaw(tx: &mut Tx<'_>, house: &Ctx, dispute: &Dispute) -> Result<Vec<Commission>, Problem> {
    let ids = commissions_of(dispute);
    let held = commissions::lock_several(tx, house, &ids)?;
    let lines = disputes::lines(tx, house, dispute.id)?;
    post(tx, house, &lines, NewEntry::thaw)?;
    commissions::set_dispute(tx, house, &ids, None)?;
    Ok(held)
}

/// What the subject comes to now, with its lines locked.
pub fn computed(tx: &mut Tx<'_>, ctx: &Ctx, dispute: &Dispute, amounts: Amounts) -> Result<Money, Problem> {
    let lines = commissions::lock_several(tx, ctx, &commissions_of(dispute))?;
    let missing_on = missing_on(dispute);
    let stake = stake(dispute.partner_id, amounts.claimed.currency(), &lines, missing_on);
    come_to(tx, ctx, &stake, &lines, missing_on)
}

/// Ends a dispute of money: what waited goes on, and the difference that was found is given. Whoever found it is its author,
/// and the caller approves it.
pub fn settle(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    dispute: &Dispute,
    review: &Review,
    amounts: Amounts,
    ruling: &Ruling,
) -> Result<Option<AdjustmentId>, Problem> {
    thaw(tx, ctx, dispute)?;
    if ruling.outcome == DisputeOutcome::Denied {
        return Ok(None);
    }
    ctx.require(Permission::AdjustmentsApprove)?;
    let computed = computed(tx, ctx, dispute, amounts)?;
    let amount = review.award(ruling.outcome, amounts, computed)?;
    let author = review.reviewed_by.ok_or_else(Problem::internal)?;
    let single = <[CommissionId; 1]>::try_from(commissions_of(dispute)).ok();
    let new = NewAdjustment {
        external_id: None,
        partner_id: dispute.partner_id,
        program_id: dispute.program_id.ok_or_else(Problem::internal)?,
        commission_id: single.map(|[id]| id),
        deal_id: missing_on(dispute),
        backtest_id: None,
        attribution_id: None,
        dispute_id: None,
        reason_code: AdjustmentReason::Dispute,
        reason: ruling.reason.clone(),
        amount,
    };
    let makers = &review.reviewer_secret_makers;
    let proposed = adjustments::propose_for(tx, ctx, vec![new], author, makers)?;
    let proposed = proposed.first().ok_or_else(Problem::internal)?;
    let approved = adjustment_decided::of_one(tx, ctx, proposed.id, &Precondition::Any)?;
    Ok(Some(approved.id))
}

/// What the commissions of a dispute keep as something is given on them; nothing where it is about none.
pub fn kept_then(tx: &mut Tx<'_>, ctx: &Ctx, dispute: &Dispute) -> Result<Option<Money>, Problem> {
    let ids = commissions_of(dispute);
    let Some(amounts) = dispute.amounts.filter(|_| !ids.is_empty()) else {
        return Ok(None);
    };
    let kept = kept_in(&commissions::several(tx, ctx, &ids)?, amounts.claimed.currency())?;
    Ok(kept.and_then(|kept| Money::try_from(kept).ok()))
}

/// What the lines of a dispute keep, in the currency in which it is about them: as they are owed, or as they were earned
/// where they were exchanged since; nothing where that is neither.
pub(super) fn kept_in(lines: &[Commission], currency: Currency) -> Result<Option<Total>, Problem> {
    let mut sum = Total::zero(currency);
    for line in lines {
        let kept = if line.owed.amount.currency() == currency {
            line.kept()
        } else {
            line.net()
        };
        let kept = kept.map_err(Problem::damaged)?;
        if kept.currency() != currency {
            return Ok(None);
        }
        sum = sum.checked_add(kept.into()).map_err(Problem::damaged)?;
    }
    Ok(Some(sum))
}

pub(super) fn commissions_of(dispute: &Dispute) -> Vec<CommissionId> {
    let subjects = dispute.subject_ids.iter();
    let commissions = subjects.filter(|subject| subject.subject_type == SubjectType::Commission);
    commissions
        .map(|subject| CommissionId::from_uuid(subject.id))
        .collect()
}

fn missing_on(dispute: &Dispute) -> Option<DealId> {
    let is_deal = dispute.subject_type == SubjectType::Deal;
    let first = dispute.subject_ids.first().filter(|_| is_deal);
    first.map(|subject| DealId::from_uuid(subject.id))
}
