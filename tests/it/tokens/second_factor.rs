//! What takes a sign-in by more than a password.

use super::{Ada, user};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

fn sign_in(ada: &Ada, subject: &str, email: &str, more: &[(&str, Value)]) -> crate::world::Actor {
    let mut claims = ada.provider.claims(subject, email, ada.world.clock.now());
    for (name, value) in more {
        claims[*name] = value.clone();
    }
    ada.world.bearer(&ada.key.sign(&claims))
}

#[test]
fn payouts_are_approved_with_a_second_factor_where_it_is_asked_for() {
    let ada = Ada::new();
    let by = ("amr", json!(["pwd", "mfa"]));
    user(&ada.world, "carol@nordlicht.example", "admin", None);
    user(&ada.world, "dora@nordlicht.example", "admin", None);
    let setting = json!({ "second_factor_for_payouts": true });
    ada.world
        .admin()
        .patch("/v1/organization", setting.clone())
        .refused(403, "second_factor_required");
    let carol = sign_in(
        &ada,
        "carol",
        "carol@nordlicht.example",
        std::slice::from_ref(&by),
    );
    carol.patch("/v1/organization", setting).expect(200);
    let draft = json!({ "cut_off_at": ada.world.clock.now(), "rail": "manual" });
    let run = carol.post_once("/v1/payout-runs", draft).expect(201);
    let path = format!("/v1/payout-runs/{}/approve", run.id());
    let approve = |actor: &crate::world::Actor| {
        let ask = actor.ask("POST", &path).header("Idempotency-Key", "a");
        ask.header("If-Match", run.header("etag")).send()
    };
    let weak = sign_in(&ada, "dora", "dora@nordlicht.example", &[("amr", json!(["pwd"]))]);
    let refused = approve(&weak).refused(403, "second_factor_required");
    let challenge = refused.header("www-authenticate");
    assert_eq!(challenge, "Bearer error=\"insufficient_user_authentication\"");
    approve(ada.world.admin()).refused(403, "second_factor_required");
    let strong = sign_in(&ada, "dora", "dora@nordlicht.example", std::slice::from_ref(&by));
    let session = strong.post("/v1/sessions", json!({})).expect(201);
    let session = ada.world.bearer(session.text("/access_token"));
    approve(&session).expect(200);
    let provider = format!("/v1/identity-providers/{}", ada.provider_id);
    let easier = json!({ "second_factor_methods": ["pwd"] });
    ada.world
        .admin()
        .patch(&provider, easier)
        .refused(403, "second_factor_required");
    let off = json!({ "second_factor_for_payouts": false });
    weak.patch("/v1/organization", off.clone())
        .refused(403, "second_factor_required");
    strong.patch("/v1/organization", off).expect(200);
}

#[test]
fn where_money_goes_is_changed_with_a_second_factor_where_it_is_asked_for() {
    let ada = Ada::new();
    let by = ("amr", json!(["mfa"]));
    for name in ["carol", "dora"] {
        user(&ada.world, &format!("{name}@nordlicht.example"), "admin", None);
    }
    let carol = sign_in(
        &ada,
        "carol",
        "carol@nordlicht.example",
        std::slice::from_ref(&by),
    );
    let setting = json!({ "second_factor_for_payouts": true });
    carol.patch("/v1/organization", setting).expect(200);
    let method = json!({
        "partner_id": ada.world.partner("Nordlicht"), "currency": "EUR",
        "kind": "manual", "instruction": "By cheque."
    });
    let weak = sign_in(&ada, "dora", "dora@nordlicht.example", &[]);
    let at_once = json!({ "payout_method_cooling_off_hours": 0 });
    for actor in [&weak, ada.world.admin()] {
        actor
            .patch("/v1/organization", at_once.clone())
            .refused(403, "second_factor_required");
    }
    carol.patch("/v1/organization", at_once).expect(200);
    let path = "/v1/payout-methods";
    weak.post(path, method.clone())
        .refused(403, "second_factor_required");
    let proposed = carol.post(path, method).expect(201).id();
    let confirm = format!("{path}/{proposed}/confirm");
    weak.act(&confirm).refused(403, "second_factor_required");
    let strong = sign_in(&ada, "dora", "dora@nordlicht.example", &[by]);
    strong.act(&confirm).expect(200);
}

#[test]
fn a_second_factor_is_what_the_provider_was_set_up_with() {
    let ada = Ada::new();
    user(&ada.world, "carol@nordlicht.example", "admin", None);
    let tries = |more: &[(&str, Value)]| {
        ada.world.pass(TimeDelta::seconds(1));
        let carol = sign_in(&ada, "carol", "carol@nordlicht.example", more);
        let session = carol.post("/v1/sessions", json!({})).expect(201);
        session["session"]["second_factor"] == true
    };
    assert!(!tries(&[]));
    assert!(tries(&[("amr", json!("mfa"))]));
    assert!(!tries(&[("amr", json!(["otp"]))]));
    assert!(!tries(&[("acr", json!("urn:silver"))]));
    let path = format!("/v1/identity-providers/{}", ada.provider_id);
    let patch = json!({ "second_factor_methods": ["otp"], "second_factor_classes": ["urn:silver"] });
    ada.world.admin().patch(&path, patch).expect(200);
    assert!(tries(&[("amr", json!(["otp"]))]));
    assert!(tries(&[("acr", json!("urn:silver"))]));
    assert!(!tries(&[("amr", json!("mfa"))]));
}
