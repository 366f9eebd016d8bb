//! People who come with a token of an identity provider.

use super::{Ada, connect, events, user, world};
use crate::world::{AUDIENCE, Provider, ProviderKey, count};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

#[test]
fn somebody_known_by_email_is_known_by_subject_ever_after() {
    let ada = Ada::new();
    let me = ada.actor().get("/v1/me").expect(200);
    assert_eq!(me["user_id"], ada.user_id.as_str());
    assert_eq!(me["actor_id"], ada.user_id.as_str());
    assert_eq!(me["expires_at"], "2026-03-02T10:00:00Z");
    ada.actor().get("/v1/deals").expect(200);
    ada.actor().get("/v1/api-keys").refused(403, "permission_denied");
    let now = ada.world.clock.now();
    let renamed = ada.provider.token("ada-1", "ada.lind@nordlicht.example", now);
    let me = ada.world.bearer(&renamed).get("/v1/me").expect(200);
    assert_eq!(me["user_id"], ada.user_id.as_str());
}

#[test]
fn what_a_person_does_is_told_of_the_person() {
    let ada = Ada::new();
    let account = json!({ "name": "Stadtwerke Kiel" });
    let account = ada.actor().post("/v1/accounts", account).expect(201).id();
    let entries = ada
        .world
        .admin()
        .all(&format!("/v1/audit-events?subject_id={account}"));
    assert_eq!(entries[0]["actor_type"], "user");
    assert_eq!(entries[0]["user_id"], ada.user_id.as_str());
    let linked = "/v1/audit-events?action=user.identity_linked";
    assert_eq!(ada.world.admin().all(linked).len(), 1);
}

#[test]
fn a_token_is_one_login_however_often_it_is_used() {
    let ada = Ada::new();
    let (token, before) = (ada.token(), events(&ada.world, "logged_in").len());
    ada.world.bearer(&token).get("/v1/me").expect(200);
    ada.world.bearer(&token).get("/v1/deals").expect(200);
    // Changed roles make the service look at the token anew.
    let path = format!("/v1/users/{}", ada.user_id);
    ada.world
        .admin()
        .patch(&path, json!({ "role_ids": [] }))
        .expect(200);
    ada.world
        .bearer(&token)
        .get("/v1/deals")
        .refused(403, "permission_denied");
    assert_eq!(events(&ada.world, "logged_in").len(), before + 1);
    let login = ada.last_event("logged_in");
    assert_eq!(login["user_id"], ada.user_id.as_str());
    assert_eq!(login["identity_provider_id"], ada.provider_id.as_str());
    assert_eq!(login["subject"], "ada-1");
    assert_eq!(login["address"], "127.0.0.1");
}

#[test]
fn nobody_unknown_comes_in_unless_the_provider_may_bring_them() {
    let ada = Ada::new();
    let now = ada.world.clock.now();
    let stranger = ada.provider.token("bob-1", "bob@nordlicht.example", now);
    ada.world
        .bearer(&stranger)
        .get("/v1/me")
        .refused(401, "unauthorized");
    let roles = ada.world.admin().all("/v1/roles");
    let analyst = roles.iter().find(|role| role["built_in"] == "analyst").unwrap();
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    let patch = json!({
        "provisioning": "just_in_time", "default_role_ids": [analyst["id"]],
        "email_domains": ["nordlicht.example"]
    });
    ada.world.admin().patch(&path, patch).expect(200);
    let me = ada.world.bearer(&stranger).get("/v1/me").expect(200);
    assert_eq!(me["partner_id"], Value::Null);
    let made = format!("/v1/users/{}", me.text("/user_id"));
    let made = ada.world.admin().get(&made).expect(200);
    assert_eq!(made["email"], "bob@nordlicht.example");
    assert_eq!(made["role_ids"], json!([analyst["id"]]));
    let elsewhere = ada.provider.token("eve-1", "eve@elsewhere.example", now);
    ada.world
        .bearer(&elsewhere)
        .get("/v1/me")
        .refused(401, "unauthorized");
}

