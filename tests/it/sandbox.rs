//! A sandbox's clock: everything in the organization goes by it, and nothing else does.

use crate::world::{Actor, Reply, Tenant, World, count, texts};
use chrono::{DateTime, TimeDelta, Utc};
use copartner::app::audit_check;
use copartner::app::bootstrap::OrganizationMode;
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::thread;

const CLOCK: &str = "/v1/organization/clock";
const ADVANCE: &str = "/v1/organization/clock/advance";
const DAY: i64 = 86_400;

#[track_caller]
fn advance(actor: &Actor, days: i64) -> Reply {
    actor
        .post(ADVANCE, json!({ "by_seconds": days * DAY }))
        .expect(200)
}

/// Does something as if the home organization were another one.
fn within<T>(world: &mut World, tenant: &mut Tenant, work: impl FnOnce(&World) -> T) -> T {
    std::mem::swap(&mut world.home, tenant);
    let done = work(world);
    std::mem::swap(&mut world.home, tenant);
    done
}

/// A sale whose commission is held for thirty days; the partner.
fn held_sale(world: &World) -> String {
    let program = world.program(json!({}));
    world.rule(&program, "0.1", json!({ "hold_days": 30 }));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    partner
}

fn statuses(world: &World) -> Vec<String> {
    texts(&world.lines(""), "status")
}

#[test]
fn a_clock_is_advanced_by_some_time_or_until_an_instant_and_goes_on_from_there() {
    let world = World::sandbox();
    let before = world.admin().get(CLOCK).expect(200);
    assert_eq!(
        before.body,
        json!({
            "mode": "sandbox", "current_at": "2026-03-02T09:00:00Z", "wall_clock_at": "2026-03-02T09:00:00Z",
            "ahead_seconds": 0
        })
    );
    assert!(
        !before.has_header("etag"),
        "what changes all the time is never unchanged"
    );
    let after = advance(world.admin(), 30);
    assert_eq!(after["current_at"], "2026-04-01T09:00:00Z");
    let body = json!({ "until_at": "2026-06-01T08:00:00.5Z" });
    let after = world.admin().post(ADVANCE, body).expect(200);
    assert_eq!(after["current_at"], "2026-06-01T08:00:00.500Z");
    assert_eq!(after["wall_clock_at"], "2026-03-02T09:00:00Z");
    assert_eq!(after["ahead_seconds"], 91 * DAY - 3600);
    world.pass(TimeDelta::minutes(5));
    let later = world.admin().get(CLOCK).expect(200);
    assert_eq!(later["current_at"], "2026-06-01T08:05:00.500Z");
    let partner = world
        .admin()
        .post("/v1/partners", json!({ "name": "A" }))
        .expect(201);
    assert_eq!(partner["created_at"], "2026-06-01T08:05:00.500Z");
}

#[test]
fn a_clock_goes_forward_only() {
    let world = World::sandbox();
    advance(world.admin(), 30);
    let refused = |body| {
        world
            .admin()
            .post(ADVANCE, body)
            .refused(422, "validation_failed")
    };
    for gone in [
        "2026-03-02T09:00:00Z",
        "2026-03-15T00:00:00Z",
        "2026-04-01T09:00:00Z",
    ] {
        refused(json!({ "until_at": gone })).pointer("/until_at", "not_ahead");
    }
    refused(json!({ "by_seconds": 0 })).pointer("/by_seconds", "too_small");
    refused(json!({ "by_seconds": -1 })).pointer("/by_seconds", "too_small");
    refused(json!({ "by_seconds": 315_360_001 })).pointer("/by_seconds", "too_large");
    refused(json!({ "until_at": "9999-12-31T23:59:59Z" })).pointer("/until_at", "too_far");
    refused(json!({ "until_at": null })).pointer("/until_at", "wrong_type");
    refused(json!({})).pointer("", "empty_patch");
    refused(json!({ "by_seconds": 1, "until_at": "2027-01-01T00:00:00Z" })).pointer("", "too_many_fields");
    let now = world.admin().get(CLOCK).expect(200);
    assert_eq!(now["current_at"], "2026-04-01T09:00:00Z");
    let mut owner = world.database().owner();
    let back = "UPDATE organizations SET clock_offset = clock_offset - interval '1 second'";
    let fault = owner.batch_execute(back).unwrap_err().to_string();
    assert!(fault.contains("does not go back"), "{fault}");
}

