//! Earning: from money received on an invoice line to one line per partner.

use rust_decimal::Decimal;

use super::explain::{AccrualExplanation, Entitlement, Explanation, Step};
use super::fraction::Fraction;
use super::rule::{Component, Formula, Rule};
use super::select::Considered;
use super::shared::Shared;
use super::{CommissionError, IneligibleReason};
use crate::kernel::id::{AttributionId, CommissionRuleVersionId, PartnerId};
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
    /// The sum of what has been posted for this line, component and partner before.
    pub already_posted: Money,
}

/// One invoice line, one role pool and one component.
#[derive(Debug, Clone)]
pub struct LineInput<'a> {
    /// The component to work out.
    pub component: Component,
    /// The net amount of the line: the base.
    pub net: Money,
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
    /// What the partner earns on the line once everything is paid.
    pub entitled: Money,
    /// What to post now.
    pub amount: Money,
    /// Why the amount is zero, when it is.
    pub ineligible: Option<IneligibleReason>,
    /// Everything that the amount follows from.
    pub explanation: Explanation,
}

/// Works out what each party of one role pool earns with a payment.
///
/// Each rule version has its own pool, rounded once; every party takes its share of the pool of its
/// own rule, so that nobody's amount depends on the rules of others. The results stand in the order
/// of the parties.
pub fn accrue_line<'a>(input: &LineInput<'a>) -> Result<Vec<Accrual<'a>>, CommissionError> {
    let currency = input.net.currency();
    for amount in [input.invoice_total, input.paid_before, input.paid_after] {
        require_currency(amount, currency)?;
    }
    let mut pools = Pools::new(input.component, input.net, input.rounding, &input.parties)?;
    let shares = pools.shares.clone();
    let accrue = |(index, party): (usize, &Party<'a>)| {
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
    require_currency(party.already_posted, input.net.currency())?;
    let zero = Money::zero(input.net.currency());
    let (entitled, amount, steps, blocked) = match claim {
        Ok(claim) => {
            let paid = Fraction::paid(input.paid_after, input.invoice_total)?;
            let earned = paid.apply(claim.entitled, input.rounding)?;
            let amount = earned.checked_sub(party.already_posted)?;
            let steps = vec![
                claim.pool_step,
                claim.share_step,
                paid.step("earned", claim.entitled, earned),
                Step::difference("amount", earned, party.already_posted, amount),
            ];
            (claim.entitled, amount, steps, None)
        }
        Err(reason) => (zero, zero, Vec::new(), Some(reason)),
    };
    let ineligible = blocked.or(amount.is_zero().then_some(IneligibleReason::ZeroAmount));
    Ok(Accrual {
        attribution_id: party.attribution_id,
        partner_id: party.partner_id,
        component: input.component,
        rule: party.rule,
        entitled,
        amount,
        ineligible,
        explanation: Explanation::Accrual(AccrualExplanation {
            currency: input.net.currency(),
            rounding: input.rounding,
            net: input.net.amount(),
            invoice_total: input.invoice_total.amount(),
            paid_before: input.paid_before.amount(),
            paid_after: input.paid_after.amount(),
            already_posted: party.already_posted.amount(),
            entitlement: Entitlement::of(party, input.component, shares, ineligible),
            steps,
            amount: amount.amount(),
        }),
    })
}

/// What a party may take of a pool, and how it came about.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) entitled: Money,
    pub(super) pool_step: Step,
    pub(super) share_step: Step,
}

/// The pools of one line: one per rule version, worked out when first asked for.
pub(super) struct Pools {
    component: Component,
    base: Money,
    rounding: Rounding,
    pub(super) shares: Shared<Vec<Part>>,
    by_version: Vec<Pool>,
}

struct Pool {
    version_id: CommissionRuleVersionId,
    amount: Money,
    step: Step,
    allocated: Vec<Money>,
}

impl Pools {
    pub(super) fn new(
        component: Component,
        base: Money,
        rounding: Rounding,
        parties: &[Party<'_>],
    ) -> Result<Self, CommissionError> {
        let part = |party: &Party<'_>| Part {
            basis_points: party.basis_points,
            rank: party.rank,
        };
        let shares: Vec<Part> = parties.iter().map(part).collect();
        // Wrong shares are refused even when no rule applies to any of them.
        Money::zero(base.currency()).allocate(&shares, WHOLE_BASIS_POINTS)?;
        Ok(Self {
            component,
            base,
            rounding,
            shares: Shared::new(shares),
            by_version: Vec::new(),
        })
    }

    /// What the party at the index may take, or the reason why it may take nothing.
    pub(super) fn claim(
        &mut self,
        index: usize,
        party: &Party<'_>,
    ) -> Result<Result<Claim, IneligibleReason>, CommissionError> {
        if party
            .rule
            .is_some_and(|rule| rule.terms().component != self.component)
        {
            return Err(CommissionError::WrongComponent);
        }
        if let Some(reason) = party.eligible.err().filter(|reason| reason.blocks()) {
            return Ok(Err(reason));
        }
        let Some(rule) = party.rule else {
            return Ok(Err(IneligibleReason::NoRule));
        };
        let Some(pool) = self.pool(rule)? else {
            return Ok(Err(IneligibleReason::NoFlatAmountInCurrency));
        };
        let entitled = pool.allocated[index];
        Ok(Ok(Claim {
            entitled,
            pool_step: pool.step.clone(),
            share_step: Step::share(pool.amount, party.basis_points, entitled),
        }))
    }

    fn pool(&mut self, rule: &Rule) -> Result<Option<&Pool>, CommissionError> {
        let version_id = rule.terms().version_id;
        if let Some(index) = self
            .by_version
            .iter()
            .position(|pool| pool.version_id == version_id)
        {
            return Ok(self.by_version.get(index));
        }
        let formula = &rule.terms().formula;
        let Some(amount) = formula.pool(self.base, self.rounding)? else {
            return Ok(None);
        };
        let step = pool_step(formula, self.base, amount);
        let allocated = amount.allocate(&self.shares, WHOLE_BASIS_POINTS)?;
        self.by_version.push(Pool {
            version_id,
            amount,
            step,
            allocated,
        });
        Ok(self.by_version.last())
    }
}

fn pool_step(formula: &Formula, base: Money, pool: Money) -> Step {
    let base_amount = base.amount();
    let expression = match formula {
        _ if !base.is_positive() => format!("nothing on a base of {base_amount}"),
        Formula::Flat { .. } => {
            let flat = formula
                .flat_amount(base.currency())
                .map_or(Decimal::ZERO, Money::amount);
            format!("the smaller of {flat} and {base_amount}")
        }
        Formula::Percentage { rate } => Step::product(base_amount, rate.decimal()),
    };
    Step::new("pool", expression, pool)
}

fn require_currency(amount: Money, currency: Currency) -> Result<(), MoneyError> {
    if amount.currency() == currency {
        Ok(())
    } else {
        Err(MoneyError::CurrencyMismatch)
    }
}
