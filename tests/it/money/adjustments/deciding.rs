//! Who proposes, who approves, and who sees it.

use super::{PATH, adjusted, body, entries, propose, refuse, second, small, status, verb};
use crate::world::{World, count, money, texts};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::thread;

#[test]
fn a_proposal_is_refused_or_withdrawn_and_counts_for_nothing() {
    let (world, program, partner) = small();
    let finance = second(&world);
    let refused = propose(world.admin(), &partner, &program, "5.00 USD");
    let reply = refuse(&finance, &refused).expect(200);
    assert_eq!(
        (&reply["status"], &reply["status_reason"]),
        (&json!("refused"), &json!("Counted wrongly."))
    );
    let withdrawn = propose(world.admin(), &partner, &program, "5.00 USD");
    world
        .admin()
        .act(&format!("{PATH}/{withdrawn}/withdraw"))
        .expect(200);
    for id in [&refused, &withdrawn] {
        verb(&finance, id, "approve").refused(409, "wrong_state");
        refuse(&finance, id).refused(409, "wrong_state");
        world
            .admin()
            .act(&format!("{PATH}/{id}/withdraw"))
            .refused(409, "wrong_state");
    }
    let approved = adjusted(&world, &partner, &program, "5.00 USD");
    world
        .admin()
        .act(&format!("{PATH}/{approved}/withdraw"))
        .refused(409, "wrong_state");
    assert_eq!(texts(&entries(&world), "amount"), ["5.00"]);
    world.books_balance();
}

#[test]
fn what_does_not_belong_together_is_named() {
    let (world, program, partner) = small();
    let other = world.enrolled("B", &program);
    let elsewhere = world.ten_percent(json!({}));
    world.sale(&program, &partner, "100.00 USD");
    let line = world.line("");
    let another_deal = world.open_deal(&program, "1.00 USD", &[]);
    let with = |fields: Value| {
        let mut body = body(&partner, &program, "5.00 USD");
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        world.admin().post_once(PATH, body)
    };
    let refused = |fields: Value| with(fields).refused(422, "validation_failed");
    refused(json!({ "commission_id": line["id"], "partner_id": other, "program_id": elsewhere, "deal_id": another_deal,
        "amount": money("5 JPY") }))
        .pointer("/partner_id", "not_of_commission")
        .pointer("/program_id", "not_of_commission")
        .pointer("/deal_id", "not_of_commission")
        .pointer("/amount/currency", "not_of_commission");
    refused(json!({ "amount": money("0.00 USD") })).pointer("/amount/amount", "zero");
    refused(json!({ "amount": money("0.001 USD") })).pointer("/amount/amount", "too_many_decimals");
    refused(json!({ "reason_code": "because" })).pointer("/reason_code", "unknown_value");
    for (field, nothing) in [
        ("partner_id", "ptn"),
        ("program_id", "prg"),
        ("deal_id", "deal"),
        ("commission_id", "com"),
    ] {
        refused(json!({ field: format!("{nothing}_01j9zq4y8k7m5n3p2r1s0t6v4w") }))
            .pointer(&format!("/{field}"), "unknown_reference");
    }
    let good =
        with(json!({ "commission_id": line["id"], "deal_id": line["deal_id"], "external_id": "adj-1" }))
            .expect(201);
    assert_eq!(
        (&good["commission_id"], &good["deal_id"]),
        (&line["id"], &line["deal_id"])
    );
    with(json!({ "external_id": "adj-1" })).refused(409, "external_id_taken");
    assert_eq!(
        texts(&world.admin().all(&format!("{PATH}?external_id=adj-1")), "id"),
        [good.id()]
    );
    for (field, id) in [("commission_id", &line["id"]), ("deal_id", &line["deal_id"])] {
        let found = world
            .admin()
            .all(&format!("{PATH}?{field}={}", id.as_str().unwrap()));
        assert_eq!(texts(&found, "id"), [good.id()], "{field}");
    }
    world
        .admin()
        .post(PATH, body(&partner, &program, "5.00 USD"))
        .refused(400, "idempotency_key_required");
    world
        .admin()
        .act(&format!("{PATH}/{}/approve", good.id()))
        .refused(400, "idempotency_key_required");
}

#[test]
fn two_keys_of_one_person_are_one_person() {
    let (world, program, partner) = small();
    let roles = world.admin().all("/v1/roles");
    let role = roles.iter().find(|role| role["built_in"] == "finance").unwrap();
    let user = json!({ "name": "Ada", "email": "ada@example.com", "role_ids": [role["id"]] });
    let user = world.admin().post("/v1/users", user).expect(201).id();
    let key = || {
        let permissions = ["adjustments:write", "adjustments:approve"];
        let body = json!({ "name": "Ada's", "owner_id": user, "permissions": permissions });
        world.bearer(
            world
                .admin()
                .post("/v1/api-keys", body)
                .expect(201)
                .text("/secret"),
        )
    };
    let (one, other) = (key(), key());
    let id = propose(&one, &partner, &program, "5.00 USD");
    for same in [&one, &other] {
        verb(same, &id, "approve").refused(409, "second_person_required");
    }
    assert_eq!(
        (status(&world, &id), entries(&world)),
        ("proposed".to_owned(), vec![])
    );
    verb(&second(&world), &id, "approve").expect(200);
    let machine = world.another_hand(&["adjustments:write", "adjustments:approve"]);
    let id = propose(&machine, &partner, &program, "5.00 USD");
    verb(&machine, &id, "approve").refused(409, "second_person_required");
    assert_eq!(
        verb(&other, &id, "approve").expect(200)["approved_by"],
        json!(user)
    );
    world.books_balance();
}