#[test]
fn a_live_organization_has_the_real_time() {
    let world = World::new();
    let refused = world
        .admin()
        .post(ADVANCE, json!({ "by_seconds": 60 }))
        .refused(409, "sandbox_only");
    assert!(refused.text("/detail").contains("--sandbox"), "{}", refused.raw());
    let clock = world.admin().get(CLOCK).expect(200);
    assert_eq!(
        (&clock["mode"], &clock["ahead_seconds"]),
        (&json!("live"), &json!(0))
    );
    let mut owner = world.database().owner();
    let ahead = "UPDATE organizations SET clock_offset = interval '1 second'";
    let fault = owner.batch_execute(ahead).unwrap_err().to_string();
    assert!(fault.contains("organizations_clock_mode_check"), "{fault}");
}

#[test]
fn only_who_may_change_the_organization_advances_its_clock() {
    let world = World::sandbox();
    let reader = world.key(&["organization:read"]);
    let partner = world.full_partner_key(&world.partner("Nordlicht"));
    for caller in [&reader, &partner] {
        caller
            .post(ADVANCE, json!({ "by_seconds": 60 }))
            .refused(403, "permission_denied");
        assert_eq!(caller.get(CLOCK).expect(200)["ahead_seconds"], 0);
    }
}

#[test]
fn an_advance_is_told_once_at_the_time_before() {
    let world = World::sandbox();
    let body = json!({ "by_seconds": DAY });
    let first = world
        .admin()
        .post_with_key("once", ADVANCE, body.clone())
        .expect(200);
    world.pass(TimeDelta::minutes(1));
    let again = world.admin().post_with_key("once", ADVANCE, body).expect(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.body, first.body);
    world.work();
    let mut told = world.admin().all("/v1/events");
    told.retain(|event| event["type"] == "organization.clock_advanced");
    assert_eq!(texts(&told, "occurred_at"), ["2026-03-02T09:00:00Z"]);
    assert_eq!(told[0]["data"]["advanced_to"], "2026-03-03T09:00:00Z");
    let entries = world
        .admin()
        .all("/v1/audit-events?action=organization.clock_advanced");
    assert_eq!(entries.len(), 1);
    assert_eq!(
        entries[0]["changes"]["current_at"],
        json!({ "before": "2026-03-02T09:00:00Z", "after": "2026-03-03T09:00:00Z" })
    );
}

#[test]
fn a_hold_ends_by_its_own_organizations_clock() {
    let mut world = World::sandbox();
    let mut others =
        [OrganizationMode::Sandbox, OrganizationMode::Live].map(|mode| world.another_organization(mode));
    let partner = held_sale(&world);
    for other in &mut others {
        within(&mut world, other, held_sale);
    }
    advance(world.admin(), 29);
    world.work();
    assert_eq!(statuses(&world), ["pending"]);
    advance(world.admin(), 1);
    world.work();
    assert_eq!(statuses(&world), ["approved"]);
    assert_eq!(world.balance(&partner, "payable"), "10.00");
    assert_eq!(world.line("")["approved_at"], "2026-04-01T09:00:00Z");
    for other in &mut others {
        assert_eq!(within(&mut world, other, statuses), ["pending"]);
        let clock = other.admin.get(CLOCK).expect(200);
        assert_eq!(clock["current_at"], "2026-03-02T09:00:00Z");
    }
    world.books_balance();
    // Theirs end when their own time has come.
    world.pass(TimeDelta::days(31));
    world.work();
    for other in &mut others {
        assert_eq!(within(&mut world, other, statuses), ["approved"]);
    }
}

