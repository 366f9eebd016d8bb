//! Earning: from money received on an invoice line to one line per partner.

use super::clauses::{Goods, Service};
use super::explain::{AccrualExplanation, Entitlement, Explanation, Step};
use super::fraction::Fraction;
use super::pools::{Claim, Frame, Movement, Pools};
use super::rule::{Component, Rule};
use super::select::Considered;
use super::shared::Shared;
use super::tiers::{Growth, Standing};
use super::{CommissionError, IneligibleReason};
use crate::kernel::id::{AttributionId, PartnerId};
use crate::kernel::money::{Currency, Money, MoneyError, Part, Rounding};

/// The whole of a role pool, in basis points.
pub(super) const WHOLE_BASIS_POINTS: u32 = 10_000;

/// One partner's confirmed share of a role pool.
#[derive(Debug, Clone)]
pub struct Party<'a> {
    /// The credit that the share comes from.
    pub attribution_id: AttributionId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The share; the shares of a pool add up to at most 10,000.
    pub basis_points: u32,
    /// The stored allocation rank, distinct within the pool: the lower comes first in ties.
    pub rank: i32,
    /// The rule that was selected for this partner, if any.
    pub rule: Option<&'a Rule>,
    /// The rules that were looked at.
    pub considered: Shared<Vec<Considered>>,
    /// Whether the partner may earn, as decided at the lock point.
    pub eligible: Result<(), IneligibleReason>,
    /// What the program asks for and the partner does not have, where that is why it may not.
    pub closed_gates: &'a [String],
    /// The most that a credit takes back, where some of what it undoes never earned; none where all of it did.
    pub at_most: Option<Money>,
    /// The sum of what has been posted for this line, component and partner before.
    pub already_posted: Money,
    /// What earlier components of the line come to for this partner: all of them together stay within the base.
    pub earlier: Money,
    /// How far the partner has come, for a rule that counts or has a cap.
    pub standing: Standing,
}

/// One invoice line, one role pool and one component.
#[derive(Debug, Clone)]
pub struct LineInput<'a> {
    /// The component to work out.
    pub component: Component,
    /// The net amount of the line: the base.
    pub net: Money,
    /// What was sold.
    pub goods: Goods,
    /// Where the line stands in the life of its deal, where that is known.
    pub service: Option<Service>,
    /// What is to be paid for the whole invoice.
    pub invoice_total: Money,
    /// What had been paid on the invoice before this payment.
    pub paid_before: Money,
    /// What has been paid on the invoice with this payment.
    pub paid_after: Money,
    /// The rounding of the program.
    pub rounding: Rounding,
    /// Everyone with a share of the pool.
    pub parties: Vec<Party<'a>>,
}

/// One line to post: what a partner earns now, or zero with the reason.
#[derive(Debug, Clone)]
pub struct Accrual<'a> {
    /// The credit that the share comes from.
    pub attribution_id: AttributionId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The component.
    pub component: Component,
    /// The rule that decided the line, if any.
    pub rule: Option<&'a Rule>,
    /// What the partner earns on the line once everything is paid; of tiers that count beyond the line, what it earns
    /// now.
    pub entitled: Money,
    /// What to post now.
    pub amount: Money,
    /// The same before any cap of a period.
    pub uncapped: Money,
    /// What the line adds to the standing of the partner.
    pub growth: Growth,
    /// Why the amount is zero, when it is.
    pub ineligible: Option<IneligibleReason>,
    /// Everything that the amount follows from.
    pub explanation: Explanation,
}

