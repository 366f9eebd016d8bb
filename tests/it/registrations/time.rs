//! What time brings: ends, announcements, late answers, and a worker that dies on the way.

use super::{PATH, claim, partner, program, verb, with};
use crate::world::{World, texts};
use chrono::TimeDelta;
use copartner::features::deal_registrations::{self, DealRegistration};
use copartner::flows::registration::clock;
use copartner::kernel::ctx::Ctx;
use copartner::kernel::problem::{Code, Problem};
use serde_json::json;

fn events(world: &World, name: &str) -> usize {
    world.work();
    let events = world.admin().all("/v1/events");
    events.iter().filter(|event| event["type"] == name).count()
}

#[test]
fn in_a_sandbox_protection_ends_when_the_clock_is_advanced() {
    let world = World::sandbox();
    let program = program(&world, json!({ "reminder_days": [7] }));
    let (_, first) = partner(&world, "A", &program);
    let id = first.post(PATH, claim(&program, "a.example")).expect(201).id();
    verb(world.admin(), &id, "approve").expect(200);
    let advance = |days: i64| {
        let body = json!({ "by_seconds": days * 86_400 });
        world
            .admin()
            .post("/v1/organization/clock/advance", body)
            .expect(200);
    };
    advance(84);
    assert_eq!(events(&world, "deal_registration.expiry_announced"), 1);
    assert_eq!(events(&world, "deal_registration.expired"), 0);
    advance(7);
    assert_eq!(events(&world, "deal_registration.expired"), 1);
    assert_eq!(first.get(&format!("{PATH}/{id}"))["status"], "expired");
}

#[test]
fn protection_is_announced_ends_and_frees_the_account() {
    let world = World::new();
    let program = program(&world, json!({ "reminder_days": [7, 30] }));
    let (_, first) = partner(&world, "A", &program);
    let (_, second) = partner(&world, "B", &program);
    let id = first.post(PATH, claim(&program, "a.example")).expect(201).id();
    let approved = verb(world.admin(), &id, "approve").expect(200);
    assert_eq!(approved["protected_until"], "2026-05-31T00:00:00Z");
    world.pass(TimeDelta::days(60));
    assert_eq!(events(&world, "deal_registration.expiry_announced"), 1);
    world.pass(TimeDelta::days(23));
    assert_eq!(events(&world, "deal_registration.expiry_announced"), 2);
    second
        .post(PATH, claim(&program, "a.example"))
        .refused(409, "registration_conflict");
    world.pass(TimeDelta::days(8));
    assert_eq!(events(&world, "deal_registration.expired"), 1);
    assert_eq!(
        events(&world, "deal_registration.expired"),
        1,
        "a second round finds nothing"
    );
    assert_eq!(first.get(&format!("{PATH}/{id}"))["status"], "expired");
    let kept = second.all(&format!("{PATH}?status=draft"));
    verb(&second, kept[0]["id"].as_str().unwrap(), "submit").expect(200);
}

#[test]
fn each_program_announces_by_its_own_rules_in_one_round() {
    let world = World::new();
    let often = program(&world, json!({ "reminder_days": [5, 30] }));
    let once = program(&world, json!({ "reminder_days": [30] }));
    let mut ids = Vec::new();
    for (number, program) in [&often, &once, &often].into_iter().enumerate() {
        let partner = world.enrolled(&format!("P{number}"), program);
        let body = with(
            claim(program, &format!("n{number}.example")),
            json!({ "partner_id": partner }),
        );
        let id = world.admin().post(PATH, body).expect(201).id();
        verb(world.admin(), &id, "approve").expect(200);
        ids.push(id);
    }
    let version = |id: &String| {
        world
            .admin()
            .get(&format!("{PATH}/{id}"))
            .header("etag")
            .to_owned()
    };
    let before: Vec<String> = ids.iter().map(version).collect();
    world.pass(TimeDelta::days(65));
    assert_eq!(events(&world, "deal_registration.expiry_announced"), 3);
    world.pass(TimeDelta::days(22));
    assert_eq!(events(&world, "deal_registration.expiry_announced"), 5);
    let mut changed = ids.iter().zip(&before).map(|(id, before)| {
        let number = |tag: &str| tag.trim_matches('"').parse::<i64>().unwrap();
        number(&version(id)) - number(before)
    });
    assert_eq!(
        [changed.next(), changed.next(), changed.next()],
        [Some(2), Some(1), Some(2)]
    );
    world.pass(TimeDelta::days(10));
    assert_eq!(events(&world, "deal_registration.expired"), 3);
    for id in &ids {
        let ended = world.admin().get(&format!("{PATH}/{id}")).expect(200);
        assert_eq!(
            (&ended["status"], &ended["reason"]),
            (&json!("expired"), &json!(null))
        );
        assert_ne!(ended["closed_at"], json!(null));
    }
}