fn submitted(world: &World) -> String {
    let program = world.program(json!({ "motion": "referral" }));
    let partner = world.enrolled("Nordlicht", &program);
    let body = json!({ "program_id": program, "partner_id": partner, "company_name": "Hansa Logistik" });
    world.admin().post("/v1/referrals", body).expect(201).id()
}

#[test]
fn an_answer_is_late_and_a_referral_expires_by_its_own_organizations_clock() {
    let mut world = World::sandbox();
    let mut other = world.another_organization(OrganizationMode::Sandbox);
    let referral = submitted(&world);
    let foreign = within(&mut world, &mut other, submitted);
    let read = |world: &World, id: &str| world.admin().get(&format!("/v1/referrals/{id}")).expect(200);
    let until = |instant: &str| {
        world
            .admin()
            .post(ADVANCE, json!({ "until_at": instant }))
            .expect(200)
    };
    until("2026-03-03T16:59:59Z");
    world.work();
    assert_eq!(read(&world, &referral)["response_breached_at"], Value::Null);
    until("2026-03-03T17:00:00Z");
    world.work();
    assert_eq!(
        read(&world, &referral)["response_breached_at"],
        "2026-03-03T17:00:00Z"
    );
    until("2026-05-30T23:59:59Z");
    world.work();
    assert_eq!(read(&world, &referral)["status"], "submitted");
    until("2026-05-31T00:00:00Z");
    world.work();
    assert_eq!(read(&world, &referral)["status"], "expired");
    let seen = within(&mut world, &mut other, |world| read(world, &foreign));
    assert_eq!(
        (&seen["status"], &seen["response_breached_at"]),
        (&json!("submitted"), &Value::Null)
    );
}

/// What was looked up of a caller is remembered, also by replicas that never hear of the advance. All of them must find
/// out at the next request, whether it reads or writes.
#[test]
fn an_advance_counts_for_everybody_at_the_next_request() {
    let world = World::sandbox();
    let key = world.key(&["organization:read", "partners:write"]);
    let opened = key.post("/v1/sessions", json!({})).expect(201);
    let session = world.bearer(opened.text("/access_token"));
    let callers = [&key, &session, world.admin()];
    let other = world.another_organization(OrganizationMode::Sandbox);
    let versions = |tenant: &Tenant| {
        let query = format!(
            "SELECT sum(access_version)::bigint AS count FROM api_keys WHERE organization_id = '{}'",
            tenant.id.uuid()
        );
        count(&mut world.database().owner(), &query)
    };
    let untouched = versions(&other);
    for (round, caller) in callers.iter().enumerate() {
        for one in callers {
            one.get(CLOCK).expect(200);
        }
        advance(world.admin(), 1);
        let body = json!({ "name": format!("Partner {round}") });
        let partner = caller.post("/v1/partners", body).expect(201);
        let now = world.clock.now() + TimeDelta::days(i64::try_from(round).unwrap() + 1);
        assert_eq!(partner.text("/created_at").parse::<DateTime<Utc>>().unwrap(), now);
        for one in callers {
            let shown = one.get(CLOCK).expect(200);
            assert_eq!(shown.text("/current_at").parse::<DateTime<Utc>>().unwrap(), now);
        }
    }
    assert_eq!(versions(&other), untouched);
}

/// Shows that it is the trigger by which callers find out: without it they would go on in the time before.
#[test]
fn an_advance_that_renews_nobody_is_not_noticed() {
    let world = World::sandbox();
    let key = world.key(&["organization:read", "partners:write"]);
    key.get(CLOCK).expect(200);
    let mut owner = world.database().owner();
    owner
        .batch_execute("ALTER TABLE organizations DISABLE TRIGGER organizations_clock_moved")
        .unwrap();
    advance(world.admin(), 1);
    let partner = key.post("/v1/partners", json!({ "name": "A" })).expect(201);
    assert_eq!(partner["created_at"], "2026-03-02T09:00:00Z");
}

