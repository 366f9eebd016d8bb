//! Tokens that somebody made who should not have.

use super::{Ada, connect, events, user, world};
use crate::world::{Provider, ProviderKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// The token is refused, and the good one of the same moment is not.
#[track_caller]
fn refuse(ada: &Ada, token: &str) {
    ada.world.bearer(token).get("/v1/me").refused(401, "unauthorized");
    ada.actor().get("/v1/me").expect(200);
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[test]
fn algorithm_none() {
    let ada = Ada::new();
    for algorithm in ["none", "None", "NONE", ""] {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": "one" });
        let unsigned = format!("{}.{}.", part(&header), part(&ada.claims()));
        refuse(&ada, &unsigned);
        let signature = ada.token();
        let signature = signature.rsplit('.').next().unwrap();
        refuse(&ada, &format!("{unsigned}{signature}"));
    }
}

#[test]
fn hs256_with_the_public_key_as_secret() {
    let ada = Ada::new();
    let public = ada.key.public();
    let modulus = URL_SAFE_NO_PAD.decode(public["n"].as_str().unwrap()).unwrap();
    let header = Header {
        kid: Some("one".to_owned()),
        ..Header::new(Algorithm::HS256)
    };
    for secret in [modulus, public.to_string().into_bytes()] {
        let token = encode(&header, &ada.claims(), &EncodingKey::from_secret(&secret)).unwrap();
        refuse(&ada, &token);
    }
}

#[test]
fn unknown_and_path_like_key_ids() {
    let ada = Ada::new();
    for id in [
        "two",
        "../../../dev/null",
        "/etc/passwd",
        "one' OR '1'='1",
        "http://127.0.0.1/jwks.json",
        "",
    ] {
        let header = Header {
            kid: Some(id.to_owned()),
            ..Header::new(Algorithm::RS256)
        };
        refuse(&ada, &ada.key.sign_with(&header, &ada.claims()));
    }
}

#[test]
fn a_key_that_the_token_brings_along_is_not_looked_at() {
    let ada = Ada::new();
    let thief = ProviderKey::ed25519("one", 9);
    let hideout = Provider::start(std::slice::from_ref(&thief));
    for (member, value) in [
        ("jku", json!(hideout.jwks_url())),
        ("x5u", json!(hideout.jwks_url())),
        ("jwk", thief.public()),
    ] {
        let mut header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "one" });
        header[member] = value;
        let header: Header = serde_json::from_value(header).unwrap();
        refuse(&ada, &thief.sign_with(&header, &ada.claims()));
    }
    assert_eq!(hideout.asked(), 0);
}

#[test]
fn a_header_that_demands_to_be_understood_is_not() {
    let ada = Ada::new();
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "one", "crit": ["exp"] });
    let header: Header = serde_json::from_value(header).unwrap();
    refuse(&ada, &ada.key.sign_with(&header, &ada.claims()));
}

#[test]
fn an_algorithm_that_the_provider_was_not_registered_with() {
    let ada = Ada::new();
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    let patch = json!({ "algorithms": ["ES256"] });
    ada.world.admin().patch(&path, patch).expect(200);
    ada.actor().get("/v1/me").refused(401, "unauthorized");
    let patch = json!({ "algorithms": ["RS256"] });
    ada.world.admin().patch(&path, patch).expect(200);
    ada.actor().get("/v1/me").expect(200);
}

#[test]
fn expired_not_yet_valid_and_timeless_tokens() {
    let ada = Ada::new();
    let now = ada.world.clock.now().timestamp();
    for (member, value) in [
        ("exp", json!(now - 31)),
        ("exp", json!("2126-01-01T00:00:00Z")),
        ("exp", Value::Null),
        ("nbf", json!(now + 31)),
        ("iat", json!(now + 31)),
        ("exp", json!(1e300)),
    ] {
        let mut claims = ada.claims();
        claims[member] = value;
        refuse(&ada, &ada.key.sign(&claims));
    }
    let mut endless = ada.claims();
    endless.as_object_mut().unwrap().remove("exp");
    refuse(&ada, &ada.key.sign(&endless));
    let token = ada.token();
    ada.world.bearer(&token).get("/v1/me").expect(200);
    ada.world.pass(TimeDelta::minutes(61));
    refuse(&ada, &token);
}