#[test]
fn an_unverified_email_is_nobodys() {
    let ada = Ada::new();
    let mut claims = ada.claims();
    claims["email_verified"] = json!(false);
    let token = ada.key.sign(&claims);
    ada.world
        .bearer(&token)
        .get("/v1/me")
        .refused(401, "unauthorized");
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    let patch = json!({ "accepts_unverified_email": true });
    ada.world.admin().patch(&path, patch).expect(200);
    ada.world.bearer(&token).get("/v1/me").expect(200);
}

#[test]
fn an_email_that_is_given_to_somebody_else_brings_no_account_along() {
    let ada = Ada::new();
    ada.actor().get("/v1/me").expect(200);
    let now = ada.world.clock.now();
    let successor = ada.provider.token("ada-2", "ada@nordlicht.example", now);
    ada.world
        .bearer(&successor)
        .get("/v1/me")
        .refused(401, "unauthorized");
}

#[test]
fn a_partners_provider_brings_that_partners_people_alone() {
    let world = world();
    let (one, two) = (world.partner("Nordlicht"), world.partner("Suedwind"));
    let provider = Provider::start(&[ProviderKey::rsa("one")]);
    connect(&world, &provider, json!({ "partner_id": one }));
    user(&world, "ada@nordlicht.example", "partner_member", Some(&one));
    user(&world, "bob@suedwind.example", "partner_member", Some(&two));
    user(&world, "carol@vendor.example", "admin", None);
    let now = world.clock.now();
    let ada = world.bearer(&provider.token("1", "ada@nordlicht.example", now));
    let me = ada.get("/v1/me").expect(200);
    assert_eq!(me["partner_id"], one.as_str());
    for email in ["bob@suedwind.example", "carol@vendor.example"] {
        let token = provider.token(email, email, now);
        world.bearer(&token).get("/v1/me").refused(401, "unauthorized");
    }
}

#[test]
fn a_partners_token_says_nothing_of_where_its_bearer_belongs() {
    let world = world();
    let (one, two) = (world.partner("Nordlicht"), world.partner("Suedwind"));
    let key = ProviderKey::rsa("one");
    let provider = Provider::start(std::slice::from_ref(&key));
    let admin = world.full_partner_key(&one);
    let roles = admin.all("/v1/roles");
    let member = roles
        .iter()
        .find(|role| role["built_in"] == "partner_member")
        .unwrap();
    let mut settings = provider.settings();
    settings["provisioning"] = json!("just_in_time");
    settings["default_role_ids"] = json!([member["id"]]);
    let mut of_another = settings.clone();
    of_another["partner_id"] = json!(two);
    admin
        .post("/v1/identity-providers", of_another)
        .refused(422, "validation_failed");
    let mut naming = settings.clone();
    naming["claims"] = json!({ "partner": "partner" });
    admin
        .post("/v1/identity-providers", naming)
        .refused(422, "validation_failed");
    admin.post("/v1/identity-providers", settings).expect(201);
    let mut claims = provider.claims("eve", "eve@nordlicht.example", world.clock.now());
    for (name, value) in [
        ("partner", json!(two)),
        ("partner_id", json!(two)),
        ("organization_id", json!(world.home.id)),
        ("roles", json!(["admin"])),
        ("role_ids", json!(["admin"])),
        ("permissions", json!(["organization:write"])),
        ("scope", json!("organization:write")),
    ] {
        claims[name] = value;
    }
    let eve = world.bearer(&key.sign(&claims));
    let me = eve.get("/v1/me").expect(200);
    assert_eq!(me["partner_id"], one.as_str());
    eve.patch("/v1/organization", json!({ "name": "Eve's" }))
        .refused(403, "permission_denied");
    eve.get(&format!("/v1/partners/{two}")).refused(404, "not_found");
}

