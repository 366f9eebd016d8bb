//! What each party may take of one line: a share of a rounded pool, or by tiers on its own part of the base.

use rust_decimal::Decimal;

use super::accrue::{Party, WHOLE_BASIS_POINTS};
use super::clauses::{Goods, Service};
use super::explain::Step;
use super::formula::Formula;
use super::fraction::Fraction;
use super::rule::{Component, Rule, RuleSnapshot};
use super::shared::Shared;
use super::tiers::{Growth, Standing, Tiers, product};
use super::{CommissionError, IneligibleReason};
use crate::kernel::id::CommissionRuleVersionId;
use crate::kernel::money::{Money, MoneyError, Part, Rounding};

/// What moves: money that came in for a line, or a credit that takes the whole of its base back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Movement {
    Payment { before: Fraction, after: Fraction },
    Credit,
}

/// What all parties of a line have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) component: Component,
    pub(super) net: Money,
    pub(super) goods: Goods,
    pub(super) service: Option<Service>,
    pub(super) rounding: Rounding,
    pub(super) movement: Movement,
}

/// What a party may take of a line.
#[derive(Debug, Clone)]
pub(super) enum Claim {
    /// A share of a pool, of which payments earn their part.
    Shared { entitled: Money, steps: Vec<Step> },
    /// By tiers on its own base.
    Own(OwnWork),
}

/// What tiers give on a partner's own base.
#[derive(Debug, Clone)]
pub(super) struct OwnWork {
    pub(super) entitled: Money,
    /// What to post now, before any cap of a period.
    pub(super) amount: Money,
    pub(super) growth: Growth,
    pub(super) steps: Vec<Step>,
}

/// The pools of one line: one per rule version, worked out when first asked for.
pub(super) struct Pools {
    frame: Frame,
    pub(super) shares: Shared<Vec<Part>>,
    by_version: Vec<Pool>,
}

struct Pool {
    version_id: CommissionRuleVersionId,
    amount: Money,
    steps: Vec<Step>,
    allocated: Vec<Money>,
}

impl Movement {
    pub(super) fn paid(before: Money, after: Money, invoice_total: Money) -> Result<Self, MoneyError> {
        Ok(Self::Payment {
            before: if before.is_positive() {
                Fraction::paid(before, invoice_total)?
            } else {
                Fraction::Nothing
            },
            after: Fraction::paid(after, invoice_total)?,
        })
    }

    fn is_credit(self) -> bool {
        matches!(self, Self::Credit)
    }

    /// The part of an amount that moves now.
    pub(super) fn part(self, amount: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        match self {
            Self::Payment { before, after } => after
                .apply(amount, rounding)?
                .checked_sub(before.apply(amount, rounding)?),
            Self::Credit => Ok(amount),
        }
    }

    /// Whether the line is counted now: with its first payment.
    fn counts(self) -> bool {
        matches!(
            self,
            Self::Payment {
                before: Fraction::Nothing,
                ..
            }
        )
    }
}

