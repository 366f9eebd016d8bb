//! What a program's money would have earned under other rules: everything that was ever worked out is worked out again,
//! in the same order and by the same engine, and nothing is written.
//!
//! Whether a partner could earn is what it was at the time, as explanations keep it, and so are shares, but for those that
//! were corrected since: what was paid then counts with what the correction makes of it, which is proposed apart. Tiers and countries are
//! those of the lock point, as accrual has them; the settings of the program besides its rounding are those of today.
//! Amounts are in the currencies that are owed: what was exchanged by then, at the rate at which it was; see `rates`.
//! Tiers and caps start from nothing with the first line of the program, so that they stand where they would have stood.

mod corrections;
mod rates;
mod undone;

use super::accrual::Pool;
use super::domain::{CommissionStatus, Earned};
use super::reversal;
use super::standings::Standings;
use super::store;
use super::store::accrual::{BATCH, EarnedBefore, MoneyBefore, ProgramTerms, RefundBefore};
use crate::features::commission_rules::KnownRule;
use crate::kernel::commission::Rule;
use crate::kernel::ctx::Ctx;
use crate::kernel::exchange::LineExchange;
use crate::kernel::id::{
    CommissionId, CommissionRuleVersionId, CreditNoteId, DealId, PartnerId, PaymentId, ProgramId,
};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::kernel::time::Period;
use crate::platform::db::Tx;
use chrono::{DateTime, TimeDelta, Utc};
use rates::{PaidIn, Rates};
use std::collections::{BTreeMap, HashMap};
use undone::Undone;
use uuid::Uuid;

/// What a partner got for a piece of money, and what it would have got; what was taken back is off both.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The line that was earned with it.
    pub commission_id: CommissionId,
    /// On which deal.
    pub deal_id: DealId,
    /// With which payment.
    pub payment_id: Option<PaymentId>,
    /// With which credit note.
    pub credit_note_id: Option<CreditNoteId>,
    /// The partner: the one who has the credit, or the distributor above it.
    pub partner_id: PartnerId,
    /// What it got.
    pub was: Money,
    /// What it would have got.
    pub would_be: Money,
    /// The version that decided the line.
    pub rule_version_id: Option<CommissionRuleVersionId>,
    /// The version that would have.
    pub would_be_rule_version_id: Option<CommissionRuleVersionId>,
}

/// Lines that were read, with what became of them.
#[derive(Debug)]
pub struct Batch {
    lines: Vec<EarnedBefore>,
    refunds: HashMap<CommissionId, Vec<RefundBefore>>,
    kept: HashMap<CommissionId, Vec<(PartnerId, Money)>>,
    rates: Rates,
}

/// A replay under way.
#[derive(Debug)]
pub struct Replay {
    program: ProgramTerms,
    rules: Vec<KnownRule>,
    /// Rules by how many of them were known, filled as they are needed.
    known: HashMap<usize, Vec<Rule>>,
    period: Period,
    /// What was recorded from here on does not count: ids begin with the time.
    horizon: CommissionId,
    /// What was exchanged later does not count as exchanged.
    as_of: DateTime<Utc>,
    paid_in: PaidIn,
    last: Option<CommissionId>,
    after: Option<CommissionId>,
    standings: Standings,
    undone: Undone,
}

impl Replay {
    /// A replay of what was earned in the period and recorded by this instant.
    pub fn new(
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        program_id: ProgramId,
        mut rules: Vec<KnownRule>,
        period: Period,
        as_of: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        rules.sort_by_key(|known| known.since);
        let program = store::accrual::program(tx, &ctx.scope, program_id)?.ok_or_else(Problem::not_found)?;
        let horizon = CommissionId::least_at(as_of + TimeDelta::milliseconds(1));
        let last = store::accrual::last_of(tx, &ctx.scope, program_id, &period, horizon)?;
        let paid_in = PaidIn::of(tx, ctx, &program)?;
        Ok(Self {
            program,
            rules,
            known: HashMap::new(),
            period,
            horizon,
            as_of,
            paid_in,
            last,
            after: None,
            standings: Standings::default(),
            undone: Undone::default(),
        })
    }

