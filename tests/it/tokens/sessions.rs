//! Tokens of the service's own.

use super::{Ada, events, world};
use crate::money::races::at_once;
use crate::world::{Actor, Reply, World, count, texts};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

fn open(actor: &Actor, body: Value) -> Reply {
    actor.post("/v1/sessions", body).expect(201)
}

fn bearer(world: &World, opened: &Reply) -> Actor {
    world.bearer(opened.text("/access_token"))
}

fn refresh(world: &World, token: &str) -> Reply {
    let body = json!({ "refresh_token": token });
    world.nobody().post("/v1/refresh-tokens/exchange", body)
}

#[test]
fn a_key_is_exchanged_for_a_token_that_does_the_same_for_a_while() {
    let world = world();
    let opened = open(world.admin(), json!({ "expires_in_seconds": 60 }));
    assert_eq!(opened["refresh_token"], Value::Null);
    assert_eq!(opened["access_expires_at"], "2026-03-02T09:01:00Z");
    let actor = bearer(&world, &opened);
    let (me, admin) = (
        actor.get("/v1/me").expect(200),
        world.admin().get("/v1/me").expect(200),
    );
    assert_eq!(me["permissions"], admin["permissions"]);
    assert_eq!(me["actor_id"], admin["actor_id"]);
    assert_eq!(me["expires_at"], "2026-03-02T09:01:00Z");
    actor
        .post("/v1/partners", json!({ "name": "Nordlicht" }))
        .expect(201);
    world.pass(TimeDelta::seconds(60));
    actor.get("/v1/me").refused(401, "unauthorized");
}

#[test]
fn others_can_check_the_token_by_the_published_keys() {
    let world = world();
    let opened = open(world.admin(), json!({}));
    let token = opened.text("/access_token");
    let payload = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let issuer = claims["iss"].as_str().unwrap();
    let path = issuer.strip_prefix("http://127.0.0.1:8080").unwrap();
    let keys = world.nobody().get(&format!("{path}/jwks.json")).expect(200);
    let keys: JwkSet = serde_json::from_value(keys.body.clone()).unwrap();
    let key = keys.find(&decode_header(token).unwrap().kid.unwrap()).unwrap();
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.validate_exp = false;
    rules.set_audience(&[issuer]);
    let checked = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &rules).unwrap();
    assert_eq!(
        checked.claims["sub"],
        world.admin().get("/v1/me").expect(200)["actor_id"]
    );
    let private = "SELECT count(*) AS count FROM signing_keys WHERE public_key ? 'd'";
    assert_eq!(count(&mut world.database().owner(), private), 0);
}

#[test]
fn signing_keys_change_and_tokens_of_the_day_before_stay_good() {
    let world = world();
    let keys = format!("/v1/issuers/{}/jwks.json", world.home.id);
    open(world.admin(), json!({}));
    world.pass(TimeDelta::minutes(23 * 60 + 50));
    let late = open(world.admin(), json!({ "expires_in_seconds": 3600 }));
    world.pass(TimeDelta::minutes(20));
    let next = open(world.admin(), json!({}));
    let id = |opened: &Reply| decode_header(opened.text("/access_token")).unwrap().kid;
    assert_ne!(id(&late), id(&next));
    bearer(&world, &late).get("/v1/me").expect(200);
    bearer(&world, &next).get("/v1/me").expect(200);
    let published = world.nobody().get(&keys).expect(200);
    assert_eq!(published["keys"].as_array().unwrap().len(), 2);
    world.pass(TimeDelta::hours(2));
    let published = world.nobody().get(&keys).expect(200);
    assert_eq!(published["keys"].as_array().unwrap().len(), 1);
    let nowhere = "/v1/issuers/org_00000000000000000000000000/jwks.json";
    assert_eq!(world.nobody().get(nowhere).expect(200)["keys"], json!([]));
}

#[test]
fn a_token_outlives_a_restart_though_its_key_does_not() {
    let mut world = world();
    let opened = open(world.admin(), json!({}));
    world.restart();
    bearer(&world, &opened).get("/v1/me").expect(200);
    let next = open(world.admin(), json!({}));
    bearer(&world, &next).get("/v1/me").expect(200);
}