impl Pools {
    pub(super) fn new(frame: Frame, parties: &[Party<'_>]) -> Result<Self, CommissionError> {
        let part = |party: &Party<'_>| Part {
            basis_points: party.basis_points,
            rank: party.rank,
        };
        let shares: Vec<Part> = parties.iter().map(part).collect();
        // Wrong shares are refused even when no rule applies to any of them.
        Money::zero(frame.net.currency()).allocate(&shares, WHOLE_BASIS_POINTS)?;
        Ok(Self {
            frame,
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
            .is_some_and(|rule| rule.terms().component != self.frame.component)
        {
            return Err(CommissionError::WrongComponent);
        }
        if let Some(reason) = party.eligible.err().filter(|reason| reason.blocks()) {
            return Ok(Err(reason));
        }
        let Some(rule) = party.rule else {
            return Ok(Err(IneligibleReason::NoRule));
        };
        let snapshot = rule.snapshot();
        let base = match self.frame.base(&snapshot)? {
            Ok(base) => base,
            Err(reason) => return Ok(Err(reason)),
        };
        if let Some(tiers) = snapshot.formula.tiers() {
            let own = Own {
                frame: &self.frame,
                rule: &snapshot,
                tiers,
                base,
                shares: &self.shares,
                position: index,
                standing: &party.standing,
                already_posted: party.already_posted,
                earlier: party.earlier,
            };
            let worked = own.work()?;
            return Ok(worked
                .map(Claim::Own)
                .ok_or(IneligibleReason::NoFlatAmountInCurrency));
        }
        let shares = self.shares.clone();
        let frame = self.frame;
        let Some(pool) = self.pool(rule, base)? else {
            return Ok(Err(IneligibleReason::NoFlatAmountInCurrency));
        };
        let share = pool.allocated[index];
        let entitled = frame.beside(share, party.earlier, &shares, index)?;
        let mut steps = Vec::with_capacity(4);
        steps.extend(pool.steps.iter().cloned());
        steps.push(Step::share(pool.amount, party.basis_points, share));
        if entitled != share {
            steps.push(Step::new(
                "beside",
                format!("{} beside {}", share.amount(), party.earlier.amount()),
                entitled,
            ));
        }
        Ok(Ok(Claim::Shared { entitled, steps }))
    }

    fn pool(&mut self, rule: &Rule, base: Money) -> Result<Option<&Pool>, CommissionError> {
        let version_id = rule.terms().version_id;
        if let Some(index) = self
            .by_version
            .iter()
            .position(|pool| pool.version_id == version_id)
        {
            return Ok(self.by_version.get(index));
        }
        let snapshot = rule.snapshot();
        let Some((raw, amount)) = self.frame.pool(&snapshot, base)? else {
            return Ok(None);
        };
        let mut steps = vec![self.frame.pool_step(&snapshot, base, raw)];
        if raw != amount {
            steps.push(limited(raw, amount));
        }
        let allocated = amount.allocate(&self.shares, WHOLE_BASIS_POINTS)?;
        self.by_version.push(Pool {
            version_id,
            amount,
            steps,
            allocated,
        });
        Ok(self.by_version.last())
    }
}

impl Frame {
    /// The part of the line that a rule pays on, or why it pays on none of it.
    pub(super) fn base(&self, rule: &RuleSnapshot) -> Result<Result<Money, IneligibleReason>, MoneyError> {
        let clauses = &rule.clauses;
        let in_time = self
            .service
            .is_none_or(|service| clauses.recurrence.admits(&service));
        if in_time {
            clauses.base(self.net, &self.goods)
        } else {
            Ok(Err(IneligibleReason::RecurrenceOver))
        }
    }

    /// The pool of a formula without tiers, at most the base, before and after floor and cap; none when there is no
    /// flat amount in the currency. A floor is of what was sold: each credit would take all of it again.
    pub(super) fn pool(
        &self,
        rule: &RuleSnapshot,
        base: Money,
    ) -> Result<Option<(Money, Money)>, MoneyError> {
        let renewal = rule.clauses.recurrence.renewal_rate(self.service.as_ref());
        let formula = &rule.formula;
        let raw = match (formula, self.movement.is_credit()) {
            // A credit takes back by what was sold; the flat part of a hybrid does not depend on it.
            (Formula::Hybrid { plus, .. }, true) => {
                plus.pool(base, self.goods.quantity, renewal, self.rounding)?
            }
            _ => formula.pool(base, self.goods.quantity, renewal, self.rounding)?,
        };
        let zero = Money::zero(base.currency());
        match raw {
            Some(_) if !base.is_positive() => Ok(Some((zero, zero))),
            Some(raw) => {
                let (floor, cap) = rule.clauses.limits(base.currency());
                let floor = floor.filter(|_| !self.movement.is_credit());
                Ok(Some((raw.min(base)?, bounded(raw, floor, cap, base)?)))
            }
            None => Ok(None),
        }
    }

    /// A share that stays within what earlier components leave of the partner's part of the base.
    pub(super) fn beside(
        &self,
        share: Money,
        earlier: Money,
        shares: &[Part],
        position: usize,
    ) -> Result<Money, MoneyError> {
        if !earlier.is_positive() {
            return Ok(share);
        }
        let own = at(self.net.allocate(shares, WHOLE_BASIS_POINTS)?, position);
        let room = own.checked_sub(earlier)?.max(Money::zero(own.currency()))?;
        share.min(room)
    }

    fn pool_step(&self, rule: &RuleSnapshot, base: Money, pool: Money) -> Step {
        let base_amount = base.amount();
        let formula = &rule.formula;
        let renewal = rule.clauses.recurrence.renewal_rate(self.service.as_ref());
        let rate =
            |rate: crate::kernel::rate::Rate| Step::product(base_amount, renewal.unwrap_or(rate).decimal());
        let flat = || {
            formula
                .flat(base.currency(), self.goods.quantity, self.rounding)
                .ok()
                .flatten()
                .map_or(Decimal::ZERO, Money::amount)
        };
        let expression = match formula {
            _ if !base.is_positive() => format!("nothing on a base of {base_amount}"),
            Formula::Percentage { rate: share } => rate(*share),
            Formula::Hybrid { .. } => match formula.rate() {
                Some(share) if self.movement.is_credit() => rate(share),
                Some(share) => format!("{} + {}, at most {base_amount}", flat(), rate(share)),
                None => String::new(),
            },
            Formula::Flat { .. } | Formula::Tiered(_) => {
                format!("the smaller of {} and {base_amount}", flat())
            }
        };
        Step::new("pool", expression, pool)
    }
}

/// A partner's own work under tiers.
pub(super) struct Own<'a> {
    pub(super) frame: &'a Frame,
    pub(super) rule: &'a RuleSnapshot,
    pub(super) tiers: &'a Tiers,
    pub(super) base: Money,
    pub(super) shares: &'a [Part],
    pub(super) position: usize,
    pub(super) standing: &'a Standing,
    pub(super) already_posted: Money,
    pub(super) earlier: Money,
}

impl Own<'_> {
    /// What is to be posted; none when the rule has nothing in the currency.
    pub(super) fn work(&self) -> Result<Option<OwnWork>, MoneyError> {
        if !self.rule.formula.covers(self.base.currency()) {
            return Ok(None);
        }
        let base = self.base.max(Money::zero(self.base.currency()))?;
        let own = self.share_of(base)?;
        let share = self.shares.get(self.position).map_or(0, |part| part.basis_points);
        let portion = Decimal::new(i64::from(share), 4);
        let count = product(self.frame.goods.quantity, portion)?.normalize();
        let text = format!("{} x {share} / {WHOLE_BASIS_POINTS}", base.amount());
        let steps = vec![Step::new("own_base", text, own)];
        let worked = if self.tiers.accumulates() {
            self.beyond_the_line(own, count, steps)?
        } else {
            self.within_the_line(own, count, steps)?
        };
        Ok(Some(worked))
    }