    /// Reads the next lines; none are left after less than a batch.
    pub fn next(&self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Option<Batch>, Problem> {
        let Some(last) = self.last else { return Ok(None) };
        // Where nothing counts beyond a line, what lies outside of the period is of no interest.
        let within = (!self.counts()).then_some(self.period);
        let range = (self.after, last);
        let lines = store::accrual::earned_before(tx, &ctx.scope, &self.program, range, within.as_ref())?;
        let ids: Vec<Uuid> = lines.iter().map(|line| line.id.uuid()).collect();
        let horizon = self.horizon.uuid();
        let refunds = store::accrual::refunds_before(tx, &ctx.scope, &ids, horizon)?;
        let kept = store::accrual::kept(tx, &ctx.scope, &ids, (horizon, self.as_of))?.into_iter();
        let mut kept = by_line(kept.map(|(id, partner_id, money)| (id, (partner_id, money))));
        corrections::apply(tx, ctx, &lines, &mut kept)?;
        let rates = Rates::of(tx, ctx, &self.paid_in, &lines, self.as_of)?;
        Ok(Some(Batch {
            lines,
            rates,
            refunds: by_line(refunds),
            kept,
        }))
    }

    /// Works lines out that were read. How many they were, and what they come to as far as they belong to the period.
    pub fn take(&mut self, batch: Batch, now: DateTime<Utc>) -> Result<(usize, Vec<Compared>), Problem> {
        self.after = batch.lines.last().map(|line| line.id);
        if batch.lines.len() < BATCH {
            self.last = None;
        }
        let mut compared = Vec::new();
        for line in &batch.lines {
            let refunds = batch.refunds.get(&line.id).map_or(&[][..], Vec::as_slice);
            let was = batch.kept.get(&line.id).map_or(&[][..], Vec::as_slice);
            let exchange =
                |paid_in: &PaidIn, earned: &Earned| batch.rates.exchange(paid_in, line, was, earned);
            let would_be = self.work_out(line, refunds, exchange, now)?;
            if self.period.contains(line.earned_at) {
                compare(line, was, &would_be, &mut compared)?;
            }
        }
        Ok((batch.lines.len(), compared))
    }

    fn counts(&self) -> bool {
        self.rules.iter().any(|known| known.rule.accumulates())
    }

    /// What the line's party would have got of all components, and its distributor, less what would have been taken back
    /// since.
    fn work_out(
        &mut self,
        line: &EarnedBefore,
        refunds: &[RefundBefore],
        exchange: impl Fn(&PaidIn, &Earned) -> Result<Option<LineExchange>, Problem>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Earned, Money)>, Problem> {
        self.undone.apply(line.id, &mut self.standings)?;
        if line.corrected_share == Some(0) {
            return Ok(Vec::new());
        }
        let count = self
            .rules
            .partition_point(|known| known.since.is_none_or(|since| since <= line.created_at));
        let rules = self.known.entry(count).or_insert_with(|| {
            let known = self.rules.iter().take(count);
            known.map(|known| known.rule.clone()).collect()
        });
        let pool = match &line.money {
            MoneyBefore::Payment(rows) => {
                let first = rows.first().ok_or_else(Problem::internal)?;
                Pool::of_payment(&line.program, rules, first, rows, &line.details, now)
            }
            MoneyBefore::Credit(rows) => {
                let first = rows.first().ok_or_else(Problem::internal)?;
                Pool::of_credit(&line.program, rules, first, rows, &line.details, now)
            }
        };
        let mut earned = Vec::new();
        pool.earn(&mut self.standings, &mut earned)
            .map_err(Problem::damaged)?;
        let mut would_be = Vec::with_capacity(earned.len());
        for one in earned {
            let exchanged = exchange(&self.paid_in, &one)?.map(|exchange| exchange.result());
            let exchanged = exchanged.transpose().map_err(Problem::damaged)?;
            let taken = self.undone.take_back(line, (&one, exchanged), refunds, now)?;
            let kept = exchanged.unwrap_or(one.amount).checked_sub(taken);
            would_be.push((one, kept.map_err(Problem::damaged)?));
        }
        Ok(would_be)
    }
}

/// What belongs to each line.
fn by_line<T>(found: impl IntoIterator<Item = (CommissionId, T)>) -> HashMap<CommissionId, Vec<T>> {
    let mut by_line: HashMap<CommissionId, Vec<T>> = HashMap::new();
    for (id, one) in found {
        by_line.entry(id).or_default().push(one);
    }
    by_line
}

fn compare(
    line: &EarnedBefore,
    was: &[(PartnerId, Money)],
    would_be: &[(Earned, Money)],
    compared: &mut Vec<Compared>,
) -> Result<(), Problem> {
    let mut partners: BTreeMap<(PartnerId, Currency), (Money, Money)> = BTreeMap::new();
    for (partner_id, money) in was {
        let zero = Money::zero(money.currency());
        let sums = partners
            .entry((*partner_id, money.currency()))
            .or_insert((zero, zero));
        sums.0 = sums.0.checked_add(*money).map_err(Problem::damaged)?;
    }
    for (earned, kept) in would_be {
        let zero = Money::zero(kept.currency());
        let sums = partners
            .entry((earned.partner_id, kept.currency()))
            .or_insert((zero, zero));
        sums.1 = sums.1.checked_add(*kept).map_err(Problem::damaged)?;
    }
    let (payment_id, credit_note_id) = match &line.money {
        MoneyBefore::Payment(rows) => (rows.first().map(|row| row.payment_id), None),
        MoneyBefore::Credit(rows) => (None, rows.first().map(|row| row.credit_note_id)),
    };
    let would_decide = |partner_id: PartnerId| {
        let own = would_be
            .iter()
            .find(|(earned, _)| earned.partner_id == partner_id);
        own.and_then(|(earned, _)| earned.rule_version_id)
    };
    for ((partner_id, _), (was, would_be)) in partners {
        compared.push(Compared {
            commission_id: line.id,
            deal_id: line.deal_id,
            payment_id,
            credit_note_id,
            partner_id,
            was,
            would_be,
            rule_version_id: line.rule_version_id.filter(|_| partner_id == line.partner_id),
            would_be_rule_version_id: would_decide(partner_id),
        });
    }
    Ok(())
}

/// Whether anything can be taken back from it.
fn is_exposed(earned: &Earned) -> bool {
    earned.status != CommissionStatus::Ineligible && earned.origin.paid.is_some()
}
