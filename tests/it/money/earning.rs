//! Money that comes in becomes commissions.

use crate::world::{World, texts};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// What each partner of the deal earned, in the order of the partners.
#[track_caller]
fn totals(world: &World, invoice: &str, partners: &[String]) -> Vec<Decimal> {
    let total = |partner: &String| {
        let lines = world.lines(&format!("invoice_id={invoice}&partner_id={partner}"));
        let amounts = texts(&lines, "amount");
        amounts
            .iter()
            .map(|amount| amount.parse::<Decimal>().unwrap())
            .sum()
    };
    partners.iter().map(total).collect()
}

/// The amounts that are earned when 60, 30 and 10 per cent of a deal share 10% of this invoice.
fn shared(net: &str, currency: &str) -> Vec<String> {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second, third] = ["A", "B", "C"].map(|name| world.enrolled(name, &program));
    let amount = format!("{net} {currency}");
    let shares = [(&*first, 6_000), (&*second, 3_000), (&*third, 1_000)];
    let deal = world.won_deal(&program, &amount, &shares);
    world.pay(&world.invoice(&deal, currency, &[net]), &amount);
    let lines: Vec<Value> = [first, second, third]
        .iter()
        .map(|partner| world.line(&format!("partner_id={partner}")))
        .collect();
    world.books_balance();
    texts(&lines, "amount")
}

#[test]
fn the_parts_of_a_pool_are_the_whole_pool() {
    assert_eq!(shared("333.33", "USD"), ["20.00", "10.00", "3.33"]);
    assert_eq!(shared("1015", "JPY"), ["61", "31", "10"]);
    assert_eq!(shared("1.005", "KWD"), ["0.061", "0.030", "0.010"]);
}

/// Known from other systems: spare cents go to whoever is listed first.
#[test]
fn a_spare_cent_goes_to_the_largest_remainder() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second, third] = ["A", "B", "C"].map(|name| world.enrolled(name, &program));
    let shares = [(&*first, 3_333), (&*second, 3_333), (&*third, 3_334)];
    let deal = world.won_deal(&program, "1.00 USD", &shares);
    let invoice = world.invoice(&deal, "USD", &["1.00"]);
    world.pay(&invoice, "1.00 USD");
    let earned = [first, second, third].map(|partner| world.line(&format!("partner_id={partner}")));
    assert_eq!(texts(&earned, "amount"), ["0.03", "0.03", "0.04"]);
    world.books_balance();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1) })]

    /// However an invoice is paid, it earns what one payment would have earned, to the cent and for each partner.
    #[test]
    fn any_partition_of_payments_earns_the_same(
        partitions in prop::collection::vec(prop::collection::btree_set(1_u32..50_005, 1..5), 4)
    ) {
        let world = World::new();
        let program = world.program(json!({}));
        world.rule(&program, "0.137", json!({}));
        let partners = ["A", "B", "C"].map(|name| world.enrolled(name, &program));
        let shares = [(&*partners[0], 3_333), (&*partners[1], 3_333), (&*partners[2], 3_334)];
        let deal = world.won_deal(&program, "1.00 USD", &shares);
        let at_once = world.invoice(&deal, "USD", &["333.33", "166.72"]);
        world.pay(&at_once, "500.05 USD");
        let expected = totals(&world, &at_once, &partners);
        prop_assert_eq!(expected.iter().sum::<Decimal>(), "68.51".parse().unwrap());
        for cuts in partitions {
            let invoice = world.invoice(&deal, "USD", &["333.33", "166.72"]);
            let mut paid = 0;
            for upto in cuts.iter().copied().chain([50_005]) {
                world.pay(&invoice, &format!("{} USD", Decimal::new(i64::from(upto - paid), 2)));
                paid = upto;
            }
            prop_assert_eq!(&totals(&world, &invoice, &partners), &expected, "paid in {:?}", cuts);
        }
        world.books_balance();
    }
}

#[test]
fn money_that_comes_before_the_deal_is_won_earns_when_it_is() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.open_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["100.00"]);
    let first = world.pay(&invoice, "40.00 USD");
    assert_eq!(world.lines(""), [] as [Value; 0]);
    world.win(&deal);
    let line = world.line("");
    assert_eq!(
        (&line["payment_id"], &line["amount"]["amount"]),
        (&json!(first), &json!("4.00"))
    );
    world.pay(&invoice, "60.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["4.00", "6.00"]);
    world.books_balance();
}

#[test]
fn an_invoice_over_nothing_leaves_a_line_that_says_so() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "0.00 USD");
    let line = world.line("");
    assert_eq!(line["status"], "ineligible");
    assert_eq!(line["ineligible_reason"], "zero_amount");
    assert_eq!(line["amount"]["amount"], "0.00");
    world.books_balance();
}

