//! Partners: their life and their tree.

use crate::world::{Reply, World};
use proptest::prelude::*;
use serde_json::{Value, json};

const PATH: &str = "/v1/partners";

/// The verbs, each with its body.
const VERBS: [(&str, bool); 5] = [
    ("approve", false),
    ("decline", true),
    ("suspend", true),
    ("reinstate", false),
    ("terminate", true),
];

/// Where each verb leads from each state; what is not here is refused.
const MOVES: [(&str, &str, &str); 6] = [
    ("applied", "approve", "approved"),
    ("applied", "decline", "declined"),
    ("approved", "suspend", "suspended"),
    ("suspended", "reinstate", "approved"),
    ("approved", "terminate", "terminated"),
    ("suspended", "terminate", "terminated"),
];

fn act(world: &World, id: &str, verb: &str) -> Reply {
    let path = format!("{PATH}/{id}/{verb}");
    match VERBS.iter().find(|(name, _)| *name == verb) {
        Some((_, true)) => world.admin().post(&path, json!({ "reason": "Because." })),
        _ => world.admin().act(&path),
    }
}

fn create(world: &World, body: Value) -> Reply {
    world.admin().post(PATH, body).expect(201)
}

#[test]
fn a_company_applies() {
    let world = World::new();
    let body = json!({ "name": "Nordlicht", "external_id": "crm-1", "domain": "nordlicht.example", "country": "DE" });
    let made = create(&world, body);
    assert_eq!(made.header("location"), format!("{PATH}/{}", made.id()));
    let expected = json!({
        "id": made.id(), "external_id": "crm-1", "parent_id": null, "name": "Nordlicht", "status": "applied",
        "status_reason_code": null, "status_reason": null, "domain": "nordlicht.example", "country": "DE",
        "territories": [], "hidden_from_parent": false, "payout_currency": null, "approved_at": null,
        "terminated_at": null, "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z"
    });
    assert_eq!(made.body, expected);
    assert_eq!(
        world.admin().get(made.header("location")).expect(200).body,
        expected
    );
}

#[test]
fn an_external_id_belongs_to_one_partner_of_one_organization() {
    let world = World::new();
    let body = json!({ "name": "Nordlicht", "external_id": "crm-1" });
    create(&world, body.clone());
    world
        .admin()
        .post(PATH, body.clone())
        .refused(409, "external_id_taken")
        .pointer("/external_id", "taken");
    world.second_organization().admin.post(PATH, body).expect(201);
    let other = create(&world, json!({ "name": "Other" }));
    world
        .admin()
        .patch(other.header("location"), json!({ "external_id": "crm-1" }))
        .refused(409, "external_id_taken");
}

#[test]
fn a_patch_changes_what_it_names() {
    let world = World::new();
    let made = create(
        &world,
        json!({ "name": "Nordlicht", "external_id": "crm-1", "domain": "a.example", "country": "DE" }),
    );
    let path = made.header("location");
    let now = world.pass(chrono::TimeDelta::hours(1));
    let patch = json!({ "domain": "b.example", "country": null });
    let after = world.admin().patch(path, patch).expect(200);
    let mut expected = made.body.clone();
    expected["domain"] = json!("b.example");
    expected["country"] = Value::Null;
    expected["updated_at"] = json!(now);
    assert_eq!(after.body, expected);
    let refuse = |body| world.admin().patch(path, body).refused(422, "validation_failed");
    refuse(json!({ "name": null })).pointer("/name", "wrong_type");
    refuse(json!({ "status": "approved" })).pointer("/status", "unknown_field");
    refuse(json!({})).pointer("", "empty_patch");
    refuse(json!({ "country": "de", "domain": "-x" }))
        .pointer("/country", "invalid_format")
        .pointer("/domain", "invalid_format");
}

