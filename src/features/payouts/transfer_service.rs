//! The transfers by which the service pays payouts itself. What they do to payouts and their lines is told in
//! `flows::stripe_transfers`.

use super::domain::{Claim, Payout, PayoutTransfer, Told, TransferStatus};
use super::service::{LockedPayout, complete_if_settled, payout_subject};
use super::store;
use crate::features::payout_methods;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PayoutId;
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::{Change, Tx};
use crate::platform::stripe::TransferOrder;
use serde_json::json;

/// A transfer with its payout and before it the run, all locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedTransfer {
    /// The payout and its run.
    pub locked: LockedPayout,
    /// The transfer.
    pub transfer: PayoutTransfer,
    /// What is ordered by it.
    pub order: TransferOrder,
}

/// Queues the transfers of payouts that begin to be paid by the service.
pub(super) fn queue(tx: &mut Tx<'_>, ctx: &Ctx, payouts: &[Payout]) -> Result<(), Problem> {
    let transfers: Vec<PayoutTransfer> = payouts
        .iter()
        .map(|payout| PayoutTransfer::queue(payout.id, payout.amount.currency(), ctx.wall_now))
        .collect();
    store::insert_transfers(tx, &ctx.scope, &transfers)
}

/// Takes up the transfer that has been due for the longest. From the end of this transaction on it is taken for sent with
/// this secret key, so that it must end before anything is sent.
pub fn claim_transfer(tx: &mut Tx<'_>, ctx: &Ctx, sent_with: &str) -> Result<Option<Claim>, Problem> {
    let Some(payout_id) = store::lock_due_transfer(tx, &ctx.scope, ctx.wall_now)? else {
        return Ok(None);
    };
    let missing = || Problem::damaged("a transfer lacks its payout");
    let payout = store::find(tx, &ctx.scope, payout_id)?.ok_or_else(missing)?;
    let due = store::lock_transfer(tx, &ctx.scope, &payout)?.ok_or_else(missing)?;
    let is_first = due.uncertain_since.is_none();
    let (transfer, step) = due.take_up(sent_with, ctx.wall_now);
    store::update_transfer(tx, &ctx.scope, &transfer)?;
    Ok(Some(Claim {
        order: order(tx, ctx, &payout)?,
        transfer,
        step,
        is_first,
    }))
}

/// What is ordered for a payout, always the same: neither its amount nor what its method says ever changes.
fn order(tx: &mut Tx<'_>, ctx: &Ctx, payout: &Payout) -> Result<TransferOrder, Problem> {
    let destination = match payout.payout_method_id {
        Some(id) => payout_methods::stripe_account(tx, ctx, id)?,
        None => None,
    };
    Ok(TransferOrder {
        payout_id: payout.id,
        amount: payout.amount,
        destination: destination
            .ok_or_else(|| Problem::damaged("a payout by transfer lacks its destination"))?,
    })
}

/// The transfer of a payout; nothing where there is no such payout, or it is paid in another way.
pub fn lock_transfer(tx: &mut Tx<'_>, ctx: &Ctx, id: PayoutId) -> Result<Option<LockedTransfer>, Problem> {
    let Some(run) = store::lock_run_of(tx, &ctx.scope, id)? else {
        return Ok(None);
    };
    let Some(payout) = store::lock(tx, &ctx.scope, id)? else {
        return Ok(None);
    };
    let Some(transfer) = store::lock_transfer(tx, &ctx.scope, &payout)? else {
        return Ok(None);
    };
    let order = order(tx, ctx, &payout)?;
    Ok(Some(LockedTransfer {
        locked: LockedPayout { run, payout },
        transfer,
        order,
    }))
}

/// Saves a transfer that changed; its payout is locked.
pub fn save_transfer(tx: &mut Tx<'_>, ctx: &Ctx, transfer: &PayoutTransfer) -> Result<(), Problem> {
    store::update_transfer(tx, &ctx.scope, transfer)
}

/// A person decides what became of payouts of a locked run. Refused while the rail may still do so: what it was given may
/// be on its way, and would be paid once more by a later run.
pub fn take_from_rail(tx: &mut Tx<'_>, ctx: &Ctx, payouts: &[Payout]) -> Result<(), Problem> {
    let transfers = store::lock_transfers(tx, &ctx.scope, payouts)?;
    if let Some(sent) = transfers.iter().find(|one| one.status == TransferStatus::Sent) {
        return Err(Problem::new(Code::PayoutInTransit).because(format!(
            "The payout {} was sent to Stripe, and what became of it is being found out. It is yours to decide if \
             that cannot be found out within a day.",
            sent.payout_id
        )));
    }
    let is_open =
        |one: &&PayoutTransfer| matches!(one.status, TransferStatus::Queued | TransferStatus::Unresolved);
    let open: Vec<PayoutId> = transfers
        .iter()
        .filter(is_open)
        .map(|one| one.payout_id)
        .collect();
    store::close_transfers(tx, &ctx.scope, &open)
}

/// A payout that is being paid stays so, but the service cannot find out what became of it: a person has to.
pub fn question(tx: &mut Tx<'_>, ctx: &Ctx, locked: LockedPayout, why: &str) -> Result<(), Problem> {
    let LockedPayout { run, payout } = locked;
    let after = payout.clone().question(NOT_KNOWN, ctx.now)?;
    store::update_all(tx, &ctx.scope, std::slice::from_ref(&after))?;
    let change = Change::updated("payout.questioned", payout_subject(&after), &payout, &after);
    tx.record(ctx, change.with_reason(Some(why.to_owned())));
    complete_if_settled(tx, ctx, run, false)?;
    Ok(())
}

/// What the partner, too, is told of a payout whose end is not known.
const NOT_KNOWN: &str = "It is not known whether the payment was made. Somebody looks into it.";

/// Tells the organization of something at its rail that does not fit a payout and moves nothing by itself.
pub fn tell(tx: &mut Tx<'_>, ctx: &Ctx, payout: &Payout, told: &Told, why: &str) {
    let data = json!({
        "id": payout.id, "status": payout.status, "amount": payout.amount, "transfer_id": told.transfer_id,
        "amount_reversed": told.reversed,
    });
    let mut change = Change::consequence("payout.questioned", payout_subject(payout), data);
    change.changes = json!({
        "transfer_id": { "before": null, "after": told.transfer_id },
        "amount_reversed": { "before": null, "after": told.reversed },
    });
    change.audited = true;
    tx.record(ctx, change.with_reason(Some(why.to_owned())));
}
