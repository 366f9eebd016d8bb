//! Disputed decisions: registrations, conflicts and credit, each with every outcome.

use super::{PATH, contest, decide, judge, verb};
use crate::world::{Actor, Reply, World, money, texts};
use serde_json::{Value, json};

const CLAIMS: &str = "/v1/deal-registrations";

fn claim(actor: &Actor, program: &str, domain: &str) -> Reply {
    let body = json!({
        "program_id": program, "account_name": "Hafen Logistik", "account_domain": domain,
        "amount": money("25000.00 EUR")
    });
    actor.post(CLAIMS, body)
}

fn act(actor: &Actor, id: &str, name: &str) -> Reply {
    let why = json!({ "reason_code": "other", "reason": "It was not to be." });
    let path = format!("{CLAIMS}/{id}/{name}");
    match name {
        "reject" | "revoke" => actor.post(&path, why),
        _ => actor.act(&path),
    }
}

fn stands(world: &World, id: &str) -> String {
    let found = world.admin().get(&format!("{CLAIMS}/{id}")).expect(200);
    found.text("/status").to_owned()
}

fn partner(world: &World, name: &str, program: &str) -> (String, Actor) {
    let id = world.enrolled(name, program);
    let actor = world.full_partner_key(&id);
    (id, actor)
}

#[test]
fn each_outcome_of_each_decision_about_a_registration() {
    for ending in ["reject", "revoke", "expire"] {
        for (outcome, then) in [
            ("upheld", "approved"),
            ("partially_upheld", "in_review"),
            ("denied", ""),
        ] {
            let world = World::new();
            let program = world.program(json!({}));
            let (_, actor) = partner(&world, "A", &program);
            let id = claim(&actor, &program, "a.example").expect(201).id();
            contest(&actor, &id, json!({})).pointer("/subject_ids/0", "not_disputable");
            if ending != "reject" {
                act(world.admin(), &id, "approve").expect(200);
            }
            if ending == "expire" {
                world.pass(chrono::TimeDelta::days(100));
                world.work();
            } else {
                act(world.admin(), &id, ending).expect(200);
            }
            let before = stands(&world, &id);
            let dispute = contest(&actor, &id, json!({})).expect(201).id();
            contest(&actor, &id, json!({})).refused(409, "already_exists");
            verb(world.admin(), &dispute, "review", json!({})).expect(200);
            if ending != "expire" {
                decide(world.admin(), &dispute, outcome).refused(409, "second_person_required");
            }
            decide(&judge(&world), &dispute, outcome).expect(200);
            let then = if then.is_empty() { before.as_str() } else { then };
            assert_eq!(stands(&world, &id), then, "{ending} {outcome}");
            if then == "in_review" {
                act(world.admin(), &id, "approve").expect(200);
            }
            assert!(world.admin().all("/v1/deals").len() < 2);
        }
    }
}

#[test]
fn a_claim_is_not_put_back_where_another_is_protected() {
    let world = World::new();
    let program = world.program(json!({}));
    let (_, first) = partner(&world, "A", &program);
    let (_, second) = partner(&world, "B", &program);
    for ending in ["reject", "revoke"] {
        let domain = format!("{ending}.example");
        let lost = claim(&first, &program, &domain).expect(201).id();
        if ending == "revoke" {
            act(world.admin(), &lost, "approve").expect(200);
        }
        act(world.admin(), &lost, ending).expect(200);
        let won = claim(&second, &program, &domain).expect(201).id();
        act(world.admin(), &won, "approve").expect(200);
        let dispute = contest(&first, &lost, json!({})).expect(201).id();
        verb(world.admin(), &dispute, "review", json!({})).expect(200);
        let (judge, before) = (judge(&world), stands(&world, &lost));
        decide(&judge, &dispute, "upheld").refused(409, "registration_conflict");
        let after = world.admin().get(&format!("{PATH}/{dispute}")).expect(200);
        assert_eq!(after["status"], "in_review");
        assert_eq!(
            (stands(&world, &lost), stands(&world, &won)),
            (before, "approved".to_owned())
        );
        act(world.admin(), &won, "revoke").expect(200);
        decide(&judge, &dispute, "upheld").expect(200);
        assert_eq!(stands(&world, &lost), "approved");
    }
}

/// Two claims to one account, of which the first is approved; ids of both and of their conflict.
fn meeting(world: &World, program: &str, actors: [&Actor; 2]) -> [String; 3] {
    let [one, two] = actors.map(|actor| claim(actor, program, "a.example").expect(201).id());
    act(world.admin(), &one, "approve").expect(200);
    let conflict = world.admin().all("/v1/registration-conflicts")[0]["id"].clone();
    [one, two, conflict.as_str().unwrap().to_owned()]
}