#[test]
fn a_worker_that_is_killed_in_the_middle_leaves_nothing_half_done() {
    let world = World::new();
    let program = program(&world, json!({}));
    let partner = world.enrolled("A", &program);
    for number in 0..5 {
        let body = with(
            claim(&program, &format!("n{number}.example")),
            json!({ "partner_id": partner }),
        );
        let id = world.admin().post(PATH, body).expect(201).id();
        verb(world.admin(), &id, "approve").expect(200);
    }
    let now = world.pass(TimeDelta::days(100));
    let ctx = Ctx::system(world.home.id, now);
    let killed: Result<usize, Problem> = world.db.write_now(&ctx, |tx| {
        assert!(clock::run(tx, &ctx)? > 0);
        Err(Problem::new(Code::InternalError))
    });
    assert!(killed.is_err());
    assert_eq!(world.admin().all(&format!("{PATH}?status=approved")).len(), 5);
    assert_eq!(events(&world, "deal_registration.expired"), 5);
    let again = world.db.write_now(&ctx, |tx| clock::run(tx, &ctx)).unwrap();
    assert_eq!(again, 0);
    assert_eq!(world.admin().all(&format!("{PATH}?status=expired")).len(), 5);
}

#[test]
fn one_worker_leaves_to_another_what_it_holds() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, actor) = partner(&world, "A", &program);
    let id = actor.post(PATH, claim(&program, "a.example")).expect(201).id();
    verb(world.admin(), &id, "approve").expect(200);
    let now = world.pass(TimeDelta::days(100));
    let ctx = Ctx::system(world.home.id, now);
    let held = world.db.write_now(&ctx, |tx| {
        let held: Vec<DealRegistration> = deal_registrations::due(tx, &ctx, deal_registrations::Due::Ended)?;
        assert_eq!(world.db.write_now(&ctx, |other| clock::run(other, &ctx))?, 0);
        Ok(held.len())
    });
    assert_eq!(held.unwrap(), 1);
    assert_eq!(events(&world, "deal_registration.expired"), 1);
}

#[test]
fn the_clock_stands_still_while_the_organization_is_late() {
    let world = World::new();
    let rules = json!({ "protection_starts": "submission", "protection_days": 10, "extension_days": 5 });
    let program = program(&world, rules);
    let (_, actor) = partner(&world, "A", &program);
    let made = actor.post(PATH, claim(&program, "a.example")).expect(201);
    let respond_by: chrono::DateTime<chrono::Utc> = made.text("/respond_by").parse().unwrap();
    world.clock.set(respond_by + TimeDelta::days(3));
    assert_eq!(events(&world, "deal_registration.response_missed"), 1);
    let approved = verb(world.admin(), &made.id(), "approve").expect(200);
    assert_eq!(approved["paused_seconds"], 3 * 86_400);
    assert_eq!(approved["protected_until"], "2026-03-15T00:00:00Z");
    let path = format!("{PATH}/{}/extensions", made.id());
    let asked = actor
        .post(&path, json!({ "evidence": "The customer moved the date." }))
        .expect(200);
    actor
        .post(&path, json!({ "evidence": "Again." }))
        .refused(409, "already_exists");
    let respond_by: chrono::DateTime<chrono::Utc> = asked.text("/respond_by").parse().unwrap();
    world.clock.set(respond_by + TimeDelta::days(10));
    assert_eq!(
        events(&world, "deal_registration.expired"),
        0,
        "nobody loses by a late answer"
    );
    let refuse = format!("/v1/registration-extensions/{}/refuse", asked.id());
    actor
        .post(&refuse, json!({ "reason": "No" }))
        .refused(403, "permission_denied");
    world.admin().post(&refuse, json!({ "reason": "No" })).expect(200);
    let after = actor.get(&format!("{PATH}/{}", made.id())).expect(200);
    assert_eq!(after["protected_until"], "2026-03-25T00:00:00Z");
    let asked = actor
        .post(&path, json!({ "evidence": "Look again." }))
        .expect(200);
    world
        .admin()
        .act(&format!("/v1/registration-extensions/{}/approve", asked.id()))
        .expect(200);
    let after = actor.get(&format!("{PATH}/{}", made.id())).expect(200);
    assert_eq!(after["protected_until"], "2026-03-30T00:00:00Z");
    actor
        .post(&path, json!({ "evidence": "Once more." }))
        .refused(409, "wrong_state");
    let all = actor.all("/v1/registration-extensions");
    assert_eq!(texts(&all, "status"), ["refused", "approved"]);
}

#[test]
fn a_protection_that_is_over_stands_in_nobodys_way_though_the_worker_has_yet_to_note_it() {
    let world = World::new();
    let program = program(&world, json!({ "maximum_open_registrations": 1 }));
    let (_, first) = partner(&world, "A", &program);
    let (_, second) = partner(&world, "B", &program);
    let id = first.post(PATH, claim(&program, "a.example")).expect(201).id();
    verb(world.admin(), &id, "approve").expect(200);
    world.pass(TimeDelta::days(91));
    let asked = json!({ "program_id": program, "account_domain": "a.example" });
    let standing = second.post(&format!("{PATH}/precheck"), asked).expect(200);
    assert_eq!(standing["standing"], "clear");
    let next = second.post(PATH, claim(&program, "a.example")).expect(201).id();
    verb(world.admin(), &next, "approve").expect(200);
    // Nor does it count among the partner's own.
    first.post(PATH, claim(&program, "b.example")).expect(201);
    assert_eq!(events(&world, "deal_registration.expired"), 1);
    assert_eq!(second.get(&format!("{PATH}/{next}"))["status"], "approved");
}
