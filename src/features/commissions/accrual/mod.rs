//! Earning: from what the store knows of payments and credit notes to new lines.

mod member;
mod pool;

use super::domain::Earned;
use super::standings::Standings;
use super::store;
use super::store::accrual::{CreditRow, Details, Inputs, PaymentRow};
use crate::features::commission_rules;
use crate::kernel::commission::{Component, Rule};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionId, CreditNoteId, DealId, PaymentId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::{Change, Subject, Tx};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::HashMap;

pub(super) use pool::Pool;

/// What to accrue.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// These payments.
    Payments(&'a [PaymentId]),
    /// Every payment of these deals.
    Deals(&'a [DealId]),
    /// These credit notes, which name a deal and no invoice.
    CreditNotes(&'a [CreditNoteId]),
}

/// Works out, writes and returns the lines that the source earned and that were not written before, and which of them are
/// to be exchanged.
///
/// Rules that count, or have a cap, are worked out under a lock on where their partners stand, one transaction after
/// another; lines under other rules wait for nobody.
pub fn accrue(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    source: Source<'_>,
) -> Result<(Vec<Earned>, Vec<CommissionId>), Problem> {
    let inputs = store::accrual::inputs(tx, &ctx.scope, source)?;
    if inputs.payments.is_empty() && inputs.credits.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let programs: Vec<ProgramId> = inputs.programs.keys().copied().collect();
    let rules = commission_rules::rules_of_programs(tx, ctx, &programs)?;
    let details =
        if inputs.have_other_goods() || inputs.have_gates() || rules.values().flatten().any(asks_for_details)
        {
            store::accrual::details(tx, &ctx.scope, source)?
        } else {
            Details::default()
        };
    let pools = pools(&inputs, &rules, &details, ctx.now)?;
    let keys = pools.iter().flat_map(Pool::standings).collect();
    let mut standings = store::standings::lock(tx, ctx, keys)?;
    let earned = work_out(&pools, &mut standings)?;
    let to_exchange = store::accrual::insert(tx, ctx, &earned)?;
    store::standings::save(tx, ctx, &standings)?;
    record(tx, ctx, &earned);
    Ok((earned, to_exchange))
}

/// Whether a rule asks for more than the plain facts of a line.
fn asks_for_details(rule: &Rule) -> bool {
    let terms = rule.terms();
    rule.accumulates()
        || terms.component == Component::Override
        || !terms.clauses.is_plain()
        || terms.formula.depends_on_goods()
}

/// The pools of all inputs, in the order in which they are worked out.
fn pools<'a>(
    inputs: &'a Inputs,
    rules: &'a HashMap<ProgramId, Vec<Rule>>,
    details: &'a Details,
    now: DateTime<Utc>,
) -> Result<Vec<Pool<'a>>, Problem> {
    let rules_of = |id| rules.get(&id).map_or(&[][..], Vec::as_slice);
    let mut pools = Vec::with_capacity(inputs.payments.len());
    for rows in inputs.payments.chunk_by(PaymentRow::same_pool) {
        let Some(first) = rows.first() else { continue };
        let (program, rules) = (inputs.program(first.program_id)?, rules_of(first.program_id));
        pools.push(Pool::of_payment(program, rules, first, rows, details, now));
    }
    for rows in inputs.credits.chunk_by(CreditRow::same_pool) {
        let Some(first) = rows.first() else { continue };
        let (program, rules) = (inputs.program(first.program_id)?, rules_of(first.program_id));
        pools.push(Pool::of_credit(program, rules, first, rows, details, now));
    }
    Ok(pools)
}

/// The lines of all pools; pure.
pub(super) fn work_out(pools: &[Pool<'_>], standings: &mut Standings) -> Result<Vec<Earned>, Problem> {
    let mut earned = Vec::with_capacity(pools.len());
    for pool in pools {
        pool.earn(standings, &mut earned).map_err(Problem::damaged)?;
    }
    Ok(earned)
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, earned: &[Earned]) {
    for line in earned {
        let data = json!({
            "deal_id": line.origin.deal_id,
            "program_id": line.origin.program_id,
            "status": line.status,
            "ineligible_reason": line.ineligible_reason,
            "partner_id": line.partner_id,
            "amount": line.amount,
        });
        let subject = Subject {
            kind: "commission",
            id: line.id.uuid(),
        };
        let change = Change::consequence("commission.accrued", subject, data);
        tx.record(ctx, change.for_partner(Some(line.partner_id.uuid())));
    }
}
