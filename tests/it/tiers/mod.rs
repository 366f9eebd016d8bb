//! Tiers: ladders, reviews at once and day by day, grace, pins, moves by hand, and what partners are told.

mod counted;
mod refusals;

use crate::world::{Actor, Reply, World, money, texts};
use chrono::TimeDelta;
use copartner::features::tiers;
use copartner::kernel::ctx::Ctx;
use copartner::kernel::problem::Problem;
use copartner::platform::clock::Clock;
use diesel::{RunQueryDsl, sql_query};
use serde_json::{Value, json};
use std::thread;

/// Bronze for everybody, Silver and Gold for money received and deals won.
fn steps() -> Value {
    let both = |revenue: &str, deals: &str| {
        json!([
            { "metric": "paid_revenue", "threshold": revenue, "currency": "EUR" },
            { "metric": "won_deals", "threshold": deals }
        ])
    };
    json!([
        { "code": "bronze", "name": "Bronze" },
        { "code": "silver", "name": "Silver", "criteria": both("5000.00", "1") },
        { "code": "gold", "name": "Gold", "criteria": both("20000.00", "2") }
    ])
}

fn set(world: &World, program: &str, body: Value) -> Reply {
    world
        .admin()
        .patch(&format!("/v1/programs/{program}/tiers"), body)
}

/// A program with the ladder, earned by the month unless it says otherwise, with ten days of grace.
fn laddered(world: &World, settings: Value) -> String {
    let program = world.program(settings);
    let body = json!({ "period": "month", "grace_days": 10, "tiers": steps() });
    set(world, &program, body).expect(200);
    program
}

fn enrollment(world: &World, partner: &str) -> Value {
    let found = world
        .admin()
        .all(&format!("/v1/enrollments?partner_id={partner}"));
    found[0].clone()
}

fn tier(world: &World, partner: &str) -> Value {
    enrollment(world, partner)["tier"].clone()
}

fn of(world: &World, partner: &str, what: &str) -> String {
    let enrollment = enrollment(world, partner);
    format!("/v1/enrollments/{}/{what}", enrollment["id"].as_str().unwrap())
}

fn standing(world: &World, partner: &str) -> Reply {
    world
        .admin()
        .get(&of(world, partner, "tier-standing"))
        .expect(200)
}

fn review(world: &World, program: &str) -> Reply {
    let path = format!("/v1/programs/{program}/tier-reviews");
    world.admin().act(&path).expect(200)
}

fn preview(actor: &Actor, program: &str) -> Vec<Value> {
    actor.all(&format!("/v1/programs/{program}/tier-preview"))
}

/// A deal that is won and paid now.
fn sell(world: &World, program: &str, partner: &str, amount: &str) {
    let deal = world.open_deal(program, amount, &[(partner, 10_000)]);
    let body = json!({ "won_at": world.clock.now() });
    world
        .admin()
        .post(&format!("/v1/deals/{deal}/win"), body)
        .expect(200);
    let (net, currency) = amount.split_once(' ').unwrap();
    let invoice = world.invoice(&deal, currency, &[net]);
    world.pay(&invoice, amount);
}

fn told(world: &World, event: &str) -> usize {
    world.work();
    let all = texts(&world.admin().all(&format!("/v1/events?type={event}")), "type");
    all.iter().filter(|one| one.as_str() == event).count()
}

fn days(world: &World, days: i64) {
    world.pass(TimeDelta::days(days));
    world.work();
}

