//! When partners will be paid.

use super::domain::{Expectation, Purse, of_line, of_purse};
use super::store;
use crate::features::commissions::CommissionStatus;
use crate::features::exchange_rates::{self, MAX_AGE_DAYS};
use crate::features::partners;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CommissionId, PartnerId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use std::collections::HashSet;

/// When a commission will be paid, and where it stands; a partner's caller asks about its own.
pub fn of_commission(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionId,
) -> Result<(CommissionId, CommissionStatus, Expectation), Problem> {
    let line = store::line(tx, &ctx.scope, id, ctx.now)?.ok_or_else(Problem::not_found)?;
    let purses = store::purses(tx, &ctx.scope, line.partner_id, ctx.now)?;
    let is_its =
        |purse: &&Purse| (purse.program_id, purse.currency) == (line.program_id, line.amount.currency());
    let has_rate = match line.exchange {
        None => true,
        Some(asked) => tx.in_house(ctx, |tx, house| {
            let asked = HashSet::from([asked]);
            Ok(!exchange_rates::rates_for(tx, house, &asked, MAX_AGE_DAYS)?.is_empty())
        })?,
    };
    let expectation = of_line(&line, purses.iter().find(is_its), has_rate)?;
    Ok((id, line.status, expectation))
}

/// What a partner has coming, by program and currency; a partner's caller asks about itself.
pub fn of_partner(tx: &mut Tx<'_>, ctx: &Ctx, id: PartnerId) -> Result<Vec<(Purse, Expectation)>, Problem> {
    if ctx.scope.partner_id.is_some_and(|own| own != id) {
        return Err(Problem::not_found());
    }
    partners::get(tx, ctx, id)?;
    let purses = store::purses(tx, &ctx.scope, id, ctx.now)?.into_iter();
    purses
        .map(|purse| Ok((purse.clone(), of_purse(&purse)?)))
        .collect()
}