#[test]
fn who_earns_nothing_is_told_why() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(&program, "0.1", json!({ "conditions": { "roles": ["sourced"] } }));
    let good = world.enrolled("Good", &program);
    let stranger = world.partner("Stranger");
    let suspended = world.enrolled("Suspended", &program);
    let terminated = world.enrolled("Terminated", &program);
    let installer = world.enrolled("Installer", &program);
    let shares = [
        (&*good, 4_000),
        (&*stranger, 3_000),
        (&*suspended, 2_000),
        (&*terminated, 1_000),
    ];
    let deal = world.open_deal(&program, "100.00 USD", &shares);
    world.credit(&deal, &installer, "delivered", 10_000);
    world.win(&deal);
    for (partner, verb) in [(&suspended, "suspend"), (&terminated, "terminate")] {
        let path = format!("/v1/partners/{partner}/{verb}");
        world
            .admin()
            .post(&path, json!({ "reason": "Because." }))
            .expect(200);
    }
    world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    let expected = [
        (&good, "approved", "", "4.00"),
        (&stranger, "ineligible", "enrollment_not_active", "0.00"),
        (&suspended, "ineligible", "partner_suspended", "0.00"),
        (&terminated, "ineligible", "partner_terminated", "0.00"),
        (&installer, "ineligible", "no_rule", "0.00"),
    ];
    for (partner, status, reason, amount) in expected {
        let line = [world.line(&format!("partner_id={partner}"))];
        let found = ["status", "ineligible_reason", "amount"].map(|field| texts(&line, field).remove(0));
        assert_eq!(found, [status, reason, amount], "{line:?}");
    }
    world.books_balance();
}

#[test]
fn a_line_explains_itself_and_the_explanation_gives_its_amount() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second] = ["A", "B"].map(|name| world.enrolled(name, &program));
    let deal = world.won_deal(&program, "99.99 USD", &[(&first, 6_000), (&second, 4_000)]);
    world.pay(&world.invoice(&deal, "USD", &["99.99"]), "33.33 USD");
    for line in world.lines("") {
        let path = format!("/v1/commissions/{}", line["id"].as_str().unwrap());
        let explanation = world.admin().get(&format!("{path}/explanation")).expect(200);
        assert_eq!(explanation["amount"], line["amount"]);
        assert!(!explanation["steps"].as_array().unwrap().is_empty());
        let version = &explanation["rule"][0]["commission_rule_version_id"];
        assert_eq!(*version, line["commission_rule_version_id"]);
        let verified = world.admin().get(&format!("{path}/verification")).expect(200);
        assert_eq!(verified["matches"], true);
        assert_eq!(verified["recomputed"], line["amount"]);
    }
    world.books_balance();
}

#[test]
fn a_partner_sees_its_own_lines_and_nothing_of_the_others() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [mine, other] = ["Mine", "Other"].map(|name| world.enrolled(name, &program));
    // A rule for the other partner alone is nobody else's business.
    world.rule(
        &program,
        "0.2",
        json!({ "conditions": { "partner_ids": [other] } }),
    );
    let deal = world.won_deal(&program, "100.00 USD", &[(&mine, 5_000), (&other, 5_000)]);
    world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    let partner = world.full_partner_key(&mine);
    let seen = partner.all("/v1/commissions");
    assert_eq!(texts(&seen, "partner_id"), [mine]);
    let own = seen[0]["id"].as_str().unwrap();
    let theirs = world.line(&format!("partner_id={other}"));
    let mut foreign = vec![other];
    for field in ["id", "attribution_id", "commission_rule_version_id"] {
        foreign.push(theirs[field].as_str().unwrap().to_owned());
    }
    let version = world
        .admin()
        .get(&format!("/v1/commission-rule-versions/{}", foreign[3]));
    foreign.push(version.text("/commission_rule_id").to_owned());
    for path in ["", "/explanation", "/verification"] {
        let reply = partner.get(&format!("/v1/commissions/{own}{path}")).expect(200);
        for id in &foreign {
            let bare = id.split_once('_').unwrap().1;
            assert!(
                !reply.raw().contains(bare),
                "{path} tells of {id}: {}",
                reply.raw()
            );
        }
        let theirs = format!("/v1/commissions/{}{path}", foreign[1]);
        partner.get(&theirs).refused(404, "not_found");
    }
    world.books_balance();
}

/// Known from other systems: an edited sale is rated again with today's rule.
#[test]
fn a_later_version_changes_no_posted_line() {
    let world = World::new();
    let program = world.program(json!({ "lock_point": "invoice_paid" }));
    let version = world.rule(&program, "0.1", json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let before = world.line("");
    world.pass(chrono::TimeDelta::days(1));
    let rule = world
        .admin()
        .get(&format!("/v1/commission-rule-versions/{version}"));
    let rule = rule.text("/commission_rule_id").to_owned();
    let terms = json!({
        "formula": { "type": "percentage", "rate": "0.5" }, "hold_days": 0, "effective_from": "2026-03-03T00:00:00Z"
    });
    let path = format!("/v1/commission-rules/{rule}/versions");
    let second = world.admin().post(&path, json!({ "terms": terms })).expect(201);
    world.activate(&second.id()).expect(200);
    assert_eq!(world.line(""), before);
    // A refund takes back what was earned, under the terms of then.
    world.refund(&payment, "50.00 USD");
    assert_eq!(texts(&world.taken_back(&before), "amount"), ["5.00"]);
    world.sale(&program, &partner, "100.00 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["10.00", "50.00"]);
    world.books_balance();
}

#[test]
fn terms_under_which_lines_were_posted_cannot_be_rewritten() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let specific =
        json!({ "conditions": { "partner_ids": [partner] }, "effective_from": "2026-01-01T00:00:00Z" });
    let backdated = world.rule_draft(&program, "0.5", specific);
    world.activate(&backdated).refused(409, "rule_backdated");
    world.books_balance();
}

#[test]
fn two_rules_that_would_tie_are_refused() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let rival = world.rule_draft(&program, "0.5", json!({}));
    world.activate(&rival).refused(409, "rules_tie");
    let preferred = world.rule_draft(&program, "0.5", json!({ "priority": 1 }));
    world.activate(&preferred).expect(200);
    world.books_balance();
}