#[test]
fn a_token_for_a_partners_browser_sees_that_partner_alone() {
    let world = world();
    let (one, two) = (world.partner("Nordlicht"), world.partner("Suedwind"));
    let body = json!({ "partner_id": one, "permissions": ["partners:read"], "expires_in_seconds": 300 });
    let opened = open(world.admin(), body);
    let embedded = bearer(&world, &opened);
    let me = embedded.get("/v1/me").expect(200);
    assert_eq!(me["partner_id"], one.as_str());
    assert_eq!(me["permissions"], json!(["partners:read"]));
    assert_eq!(texts(&embedded.all("/v1/partners"), "id"), [one.as_str()]);
    embedded
        .get(&format!("/v1/partners/{two}"))
        .refused(404, "not_found");
    embedded.get("/v1/deals").refused(403, "permission_denied");
    embedded
        .post("/v1/sessions", json!({}))
        .refused(403, "permission_denied");
    let session = format!("/v1/sessions/{}", opened.text("/session/id"));
    world
        .full_partner_key(&two)
        .get(&session)
        .refused(404, "not_found");
    world.full_partner_key(&one).get(&session).expect(200);
}

#[test]
fn a_lent_session_leaves_nothing_behind_that_outlives_it() {
    let world = world();
    let partner = world.partner("Nordlicht");
    let opened = open(world.admin(), json!({ "partner_id": partner }));
    let lent = bearer(&world, &opened);
    let key = json!({ "name": "For good", "permissions": ["deals:read"] });
    lent.post("/v1/api-keys", key).refused(403, "permission_denied");
    let user = json!({ "name": "Eve", "email": "eve@nordlicht.example" });
    lent.post("/v1/users", user).refused(403, "permission_denied");
    lent.get("/v1/deals").expect(200);
    // The same key with the same Idempotency-Key is somebody else when it is not confined to the partner.
    let wide = open(world.admin(), json!({}));
    let leave = |actor: &Actor| {
        actor
            .post_with_key("k", "/v1/me/log-out", Value::Null)
            .expect(200)
    };
    assert_eq!(leave(&lent)["id"], opened["session"]["id"]);
    assert_eq!(leave(&bearer(&world, &wide))["id"], wide["session"]["id"]);
    let ended = format!("/v1/audit-events?subject_id={}", opened.text("/session/id"));
    let entries = world.admin().all(&ended);
    assert_eq!(entries[0]["session_id"], opened["session"]["id"]);
    assert_eq!(entries[0]["partner_id"], partner.as_str());
}

#[test]
fn a_session_ends_when_its_credential_becomes_another() {
    let ada = Ada::new();
    let key = ada.world.key(&["deals:read"]);
    let of_key = open(&key, json!({ "refreshable": true }));
    let rotate = format!("/v1/api-keys/{}/rotate", key.key_id.as_ref().unwrap());
    let overlap = json!({ "overlap_seconds": 3600 });
    ada.world.admin().post(&rotate, overlap).expect(200);
    bearer(&ada.world, &of_key)
        .get("/v1/deals")
        .refused(401, "unauthorized");
    refresh(&ada.world, of_key.text("/refresh_token")).refused(401, "unauthorized");
    key.get("/v1/deals").expect(200);
    let of_person = open(&ada.actor(), json!({ "refreshable": true }));
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    let patch = json!({ "second_factor_methods": ["otp"] });
    ada.world.admin().patch(&path, patch).expect(200);
    bearer(&ada.world, &of_person)
        .get("/v1/me")
        .refused(401, "unauthorized");
    refresh(&ada.world, of_person.text("/refresh_token")).refused(401, "unauthorized");
    ada.actor().get("/v1/me").expect(200);
}

#[test]
fn a_session_is_never_more_than_who_made_it() {
    let world = world();
    let partner = world.partner("Nordlicht");
    let key = world.key(&["deals:read"]);
    let refused = |actor: &Actor, body: Value| {
        let reply = actor.post("/v1/sessions", body);
        reply.refused(422, "validation_failed")
    };
    refused(&key, json!({ "permissions": ["deals:write"] }));
    refused(&key, json!({ "permissions": ["nonsense:read"] }));
    refused(
        world.admin(),
        json!({ "partner_id": partner, "permissions": ["invoices:read"] }),
    );
    refused(
        world.admin(),
        json!({ "partner_id": partner, "refreshable": true }),
    );
    refused(
        world.admin(),
        json!({ "partner_id": "ptn_00000000000000000000000000" }),
    );
    refused(world.admin(), json!({ "expires_in_seconds": 3601 }));
    let other = world.partner("Suedwind");
    refused(&world.full_partner_key(&partner), json!({ "partner_id": other }));
    let opened = open(&key, json!({ "refreshable": true }));
    let session = bearer(&world, &opened);
    session.get("/v1/deals").expect(200);
    session.get("/v1/partners").refused(403, "permission_denied");
}

