//! Payouts that the service pays itself, by transfers to connected accounts at Stripe.
//!
//! The worker takes a transfer up and commits that it is sent; then it asks Stripe, outside of any transaction; then it
//! records what was answered. Wherever it is killed, the next one finds an order that may have arrived and goes on from
//! there: with the same key, which Stripe answers the same for a day, or by looking. Events of Stripe's come to the same end.

use super::payout_run;
use crate::features::payouts::{
    self, Claim, Confirmation, LockedTransfer, PayoutStatus, PayoutTransfer, Step, Told, TransferStatus,
};
use crate::kernel::ctx::Ctx;
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::platform::clock::Clock;
use crate::platform::db::{Db, Tx, step_in};
use crate::platform::stripe::{Made, Notice, Stripe, Transfer};
use chrono::{DateTime, Utc};

/// What is known after Stripe was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// There is the transfer that was ordered.
    Made(Transfer),
    /// There is none, and there will be none: why.
    Refused(String),
    /// Nothing was done this time: why.
    NotNow(String),
    /// Nobody knows: why.
    Unknown(String),
    /// Stripe will tell no more, so that a person has to look: why.
    Unresolved(String),
    /// There is more than one, so that a person has to look: why.
    Several(String),
}

/// Does what is due for one transfer. Says whether there was one.
pub fn work(db: &Db, clock: &dyn Clock, stripe: &Stripe) -> Result<bool, Problem> {
    let ctx = circumstances(db, clock, stripe)?;
    let taken = db.write_now(&ctx, |tx| payouts::claim_transfer(tx, &ctx, stripe.fingerprint()))?;
    let Some(claim) = taken else {
        return Ok(false);
    };
    // Whoever was held up for so long between the commit and here may have been succeeded by somebody else.
    if !claim.transfer.is_held_at(clock.now()) {
        return Ok(true);
    }
    let finding = ask(stripe, &claim);
    let ctx = circumstances(db, clock, stripe)?;
    db.write_now(&ctx, |tx| settle(tx, &ctx, &claim, &finding))?;
    Ok(true)
}

/// A step of the service in the organization that Stripe pays for.
fn circumstances(db: &Db, clock: &dyn Clock, stripe: &Stripe) -> Result<Ctx, Problem> {
    let (organization_id, now) = (stripe.organization_id(), clock.now());
    db.outside_now(|connection| step_in(connection, organization_id, now))
}

/// Asks Stripe; nothing is locked meanwhile.
fn ask(stripe: &Stripe, claim: &Claim) -> Finding {
    match claim.step {
        Step::LookUp => match look_up(stripe, claim) {
            Ok(Some(found)) => found,
            Ok(None) => Finding::Unresolved(
                "The answer to the transfer's order was lost, Stripe knows its key no longer, and there is no transfer of \
                 this payout. Look in the Stripe dashboard, then confirm the payout or fail it."
                    .to_owned(),
            ),
            Err(why) => Finding::Unknown(why),
        },
        Step::Order => match stripe.order(&claim.order) {
            Made::Yes(transfer) => checked(claim, transfer),
            Made::NotNow(why) => Finding::NotNow(why),
            Made::No(why) if claim.is_first => Finding::Refused(why),
            Made::Unknown(why) if claim.is_first => Finding::Unknown(why),
            // An earlier order may have arrived. What is said of this one is only believed when there is no transfer.
            Made::No(why) => match look_up(stripe, claim) {
                Ok(Some(found)) => found,
                Ok(None) => Finding::Refused(why),
                Err(trouble) => Finding::Unknown(trouble),
            },
            Made::Unknown(why) => match look_up(stripe, claim) {
                Ok(Some(found)) => found,
                Ok(None) => Finding::Unknown(why),
                Err(trouble) => Finding::Unknown(format!("{why}; {trouble}")),
            },
        },
    }
}

/// What Stripe has of the payout, whatever became of the key; nothing where it has nothing.
fn look_up(stripe: &Stripe, claim: &Claim) -> Result<Option<Finding>, String> {
    let mut found = stripe.find(&claim.order)?;
    match (found.pop(), found.is_empty()) {
        (None, _) => Ok(None),
        (Some(only), true) => Ok(Some(checked(claim, only))),
        (Some(_), false) => Ok(Some(Finding::Several(
            "Stripe has more than one transfer in the group of this payout. Look in the Stripe dashboard, reverse what is \
             too much there, and confirm the payout with the reference of the one that stands, or fail it."
                .to_owned(),
        ))),
    }
}

