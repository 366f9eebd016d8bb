//! Where the service goes for keys, and what it puts up with.

use super::{Ada, connect, user, world};
use crate::world::{Mood, Provider, ProviderKey, World};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::json;

#[test]
fn keys_are_read_once_and_again_when_one_is_missing() {
    let ada = Ada::new();
    ada.actor().get("/v1/me").expect(200);
    assert_eq!(ada.provider.asked(), 1);
    ada.world.pass(TimeDelta::minutes(2));
    let two = ProviderKey::ed25519("two", 2);
    ada.provider.set_keys(&[two.clone(), ada.key.clone()]);
    ada.actor().get("/v1/me").expect(200);
    assert_eq!(ada.provider.asked(), 2);
    for number in 0..5 {
        let unknown = ProviderKey::ed25519(&format!("unknown-{number}"), 9);
        let token = unknown.sign(&ada.claims());
        ada.world
            .bearer(&token)
            .get("/v1/me")
            .refused(401, "unauthorized");
    }
    assert_eq!(ada.provider.asked(), 2, "not again within the minute");
    ada.world.pass(TimeDelta::seconds(60));
    let unknown = ProviderKey::ed25519("unknown", 9).sign(&ada.claims());
    ada.world
        .bearer(&unknown)
        .get("/v1/me")
        .refused(401, "unauthorized");
    assert_eq!(ada.provider.asked(), 3);
}

#[test]
fn the_last_good_keys_outlive_an_outage_for_a_day() {
    let ada = Ada::new();
    ada.actor().get("/v1/me").expect(200);
    ada.provider.set_mood(Mood::Status(503));
    ada.world.pass(TimeDelta::hours(23));
    ada.actor().get("/v1/me").expect(200);
    ada.world.pass(TimeDelta::hours(2));
    ada.actor().get("/v1/me").refused(401, "unauthorized");
    ada.provider.set_mood(Mood::Well);
    ada.world.pass(TimeDelta::minutes(1));
    ada.actor().get("/v1/me").expect(200);
}

#[test]
fn the_last_good_keys_outlive_a_restart() {
    let mut ada = Ada::new();
    ada.actor().get("/v1/me").expect(200);
    ada.provider.set_mood(Mood::Status(503));
    let asked = ada.provider.asked();
    ada.world.restart();
    ada.actor().get("/v1/me").expect(200);
    assert_eq!(ada.provider.asked(), asked, "they were kept");
}

