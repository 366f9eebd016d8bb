//! The verbs of a commission that are no arithmetic.

use super::domain::{Commission, Moved};
use super::store::{self, ApprovalScope, Clawback, ClawbackFilter, CommissionFilter};
use crate::kernel::commission::Explanation;
use crate::kernel::ctx::Ctx;
use crate::kernel::exchange::LineExchange;
use crate::kernel::id::{AttributionId, ClawbackId, CommissionId, DealId, DisputeId, PartnerId, RefundId};
use crate::kernel::money::{Currency, Total};
use crate::kernel::problem::Problem;
use crate::kernel::version::Precondition;
use crate::platform::db::{Change, Page, PageRequest, Subject, Tx};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::HashMap;

/// Lines released in one transaction at most.
const RELEASED_AT_ONCE: i64 = 5_000;

/// One line, if the caller may see it.
pub fn get(tx: &mut Tx<'_>, ctx: &Ctx, id: CommissionId) -> Result<Commission, Problem> {
    store::find(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// One line as it was known at an instant, if the caller may see it: where it stood by the journal, and what had been
/// taken back of it.
pub fn get_as_of(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionId,
    instant: DateTime<Utc>,
) -> Result<Commission, Problem> {
    let current = get(tx, ctx, id)?;
    if current.created_at > instant {
        return Err(Problem::not_found());
    }
    if current.updated_at <= instant {
        return Ok(current);
    }
    let known = store::known_at(tx, &ctx.scope, &current, instant)?;
    current.stood_at(known, instant).map_err(Problem::damaged)
}

/// Several lines, as far as the caller may see them; in no order.
pub fn several(tx: &mut Tx<'_>, ctx: &Ctx, ids: &[CommissionId]) -> Result<Vec<Commission>, Problem> {
    store::several(tx, &ctx.scope, ids)
}

/// A page of the lines that the caller may see.
pub fn list(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &CommissionFilter,
    page: &PageRequest,
) -> Result<Page<Commission>, Problem> {
    store::list(tx, &ctx.scope, filter, page)
}

/// Locks the lines of a credit until the transaction ends, so that nothing is taken from them or given back meanwhile.
pub fn lock_lines_of_credit(tx: &mut Tx<'_>, ctx: &Ctx, id: AttributionId) -> Result<(), Problem> {
    store::lock_lines_of_credit(tx, &ctx.scope, id)
}

/// The credits that earned these lines.
pub fn credits_of(tx: &mut Tx<'_>, ctx: &Ctx, lines: &[CommissionId]) -> Result<Vec<AttributionId>, Problem> {
    store::credits_of(tx, &ctx.scope, lines)
}

/// Lines that are disputed or to be, locked until the transaction ends; in house.
pub fn lock_several(tx: &mut Tx<'_>, house: &Ctx, ids: &[CommissionId]) -> Result<Vec<Commission>, Problem> {
    store::lock_several(tx, &house.scope, ids)
}

/// The credits that earned with the payments of these refunds.
pub fn credits_of_refunds(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    refunds: &[RefundId],
) -> Result<Vec<AttributionId>, Problem> {
    store::credits_of_refunds(tx, &ctx.scope, refunds)
}

/// What a partner has earned on a deal and kept, in this currency.
pub fn kept_on_deal(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    deal_id: DealId,
    partner_id: PartnerId,
    currency: Currency,
) -> Result<Total, Problem> {
    store::kept_on_deal(tx, &ctx.scope, deal_id, partner_id, currency)
}

/// Lets a dispute hold up lines that were locked before, or lets go of them; in house.
pub fn set_dispute(
    tx: &mut Tx<'_>,
    house: &Ctx,
    ids: &[CommissionId],
    dispute_id: Option<DisputeId>,
) -> Result<(), Problem> {
    store::set_dispute(tx, house, ids, dispute_id)
}

/// The stored explanation of a line, and of its exchange, if it was exchanged.
pub fn explanation(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionId,
) -> Result<(Explanation, Option<LineExchange>), Problem> {
    store::explanation(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// The stored explanations of lines, as far as the caller may see them.
pub fn explanations(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    ids: &[CommissionId],
) -> Result<HashMap<CommissionId, Explanation>, Problem> {
    store::explanations(tx, &ctx.scope, ids)
}

/// One clawback, if the caller may see it.
pub fn get_clawback(tx: &mut Tx<'_>, ctx: &Ctx, id: ClawbackId) -> Result<Clawback, Problem> {
    store::find_clawback(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)
}

/// A page of the clawbacks that the caller may see.
pub fn list_clawbacks(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ClawbackFilter,
    page: &PageRequest,
) -> Result<Page<Clawback>, Problem> {
    store::list_clawbacks(tx, &ctx.scope, filter, page)
}

/// Ends the holds that are over: what was released, and of that what its program approves by itself.
pub fn release(tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(Vec<Moved>, Vec<Moved>), Problem> {
    let over = store::lock_released(tx, ctx, RELEASED_AT_ONCE)?;
    let released: Vec<Moved> = over.iter().map(|(line, _)| *line).collect();
    let ids = |lines: &[Moved]| lines.iter().map(|line| line.id).collect::<Vec<_>>();
    store::release(tx, ctx, &ids(&released))?;
    record(tx, ctx, "commission.released", &released, false);
    let by_itself: Vec<Moved> = over
        .iter()
        .filter(|(_, by_itself)| *by_itself)
        .map(|(line, _)| *line)
        .collect();
    if !by_itself.is_empty() {
        store::approve(tx, ctx, Some(&ids(&by_itself)), &ApprovalScope::default())?;
        record(tx, ctx, "commission.approved", &by_itself, false);
    }
    Ok((released, by_itself))
}

/// Approves one due line.
pub fn approve(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionId,
    precondition: &Precondition,
) -> Result<(Commission, Vec<Moved>), Problem> {
    let line = store::lock(tx, &ctx.scope, id)?.ok_or_else(Problem::not_found)?;
    precondition.check(line.row_version)?;
    line.may_be_approved()?;
    let moved = store::approve(tx, ctx, Some(&[id]), &ApprovalScope::default())?;
    record(tx, ctx, "commission.approved", &moved, true);
    Ok((get(tx, ctx, id)?, moved))
}

/// Approves every due line of the scope.
pub fn approve_due(tx: &mut Tx<'_>, ctx: &Ctx, which: &ApprovalScope) -> Result<Vec<Moved>, Problem> {
    let moved = store::approve(tx, ctx, None, which)?;
    record(tx, ctx, "commission.approved", &moved, true);
    Ok(moved)
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, event: &'static str, lines: &[Moved], audited: bool) {
    for line in lines {
        let data = json!({ "amount": line.amount });
        let change = Change::consequence(
            event,
            Subject {
                kind: "commission",
                id: line.id.uuid(),
            },
            data.clone(),
        );
        let change = Change {
            audited,
            changes: data,
            ..change
        };
        tx.record(ctx, change.for_partner(Some(line.partner_id.uuid())));
    }
}
