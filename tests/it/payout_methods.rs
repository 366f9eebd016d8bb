//! How partners are paid: proposed by one person, confirmed by another, usable after a while, and never told in full.

use crate::world::{Actor, Reply, World, count, names, texts};
use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::{PgConnection, RunQueryDsl, sql_query};
use serde_json::{Value, json};
use std::thread;

const PATH: &str = "/v1/payout-methods";
const IBAN: &str = "DE89370400440532013000";
const OTHER_IBAN: &str = "GB82WEST12345698765432";
const HOLDER: &str = "Nordlicht Consulting";

fn bank(partner_id: &str, iban: &str) -> Value {
    json!({
        "partner_id": partner_id, "currency": "EUR", "kind": "bank_account", "account_holder": HOLDER,
        "iban": iban, "bic": "COBADEFFXXX"
    })
}

fn by_hand(partner_id: &str, currency: &str) -> Value {
    json!({ "partner_id": partner_id, "currency": currency, "kind": "manual", "instruction": "Check 4711-0815." })
}

fn propose(actor: &Actor, body: Value) -> Reply {
    actor.post(PATH, body).expect(201)
}

fn verb(actor: &Actor, id: &str, verb: &str) -> Reply {
    actor.act(&format!("{PATH}/{id}/{verb}"))
}

fn refuse(actor: &Actor, id: &str) -> Reply {
    actor.post(
        &format!("{PATH}/{id}/refuse"),
        json!({ "reason": "The name is another one." }),
    )
}

/// Another person, who may confirm and nothing else.
fn second(world: &World) -> Actor {
    world.another_hand(&["payout_methods:read", "payout_methods:confirm"])
}

fn status(world: &World, id: &str) -> String {
    world
        .admin()
        .get(&format!("{PATH}/{id}"))
        .expect(200)
        .text("/status")
        .to_owned()
}

#[test]
fn a_method_is_proposed_confirmed_and_replaced() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let first = propose(world.admin(), bank(&partner, "DE89 3704 0044 0532 0130 00"));
    assert_eq!(first["status"], "proposed");
    assert_eq!(
        (&first["masked_iban"], &first["bic"]),
        (&json!("DE****3000"), &json!("COBADEFFXXX"))
    );
    assert_eq!(
        (&first["account_holder"], &first["instruction"]),
        (&json!(HOLDER), &Value::Null)
    );
    assert_eq!(
        (&first["confirmed_at"], &first["usable_from"]),
        (&Value::Null, &Value::Null)
    );
    let finance = second(&world);
    let confirmed = verb(&finance, &first.id(), "confirm").expect(200);
    assert_eq!(confirmed["status"], "active");
    assert_eq!(confirmed["confirmed_by"], json!(finance.key_id));
    verb(&finance, &first.id(), "confirm").refused(409, "wrong_state");
    refuse(&finance, &first.id()).refused(409, "wrong_state");
    // Another currency is another method.
    let dollars = propose(world.admin(), by_hand(&partner, "USD"));
    verb(&finance, &dollars.id(), "confirm").expect(200);
    assert_eq!(status(&world, &first.id()), "active");
    let next = propose(world.admin(), bank(&partner, OTHER_IBAN));
    assert_eq!(status(&world, &first.id()), "active");
    verb(&finance, &next.id(), "confirm").expect(200);
    assert_eq!(status(&world, &first.id()), "replaced");
    verb(world.admin(), &first.id(), "withdraw").refused(409, "wrong_state");
    let active = world
        .admin()
        .all(&format!("{PATH}?status=active&currency=EUR&partner_id={partner}"));
    assert_eq!(texts(&active, "id"), [next.id()]);
    let withdrawn = verb(world.admin(), &next.id(), "withdraw").expect(200);
    assert_eq!(withdrawn["status"], "withdrawn");
    world.work();
    let told = world.admin().all("/v1/events");
    let mut told: Vec<String> = texts(&told, "type")
        .into_iter()
        .filter(|one| one.starts_with("payout_method."))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "payout_method.confirmed",
            "payout_method.confirmed",
            "payout_method.confirmed",
            "payout_method.proposed",
            "payout_method.proposed",
            "payout_method.proposed",
            "payout_method.replaced",
            "payout_method.withdrawn",
        ]
    );
}