#[test]
fn whatever_the_provider_answers_nobody_comes_in_by_it() {
    for mood in [
        Mood::Status(500),
        Mood::Status(404),
        Mood::Endless,
        Mood::Redirect("http://127.0.0.1:1/elsewhere".to_owned()),
    ] {
        let ada = Ada::new();
        ada.provider.set_mood(mood.clone());
        let refused = ada.actor().get("/v1/me");
        refused.refused(401, "unauthorized");
        let path = format!("/v1/identity-providers/{}/read-keys", ada.provider_id);
        let read = ada.world.admin().act(&path).expect(200);
        assert_eq!(read["readable"], false, "{mood:?}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let ada = Ada::new();
    let elsewhere = Provider::start(std::slice::from_ref(&ada.key));
    ada.provider.set_mood(Mood::Redirect(elsewhere.jwks_url()));
    ada.actor().get("/v1/me").refused(401, "unauthorized");
    assert_eq!(elsewhere.asked(), 0);
}

#[test]
fn a_provider_that_says_nothing_keeps_nobody_else_waiting() {
    let ada = Ada::new();
    ada.provider.set_mood(Mood::Silent);
    let token = ada.token();
    let held = std::thread::scope(|scope| {
        let held: Vec<_> = (0..6)
            .map(|number| {
                let mut claims = ada.claims();
                claims["jti"] = json!(number);
                let actor = ada.world.bearer(&ada.key.sign(&claims));
                scope.spawn(move || actor.get("/v1/me").status)
            })
            .collect();
        while ada.provider.asked() == 0 {
            std::thread::yield_now();
        }
        for _ in 0..20 {
            ada.world.admin().get("/v1/me").expect(200);
        }
        held.into_iter()
            .map(|one| one.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(held, [401; 6]);
    assert_eq!(ada.provider.asked(), 1, "one asks for all");
    ada.provider.set_mood(Mood::Well);
    ada.world.pass(TimeDelta::seconds(60));
    ada.world.bearer(&token).get("/v1/me").expect(200);
}

#[test]
fn nothing_inside_the_house_is_asked_unless_it_is_allowed() {
    let world = World::new();
    let key = ProviderKey::ed25519("one", 1);
    let provider = Provider::start(std::slice::from_ref(&key));
    let mut settings = provider.settings();
    world
        .admin()
        .post("/v1/identity-providers", settings.clone())
        .refused(422, "validation_failed");
    settings["jwks_url"] = json!(provider.jwks_url().replace("http:", "https:"));
    let id = world
        .admin()
        .post("/v1/identity-providers", settings)
        .expect(201)
        .id();
    let read = format!("/v1/identity-providers/{id}/read-keys");
    assert_eq!(world.admin().act(&read).expect(200)["readable"], false);
    user(&world, "ada@nordlicht.example", "sales", None);
    let token = provider.token("1", "ada@nordlicht.example", world.clock.now());
    world.bearer(&token).get("/v1/me").refused(401, "unauthorized");
    assert_eq!(provider.asked(), 0);
}

#[test]
fn keys_may_be_handed_over_instead() {
    let world = world();
    let key = ProviderKey::ed25519("one", 1);
    let provider = Provider::start(std::slice::from_ref(&key));
    let mut settings = provider.settings();
    settings.as_object_mut().unwrap().remove("jwks_url");
    settings["jwks"] = json!({ "keys": [key.public()] });
    let id = world
        .admin()
        .post("/v1/identity-providers", settings)
        .expect(201)
        .id();
    user(&world, "ada@nordlicht.example", "sales", None);
    let token = provider.token("1", "ada@nordlicht.example", world.clock.now());
    world.bearer(&token).get("/v1/me").expect(200);
    assert_eq!(provider.asked(), 0);
    let path = format!("/v1/identity-providers/{id}");
    let read = world.admin().act(&format!("{path}/read-keys")).expect(200);
    assert_eq!(
        (&read["readable"], &read["usable_keys"]),
        (&json!(true), &json!(1))
    );
    let patch = json!({ "jwks_url": provider.jwks_url() });
    let now_read = world.admin().patch(&path, patch).expect(200);
    assert_eq!(now_read["jwks"], json!(null));
    world.bearer(&token).get("/v1/me").expect(200);
    assert_eq!(provider.asked(), 1);
    assert_ne!(world.admin().get(&path).expect(200)["keys_read_at"], json!(null));
}

#[test]
fn a_provider_of_the_same_name_does_no_harm() {
    let ada = Ada::new();
    let thief = ProviderKey::ed25519("one", 9);
    let second = ada.world.second_organization();
    let mut settings = ada.provider.settings();
    settings.as_object_mut().unwrap().remove("jwks_url");
    settings["jwks"] = json!({ "keys": [thief.public()] });
    second.admin.post("/v1/identity-providers", settings).expect(201);
    ada.actor().get("/v1/me").expect(200);
    let forged = thief.sign(&ada.claims());
    ada.world
        .bearer(&forged)
        .get("/v1/me")
        .refused(401, "unauthorized");
    let _ = connect(&ada.world, &ada.provider, json!({ "audiences": ["another"] }));
    ada.actor().get("/v1/me").expect(200);
}

#[test]
fn keys_of_an_address_that_was_left_are_believed_no_more() {
    let ada = Ada::new();
    ada.actor().get("/v1/me").expect(200);
    let elsewhere = Provider::start(&[ProviderKey::ed25519("two", 2)]);
    elsewhere.set_mood(Mood::Status(404));
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    let moved = json!({ "jwks_url": elsewhere.jwks_url() });
    ada.world.admin().patch(&path, moved).expect(200);
    let read = ada.world.admin().act(&format!("{path}/read-keys")).expect(200);
    assert_eq!(read["readable"], false);
    ada.actor().get("/v1/me").refused(401, "unauthorized");
}

#[test]
fn a_token_is_good_no_longer_than_its_key_is_published() {
    let ada = Ada::new();
    let actor = ada.actor();
    actor.get("/v1/me").expect(200);
    ada.provider.set_keys(&[ProviderKey::ed25519("two", 2)]);
    // The set counts for ten minutes; then it is read anew behind the back of whoever needs it, and the next look at the
    // token, after ten minutes more, no longer finds its key.
    ada.world.pass(TimeDelta::minutes(10));
    let read = format!("/v1/identity-providers/{}/read-keys", ada.provider_id);
    ada.world.admin().act(&read).expect(200);
    actor.get("/v1/me").refused(401, "unauthorized");
}