#[test]
fn another_issuer_or_audience() {
    let ada = Ada::new();
    for (member, value) in [
        ("iss", json!("https://elsewhere.example")),
        ("iss", json!(format!("{}/", ada.provider.issuer()))),
        ("iss", json!(7)),
        ("aud", json!("another-service")),
        ("aud", json!(["another-service"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("a\0b")),
        ("sub", json!("x".repeat(256))),
    ] {
        let mut claims = ada.claims();
        claims[member] = value;
        refuse(&ada, &ada.key.sign(&claims));
    }
    let mut several = ada.claims();
    several["aud"] = json!(["another-service", "copartner"]);
    let several = ada.world.bearer(&ada.key.sign(&several));
    several.get("/v1/me").expect(200);
}

#[test]
fn a_provider_of_another_organization() {
    let ada = Ada::new();
    let second = ada.world.second_organization();
    let key = ProviderKey::ed25519("two", 3);
    let provider = Provider::start(std::slice::from_ref(&key));
    let settings = provider.settings();
    second.admin.post("/v1/identity-providers", settings).expect(201);
    let mut claims = ada.claims();
    let token = key.sign(&claims);
    refuse(&ada, &token);
    claims["iss"] = json!(provider.issuer());
    refuse(&ada, &key.sign(&claims));
    let home = ada.world.home.id.to_string();
    let stranger = ada.world.bearer(&key.sign(&claims));
    let ask = stranger.ask("GET", "/v1/me");
    ask.header("Copartner-Organization", &home)
        .send()
        .refused(401, "unauthorized");
}

#[test]
fn a_changed_token_and_one_without_its_parts() {
    let ada = Ada::new();
    let token = ada.token();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let mut claims = ada.claims();
    claims["sub"] = json!("carol");
    let header = token.split('.').next().unwrap();
    refuse(&ada, &format!("{header}.{}.{signature}", part(&claims)));
    for text in [
        head.to_owned(),
        format!("{head}."),
        format!("{token}."),
        format!("{token}.{signature}"),
        token.to_uppercase(),
        ".".repeat(2),
        "x".repeat(20_000),
    ] {
        refuse(&ada, &text);
    }
}

#[test]
fn a_refusal_is_in_the_login_history_with_its_reason_and_the_refused_hear_none() {
    let ada = Ada::new();
    let mut claims = ada.claims();
    claims["exp"] = json!(ada.world.clock.now().timestamp() - 3600);
    let expired = ada.world.bearer(&ada.key.sign(&claims)).get("/v1/me");
    let nobody = ada.world.bearer("cpk_unknown").get("/v1/me");
    let without_id = |reply: &crate::world::Reply| {
        let mut body = reply.body.clone();
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    assert_eq!(without_id(&expired), without_id(&nobody));
    ada.world.settle();
    let refusal = ada.last_event("refused");
    assert_eq!(refusal["reason"], "token_expired");
    assert_eq!(refusal["identity_provider_id"], ada.provider_id.as_str());
    assert_eq!(refusal["subject"], Value::Null);
}

#[test]
fn a_token_for_somebody_else_is_in_the_login_history_of_whom_it_was_not_for() {
    let ada = Ada::new();
    let mut claims = ada.claims();
    claims["aud"] = json!("another-service");
    refuse(&ada, &ada.key.sign(&claims));
    let refusal = ada.last_event("refused");
    assert_eq!(refusal["reason"], "audience_not_allowed");
    assert_eq!(refusal["identity_provider_id"], ada.provider_id.as_str());
    // Where one provider takes it, the others of its issuer have nothing to say.
    connect(
        &ada.world,
        &ada.provider,
        json!({ "name": "Another", "audiences": ["another-service"] }),
    );
    let before = events(&ada.world, "refused").len();
    ada.world.pass(TimeDelta::minutes(2));
    ada.world.bearer(&ada.token()).get("/v1/me").expect(200);
    assert_eq!(events(&ada.world, "refused").len(), before);
}

#[test]
fn a_refused_key_is_in_the_login_history() {
    let world = world();
    let key = world.key(&["deals:read"]);
    let id = key.key_id.clone().unwrap();
    world
        .admin()
        .act(&format!("/v1/api-keys/{id}/revoke"))
        .expect(200);
    key.get("/v1/deals").refused(401, "unauthorized");
    key.get("/v1/deals").refused(401, "unauthorized");
    world.settle();
    let refusals = events(&world, "refused");
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert_eq!(refusals[0]["reason"], "key_revoked");
    assert_eq!(refusals[0]["api_key_id"], id.as_str());
}

#[test]
fn a_partner_sees_its_own_login_history_alone() {
    let world = world();
    let (one, two) = (world.partner("Nordlicht"), world.partner("Suedwind"));
    for (number, partner) in [&one, &two].into_iter().enumerate() {
        let key = ProviderKey::ed25519("k", 1);
        let provider = Provider::start(std::slice::from_ref(&key));
        connect(&world, &provider, json!({ "partner_id": partner }));
        let email = format!("ada{number}@nordlicht.example");
        user(&world, &email, "partner_member", Some(partner));
        let token = provider.token("1", &email, world.clock.now());
        world.bearer(&token).get("/v1/me").expect(200);
    }
    let seen = world.full_partner_key(&one).all("/v1/authentication-events");
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0]["partner_id"], one.as_str());
}
