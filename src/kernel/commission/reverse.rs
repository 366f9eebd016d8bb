//! Taking back: refunds of a known payment, what is undone of them, and credit notes on a deal without an invoice.

use super::accrue::{Accrual, Party};
use super::clauses::{Goods, Service};
use super::explain::{ClawbackExplanation, CreditExplanation, Entitlement, Explanation, Step};
use super::formula::Formula;
use super::fraction::Fraction;
use super::pools::{Claim, Frame, Movement, Pools};
use super::rule::Component;
use super::shared::Shared;
use super::tiers::Growth;
use super::{CommissionError, IneligibleReason};
use crate::kernel::money::{Money, MoneyError, Part, Rounding};

/// Which way the money of a payment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refunded {
    /// It went back to the customer.
    More,
    /// It came in again after it had gone back: a chargeback that was won, or a refund that failed.
    Less,
}

impl Refunded {
    /// By what is refunded more, or less when it is below zero.
    pub fn by(refund: Money) -> Self {
        if refund.is_negative() {
            Self::Less
        } else {
            Self::More
        }
    }
}

/// What a refund takes back from one commission, or what is given back of that.
#[derive(Debug, Clone)]
pub struct Clawback {
    /// What to take back now; below zero what to give back.
    pub amount: Money,
    /// Everything that the amount follows from.
    pub explanation: Explanation,
}

/// Works out what a refund takes back from one commission.
///
/// `original` is what the commission posted for the payment, `base` the amount of the payment,
/// `refunded_cumulative` everything refunded of it so far and `already_clawed` everything taken back
/// so far. The target is in proportion, and exactly `original` at a full refund. Where more was refunded, an entry is
/// never above what is left and never below zero, so that a smaller target gives nothing back; where less is, it is never
/// above zero and gives back no more than was taken.
///
/// # Errors
/// A base of zero is a `DivisionByZero`, a negative one is `OutOfRange`.
pub fn clawback(
    went: Refunded,
    original: Money,
    base: Money,
    refunded_cumulative: Money,
    already_clawed: Money,
    rounding: Rounding,
) -> Result<Clawback, CommissionError> {
    original.compare(base)?;
    clawback_of_exchanged(
        went,
        original,
        base,
        refunded_cumulative,
        already_clawed,
        rounding,
    )
}

/// The same for a commission that was exchanged: `original` and `already_clawed` are in the currency that the partner is
/// paid in, the rest in the payment's. So what is taken back goes at the rate at which it was given.
pub fn clawback_of_exchanged(
    went: Refunded,
    original: Money,
    base: Money,
    refunded_cumulative: Money,
    already_clawed: Money,
    rounding: Rounding,
) -> Result<Clawback, CommissionError> {
    let refunded = clawback_fraction(original, base, refunded_cumulative)?;
    let target = refunded.apply(original, rounding)?;
    let amount = clawback_entry(went, original, target, already_clawed)?;
    let steps = vec![
        refunded.step("target", original, target),
        Step::difference("amount", target, already_clawed, amount),
    ];
    let explanation = Explanation::Clawback(ClawbackExplanation {
        currency: original.currency(),
        rounding,
        original: original.amount(),
        reinstates: went == Refunded::Less,
        base_currency: Some(base.currency()).filter(|currency| *currency != original.currency()),
        base: base.amount(),
        refunded_cumulative: refunded_cumulative.amount(),
        already_clawed: already_clawed.amount(),
        steps,
        amount: amount.amount(),
    });
    Ok(Clawback { amount, explanation })
}

/// How much of a commission is due back; a commission of nothing or less has nothing to give back.
pub(super) fn clawback_fraction(
    original: Money,
    base: Money,
    refunded: Money,
) -> Result<Fraction, MoneyError> {
    let fraction = Fraction::refunded(refunded, base)?;
    Ok(if original.is_positive() {
        fraction
    } else {
        Fraction::Nothing
    })
}

/// The target minus what was taken back before: between zero and what is left, or between what was taken and zero.
pub(super) fn clawback_entry(
    went: Refunded,
    original: Money,
    target: Money,
    already_clawed: Money,
) -> Result<Money, MoneyError> {
    let zero = Money::zero(original.currency());
    let wanted = target.checked_sub(already_clawed)?;
    match went {
        Refunded::More => {
            let left = original.checked_sub(already_clawed)?.max(zero)?;
            wanted.max(zero)?.min(left)
        }
        Refunded::Less => wanted.min(zero),
    }
}