#[test]
fn a_threshold_that_is_reached_exactly_moves_up_at_once_and_the_history_says_why() {
    let world = World::new();
    let program = world.program(json!({}));
    let partner = world.enrolled("Nordlicht", &program);
    let body = json!({ "period": "month", "grace_days": 10, "tiers": steps() });
    let ladder = set(&world, &program, body).expect(200);
    assert_eq!(
        texts(ladder["tiers"].as_array().unwrap(), "rank"),
        ["1", "2", "3"]
    );
    // A ladder counts from the next review on; until then it can be looked at.
    world.work();
    let foreseen = preview(world.admin(), &program);
    assert_eq!((foreseen.len(), &foreseen[0]["to_tier"]), (1, &json!("bronze")));
    assert_eq!(tier(&world, &partner), Value::Null);
    let done = review(&world, &program);
    assert_eq!((&done["reviewed"], &done["promoted"]), (&json!(1), &json!(1)));
    assert_eq!(tier(&world, &partner), "bronze");
    sell(&world, &program, &partner, "4999.99 EUR");
    assert_eq!(preview(world.admin(), &program), Vec::<Value>::new());
    assert_eq!(
        standing(&world, &partner)["forecast"],
        "0.01 EUR short of Silver by 31 March."
    );
    // Money in another currency does not count.
    sell(&world, &program, &partner, "100.00 USD");
    assert_eq!(preview(world.admin(), &program), Vec::<Value>::new());
    sell(&world, &program, &partner, "0.01 EUR");
    let before = standing(&world, &partner);
    assert_eq!(
        (&before["tier"], &before["earned_tier"]),
        (&json!("bronze"), &json!("silver"))
    );
    days(&world, 1);
    assert_eq!(tier(&world, &partner), "silver");
    let after = standing(&world, &partner);
    assert_eq!(after["forecast"], "15,000.00 EUR short of Gold by 31 March.");
    assert_eq!(after["to_rise"][0]["missing"], "15000.00");
    let moves = world.admin().all(&format!("/v1/tier-moves?partner_id={partner}"));
    assert_eq!(texts(&moves, "to_tier"), ["silver", "bronze"]);
    assert_eq!(texts(&moves, "from_tier"), ["bronze", ""]);
    assert_eq!(texts(&moves, "cause"), ["review", "review"]);
    assert_eq!(moves[0]["moved_by"], Value::Null, "the daily review is nobody's");
    assert!(moves[1]["moved_by"].as_str().unwrap().starts_with("key_"));
    assert_eq!(moves[0]["figures"][0]["value"], "5000.00");
    assert_eq!(
        moves[0]["moved_at"].as_str().unwrap().get(..10),
        Some("2026-03-03")
    );
    assert_eq!(told(&world, "enrollment.tier_changed"), 2);
    let mut owner = world.database().owner();
    let fault = sql_query("UPDATE tier_moves SET reason = 'x'").execute(&mut owner);
    fault.unwrap_err();
}

#[test]
fn a_refund_takes_back_what_counted_and_shares_count_as_confirmed() {
    let world = World::new();
    let program = laddered(&world, json!({}));
    let (one, two) = (world.enrolled("A", &program), world.enrolled("B", &program));
    let deal = world.open_deal(&program, "10000.00 EUR", &[(&one, 5_000), (&two, 5_000)]);
    world
        .admin()
        .post(
            &format!("/v1/deals/{deal}/win"),
            json!({ "won_at": world.clock.now() }),
        )
        .expect(200);
    let invoice = world.invoice(&deal, "EUR", &["10000.00"]);
    let payment = world.pay(&invoice, "10000.00 EUR");
    review(&world, &program);
    assert_eq!(
        (tier(&world, &one), tier(&world, &two)),
        (json!("silver"), json!("silver"))
    );
    world.refund(&payment, "0.02 EUR");
    assert_eq!(standing(&world, &one)["to_keep"][0]["reached"], "4999.99");
}

