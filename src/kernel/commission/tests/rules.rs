use super::*;

#[test]
fn the_same_terms_have_the_same_hash_however_they_are_written() {
    let mut one = terms(1, percentage("0.125"));
    one.conditions.motions = vec![Motion::Referral, Motion::CoSell];
    let mut other = terms(1, percentage("0.125000"));
    other.conditions.motions = vec![Motion::CoSell, Motion::Referral, Motion::CoSell];
    assert_eq!(one.hash(), other.hash());
    assert_eq!(Rule::new(one.clone()).unwrap().hash(), one.hash());

    let flat = |amounts: &[Money]| {
        terms(
            1,
            Formula::Flat {
                amounts: amounts.to_vec(),
                per: FlatPer::Line,
            },
        )
        .hash()
    };
    let (dollars, euros) = (usd("5"), money("4.50", "EUR"));
    assert_eq!(flat(&[dollars, euros]), flat(&[euros, dollars]));
}

#[test]
fn the_hash_is_of_a_published_text() {
    let terms = terms(1, percentage("0.1"));
    let expected = concat!(
        r#"{"rule_id":"rule_00000000000000000000000001","version_id":"rlv_00000000000000000000000001","#,
        r#""version":1,"component":"base","formula":{"type":"percentage","rate":"0.1000"},"conditions":"#,
        r#"{"program_id":"prg_00000000000000000000000001","motions":[],"roles":[],"partners":[],"#,
        r#""product_families":[],"currencies":[]},"priority":0,"hold_days":30,"#,
        r#""effective_from":"2026-01-01T00:00:00.000000Z"}"#,
    );
    assert_eq!(terms.canonical_text(), expected);
    assert_eq!(terms.hash().len(), 64);
    assert!(
        terms
            .hash()
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    );
}

#[test]
fn the_end_of_a_version_leaves_its_hash() {
    let open = terms(1, percentage("0.1"));
    let mut ended = open.clone();
    ended.effective_to = Some(at("2027-01-01T00:00:00Z"));
    assert_eq!(open.hash(), ended.hash());
}

#[test]
fn every_term_changes_the_hash() {
    let original = terms(1, percentage("0.1"));
    let changes: [fn(&mut RuleTerms); 14] = [
        |terms| terms.rule_id = rule_id(2),
        |terms| terms.version_id = CommissionRuleVersionId::from_uuid(Uuid::from_u128(2)),
        |terms| terms.version = 2,
        |terms| terms.component = Component::Bonus,
        |terms| terms.formula = percentage("0.100001"),
        |terms| terms.conditions.program_id = program(2),
        |terms| terms.conditions.motions = vec![Motion::Agency],
        |terms| terms.conditions.roles = vec![Role::Delivered],
        |terms| terms.conditions.partners = vec![partner(1)],
        |terms| terms.conditions.product_families = vec![family(1)],
        |terms| terms.conditions.currencies = vec![Currency::USD],
        |terms| terms.priority = 1,
        |terms| terms.hold_days = 31,
        |terms| terms.effective_from = at("2026-01-02T00:00:00Z"),
    ];
    let mut hashes = vec![original.hash()];
    for change in changes {
        let mut changed = original.clone();
        change(&mut changed);
        hashes.push(changed.hash());
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 15);
}

#[test]
fn terms_without_sense_make_no_rule() {
    let flat = |amounts: &[Money]| {
        Rule::new(terms(
            1,
            Formula::Flat {
                amounts: amounts.to_vec(),
                per: FlatPer::Line,
            },
        ))
        .err()
    };
    assert_eq!(flat(&[]), Some(RuleError::NoFlatAmount));
    assert_eq!(
        flat(&[usd("1"), usd("2")]),
        Some(RuleError::DuplicateFlatCurrency)
    );
    assert_eq!(flat(&[usd("-0.01")]), Some(RuleError::NegativeFlatAmount));
    assert_eq!(flat(&[usd("1"), money("1", "EUR")]), None);
    let mut empty = terms(1, percentage("0.1"));
    empty.effective_to = Some(empty.effective_from);
    assert_eq!(Rule::new(empty).err(), Some(RuleError::EmptyEffectivePeriod));
}

