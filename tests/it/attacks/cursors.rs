//! Cursors in wrong hands: of another list, another tenant, another partner, or made up.

use crate::world::{Actor, World};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

fn fill(admin: &Actor, resource: &str) {
    for number in 1..=3 {
        let mut body = json!({ "name": format!("Number {number}") });
        if resource == "pipeline-stages" {
            body["position"] = json!(number);
        }
        admin.post(&format!("/v1/{resource}"), body).expect(201);
    }
}

/// The cursor of the second page.
fn cursor(actor: &Actor, resource: &str) -> String {
    let page = actor.get(&format!("/v1/{resource}?limit=1")).expect(200);
    page.text("/next_cursor").to_owned()
}

fn follow(actor: &Actor, resource: &str, cursor: &str) -> crate::world::Reply {
    actor.get(&format!("/v1/{resource}?limit=1&cursor={cursor}"))
}

#[test]
fn a_cursor_of_another_organization_is_refused() {
    let world = World::new();
    let stranger = world.second_organization();
    fill(world.admin(), "product-families");
    fill(&stranger.admin, "product-families");
    let given = cursor(world.admin(), "product-families");
    follow(world.admin(), "product-families", &given).expect(200);
    follow(&stranger.admin, "product-families", &given)
        .refused(422, "invalid_cursor")
        .pointer("?cursor", "invalid_cursor");
}

#[test]
fn a_cursor_of_another_partner_is_refused() {
    let world = World::new();
    fill(world.admin(), "product-families");
    let [one, other] = ["One", "Other"].map(|name| world.full_partner_key(&world.partner(name)));
    let given = cursor(&one, "product-families");
    follow(&one, "product-families", &given).expect(200);
    for actor in [&other, world.admin()] {
        follow(actor, "product-families", &given).refused(422, "invalid_cursor");
    }
}

#[test]
fn a_cursor_outlives_the_key_that_got_it() {
    let world = World::new();
    fill(world.admin(), "product-families");
    let given = cursor(world.admin(), "product-families");
    let next_key = world.key(&["product_families:read"]);
    follow(&next_key, "product-families", &given).expect(200);
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let world = World::new();
    for resource in ["product-families", "pipeline-stages"] {
        fill(world.admin(), resource);
    }
    // Both lists take the same parameters.
    let given = cursor(world.admin(), "product-families");
    follow(world.admin(), "pipeline-stages", &given).refused(422, "invalid_cursor");
}

#[test]
fn a_made_up_position_shows_what_the_scope_shows_anyway() {
    let world = World::new();
    let stranger = world.second_organization();
    fill(world.admin(), "product-families");
    fill(&stranger.admin, "product-families");
    let given = cursor(world.admin(), "product-families");
    let bytes = URL_SAFE_NO_PAD.decode(given).unwrap();
    let mut opened: Value = serde_json::from_slice(&bytes).unwrap();
    opened["p"]["i"] = json!("ffffffff-ffff-7fff-bfff-ffffffffffff");
    for key in ["", "' OR true --", "2099-01-01T00:00:00Z", "\u{0}", "NaN"] {
        opened["p"]["k"] = json!(key);
        let forged = URL_SAFE_NO_PAD.encode(opened.to_string());
        let path = format!("/v1/product-families?limit=100&cursor={forged}");
        let reply = world.admin().get(&path);
        assert!([200, 422].contains(&reply.status), "{}", reply.raw());
        if reply.status == 200 {
            assert_eq!(reply.data().len(), 3, "{}", reply.raw());
        }
    }
}
