//! What a partner was promised: the tier of the lock point decides, whatever became of the partner since.

use crate::world::{World, money, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

/// A program that pays 10%, and 20% to partners of tier gold.
fn program(world: &World, lock_point: &str) -> String {
    let program = world.program(json!({ "lock_point": lock_point }));
    world.rule(&program, "0.1", json!({}));
    world.rule(&program, "0.2", json!({ "conditions": { "tiers": ["gold"] } }));
    program
}

/// The same with a ladder.
fn laddered(world: &World, lock_point: &str) -> String {
    let program = program(world, lock_point);
    let deals = json!([{ "metric": "won_deals", "threshold": "1000" }]);
    let tiers = json!([{ "code": "silver", "name": "Silver" }, { "code": "gold", "name": "Gold", "criteria": deals }]);
    let path = format!("/v1/programs/{program}/tiers");
    world.admin().patch(&path, json!({ "tiers": tiers })).expect(200);
    program
}

fn enrollment(world: &World, partner: &str) -> String {
    let found = world
        .admin()
        .all(&format!("/v1/enrollments?partner_id={partner}&status=active"));
    found[0]["id"].as_str().unwrap().to_owned()
}

/// Moves a partner an hour after whatever happened before, and lets another hour pass.
fn promote(world: &World, partner: &str, tier: &str) {
    world.pass(TimeDelta::hours(1));
    let path = format!("/v1/enrollments/{}/move-tier", enrollment(world, partner));
    let body = json!({ "tier": tier, "reason": "So it is." });
    world.admin().post(&path, body).expect(200);
    world.pass(TimeDelta::hours(1));
}

fn win_now(world: &World, deal: &str) {
    let path = format!("/v1/deals/{deal}/win");
    let body = json!({ "won_at": world.clock.now() });
    world.admin().post(&path, body).expect(200);
}

fn pay_for(world: &World, deal: &str) {
    let invoice = world.invoice(deal, "USD", &["100.00"]);
    world.pay(&invoice, "100.00 USD");
}

fn amounts(world: &World, partner: &str) -> Vec<String> {
    texts(&world.lines(&format!("partner_id={partner}")), "amount")
}

/// What a preview foresees for a sole partner of a deal won and paid at these instants.
fn foreseen(world: &World, program: &str, partner: &str, [won_at, paid_at]: [Value; 2]) -> Vec<String> {
    let body = json!({ "program_id": program, "won_at": won_at,
        "credits": [{ "partner_id": partner, "role": "sourced", "share_basis_points": 10_000 }],
        "invoices": [{ "currency": "USD", "issued_on": "2026-03-01", "lines": [{ "net": "100.00" }],
            "payments": [{ "amount": "100.00", "paid_at": paid_at }] }] });
    let preview = world
        .admin()
        .post("/v1/commission-rules/preview", body)
        .expect(200);
    texts(preview["lines"].as_array().unwrap(), "amount")
}

#[test]
fn whoever_moved_between_the_win_and_the_payment_gets_what_the_lock_point_says() {
    for (lock_point, promoted, demoted) in
        [("deal_won", "10.00", "20.00"), ("invoice_paid", "20.00", "10.00")]
    {
        let world = World::new();
        let program = laddered(&world, lock_point);
        let [rises, falls] = ["A", "B"].map(|name| world.enrolled(name, &program));
        promote(&world, &falls, "gold");
        let deals =
            [&rises, &falls].map(|partner| world.open_deal(&program, "100.00 USD", &[(partner, 10_000)]));
        let won_at = json!(world.clock.now());
        for deal in &deals {
            win_now(&world, deal);
        }
        promote(&world, &rises, "gold");
        promote(&world, &falls, "silver");
        for deal in &deals {
            pay_for(&world, deal);
        }
        assert_eq!(amounts(&world, &rises), [promoted], "{lock_point}");
        assert_eq!(amounts(&world, &falls), [demoted], "{lock_point}");
        let at = [won_at, json!(world.clock.now())];
        assert_eq!(
            foreseen(&world, &program, &rises, at.clone()),
            [promoted],
            "{lock_point}"
        );
        assert_eq!(foreseen(&world, &program, &falls, at), [demoted], "{lock_point}");
        world.books_balance();
    }
}

#[test]
fn several_moves_since_change_nothing_and_the_move_of_the_instant_counts() {
    let world = World::new();
    let program = laddered(&world, "deal_won");
    let partner = world.enrolled("A", &program);
    promote(&world, &partner, "silver");
    let deal = world.open_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    win_now(&world, &deal);
    for tier in ["gold", "silver", "gold"] {
        promote(&world, &partner, tier);
    }
    pay_for(&world, &deal);
    // What is credited on the deal goes by the deal's own promise as well.
    world.credit_note(&deal, None, "50.00 USD");
    assert_eq!(amounts(&world, &partner), ["10.00", "-5.00"]);
    world.pass(TimeDelta::hours(1));
    let path = format!("/v1/enrollments/{}/move-tier", enrollment(&world, &partner));
    let at_once = world.open_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    world
        .admin()
        .post(&path, json!({ "tier": "silver", "reason": "Now." }))
        .expect(200);
    win_now(&world, &at_once);
    promote(&world, &partner, "gold");
    pay_for(&world, &at_once);
    assert_eq!(amounts(&world, &partner), ["10.00", "-5.00", "10.00"]);
    world.books_balance();
}

#[test]
fn a_credit_that_counts_late_goes_by_the_tier_of_the_win() {
    let world = World::new();
    let program = laddered(&world, "deal_won");
    let partner = world.enrolled("A", &program);
    let deal = world.open_deal(&program, "100.00 USD", &[]);
    win_now(&world, &deal);
    pay_for(&world, &deal);
    promote(&world, &partner, "gold");
    let claim =
        json!({ "deal_id": deal, "partner_id": partner, "role": "sourced", "share_basis_points": 10_000 });
    let credit = world.admin().post("/v1/attributions", claim).expect(201).id();
    let path = format!("/v1/attributions/{credit}/correct");
    world
        .admin()
        .post_once(&path, json!({ "reason": "Claimed too late." }))
        .expect(200);
    assert_eq!(amounts(&world, &partner), ["10.00"]);
    world.books_balance();
}

#[test]
fn a_distributor_earns_its_override_by_its_own_tier_of_the_win() {
    for (lock_point, expected) in [("deal_won", vec![]), ("invoice_paid", vec!["3.00"])] {
        let world = World::new();
        let program = laddered(&world, lock_point);
        let body = json!({ "program_id": program, "name": "Override", "component": "override", "terms": {
            "formula": { "type": "percentage", "rate": "0.03" }, "conditions": { "tiers": ["gold"] }, "hold_days": 0,
            "effective_from": "2020-01-01T00:00:00Z" } });
        let rule = world.admin().post("/v1/commission-rules", body).expect(201).id();
        let versions = world
            .admin()
            .all(&format!("/v1/commission-rule-versions?commission_rule_id={rule}"));
        world.activate(versions[0]["id"].as_str().unwrap()).expect(200);
        let [distributor, reseller] = ["D", "R"].map(|name| world.enrolled(name, &program));
        let path = format!("/v1/partners/{reseller}");
        let below = json!({ "parent_id": distributor });
        world.admin().patch(&path, below).expect(200);
        let deal = world.open_deal(&program, "100.00 USD", &[(&reseller, 10_000)]);
        let won_at = json!(world.clock.now());
        win_now(&world, &deal);
        promote(&world, &distributor, "gold");
        pay_for(&world, &deal);
        assert_eq!(amounts(&world, &distributor), expected, "{lock_point}");
        let both = foreseen(&world, &program, &reseller, [won_at, json!(world.clock.now())]);
        assert_eq!(both[1..], expected, "{lock_point}");
    }
}

#[test]
fn what_is_edited_without_a_ladder_is_history_too_and_so_is_an_enrollment_that_ended() {
    let world = World::new();
    let program = program(&world, "deal_won");
    let partner = world.enrolled("A", &program);
    let deals: Vec<String> = (0..2)
        .map(|_| world.open_deal(&program, "100.00 USD", &[(&partner, 10_000)]))
        .collect();
    win_now(&world, &deals[0]);
    let path = format!("/v1/enrollments/{}", enrollment(&world, &partner));
    world.pass(TimeDelta::hours(1));
    world.admin().patch(&path, json!({ "tier": "gold" })).expect(200);
    world
        .admin()
        .patch(&path, json!({ "terms_version": "2" }))
        .expect(200);
    let moves = world.admin().all(&format!("/v1/tier-moves?partner_id={partner}"));
    assert_eq!(texts(&moves, "cause"), ["edit"]);
    assert_eq!(
        (
            &moves[0]["from_tier"],
            &moves[0]["to_tier"],
            &moves[0]["moved_at"]
        ),
        (&Value::Null, &json!("gold"), &json!(world.clock.now()))
    );
    assert!(moves[0]["id"].as_str().unwrap() < enrollment_of_now(&world, &program).as_str());
    win_now(&world, &deals[1]);
    // The partner starts anew, and what was promised before stays promised.
    world.pass(TimeDelta::hours(1));
    world
        .admin()
        .post(&format!("{path}/end"), json!({ "reason": "Anew." }))
        .expect(200);
    let body = json!({ "partner_id": partner, "program_id": program });
    let anew = world.admin().post("/v1/enrollments", body).expect(201).id();
    world
        .admin()
        .act(&format!("/v1/enrollments/{anew}/activate"))
        .expect(200);
    world.pass(TimeDelta::hours(1));
    for deal in &deals {
        pay_for(&world, deal);
    }
    assert_eq!(amounts(&world, &partner), ["10.00", "20.00"]);
    assert_eq!(world.balance(&partner, "payable"), "30.00");
    assert_eq!(world.lines("")[1]["amount"], money("20.00 USD"));
}

#[test]
fn the_customers_country_is_that_of_the_lock_point_whatever_becomes_of_the_account() {
    for (lock_point, expected) in [
        ("deal_won", ["30.00", "30.00", "40.00"]),
        ("invoice_paid", ["10.00", "10.00", "40.00"]),
    ] {
        let world = World::new();
        let program = program(&world, lock_point);
        for (country, rate) in [("DE", "0.3"), ("FR", "0.4")] {
            let only = json!({ "conditions": { "countries": [country] } });
            world.rule(
                &program,
                rate,
                json!({ "priority": 1, "conditions": only["conditions"] }),
            );
        }
        let partner = world.enrolled("A", &program);
        let deals: Vec<String> = (0..3)
            .map(|_| world.open_deal(&program, "100.00 USD", &[(&partner, 10_000)]))
            .collect();
        let account_of = |deal: &String| {
            let deal = world.admin().get(&format!("/v1/deals/{deal}")).expect(200);
            format!("/v1/accounts/{}", deal.text("/account_id"))
        };
        let put = |path: &str, country: &str| {
            let body = json!({ "country": country });
            world.admin().patch(path, body).expect(200);
        };
        for deal in &deals[..2] {
            put(&account_of(deal), "DE");
        }
        for deal in &deals {
            win_now(&world, deal);
        }
        put(&account_of(&deals[0]), "AT");
        // The second deal is moved to a customer elsewhere, and of the third one it becomes known where it is.
        let elsewhere = world.account();
        put(&format!("/v1/accounts/{elsewhere}"), "AT");
        let path = format!("/v1/deals/{}", deals[1]);
        world
            .admin()
            .patch(&path, json!({ "account_id": elsewhere }))
            .expect(200);
        put(&account_of(&deals[2]), "FR");
        for deal in &deals {
            pay_for(&world, deal);
        }
        assert_eq!(amounts(&world, &partner), expected, "{lock_point}");
        world.books_balance();
    }
}

/// The id of a tier move, as an enrollment made now would sort with one: ids of edits are made of the time like all ids.
fn enrollment_of_now(world: &World, program: &str) -> String {
    world.pass(TimeDelta::hours(1));
    let partner = world.enrolled("Later", program);
    enrollment(world, &partner).replacen("enr_", "tmv_", 1)
}