/// What three people are answered who approve at the very same moment: the row is held until all of them want it.
fn approved_at_once(world: &World, id: &str) -> Vec<u16> {
    let people = [(); 3].map(|()| second(world));
    let mut owner = world.database().owner();
    owner
        .batch_execute("BEGIN; SELECT FROM adjustments WHERE status = 'proposed' FOR UPDATE")
        .unwrap();
    thread::scope(|scope| {
        let threads: Vec<_> = people
            .iter()
            .map(|person| scope.spawn(move || verb(person, id, "approve").status))
            .collect();
        let waiting = "SELECT count(*) AS count FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut watcher = world.database().owner();
        while count(&mut watcher, waiting) < 3 && threads.iter().all(|one| !one.is_finished()) {
            thread::yield_now();
        }
        owner.batch_execute("COMMIT").unwrap();
        let mut statuses: Vec<u16> = threads.into_iter().map(|one| one.join().unwrap()).collect();
        statuses.sort_unstable();
        statuses
    })
}

#[test]
fn approved_twice_or_by_two_at_once_it_counts_once() {
    let (world, program, partner) = small();
    let id = propose(world.admin(), &partner, &program, "5.00 USD");
    let finance = second(&world);
    let path = format!("{PATH}/{id}/approve");
    let first = finance.post_with_key("once", &path, Value::Null).expect(200);
    let again = finance.post_with_key("once", &path, Value::Null).expect(200);
    assert_eq!(again.raw(), first.raw());
    verb(&finance, &id, "approve").refused(409, "wrong_state");
    assert_eq!(texts(&entries(&world), "amount"), ["5.00"]);
    let id = propose(world.admin(), &partner, &program, "6.00 USD");
    let statuses = approved_at_once(&world, &id);
    assert_eq!(statuses, [200, 409, 409]);
    assert_eq!(texts(&entries(&world), "amount"), ["5.00", "6.00"]);
    // One proposal that is sent twice is one, too.
    let twice = body(&partner, &program, "7.00 USD");
    let first = world
        .admin()
        .post_with_key("proposal", PATH, twice.clone())
        .expect(201);
    let again = world.admin().post_with_key("proposal", PATH, twice).expect(201);
    assert_eq!(again.id(), first.id());
    world.books_balance();
}

#[test]
fn a_partner_sees_its_own_once_they_are_approved() {
    let (world, program, partner) = small();
    let rival = world.enrolled("B", &program);
    let actor = world.full_partner_key(&partner);
    let mine = propose(world.admin(), &partner, &program, "5.00 USD");
    let refused = propose(world.admin(), &partner, &program, "6.00 USD");
    refuse(&second(&world), &refused).expect(200);
    let theirs = adjusted(&world, &rival, &program, "7.00 USD");
    assert_eq!(actor.all(PATH), [] as [Value; 0]);
    for id in [&mine, &refused, &theirs] {
        actor.get(&format!("{PATH}/{id}")).refused(404, "not_found");
    }
    actor
        .post_once(PATH, body(&partner, &program, "5.00 USD"))
        .refused(403, "permission_denied");
    verb(&actor, &mine, "approve").refused(403, "permission_denied");
    verb(&second(&world), &mine, "approve").expect(200);
    assert_eq!(texts(&actor.all(PATH), "id"), std::slice::from_ref(&mine));
    assert_eq!(
        actor.get(&format!("{PATH}/{mine}")).expect(200)["reason"],
        "Counted by hand."
    );
    world.work();
    let told = actor.all("/v1/events");
    let told: Vec<String> = texts(&told, "type")
        .into_iter()
        .filter(|one| one.starts_with("adjustment."))
        .collect();
    assert_eq!(told, ["adjustment.approved"]);
    let mut owner = world.database().owner();
    let told = "SELECT count(*) AS count FROM events WHERE type LIKE 'adjustment.%'";
    assert_eq!(count(&mut owner, told), 6);
}

#[test]
fn whoever_made_the_secret_of_a_key_is_no_second_person_with_it() {
    let (world, program, partner) = small();
    let own_making = world.key(&["adjustments:approve", "adjustments:write", "payout_methods:write"]);
    let proposed = propose(world.admin(), &partner, &program, "5.00 USD");
    verb(&own_making, &proposed, "approve").refused(409, "second_person_required");
    let by_it = propose(&own_making, &partner, &program, "5.00 USD");
    verb(world.admin(), &by_it, "approve").refused(409, "second_person_required");
    let method = json!({
        "partner_id": partner, "currency": "USD", "kind": "manual", "instruction": "By cheque."
    });
    let method = own_making.post("/v1/payout-methods", method).expect(201).id();
    world
        .admin()
        .act(&format!("/v1/payout-methods/{method}/confirm"))
        .refused(409, "second_person_required");
    assert!(entries(&world).is_empty());
    verb(&second(&world), &proposed, "approve").expect(200);
}
