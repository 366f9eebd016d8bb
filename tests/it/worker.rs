//! The work in the background: what is wrong in one place holds nothing else up.

use crate::world::World;
use chrono::TimeDelta;
use copartner::app::worker;
use diesel::{RunQueryDsl, sql_query};
use serde_json::json;

const LARGEST: &str = "999999999999999.99 EUR";

/// A program whose ladder counts what was won.
fn laddered(world: &World) -> String {
    let program = world.program(json!({}));
    let gold = json!([{ "metric": "won_revenue", "threshold": "5000.00", "currency": "EUR" }]);
    let tiers = json!([
        { "code": "bronze", "name": "Bronze" },
        { "code": "gold", "name": "Gold", "criteria": gold }
    ]);
    let body = json!({ "period": "month", "tiers": tiers });
    let path = format!("/v1/programs/{program}/tiers");
    world.admin().patch(&path, body).expect(200);
    program
}

#[test]
fn what_fails_for_one_organization_holds_nothing_else_up() {
    let world = World::new();
    let program = laddered(&world);
    world.enrolled("A", &program);
    let other = world.second_organization();
    world.work();
    world.pass(TimeDelta::days(1));
    let damage = "UPDATE programs SET minimum_payouts = '{}'";
    sql_query(damage).execute(&mut world.database().owner()).unwrap();
    world
        .admin()
        .post("/v1/accounts", json!({ "name": "X" }))
        .expect(201);
    other
        .admin
        .post("/v1/accounts", json!({ "name": "Y" }))
        .expect(201);
    assert!(worker::step(&world.db, &world.clock, None).is_err());
    for admin in [world.admin(), &other.admin] {
        let events = admin.all("/v1/events?type=account.created");
        assert_eq!(events.len(), 1);
        let chain = admin.get("/v1/audit-chain").expect(200);
        assert_eq!(chain["unsealed"], 0);
    }
}

#[test]
fn sums_beyond_an_amount_reach_the_highest_tier_and_stop_nobody() {
    let world = World::new();
    let program = laddered(&world);
    let partner = world.enrolled("A", &program);
    for _ in 0..3 {
        let deal = world.open_deal(&program, LARGEST, &[(&partner, 10_000)]);
        world.admin().act(&format!("/v1/deals/{deal}/win")).expect(200);
    }
    world.pass(TimeDelta::days(1));
    world.work();
    let enrollments = format!("/v1/enrollments?partner_id={partner}");
    let enrollment = world.admin().all(&enrollments).remove(0);
    let path = format!(
        "/v1/enrollments/{}/tier-standing",
        enrollment["id"].as_str().unwrap()
    );
    let standing = world.admin().get(&path).expect(200);
    assert_eq!(enrollment["tier"], "gold", "{}", standing.raw());
    assert!(
        standing.raw().contains("\"999999999999999.00\""),
        "{}",
        standing.raw()
    );
}