/// Works out what each party of one role pool earns with a payment.
///
/// Each rule version has its own pool, rounded once; every party takes its share of the pool of its
/// own rule, so that nobody's amount depends on the rules of others. Tiers have no pool: there the base is shared, and
/// each party earns on its own part of it. The results stand in the order of the parties.
pub fn accrue_line<'a>(input: &LineInput<'a>) -> Result<Vec<Accrual<'a>>, CommissionError> {
    let currency = input.net.currency();
    for amount in [input.invoice_total, input.paid_before, input.paid_after] {
        require_currency(amount, currency)?;
    }
    let frame = Frame {
        component: input.component,
        net: input.net,
        goods: input.goods,
        service: input.service,
        rounding: input.rounding,
        movement: Movement::paid(input.paid_before, input.paid_after, input.invoice_total)?,
    };
    let mut pools = Pools::new(frame, &input.parties)?;
    let shares = pools.shares.clone();
    let accrue = |(index, party): (usize, &Party<'a>)| {
        require_currency(party.already_posted, currency)?;
        let claim = pools.claim(index, party)?;
        accrue_party(input, party, claim, &shares)
    };
    input.parties.iter().enumerate().map(accrue).collect()
}

fn accrue_party<'a>(
    input: &LineInput<'a>,
    party: &Party<'a>,
    claim: Result<Claim, IneligibleReason>,
    shares: &Shared<Vec<Part>>,
) -> Result<Accrual<'a>, CommissionError> {
    let zero = Money::zero(input.net.currency());
    let (entitled, mut amount, growth, mut steps, blocked) = match claim {
        Ok(Claim::Shared { entitled, mut steps }) => {
            let paid = Fraction::paid(input.paid_after, input.invoice_total)?;
            let earned = paid.apply(entitled, input.rounding)?;
            let amount = earned.checked_sub(party.already_posted)?;
            steps.push(paid.step("earned", entitled, earned));
            steps.push(Step::difference("amount", earned, party.already_posted, amount));
            (entitled, amount, Growth::default(), steps, None)
        }
        Ok(Claim::Own(own)) => (own.entitled, own.amount, own.growth, own.steps, None),
        Err(reason) => (zero, zero, Growth::default(), Vec::new(), Some(reason)),
    };
    let uncapped = amount;
    let mut ineligible = blocked.or(amount.is_zero().then_some(IneligibleReason::ZeroAmount));
    if ineligible.is_none()
        && let Some(rule) = party.rule
    {
        let capped = within_cap(rule, &party.standing, amount)?;
        if capped != amount {
            steps.push(cap_step(rule, &party.standing, amount, capped));
            amount = capped;
            ineligible = amount.is_zero().then_some(IneligibleReason::PeriodCapReached);
        }
    }
    let entitlement = Entitlement::of(
        party,
        input.component,
        shares,
        ineligible,
        (input.goods, input.service),
        growth,
    );
    Ok(Accrual {
        attribution_id: party.attribution_id,
        partner_id: party.partner_id,
        component: input.component,
        rule: party.rule,
        entitled,
        amount,
        uncapped,
        growth,
        ineligible,
        explanation: Explanation::Accrual(AccrualExplanation {
            currency: input.net.currency(),
            rounding: input.rounding,
            net: input.net.amount(),
            invoice_total: input.invoice_total.amount(),
            paid_before: input.paid_before.amount(),
            paid_after: input.paid_after.amount(),
            already_posted: party.already_posted.amount(),
            entitlement,
            steps,
            amount: amount.amount(),
        }),
    })
}

/// What the cap of the period leaves of an amount.
fn within_cap(rule: &Rule, standing: &Standing, amount: Money) -> Result<Money, MoneyError> {
    match rule.terms().clauses.cap(amount.currency()) {
        Some(cap) => standing.within(cap, amount),
        None => Ok(amount),
    }
}

fn cap_step(rule: &Rule, standing: &Standing, amount: Money, capped: Money) -> Step {
    let cap = rule.terms().clauses.cap(amount.currency()).unwrap_or(amount);
    let text = format!(
        "the smaller of {} and {} - {}",
        amount.amount(),
        cap.amount(),
        standing.cap_used
    );
    Step::new("period_cap", text, capped)
}

fn require_currency(amount: Money, currency: Currency) -> Result<(), MoneyError> {
    if amount.currency() == currency {
        Ok(())
    } else {
        Err(MoneyError::CurrencyMismatch)
    }
}
