//! When partners will be paid.

use super::domain::{Expectation, Purse, of_line, of_purse};
use super::store;
use crate::features::commissions::CommissionStatus;
use crate::features::exchange_rates::{self, Asked, MAX_AGE_DAYS};
use crate::features::partners;
use crate::kernel::ctx::Ctx;
use crate::kernel::exchange::Exchange;
use crate::kernel::id::{CommissionId, PartnerId};
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use std::collections::{HashMap, HashSet};

/// When a commission will be paid, and where it stands; a partner's caller asks about its own.
pub fn of_commission(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: CommissionId,
) -> Result<(CommissionId, CommissionStatus, Expectation), Problem> {
    let line = store::line(tx, &ctx.scope, id, ctx.now)?.ok_or_else(Problem::not_found)?;
    let purses = purses(tx, ctx, line.partner_id)?;
    let is_its =
        |purse: &&Purse| (purse.program_id, purse.currency) == (line.program_id, line.amount.currency());
    let has_rate = match line.exchange {
        None => true,
        Some(asked) => !rates(tx, ctx, &HashSet::from([asked]))?.is_empty(),
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
    let purses = purses(tx, ctx, id)?.into_iter();
    purses
        .map(|purse| Ok((purse.clone(), of_purse(&purse)?)))
        .collect()
}

/// What a partner has coming, with the rates of today for what is exchanged when it is paid.
fn purses(tx: &mut Tx<'_>, ctx: &Ctx, id: PartnerId) -> Result<Vec<Purse>, Problem> {
    let purses = store::purses(tx, &ctx.scope, id, ctx.now)?;
    let asked: HashSet<Asked> = purses.iter().filter_map(Purse::asked).collect();
    let rates = rates(tx, ctx, &asked)?;
    let exchanged = |purse: Purse| {
        let exchange = purse.asked().and_then(|asked| rates.get(&asked).cloned());
        purse.exchanged_by(exchange).map_err(Problem::damaged)
    };
    purses.into_iter().map(exchanged).collect()
}

fn rates(tx: &mut Tx<'_>, ctx: &Ctx, asked: &HashSet<Asked>) -> Result<HashMap<Asked, Exchange>, Problem> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    tx.in_house(ctx, |tx, house| {
        exchange_rates::rates_for(tx, house, asked, MAX_AGE_DAYS)
    })
}
