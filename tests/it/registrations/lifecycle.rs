//! What a registration goes through.

use super::{PATH, claim, partner, program, verb, verb_with_body, why, with};
use crate::world::{World, money, texts};
use copartner::features::deal_registrations::{MOVES, RegistrationStatus};
use serde_json::{Value, json};

#[test]
fn one_call_with_four_fields_registers_and_an_approval_makes_the_deal() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (id, actor) = partner(&world, "A", &program);
    let made = actor.post(PATH, claim(&program, "hafen.example")).expect(201);
    assert_eq!(
        (&made["status"], &made["account_id"]),
        (&json!("submitted"), &Value::Null)
    );
    assert_eq!(made["partner_id"], id.as_str());
    verb(world.admin(), &made.id(), "review").expect(200);
    let approved = verb(world.admin(), &made.id(), "approve").expect(200);
    assert_eq!(approved["protected_from"], "2026-03-02T09:00:00Z");
    let deal = approved.text("/deal_id").to_owned();
    let mine = actor.get(&format!("/v1/deals/{deal}")).expect(200);
    assert_eq!(mine["amount"], money("25000.00 EUR"));
    assert_eq!(mine["account_id"], approved["account_id"]);
    let credits = actor.all("/v1/attributions");
    assert_eq!(texts(&credits, "role"), ["sourced"]);
    assert_eq!(texts(&credits, "status"), ["confirmed"]);
    world.win(&deal);
    let converted = actor.get(&format!("{PATH}/{}", made.id())).expect(200);
    assert_eq!(converted["status"], "converted");
}

#[test]
fn all_that_a_program_has_against_a_registration_is_told_at_once() {
    let world = World::new();
    let rules = json!({
        "minimum_deal_sizes": [money("50000.00 EUR")],
        "countries": ["FR"],
        "qualification_fields": [{ "key": "budget", "label": "Budget", "type": "choice", "is_required": true,
            "choices": ["agreed", "open"] }],
    });
    let program = program(&world, rules);
    let body = with(claim(&program, "hafen.example"), json!({ "country": "DE" }));
    let by_the_organization = with(body, json!({ "partner_id": world.partner("C") }));
    let refused = world
        .admin()
        .post(PATH, by_the_organization)
        .refused(422, "validation_failed");
    assert_eq!(
        texts(refused["errors"].as_array().unwrap(), "pointer"),
        [
            "/program_id",
            "/qualification/budget",
            "/amount/amount",
            "/country"
        ]
    );
    assert_eq!(world.admin().all(PATH).len(), 0);
}

#[test]
fn a_lost_deal_ends_its_registration_and_a_linked_one_is_not_made_twice() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (id, actor) = partner(&world, "A", &program);
    let account = json!({ "name": "Hafen", "domain": "hafen.example", "external_id": "crm-1" });
    let account = world.admin().post("/v1/accounts", account).expect(201).id();
    let deal = json!({
        "name": "From the CRM", "account_id": account, "amount": money("10.00 EUR"), "partner_id": id,
        "program_id": program
    });
    let deal = world.admin().post("/v1/deals", deal).expect(201).id();
    // The same customer in another spelling.
    let made = actor.post(PATH, claim(&program, "HAFEN.example")).expect(201);
    let seen = world.admin().get(&format!("{PATH}/{}", made.id())).expect(200);
    assert_eq!(seen["account_id"], account.as_str());
    let approve = format!("{PATH}/{}/approve", made.id());
    let approved = world
        .admin()
        .post(&approve, json!({ "deal_id": deal }))
        .expect(200);
    assert_eq!(approved["deal_id"], deal.as_str());
    assert_eq!(world.admin().all("/v1/deals").len(), 1);
    let lose = format!("/v1/deals/{deal}/lose");
    world
        .admin()
        .post(&lose, json!({ "reason": "No budget" }))
        .expect(200);
    assert_eq!(actor.get(&format!("{PATH}/{}", made.id()))["status"], "lost");
}

