//! The explanation of a posting: compact JSON from which the amount can be computed again.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::accrue::{Party, WHOLE_BASIS_POINTS};
use super::clauses::{Goods, Service};
use super::formula::Formula;
use super::pools::{Frame, Movement, Own, at};
use super::reverse::{Refunded, clawback_entry, clawback_fraction, held_to};
use super::rule::{Component, Rule, RuleSnapshot};
use super::select::Considered;
use super::shared::Shared;
use super::tiers::{Growth, Standing};
use super::{CommissionError, IneligibleReason};
use crate::kernel::id::{AttributionId, PartnerId};
use crate::kernel::money::{Currency, Money, Part, Rounding};

/// Why a posting has its amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Explanation {
    /// Something was earned with a payment.
    Accrual(AccrualExplanation),
    /// Something was taken back with a credit note on a deal without an invoice.
    Credit(CreditExplanation),
    /// Something was taken back with a refund of a payment.
    Clawback(ClawbackExplanation),
}

/// What an accrual follows from. All amounts are in the one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccrualExplanation {
    /// The currency of the invoice.
    pub currency: Currency,
    /// The rounding of the program.
    pub rounding: Rounding,
    /// The net amount of the invoice line.
    #[serde(with = "rust_decimal::serde::str")]
    pub net: Decimal,
    /// What is to be paid for the whole invoice.
    #[serde(with = "rust_decimal::serde::str")]
    pub invoice_total: Decimal,
    /// What had been paid on the invoice before.
    #[serde(with = "rust_decimal::serde::str")]
    pub paid_before: Decimal,
    /// What has been paid on the invoice now.
    #[serde(with = "rust_decimal::serde::str")]
    pub paid_after: Decimal,
    /// What had been posted for the line, component and partner before.
    #[serde(with = "rust_decimal::serde::str")]
    pub already_posted: Decimal,
    /// Whose line it is, and by which rule and share.
    pub entitlement: Entitlement,
    /// The steps from the inputs to the amount.
    pub steps: Vec<Step>,
    /// The amount posted.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
}

/// What a line of a credit note follows from. All amounts are in the one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditExplanation {
    /// The currency of the credit note.
    pub currency: Currency,
    /// The rounding of the program.
    pub rounding: Rounding,
    /// The net amount credited.
    #[serde(with = "rust_decimal::serde::str")]
    pub credit: Decimal,
    /// What had been posted for earlier credits, when the credit is cumulative.
    #[serde(with = "rust_decimal::serde::str")]
    pub already_posted: Decimal,
    /// What there was to give back at most, where some of what was credited never earned.
    #[serde(
        with = "rust_decimal::serde::str_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub at_most: Option<Decimal>,
    /// Whose line it is, and by which rule and share.
    pub entitlement: Entitlement,
    /// The steps from the inputs to the amount.
    pub steps: Vec<Step>,
    /// The amount posted.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
}

/// What a clawback follows from. All amounts are in the one currency, but for an exchanged commission those of the
/// payment are in the payment's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClawbackExplanation {
    /// The currency of the commission.
    pub currency: Currency,
    /// The rounding of the program.
    pub rounding: Rounding,
    /// Whether money came in again, so that it is given back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reinstates: bool,
    /// What the commission had posted.
    #[serde(with = "rust_decimal::serde::str")]
    pub original: Decimal,
    /// The currency of the payment, where it is another one than that of the commission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_currency: Option<Currency>,
    /// The amount of the payment.
    #[serde(with = "rust_decimal::serde::str")]
    pub base: Decimal,
    /// Everything refunded of the payment so far.
    #[serde(with = "rust_decimal::serde::str")]
    pub refunded_cumulative: Decimal,
    /// Everything taken back before.
    #[serde(with = "rust_decimal::serde::str")]
    pub already_clawed: Decimal,
    /// The steps from the inputs to the amount.
    pub steps: Vec<Step>,
    /// The amount taken back; below zero what was given back.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
}

/// Whose line it is, and by which rule and share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    /// The credit that the share comes from.
    pub attribution_id: AttributionId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The component.
    pub component: Component,
    /// Why nothing is earned, when that is so.
    pub ineligible: Option<IneligibleReason>,
    /// What the program asked for and the partner did not have, where that is why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed_gates: Vec<String>,
    /// The rule that decided, if any.
    pub rule: Option<Shared<RuleSnapshot>>,
    /// The share of this partner.
    pub share: Part,
    /// All shares of the pool.
    pub shares: Shared<Vec<Part>>,
    /// The rules that were looked at, and what became of them.
    pub considered: Shared<Vec<Considered>>,
    /// What was sold; absent for one unit of a product.
    #[serde(default, skip_serializing_if = "Goods::is_plain")]
    pub goods: Goods,
    /// Where the line stands in the life of its deal, where the rule asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// What earlier components of the line come to for the partner.
    #[serde(
        with = "rust_decimal::serde::str",
        default,
        skip_serializing_if = "Decimal::is_zero"
    )]
    pub earlier: Decimal,
    /// How far the partner had come, where the rule counts or has a cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Box<Progress>>,
}

