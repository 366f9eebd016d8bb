use proptest::prelude::*;

use super::*;

const LOCK: &str = "2026-06-01T00:00:00Z";

fn changed(number: u128, change: impl FnOnce(&mut RuleTerms)) -> Rule {
    let mut terms = terms(number, percentage("0.1"));
    change(&mut terms);
    Rule::new(terms).unwrap()
}

fn outcomes(rules: &[Rule], facts: &Facts) -> Vec<Outcome> {
    select(rules, facts, at(LOCK))
        .considered()
        .iter()
        .map(|considered| considered.outcome)
        .collect()
}

fn chosen(rules: &[Rule], facts: &Facts) -> Option<CommissionRuleId> {
    select(rules, facts, at(LOCK))
        .chosen(Component::Base)
        .map(|rule| rule.terms().rule_id)
}

#[test]
fn each_condition_that_differs_is_named() {
    let rules = [
        changed(1, |terms| {
            terms.effective_from = at("2026-06-01T00:00:00.000001Z")
        }),
        changed(2, |terms| terms.effective_to = Some(at(LOCK))),
        changed(3, |terms| terms.conditions.program_id = program(2)),
        changed(4, |terms| {
            terms.conditions.motions = vec![Motion::Agency, Motion::CoSell]
        }),
        changed(5, |terms| terms.conditions.roles = vec![Role::Delivered]),
        changed(6, |terms| terms.conditions.partners = vec![partner(2)]),
        changed(7, |terms| terms.conditions.product_families = vec![family(1)]),
        changed(8, |terms| {
            terms.conditions.currencies = vec![Currency::from_code("EUR").unwrap()]
        }),
        changed(9, |terms| {
            terms.formula = Formula::Flat {
                amounts: vec![money("5", "EUR")],
                per: FlatPer::Line,
            }
        }),
        changed(10, |_| ()),
    ];
    let expected = [
        Outcome::NotEffective,
        Outcome::NotEffective,
        Outcome::OtherProgram,
        Outcome::MotionDiffers,
        Outcome::RoleDiffers,
        Outcome::PartnerDiffers,
        Outcome::ProductFamilyDiffers,
        Outcome::CurrencyDiffers,
        Outcome::NoFlatAmountInCurrency,
        Outcome::Chosen,
    ];
    assert_eq!(outcomes(&rules, &facts()), expected);
    assert_eq!(chosen(&rules, &facts()), Some(rule_id(10)));
    assert_eq!(chosen(&rules[..9], &facts()), None);
}

#[test]
fn a_version_is_in_force_from_its_first_instant_to_before_its_end() {
    let rules = [changed(1, |terms| {
        terms.effective_from = at(LOCK);
        terms.effective_to = Some(at("2026-06-02T00:00:00Z"));
    })];
    let chosen = |instant: &str| {
        select(&rules, &facts(), at(instant))
            .chosen(Component::Base)
            .is_some()
    };
    assert!(!chosen("2026-05-31T23:59:59.999999Z"));
    assert!(chosen(LOCK));
    assert!(chosen("2026-06-01T23:59:59.999999Z"));
    assert!(!chosen("2026-06-02T00:00:00Z"));
}

#[test]
fn partner_beats_family_beats_motion_beats_priority() {
    let facts = Facts {
        product_family_id: Some(family(1)),
        ..facts()
    };
    let rules = [
        changed(1, |terms| terms.priority = 900),
        changed(2, |terms| terms.conditions.motions = vec![Motion::Referral]),
        changed(3, |terms| {
            terms.conditions.product_families = vec![family(1), family(2)]
        }),
        changed(4, |terms| terms.conditions.partners = vec![partner(1)]),
    ];
    for count in 1..=4u128 {
        assert_eq!(chosen(&rules[..count as usize], &facts), Some(rule_id(count)));
    }
    let than = rule_id(4);
    let lost = Outcome::LessSpecific { than };
    assert_eq!(outcomes(&rules, &facts), [lost, lost, lost, Outcome::Chosen]);
}

#[test]
fn components_do_not_compete() {
    let rules = [
        changed(1, |_| ()),
        changed(2, |terms| terms.component = Component::Bonus),
    ];
    let selection = select(&rules, &facts(), at(LOCK));
    assert_eq!(
        selection.chosen(Component::Base).map(|rule| rule.terms().rule_id),
        Some(rule_id(1))
    );
    assert_eq!(
        selection
            .chosen(Component::Bonus)
            .map(|rule| rule.terms().rule_id),
        Some(rule_id(2))
    );
    assert!(selection.chosen(Component::Override).is_none());
}

#[test]
fn a_tie_is_never_guessed() {
    let rules = [
        changed(1, |_| ()),
        changed(2, |_| ()),
        changed(3, |terms| terms.priority = -1),
    ];
    assert_eq!(chosen(&rules, &facts()), None);
    let tied = outcomes(&rules, &facts());
    assert!(
        matches!(tied[0], Outcome::Tied { .. }) && matches!(tied[1], Outcome::Tied { .. }),
        "{tied:?}"
    );
    assert!(matches!(tied[2], Outcome::LessSpecific { .. }), "{tied:?}");
}

fn tie(first: &Rule, second: &Rule) -> bool {
    let forward = ties([first.terms(), second.terms()]).is_some();
    assert_eq!(forward, ties([second.terms(), first.terms()]).is_some());
    forward
}