/// One registration in each state, and every verb that the state does not allow.
#[test]
fn every_illegal_move_is_refused_with_the_state_and_what_it_allows() {
    let world = World::new();
    let program = program(&world, json!({}));
    let partner = world.enrolled("A", &program);
    let verbs = || MOVES.iter().filter(|one| one.is_called);
    let mut tried = 0;
    for (number, &status) in RegistrationStatus::ALL.iter().enumerate() {
        let more = json!({ "partner_id": partner, "draft": true });
        let body = with(claim(&program, &format!("n{number}.example")), more);
        let id = world.admin().post(PATH, body).expect(201).id();
        bring(&world, &id, status);
        let found = world.admin().get(&format!("{PATH}/{id}")).expect(200);
        assert_eq!(found["status"], status.as_str());
        for illegal in verbs().filter(|one| !one.from.contains(&status)) {
            let refused = verb_with_body(world.admin(), &id, illegal.verb).refused(409, "wrong_state");
            assert_eq!(refused["current_state"], status.as_str());
            assert_eq!(refused["allowed_moves"], json!(status.moves()));
            tried += 1;
        }
        let after = world.admin().get(&format!("{PATH}/{id}")).expect(200);
        assert_eq!(after.header("etag"), found.header("etag"), "{status}");
    }
    assert_eq!(tried, 77 - verbs().map(|one| one.from.len()).sum::<usize>());
}

/// Moves a draft to where it is wanted.
fn bring(world: &World, id: &str, status: RegistrationStatus) {
    let path: &[&str] = match status {
        RegistrationStatus::Draft => &[],
        RegistrationStatus::Submitted => &["submit"],
        RegistrationStatus::InReview => &["submit", "review"],
        RegistrationStatus::ActionRequired => &["submit", "request_action"],
        RegistrationStatus::Rejected => &["submit", "reject"],
        RegistrationStatus::Withdrawn => &["withdraw"],
        RegistrationStatus::Revoked => &["submit", "approve", "revoke"],
        _ => &["submit", "approve"],
    };
    for name in path {
        verb_with_body(world.admin(), id, name).expect(200);
    }
    let deal = || {
        world
            .admin()
            .get(&format!("{PATH}/{id}"))
            .text("/deal_id")
            .to_owned()
    };
    match status {
        RegistrationStatus::Converted => world.win(&deal()),
        RegistrationStatus::Lost => {
            let body = json!({ "reason": "No budget" });
            world
                .admin()
                .post(&format!("/v1/deals/{}/lose", deal()), body)
                .expect(200);
        }
        RegistrationStatus::Expired => {
            world.pass(chrono::TimeDelta::days(91));
            world.work();
        }
        _ => {}
    }
}

#[test]
fn what_the_form_asks_at_submission_counts_and_not_what_it_asked_before() {
    let world = World::new();
    let program = program(&world, json!({}));
    let (_, actor) = partner(&world, "A", &program);
    let draft = actor
        .post(PATH, with(claim(&program, "a.example"), json!({ "draft": true })))
        .expect(201);
    let field =
        json!([{ "key": "seats", "label": "How many seats?", "type": "number", "is_required": true }]);
    let rules = json!({
        "qualification_fields": field, "countries": ["DE"], "excludes_public_tenders": true,
        "minimum_deal_sizes": [money("30000.00 EUR")]
    });
    world
        .admin()
        .patch(&format!("/v1/programs/{program}/deal-rules"), rules)
        .expect(200);
    let path = format!("{PATH}/{}", draft.id());
    actor
        .patch(&path, json!({ "public_tender": true, "country": "FR" }))
        .expect(200);
    let refused = verb(&actor, &draft.id(), "submit").refused(422, "validation_failed");
    for (pointer, code) in [
        ("/qualification/seats", "missing"),
        ("/amount/amount", "below_minimum"),
        ("/country", "outside_territory"),
        ("/public_tender", "public_tender_excluded"),
    ] {
        refused.clone().pointer(pointer, code);
    }
    let mended = json!({
        "qualification": { "seats": 40 }, "amount": money("30000.00 EUR"), "country": "DE", "public_tender": false
    });
    actor.patch(&path, mended).expect(200);
    verb(&actor, &draft.id(), "submit").expect(200);
    actor
        .patch(&path, json!({ "name": "Later" }))
        .refused(409, "wrong_state");
    actor.patch(&path, json!({ "external_id": "mine" })).expect(200);
}

