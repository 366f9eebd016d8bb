//! Links that partners pass on: clicks counted once, machines left out, visitors credited by the program's rules.

use crate::world::{Actor, Reply, World, texts};
use chrono::{TimeDelta, Utc};
use copartner::platform::clock::Clock;
use diesel::{RunQueryDsl, sql_query};
use serde_json::{Value, json};
use std::thread;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const BOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// A program, and two partners in it.
struct Stage {
    world: World,
    program: String,
    partners: [String; 2],
    actors: [Actor; 2],
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let program = world.program(json!({ "motion": "affiliate" }));
        let partners = ["Nordlicht", "Südwind"].map(|name| world.enrolled(name, &program));
        let actors = [0, 1].map(|index| world.full_partner_key(&partners[index]));
        Self {
            world,
            program,
            partners,
            actors,
        }
    }

    fn create(&self, partner: usize, code: &str) -> Reply {
        let body =
            json!({ "program_id": self.program, "code": code, "target_url": "https://example.com/pricing" });
        self.actors[partner].post("/v1/referral-links", body)
    }

    fn link(&self, partner: usize, code: &str) -> String {
        self.create(partner, code).expect(201).id()
    }

    fn rules(&self, rules: Value) {
        let path = format!("/v1/programs/{}/deal-rules", self.program);
        self.world.admin().patch(&path, rules).expect(200);
    }

    fn report(&self, clicks: Value) -> Reply {
        self.world.admin().post("/v1/clicks", json!({ "clicks": clicks }))
    }

    /// Somebody comes by a link now.
    fn click(&self, code: &str, visitor: &str) {
        let click = json!([{ "code": code, "visitor": visitor, "user_agent": BROWSER }]);
        assert_eq!(self.report(click).expect(200)["unknown"], 0);
    }

    fn convert(&self, visitor: &str) -> Reply {
        let body =
            json!({ "program_id": self.program, "visitor": visitor, "company_name": "Hansa Logistik" });
        self.world.admin().post("/v1/clicks/convert", body)
    }

    /// Lets time pass.
    fn pass(&self, time: TimeDelta) {
        self.world.clock.set(self.world.clock.now() + time);
    }

    fn told(&self) -> Vec<String> {
        self.world.work();
        let mut types = texts(&self.world.admin().all("/v1/events"), "type");
        types.retain(|one| one.starts_with("referral"));
        types.sort();
        types
    }
}

#[track_caller]
fn counted(reply: &Reply, recorded: i64, repeated: i64, bots: i64, unknown: i64) {
    let expected = json!({ "recorded": recorded, "repeated": repeated, "bots": bots, "unknown": unknown });
    assert_eq!(reply.body, expected);
}

#[test]
fn a_visitor_counts_once_in_half_an_hour_and_a_machine_never() {
    let stage = Stage::new();
    let link = stage.link(0, "nordlicht");
    let at = |minute: u32| format!("2026-02-27T10:{minute:02}:00Z");
    let click = |code: &str, visitor: &str, minute: u32, agent: &str| json!({ "code": code, "visitor": visitor, "clicked_at": at(minute), "user_agent": agent });
    let clicks = json!([
        click("nordlicht", "one", 10, BROWSER),
        click("nordlicht", "one", 5, BROWSER),
        click("nordlicht", "one", 31, BROWSER),
        click("nordlicht", "two", 5, BROWSER),
        click("nordlicht", "three", 5, BOT),
        click("nordlicht", "four", 5, ""),
        click("nowhere", "one", 5, BROWSER),
    ]);
    counted(&stage.report(clicks.clone()).expect(200), 3, 1, 2, 1);
    // The same report again changes nothing; a later click of the same half hour moves its end.
    counted(&stage.report(clicks).expect(200), 0, 4, 2, 1);
    let later = json!([click("nordlicht", "two", 29, BROWSER)]);
    counted(&stage.report(later).expect(200), 0, 1, 0, 0);
    let seen = stage
        .world
        .admin()
        .all(&format!("/v1/clicks?referral_link_id={link}"));
    let mut spans: Vec<[&str; 3]> = seen
        .iter()
        .map(|one| ["visitor", "clicked_at", "last_clicked_at"].map(|field| one[field].as_str().unwrap()))
        .collect();
    spans.sort_unstable();
    assert_eq!(
        spans,
        [
            ["one", "2026-02-27T10:05:00Z", "2026-02-27T10:10:00Z"],
            ["one", "2026-02-27T10:31:00Z", "2026-02-27T10:31:00Z"],
            ["two", "2026-02-27T10:05:00Z", "2026-02-27T10:29:00Z"],
        ]
    );
}