#[test]
fn the_organizations_provider_may_say_whose_person_somebody_is() {
    let world = world();
    let partner = json!({ "name": "Nordlicht", "external_id": "crm-7" });
    let partner = world.admin().post("/v1/partners", partner).expect(201).id();
    let approve = format!("/v1/partners/{partner}/approve");
    world.admin().act(&approve).expect(200);
    let key = ProviderKey::rsa("one");
    let provider = Provider::start(std::slice::from_ref(&key));
    let settings =
        json!({ "provisioning": "just_in_time", "claims": { "partner": "https://vendor.example/partner" } });
    connect(&world, &provider, settings);
    let mut claims = provider.claims("ada", "ada@nordlicht.example", world.clock.now());
    claims["https://vendor.example/partner"] = json!("crm-7");
    let me = world.bearer(&key.sign(&claims)).get("/v1/me").expect(200);
    assert_eq!(me["partner_id"], partner.as_str());
    claims["sub"] = json!("bob");
    claims["email"] = json!("bob@nordlicht.example");
    claims["https://vendor.example/partner"] = json!("crm-8");
    world
        .bearer(&key.sign(&claims))
        .get("/v1/me")
        .refused(401, "unauthorized");
}

#[test]
fn whoever_is_out_is_out_at_the_next_request() {
    let ada = Ada::new();
    let actor = ada.actor();
    actor.get("/v1/deals").expect(200);
    let admin = ada.world.admin();
    let why = json!({ "reason": "Left." });
    for (path, back) in [
        (format!("/v1/users/{}", ada.user_id), "reinstate"),
        (format!("/v1/identity-providers/{}", ada.provider_id), "reinstate"),
    ] {
        admin.post(&format!("{path}/suspend"), why.clone()).expect(200);
        actor.get("/v1/deals").refused(401, "unauthorized");
        actor
            .post("/v1/accounts", json!({ "name": "Too late" }))
            .refused(401, "unauthorized");
        ada.actor().get("/v1/deals").refused(401, "unauthorized");
        admin.act(&format!("{path}/{back}")).expect(200);
        actor.get("/v1/deals").expect(200);
    }
    let path = format!("/v1/users/{}/terminate", ada.user_id);
    admin.post(&path, why).expect(200);
    actor.get("/v1/deals").refused(401, "unauthorized");
    ada.actor().get("/v1/deals").refused(401, "unauthorized");
}

#[test]
fn the_people_of_a_suspended_partner_are_out() {
    let world = world();
    let partner = world.partner("Nordlicht");
    let provider = Provider::start(&[ProviderKey::rsa("one")]);
    connect(&world, &provider, json!({ "partner_id": partner }));
    user(&world, "ada@nordlicht.example", "partner_member", Some(&partner));
    let ada = world.bearer(&provider.token("1", "ada@nordlicht.example", world.clock.now()));
    ada.get("/v1/deals").expect(200);
    let path = format!("/v1/partners/{partner}/suspend");
    world
        .admin()
        .post(&path, json!({ "reason": "Under review." }))
        .expect(200);
    ada.get("/v1/deals").refused(401, "unauthorized");
}

#[test]
fn what_is_changed_of_a_provider_counts_for_tokens_in_use() {
    let ada = Ada::new();
    let actor = ada.actor();
    actor.get("/v1/deals").expect(200);
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    let patch = json!({ "audiences": ["somebody-else"] });
    ada.world.admin().patch(&path, patch).expect(200);
    actor.get("/v1/deals").refused(401, "unauthorized");
    let patch = json!({ "audiences": ["somebody-else", AUDIENCE], "email_domains": ["elsewhere.example"] });
    ada.world.admin().patch(&path, patch).expect(200);
    actor.get("/v1/deals").refused(401, "unauthorized");
}