/// The same, and the conflict is decided.
fn quarrel(world: &World, program: &str, actors: [&Actor; 2], decision: Value) -> [String; 3] {
    let [one, two, conflict] = meeting(world, program, actors);
    let mut body = json!({ "reason": "So it is." });
    body["decision"] = decision;
    if body["decision"] == "challenger_wins" {
        body["winner_registration_id"] = json!(two);
    }
    let path = format!("/v1/registration-conflicts/{conflict}/decide");
    world.admin().post(&path, body).expect(200);
    [one, two, conflict]
}

#[test]
fn a_conflict_is_decided_anew_for_whoever_lost_it() {
    for (decision, outcome, expected) in [
        ("incumbent_keeps", "upheld", ["revoked", "in_review"]),
        ("incumbent_keeps", "partially_upheld", ["approved", "rejected"]),
        ("incumbent_keeps", "denied", ["approved", "rejected"]),
        ("challenger_wins", "upheld", ["approved", "rejected"]),
        ("challenger_wins", "denied", ["revoked", "submitted"]),
    ] {
        let world = World::new();
        let program = world.program(json!({}));
        let path = format!("/v1/programs/{program}/deal-rules");
        world
            .admin()
            .patch(&path, json!({ "second_registrant": "queue" }))
            .expect(200);
        let (_, first) = partner(&world, "A", &program);
        let (_, second) = partner(&world, "B", &program);
        let [one, two, conflict] = quarrel(&world, &program, [&first, &second], json!(decision));
        let (loser, winner) = if decision == "incumbent_keeps" {
            (&second, &first)
        } else {
            (&first, &second)
        };
        contest(winner, &conflict, json!({})).pointer("/subject_ids/0", "not_disputable");
        let dispute = contest(loser, &conflict, json!({})).expect(201).id();
        verb(world.admin(), &dispute, "review", json!({})).expect(200);
        decide(world.admin(), &dispute, outcome).refused(409, "second_person_required");
        decide(&judge(&world), &dispute, outcome).expect(200);
        let now = [stands(&world, &one), stands(&world, &two)];
        assert_eq!(now, expected, "{decision} {outcome}");
        if outcome == "partially_upheld" {
            let credits = loser.all("/v1/attributions");
            assert_eq!(texts(&credits, "role"), ["influenced"]);
        }
    }
}

#[test]
fn a_claim_that_was_taken_back_gets_nothing_by_a_dispute() {
    for outcome in ["upheld", "partially_upheld"] {
        let world = World::new();
        let program = world.program(json!({}));
        let path = format!("/v1/programs/{program}/deal-rules");
        let queue = json!({ "second_registrant": "queue" });
        world.admin().patch(&path, queue).expect(200);
        let (_, first) = partner(&world, "A", &program);
        let (_, second) = partner(&world, "B", &program);
        let [one, two, conflict] = meeting(&world, &program, [&first, &second]);
        act(&second, &two, "withdraw").expect(200);
        let path = format!("/v1/registration-conflicts/{conflict}/decide");
        let keeps = json!({ "decision": "incumbent_keeps", "reason": "So it is." });
        world.admin().post(&path, keeps).expect(200);
        let dispute = contest(&second, &conflict, json!({})).expect(201).id();
        verb(world.admin(), &dispute, "review", json!({})).expect(200);
        decide(&judge(&world), &dispute, outcome).refused(409, "wrong_state");
        assert_eq!(
            [stands(&world, &one), stands(&world, &two)],
            ["approved", "withdrawn"]
        );
        assert_eq!(second.all("/v1/attributions"), [] as [Value; 0]);
    }
}

#[test]
fn rejected_credit_counts_after_all_and_a_share_grows() {
    for is_won in [false, true] {
        for (outcome, share) in [("upheld", 6_000), ("partially_upheld", 5_000), ("denied", 0)] {
            let world = World::new();
            let program = world.ten_percent(json!({}));
            let (id, actor) = partner(&world, "A", &program);
            let deal = world.open_deal(&program, "100.00 USD", &[]);
            let body =
                json!({ "deal_id": deal, "partner_id": id, "role": "sourced", "share_basis_points": 4_000 });
            let credit = world.admin().post("/v1/attributions", body).expect(201).id();
            let reject = format!("/v1/attributions/{credit}/reject");
            world
                .admin()
                .post(&reject, json!({ "reason": "No." }))
                .expect(200);
            if is_won {
                world.win(&deal);
                world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
            }
            let claimed = json!({ "claimed_share_basis_points": 6_000 });
            let dispute = contest(&actor, &credit, claimed).expect(201).id();
            verb(world.admin(), &dispute, "review", json!({})).expect(200);
            let judge = judge(&world);
            let mut body = json!({ "outcome": outcome, "reason": "We looked again." });
            if outcome == "partially_upheld" {
                decide(&judge, &dispute, outcome).pointer("/share_basis_points", "missing");
                body["share_basis_points"] = json!(share);
            }
            verb(&judge, &dispute, "decide", body).expect(200);
            let found = world
                .admin()
                .get(&format!("/v1/attributions/{credit}"))
                .expect(200);
            if share == 0 {
                assert_eq!(found["status"], "rejected");
            } else {
                assert_eq!(
                    (&found["status"], &found["share_basis_points"]),
                    (&json!("confirmed"), &json!(share))
                );
            }
            if is_won && share > 0 {
                let earned = format!("{}.00", share / 1_000);
                assert_eq!(texts(&world.lines(""), "amount"), [earned]);
            }
            world.books_balance();
        }
    }
}