#[test]
fn reports_of_the_same_visitors_at_once_count_them_once() {
    let stage = Stage::new();
    stage.link(0, "nordlicht");
    let clicks: Vec<Value> = (0..50)
        .map(|number| json!({ "code": "nordlicht", "visitor": format!("v{number}"), "user_agent": BROWSER }))
        .collect();
    let turned: Vec<Value> = clicks.iter().rev().cloned().collect();
    let recorded = thread::scope(|scope| {
        let reports = [&clicks, &turned, &clicks, &turned].map(|clicks| {
            let stage = &stage;
            scope.spawn(move || {
                stage.report(json!(clicks)).expect(200)["recorded"]
                    .as_i64()
                    .unwrap()
            })
        });
        reports.into_iter().map(|one| one.join().unwrap()).sum::<i64>()
    });
    assert_eq!(recorded, 50);
    assert_eq!(stage.world.admin().all("/v1/clicks").len(), 50);
}

#[test]
fn the_first_or_the_last_click_is_credited_as_the_program_says() {
    for (rule, winner) in [("first_click", 0), ("last_click", 1)] {
        let stage = Stage::new();
        stage.rules(json!({ "attribution_click": rule, "attribution_window_days": 30 }));
        let links = [stage.link(0, "nordlicht"), stage.link(1, "suedwind")];
        stage.click("nordlicht", "visitor");
        stage.pass(TimeDelta::days(2));
        stage.click("suedwind", "visitor");
        let conversion = stage.convert("visitor").expect(200);
        assert_eq!(conversion["referral_link_id"], json!(links[winner]));
        let referral = format!("/v1/referrals/{}", conversion.text("/referral_id"));
        let seen = stage.actors[winner].get(&referral).expect(200);
        assert_eq!(
            (&seen["status"], &seen["partner_id"]),
            (&json!("submitted"), &json!(stage.partners[winner]))
        );
        stage.actors[1 - winner].get(&referral).refused(404, "not_found");
        stage.convert("visitor").refused(409, "already_exists");
        assert_eq!(
            stage.told(),
            [
                "referral.submitted",
                "referral_link.converted",
                "referral_link.created",
                "referral_link.created"
            ]
        );
    }
}

#[test]
fn within_one_half_hour_the_very_last_click_is_credited() {
    let stage = Stage::new();
    let links = [stage.link(0, "nordlicht"), stage.link(1, "suedwind")];
    for code in ["nordlicht", "suedwind", "nordlicht"] {
        stage.click(code, "visitor");
        stage.pass(TimeDelta::minutes(1));
    }
    assert_eq!(
        stage.convert("visitor").expect(200)["referral_link_id"],
        json!(links[0])
    );
}

#[test]
fn what_is_too_old_or_of_a_partner_that_left_is_not_credited() {
    let stage = Stage::new();
    stage.rules(json!({ "attribution_click": "first_click", "attribution_window_days": 30 }));
    let links = [stage.link(0, "nordlicht"), stage.link(1, "suedwind")];
    for visitor in ["late", "left"] {
        stage.click("nordlicht", visitor);
    }
    stage.pass(TimeDelta::days(20));
    stage.click("suedwind", "left");
    stage.click("suedwind", "retired");
    let admin = stage.world.admin();
    // A retired link still earns what came by it before, and nothing from then on.
    let retire = format!("/v1/referral-links/{}/retire", links[1]);
    stage.actors[1].act(&retire).expect(200);
    stage.actors[1].act(&retire).refused(409, "wrong_state");
    let click = json!([{ "code": "suedwind", "visitor": "new", "user_agent": BROWSER }]);
    counted(&stage.report(click).expect(200), 0, 0, 0, 1);
    let before = stage.world.clock.now() - TimeDelta::hours(1);
    let told_late =
        json!([{ "code": "suedwind", "visitor": "told late", "user_agent": BROWSER, "clicked_at": before }]);
    counted(&stage.report(told_late).expect(200), 1, 0, 0, 0);
    assert_eq!(
        stage.convert("told late").expect(200)["referral_link_id"],
        json!(links[1])
    );
    assert_eq!(
        stage.convert("retired").expect(200)["referral_link_id"],
        json!(links[1])
    );
    let enrollments = admin.all(&format!("/v1/enrollments?partner_id={}", stage.partners[0]));
    let pause = format!("/v1/enrollments/{}/pause", enrollments[0]["id"].as_str().unwrap());
    admin.post(&pause, json!({ "reason": "Audit" })).expect(200);
    assert_eq!(
        stage.convert("left").expect(200)["referral_link_id"],
        json!(links[1])
    );
    stage.pass(TimeDelta::days(11));
    for visitor in ["late", "nobody"] {
        stage
            .convert(visitor)
            .refused(422, "validation_failed")
            .pointer("/visitor", "no_click");
    }
}