#[test]
fn a_lost_tier_falls_after_the_grace_and_not_when_the_figures_recover() {
    let world = World::new();
    let program = laddered(&world, json!({ "time_zone": "Europe/Berlin" }));
    let (falls, recovers) = (world.enrolled("A", &program), world.enrolled("B", &program));
    for partner in [&falls, &recovers] {
        sell(&world, &program, partner, "5000.00 EUR");
    }
    days(&world, 1);
    assert_eq!(tier(&world, &falls), "silver");
    // The whole of March keeps it through April.
    days(&world, 58);
    assert_eq!(standing(&world, &falls)["falls_at"], Value::Null);
    // On the 1st of May neither the month nor the one before holds what it takes.
    days(&world, 1);
    for partner in [&falls, &recovers] {
        let standing = standing(&world, partner);
        assert_eq!(
            (&standing["tier"], &standing["falls_at"], &standing["falls_to"]),
            (&json!("silver"), &json!("2026-05-10T22:00:00Z"), &json!("bronze")),
            "{}",
            standing.raw()
        );
    }
    assert_eq!(
        standing(&world, &falls)["forecast"],
        "Silver falls to Bronze on 11 May: 5,000.00 EUR and one deal short of it. 20,000.00 EUR and two deals short of Gold \
         by 31 May."
    );
    assert_eq!(told(&world, "enrollment.tier_endangered"), 2);
    sell(&world, &program, &recovers, "5000.00 EUR");
    days(&world, 1);
    assert_eq!(standing(&world, &recovers)["falls_at"], Value::Null);
    assert_eq!(told(&world, "enrollment.tier_secured"), 1);
    days(&world, 8);
    assert_eq!(tier(&world, &falls), "silver", "a day of grace is left");
    days(&world, 1);
    assert_eq!(
        (tier(&world, &falls), tier(&world, &recovers)),
        (json!("bronze"), json!("silver"))
    );
    let moves = world.admin().all(&format!("/v1/tier-moves?partner_id={falls}"));
    assert_eq!(
        moves[0]["reason"],
        "The figures give Bronze, and the grace for Silver is over."
    );
}