#[test]
fn a_formula_travels_as_json_with_decimal_strings() {
    let flat = Formula::Flat {
        amounts: vec![money("450", "JPY"), usd("5")],
        per: FlatPer::Line,
    };
    let wire = serde_json::to_string(&flat).unwrap();
    assert_eq!(wire, r#"{"type":"flat","amounts":{"JPY":"450","USD":"5.00"}}"#);
    assert_eq!(serde_json::from_str::<Formula>(&wire).unwrap(), flat);
    let wire = serde_json::to_string(&percentage("0.125")).unwrap();
    assert_eq!(wire, r#"{"type":"percentage","rate":"0.1250"}"#);
    assert_eq!(
        serde_json::from_str::<Formula>(&wire).unwrap(),
        percentage("0.125")
    );
    assert!(serde_json::from_str::<Formula>(r#"{"type":"flat","amounts":{"USD":"5.001"}}"#).is_err());
    assert!(serde_json::from_str::<Formula>(r#"{"type":"percentage","rate":0.125}"#).is_err());
}

#[test]
fn a_pool_is_never_above_the_base_and_nothing_on_nothing() {
    let flat = Formula::Flat {
        amounts: vec![usd("50")],
        per: FlatPer::Line,
    };
    let pool = |formula: &Formula, base: &str| {
        let rule = Rule::new(terms(1, formula.clone())).unwrap();
        whole(&rule, usd(base), Rounding::HalfUp)
    };
    assert_eq!(pool(&flat, "200"), Some(usd("50")));
    assert_eq!(pool(&flat, "30"), Some(usd("30")));
    for base in ["0", "-30"] {
        assert_eq!(pool(&flat, base), Some(usd("0")));
        assert_eq!(pool(&percentage("0.5"), base), Some(usd("0")));
    }
    assert_eq!(
        pool(&percentage("1"), "999999999999999.99"),
        Some(usd("999999999999999.99"))
    );
    let flat = Rule::new(terms(1, flat)).unwrap();
    assert_eq!(whole(&flat, money("200", "EUR"), Rounding::HalfUp), None);
}

/// A list in another order.
fn turned<T: Clone>(list: &[T], turn: usize) -> Vec<T> {
    let mut list = list.to_vec();
    let count = list.len().max(1);
    list.rotate_left(turn % count);
    list
}

proptest::proptest! {
    /// "the same snapshot always gives the same result and hash": however its lists are ordered, written and read again,
    /// and whenever it ends; and other terms have another one.
    #[test]
    fn a_hash_is_that_of_the_terms_and_of_nothing_else(
        parts in proptest::collection::btree_set(1u128..1_000, 0..5),
        currencies in proptest::sample::subsequence(vec!["EUR", "JPY", "KWD", "USD"], 0..4),
        tiers in proptest::sample::subsequence(vec!["bronze", "gold", "silver"], 0..3),
        millionths in 0i64..=1_000_000, turn in 0usize..7, days in 0u32..400,
    ) {
        let rate = rust_decimal::Decimal::new(millionths, 6).to_string();
        let mut one = terms(1, percentage(&rate));
        one.conditions.partners = parts.iter().map(|number| partner(*number)).collect();
        one.conditions.product_families = parts.iter().map(|number| family(*number)).collect();
        one.conditions.currencies = currencies.iter().map(|code| Currency::from_code(code).unwrap()).collect();
        one.clauses.tiers = tiers.iter().map(|tier| (*tier).to_owned()).collect();
        one.hold_days = days;
        let mut other = one.clone();
        other.conditions.partners = turned(&one.conditions.partners, turn);
        other.conditions.product_families = turned(&one.conditions.product_families, turn);
        other.conditions.currencies = turned(&one.conditions.currencies, turn);
        other.clauses.tiers = turned(&one.clauses.tiers, turn);
        other.effective_to = Some(at("2030-01-01T00:00:00Z"));
        let first = Rule::new(one.clone()).unwrap();
        let other = Rule::new(other).unwrap();
        proptest::prop_assert_eq!(first.hash(), other.hash());
        let stored = serde_json::to_string(&*first.snapshot()).unwrap();
        let read: RuleSnapshot = serde_json::from_str(&stored).unwrap();
        proptest::prop_assert_eq!(&read, &*first.snapshot());
        let mut changed = one;
        changed.hold_days += 1;
        let changed = Rule::new(changed).unwrap();
        proptest::prop_assert_ne!(first.hash(), changed.hash());
    }
}