#[test]
fn a_visitor_that_is_converted_twice_at_once_becomes_one_referral() {
    let stage = Stage::new();
    stage.link(0, "nordlicht");
    stage.link(1, "suedwind");
    stage.click("nordlicht", "visitor");
    stage.click("suedwind", "visitor");
    let mut statuses = thread::scope(|scope| {
        let tries = [0; 4].map(|_| scope.spawn(|| stage.convert("visitor").status));
        tries.map(|one| one.join().unwrap())
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    assert_eq!(stage.world.admin().all("/v1/referrals").len(), 1);
}

#[test]
fn a_partner_sees_its_own_links_and_clicks_and_no_visitors() {
    let stage = Stage::new();
    let links = [stage.link(0, "nordlicht"), stage.link(1, "suedwind")];
    stage
        .create(1, "nordlicht")
        .refused(409, "already_exists")
        .pointer("/code", "taken");
    for code in ["nordlicht", "suedwind"] {
        stage.click(code, "visitor");
    }
    for (index, actor) in stage.actors.iter().enumerate() {
        assert_eq!(
            texts(&actor.all("/v1/referral-links"), "id"),
            [links[index].as_str()]
        );
        let seen = actor.all("/v1/clicks");
        assert_eq!(texts(&seen, "referral_link_id"), [links[index].as_str()]);
        assert_eq!(seen[0]["visitor"], Value::Null);
        let foreign = format!("/v1/referral-links/{}", links[1 - index]);
        actor.get(&foreign).refused(404, "not_found");
        actor.act(&format!("{foreign}/retire")).refused(404, "not_found");
        let click =
            json!({ "clicks": [{ "code": "nordlicht", "visitor": "made-up", "user_agent": BROWSER }] });
        actor.post("/v1/clicks", click).refused(403, "permission_denied");
    }
    // A link leads where it led, and a click is what it was, also behind the service's back.
    let mut owner = stage.world.database().owner();
    for change in [
        "UPDATE referral_links SET target_url = 'https://elsewhere.example'",
        "UPDATE clicks SET visitor = 'somebody else'",
        "DELETE FROM clicks",
        "DELETE FROM referral_links",
    ] {
        sql_query(change).execute(&mut owner).unwrap_err();
    }
}

#[test]
fn a_click_that_is_yet_to_come_is_named_and_none_is_recorded() {
    let stage = Stage::new();
    stage.link(0, "nordlicht");
    let later = stage.world.clock.now() + TimeDelta::seconds(1);
    let click = |at: chrono::DateTime<Utc>| json!({ "code": "nordlicht", "visitor": "one", "clicked_at": at, "user_agent": BROWSER });
    stage
        .report(json!([click(stage.world.clock.now()), click(later)]))
        .refused(422, "validation_failed")
        .pointer("/clicks/1/clicked_at", "in_future");
    assert!(stage.world.admin().all("/v1/clicks").is_empty());
}

#[test]
fn a_partner_that_is_not_in_the_program_has_no_link_in_it() {
    let stage = Stage::new();
    let other = stage.world.program(json!({}));
    let body = |partner: &str, program: &str| json!({ "partner_id": partner, "program_id": program, "target_url": "https://example.com/" });
    let admin = stage.world.admin();
    admin
        .post("/v1/referral-links", body(&stage.partners[0], &other))
        .refused(409, "wrong_state");
    let drawn = admin
        .post("/v1/referral-links", body(&stage.partners[0], &stage.program))
        .expect(201);
    assert_eq!(drawn.text("/code").len(), 12);
    let found = admin.all(&format!("/v1/referral-links?code={}", drawn.text("/code")));
    assert_eq!(texts(&found, "id"), [drawn.id()]);
}