#[test]
fn a_move_by_hand_ends_the_pin_before_it() {
    let world = World::new();
    let program = laddered(&world, json!({}));
    let partner = world.enrolled("Nordlicht", &program);
    world.work();
    let moved = |body: Value| {
        let path = of(&world, &partner, "move-tier");
        world.admin().post(&path, body).expect(200)
    };
    let until = "2027-01-15T00:00:00Z";
    let pinned = moved(json!({ "tier": "gold", "reason": "Promised.", "pinned_until": until }));
    assert_eq!(pinned["pinned_until"], until);
    let said = standing(&world, &partner)["forecast"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        said.starts_with("Reviews leave the tier as it is until 15 January. The figures give Bronze."),
        "{said}"
    );
    let free = moved(json!({ "tier": "silver", "reason": "Not any more." }));
    assert_eq!(
        (&free["pinned_until"], &free["pin_reason"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(told(&world, "enrollment.tier_unpinned"), 1);
    assert_eq!(review(&world, &program)["endangered"], 1);
}

#[test]
fn a_pinned_tier_is_not_moved_by_a_review_until_the_pin_is_over() {
    let world = World::new();
    let program = laddered(&world, json!({}));
    let partner = world.enrolled("Nordlicht", &program);
    world.work();
    let body = json!({ "tier": "gold", "reason": "Promised.", "pinned_until": "2026-03-20T00:00:00Z" });
    let moved = world
        .admin()
        .post(&of(&world, &partner, "move-tier"), body)
        .expect(200);
    assert_eq!(
        (&moved["tier"], &moved["pin_reason"]),
        (&json!("gold"), &json!("Promised."))
    );
    days(&world, 17);
    let pinned = standing(&world, &partner);
    assert_eq!(
        (&pinned["tier"], &pinned["falls_at"]),
        (&json!("gold"), &Value::Null)
    );
    days(&world, 1);
    let after = standing(&world, &partner);
    assert_eq!(
        (&after["pinned_until"], &after["falls_at"]),
        (&Value::Null, &json!("2026-03-30T00:00:00Z"))
    );
    // A pin takes an announced fall back, and its end announces it anew.
    let pin = json!({ "pinned_until": "2026-05-01T00:00:00Z", "reason": "Talks." });
    let pinned = world
        .admin()
        .post(&of(&world, &partner, "pin-tier"), pin)
        .expect(200);
    assert_eq!(pinned["falls_at"], Value::Null);
    review(&world, &program);
    assert_eq!(standing(&world, &partner)["falls_at"], Value::Null);
    let stale = world
        .admin()
        .ask("POST", &of(&world, &partner, "unpin-tier"))
        .header("If-Match", "\"1\"");
    stale
        .json(&json!({ "reason": "Over." }))
        .send()
        .refused(412, "precondition_failed");
    let reason = json!({ "reason": "Over." });
    world
        .admin()
        .post(&of(&world, &partner, "unpin-tier"), reason.clone())
        .expect(200);
    world
        .admin()
        .post(&of(&world, &partner, "unpin-tier"), reason)
        .refused(409, "wrong_state");
    assert_eq!(review(&world, &program)["endangered"], 1);
    assert_eq!(
        (
            told(&world, "enrollment.tier_pinned"),
            told(&world, "enrollment.tier_unpinned")
        ),
        (2, 1)
    );
}

#[test]
fn two_reviews_at_once_make_one_move_and_a_killed_worker_none() {
    let world = World::new();
    let program = laddered(&world, json!({}));
    let partners: Vec<String> = (0..8)
        .map(|number| world.enrolled(&format!("P{number}"), &program))
        .collect();
    world.work();
    for partner in &partners {
        sell(&world, &program, partner, "5000.00 EUR");
    }
    let path = format!("/v1/programs/{program}/tier-reviews");
    let promoted: Vec<i64> = thread::scope(|scope| {
        let ask = || world.admin().act(&path).expect(200)["promoted"].as_i64().unwrap();
        let asked: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(promoted.iter().sum::<i64>(), 8, "{promoted:?}");
    let moves = || {
        world
            .admin()
            .all(&format!("/v1/tier-moves?program_id={program}"))
            .len()
    };
    assert_eq!(moves(), 16);
    for partner in &partners {
        sell(&world, &program, partner, "15000.00 EUR");
    }
    world.pass(TimeDelta::days(1));
    let ctx = Ctx::system(world.home.id, world.clock.now());
    let killed: Result<usize, Problem> = world.db.write_now(&ctx, |tx| {
        assert_eq!(tiers::review_due(tx, &ctx)?, 8);
        Err(Problem::internal())
    });
    killed.unwrap_err();
    assert_eq!((moves(), tier(&world, &partners[0])), (16, json!("silver")));
    // While one worker holds them, another one finds nothing to do, and afterwards neither does.
    let held = world.db.write_now(&ctx, |tx| {
        let done = tiers::review_due(tx, &ctx)?;
        let beside = world.db.write_now(&ctx, |tx| tiers::review_due(tx, &ctx))?;
        Ok((done, beside))
    });
    assert_eq!(held.unwrap(), (8, 0));
    world.work();
    assert_eq!((moves(), tier(&world, &partners[7])), (24, json!("gold")));
}

#[test]
fn a_partner_sees_its_own_standing_and_nobody_elses() {
    let world = World::new();
    let program = laddered(&world, json!({}));
    let (partner, rival) = (
        world.enrolled("Nordlicht", &program),
        world.enrolled("Rival", &program),
    );
    world.work();
    let actor = world.full_partner_key(&partner);
    let body = json!({ "tier": "gold", "reason": "Promised." });
    world
        .admin()
        .post(&of(&world, &rival, "move-tier"), body.clone())
        .expect(200);
    let own = actor.get(&of(&world, &partner, "tier-standing")).expect(200);
    assert_eq!(
        own["forecast"],
        "5,000.00 EUR and one deal short of Silver by 31 March."
    );
    assert_eq!(
        actor.get(&format!("/v1/programs/{program}/tiers")).expect(200)["grace_days"],
        10
    );
    actor
        .get(&of(&world, &rival, "tier-standing"))
        .refused(404, "not_found");
    let seen = actor.all("/v1/tier-moves");
    assert_eq!(texts(&seen, "partner_id"), [partner.as_str()]);
    assert!(
        actor
            .all(&format!("/v1/tier-moves?partner_id={rival}"))
            .is_empty()
    );
    assert_eq!(
        preview(world.admin(), &program).len(),
        1,
        "the rival would lose what it was given"
    );
    assert!(preview(&actor, &program).is_empty());
    actor
        .post(&of(&world, &partner, "move-tier"), body)
        .refused(403, "permission_denied");
    actor
        .act(&format!("/v1/programs/{program}/tier-reviews"))
        .refused(403, "permission_denied");
    let by_person = world.admin().all(&format!("/v1/tier-moves?partner_id={rival}"));
    assert_eq!(by_person[0]["cause"], "person");
    assert!(by_person[0]["moved_by"].as_str().unwrap().starts_with("key_"));
    let told = world.full_partner_key(&rival).all("/v1/tier-moves");
    assert_eq!(
        (&told[0]["reason"], &told[0]["moved_by"]),
        (&json!("Promised."), &Value::Null)
    );
}

#[test]
fn referrals_registrations_and_a_rolling_period_count_too() {
    let world = World::new();
    let program = world.program(json!({}));
    let partner = world.enrolled("Nordlicht", &program);
    let steps = json!([{ "code": "pro", "name": "Pro", "criteria": [
        { "metric": "accepted_referrals", "threshold": "1" }, { "metric": "approved_registrations", "threshold": "1" }
    ] }]);
    let body = json!({ "period": "rolling", "period_months": 1, "grace_days": 0, "tiers": steps });
    set(&world, &program, body).expect(200);
    assert_eq!(
        standing(&world, &partner)["forecast"],
        "one accepted referral and one approved registration short of Pro."
    );
    let lead = json!({ "partner_id": partner, "program_id": program, "company_name": "Acme" });
    let lead = world.admin().post("/v1/referrals", lead).expect(201).id();
    world
        .admin()
        .act(&format!("/v1/referrals/{lead}/accept"))
        .expect(200);
    let claim = json!({
        "program_id": program, "partner_id": partner, "account_name": "Acme", "account_domain": "acme.example",
        "amount": money("10.00 USD")
    });
    let claim = world
        .admin()
        .post("/v1/deal-registrations", claim)
        .expect(201)
        .id();
    world
        .admin()
        .act(&format!("/v1/deal-registrations/{claim}/approve"))
        .expect(200);
    days(&world, 1);
    assert_eq!(tier(&world, &partner), "pro");
    days(&world, 29);
    assert_eq!(tier(&world, &partner), "pro");
    // A month later it is no longer in the last month, and without grace the tier falls at once.
    days(&world, 2);
    assert_eq!(tier(&world, &partner), Value::Null);
}

#[test]
fn a_sandbox_reviews_when_its_clock_is_advanced() {
    let world = World::sandbox();
    let program = laddered(&world, json!({}));
    let partner = world.enrolled("Nordlicht", &program);
    sell(&world, &program, &partner, "5000.00 EUR");
    world.work();
    assert_eq!(tier(&world, &partner), "silver");
    let advance = |days: i64| {
        let body = json!({ "by_seconds": days * 86_400 });
        world
            .admin()
            .post("/v1/organization/clock/advance", body)
            .expect(200);
        world.work();
    };
    advance(60);
    assert_eq!(standing(&world, &partner)["falls_at"], "2026-05-11T00:00:00Z");
    advance(10);
    assert_eq!(tier(&world, &partner), "bronze");
}

#[test]
fn commission_rules_go_by_the_tier_that_the_review_gave() {
    let world = World::new();
    let program = laddered(&world, json!({}));
    world.rule(&program, "0.1", json!({}));
    world.rule(&program, "0.2", json!({ "conditions": { "tiers": ["silver"] } }));
    let partner = world.enrolled("Nordlicht", &program);
    sell(&world, &program, &partner, "5000.00 EUR");
    review(&world, &program);
    sell(&world, &program, &partner, "1000.00 EUR");
    assert_eq!(texts(&world.lines(""), "amount"), ["500.00", "200.00"]);
}