#[test]
fn a_settled_share_that_grows_is_proposed_as_an_adjustment() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let (id, actor) = partner(&world, "A", &program);
    let deal = world.open_deal(&program, "100.00 USD", &[]);
    let credit = world.credit(&deal, &id, "sourced", 4_000);
    world.win(&deal);
    world.pay(&world.invoice(&deal, "USD", &["100.00"]), "100.00 USD");
    contest(&actor, &credit, json!({})).pointer("/claimed_share_basis_points", "missing");
    let same = json!({ "claimed_share_basis_points": 4_000 });
    contest(&actor, &credit, same).pointer("/claimed_share_basis_points", "not_more");
    let dispute = contest(&actor, &credit, json!({ "claimed_share_basis_points": 6_000 }))
        .expect(201)
        .id();
    verb(world.admin(), &dispute, "review", json!({})).expect(200);
    decide(&judge(&world), &dispute, "upheld").expect(200);
    let proposed = world.admin().all("/v1/adjustments");
    assert_eq!(texts(&proposed, "amount"), ["2.00"]);
    assert_eq!(texts(&proposed, "status"), ["proposed"]);
    world.books_balance();
}

#[test]
fn whoever_was_refused_at_once_gets_the_claim_when_the_dispute_is_upheld() {
    let world = World::new();
    let program = world.program(json!({}));
    let (_, first) = partner(&world, "A", &program);
    let (_, second) = partner(&world, "B", &program);
    let one = claim(&first, &program, "a.example").expect(201).id();
    claim(&second, &program, "a.example").refused(409, "registration_conflict");
    let two = second.all(CLAIMS)[0]["id"].as_str().unwrap().to_owned();
    let conflict = second.all("/v1/registration-conflicts")[0]["id"].clone();
    let dispute = contest(&second, conflict.as_str().unwrap(), json!({}))
        .expect(201)
        .id();
    verb(world.admin(), &dispute, "review", json!({})).expect(200);
    decide(&judge(&world), &dispute, "upheld").expect(200);
    let now = [stands(&world, &one), stands(&world, &two)];
    assert_eq!(now, ["rejected", "submitted"]);
    claim(&first, &program, "a.example").refused(409, "registration_conflict");
}

/// The organization ends a dispute by deciding it; of its people only who opened one for the partner takes it back.
#[test]
fn whoever_made_the_decision_does_not_end_the_dispute_of_it() {
    let world = World::new();
    let program = world.program(json!({}));
    let (_, actor) = partner(&world, "A", &program);
    let claim = claim(&actor, &program, "a.example").expect(201).id();
    act(world.admin(), &claim, "reject").expect(200);
    let why = json!({ "reason": "We were wrong." });
    let opened = contest(&actor, &claim, json!({})).expect(201).id();
    let clerk = world.another_hand(&["disputes:read", "disputes:write", "deal_registrations:read"]);
    for stranger in [world.admin(), &clerk] {
        verb(stranger, &opened, "withdraw", why.clone()).refused(403, "permission_denied");
    }
    let withdrawn = verb(&actor, &opened, "withdraw", why.clone()).expect(200);
    assert_eq!(
        (&withdrawn["status"], &withdrawn["status_reason"]),
        (&json!("withdrawn"), &json!("We were wrong."))
    );
    let for_the_partner = contest(&clerk, &claim, json!({})).expect(201).id();
    verb(world.admin(), &for_the_partner, "withdraw", why.clone()).refused(403, "permission_denied");
    verb(&clerk, &for_the_partner, "withdraw", Value::Null).pointer("/reason", "missing");
    verb(&clerk, &for_the_partner, "withdraw", why.clone()).expect(200);
    let own = contest(world.admin(), &claim, json!({})).expect(201).id();
    verb(world.admin(), &own, "withdraw", why).refused(409, "second_person_required");
    verb(&actor, &own, "withdraw", Value::Null).expect(200);
}