#[test]
fn a_refused_proposal_keeps_the_reason_and_what_was_in_force() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let finance = second(&world);
    let first = propose(world.admin(), bank(&partner, IBAN)).id();
    verb(&finance, &first, "confirm").expect(200);
    let next = propose(world.admin(), bank(&partner, OTHER_IBAN)).id();
    let refused = refuse(&finance, &next).expect(200);
    assert_eq!(
        (&refused["status"], &refused["status_reason"]),
        (&json!("refused"), &json!("The name is another one."))
    );
    assert_eq!(status(&world, &first), "active");
    verb(&finance, &next, "confirm").refused(409, "wrong_state");
    let stale = world
        .admin()
        .ask("POST", &format!("{PATH}/{first}/withdraw"))
        .header("If-Match", "\"1\"")
        .send();
    stale.refused(412, "precondition_failed");
}

#[test]
fn a_connected_account_at_stripe_is_a_method_like_the_others_and_shown_masked() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let account = "acct_1MTfjCQ9PRzxEwkZ";
    let body =
        json!({ "partner_id": partner, "currency": "EUR", "kind": "stripe", "stripe_account": account });
    let proposed = propose(world.admin(), body.clone());
    assert_eq!(proposed["masked_stripe_account"], "****EwkZ");
    assert_eq!(
        (
            &proposed["masked_iban"],
            &proposed["instruction"],
            &proposed["account_holder"]
        ),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    verb(world.admin(), &proposed.id(), "confirm").refused(409, "second_person_required");
    let confirmed = verb(&second(&world), &proposed.id(), "confirm").expect(200);
    assert!(!confirmed.raw().contains(account), "{}", confirmed.raw());
    assert!(confirmed["usable_from"].as_str() > confirmed["confirmed_at"].as_str());
    world.work();
    for list in ["/v1/events", "/v1/audit-events", PATH] {
        let told = world.admin().get(&format!("{list}?limit=100")).expect(200);
        assert!(!told.raw().contains(account), "{}", told.raw());
    }
    let refused = |field: &str, value: Value, code: &str| {
        let mut body = body.clone();
        body[field] = value;
        world
            .admin()
            .post(PATH, body)
            .refused(422, "validation_failed")
            .pointer(&format!("/{field}"), code);
    };
    refused("iban", json!(IBAN), "not_of_this_kind");
    refused("instruction", json!("By check."), "not_of_this_kind");
    for nonsense in ["acct_", "acct_ä", "ba_1MTfjCQ9PRzxEwkZ", "acct_1MTfjCQ9 RzxEwkZ"] {
        refused("stripe_account", json!(nonsense), "invalid_format");
    }
    let mut nothing = body;
    nothing.as_object_mut().unwrap().remove("stripe_account");
    world
        .admin()
        .post(PATH, nothing)
        .refused(422, "validation_failed")
        .pointer("/stripe_account", "missing");
    let mut with_iban = bank(&partner, IBAN);
    with_iban["stripe_account"] = json!(account);
    world
        .admin()
        .post(PATH, with_iban)
        .refused(422, "validation_failed")
        .pointer("/stripe_account", "not_of_this_kind");
}

#[test]
fn what_does_not_fit_the_kind_is_named_at_once() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let refused = |body| world.admin().post(PATH, body).refused(422, "validation_failed");
    let mut mixed = by_hand(&partner, "XXX");
    mixed["iban"] = json!(IBAN);
    mixed.as_object_mut().unwrap().remove("instruction");
    refused(mixed)
        .pointer("/iban", "not_of_this_kind")
        .pointer("/instruction", "missing")
        .pointer("/currency", "unknown_currency");
    refused(json!({ "currency": "EUR", "kind": "bank_account", "instruction": "x" }))
        .pointer("/instruction", "not_of_this_kind")
        .pointer("/account_holder", "missing")
        .pointer("/iban", "missing");
    refused(bank(&partner, "DE89370400440532013001")).pointer("/iban", "invalid_iban");
    refused(bank(&partner, "DE8937040044053201300")).pointer("/iban", "invalid_iban");
    let mut nobody = bank(&partner, IBAN);
    nobody.as_object_mut().unwrap().remove("partner_id");
    refused(nobody).pointer("/partner_id", "missing");
    refused(bank("ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", IBAN)).pointer("/partner_id", "unknown_reference");
    let reply = refused(bank(&partner, "DE00370400440532013000"));
    assert!(!reply.raw().contains("37040044"), "{}", reply.raw());
}