/// How far a partner had come before a line, and what the line added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The standing before the line.
    pub before: Standing,
    /// What the line added to the volume.
    #[serde(with = "rust_decimal::serde::str")]
    pub volume: Decimal,
    /// What the line added to the count.
    #[serde(with = "rust_decimal::serde::str")]
    pub count: Decimal,
}

/// One step of the arithmetic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the step works out.
    pub name: Cow<'static, str>,
    /// The arithmetic, exact and before any rounding.
    pub expression: String,
    /// The result, rounded as the explanation says.
    #[serde(with = "rust_decimal::serde::str")]
    pub result: Decimal,
}

/// Computes the amount of an explanation again, from the inputs that it carries and nothing else.
///
/// The stored steps and the stored amount are not read, so that a difference from the posting shows.
pub fn recompute(explanation: &Explanation) -> Result<Money, CommissionError> {
    match explanation {
        Explanation::Accrual(accrual) => accrual.recompute(),
        Explanation::Credit(credit) => credit.recompute(),
        Explanation::Clawback(clawback) => clawback.recompute(),
    }
}

impl Explanation {
    /// The amount that was posted, as the explanation states it.
    pub fn amount(&self) -> Result<Money, CommissionError> {
        let (amount, currency) = match self {
            Self::Accrual(accrual) => (accrual.amount, accrual.currency),
            Self::Credit(credit) => (credit.amount, credit.currency),
            Self::Clawback(clawback) => (clawback.amount, clawback.currency),
        };
        Ok(Money::new(amount, currency)?)
    }

    /// What had been posted for the same before: the sum that the amount is a part of begins there.
    pub fn already_posted(&self) -> Result<Money, CommissionError> {
        let (before, currency) = match self {
            Self::Accrual(accrual) => (accrual.already_posted, accrual.currency),
            Self::Credit(credit) => (credit.already_posted, credit.currency),
            Self::Clawback(clawback) => (clawback.already_clawed, clawback.currency),
        };
        Ok(Money::new(before, currency)?)
    }
}

impl AccrualExplanation {
    /// The payment.
    pub fn payment(&self) -> Result<Money, CommissionError> {
        let money = |amount| Money::new(amount, self.currency);
        Ok(money(self.paid_after)?.checked_sub(money(self.paid_before)?)?)
    }

    pub(super) fn movement(&self) -> Result<Movement, CommissionError> {
        let money = |amount| Money::new(amount, self.currency);
        let total = money(self.invoice_total)?;
        Ok(Movement::paid(
            money(self.paid_before)?,
            money(self.paid_after)?,
            total,
        )?)
    }

    fn recompute(&self) -> Result<Money, CommissionError> {
        let money = |amount| Money::new(amount, self.currency);
        self.entitlement.recompute(
            money(self.net)?,
            money(self.already_posted)?,
            self.movement()?,
            self.rounding,
        )
    }
}

impl CreditExplanation {
    fn recompute(&self) -> Result<Money, CommissionError> {
        let money = |amount| Money::new(amount, self.currency);
        let already_posted = money(self.already_posted)?;
        let amount = self.entitlement.recompute(
            money(self.credit)?,
            already_posted,
            Movement::Credit,
            self.rounding,
        )?;
        match self.at_most {
            Some(most) => Ok(held_to(amount, money(most)?)?),
            None => Ok(amount),
        }
    }
}

impl ClawbackExplanation {
    fn recompute(&self) -> Result<Money, CommissionError> {
        let money = |amount| Money::new(amount, self.currency);
        let paid = |amount| Money::new(amount, self.base_currency.unwrap_or(self.currency));
        let (original, base) = (money(self.original)?, paid(self.base)?);
        let refunded = clawback_fraction(original, base, paid(self.refunded_cumulative)?)?;
        let target = refunded.apply(original, self.rounding)?;
        let already = money(self.already_clawed)?;
        Ok(clawback_entry(self.went(), original, target, already)?)
    }

    const fn went(&self) -> Refunded {
        if self.reinstates {
            Refunded::Less
        } else {
            Refunded::More
        }
    }
}