#[test]
fn a_reason_is_kept() {
    let world = World::new();
    let id = create(&world, json!({ "name": "Nordlicht" })).id();
    let decline = format!("{PATH}/{id}/decline");
    for (body, pointer) in [(json!({}), "/reason"), (json!({ "reason": " " }), "/reason")] {
        let reply = world
            .admin()
            .post(&decline, body)
            .refused(422, "validation_failed");
        assert_eq!(reply["errors"][0]["pointer"], pointer);
    }
    let declined = world
        .admin()
        .post(&decline, json!({ "reason": "No capacity." }))
        .expect(200);
    assert_eq!(declined["status_reason"], "No capacity.");
}

#[test]
fn partners_form_a_tree() {
    let world = World::new();
    let top = create(&world, json!({ "name": "Top" })).id();
    let middle = create(&world, json!({ "name": "Middle", "parent_id": top })).id();
    let bottom = create(&world, json!({ "name": "Bottom", "parent_id": middle })).id();
    let place = |id: &str, parent: &str| {
        world
            .admin()
            .patch(&format!("{PATH}/{id}"), json!({ "parent_id": parent }))
    };
    place(&top, &bottom)
        .refused(422, "validation_failed")
        .pointer("/parent_id", "below_itself");
    let own = place(&top, &top).refused(422, "validation_failed");
    assert_eq!(own["errors"][0]["pointer"], "/parent_id");
    place(&bottom, &top).expect(200);
    place(&top, "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w")
        .refused(422, "validation_failed")
        .pointer("/parent_id", "unknown_reference");
    let below = world
        .admin()
        .get(&format!("{PATH}?parent_id={top}&sort=name"))
        .expect(200);
    let names: Vec<&Value> = below.data().iter().map(|partner| &partner["name"]).collect();
    assert_eq!(names, ["Bottom", "Middle"]);
}

/// Two that are placed below one another at the same instant must not both succeed.
#[test]
fn no_circle_comes_of_two_at_once() {
    let world = World::new();
    for round in 0..10 {
        let one = create(&world, json!({ "name": format!("One {round}") })).id();
        let other = create(&world, json!({ "name": format!("Other {round}") })).id();
        let place = |id: &str, parent: &str| {
            let body = json!({ "parent_id": parent });
            world.admin().patch(&format!("{PATH}/{id}"), body).status
        };
        let statuses = std::thread::scope(|scope| {
            let first = scope.spawn(|| place(&one, &other));
            let second = scope.spawn(|| place(&other, &one));
            [first.join().unwrap(), second.join().unwrap()]
        });
        let done = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(done, 1, "{statuses:?} in round {round}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1) })]

    /// Verbs in any order: the state follows the table, and what is refused tells where it stands and changes nothing.
    #[test]
    fn verbs_move_along_the_table(verbs in prop::collection::vec(0..VERBS.len(), 120)) {
        let world = World::new();
        let (mut id, mut state) = (create(&world, json!({ "name": "Nordlicht" })).id(), "applied");
        for verb in verbs.into_iter().map(|index| VERBS[index].0) {
            let allowed: Vec<_> = MOVES.iter().filter(|(from, _, _)| *from == state).collect();
            if allowed.is_empty() {
                (id, state) = (create(&world, json!({ "name": "Another" })).id(), "applied");
                continue;
            }
            let reply = act(&world, &id, verb);
            match allowed.iter().find(|(_, by, _)| *by == verb) {
                Some((_, _, to)) => {
                    let reply = reply.expect(200);
                    prop_assert_eq!(&reply["status"], *to);
                    state = to;
                }
                None => {
                    let reply = reply.refused(409, "wrong_state");
                    prop_assert_eq!(&reply["current_state"], state);
                    let mut told: Vec<&str> = reply["allowed_moves"].as_array().unwrap().iter()
                        .filter_map(Value::as_str).collect();
                    let mut listed: Vec<&str> = allowed.iter().map(|(_, by, _)| *by).collect();
                    told.sort_unstable();
                    listed.sort_unstable();
                    prop_assert_eq!(told, listed);
                }
            }
        }
    }
}