/// Two keys of this user, and the user.
fn ada(world: &World) -> (String, [Actor; 2]) {
    let roles = world.admin().all("/v1/roles");
    let finance = roles.iter().find(|role| role["built_in"] == "finance").unwrap();
    let body = json!({ "name": "Ada", "email": "ada@example.com", "role_ids": [finance["id"]] });
    let user = world.admin().post("/v1/users", body).expect(201).id();
    let key = || {
        let permissions = [
            "payout_methods:read",
            "payout_methods:write",
            "payout_methods:confirm",
        ];
        let body = json!({ "name": "Ada's", "owner_id": user, "permissions": permissions });
        world.bearer(
            world
                .admin()
                .post("/v1/api-keys", body)
                .expect(201)
                .text("/secret"),
        )
    };
    let keys = [key(), key()];
    (user, keys)
}

#[test]
fn two_keys_of_one_person_are_one_person() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let (user, [one, other]) = ada(&world);
    let proposed = propose(&one, bank(&partner, IBAN));
    assert_eq!(proposed["created_by"], json!(user));
    for same in [&one, &other] {
        verb(same, &proposed.id(), "confirm").refused(409, "second_person_required");
    }
    assert_eq!(status(&world, &proposed.id()), "proposed");
    verb(&second(&world), &proposed.id(), "confirm").expect(200);
    // The other way round too: who belongs to nobody is its own person.
    let machine = world.key(&["payout_methods:write", "payout_methods:confirm"]);
    let proposed = propose(&machine, bank(&partner, OTHER_IBAN)).id();
    verb(&machine, &proposed, "confirm").refused(409, "second_person_required");
    let confirmed = verb(&other, &proposed, "confirm").expect(200);
    assert_eq!(confirmed["confirmed_by"], json!(user));
}

/// A session of the service's role in the home organization, and in this partner if one is named.
fn session(world: &World, partner: &str) -> PgConnection {
    let mut service = world.database().service_role();
    let scope = format!(
        "SELECT set_config('copartner.organization_id', '{}', false), \
         set_config('copartner.partner_id', '{partner}', false), set_config('copartner.api_key_id', '', false)",
        world.home.id.uuid()
    );
    service.batch_execute(&scope).unwrap();
    service
}

#[track_caller]
fn refused_by_postgres(service: &mut PgConnection, statement: &str, words: &str) {
    service.batch_execute("BEGIN").unwrap();
    let outcome = sql_query(statement).execute(service);
    service.batch_execute("ROLLBACK").unwrap();
    let message = outcome.expect_err(statement).to_string();
    assert!(message.contains(words), "{statement}: {message}");
}

#[test]
fn postgres_holds_what_the_service_holds() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let proposed = propose(world.admin(), bank(&partner, IBAN)).id();
    let in_force = propose(world.admin(), by_hand(&partner, "USD")).id();
    verb(&second(&world), &in_force, "confirm").expect(200);
    let mut service = session(&world, "");
    let confirm = |person: &str, of: &str| {
        format!(
            "UPDATE payout_methods SET status = 'active', confirmed_by = {person}, confirmed_by_type = {of}, \
             confirmed_at = now(), usable_from = now() WHERE status = 'proposed'"
        )
    };
    let second_person = "payout_methods_second_person_check";
    refused_by_postgres(
        &mut service,
        &confirm("created_by", "created_by_type"),
        second_person,
    );
    // Whose word for the same id is another one is still the same person.
    refused_by_postgres(&mut service, &confirm("created_by", "'user'"), second_person);
    let nobody = "UPDATE payout_methods SET status = 'active' WHERE status = 'proposed'";
    refused_by_postgres(&mut service, nobody, "payout_methods_confirmation_check");
    for (change, words) in [
        (
            "SET iban = 'GB82WEST12345698765432' WHERE kind = 'bank_account'",
            "never changes",
        ),
        ("SET created_by = gen_random_uuid()", "never changes"),
        ("SET usable_from = now() WHERE status = 'active'", "never changes"),
        (
            "SET confirmed_by = gen_random_uuid() WHERE status = 'active'",
            "never changes",
        ),
        (
            "SET status = 'proposed' WHERE status = 'active'",
            "cannot move from active to proposed",
        ),
        (
            "SET status = 'refused' WHERE status = 'active'",
            "cannot move from active to refused",
        ),
    ] {
        refused_by_postgres(&mut service, &format!("UPDATE payout_methods {change}"), words);
    }
    let twice = "INSERT INTO payout_methods SELECT organization_id, gen_random_uuid(), partner_id, kind, currency, \
        status, status_reason, instruction, account_holder, iban, bic, created_by, created_by_type, confirmed_by, \
        confirmed_by_type, confirmed_at, usable_from, row_version, created_at, updated_at FROM payout_methods \
        WHERE status = 'active'";
    refused_by_postgres(&mut service, twice, "payout_methods_active_key");
    refused_by_postgres(&mut service, "DELETE FROM payout_methods", "permission denied");
    // A good confirmation passes, so that it is the rule that refuses the others.
    let good = sql_query(confirm("gen_random_uuid()", "'user'")).execute(&mut service);
    assert_eq!(good, Ok(1));
    assert_eq!(status(&world, &proposed), "active");
}

