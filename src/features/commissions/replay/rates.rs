//! In which currency partners would have been paid. What was exchanged then says by which rate; what was not earned then
//! goes by the rate of its day, where it would have been exchanged as it was earned.

use super::{Earned, EarnedBefore, MoneyBefore};
use crate::features::commissions::store::accrual::ProgramTerms;
use crate::features::commissions::store::exchange as store;
use crate::features::exchange_rates::{self, Asked, MAX_AGE_DAYS};
use crate::kernel::commission::Component;
use crate::kernel::ctx::Ctx;
use crate::kernel::exchange::{Exchange, FxPolicy, LineExchange};
use crate::kernel::id::{CommissionId, PartnerId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::kernel::time::local_date;
use crate::platform::db::Tx;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// The partners that are paid in a currency of their own where lines are exchanged as they are earned, with that currency.
#[derive(Debug, Default)]
pub struct PaidIn(HashMap<PartnerId, Currency>);

impl PaidIn {
    /// Those of a program.
    pub fn of(tx: &mut Tx<'_>, ctx: &Ctx, program: &ProgramTerms) -> Result<Self, Problem> {
        let all = store::paid_in(tx, &ctx.scope, program.id, None)?.into_iter();
        let now = all.filter(|(_, (_, policy))| *policy == FxPolicy::AtAccrual);
        Ok(Self(now.map(|(id, (currency, _))| (id, currency)).collect()))
    }
}

/// The rates of a batch of lines.
#[derive(Debug)]
pub struct Rates {
    /// Of what was exchanged: by line of the base component, partner and component.
    own: HashMap<(CommissionId, PartnerId, Component), LineExchange>,
    /// Of the days of the lines.
    of_days: HashMap<Asked, Exchange>,
}

impl Rates {
    /// What was exchanged of these lines by an instant, and the rates of their days.
    pub fn of(
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        paid_in: &PaidIn,
        lines: &[EarnedBefore],
        as_of: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let ids: Vec<CommissionId> = lines.iter().map(|line| line.id).collect();
        let own = store::exchanges_of(tx, &ctx.scope, &ids, as_of)?;
        let currencies: HashSet<Currency> = paid_in.0.values().copied().collect();
        let of_line = |line: &EarnedBefore| {
            let (from, on) = (currency(line)?, local_date(line.earned_at, line.program.zone));
            let others = currencies.iter().filter(move |to| **to != from);
            Some(others.map(move |to| Asked { from, to: *to, on }))
        };
        let asked: HashSet<Asked> = lines.iter().filter_map(of_line).flatten().collect();
        let of_days = exchange_rates::rates_for(tx, ctx, &asked, MAX_AGE_DAYS)?;
        Ok(Self { own, of_days })
    }

    /// How what a line would have earned would have been exchanged; not at all where what it earned then was not.
    pub fn exchange(
        &self,
        paid_in: &PaidIn,
        line: &EarnedBefore,
        was: &[(PartnerId, Money)],
        earned: &Earned,
    ) -> Result<Option<LineExchange>, Problem> {
        let (partner_id, from) = (earned.partner_id, earned.amount.currency());
        let before = earned.explanation.already_posted().map_err(Problem::damaged)?;
        let sums = (before, earned.amount);
        let key = (line.id, partner_id, earned.component);
        let exchanged = if let Some(own) = self.own.get(&key) {
            LineExchange::of(own.policy, own.exchange.clone(), own.on, own.rounding, sums)
        } else {
            let waited = |(whose, kept): &(PartnerId, Money)| {
                *whose == partner_id && kept.currency() == from && !kept.is_zero()
            };
            let on = local_date(line.earned_at, line.program.zone);
            let to = paid_in.0.get(&partner_id).copied().unwrap_or(from);
            let rate = self.of_days.get(&Asked { from, to, on });
            let Some(rate) = rate.filter(|_| !earned.amount.is_zero() && !was.iter().any(waited)) else {
                return Ok(None);
            };
            LineExchange::of(FxPolicy::AtAccrual, rate.clone(), on, line.program.rounding, sums)
        };
        exchanged.map(Some).map_err(Problem::damaged)
    }
}

/// The currency of the money that a line was earned on.
fn currency(line: &EarnedBefore) -> Option<Currency> {
    match &line.money {
        MoneyBefore::Payment(rows) => rows.first().map(|row| row.net.currency()),
        MoneyBefore::Credit(rows) => rows.first().map(|row| row.credit.currency()),
    }
}
