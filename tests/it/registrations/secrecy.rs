//! What a partner learns of another one: nothing.

use super::{PATH, claim, partner, program, verb, with};
use crate::world::{Actor, World, texts};
use serde_json::json;

/// Everything that a partner can read about claims and what happened.
fn all_it_sees(actor: &Actor) -> String {
    let lists = [
        PATH,
        "/v1/registration-conflicts",
        "/v1/registration-comments",
        "/v1/registration-extensions",
        "/v1/events",
        "/v1/accounts",
        "/v1/deals",
    ];
    let pages = lists.map(|path| {
        actor
            .get(&format!("{path}?limit=100"))
            .expect(200)
            .raw()
            .to_owned()
    });
    pages.concat()
}

#[test]
fn rivals_learn_nothing_of_one_another() {
    for policy in ["refuse", "queue", "co_sell_share"] {
        let world = World::new();
        let program = program(&world, json!({ "second_registrant": policy }));
        let (first_id, first) = partner(&world, "Aurora", &program);
        let (second_id, second) = partner(&world, "Borealis", &program);
        let (third_id, third) = partner(&world, "Cirrus", &program);
        let secret = |name: &str| {
            with(
                claim(&program, "a.example"),
                json!({ "name": name, "external_id": "same" }),
            )
        };
        let one = first.post(PATH, secret("Alpha plan")).expect(201).id();
        let answers = [
            second.post(PATH, secret("Beta plan")),
            third.post(PATH, secret("Gamma plan")),
        ];
        for answer in &answers {
            assert!(
                ![&one, &first_id, "Aurora", "Alpha"]
                    .iter()
                    .any(|text| answer.raw().contains(*text))
            );
        }
        let ask = json!({ "program_id": program, "account_domain": "A.example" });
        let standing = second.post(&format!("{PATH}/precheck"), ask).expect(200);
        assert_eq!(standing.body, json!({ "standing": "contested" }));
        verb(world.admin(), &one, "approve").expect(200);
        world.work();
        let foreign = [
            (&first, [&second_id, &third_id], ["Borealis", "Beta", "Gamma"]),
            (&second, [&first_id, &third_id], ["Aurora", "Alpha", "Gamma"]),
        ];
        for (actor, ids, texts) in foreign {
            let seen = all_it_sees(actor);
            let met = ids.iter().find(|id| seen.contains(id.as_str()));
            assert_eq!(met, None, "{policy}: {seen}");
            let met = texts.iter().find(|text| seen.contains(**text));
            assert_eq!(met, None, "{policy}: {seen}");
            let conflicts = actor.all("/v1/registration-conflicts");
            assert!(
                conflicts.len() <= 1,
                "the number of conflicts tells the number of rivals"
            );
            for conflict in conflicts {
                assert_eq!(conflict["parties"].as_array().unwrap().len(), 1);
                for hidden in [
                    "kind",
                    "policy",
                    "account_id",
                    "incumbent_registration_id",
                    "decision",
                    "reason",
                ] {
                    assert!(conflict[hidden].is_null(), "{hidden}");
                }
            }
        }
        second.get(&format!("{PATH}/{one}")).refused(404, "not_found");
        verb(&second, &one, "withdraw").refused(404, "not_found");
    }
}

#[test]
fn an_internal_comment_reaches_no_partner() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, actor) = partner(&world, "A", &program);
    let id = actor.post(PATH, claim(&program, "a.example")).expect(201).id();
    let path = format!("{PATH}/{id}/comments");
    let comment = |visibility: &str, body: &str| json!({ "visibility": visibility, "body": body });
    world
        .admin()
        .post(&path, comment("internal", "Whispered"))
        .expect(200);
    world
        .admin()
        .post(&path, comment("partner", "Said aloud"))
        .expect(200);
    actor
        .post(&path, comment("internal", "Mine"))
        .refused(422, "validation_failed");
    actor.post(&path, comment("partner", "Answered")).expect(200);
    world.work();
    let seen = all_it_sees(&actor);
    assert!(seen.contains("Said aloud") && seen.contains("Answered") && !seen.contains("Whispered"));
    let all = world
        .admin()
        .all(&format!("/v1/registration-comments?deal_registration_id={id}"));
    assert_eq!(texts(&all, "body"), ["Whispered", "Said aloud", "Answered"]);
    let internal = "/v1/registration-comments?visibility=internal";
    assert_eq!(actor.all(internal).len(), 0);
}

#[test]
fn a_distributor_registers_for_those_below_and_sees_what_is_not_hidden() {
    let world = World::new();
    let program = program(&world, json!({ "second_registrant": "queue" }));
    let (above_id, above) = partner(&world, "Above", &program);
    let (below_id, below) = partner(&world, "Below", &program);
    let (_, aside) = partner(&world, "Aside", &program);
    let path = format!("/v1/partners/{below_id}");
    world
        .admin()
        .patch(&path, json!({ "parent_id": above_id }))
        .expect(200);
    let for_below = with(claim(&program, "a.example"), json!({ "partner_id": below_id }));
    let made = above.post(PATH, for_below.clone()).expect(201);
    assert_eq!(
        (&made["partner_id"], &made["registrar_id"]),
        (&json!(below_id), &json!(above_id))
    );
    assert_eq!(
        below.get(&format!("{PATH}/{}", made.id())).expect(200)["registrar_id"],
        above_id.as_str()
    );
    aside
        .post(PATH, for_below)
        .refused(422, "validation_failed")
        .pointer("/partner_id", "unknown_reference");
    let hidden = with(
        claim(&program, "b.example"),
        json!({ "hidden_from_parent": true }),
    );
    let hidden = below.post(PATH, hidden).expect(201).id();
    above.get(&format!("{PATH}/{hidden}")).refused(404, "not_found");
    let shown = below.post(PATH, claim(&program, "c.example")).expect(201).id();
    above.get(&format!("{PATH}/{shown}")).expect(200);
    verb(&above, &shown, "withdraw").refused(403, "permission_denied");
    // The tree is no shelter: a claim of those below stands in the way of those above.
    above.post(PATH, claim(&program, "c.example")).expect(201);
    let conflicts = world.admin().all("/v1/registration-conflicts");
    let between_claims = conflicts.iter().filter(|one| one["kind"] == "registration");
    assert_eq!(between_claims.count(), 1);
    assert_eq!(
        above.all("/v1/registration-conflicts")[0]["parties"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_precheck_leaves_no_account_and_is_asked_so_often_and_no_more() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, actor) = partner(&world, "A", &program);
    let ask = |number: usize| {
        let body = json!({ "program_id": program, "account_domain": format!("n{number}.example") });
        actor.post(&format!("{PATH}/precheck"), body)
    };
    for number in 0..30 {
        assert_eq!(ask(number).expect(200).body, json!({ "standing": "clear" }));
    }
    let refused = ask(30).refused(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), "3600");
    assert_eq!(world.admin().all("/v1/accounts").len(), 0);
    world.pass(chrono::TimeDelta::hours(1));
    ask(31).expect(200);
}