#[test]
fn two_organizations_with_one_provider_are_told_apart_by_name() {
    let ada = Ada::new();
    let second = ada.world.second_organization();
    let token = ada.token();
    let actor = ada.world.bearer(&token);
    actor.get("/v1/me").expect(200);
    let other = second
        .admin
        .post("/v1/identity-providers", ada.provider.settings());
    other.expect(201);
    let user = json!({ "name": "Ada", "email": "ada@nordlicht.example", "role_ids": [] });
    let user = second.admin.post("/v1/users", user).expect(201).id();
    let fresh = ada.world.bearer(&ada.key.sign(&{
        let mut claims = ada.claims();
        claims["jti"] = json!("2");
        claims
    }));
    fresh.get("/v1/me").refused(401, "unauthorized");
    let asked = |organization: &str| {
        let ask = fresh.ask("GET", "/v1/me");
        ask.header("Copartner-Organization", organization).send()
    };
    let home = ada.world.home.id.to_string();
    assert_eq!(asked(&home).expect(200)["user_id"], ada.user_id.as_str());
    assert_eq!(
        asked(&second.id.to_string()).expect(200)["user_id"],
        user.as_str()
    );
    asked("org_00000000000000000000000000").refused(401, "unauthorized");
    asked("nonsense").refused(401, "unauthorized");
    let key = ada.world.admin().ask("GET", "/v1/me");
    let key = key.header("Copartner-Organization", &second.id.to_string());
    key.send().refused(401, "unauthorized");
}

#[test]
fn first_arrivals_at_once_make_one_user() {
    let ada = Ada::new();
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    let patch = json!({ "provisioning": "just_in_time" });
    ada.world.admin().patch(&path, patch).expect(200);
    let now = ada.world.clock.now();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let arrivals: Vec<_> = (0..8)
            .map(|number| {
                let mut claims = ada.provider.claims("bob", "bob@nordlicht.example", now);
                claims["jti"] = json!(number);
                let actor = ada.world.bearer(&ada.key.sign(&claims));
                scope.spawn(move || actor.get("/v1/me").status)
            })
            .collect();
        arrivals.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 8]);
    let bobs = "SELECT count(*) AS count FROM users WHERE email = 'bob@nordlicht.example'";
    assert_eq!(count(&mut ada.world.database().owner(), bobs), 1);
}

#[test]
fn a_provider_is_set_up_by_whoever_holds_all_that_its_people_may() {
    let ada = Ada::new();
    let limited = ada
        .world
        .key(&["identity_providers:write", "identity_providers:read"]);
    limited
        .post("/v1/identity-providers", ada.provider.settings())
        .refused(422, "validation_failed");
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    limited
        .patch(&path, json!({ "accepts_unverified_email": true }))
        .refused(422, "validation_failed");
    let settings = |member: &str, value: Value| {
        let mut settings = ada.provider.settings();
        settings[member] = value;
        let reply = ada.world.admin().post("/v1/identity-providers", settings);
        reply.refused(422, "validation_failed")
    };
    let private = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA" }] });
    settings("jwks", private);
    settings("jwks_url", json!("http://name:secret@127.0.0.1/jwks.json"));
    settings("algorithms", json!(["HS256"]));
    settings("algorithms", json!(["none"]));
    settings("audiences", json!([]));
    settings(
        "issuer",
        json!(format!("http://127.0.0.1:8080/v1/issuers/{}", ada.world.home.id)),
    );
    ada.world.pass(TimeDelta::seconds(1));
    ada.actor().get("/v1/me").expect(200);
}

#[test]
fn nobody_becomes_an_admin_by_the_admins_address() {
    let ada = Ada::new();
    let admin = user(&ada.world, "carol@nordlicht.example", "admin", None);
    let clerk = ada.world.key(&["users:read", "users:write", "roles:read"]);
    let path = format!("/v1/users/{admin}");
    let mine = json!({ "email": "eve@nordlicht.example" });
    clerk
        .patch(&path, mine)
        .refused(422, "validation_failed")
        .pointer("/role_ids", "not_held");
    clerk.patch(&path, json!({ "name": "Carol Lind" })).expect(200);
}