impl Entitlement {
    pub(super) fn of(
        party: &Party<'_>,
        component: Component,
        shares: &Shared<Vec<Part>>,
        ineligible: Option<IneligibleReason>,
        (goods, service): (Goods, Option<Service>),
        growth: Growth,
    ) -> Self {
        let asks = |rule: &Rule| rule.terms().clauses.asks_for_service();
        let progress = || Progress {
            before: party.standing.clone(),
            volume: growth.volume,
            count: growth.count,
        };
        Self {
            attribution_id: party.attribution_id,
            partner_id: party.partner_id,
            component,
            ineligible,
            closed_gates: match ineligible {
                Some(IneligibleReason::GateClosed) => party.closed_gates.to_vec(),
                _ => Vec::new(),
            },
            rule: party.rule.map(Rule::snapshot),
            share: Part {
                basis_points: party.basis_points,
                rank: party.rank,
            },
            shares: shares.clone(),
            considered: party.considered.clone(),
            goods,
            service: service.filter(|_| party.rule.is_some_and(asks)),
            earlier: party.earlier.amount(),
            progress: party
                .rule
                .filter(|rule| rule.accumulates())
                .map(|_| Box::new(progress())),
        }
    }

    /// What is to be posted, computed again; nothing when the partner may take nothing.
    fn recompute(
        &self,
        net: Money,
        already_posted: Money,
        movement: Movement,
        rounding: Rounding,
    ) -> Result<Money, CommissionError> {
        let zero = Money::zero(net.currency());
        let (false, Some(rule)) = (self.ineligible.is_some_and(IneligibleReason::blocks), &self.rule) else {
            return Ok(zero);
        };
        let frame = self.frame(net, movement, rounding);
        let Ok(base) = frame.base(rule)? else {
            return Ok(zero);
        };
        let position = self.place()?;
        let earlier = Money::new(self.earlier, net.currency())?;
        let standing = self.progress.as_ref().map(|progress| &progress.before);
        let untouched = Standing::default();
        let amount = match rule.formula.tiers() {
            Some(tiers) => {
                let own = Own {
                    frame: &frame,
                    rule,
                    tiers,
                    base,
                    shares: &self.shares,
                    position,
                    standing: standing.unwrap_or(&untouched),
                    already_posted,
                    earlier,
                };
                own.work()?.map_or(zero, |worked| worked.amount)
            }
            None => {
                let Some((_, pool)) = frame.pool(rule, base)? else {
                    return Ok(zero);
                };
                let share = at(pool.allocate(&self.shares, WHOLE_BASIS_POINTS)?, position);
                let entitled = frame.beside(share, earlier, &self.shares, position)?;
                let target = match movement {
                    Movement::Payment { after, .. } => after.apply(entitled, rounding)?,
                    Movement::Credit => entitled.checked_neg()?,
                };
                target.checked_sub(already_posted)?
            }
        };
        match (movement, rule.clauses.cap(net.currency()), standing) {
            (Movement::Payment { .. }, Some(cap), Some(standing)) => Ok(standing.within(cap, amount)?),
            _ => Ok(amount),
        }
    }

    /// Which of the shares is this partner's.
    pub(super) fn place(&self) -> Result<usize, CommissionError> {
        let position = self.shares.iter().position(|share| *share == self.share);
        position.ok_or(CommissionError::UnknownShare)
    }

    pub(super) fn frame(&self, net: Money, movement: Movement, rounding: Rounding) -> Frame {
        Frame {
            component: self.component,
            net,
            goods: self.goods,
            service: self.service,
            rounding,
            movement,
        }
    }

    /// The formula of the rule that decided, if any.
    pub fn formula(&self) -> Option<&Formula> {
        self.rule.as_deref().map(|rule| &rule.formula)
    }
}

impl Step {
    pub(super) fn new(name: &'static str, expression: String, result: Money) -> Self {
        Self {
            name: Cow::Borrowed(name),
            expression,
            result: result.amount(),
        }
    }

    pub(super) fn share(pool: Money, basis_points: u32, result: Money) -> Self {
        Self::new(
            "share",
            format!("{} x {basis_points} / {WHOLE_BASIS_POINTS}", pool.amount()),
            result,
        )
    }

    /// What is to be posted now; says so when the plain difference had to be held within its bounds.
    pub(super) fn difference(name: &'static str, target: Money, before: Money, result: Money) -> Self {
        let (target, before) = (target.amount(), before.amount());
        let expression = match target - before {
            plain if plain == result.amount() => format!("{target} - {before}"),
            _ => format!("{target} - {before}, held between zero and what is left"),
        };
        Self::new(name, expression, result)
    }

    pub(super) fn negation(name: &'static str, amount: Money, result: Money) -> Self {
        Self::new(name, format!("-1 x {}", amount.amount()), result)
    }

    /// A product with its exact value, which always has an end.
    pub(super) fn product(left: Decimal, right: Decimal) -> String {
        match left.checked_mul(right) {
            Some(exact) => format!("{left} x {right} = {exact}"),
            None => format!("{left} x {right}"),
        }
    }
}