#[test]
fn a_program_takes_so_many_and_no_customers_where_it_says_so() {
    let world = World::new();
    let rules = json!({ "maximum_open_registrations": 1, "existing_accounts": "refuse" });
    let program = program(&world, rules);
    let (_, actor) = partner(&world, "A", &program);
    let first = actor.post(PATH, claim(&program, "a.example")).expect(201);
    actor
        .post(PATH, claim(&program, "a.example"))
        .refused(409, "already_exists");
    actor
        .post(PATH, claim(&program, "b.example"))
        .refused(409, "too_many_registrations");
    verb(&actor, &first.id(), "withdraw").expect(200);
    let account = json!({ "name": "C", "domain": "c.example" });
    let account = world.admin().post("/v1/accounts", account).expect(201).id();
    let deal = json!({ "name": "Old", "account_id": account, "amount": money("1.00 EUR"), "opened_on": "2026-01-02" });
    let deal = world.admin().post("/v1/deals", deal).expect(201).id();
    world.win(&deal);
    actor
        .post(PATH, claim(&program, "c.example"))
        .refused(409, "existing_customer");
    let ask = json!({ "program_id": program, "account_domain": "c.example" });
    let answer = actor.post(&format!("{PATH}/precheck"), ask).expect(200);
    assert_eq!(answer.body, json!({ "standing": "existing_customer" }));
    let (_, outsider) = partner(&world, "B", &super::program(&world, json!({})));
    outsider
        .post(PATH, claim(&program, "d.example"))
        .refused(422, "validation_failed");
}

#[test]
fn a_direct_deal_is_flagged_when_it_comes_and_when_it_was_there() {
    let world = World::new();
    let program = program(&world, json!({ "second_registrant": "queue" }));
    let (_, actor) = partner(&world, "A", &program);
    let deal = |domain: &str| {
        let account = world.admin().all(&format!("/v1/accounts?domain={domain}"));
        let id = match account.first() {
            Some(account) => account["id"].as_str().unwrap().to_owned(),
            None => {
                let body = json!({ "name": "X", "domain": domain });
                world.admin().post("/v1/accounts", body).expect(201).id()
            }
        };
        let body = json!({ "name": "Direct", "account_id": id, "amount": money("1.00 EUR") });
        world.admin().post("/v1/deals", body).expect(201).id()
    };
    let before = deal("a.example");
    actor.post(PATH, claim(&program, "a.example")).expect(201);
    actor.post(PATH, claim(&program, "b.example")).expect(201);
    let after = deal("b.example");
    let conflicts = world.admin().all("/v1/registration-conflicts");
    assert_eq!(texts(&conflicts, "deal_id"), [after, before]);
    assert_eq!(texts(&conflicts, "kind"), ["deal", "deal"]);
}

#[test]
fn a_decision_carries_itself_out() {
    let world = World::new();
    let program = program(&world, json!({ "second_registrant": "co_sell_share" }));
    let (_, first) = partner(&world, "A", &program);
    let (_, second) = partner(&world, "B", &program);
    let one = first.post(PATH, claim(&program, "a.example")).expect(201).id();
    let two = second.post(PATH, claim(&program, "a.example")).expect(201).id();
    let conflict = world.admin().all("/v1/registration-conflicts")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/registration-conflicts/{conflict}");
    let evidence = json!({ "deal_registration_id": two, "evidence": "We met them." });
    second.post(&format!("{path}/evidence"), evidence).expect(200);
    let decide = format!("{path}/decide");
    let share = json!({ "decision": "co_sell_share", "reason": "Both work on it." });
    world
        .admin()
        .post(&decide, share.clone())
        .refused(409, "wrong_state");
    verb(world.admin(), &one, "approve").expect(200);
    let decided = world.admin().post(&decide, share).expect(200);
    assert_eq!(decided["status"], "decided");
    let lost = second.get(&format!("{PATH}/{two}")).expect(200);
    assert_eq!(
        (&lost["status"], &lost["reason_code"]),
        (&json!("rejected"), &json!("contested"))
    );
    let credit = second.all("/v1/attributions");
    assert_eq!(
        (texts(&credit, "role"), texts(&credit, "status")),
        (vec!["influenced".into()], vec!["claimed".into()])
    );
    let path = format!("{PATH}/{one}/revoke");
    world.admin().post(&path, why()).expect(200);
    second.post(PATH, claim(&program, "a.example")).expect(201);
}
