//! Tokens: of identity providers, and of the service's own.

mod forged;
mod newcomers;
mod outbound;
mod second_factor;
mod sessions;
mod signing_in;
mod tenants;

use crate::world::{Actor, Provider, ProviderKey, Settings, World};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

/// A world in which providers on this machine may be asked.
fn world() -> World {
    World::with(Settings {
        outbound: true,
        ..Settings::default()
    })
}

/// Connects a provider of the organization, with these settings besides the usual ones; its id.
fn connect(world: &World, provider: &Provider, more: Value) -> String {
    let mut body = provider.settings();
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    world
        .admin()
        .post("/v1/identity-providers", body)
        .expect(201)
        .id()
}

/// A user with a built-in role; its id.
fn user(world: &World, email: &str, role: &str, partner_id: Option<&str>) -> String {
    let roles = world.admin().all("/v1/roles");
    let role = roles.iter().find(|one| one["built_in"] == role).unwrap();
    let mut body = json!({ "name": "Ada", "email": email, "role_ids": [role["id"]] });
    if let Some(partner_id) = partner_id {
        body["partner_id"] = json!(partner_id);
    }
    world.admin().post("/v1/users", body).expect(201).id()
}

/// Ada, a sales person, with the provider that she comes from.
struct Ada {
    world: World,
    provider: Provider,
    key: ProviderKey,
    provider_id: String,
    user_id: String,
}

impl Ada {
    fn new() -> Self {
        let world = world();
        let key = ProviderKey::rsa("one");
        let provider = Provider::start(std::slice::from_ref(&key));
        let provider_id = connect(&world, &provider, json!({}));
        let user_id = user(&world, "ada@nordlicht.example", "sales", None);
        Self {
            world,
            provider,
            key,
            provider_id,
            user_id,
        }
    }

    fn claims(&self) -> Value {
        let now = self.world.clock.now();
        self.provider.claims("ada-1", "ada@nordlicht.example", now)
    }

    fn token(&self) -> String {
        let now = self.world.clock.now();
        self.provider.token("ada-1", "ada@nordlicht.example", now)
    }

    fn actor(&self) -> Actor {
        self.world.bearer(&self.token())
    }

    /// What the login history says last, of this type.
    fn last_event(&self, event_type: &str) -> Value {
        events(&self.world, event_type).swap_remove(0)
    }
}

/// The login history of this type, newest first.
fn events(world: &World, event_type: &str) -> Vec<Value> {
    world.settle();
    world
        .admin()
        .all(&format!("/v1/authentication-events?type={event_type}"))
}