    /// The line alone decides: its whole amount, of which payments earn their part.
    fn within_the_line(
        &self,
        own: Money,
        count: Decimal,
        mut steps: Vec<Step>,
    ) -> Result<OwnWork, MoneyError> {
        let rounding = self.frame.rounding;
        let whole = if own.is_positive() {
            let exact = self.tiers.of_line(own.amount(), count)?;
            let tiers = Money::rounded(exact, own.currency(), rounding)?;
            steps.push(Step::new(
                "tiers",
                format!("f({}) = {exact}", own.amount()),
                tiers,
            ));
            let raw = tiers.checked_add(self.flat()?)?;
            let (floor, cap) = self.limits()?;
            let floor = floor.filter(|_| !self.frame.movement.is_credit());
            let bounded = bounded(raw, floor, cap, self.room(own, self.earlier)?)?;
            if bounded != tiers {
                steps.push(limited(raw, bounded));
            }
            bounded
        } else {
            Money::zero(own.currency())
        };
        let (earned, amount) = match self.frame.movement {
            Movement::Payment { after, .. } => {
                let earned = after.apply(whole, rounding)?;
                steps.push(after.step("earned", whole, earned));
                (earned, earned.checked_sub(self.already_posted)?)
            }
            Movement::Credit => {
                let credited = whole.checked_neg()?;
                steps.push(Step::negation("credited", whole, credited));
                (credited, credited.checked_sub(self.already_posted)?)
            }
        };
        steps.push(Step::difference("amount", earned, self.already_posted, amount));
        let entitled = if self.frame.movement.is_credit() {
            earned
        } else {
            whole
        };
        Ok(OwnWork {
            entitled,
            amount,
            growth: Growth::default(),
            steps,
        })
    }

