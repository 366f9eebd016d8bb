//! People whom a provider vouches for and who were never here: how many, who is told of, and what of a key set is kept.

use super::{Ada, events};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use serde_json::json;

#[test]
fn each_person_who_is_refused_is_told_of() {
    let ada = Ada::new();
    let now = ada.world.clock.now();
    for name in ["bob", "carol"] {
        let token = ada
            .provider
            .token(name, &format!("{name}@nordlicht.example"), now);
        for _ in 0..2 {
            ada.world
                .bearer(&token)
                .get("/v1/me")
                .refused(401, "unauthorized");
        }
    }
    let refused = events(&ada.world, "refused");
    let mut subjects: Vec<&str> = refused.iter().filter_map(|one| one["subject"].as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["bob", "carol"]);
}

#[test]
fn a_provider_brings_a_thousand_people_a_day_at_most() {
    let ada = Ada::new();
    ada.actor().get("/v1/me").expect(200);
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    let patch = json!({ "provisioning": "just_in_time" });
    ada.world.admin().patch(&path, patch).expect(200);
    let known = "INSERT INTO identities (organization_id, identity_provider_id, subject, user_id, created_at) \
        SELECT organization_id, identity_provider_id, 'known-' || n, user_id, created_at \
        FROM identities, generate_series(2, 1000) AS n";
    ada.world.database().owner().batch_execute(known).unwrap();
    let bob = |now| ada.provider.token("bob-1", "bob@nordlicht.example", now);
    let come = |now| ada.world.bearer(&bob(now)).get("/v1/me");
    come(ada.world.clock.now()).refused(401, "unauthorized");
    let refused = events(&ada.world, "refused");
    assert_eq!(refused[0]["reason"], "newcomers_too_many");
    ada.world.pass(TimeDelta::hours(24));
    come(ada.world.clock.now()).expect(200);
}

#[test]
fn of_an_inline_key_set_the_keys_alone_are_kept() {
    let ada = Ada::new();
    let set = json!({ "keys": [ada.key.public()], "private": { "d": "a-secret" } });
    let more = json!({ "jwks": set, "audiences": ["another"] });
    let mut body = ada.provider.settings();
    body.as_object_mut().unwrap().remove("jwks_url");
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let made = ada.world.admin().post("/v1/identity-providers", body).expect(201);
    assert_eq!(made["jwks"], json!({ "keys": [ada.key.public()] }));
}
