//! What a line would have earned with another share of the credit: what corrections of credit are measured by.

use super::CommissionError;
use super::IneligibleReason;
use super::accrue::WHOLE_BASIS_POINTS;
use super::explain::{AccrualExplanation, Entitlement, Explanation};
use super::pools::{Movement, at};
use crate::kernel::id::CommissionRuleId;
use crate::kernel::money::{Money, Part, Rounding};

impl Explanation {
    /// What would have been posted with another share, all else as it was: the pool is the same, and is shared anew. None
    /// where the share alone does not tell it: under tiers, where earlier components left no room, and for credits that count
    /// on. A cap of a period leaves the room that there was at the line.
    pub fn at_share(&self, basis_points: u32) -> Result<Option<Money>, CommissionError> {
        match self {
            Self::Accrual(accrual) => accrual.at_share(basis_points),
            Self::Credit(credit) if credit.already_posted.is_zero() && credit.at_most.is_none() => {
                let net = Money::new(credit.credit, credit.currency)?;
                credit
                    .entitlement
                    .at_share(net, Movement::Credit, credit.rounding, basis_points)
            }
            Self::Credit(_) | Self::Clawback(_) => Ok(None),
        }
    }

    /// The rule that decided, the period of its cap and the cap, where it has one in the currency of the line.
    pub fn period_cap(&self) -> Option<(CommissionRuleId, &str, Money)> {
        let (entitlement, currency) = match self {
            Self::Accrual(accrual) => (&accrual.entitlement, accrual.currency),
            Self::Credit(credit) => (&credit.entitlement, credit.currency),
            Self::Clawback(_) => return None,
        };
        let (rule, progress) = entitlement.rule.as_ref().zip(entitlement.progress.as_ref())?;
        let cap = rule.clauses.cap(currency)?;
        Some((rule.rule_id, &progress.before.cap_period, cap))
    }
}

impl AccrualExplanation {
    fn at_share(&self, basis_points: u32) -> Result<Option<Money>, CommissionError> {
        let movement = self.movement()?;
        let net = Money::new(self.net, self.currency)?;
        self.entitlement
            .at_share(net, movement, self.rounding, basis_points)
    }
}

impl Entitlement {
    fn at_share(
        &self,
        net: Money,
        movement: Movement,
        rounding: Rounding,
        basis_points: u32,
    ) -> Result<Option<Money>, CommissionError> {
        let zero = Money::zero(net.currency());
        let (false, Some(rule)) = (self.ineligible.is_some_and(IneligibleReason::blocks), &self.rule) else {
            return Ok(Some(zero));
        };
        if rule.formula.tiers().is_some() {
            return Ok(None);
        }
        let frame = self.frame(net, movement, rounding);
        let Ok(base) = frame.base(rule)? else {
            return Ok(Some(zero));
        };
        let Some((_, pool)) = frame.pool(rule, base)? else {
            return Ok(Some(zero));
        };
        let place = self.place()?;
        let before = at(pool.allocate(&self.shares, WHOLE_BASIS_POINTS)?, place);
        let earlier = Money::new(self.earlier, net.currency())?;
        if frame.beside(before, earlier, &self.shares, place)? != before {
            return Ok(None);
        }
        let entitled = self.shared_anew(pool, place, basis_points)?;
        let amount = match movement {
            Movement::Payment { .. } => movement.part(entitled, rounding)?,
            Movement::Credit => entitled.checked_neg()?,
        };
        let standing = self.progress.as_ref().map(|progress| &progress.before);
        Ok(Some(
            match (movement, rule.clauses.cap(net.currency()), standing) {
                (Movement::Payment { .. }, Some(cap), Some(standing)) => standing.within(cap, amount)?,
                _ => amount,
            },
        ))
    }

    /// The part of the pool beside the others, or alone where they leave no room for it any more.
    fn shared_anew(&self, pool: Money, place: usize, basis_points: u32) -> Result<Money, CommissionError> {
        let own = Part {
            basis_points,
            ..self.share
        };
        let mut shares = self.shares.to_vec();
        if let Some(share) = shares.get_mut(place) {
            *share = own;
        }
        let together = shares.iter().map(|share| share.basis_points).sum::<u32>();
        Ok(if together <= WHOLE_BASIS_POINTS {
            at(pool.allocate(&shares, WHOLE_BASIS_POINTS)?, place)
        } else {
            at(pool.allocate(&[own], WHOLE_BASIS_POINTS)?, 0)
        })
    }
}
