//! Disputed moves to a lower tier: what can be disputed, and what each outcome does to the tier.

use super::{PATH, contest, decide, judge, verb};
use crate::world::{Actor, Reply, World, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A partner that a person brought down from Gold to Bronze, in a program that looks at months and has no grace.
struct Fallen {
    world: World,
    program: String,
    partner: String,
    actor: Actor,
    fall: String,
}

impl Fallen {
    fn new() -> Self {
        let world = World::new();
        let program = world.program(json!({}));
        let deals = |threshold: &str| json!([{ "metric": "won_deals", "threshold": threshold }]);
        let tiers = json!([
            { "code": "bronze", "name": "Bronze" },
            { "code": "silver", "name": "Silver", "criteria": deals("10") },
            { "code": "gold", "name": "Gold", "criteria": deals("20") }
        ]);
        let ladder = json!({ "period": "month", "grace_days": 0, "tiers": tiers });
        let path = format!("/v1/programs/{program}/tiers");
        world.admin().patch(&path, ladder).expect(200);
        let partner = world.enrolled("A", &program);
        let actor = world.full_partner_key(&partner);
        let mut made = Self {
            world,
            program,
            partner,
            actor,
            fall: String::new(),
        };
        made.put("gold").expect(200);
        made.put("bronze").expect(200);
        made.fall = made.last_move()["id"].as_str().unwrap().to_owned();
        made
    }

    fn enrollment(&self) -> Value {
        let path = format!("/v1/enrollments?partner_id={}", self.partner);
        self.world.admin().all(&path)[0].clone()
    }

    fn tier(&self) -> Value {
        self.enrollment()["tier"].clone()
    }

    fn path(&self, what: &str) -> String {
        format!(
            "/v1/enrollments/{}/{what}",
            self.enrollment()["id"].as_str().unwrap()
        )
    }

    fn put(&self, tier: &str) -> Reply {
        let body = json!({ "tier": tier, "reason": "So it is." });
        self.world.admin().post(&self.path("move-tier"), body)
    }

    fn moves(&self) -> Vec<Value> {
        let path = format!("/v1/tier-moves?partner_id={}", self.partner);
        self.world.admin().all(&path)
    }

    fn last_move(&self) -> Value {
        self.moves().remove(0)
    }

    /// A dispute of the fall, in review.
    fn disputed(&self) -> String {
        let id = contest(&self.actor, &self.fall, json!({})).expect(201).id();
        verb(self.world.admin(), &id, "review", json!({})).expect(200);
        id
    }

    /// Somebody who may decide it.
    fn judge(&self) -> Actor {
        let rights = [
            "disputes:read",
            "disputes:decide",
            "enrollments:write",
            "enrollments:read",
        ];
        self.world.another_hand(&rights)
    }

    fn partially(&self, judge: &Actor, id: &str, tier: Value) -> Reply {
        let mut body = json!({ "outcome": "partially_upheld", "reason": "We looked again." });
        if !tier.is_null() {
            body["tier"] = tier;
        }
        verb(judge, id, "decide", body)
    }
}

#[test]
fn an_upheld_dispute_gives_the_tier_back_for_the_rest_of_the_period() {
    let stage = Fallen::new();
    let id = stage.disputed();
    decide(stage.world.admin(), &id, "upheld").refused(409, "second_person_required");
    // Whoever may not move tiers does not by way of a dispute either.
    decide(&judge(&stage.world), &id, "upheld").refused(403, "permission_denied");
    let with_tier = json!({ "outcome": "upheld", "reason": "Yes.", "tier": "silver" });
    verb(&stage.judge(), &id, "decide", with_tier).pointer("/tier", "not_allowed");
    assert_eq!(stage.tier(), "bronze");
    decide(&stage.judge(), &id, "upheld").expect(200);
    assert_eq!(stage.tier(), "gold");
    let back = stage.last_move();
    assert_eq!(
        (
            &back["from_tier"],
            &back["to_tier"],
            &back["cause"],
            &back["reason"]
        ),
        (
            &json!("bronze"),
            &json!("gold"),
            &json!("person"),
            &json!("We looked again.")
        )
    );
    let standing = stage.world.admin().get(&stage.path("tier-standing")).expect(200);
    assert_eq!(standing["pinned_until"], "2026-04-01T00:00:00Z");
    // Reviews of this period leave it, and those of the next go by the figures.
    stage.world.pass(TimeDelta::days(20));
    stage.world.work();
    assert_eq!(stage.tier(), "gold");
    stage.world.pass(TimeDelta::days(15));
    stage.world.work();
    assert_eq!(stage.tier(), "bronze");
    let told = stage.actor.all("/v1/events");
    let changed = texts(&told, "type")
        .iter()
        .filter(|one| *one == "enrollment.tier_changed")
        .count();
    assert_eq!(changed, 4);
}

#[test]
fn in_part_the_partner_gets_a_tier_between_and_denied_it_stays() {
    let stage = Fallen::new();
    let id = stage.disputed();
    let judge = stage.judge();
    stage
        .partially(&judge, &id, Value::Null)
        .pointer("/tier", "missing");
    for tier in ["gold", "bronze", "platinum"] {
        stage
            .partially(&judge, &id, json!(tier))
            .refused(422, "validation_failed")
            .pointer("/tier", "not_between");
    }
    stage.partially(&judge, &id, json!("silver")).expect(200);
    assert_eq!(stage.tier(), "silver");
    let standing = stage.world.admin().get(&stage.path("tier-standing")).expect(200);
    assert_eq!(standing["pinned_until"], "2026-04-01T00:00:00Z");
    let other = Fallen::new();
    let id = other.disputed();
    decide(&other.judge(), &id, "denied").expect(200);
    assert_eq!((other.tier(), other.moves().len()), (json!("bronze"), 2));
}

#[test]
fn only_a_fall_of_its_own_that_stands_is_disputed_and_who_came_back_stays() {
    let stage = Fallen::new();
    let rise = stage.moves()[1]["id"].as_str().unwrap().to_owned();
    contest(&stage.actor, &rise, json!({})).pointer("/subject_ids/0", "not_disputable");
    let money = json!({ "claimed_share_basis_points": 100 });
    contest(&stage.actor, &stage.fall, money).pointer("/claimed_share_basis_points", "not_allowed");
    let early = json!({ "reason_code": "first_to_register" });
    contest(&stage.actor, &stage.fall, early).pointer("/reason_code", "not_fitting");
    let rival = stage.world.enrolled("B", &stage.program);
    let rival = stage.world.full_partner_key(&rival);
    contest(&rival, &stage.fall, json!({})).pointer("/subject_ids/0", "unknown_reference");
    let id = stage.disputed();
    contest(&stage.actor, &stage.fall, json!({})).refused(409, "already_exists");
    stage.put("gold").expect(200);
    contest(&stage.actor, &stage.fall, json!({})).pointer("/subject_ids/0", "not_disputable");
    decide(&stage.judge(), &id, "upheld").expect(200);
    assert_eq!((stage.tier(), stage.moves().len()), (json!("gold"), 3));
    let found = stage.world.admin().get(&format!("{PATH}/{id}")).expect(200);
    assert_eq!(found["subject_type"], "tier_move");
}

#[test]
fn what_the_figures_decided_by_themselves_anybody_decides_about() {
    let stage = Fallen::new();
    stage.put("silver").expect(200);
    stage.world.pass(TimeDelta::days(1));
    stage.world.work();
    let fall = stage.last_move();
    assert_eq!(
        (&fall["cause"], &fall["to_tier"]),
        (&json!("review"), &json!("bronze"))
    );
    let fall = fall["id"].as_str().unwrap();
    let id = contest(&stage.actor, fall, json!({})).expect(201).id();
    verb(stage.world.admin(), &id, "review", json!({})).expect(200);
    decide(stage.world.admin(), &id, "upheld").expect(200);
    assert_eq!(stage.tier(), "silver");
    // Who left in the meantime gets nothing back.
    stage.put("bronze").expect(200);
    let fall = stage.last_move()["id"].as_str().unwrap().to_owned();
    let id = contest(&stage.actor, &fall, json!({})).expect(201).id();
    verb(stage.world.admin(), &id, "review", json!({})).expect(200);
    let end = json!({ "reason": "Over." });
    stage.world.admin().post(&stage.path("end"), end).expect(200);
    decide(&stage.judge(), &id, "upheld").refused(409, "wrong_state");
    decide(&stage.judge(), &id, "denied").expect(200);
}
