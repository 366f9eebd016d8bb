//! The audit trail: every entry is sealed, in a chain that shows what was done to it behind the service's back.

mod reading;
mod rights;
mod sealing;
mod tampering;

use crate::world::{Reply, World, names};
use copartner::kernel::id::AuditEventId;
use diesel::PgConnection;
use diesel::connection::SimpleConnection;

const PATH: &str = "/v1/audit-chain";

/// A world whose trail has some entries, all of them sealed.
fn busy() -> World {
    let world = World::new();
    for name in ["Nordlicht", "Harbor", "Lakeside"] {
        world.partner(name);
    }
    world.work();
    world
}

#[track_caller]
fn chain(world: &World) -> Reply {
    world.admin().get(PATH).expect(200)
}

#[track_caller]
fn number(reply: &Reply, member: &str) -> i64 {
    reply[member].as_i64().unwrap()
}

/// The head as a caller sends it back.
fn known(chain: &Reply) -> String {
    let (position, hash) = (number(chain, "head_position"), chain.text("/head_hash"));
    format!("{PATH}?known_position={position}&known_hash={hash}")
}

/// Runs this as the tables' owner with every trigger out of force.
#[track_caller]
fn tamper(world: &World, statement: &str) {
    let mut owner = world.database().owner();
    owner
        .batch_execute(&format!("SET session_replication_role = replica; {statement}"))
        .unwrap_or_else(|error| panic!("{error}: {statement}"));
}

/// A session of the owner in the scope of the home organization.
fn scoped_owner(world: &World) -> PgConnection {
    let mut owner = world.database().owner();
    let id = world.home.id.uuid();
    owner
        .batch_execute(&format!("SET copartner.organization_id = '{id}'"))
        .unwrap();
    owner
}

/// The entry that the link at this position seals.
fn entry_at(world: &World, position: i64) -> String {
    let query = format!("SELECT audit_event_id::text AS name FROM audit_links WHERE position = {position}");
    audit_id(&names(&mut world.database().owner(), &query)[0])
}

/// The id of an entry as the API writes it.
fn audit_id(uuid: &str) -> String {
    AuditEventId::from_uuid(uuid.parse().unwrap()).to_string()
}
