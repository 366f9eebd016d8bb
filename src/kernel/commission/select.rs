//! Which rule decides a line, and why the others do not.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::clauses::{Clauses, in_currency};
use super::formula::Formula;
use super::rule::{Component, Conditions, Rule, RuleTerms};
use super::shared::Shared;
use crate::kernel::id::{CommissionRuleId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::motion::{DealType, Motion, Role};

/// What is known of one partner's part in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The program of the enrollment.
    pub program_id: ProgramId,
    /// The motion of the deal.
    pub motion: Motion,
    /// The role of the attribution.
    pub role: Role,
    /// The partner.
    pub partner_id: PartnerId,
    /// The product family of the line, if it has one.
    pub product_family_id: Option<ProductFamilyId>,
    /// The currency of the invoice.
    pub currency: Currency,
    /// The tier of the enrollment, if it has one.
    pub tier: Option<&'a str>,
    /// The type of the deal.
    pub deal_type: DealType,
    /// The country of the customer, if it is known.
    pub country: Option<&'a str>,
    /// The net amount of the line.
    pub net: Money,
}

/// What became of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It decides its component.
    Chosen,
    /// It is not in force at the lock point.
    NotEffective,
    /// It belongs to another program.
    OtherProgram,
    /// It is for other motions.
    MotionDiffers,
    /// It is for other roles.
    RoleDiffers,
    /// It is for other partners.
    PartnerDiffers,
    /// It is for other product families.
    ProductFamilyDiffers,
    /// It is for other currencies.
    CurrencyDiffers,
    /// It is for other tiers.
    TierDiffers,
    /// It is for other types of deals.
    DealTypeDiffers,
    /// It is for customers in other countries.
    CountryDiffers,
    /// The line is below its minimum.
    BelowMinimumAmount,
    /// It is flat and names no amount in the currency.
    NoFlatAmountInCurrency,
    /// It would apply, but another one is more specific or has priority.
    LessSpecific {
        /// The rule that was chosen instead.
        than: CommissionRuleId,
    },
    /// It would apply, but another one is equally specific, so that neither is chosen. Activation
    /// refuses such pairs; the engine does not guess when it meets one all the same.
    Tied {
        /// The rule that it ties with.
        with: CommissionRuleId,
    },
}

/// One rule that was looked at, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// The rule.
    pub rule_id: CommissionRuleId,
    /// The number of its version.
    pub version: i32,
    /// What it would have paid.
    pub component: Component,
    /// What became of it.
    pub outcome: Outcome,
}

/// The decision for one set of facts.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    chosen: [Option<&'a Rule>; Component::ALL.len()],
    considered: Shared<Vec<Considered>>,
}

impl<'a> Selection<'a> {
    /// The rule that decides a component.
    pub const fn chosen(&self, component: Component) -> Option<&'a Rule> {
        self.chosen[component as usize]
    }

    /// Every rule that was looked at, in the order given; shared with the explanations.
    pub fn considered(&self) -> Shared<Vec<Considered>> {
        self.considered.clone()
    }
}

/// Chooses at most one rule per component among the rules in force at `lock_at`.
///
/// The most specific wins: partner, then tier, then product family, then motion, then the higher priority.
pub fn select<'a>(
    rules: impl IntoIterator<Item = &'a Rule>,
    facts: &Facts<'_>,
    lock_at: DateTime<Utc>,
) -> Selection<'a> {
    let rules = rules.into_iter();
    let mut considered = Vec::with_capacity(rules.size_hint().0);
    let mut fitting: Vec<(usize, &'a Rule)> = Vec::new();
    for rule in rules {
        let terms = rule.terms();
        let outcome = refusal(terms, facts, lock_at).unwrap_or(Outcome::Chosen);
        if outcome == Outcome::Chosen {
            fitting.push((considered.len(), rule));
        }
        considered.push(Considered {
            rule_id: terms.rule_id,
            version: terms.version,
            component: terms.component,
            outcome,
        });
    }
    let mut chosen = [None; Component::ALL.len()];
    for component in Component::ALL {
        chosen[*component as usize] = settle(*component, &fitting, &mut considered);
    }
    Selection {
        chosen,
        considered: Shared::new(considered),
    }
}

/// Two rules of one component that could both apply to one set of facts at one instant and of which
/// neither is more specific, if there are such. Such a pair is refused at activation.
pub fn ties<'a>(rules: impl IntoIterator<Item = &'a RuleTerms>) -> Option<(&'a RuleTerms, &'a RuleTerms)> {
    let rules: Vec<&RuleTerms> = rules.into_iter().collect();
    rules.iter().enumerate().find_map(|(index, first)| {
        let second = rules[index + 1..].iter().find(|second| tie(first, second))?;
        Some((*first, *second))
    })
}

/// How specific a rule is; the fields stand in the order in which they decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Specificity {
    names_partners: bool,
    names_tiers: bool,
    names_product_families: bool,
    names_motions: bool,
    priority: i32,
}

impl Specificity {
    fn of(terms: &RuleTerms) -> Self {
        Self {
            names_partners: !terms.conditions.partners.is_empty(),
            names_tiers: !terms.clauses.tiers.is_empty(),
            names_product_families: !terms.conditions.product_families.is_empty(),
            names_motions: !terms.conditions.motions.is_empty(),
            priority: terms.priority,
        }
    }
}