#[test]
fn a_session_ends_with_what_it_comes_from() {
    let ada = Ada::new();
    let opened = open(&ada.actor(), json!({ "refreshable": true }));
    let session = bearer(&ada.world, &opened);
    session.get("/v1/deals").expect(200);
    let admin = ada.world.admin();
    let why = json!({ "reason": "Left." });
    for path in [
        format!("/v1/users/{}", ada.user_id),
        format!("/v1/identity-providers/{}", ada.provider_id),
    ] {
        admin.post(&format!("{path}/suspend"), why.clone()).expect(200);
        session.get("/v1/deals").refused(401, "unauthorized");
        admin.act(&format!("{path}/reinstate")).expect(200);
        session.get("/v1/deals").expect(200);
    }
    let path = format!("/v1/users/{}/suspend", ada.user_id);
    admin.post(&path, why).expect(200);
    refresh(&ada.world, opened.text("/refresh_token")).refused(401, "unauthorized");
    let key = ada.world.key(&["deals:read"]);
    let of_key = bearer(&ada.world, &open(&key, json!({})));
    of_key.get("/v1/deals").expect(200);
    let revoke = format!("/v1/api-keys/{}/revoke", key.key_id.as_ref().unwrap());
    admin.act(&revoke).expect(200);
    of_key.get("/v1/deals").refused(401, "unauthorized");
}

#[test]
fn a_session_is_revoked_or_left() {
    let ada = Ada::new();
    let opened = open(&ada.actor(), json!({ "refreshable": true }));
    let session = bearer(&ada.world, &opened);
    session.get("/v1/me").expect(200);
    let path = format!("/v1/sessions/{}/revoke", opened.text("/session/id"));
    session.act(&path).refused(403, "permission_denied");
    let revoked = ada.world.admin().act(&path).expect(200);
    assert_eq!(revoked["revoked_because"], "revoked");
    session.get("/v1/me").refused(401, "unauthorized");
    refresh(&ada.world, opened.text("/refresh_token")).refused(401, "unauthorized");
    ada.world.admin().act(&path).refused(409, "wrong_state");
    let opened = open(&ada.actor(), json!({}));
    let session = bearer(&ada.world, &opened);
    let left = session.act("/v1/me/log-out").expect(200);
    assert_eq!(left["revoked_because"], "logged_out");
    session.get("/v1/me").refused(401, "unauthorized");
    ada.actor().act("/v1/me/log-out").refused(409, "wrong_state");
    assert_eq!(events(&ada.world, "session_revoked").len(), 2);
}

#[test]
fn a_refresh_token_is_good_once_and_reuse_ends_the_session() {
    let ada = Ada::new();
    let opened = open(&ada.actor(), json!({ "refreshable": true }));
    let first = opened.text("/refresh_token").to_owned();
    let second = refresh(&ada.world, &first).expect(200);
    let session = bearer(&ada.world, &second);
    assert_eq!(session.get("/v1/me").expect(200)["user_id"], ada.user_id.as_str());
    refresh(&ada.world, &first).refused(401, "unauthorized");
    session.get("/v1/me").refused(401, "unauthorized");
    bearer(&ada.world, &opened)
        .get("/v1/me")
        .refused(401, "unauthorized");
    refresh(&ada.world, second.text("/refresh_token")).refused(401, "unauthorized");
    let reuse = ada.last_event("refresh_token_reused");
    assert_eq!(reuse["session_id"], opened["session"]["id"]);
    assert_eq!(reuse["user_id"], ada.user_id.as_str());
    let ended = format!("/v1/sessions/{}", opened.text("/session/id"));
    let ended = ada.world.admin().get(&ended).expect(200);
    assert_eq!(ended["revoked_because"], "refresh_token_reused");
}

#[test]
fn of_two_who_refresh_at_once_one_gets_a_token_and_both_lose_the_session() {
    let ada = Ada::new();
    let opened = open(&ada.actor(), json!({ "refreshable": true }));
    let token = opened.text("/refresh_token");
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let both: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| refresh(&ada.world, token).status))
            .collect();
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    bearer(&ada.world, &opened)
        .get("/v1/me")
        .refused(401, "unauthorized");
}

#[test]
fn refreshing_ends_after_thirty_days_and_after_fourteen_of_silence() {
    let world = world();
    let opened = open(world.admin(), json!({ "refreshable": true }));
    let mut token = opened.text("/refresh_token").to_owned();
    for _ in 0..2 {
        world.pass(TimeDelta::days(13));
        let next = refresh(&world, &token).expect(200);
        token = next.text("/refresh_token").to_owned();
    }
    world.pass(TimeDelta::days(5));
    refresh(&world, &token).refused(401, "unauthorized");
    let opened = open(world.admin(), json!({ "refreshable": true }));
    world.pass(TimeDelta::days(14));
    refresh(&world, opened.text("/refresh_token")).refused(401, "unauthorized");
    let unknown = format!("cpr_{}", "A".repeat(43));
    refresh(&world, &unknown).refused(401, "unauthorized");
}