#[test]
fn advances_at_the_same_time_add_up() {
    let world = World::sandbox();
    let advancing = world.key(&["organization:read", "organization:write"]);
    thread::scope(|scope| {
        for caller in [world.admin(), &advancing] {
            scope.spawn(|| advance(caller, 1));
        }
    });
    assert_eq!(world.admin().get(CLOCK).expect(200)["ahead_seconds"], 2 * DAY);
}

#[test]
fn who_is_let_in_is_decided_by_the_real_time() {
    let world = World::sandbox();
    let issue = |end: &str| {
        let body = json!({ "name": "Key", "permissions": ["organization:read"], "expires_at": end });
        let key = world.admin().post("/v1/api-keys", body).expect(201);
        world.bearer(key.text("/secret"))
    };
    let key = issue("2026-03-02T10:00:00Z");
    let opened = world
        .admin()
        .post("/v1/sessions", json!({ "expires_in_seconds": 60 }))
        .expect(201);
    let session = world.bearer(opened.text("/access_token"));
    let path = "/v1/partners";
    let first = world
        .admin()
        .post_with_key("k", path, json!({ "name": "A" }))
        .expect(201);
    advance(world.admin(), 365);
    world.work();
    key.get(CLOCK).expect(200);
    session.get(CLOCK).expect(200);
    let again = world
        .admin()
        .post_with_key("k", path, json!({ "name": "A" }))
        .expect(201);
    assert_eq!(again.id(), first.id());
    // A key that ends before the sandbox's present is good until it ends.
    let another = issue("2026-03-02T09:30:00Z");
    another.get(CLOCK).expect(200);
    let opened = world
        .admin()
        .post("/v1/sessions", json!({ "expires_in_seconds": 60 }))
        .expect(201);
    assert_eq!(opened["access_expires_at"], "2026-03-02T09:01:00Z");
    world.pass(TimeDelta::minutes(1));
    session.get(CLOCK).refused(401, "unauthorized");
    world.pass(TimeDelta::minutes(29));
    another.get(CLOCK).refused(401, "unauthorized");
    key.get(CLOCK).expect(200);
    world.pass(TimeDelta::minutes(30));
    key.get(CLOCK).refused(401, "unauthorized");
    world.pass(TimeDelta::days(1));
    world.work();
    let fresh = world
        .admin()
        .post_with_key("k", path, json!({ "name": "A" }))
        .expect(201);
    assert_ne!(fresh.id(), first.id());
}

#[test]
fn lists_events_and_seals_hold_across_an_advance() {
    let world = World::sandbox();
    let mut made = Vec::new();
    for round in 0..6 {
        let body = json!({ "name": format!("Partner {round}") });
        made.push(world.admin().post("/v1/partners", body).expect(201).id());
        if round % 2 == 1 {
            advance(world.admin(), 100);
        }
        if round == 2 {
            world.work();
        }
    }
    world.work();
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world
            .admin()
            .get(&format!("/v1/partners?sort=created_at&limit=2{cursor}"))
            .expect(200);
        listed.extend(texts(page.data(), "id"));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(listed, made);
    let events = world.admin().all("/v1/events");
    let sequences: Vec<i64> = events
        .iter()
        .map(|event| event["sequence"].as_i64().unwrap())
        .collect();
    let ascending: Vec<i64> = (1..=i64::try_from(sequences.len()).unwrap()).collect();
    assert_eq!(sequences, ascending);
    let instants = texts(&events, "occurred_at");
    assert!(instants.is_sorted(), "{instants:?}");
    for finding in audit_check::all(&world.db, world.clock.now()).unwrap() {
        assert_eq!(finding.chain.fault, None);
    }
}
