//! Credit under models.

use super::super::domain::GroupBy;
use super::super::store::ReportFilter;
use super::domain::{Adding, Credited, Known};
use super::store;
use crate::features::deals::{self, Deal};
use crate::kernel::attribution::AttributionModel;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{DealId, PartnerId, ProgramId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A deal, and what was known of its credit at an instant.
pub fn of_deal(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: DealId,
    as_of: DateTime<Utc>,
) -> Result<(Deal, Known), Problem> {
    let deal = deals::get(tx, ctx, id)?;
    let mut known = store::known(tx, &ctx.scope, &[id], as_of, None)?;
    Ok((deal, known.remove(&id).unwrap_or_default()))
}

/// The figures of each group, and one total per currency.
pub fn report(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    filter: &ReportFilter,
    model: AttributionModel,
) -> Result<(Vec<Credited>, Vec<Credited>), Problem> {
    let amounts = store::amounts(tx, &ctx.scope, filter)?;
    let deals: BTreeSet<DealId> = amounts.iter().map(|amount| amount.deal_id).collect();
    let deals: Vec<DealId> = deals.into_iter().collect();
    let known = store::known(tx, &ctx.scope, &deals, ctx.now, filter.group_by)?;
    let adding = Adding {
        model,
        group_by: filter.group_by,
        partner_id: filter.partner_id,
    };
    let mut rows = adding.up(&amounts, &known).map_err(Problem::damaged)?;
    for row in &mut rows {
        row.group.key = named(filter.group_by, &row.group.key)?;
    }
    let mut all = amounts;
    all.iter_mut()
        .for_each(|amount| amount.group = Default::default());
    let total = Adding {
        group_by: None,
        ..adding
    };
    let totals = total.up(&all, &known).map_err(Problem::damaged)?;
    Ok((rows, totals))
}

/// Records are named by their typed ids.
fn named(group_by: Option<GroupBy>, key: &str) -> Result<String, Problem> {
    let uuid = || key.parse::<Uuid>().map_err(Problem::damaged);
    Ok(match group_by {
        Some(GroupBy::Program) if !key.is_empty() => ProgramId::from_uuid(uuid()?).to_string(),
        Some(GroupBy::Partner) if !key.is_empty() => PartnerId::from_uuid(uuid()?).to_string(),
        _ => key.to_owned(),
    })
}