/// A credit note on a deal without an invoice, for one role pool and one component.
#[derive(Debug, Clone)]
pub struct CreditInput<'a> {
    /// The component to work out.
    pub component: Component,
    /// The net amount credited, as a positive amount. For several credit notes that shall add up
    /// exactly: the cumulative amount, with what was posted for the earlier ones in the parties.
    pub credit: Money,
    /// Where the credit stands in the life of its deal, where that is known.
    pub service: Option<Service>,
    /// The rounding of the program.
    pub rounding: Rounding,
    /// Everyone with a share of the pool.
    pub parties: Vec<Party<'a>>,
}

/// Works out the negative lines of a credit note: the deal's own rules with the sign turned.
///
/// A flat amount does not depend on the base, so that a flat rule gives a zero line with the reason. Tiers that count
/// beyond the line unwind from where the partner stands.
pub fn credit_note_lines<'a>(input: &CreditInput<'a>) -> Result<Vec<Accrual<'a>>, CommissionError> {
    let frame = Frame {
        component: input.component,
        net: input.credit,
        goods: Goods::default(),
        service: input.service,
        rounding: input.rounding,
        movement: Movement::Credit,
    };
    let mut pools = Pools::new(frame, &input.parties)?;
    let shares = pools.shares.clone();
    let credit = |(index, party): (usize, &Party<'a>)| {
        let claim = match party.rule.map(|rule| &rule.terms().formula) {
            Some(Formula::Flat { .. }) => pools
                .claim(index, party)?
                .and(Err(IneligibleReason::FlatRuleNotCredited)),
            _ => pools.claim(index, party)?,
        };
        credit_party(input, party, claim, &shares)
    };
    input.parties.iter().enumerate().map(credit).collect()
}

fn credit_party<'a>(
    input: &CreditInput<'a>,
    party: &Party<'a>,
    claim: Result<Claim, IneligibleReason>,
    shares: &Shared<Vec<Part>>,
) -> Result<Accrual<'a>, CommissionError> {
    let zero = Money::zero(input.credit.currency());
    let (entitled, mut amount, growth, mut steps, blocked) = match claim {
        Ok(Claim::Shared {
            entitled: share,
            mut steps,
        }) => {
            let entitled = share.checked_neg()?;
            let amount = entitled.checked_sub(party.already_posted)?;
            steps.push(Step::negation("credited", share, entitled));
            steps.push(Step::difference("amount", entitled, party.already_posted, amount));
            (entitled, amount, Growth::default(), steps, None)
        }
        Ok(Claim::Own(own)) => (own.entitled, own.amount, own.growth, own.steps, None),
        Err(reason) => (zero, zero, Growth::default(), Vec::new(), Some(reason)),
    };
    if let Some(most) = party.at_most.filter(|_| blocked.is_none()) {
        let held = held_to(amount, most)?;
        if held != amount {
            let text = format!("{} held to {}", amount.amount(), most.amount());
            steps.push(Step::new("at_most", text, held));
            amount = held;
        }
    }
    let ineligible = blocked.or(amount.is_zero().then_some(IneligibleReason::ZeroAmount));
    let about = (Goods::default(), input.service);
    let entitlement = Entitlement::of(party, input.component, shares, ineligible, about, growth);
    Ok(Accrual {
        attribution_id: party.attribution_id,
        partner_id: party.partner_id,
        component: input.component,
        rule: party.rule,
        entitled,
        amount,
        uncapped: amount,
        growth,
        ineligible,
        explanation: Explanation::Credit(CreditExplanation {
            currency: input.credit.currency(),
            rounding: input.rounding,
            credit: input.credit.amount(),
            already_posted: party.already_posted.amount(),
            at_most: party.at_most.map(Money::amount),
            entitlement,
            steps,
            amount: amount.amount(),
        }),
    })
}

/// A negative amount that takes no more than there is to give back.
pub(super) fn held_to(amount: Money, most: Money) -> Result<Money, MoneyError> {
    amount.max(most.checked_neg()?)
}
