use super::*;
use crate::kernel::problem::Code;
use proptest::prelude::*;
use serde_json::{Value, json};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn usd(amount: &str) -> Money {
    Money::parse(amount, Currency::USD).unwrap()
}

fn defaults() -> DealRules {
    let zone: ProgramZone = "Europe/Berlin".parse().unwrap();
    let created_at = at("2026-03-01T08:00:00Z");
    DealRules::defaults(ProgramId::new(created_at), zone, created_at)
}

fn field(key: &str, kind: QualificationType, is_required: bool) -> QualificationField {
    let choices = match kind {
        QualificationType::Choice => vec!["small".to_owned(), "large".to_owned()],
        _ => Vec::new(),
    };
    QualificationField {
        key: key.to_owned(),
        label: format!("The {key}"),
        help: None,
        kind,
        is_required,
        choices,
    }
}

fn codes(problems: Vec<FieldProblem>) -> Vec<(String, String)> {
    problems.into_iter().map(|one| (one.pointer, one.code)).collect()
}

fn said(problem: Option<FieldProblem>) -> Option<(String, String)> {
    problem.map(|one| (one.pointer, one.code))
}

fn pair(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

#[test]
fn the_defaults_ask_for_nothing() {
    let rules = defaults();
    assert_eq!(
        rules.qualification_problems(&Qualification::new(), "/qualification"),
        []
    );
    assert_eq!(rules.size_problem(None, "/amount"), None);
    assert_eq!(rules.territory_problem(None, "/country"), None);
    assert_eq!(rules.product_problem(None, "/product_family_id"), None);
    assert_eq!(rules.tender_problem(true, "/is_public_tender"), None);
    assert_eq!(rules.contradictions(), []);
}

#[test]
fn promises_are_kept_by_the_programs_calendar() {
    let rules = defaults();
    // 31 March, 00:30 in Berlin.
    let submitted = at("2026-03-30T22:30:00Z");
    assert_eq!(
        rules.protected_from(submitted, at("2026-04-02T10:00:00Z")),
        at("2026-04-02T10:00:00Z")
    );
    assert_eq!(rules.protected_until(submitted), at("2026-06-28T22:00:00Z"));
    assert_eq!(
        rules.extended_until(at("2026-06-28T22:00:00Z")),
        at("2026-07-28T22:00:00Z")
    );
    assert_eq!(rules.referral_expires_at(submitted), at("2026-06-28T22:00:00Z"));
    // Two working days of eight hours: Tuesday and Wednesday.
    assert_eq!(rules.respond_by(submitted), Some(at("2026-04-01T15:00:00Z")));
    let silent = DealRules {
        response_business_hours: None,
        ..rules
    };
    assert_eq!(silent.respond_by(submitted), None);
}

#[test]
fn size_territory_product_and_tender_are_limited() {
    let family = ProductFamilyId::new(at("2026-03-01T08:00:00Z"));
    let rules = DealRules {
        minimum_deal_sizes: vec![usd("5000")],
        countries: BTreeSet::from(["DE".to_owned(), "AT".to_owned()]),
        excluded_countries: BTreeSet::from(["US".to_owned()]),
        product_family_ids: BTreeSet::from([family]),
        excludes_public_tenders: true,
        ..defaults()
    };
    let euro = Money::parse("9000", Currency::from_code("EUR").unwrap()).unwrap();
    assert_eq!(said(rules.size_problem(Some(usd("5000")), "/amount")), None);
    assert_eq!(
        said(rules.size_problem(Some(usd("4999.99")), "/amount")),
        Some(pair("/amount/amount", "below_minimum"))
    );
    assert_eq!(
        said(rules.size_problem(Some(euro), "/amount")),
        Some(pair("/amount/currency", "currency_not_taken"))
    );
    assert_eq!(
        said(rules.size_problem(None, "/amount")),
        Some(pair("/amount", "missing"))
    );
    let territory = |country| said(rules.territory_problem(country, "/country")).map(|one| one.1);
    assert_eq!(territory(Some("DE")), None);
    assert_eq!(territory(Some("FR")).as_deref(), Some("outside_territory"));
    assert_eq!(territory(None).as_deref(), Some("missing"));
    let everywhere_else = DealRules {
        countries: BTreeSet::new(),
        ..rules.clone()
    };
    assert!(
        everywhere_else
            .territory_problem(Some("FR"), "/country")
            .is_none()
    );
    assert!(
        everywhere_else
            .territory_problem(Some("US"), "/country")
            .is_some()
    );
    let product = |id| said(rules.product_problem(id, "/product_family_id")).map(|one| one.1);
    assert_eq!(product(Some(family)), None);
    assert_eq!(product(None).as_deref(), Some("missing"));
    let other = ProductFamilyId::new(at("2026-03-01T08:00:01Z"));
    assert_eq!(product(Some(other)).as_deref(), Some("outside_program"));
    assert!(rules.tender_problem(true, "/is_public_tender").is_some());
    assert!(rules.tender_problem(false, "/is_public_tender").is_none());
}

#[test]
fn every_wrong_field_is_named() {
    let fields = vec![
        field("why", QualificationType::Text, true),
        field("seats", QualificationType::Number, false),
        field("budget", QualificationType::Money, true),
        field("decision_by", QualificationType::Date, false),
        field("size", QualificationType::Choice, false),
        field("is_live", QualificationType::YesNo, false),
    ];
    let rules = DealRules {
        qualification_fields: fields,
        ..defaults()
    };
    let problems = |body: Value| {
        let Value::Object(submission) = body else {
            panic!("{body}")
        };
        codes(rules.qualification_problems(&submission, "/qualification"))
    };
    let good = json!({
        "why": "They asked.", "seats": 12.5, "budget": { "amount": "10.00", "currency": "USD" },
        "decision_by": "2026-02-28", "size": "small", "is_live": false
    });
    assert_eq!(problems(good), []);
    assert_eq!(
        problems(json!({
            "why": " ", "seats": "12", "budget": { "amount": "10.001", "currency": "USD" },
            "decision_by": "2026-02-30", "size": "huge", "is_live": 1, "a/b~c": 1
        })),
        [
            pair("/qualification/why", "too_short"),
            pair("/qualification/seats", "invalid_type"),
            pair("/qualification/budget", "invalid_amount"),
            pair("/qualification/decision_by", "invalid_format"),
            pair("/qualification/size", "unknown_value"),
            pair("/qualification/is_live", "invalid_type"),
            pair("/qualification/a~1b~0c", "unknown_field"),
        ]
    );
    assert_eq!(
        problems(json!({ "is_live": null })),
        [
            pair("/qualification/why", "missing"),
            pair("/qualification/budget", "missing"),
            pair("/qualification/is_live", "invalid_type"),
        ]
    );
}

#[test]
fn a_patch_that_contradicts_itself_is_refused_with_every_fault() {
    let twice = vec![
        field("why", QualificationType::Text, true),
        QualificationField {
            choices: vec!["a".to_owned()],
            ..field("why", QualificationType::Text, true)
        },
        QualificationField {
            choices: Vec::new(),
            ..field("size", QualificationType::Choice, true)
        },
    ];
    let patch = DealRulesPatch {
        qualification_fields: Some(twice),
        countries: Some(BTreeSet::from(["DE".to_owned()])),
        excluded_countries: Some(BTreeSet::from(["DE".to_owned()])),
        ..DealRulesPatch::default()
    };
    let problem = defaults().patched(patch, at("2026-03-02T08:00:00Z")).unwrap_err();
    assert_eq!(problem.code, Code::ValidationFailed);
    assert_eq!(
        codes(problem.errors),
        [
            pair("/qualification_fields/1/key", "duplicate"),
            pair("/qualification_fields/1/choices", "not_of_this_type"),
            pair("/qualification_fields/2/choices", "not_of_this_type"),
            pair("/excluded_countries", "contradiction"),
        ]
    );
    let late = DealRulesPatch {
        opens_at: Some("18:00".parse().unwrap()),
        ..DealRulesPatch::default()
    };
    let problem = defaults().patched(late, at("2026-03-02T08:00:00Z")).unwrap_err();
    assert_eq!(codes(problem.errors), [pair("/closes_at", "not_after_opens_at")]);
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![
            "",
            " ",
            "text",
            "small",
            "2026-02-28",
            "2026-02-30",
            "2026-2-8",
            "20260228",
            "a\0b",
            "1",
        ])
        .prop_map(Value::from),
        prop::sample::select(vec![
            json!({ "amount": "10.00", "currency": "USD" }),
            json!({ "amount": "10.00" }),
            json!({ "amount": 10, "currency": "USD" }),
            json!({ "amount": "1e3", "currency": "USD" }),
            json!({ "amount": "1", "currency": "usd" }),
            json!({ "amount": "1", "currency": "USD", "more": 1 }),
            json!([]),
        ]),
    ]
}

proptest! {
    /// The schema that a frontend is given takes what the service takes and nothing else.
    #[test]
    fn the_schema_and_the_check_agree(
        kinds in prop::collection::vec((0..QualificationType::ALL.len(), any::<bool>()), 0..6),
        filled in prop::collection::vec(prop::option::of(values()), 7),
    ) {
        let fields: Vec<QualificationField> = kinds
            .iter()
            .enumerate()
            .map(|(index, (kind, required))| {
                field(&format!("field_{index}"), QualificationType::ALL[*kind], *required)
            })
            .collect();
        let submission: Qualification = filled
            .into_iter()
            .enumerate()
            .filter_map(|(index, value)| Some((format!("field_{index}"), value?)))
            .collect();
        let required: Vec<&str> = fields.iter().filter(|one| one.is_required).map(|one| one.key.as_str()).collect();
        let schema = json!({
            "type": "object", "properties": properties(&fields), "required": required, "unevaluatedProperties": false
        });
        let by_schema = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap()
            .is_valid(&Value::Object(submission.clone()));
        let by_check = qualification::problems(&fields, &submission, "").is_empty();
        prop_assert_eq!(by_schema, by_check, "{} {:?}", schema, submission);
    }
}