fn checked(claim: &Claim, transfer: Transfer) -> Finding {
    if claim.order.is_met_by(&transfer) {
        Finding::Made(transfer)
    } else {
        Finding::Unresolved(format!(
            "Stripe has the transfer {}, which is not what was ordered. Look in the Stripe dashboard.",
            transfer.id
        ))
    }
}

/// Records what is known. Whatever came to an end meanwhile stays, and a worker that was succeeded by another one adds
/// nothing but that the transfer was made.
fn settle(tx: &mut Tx<'_>, ctx: &Ctx, claim: &Claim, finding: &Finding) -> Result<(), Problem> {
    let Some(now) = payouts::lock_transfer(tx, ctx, claim.order.payout_id)? else {
        return Ok(());
    };
    if let Finding::Made(transfer) = finding {
        return heard(tx, ctx, now, transfer, None);
    }
    if now.transfer.status != TransferStatus::Sent || now.transfer.attempts != claim.transfer.attempts {
        return Ok(());
    }
    let payout = claim.order.payout_id;
    match finding {
        Finding::Made(_) => Ok(()),
        Finding::Refused(why) => {
            tracing::info!(%payout, why, "Stripe refused a transfer");
            payouts::save_transfer(tx, ctx, &now.transfer.ended(TransferStatus::Refused))?;
            let reason = format!("Stripe refused the transfer: {why}");
            payout_run::fail_locked(tx, ctx, now.locked, &reason).map(drop)
        }
        Finding::NotNow(why) if claim.is_first => {
            tracing::warn!(%payout, why, "Stripe takes no transfer now");
            payouts::save_transfer(tx, ctx, &now.transfer.requeue(ctx.wall_now))
        }
        Finding::NotNow(why) | Finding::Unknown(why) => {
            tracing::warn!(%payout, why, "it is not known whether a transfer was made");
            payouts::save_transfer(tx, ctx, &now.transfer.rest(ctx.wall_now))
        }
        Finding::Unresolved(why) | Finding::Several(why) => {
            tracing::error!(%payout, why, "a person has to look at a payout");
            let ended = now.transfer.ended(TransferStatus::Unresolved);
            let unresolved = PayoutTransfer {
                is_ambiguous: ended.is_ambiguous || matches!(finding, Finding::Several(_)),
                ..ended
            };
            payouts::save_transfer(tx, ctx, &unresolved)?;
            payouts::question(tx, ctx, now.locked, why)
        }
    }
}

/// Stripe tells of a transfer. What is none of ours, or is known already, changes nothing.
pub fn notified(tx: &mut Tx<'_>, ctx: &Ctx, notice: &Notice) -> Result<(), Problem> {
    let transfer = &notice.transfer;
    let Some(payout_id) = transfer.payout_id() else {
        return Ok(());
    };
    let Some(now) = payouts::lock_transfer(tx, ctx, payout_id)? else {
        return Ok(());
    };
    if !now.order.is_met_by(transfer) {
        tracing::error!(payout = %payout_id, transfer = transfer.id, "Stripe tells of another transfer of a payout");
        // A person may have taken it for the payment all the same.
        let is_the_payment = now.locked.payout.reference.as_deref() == Some(&*transfer.id);
        if is_the_payment && now.transfer.status == TransferStatus::Closed {
            return beside(tx, ctx, now, transfer);
        }
        return Ok(());
    }
    heard(tx, ctx, now, transfer, notice.occurred_at)
}

/// There is a transfer of the payout: the one that was ordered, or one beside that which pays it.
fn heard(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    now: LockedTransfer,
    transfer: &Transfer,
    told_at: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    if now.transfer.is_beside(&transfer.id, &now.locked.payout) {
        return beside(tx, ctx, now, transfer);
    }
    let reversed = went_back(&now, transfer)?;
    arrived(tx, ctx, now, (transfer, reversed), told_at)
}