#[test]
fn an_address_that_only_folds_into_another_is_another() {
    let ada = Ada::new();
    user(&ada.world, "kate@nordlicht.example", "admin", None);
    let now = ada.world.clock.now();
    for email in [
        "\u{212a}ate@nordlicht.example",
        "ka\u{200b}te@nordlicht.example",
        "kate@nordlicht.example\u{1}",
    ] {
        let token = ada.provider.token("eve", email, now);
        ada.world
            .bearer(&token)
            .get("/v1/me")
            .refused(401, "unauthorized");
    }
    let kate = ada.provider.token("kate", "KATE@Nordlicht.example", now);
    ada.world.bearer(&kate).get("/v1/me").expect(200);
}

#[test]
fn whoever_is_not_said_to_belong_to_a_partner_is_not_made_a_vendors_user() {
    let world = world();
    let key = ProviderKey::ed25519("one", 1);
    let provider = Provider::start(std::slice::from_ref(&key));
    let settings = json!({ "provisioning": "just_in_time", "claims": { "partner": "partner" } });
    connect(&world, &provider, settings);
    let mut claims = provider.claims("eve", "eve@nordlicht.example", world.clock.now());
    for absent in [
        json!(""),
        json!(null),
        json!(5),
        json!(["ptn"]),
        json!({}),
        json!("a\0b"),
    ] {
        claims["partner"] = absent;
        let token = key.sign(&claims);
        world.bearer(&token).get("/v1/me").refused(401, "unauthorized");
    }
    claims.as_object_mut().unwrap().remove("partner");
    let token = key.sign(&claims);
    world.bearer(&token).get("/v1/me").refused(401, "unauthorized");
    user(&world, "eve@nordlicht.example", "sales", None);
    world.bearer(&token).get("/v1/me").expect(200);
}

#[test]
fn a_partner_with_the_vendors_provider_locks_nobody_out() {
    let ada = Ada::new();
    let (one, two) = (ada.world.partner("Nordlicht"), ada.world.partner("Suedwind"));
    for partner in [&one, &two] {
        let squatter = ada.world.full_partner_key(partner);
        squatter
            .post("/v1/identity-providers", ada.provider.settings())
            .expect(201);
    }
    user(&ada.world, "bob@suedwind.example", "partner_member", Some(&two));
    let me = ada.actor().get("/v1/me").expect(200);
    assert_eq!(me["user_id"], ada.user_id.as_str());
    let now = ada.world.clock.now();
    let bob = ada
        .world
        .bearer(&ada.provider.token("bob", "bob@suedwind.example", now));
    assert_eq!(bob.get("/v1/me").expect(200)["partner_id"], two.as_str());
    bob.get("/v1/deals").expect(200);
}

/// Also somebody who was suspended meanwhile: nothing told the replica that remembers them.
#[test]
fn a_person_finds_out_that_the_clock_of_a_sandbox_was_advanced() {
    let ada = Ada::new();
    let mut owner = ada.world.database().owner();
    owner
        .batch_execute("UPDATE organizations SET mode = 'sandbox'")
        .unwrap();
    let actor = ada.actor();
    let clock = || actor.get("/v1/organization/clock").expect(200);
    assert_eq!(clock()["current_at"], "2026-03-02T09:00:00Z");
    let user = format!("/v1/users/{}", ada.user_id);
    let suspend = json!({ "reason": "Because." });
    let verb = |verb: &str, body: Value| {
        let path = format!("{user}/{verb}");
        ada.world.admin().post(&path, body).expect(200);
    };
    verb("suspend", suspend);
    let advance = json!({ "until_at": "2026-04-01T00:00:00Z" });
    let path = "/v1/organization/clock/advance";
    ada.world.admin().post(path, advance).expect(200);
    verb("reinstate", json!({}));
    let account = actor.post("/v1/accounts", json!({ "name": "Hafen" })).expect(201);
    assert_eq!(account["created_at"], "2026-04-01T00:00:00Z");
    // The token ends in real time: it was made for an hour.
    assert_eq!(clock()["wall_clock_at"], "2026-03-02T09:00:00Z");
    ada.world.pass(TimeDelta::hours(2));
    actor.get("/v1/organization/clock").refused(401, "unauthorized");
}