#[test]
fn rules_that_could_meet_with_equal_rank_tie() {
    let any = changed(1, |_| ());
    assert!(tie(&any, &changed(2, |_| ())));
    assert!(tie(
        &any,
        &changed(2, |terms| terms.conditions.roles = vec![Role::Sourced])
    ));
    assert!(tie(
        &any,
        &changed(2, |terms| terms.effective_to = Some(at("2026-01-02T00:00:00Z")))
    ));
    assert!(!tie(&any, &changed(2, |terms| terms.priority = 1)));
    assert!(!tie(
        &any,
        &changed(2, |terms| terms.component = Component::Bonus)
    ));
    assert!(!tie(
        &any,
        &changed(2, |terms| terms.conditions.program_id = program(2))
    ));
    assert!(!tie(
        &any,
        &changed(2, |terms| terms.conditions.partners = vec![partner(1)])
    ));

    let until_june = changed(1, |terms| terms.effective_to = Some(at(LOCK)));
    assert!(!tie(
        &until_june,
        &changed(2, |terms| terms.effective_from = at(LOCK))
    ));

    let motions =
        |number, motions: &[Motion]| changed(number, |terms| terms.conditions.motions = motions.to_vec());
    assert!(!tie(
        &motions(1, &[Motion::Agency]),
        &motions(2, &[Motion::CoSell, Motion::Referral])
    ));
    assert!(tie(
        &motions(1, &[Motion::Agency]),
        &motions(2, &[Motion::CoSell, Motion::Agency])
    ));
}

#[test]
fn flat_rules_tie_only_in_a_currency_that_both_pay() {
    let flat = |number, amount: Money| {
        changed(number, |terms| {
            terms.formula = Formula::Flat {
                amounts: vec![amount],
                per: FlatPer::Line,
            }
        })
    };
    let (dollars, euros) = (flat(1, usd("5")), flat(2, money("5", "EUR")));
    assert!(!tie(&dollars, &euros));
    assert!(tie(&dollars, &flat(3, usd("6"))));
    assert!(tie(&dollars, &changed(3, |_| ())));
    let only_euros = changed(3, |terms| {
        terms.conditions.currencies = vec![Currency::from_code("EUR").unwrap()]
    });
    assert!(!tie(&dollars, &only_euros));
    assert!(tie(&euros, &only_euros));
}

#[test]
fn the_first_pair_that_ties_is_named() {
    let rules = [
        changed(1, |_| ()),
        changed(2, |terms| terms.priority = 5),
        changed(3, |_| ()),
    ];
    let (first, second) = ties(rules.iter().map(Rule::terms)).unwrap();
    assert_eq!((first.rule_id, second.rule_id), (rule_id(1), rule_id(3)));
}

fn subset<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = all.len();
    proptest::sample::subsequence(all, 0..=most)
}

prop_compose! {
    fn any_rule(number: u128)(
        motions in subset(Motion::ALL[..2].to_vec()),
        roles in subset(Role::ALL[..2].to_vec()),
        partners in subset(vec![partner(1), partner(2)]),
        families in subset(vec![family(1), family(2)]),
        currencies in subset(vec![Currency::USD, Currency::from_code("EUR").unwrap()]),
        flat in subset(vec![usd("5"), money("5", "EUR")]),
        priority in 0i32..2,
        days in (0i64..3, 1i64..4),
    ) -> Rule {
        changed(number, |terms| {
            if !flat.is_empty() {
                terms.formula = Formula::Flat { amounts: flat, per: FlatPer::Line };
            }
            terms.conditions = Conditions {
                program_id: program(1), motions, roles, partners, product_families: families, currencies,
            };
            terms.priority = priority;
            terms.effective_from = at("2026-06-01T00:00:00Z") + chrono::TimeDelta::days(days.0);
            terms.effective_to = Some(terms.effective_from + chrono::TimeDelta::days(days.1));
        })
    }
}

/// Every set of facts and every day that the rules above can tell apart.
fn all_facts() -> impl Iterator<Item = (Facts<'static>, DateTime<Utc>)> {
    let family_choices = [None, Some(family(1)), Some(family(2)), Some(family(3))];
    (0..7i64).flat_map(move |day| {
        let lock_at = at("2026-06-01T00:00:00Z") + chrono::TimeDelta::days(day);
        (0..3 * 3 * 3 * 4 * 3usize).map(move |index| {
            let facts = Facts {
                program_id: program(1),
                motion: Motion::ALL[index % 3],
                role: Role::ALL[index / 3 % 3],
                partner_id: partner(1 + (index / 9 % 3) as u128),
                product_family_id: family_choices[index / 27 % 4],
                currency: Currency::from_code(["USD", "EUR", "JPY"][index / 108]).unwrap(),
                ..facts()
            };
            (facts, lock_at)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rules_tie_exactly_when_some_facts_find_them_tied(first in any_rule(1), second in any_rule(2)) {
        let rules = [first, second];
        let met = all_facts().any(|(facts, lock_at)| {
            let tied = |considered: &Considered| matches!(considered.outcome, Outcome::Tied { .. });
            select(&rules, &facts, lock_at).considered().iter().any(tied)
        });
        prop_assert_eq!(ties(rules.iter().map(Rule::terms)).is_some(), met);
    }

    #[test]
    fn the_order_of_the_rules_does_not_matter(first in any_rule(1), second in any_rule(2), third in any_rule(3)) {
        let forward = [first.clone(), second.clone(), third.clone()];
        let backward = [third, second, first];
        for (facts, lock_at) in all_facts().step_by(17) {
            let chosen = |rules| select(rules, &facts, lock_at).chosen(Component::Base).map(|rule| rule.terms().rule_id);
            prop_assert_eq!(chosen(&forward), chosen(&backward));
        }
    }
}