    /// The partner's volume decides: what the money that came in adds to it.
    fn beyond_the_line(
        &self,
        own: Money,
        count: Decimal,
        mut steps: Vec<Step>,
    ) -> Result<OwnWork, MoneyError> {
        let (movement, rounding) = (self.frame.movement, self.frame.rounding);
        let moved = movement.part(own, rounding)?;
        let (volume, counted) = if movement.is_credit() {
            (-moved.amount(), Decimal::ZERO)
        } else {
            let counted = if movement.counts() && own.is_positive() {
                count
            } else {
                Decimal::ZERO
            };
            (moved.amount(), counted)
        };
        steps.push(Step::new("received", format!("of {}", own.amount()), moved));
        let nothing = volume.is_zero() && counted.is_zero();
        let (tiers, exact, step) = self.tiers.entry(self.standing, volume, counted, rounding)?;
        steps.push(step);
        let amount = if nothing {
            Money::zero(own.currency())
        } else if movement.is_credit() {
            tiers.max(moved.checked_neg()?)?
        } else {
            let part = |amount: Money| movement.part(amount, rounding);
            let raw = tiers.checked_add(part(self.flat()?)?)?;
            let (floor, cap) = self.limits()?;
            let (floor, cap) = (floor.map(part).transpose()?, cap.map(part).transpose()?);
            bounded(raw, floor, cap, self.room(moved, part(self.earlier)?)?)?
        };
        if amount != tiers {
            steps.push(limited(tiers, amount));
        }
        Ok(OwnWork {
            entitled: amount,
            amount,
            growth: Growth {
                volume,
                count: counted,
                exact,
            },
            steps,
        })
    }

    /// The partner's part of the flat amount of a hybrid; a credit does not touch it.
    fn flat(&self) -> Result<Money, MoneyError> {
        let (currency, quantity) = (self.base.currency(), self.frame.goods.quantity);
        match self.rule.formula.flat(currency, quantity, self.frame.rounding)? {
            Some(flat) if !self.frame.movement.is_credit() => self.share_of(flat),
            _ => Ok(Money::zero(currency)),
        }
    }

    /// The partner's part of floor and cap.
    fn limits(&self) -> Result<(Option<Money>, Option<Money>), MoneyError> {
        let (floor, cap) = self.rule.clauses.limits(self.base.currency());
        let share = |amount: Option<Money>| amount.map(|amount| self.share_of(amount)).transpose();
        Ok((share(floor)?, share(cap)?))
    }

    fn room(&self, base: Money, earlier: Money) -> Result<Money, MoneyError> {
        base.checked_sub(earlier)?.max(Money::zero(base.currency()))
    }

    fn share_of(&self, whole: Money) -> Result<Money, MoneyError> {
        Ok(at(
            whole.allocate(self.shares, WHOLE_BASIS_POINTS)?,
            self.position,
        ))
    }
}

/// Floor, then cap, then never above the base.
fn bounded(
    amount: Money,
    floor: Option<Money>,
    cap: Option<Money>,
    base: Money,
) -> Result<Money, MoneyError> {
    let amount = match floor {
        Some(floor) => amount.max(floor)?,
        None => amount,
    };
    let amount = match cap {
        Some(cap) => amount.min(cap)?,
        None => amount,
    };
    amount.min(base)
}

fn limited(raw: Money, amount: Money) -> Step {
    Step::new(
        "limited",
        format!("{} within floor, cap and base", raw.amount()),
        amount,
    )
}

/// The part at a position that is known to be there.
pub(super) fn at(parts: Vec<Money>, position: usize) -> Money {
    parts[position]
}

impl Standing {
    /// What a cap leaves of an amount; amounts below zero are not held back.
    pub(super) fn within(&self, cap: Money, amount: Money) -> Result<Money, MoneyError> {
        let zero = Money::zero(amount.currency());
        let used = Money::new(self.cap_used, amount.currency())?;
        let room = cap.checked_sub(used)?.max(zero)?;
        amount.min(room.max(amount.min(zero)?)?)
    }
}
