//! A connected account is a payout method like the others.

use super::ACCOUNT;
use crate::world::World;
use serde_json::{Value, json};

const PATH: &str = "/v1/payout-methods";
const IBAN: &str = "DE89370400440532013000";

#[test]
fn a_connected_account_at_stripe_is_a_method_like_the_others_and_shown_masked() {
    let world = World::new();
    let partner = world.partner("Nordlicht");
    let account = ACCOUNT;
    let body =
        json!({ "partner_id": partner, "currency": "EUR", "kind": "stripe", "stripe_account": account });
    let proposed = world.admin().post(PATH, body.clone()).expect(201);
    let confirm = format!("{PATH}/{}/confirm", proposed.id());
    assert_eq!(proposed["masked_stripe_account"], "****EwkZ");
    assert_eq!(
        (
            &proposed["masked_iban"],
            &proposed["instruction"],
            &proposed["account_holder"]
        ),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    world.admin().act(&confirm).refused(409, "second_person_required");
    let confirmed = world
        .another_hand(&["payout_methods:confirm"])
        .act(&confirm)
        .expect(200);
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
    let with_iban = json!({
        "partner_id": partner, "currency": "EUR", "kind": "bank_account", "account_holder": "Nordlicht", "iban": IBAN,
        "stripe_account": account
    });
    world
        .admin()
        .post(PATH, with_iban)
        .refused(422, "validation_failed")
        .pointer("/stripe_account", "not_of_this_kind");
}
