//! Whose people come in by an issuer and audience that several have connected.

use super::{Ada, connect, user, world};
use crate::world::{Actor, Provider, ProviderKey, World};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

/// A partner connects a provider that may be somebody else's, and would make users of whoever comes by it.
fn squat(world: &World, partner: &str, provider: &Provider) -> String {
    let mut settings = provider.settings();
    settings["provisioning"] = json!("just_in_time");
    let made = world
        .full_partner_key(partner)
        .post("/v1/identity-providers", settings);
    made.expect(201).id()
}

/// Somebody with a fresh token of the provider.
fn comes(world: &World, provider: &Provider, name: &str) -> Actor {
    world.pass(TimeDelta::seconds(1));
    let now = world.clock.now();
    world.bearer(&provider.token(name, &format!("{name}@nordlicht.example"), now))
}

#[test]
fn a_partner_with_the_organizations_provider_comes_by_nobody_of_it() {
    let ada = Ada::new();
    let partner = ada.world.partner("Suedwind");
    squat(&ada.world, &partner, &ada.provider);
    comes(&ada.world, &ada.provider, "eve")
        .get("/v1/me")
        .refused(401, "unauthorized");
    let eve = user(&ada.world, "eve@nordlicht.example", "sales", None);
    let me = comes(&ada.world, &ada.provider, "eve").get("/v1/me").expect(200);
    assert_eq!((&me["user_id"], &me["partner_id"]), (&json!(eve), &Value::Null));
    // Nor while the organization's own is suspended.
    let own = format!("/v1/identity-providers/{}", ada.provider_id);
    let why = json!({ "reason": "Looked into." });
    ada.world.admin().post(&format!("{own}/suspend"), why).expect(200);
    for name in ["eve", "carol"] {
        comes(&ada.world, &ada.provider, name)
            .get("/v1/me")
            .refused(401, "unauthorized");
    }
    let users = ada.world.admin().all(&format!("/v1/users?partner_id={partner}"));
    assert_eq!(users, [] as [Value; 0]);
}

#[test]
fn of_two_partners_with_one_provider_the_first_has_its_people() {
    let world = world();
    let (one, two) = (world.partner("Nordlicht"), world.partner("Suedwind"));
    let provider = Provider::start(&[ProviderKey::rsa("one")]);
    let first = connect(&world, &provider, json!({ "partner_id": one }));
    world.pass(TimeDelta::seconds(1));
    squat(&world, &two, &provider);
    comes(&world, &provider, "eve")
        .get("/v1/me")
        .refused(401, "unauthorized");
    user(&world, "eve@nordlicht.example", "partner_member", Some(&one));
    let me = comes(&world, &provider, "eve").get("/v1/me").expect(200);
    assert_eq!(me["partner_id"], one.as_str());
    // Whoever connected somebody else's first is suspended, and is in nobody's way then.
    let why = json!({ "reason": "Not theirs." });
    world
        .admin()
        .post(&format!("/v1/identity-providers/{first}/suspend"), why)
        .expect(200);
    let me = comes(&world, &provider, "carol").get("/v1/me").expect(200);
    assert_eq!(me["partner_id"], two.as_str());
}

/// An issuer that many share, such as a public one, tells tenants apart by their domains.
#[test]
fn domains_tell_apart_whose_people_come_by_an_issuer_that_tenants_share() {
    let world = world();
    let (one, two) = (world.partner("Nordlicht"), world.partner("Suedwind"));
    let provider = Provider::start(&[ProviderKey::rsa("one")]);
    for (partner, domain) in [(&two, "suedwind.example"), (&one, "nordlicht.example")] {
        let more =
            json!({ "partner_id": partner, "email_domains": [domain], "provisioning": "just_in_time" });
        connect(&world, &provider, more);
        world.pass(TimeDelta::seconds(1));
    }
    let me = comes(&world, &provider, "eve").get("/v1/me").expect(200);
    assert_eq!(me["partner_id"], one.as_str());
}
