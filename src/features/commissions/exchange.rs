//! Exchange: what a partner earned in the currency of an invoice becomes what it is owed in the currency that it is paid
//! in, once in a line's life, at the day's rate. Where no rate is known the line waits in the currency of the invoice.

use super::domain::{Earned, TakenFrom};
use super::store::accrual::ProgramTerms;
use super::store::exchange::{self as store, TakenRow, Unexchanged};
use crate::features::exchange_rates::{self, Asked, MAX_AGE_DAYS};
use crate::kernel::commission::{CommissionError, Explanation, Refunded, clawback_of_exchanged};
use crate::kernel::ctx::Ctx;
use crate::kernel::exchange::{Exchange, ExchangeError, FxPolicy, LineExchange};
use crate::kernel::id::{ClawbackId, CommissionId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money, MoneyError, Rounding};
use crate::kernel::problem::Problem;
use crate::kernel::time::local_date;
use crate::platform::db::{Change, Subject, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use std::collections::{HashMap, HashSet};

pub use super::store::exchange::organizations_with_unexchanged_lines;

/// A line as its exchange leaves it.
#[derive(Debug, Clone)]
pub struct Exchanged {
    /// The line.
    pub id: CommissionId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// On which account it lies.
    pub account: TakenFrom,
    /// When it came to lie there.
    pub since: DateTime<Utc>,
    /// What is left in the line, in the currency of the invoice; below zero for a credit note.
    pub from: Money,
    /// The same in the currency that the partner is paid in.
    pub to: Money,
    /// What was taken back from it before.
    pub clawbacks: Vec<ExchangedClawback>,
    /// Everything that the amount follows from.
    pub exchange: LineExchange,
    /// The whole line.
    pub amount: Money,
    /// What was taken back from it in all.
    pub reversed: Money,
    /// What was taken back from it before it was approved.
    pub netted: Money,
}

/// What was taken back from a line before that was exchanged.
#[derive(Debug, Clone)]
pub struct ExchangedClawback {
    /// The clawback.
    pub id: ClawbackId,
    /// Whether it is a line of payouts by itself.
    pub is_payable: bool,
    /// Where it nets the line, if it took nothing in the currency of the invoice and takes something in the other.
    pub taken_from: TakenFrom,
    /// How much, in the currency of the invoice; below zero what was given back.
    pub from: Money,
    /// How much, in the currency that the partner is paid in.
    pub to: Money,
    /// Everything that this follows from.
    pub explanation: Explanation,
}

/// How a line would be exchanged that is worked out and not written.
#[derive(Debug, Clone)]
pub struct Foresight {
    /// The currency that the partner is paid in.
    pub currency: Currency,
    /// When the line would be exchanged into that.
    pub policy: FxPolicy,
    /// How, where that is known already: it is to be exchanged as it is earned, and there is a rate of its day.
    pub exchange: Option<LineExchange>,
}

impl Foresight {
    /// Whether the line would wait in the currency of its invoice until there is a rate.
    pub fn waits_for_rate(&self) -> bool {
        self.policy == FxPolicy::AtAccrual && self.exchange.is_none()
    }
}

/// How these lines of a program would be exchanged, by the rates that are known now; none where nothing is.
pub fn foresee(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program: &ProgramTerms,
    lines: &[Earned],
) -> Result<Vec<Option<Foresight>>, Problem> {
    let partners: HashSet<PartnerId> = lines.iter().map(|line| line.partner_id).collect();
    let partners: Vec<PartnerId> = partners.into_iter().collect();
    let paid_in = store::paid_in(tx, &ctx.scope, program.id, Some(&partners))?;
    let question = |line: &Earned| {
        let (to, policy) = *paid_in.get(&line.partner_id)?;
        let (from, on) = (line.amount.currency(), local_date(line.earned_at, program.zone));
        (to != from && !line.amount.is_zero()).then_some((Asked { from, to, on }, policy))
    };
    let questions: Vec<Option<(Asked, FxPolicy)>> = lines.iter().map(question).collect();
    let now = |(asked, policy): &(Asked, FxPolicy)| (*policy == FxPolicy::AtAccrual).then_some(*asked);
    let asked: HashSet<Asked> = questions.iter().flatten().filter_map(now).collect();
    let rates = exchange_rates::rates_for(tx, ctx, &asked, MAX_AGE_DAYS)?;
    let foresee = |(line, question): (&Earned, Option<(Asked, FxPolicy)>)| {
        let Some((asked, policy)) = question else {
            return Ok(None);
        };
        let rate = rates
            .get(&asked)
            .filter(|_| policy == FxPolicy::AtAccrual)
            .cloned();
        let before = line.explanation.already_posted().map_err(Problem::damaged)?;
        let sums = (before, line.amount);
        let exchanged = rate.map(|rate| exchange_of(policy, rate, asked.on, program.rounding, sums));
        Ok(Some(Foresight {
            currency: asked.to,
            policy,
            exchange: exchanged.transpose()?.flatten(),
        }))
    };
    lines.iter().zip(questions).map(foresee).collect()
}

/// Exchanges the lines among these, or of the whole organization, that were to be exchanged when they were earned, as far
/// as their rates are known.
pub fn exchange_earned(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    lines: Option<&[CommissionId]>,
) -> Result<Vec<Exchanged>, Problem> {
    let asked = store::questions(tx, &ctx.scope, lines)?;
    let rates = exchange_rates::rates_for(tx, ctx, &asked, MAX_AGE_DAYS)?;
    if rates.is_empty() {
        return Ok(Vec::new());
    }
    let unexchanged = store::lock_earned(tx, &ctx.scope, lines, &rates)?;
    let exchanged = work_out(tx, ctx, unexchanged, &rates, FxPolicy::AtAccrual)?;
    keep(tx, ctx, &exchanged)?;
    Ok(exchanged)
}

/// What approved lines would come to that a payout exchanges, at the rates of a cut-off; those without a rate are left
/// out. Writes nothing.
pub fn quote(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    program_id: Option<ProgramId>,
    cut_off_at: DateTime<Utc>,
) -> Result<Vec<Exchanged>, Problem> {
    let unexchanged = store::approved(tx, &ctx.scope, program_id, cut_off_at)?;
    let asked: HashSet<Asked> = unexchanged.iter().map(|line| line.asked).collect();
    let rates = exchange_rates::rates_for(tx, ctx, &asked, MAX_AGE_DAYS)?;
    work_out(tx, ctx, unexchanged, &rates, FxPolicy::AtPayout)
}

/// Writes exchanges of lines that are locked.
pub fn keep(tx: &mut Tx<'_>, ctx: &Ctx, exchanged: &[Exchanged]) -> Result<(), Problem> {
    store::save(tx, ctx, exchanged)?;
    for line in exchanged {
        let data = json!({
            "amount": line.amount,
            "from": line.exchange.exchange.from,
            "direction": line.exchange.exchange.direction(),
            "rates": line.exchange.exchange.legs,
            "on": line.exchange.on,
        });
        let subject = Subject {
            kind: "commission",
            id: line.id.uuid(),
        };
        let change = Change::consequence("commission.exchanged", subject, data);
        tx.record(ctx, change.for_partner(Some(line.partner_id.uuid())));
    }
    Ok(())
}

/// The exchanges of the lines whose rates are known.
fn work_out(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    lines: Vec<Unexchanged>,
    rates: &HashMap<Asked, Exchange>,
    policy: FxPolicy,
) -> Result<Vec<Exchanged>, Problem> {
    let touched = lines.iter().filter(|line| line.is_touched);
    let touched: Vec<CommissionId> = touched.map(|line| line.id).collect();
    let mut taken = store::taken_from(tx, &ctx.scope, &touched)?;
    let (mut exchanged, mut beyond) = (Vec::with_capacity(lines.len()), 0);
    for line in lines {
        let Some(exchange) = rates.get(&line.asked) else {
            continue;
        };
        let sums = (line.before, line.amount);
        let Some(exchange) = exchange_of(policy, exchange.clone(), line.asked.on, line.rounding, sums)?
        else {
            beyond += 1;
            continue;
        };
        let taken = taken.remove(&line.id).unwrap_or_default();
        exchanged.push(line.exchanged(exchange, taken)?);
    }
    if beyond > 0 {
        tracing::warn!(beyond, "what lines come to is beyond an amount; they wait");
    }
    Ok(exchanged)
}

/// The exchange of a line; none where what comes out is more than an amount may be, so that such a line waits by itself and
/// holds up no other.
fn exchange_of(
    policy: FxPolicy,
    exchange: Exchange,
    on: NaiveDate,
    rounding: Rounding,
    sums: (Money, Money),
) -> Result<Option<LineExchange>, Problem> {
    match LineExchange::of(policy, exchange, on, rounding, sums) {
        Ok(exchange) => Ok(Some(exchange)),
        Err(ExchangeError::Money(MoneyError::OutOfRange)) => Ok(None),
        Err(damaged) => Err(Problem::damaged(damaged)),
    }
}

impl Unexchanged {
    fn exchanged(self, exchange: LineExchange, taken: Vec<TakenRow>) -> Result<Exchanged, Problem> {
        let amount = exchange.result().map_err(Problem::damaged)?;
        let back = self.taken_back(amount, taken).map_err(Problem::damaged)?;
        let (clawbacks, reversed, netted) = back;
        let left = |whole: Money, netted: Money| whole.checked_sub(netted).map_err(Problem::damaged);
        Ok(Exchanged {
            id: self.id,
            partner_id: self.partner_id,
            program_id: self.program_id,
            account: self.account,
            since: self.since,
            from: left(self.amount, self.netted)?,
            to: left(amount, netted)?,
            clawbacks,
            exchange,
            amount,
            reversed,
            netted,
        })
    }

    /// What was taken back before, as if the line had been exchanged when it was earned: each part in proportion to what
    /// was refunded, and the sums of all and of those that lowered the line itself.
    fn taken_back(
        &self,
        amount: Money,
        taken: Vec<TakenRow>,
    ) -> Result<(Vec<ExchangedClawback>, Money, Money), CommissionError> {
        let zero = Money::zero(amount.currency());
        let (mut reversed, mut netted) = (zero, zero);
        let mut clawbacks = Vec::with_capacity(taken.len());
        for row in taken {
            let payment = |amount| Money::new(amount, self.amount.currency());
            let (paid, refunded) = (payment(row.base)?, payment(row.refunded_cumulative)?);
            let went = Refunded::by(payment(row.refund)?);
            let worked = clawback_of_exchanged(went, amount, paid, refunded, reversed, self.rounding)?;
            let mut to = if row.is_late { zero } else { worked.amount };
            if !row.is_payable {
                // What gave back nothing in the currency of the invoice gives back no more here than was netted; what comes
                // after it makes up for that.
                let after = netted.checked_add(to)?;
                (netted, to) = if after.is_negative() {
                    (netted, zero)
                } else {
                    (after, to)
                };
            }
            reversed = reversed.checked_add(to)?;
            clawbacks.push(ExchangedClawback {
                id: row.id,
                is_payable: row.is_payable,
                taken_from: self.account.before_approval(),
                from: payment(row.amount)?,
                to,
                explanation: worked.explanation,
            });
        }
        Ok((clawbacks, reversed, netted))
    }
}

impl Exchanged {
    /// What is owed with the line and what was taken back from it besides, in the currency that the partner is paid in.
    pub fn net(&self) -> Result<Money, MoneyError> {
        let payable = self.clawbacks.iter().filter(|one| one.is_payable);
        payable.map(|one| one.to).try_fold(self.to, Money::checked_sub)
    }
}
