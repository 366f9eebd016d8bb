use super::domain::{
    CommissionRule, CommissionRuleVersion, NewCommissionRule, RuleVersionStatus, VersionTerms,
};
use crate::kernel::commission::{Clauses, Component, FlatPer, Formula};
use crate::kernel::id::{PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::motion::{Motion, Role};
use crate::kernel::problem::Problem;
use chrono::{DateTime, Utc};
use uuid::Uuid;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> DateTime<Utc> {
    at(&format!("{text}T00:00:00Z"))
}

fn now() -> DateTime<Utc> {
    day("2026-01-01")
}

fn ten_percent(from: &str, to: Option<&str>) -> VersionTerms {
    VersionTerms {
        formula: Formula::Percentage {
            rate: "0.1".parse().unwrap(),
        },
        motions: Vec::new(),
        roles: vec![Role::Sourced],
        partner_ids: Vec::new(),
        product_family_ids: Vec::new(),
        currencies: Vec::new(),
        clauses: Clauses::default(),
        priority: 0,
        hold_days: 30,
        effective_from: day(from),
        effective_to: to.map(day),
    }
}

fn rule() -> CommissionRule {
    let new = NewCommissionRule {
        external_id: None,
        program_id: ProgramId::from_uuid(Uuid::from_u128(1)),
        name: "Referral".to_owned(),
        component: Component::Base,
        terms: ten_percent("2012-04-01", None),
    };
    CommissionRule::new(&new, now())
}

fn draft(terms: VersionTerms) -> Result<CommissionRuleVersion, Problem> {
    rule().draft(1, terms, now())
}

fn active(from: &str, to: Option<&str>) -> CommissionRuleVersion {
    draft(ten_percent(from, to)).unwrap().activate(now()).unwrap()
}

/// The code of the first invalid field, or of the problem itself.
fn refusal<T: std::fmt::Debug>(outcome: Result<T, Problem>) -> String {
    let problem = outcome.unwrap_err();
    match problem.errors.first() {
        Some(field) => format!("{} {}", field.pointer, field.code),
        None => problem.code.name().to_owned(),
    }
}

#[test]
fn a_version_is_written_then_active_then_retired_and_nothing_else() {
    let draft = draft(ten_percent("2012-04-01", None)).unwrap();
    assert_eq!(draft.status, RuleVersionStatus::Draft);
    assert_eq!(refusal(draft.clone().retire(None, None, now())), "wrong_state");
    let active = draft.activate(now()).unwrap();
    assert_eq!(active.activated_at, Some(now()));
    assert_eq!(refusal(active.clone().activate(now())), "wrong_state");
    let terms = active.terms.clone();
    assert_eq!(refusal(active.clone().rewritten(terms, now())), "wrong_state");
    let retired = active.retire(None, None, now()).unwrap();
    assert_eq!(
        (retired.status, retired.terms.effective_to),
        (RuleVersionStatus::Retired, Some(now()))
    );
    assert_eq!(refusal(retired.retire(None, None, now())), "wrong_state");
}

#[test]
fn other_terms_have_another_hash_and_an_end_has_not() {
    let draft = draft(ten_percent("2012-04-01", None)).unwrap();
    let mut terms = draft.terms.clone();
    terms.hold_days = 31;
    let rewritten = draft.clone().rewritten(terms, now()).unwrap();
    assert_ne!(rewritten.terms_hash, draft.terms_hash);
    let retired = draft
        .clone()
        .activate(now())
        .unwrap()
        .retire(None, None, now())
        .unwrap();
    assert_eq!(retired.terms_hash, draft.terms_hash);
    assert_eq!(retired.rule().unwrap().hash(), draft.terms_hash);
}

#[test]
fn terms_that_make_no_rule_are_refused_at_their_field() {
    let backwards = ten_percent("2012-04-01", Some("2012-04-01"));
    assert_eq!(
        refusal(draft(backwards)),
        "/terms/effective_to before_effective_from"
    );
    let mut flat = ten_percent("2012-04-01", None);
    let dollars = |text| Money::parse(text, Currency::USD).unwrap();
    flat.formula = Formula::Flat {
        amounts: vec![dollars("1"), dollars("2")],
        per: FlatPer::Line,
    };
    assert_eq!(
        refusal(draft(flat.clone())),
        "/terms/formula/amounts duplicate_currency"
    );
    flat.formula = Formula::Flat {
        amounts: vec![dollars("-1")],
        per: FlatPer::Line,
    };
    assert_eq!(refusal(draft(flat)), "/terms/formula/amounts negative_amount");
}

#[test]
fn a_version_cannot_end_before_it_begins_nor_before_its_last_use() {
    let version = active("2020-01-01", None);
    let retire =
        |end: &str, last_use: Option<&str>| version.clone().retire(Some(day(end)), last_use.map(day), now());
    assert_eq!(
        refusal(retire("2020-01-01", None)),
        "/effective_to before_effective_from"
    );
    assert_eq!(
        refusal(retire("2021-01-01", Some("2021-01-01"))),
        "rule_backdated"
    );
    let retired = retire("2021-01-02", Some("2021-01-01")).unwrap();
    assert_eq!(retired.terms.effective_to, Some(day("2021-01-02")));
}

#[test]
fn an_end_that_was_set_is_never_put_off() {
    let version = active("2020-01-01", Some("2021-01-01"));
    let later = version.clone().retire(Some(day("2021-01-02")), None, now());
    assert_eq!(refusal(later), "/effective_to after_effective_to");
    let retired = version.retire(None, None, now()).unwrap();
    assert_eq!(retired.terms.effective_to, Some(day("2021-01-01")));
}

#[test]
fn only_a_later_version_of_the_rule_ends_the_open_one() {
    let open = active("2020-01-01", None);
    let sibling = |from, to| CommissionRuleVersion {
        commission_rule_id: open.commission_rule_id,
        ..active(from, to)
    };
    let successor = sibling("2021-01-01", None);
    assert!(open.ends_with(&successor));
    assert!(!open.ends_with(&sibling("2020-01-01", None)));
    assert!(!open.ends_with(&active("2021-01-01", None)));
    assert!(!sibling("2020-01-01", Some("2022-01-01")).ends_with(&successor));
    let ended = open.clone().succeeded(&successor, now());
    assert_eq!(ended.terms.effective_to, Some(day("2021-01-01")));
    assert!(open.overlaps(&successor) && !ended.overlaps(&successor));
    assert_eq!(ended.terms_hash, open.terms_hash);
}

#[test]
fn periods_are_half_open() {
    let (first, second) = (
        active("2020-01-01", Some("2021-01-01")),
        active("2021-01-01", Some("2022-01-01")),
    );
    assert!(!first.overlaps(&second) && !second.overlaps(&first));
    let between = active("2020-12-31", Some("2021-01-02"));
    assert!(between.overlaps(&first) && second.overlaps(&between));
}

#[test]
fn terms_read_as_a_sentence() {
    let version = draft(ten_percent("2012-04-01", None)).unwrap();
    assert_eq!(
        version.sentence(),
        "10% of net money received on sourced deals of any partner, paid after a hold of 30 days, from 1 April 2012."
    );
}

#[test]
fn every_condition_is_in_the_sentence() {
    let partner = PartnerId::from_uuid(Uuid::from_u128(7));
    let family = ProductFamilyId::from_uuid(Uuid::from_u128(8));
    let (dollars, yen) = (Currency::USD, Currency::from_code("JPY").unwrap());
    let terms = VersionTerms {
        formula: Formula::Flat {
            per: FlatPer::Line,
            amounts: vec![
                Money::parse("12.50", dollars).unwrap(),
                Money::parse("900", yen).unwrap(),
            ],
        },
        motions: vec![Motion::CoSell, Motion::Agency],
        roles: vec![Role::Sourced, Role::Influenced, Role::Delivered],
        partner_ids: vec![partner],
        product_family_ids: vec![family, family],
        currencies: vec![dollars],
        clauses: Clauses::default(),
        priority: 0,
        hold_days: 0,
        effective_from: at("2026-01-31T22:30:00Z"),
        effective_to: Some(day("2027-02-01")),
    };
    let bonus = CommissionRuleVersion {
        component: Component::Bonus,
        ..draft(terms).unwrap()
    };
    assert_eq!(
        bonus.sentence(),
        format!(
            "A bonus of 12.50 USD or 900 JPY per invoice line on sourced, influenced or delivered co-sell or agency \
             deals of partner {partner} for 2 named product families in USD, paid without a hold, from 31 January \
             2026 at 22:30 UTC until 1 February 2027."
        )
    );
}