/// Chooses among the rules of a component that fit, and notes why the others lost.
fn settle<'a>(
    component: Component,
    fitting: &[(usize, &'a Rule)],
    considered: &mut [Considered],
) -> Option<&'a Rule> {
    let rivals = || {
        fitting
            .iter()
            .filter(|(_, rule)| rule.terms().component == component)
    };
    let (best_index, best) = *rivals().max_by_key(|(_, rule)| Specificity::of(rule.terms()))?;
    let specificity = Specificity::of(best.terms());
    let mut tied = None;
    for (index, rule) in rivals().filter(|(index, _)| *index != best_index) {
        considered[*index].outcome = if Specificity::of(rule.terms()) == specificity {
            tied = Some(rule.terms().rule_id);
            Outcome::Tied {
                with: best.terms().rule_id,
            }
        } else {
            Outcome::LessSpecific {
                than: best.terms().rule_id,
            }
        };
    }
    match tied {
        Some(with) => {
            considered[best_index].outcome = Outcome::Tied { with };
            None
        }
        None => Some(best),
    }
}

fn refusal(terms: &RuleTerms, facts: &Facts<'_>, lock_at: DateTime<Utc>) -> Option<Outcome> {
    let Conditions {
        program_id,
        motions,
        roles,
        partners,
        product_families,
        currencies,
    } = &terms.conditions;
    let in_force = terms.is_in_force(lock_at);
    let family_admitted = product_families.is_empty()
        || facts
            .product_family_id
            .is_some_and(|family| product_families.contains(&family));
    [
        (in_force, Outcome::NotEffective),
        (*program_id == facts.program_id, Outcome::OtherProgram),
        (admits(motions, &facts.motion), Outcome::MotionDiffers),
        (admits(roles, &facts.role), Outcome::RoleDiffers),
        (admits(partners, &facts.partner_id), Outcome::PartnerDiffers),
        (family_admitted, Outcome::ProductFamilyDiffers),
        (admits(currencies, &facts.currency), Outcome::CurrencyDiffers),
        (
            terms.formula.covers(facts.currency),
            match terms.formula {
                Formula::Tiered(_) => Outcome::CurrencyDiffers,
                _ => Outcome::NoFlatAmountInCurrency,
            },
        ),
    ]
    .into_iter()
    .find_map(|(admitted, outcome)| (!admitted).then_some(outcome))
    .or_else(|| refused_clause(&terms.clauses, facts))
}

fn refused_clause(clauses: &Clauses, facts: &Facts<'_>) -> Option<Outcome> {
    if clauses.is_unconditional() {
        return None;
    }
    let admits_text = |allowed: &[String], value: Option<&str>| {
        allowed.is_empty() || value.is_some_and(|value| allowed.iter().any(|entry| entry == value))
    };
    let minimum = in_currency(&clauses.minimum_amounts, facts.currency);
    [
        (admits_text(&clauses.tiers, facts.tier), Outcome::TierDiffers),
        (
            admits(&clauses.deal_types, &facts.deal_type),
            Outcome::DealTypeDiffers,
        ),
        (
            admits_text(&clauses.countries, facts.country),
            Outcome::CountryDiffers,
        ),
        (
            minimum.is_none_or(|minimum| facts.net.amount() >= minimum.amount()),
            Outcome::BelowMinimumAmount,
        ),
    ]
    .into_iter()
    .find_map(|(admitted, outcome)| (!admitted).then_some(outcome))
}

fn tie(first: &RuleTerms, second: &RuleTerms) -> bool {
    let (one, other) = (&first.conditions, &second.conditions);
    first.component == second.component
        && Specificity::of(first) == Specificity::of(second)
        && in_force_together(first, second)
        && one.program_id == other.program_id
        && meet(&one.motions, &other.motions)
        && meet(&one.roles, &other.roles)
        && meet(&one.partners, &other.partners)
        && meet(&one.product_families, &other.product_families)
        && meet(&first.clauses.tiers, &second.clauses.tiers)
        && meet(&first.clauses.deal_types, &second.clauses.deal_types)
        && meet(&first.clauses.countries, &second.clauses.countries)
        && meet_in_currency(first, second)
}

fn in_force_together(first: &RuleTerms, second: &RuleTerms) -> bool {
    !second.is_over(first.effective_from) && !first.is_over(second.effective_from)
}

/// A flat rule applies only in the currencies that it names an amount in.
fn meet_in_currency(first: &RuleTerms, second: &RuleTerms) -> bool {
    let admitted = |currency: &Currency| {
        [first, second]
            .iter()
            .all(|terms| admits(&terms.conditions.currencies, currency) && terms.formula.covers(*currency))
    };
    let named: Vec<Currency> = [first, second]
        .into_iter()
        .flat_map(|terms| {
            terms
                .conditions
                .currencies
                .iter()
                .copied()
                .chain(terms.formula.currencies())
        })
        .collect();
    // When neither names a currency, both apply in all of them.
    named.is_empty() || named.iter().any(admitted)
}

fn admits<T: PartialEq>(allowed: &[T], value: &T) -> bool {
    allowed.is_empty() || allowed.contains(value)
}

fn meet<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|entry| other.contains(entry))
}