#[test]
fn a_partners_session_puts_nothing_in_force() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let proposed = propose(world.admin(), bank(&partner, IBAN)).id();
    let own = names(
        &mut world.database().owner(),
        "SELECT id::text AS name FROM partners",
    )
    .remove(0);
    let mut service = session(&world, &own);
    assert_eq!(
        count(&mut service, "SELECT count(*) AS count FROM payout_methods"),
        1
    );
    let confirm = "UPDATE payout_methods SET status = 'active', confirmed_by = gen_random_uuid(), \
        confirmed_by_type = 'user', confirmed_at = now(), usable_from = now()";
    refused_by_postgres(&mut service, confirm, "row-level security");
    let insert = "INSERT INTO payout_methods SELECT organization_id, gen_random_uuid(), partner_id, kind, currency, \
        'active', status_reason, instruction, account_holder, iban, bic, created_by, created_by_type, \
        gen_random_uuid(), 'user', now(), now(), row_version, created_at, updated_at FROM payout_methods";
    refused_by_postgres(&mut service, insert, "row-level security");
    assert_eq!(status(&world, &proposed), "proposed");
}

#[test]
fn a_partners_caller_proposes_and_withdraws_for_itself() {
    let world = World::new();
    let [own, rival] = ["Nordlicht", "Südwind"].map(|name| world.partner(name));
    let actor = world.full_partner_key(&own);
    let mut unnamed = bank(&own, IBAN);
    unnamed.as_object_mut().unwrap().remove("partner_id");
    let proposed = propose(&actor, unnamed);
    assert_eq!(proposed["partner_id"], json!(own));
    propose(&actor, by_hand(&own, "USD"));
    let nobody = "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w";
    for foreign in [rival.as_str(), nobody] {
        actor
            .post(PATH, bank(foreign, IBAN))
            .refused(422, "validation_failed")
            .pointer("/partner_id", "unknown_reference");
    }
    let theirs = propose(world.admin(), bank(&rival, OTHER_IBAN)).id();
    actor.get(&format!("{PATH}/{theirs}")).refused(404, "not_found");
    verb(&actor, &theirs, "withdraw").refused(404, "not_found");
    assert_eq!(actor.all(PATH).len(), 2);
    assert_eq!(actor.all(&format!("{PATH}?partner_id={rival}")), [] as [Value; 0]);
    verb(&actor, &proposed.id(), "confirm").refused(403, "permission_denied");
    refuse(&actor, &proposed.id()).refused(403, "permission_denied");
    let finance = second(&world);
    verb(&finance, &proposed.id(), "confirm").expect(200);
    verb(&actor, &proposed.id(), "withdraw").expect(200);
    assert_eq!(status(&world, &proposed.id()), "withdrawn");
    // Members of a partner neither see bank details nor change them.
    let roles = world.admin().all("/v1/roles");
    let holds = |name: &str| {
        let role = roles.iter().find(|role| role["built_in"] == name).unwrap();
        let held = role["permissions"].as_array().unwrap().iter();
        held.filter(|one| one.as_str().unwrap().starts_with("payout_methods:"))
            .count()
    };
    assert_eq!(
        [holds("partner_member"), holds("partner_admin"), holds("analyst")],
        [0, 2, 0]
    );
    assert_eq!(
        [holds("partner_manager"), holds("finance"), holds("admin")],
        [1, 3, 3]
    );
}

