use super::*;

fn explained() -> Explanation {
    let mut own = terms(2, percentage("0.125"));
    own.conditions.partners = vec![partner(1)];
    let rules = [rule(1, "0.10"), Rule::new(own).unwrap()];
    let selection = select(&rules, &facts(), at("2026-06-01T00:00:00Z"));
    let rule = selection.chosen(Component::Base).unwrap();
    let mut first = party(1, 5_000, rule);
    first.considered = selection.considered();
    first.already_posted = usd("10.00");
    let mut input = line(usd("1000.01"), vec![first, party(2, 5_000, rule)]);
    input.invoice_total = usd("1200.00");
    input.paid_before = usd("192.00");
    input.paid_after = usd("600.00");
    accrue_line(&input).unwrap().remove(0).explanation
}

#[test]
fn an_accrual_explains_itself_in_compact_json() {
    let hash = explained().entitlement_of_accrual().rule.unwrap().hash.clone();
    let expected = serde_json::json!({
        "kind": "accrual",
        "currency": "USD",
        "rounding": "half_up",
        "net": "1000.01",
        "invoice_total": "1200.00",
        "paid_before": "192.00",
        "paid_after": "600.00",
        "already_posted": "10.00",
        "entitlement": {
            "attribution_id": "att_00000000000000000000000001",
            "partner_id": "ptn_00000000000000000000000001",
            "component": "base",
            "ineligible": null,
            "rule": {
                "rule_id": "rule_00000000000000000000000002",
                "version_id": "rlv_00000000000000000000000002",
                "version": 1,
                "hash": hash,
                "component": "base",
                "formula": {"type": "percentage", "rate": "0.1250"}
            },
            "share": {"basis_points": 5000, "rank": 1},
            "shares": [{"basis_points": 5000, "rank": 1}, {"basis_points": 5000, "rank": 2}],
            "considered": [
                {
                    "rule_id": "rule_00000000000000000000000001",
                    "version": 1,
                    "component": "base",
                    "outcome": {"less_specific": {"than": "rule_00000000000000000000000002"}}
                },
                {
                    "rule_id": "rule_00000000000000000000000002",
                    "version": 1,
                    "component": "base",
                    "outcome": "chosen"
                }
            ]
        },
        "steps": [
            {"name": "pool", "expression": "1000.01 x 0.1250 = 125.001250", "result": "125.00"},
            {"name": "share", "expression": "125.00 x 5000 / 10000", "result": "62.50"},
            {"name": "earned", "expression": "62.50 x 600.00 / 1200.00", "result": "31.25"},
            {"name": "amount", "expression": "31.25 - 10.00", "result": "21.25"}
        ],
        "amount": "21.25"
    });
    assert_eq!(serde_json::to_value(explained()).unwrap(), expected);
}

#[test]
fn an_accrual_reads_in_plain_english() {
    assert_eq!(
        sentence(&explained()),
        "The commission under version 1 of rule rule_00000000000000000000000002 is 12.5% of 1000.01 USD: 125.00 \
         USD. A share of 50% of it is 62.50 USD. 600.00 of 1200.00 USD of the invoice has been paid, so 31.25 USD \
         is earned so far; 10.00 USD of it fell to earlier payments, so this line is 21.25 USD."
    );
}

#[test]
fn a_refusal_reads_in_plain_english() {
    let rule = rule(1, "0.1");
    let mut suspended = party(1, 10_000, &rule);
    suspended.eligible = Err(IneligibleReason::PartnerSuspended);
    let accruals = accrue_line(&line(usd("100"), vec![suspended])).unwrap();
    let said = sentence(&accruals[0].explanation);
    assert_eq!(
        said,
        "Nothing is earned on 100.00 USD, because the partner is suspended."
    );
}

#[test]
fn reversals_read_in_plain_english() {
    let taken = clawback(
        Refunded::More,
        usd("0.79"),
        usd("10"),
        usd("10"),
        usd("0.32"),
        Rounding::HalfUp,
    )
    .unwrap();
    assert_eq!(
        sentence(&taken.explanation),
        "10.00 of the 10.00 USD paid has been refunded, so 0.79 of the 0.79 USD earned is due back; 0.32 USD was \
         taken back before, so this line takes back 0.47 USD."
    );
    let rule = rule(1, "0.1");
    let credit = CreditInput {
        service: None,
        component: Component::Base,
        credit: usd("200"),
        rounding: Rounding::HalfUp,
        parties: vec![party(1, 3_333, &rule)],
    };
    let lines = credit_note_lines(&credit).unwrap();
    assert_eq!(
        sentence(&lines[0].explanation),
        "The commission under version 1 of rule rule_00000000000000000000000001 is 10% of 200.00 USD: 20.00 USD. A \
         share of 33.33% of it is 6.67 USD. For a credit the sign is turned: -6.67 USD; 0.00 USD was posted before, \
         so this line is -6.67 USD."
    );
}

#[test]
fn a_step_that_was_held_within_its_bounds_says_so() {
    let taken = clawback(
        Refunded::More,
        usd("1"),
        usd("10"),
        usd("1"),
        usd("0.50"),
        Rounding::HalfUp,
    )
    .unwrap();
    let Explanation::Clawback(explanation) = taken.explanation else {
        panic!("a clawback")
    };
    assert_eq!(
        explanation.steps[1].expression,
        "0.10 - 0.50, held between zero and what is left"
    );
    assert_eq!(explanation.steps[1].result, usd("0").amount());
}

#[test]
fn a_tampered_explanation_no_longer_gives_its_amount() {
    let genuine = explained();
    assert_eq!(recompute(&genuine), genuine.amount());
    let text = serde_json::to_string(&genuine).unwrap();
    for (from, to) in [
        (r#""rate":"0.1250""#, r#""rate":"0.1350""#),
        (r#""paid_after":"600.00""#, r#""paid_after":"601.00""#),
        (r#""already_posted":"10.00""#, r#""already_posted":"9.00""#),
        (r#""net":"1000.01""#, r#""net":"1001.01""#),
        (r#""amount":"21.25""#, r#""amount":"21.26""#),
    ] {
        assert!(text.contains(from), "{from}");
        let tampered: Explanation = serde_json::from_str(&text.replace(from, to)).unwrap();
        assert_ne!(recompute(&tampered), tampered.amount(), "{to}");
    }
    let stranger = text.replace(
        r#""share":{"basis_points":5000,"rank":1}"#,
        r#""share":{"basis_points":5000,"rank":9}"#,
    );
    let stranger: Explanation = serde_json::from_str(&stranger).unwrap();
    assert_eq!(recompute(&stranger), Err(CommissionError::UnknownShare));
}

impl Explanation {
    fn entitlement_of_accrual(self) -> Entitlement {
        match self {
            Self::Accrual(accrual) => accrual.entitlement,
            other => panic!("expected an accrual, not {other:?}"),
        }
    }
}