fn went_back(now: &LockedTransfer, transfer: &Transfer) -> Result<Money, Problem> {
    let reversed = transfer.reversed(now.order.amount.currency());
    reversed.ok_or_else(|| Problem::damaged("a transfer came back with more than there is"))
}

/// Tells of a transfer that may not be the one that pays the payout, once; it moves nothing.
fn beside(tx: &mut Tx<'_>, ctx: &Ctx, now: LockedTransfer, transfer: &Transfer) -> Result<(), Problem> {
    let reversed = went_back(&now, transfer)?;
    let told = told_of(transfer, reversed);
    if now.transfer.told.as_ref() == Some(&told) {
        return Ok(());
    }
    payouts::save_transfer(tx, ctx, &now.transfer.told_beside(told.clone()))?;
    let why = "Stripe has a transfer of this payout that may not be the only one, or not the one that pays it; nothing was \
        moved. Look in the Stripe dashboard: reverse there what is too much, and return the payout if nothing of it stands.";
    payouts::tell(tx, ctx, &now.locked.payout, &told, why);
    Ok(())
}

fn told_of(transfer: &Transfer, reversed: Money) -> Told {
    Told {
        transfer_id: transfer.id.clone(),
        reversed,
    }
}

/// There is the transfer that was ordered: the payout is paid, and has come back as far as the transfer has.
fn arrived(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    now: LockedTransfer,
    (transfer, reversed): (&Transfer, Money),
    told_at: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    let LockedTransfer {
        mut locked,
        transfer: mut known,
        ..
    } = now;
    let is_news = known.transfer_id.is_none();
    match known.status {
        TransferStatus::Queued | TransferStatus::Sent | TransferStatus::Unresolved => {
            known = known.made(&transfer.id);
            payouts::save_transfer(tx, ctx, &known)?;
            let confirmation = Confirmation {
                reference: Some(transfer.id.clone()),
                paid_at: own_time(ctx, transfer.made_at()),
            };
            locked = payout_run::confirm_locked(tx, ctx, locked, &confirmation)?;
        }
        TransferStatus::Refused | TransferStatus::Closed if is_news => {
            known.transfer_id = Some(transfer.id.clone());
            payouts::save_transfer(tx, ctx, &known)?;
            if locked.payout.status == PayoutStatus::Failed {
                let why = "Stripe made a transfer of a payout that is failed, so that a later run pays it once more. Reverse it \
                     in the Stripe dashboard, or take the amount back by an adjustment.";
                payouts::tell(tx, ctx, &locked.payout, &told_of(transfer, reversed), why);
            }
        }
        TransferStatus::Made | TransferStatus::Refused | TransferStatus::Closed => {}
    }
    let more = reversed.checked_sub(known.reversed).map_err(Problem::damaged)?;
    if !more.is_positive() || locked.payout.status != PayoutStatus::Paid {
        return Ok(());
    }
    came_back(tx, ctx, locked, known, told_of(transfer, reversed), told_at)
}

/// A transfer came back, whole or in part. A payout comes back whole or not at all, so that a part is a person's to give back;
/// and once a part did, so is the rest.
fn came_back(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    locked: payouts::LockedPayout,
    known: PayoutTransfer,
    told: Told,
    told_at: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    let reversed = told.reversed;
    let is_whole = known.reversed.is_zero() && reversed == locked.payout.amount;
    payouts::save_transfer(tx, ctx, &PayoutTransfer { reversed, ..known })?;
    if is_whole {
        let paid_at = locked.payout.paid_at.unwrap_or(ctx.now);
        let returned_at = own_time(ctx, told_at).max(paid_at);
        let reason = "The transfer was reversed at Stripe.";
        return payout_run::bounce_locked(tx, ctx, locked, reason, Some(returned_at)).map(drop);
    }
    let why = "A part of the transfer was reversed at Stripe. Give it back to the partner by an adjustment.";
    payouts::tell(tx, ctx, &locked.payout, &told, why);
    Ok(())
}

/// An instant of Stripe's by the organization's clock, and never in its future; now where none is known.
fn own_time(ctx: &Ctx, instant: Option<DateTime<Utc>>) -> DateTime<Utc> {
    let ahead = ctx.now - ctx.wall_now;
    instant.map_or(ctx.now, |instant| (instant + ahead).min(ctx.now))
}