#[test]
fn a_confirmed_method_cools_off() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let finance = second(&world);
    let settings = |hours: Value| {
        world.admin().patch(
            "/v1/organization",
            json!({ "payout_method_cooling_off_hours": hours }),
        )
    };
    assert_eq!(
        world.admin().get("/v1/organization").expect(200)["payout_method_cooling_off_hours"],
        72
    );
    let confirm = || {
        let id = propose(world.admin(), bank(&partner, IBAN)).id();
        let now = world.pass(TimeDelta::minutes(7));
        let confirmed = verb(&finance, &id, "confirm").expect(200);
        assert_eq!(confirmed["confirmed_at"], json!(now));
        (id, now, confirmed)
    };
    let (first, now, confirmed) = confirm();
    assert_eq!(confirmed["usable_from"], json!(now + TimeDelta::hours(72)));
    for hours in [0, 1, 720] {
        settings(json!(hours)).expect(200);
        let (_, now, confirmed) = confirm();
        assert_eq!(confirmed["usable_from"], json!(now + TimeDelta::hours(hours)));
    }
    // What is confirmed keeps its time, whatever becomes of the setting.
    let kept = world.admin().get(&format!("{PATH}/{first}")).expect(200);
    assert_eq!(kept["usable_from"], json!(now + TimeDelta::hours(72)));
    settings(json!(-1)).refused(422, "validation_failed");
    settings(json!(721)).refused(422, "validation_failed");
}

#[test]
fn nothing_but_the_last_four_is_told() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let finance = second(&world);
    let actor = world.full_partner_key(&partner);
    for body in [bank(&partner, IBAN), by_hand(&partner, "USD")] {
        let id = propose(&actor, body).id();
        verb(&finance, &id, "confirm").expect(200);
        verb(&actor, &id, "withdraw").expect(200);
    }
    world.work();
    let lists = [PATH, "/v1/events", "/v1/audit-events"];
    let secrets = ["370400440532013", "53201300", "3704 0044"];
    for path in lists {
        let reply = world.admin().get(&format!("{path}?limit=100")).expect(200);
        assert!(reply.raw().contains("DE****3000"), "{path}: {}", reply.raw());
        for secret in secrets {
            assert!(
                !reply.raw().contains(secret),
                "{path} tells {secret}: {}",
                reply.raw()
            );
        }
    }
    for path in ["/v1/events", "/v1/audit-events"] {
        let reply = world.admin().get(&format!("{path}?limit=100")).expect(200);
        for told in [HOLDER, "Check 4711"] {
            assert!(
                !reply.raw().contains(told),
                "{path} tells {told}: {}",
                reply.raw()
            );
        }
        assert!(reply.raw().contains("****815."), "{}", reply.raw());
    }
    // Nor does Postgres keep it anywhere but in the method: not in kept answers, not in the trail.
    let mut owner = world.database().owner();
    let elsewhere = "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace \
        AND relkind = 'r' AND relname <> '__diesel_schema_migrations' ORDER BY 1";
    let holding: Vec<String> = names(&mut owner, elsewhere)
        .into_iter()
        .filter(|table| {
            let text = if table == "idempotency_keys" {
                "convert_from(t.answer_body, 'UTF8')"
            } else {
                "to_jsonb(t)::text"
            };
            let query = format!("SELECT count(*) AS count FROM {table} t WHERE {text} LIKE '%0532013%'");
            count(&mut owner, &query) > 0
        })
        .collect();
    assert_eq!(holding, ["payout_methods"]);
}

#[test]
fn of_proposals_that_are_confirmed_at_once_one_is_in_force() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let finance = second(&world);
    let ids: Vec<String> = (0..6)
        .map(|_| propose(world.admin(), bank(&partner, IBAN)).id())
        .collect();
    let replies: Vec<Reply> = thread::scope(|scope| {
        let finance = &finance;
        let threads: Vec<_> = ids
            .iter()
            .map(|id| scope.spawn(move || verb(finance, id, "confirm")))
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let confirmed = replies.iter().filter(|reply| reply.status == 200).count();
    assert!(confirmed >= 1);
    assert!(replies.iter().all(|reply| [200, 409].contains(&reply.status)));
    let all = world.admin().all(PATH);
    let stand = |wanted: &str| texts(&all, "status").iter().filter(|one| *one == wanted).count();
    assert_eq!((stand("active"), stand("replaced")), (1, confirmed - 1));
}