#[test]
fn tokens_are_shown_once() {
    let world = world();
    let body = json!({ "refreshable": true });
    let opened = world
        .admin()
        .post_with_key("k", "/v1/sessions", body.clone())
        .expect(201);
    let again = world.admin().post_with_key("k", "/v1/sessions", body).expect(201);
    assert_eq!(again["session"], opened["session"]);
    assert_eq!(again["access_token"], Value::Null);
    assert_eq!(again["refresh_token"], Value::Null);
    let (access, refresh) = (opened.text("/access_token"), opened.text("/refresh_token"));
    for table in [
        "events",
        "audit_events",
        "idempotency_keys",
        "sessions",
        "refresh_tokens",
    ] {
        for secret in [access, refresh] {
            let found = format!("SELECT count(*) AS count FROM {table} t WHERE t::text LIKE '%{secret}%'");
            assert_eq!(count(&mut world.database().owner(), &found), 0, "{table}");
        }
    }
}

#[test]
fn a_token_of_one_organization_is_nothing_in_another() {
    let world = world();
    let second = world.second_organization();
    let opened = open(world.admin(), json!({}));
    open(&second.admin, json!({}));
    let token = opened.text("/access_token");
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let claims = URL_SAFE_NO_PAD.decode(&parts[1]).unwrap();
    let claims = String::from_utf8(claims)
        .unwrap()
        .replace(&world.home.id.to_string(), &second.id.to_string());
    parts[1] = URL_SAFE_NO_PAD.encode(claims);
    world
        .bearer(&parts.join("."))
        .get("/v1/me")
        .refused(401, "unauthorized");
    world.bearer(token).get("/v1/me").expect(200);
}

#[test]
fn a_session_made_with_a_secret_that_was_replaced_ends_with_it() {
    let world = world();
    for is_remembered in [false, true] {
        let key = world.key(&["deals:read"]);
        if is_remembered {
            key.get("/v1/deals").expect(200);
        }
        let rotate = format!("/v1/api-keys/{}/rotate", key.key_id.as_ref().unwrap());
        world
            .admin()
            .post(&rotate, json!({ "overlap_seconds": 60 }))
            .expect(200);
        let of_old = open(&key, json!({ "refreshable": true, "expires_in_seconds": 600 }));
        let session = bearer(&world, &of_old);
        session.get("/v1/deals").expect(200);
        world.pass(TimeDelta::seconds(60));
        session.get("/v1/deals").refused(401, "unauthorized");
        refresh(&world, of_old.text("/refresh_token")).refused(401, "unauthorized");
    }
}

#[test]
fn a_session_that_is_made_while_its_key_is_rotated_does_not_outlive_it() {
    let world = world();
    for _ in 0..10 {
        let key = world.key(&["deals:read"]);
        let rotate = format!("/v1/api-keys/{}/rotate", key.key_id.as_ref().unwrap());
        let replies = at_once(2, |number| match number {
            0 => world.admin().post(&rotate, json!({ "overlap_seconds": 0 })),
            _ => key.post("/v1/sessions", json!({ "refreshable": true })),
        });
        assert_eq!(replies[0].status, 200, "{}", replies[0].raw());
        if replies[1].status == 201 {
            bearer(&world, &replies[1])
                .get("/v1/deals")
                .refused(401, "unauthorized");
            refresh(&world, replies[1].text("/refresh_token")).refused(401, "unauthorized");
        }
    }
}

#[test]
fn a_session_is_refreshed_from_where_its_key_may_be_used_and_while_it_may() {
    let world = world();
    let key = world.key(&["deals:read"]);
    let path = format!("/v1/api-keys/{}", key.key_id.as_ref().unwrap());
    let opened = open(&key, json!({ "refreshable": true }));
    let patch = |networks: Value| {
        let body = json!({ "allowed_networks": networks });
        world.admin().patch(&path, body).expect(200);
    };
    patch(json!(["192.0.2.0/24", "2001:db8::/32"]));
    refresh(&world, opened.text("/refresh_token")).refused(401, "unauthorized");
    patch(json!(["192.0.2.0/24", "127.0.0.0/8"]));
    let again = refresh(&world, opened.text("/refresh_token")).expect(200);
    let end = world.pass(TimeDelta::zero()) + TimeDelta::minutes(1);
    world
        .admin()
        .patch(&path, json!({ "expires_at": end }))
        .expect(200);
    world.pass(TimeDelta::minutes(1));
    refresh(&world, again.text("/refresh_token")).refused(401, "unauthorized");
}
