//! Every entry is sealed once, whoever writes and seals at the same time.

use super::{PATH, audit_id, busy, chain, entry_at, known, number, scoped_owner, tamper};
use crate::world::{World, count, names};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use uuid::Uuid;

const WRITERS: usize = 6;
const WRITES: usize = 20;

/// A value as PostgreSQL writes `jsonb`: keys by length, then by bytes; a space after each comma and colon.
fn as_postgres_writes(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| (name.len(), name.as_bytes().to_vec()));
            let fields = members
                .into_iter()
                .map(|(name, value)| format!("{}: {}", json!(name), as_postgres_writes(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(as_postgres_writes).collect();
            format!("[{}]", items.join(", "))
        }
        plain => plain.to_string(),
    }
}

/// The head of the chain as an auditor computes it from a copy of the table alone, by what the document says.
fn computed_outside(world: &World) -> String {
    let organization = world.home.id.uuid();
    let rows = format!(
        "SELECT to_jsonb(a)::text AS name FROM audit_events a JOIN audit_links l ON l.audit_event_id = a.id \
         WHERE l.organization_id = '{organization}' ORDER BY l.position"
    );
    let mut owner = world.database().owner();
    owner.batch_execute("SET TimeZone = 'UTC'").unwrap();
    let mut head = Sha256::digest(organization.to_string().as_bytes());
    for row in names(&mut owner, &rows) {
        let mut entry: Value = serde_json::from_str(&row).unwrap();
        let columns = entry.as_object_mut().unwrap();
        columns.retain(|name, value| name != "written_order" && !value.is_null());
        let mut next = Sha256::new();
        next.update(head);
        next.update(as_postgres_writes(&entry).as_bytes());
        head = next.finalize();
    }
    format!("{head:x}")
}

#[test]
fn the_chain_grows_with_the_trail() {
    let world = World::new();
    let empty = chain(&world);
    assert_eq!(
        (number(&empty, "sealed"), number(&empty, "head_position")),
        (0, 0)
    );
    assert!(number(&empty, "unsealed") > 0);
    assert_eq!(empty.text("/head_hash"), computed_outside(&world));
    world.partner("Nordlicht & Söhne \"Süd\"\n\u{1f600}");
    world.work();
    let grown = chain(&world);
    let entries = count(
        &mut world.database().owner(),
        "SELECT count(*) AS count FROM audit_events",
    );
    assert_eq!(grown["status"], "intact");
    assert_eq!(number(&grown, "sealed"), entries);
    assert_eq!(number(&grown, "head_position"), entries);
    assert_eq!(number(&grown, "unsealed"), 0);
    assert_eq!(grown.text("/head_hash"), computed_outside(&world));
    for head in [&empty, &grown] {
        let reply = world.admin().get(&known(head)).expect(200);
        assert_eq!(reply["known_head_kept"], true);
        assert_eq!(reply["status"], "intact");
    }
}

#[test]
fn many_writers_and_two_sealers_make_one_chain() {
    let world = World::new();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let actor = world.admin().clone();
                scope.spawn(move || {
                    for number in 0..WRITES {
                        let body = json!({ "name": format!("{writer}-{number}") });
                        actor.post("/v1/partners", body).expect(201);
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Acquire) {
                    world.work();
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        is_over.store(true, Ordering::Release);
    });
    world.work();
    let chain = chain(&world);
    assert_eq!(chain["fault"], Value::Null, "{}", chain.raw());
    assert_eq!(number(&chain, "head_position"), number(&chain, "sealed"));
    assert_eq!(number(&chain, "unsealed"), 0);
    let made = count(
        &mut world.database().owner(),
        "SELECT count(*) AS count FROM audit_links l JOIN audit_events a ON a.id = l.audit_event_id \
         WHERE a.action = 'partner.created'",
    );
    assert_eq!(usize::try_from(made).unwrap(), WRITERS * WRITES);
    assert_eq!(chain.text("/head_hash"), computed_outside(&world));
}

/// A writer that began first and commits last is sealed last, and not forgotten.
#[test]
fn a_slow_writer_is_sealed_later() {
    let world = busy();
    let before = number(&chain(&world), "sealed");
    let mut slow = world.database().owner();
    let id = Uuid::from_u128(7);
    let insert = format!(
        "BEGIN; INSERT INTO audit_events (organization_id, id, action, subject_type, subject_id, actor_type, changes, \
             occurred_at) \
         VALUES ('{}', '{id}', 'partner.slow', 'partner', gen_random_uuid(), 'system', '{{}}', now())",
        world.home.id.uuid()
    );
    slow.batch_execute(&insert).unwrap();
    world.partner("Fast");
    world.work();
    let between = number(&chain(&world), "sealed");
    assert_eq!(between, before + 2);
    slow.batch_execute("COMMIT").unwrap();
    world.work();
    let after = chain(&world);
    assert_eq!(after["status"], "intact", "{}", after.raw());
    assert_eq!(number(&after, "sealed"), between + 1);
    assert_eq!(entry_at(&world, between + 1), audit_id(&id.to_string()));
}

#[test]
fn writers_do_not_wait_for_the_sealer() {
    let world = busy();
    world.partner("To be sealed");
    let mut sealer = scoped_owner(&world);
    let seal = "SET statement_timeout = 10000; BEGIN; SELECT seal_audit_events(1000, now())";
    sealer.batch_execute(seal).unwrap();
    // Were it to wait, it would be refused when its time is over: the sealer holds on until it is done.
    world.partner("Meanwhile");
    sealer.batch_execute("COMMIT").unwrap();
    world.work();
    assert_eq!(chain(&world)["status"], "intact");
}

#[test]
fn each_organization_has_its_own_chain() {
    let world = busy();
    let other = world.second_organization();
    world.work();
    let (here, there) = (chain(&world), other.admin.get(PATH).expect(200));
    assert!(number(&here, "sealed") > number(&there, "sealed"));
    assert_eq!(there["status"], "intact");
    assert_ne!(here.text("/head_hash"), there.text("/head_hash"));
    assert_eq!(here.text("/head_hash"), computed_outside(&world));
    let head = there.text("/head_hash");
    let foreign = format!(
        "{PATH}?known_position={}&known_hash={head}",
        there["head_position"]
    );
    assert_eq!(world.admin().get(&foreign).expect(200)["known_head_kept"], false);
    let tampering = format!(
        "DELETE FROM audit_links WHERE position = 2 AND organization_id = '{}'",
        other.id.uuid()
    );
    tamper(&world, &tampering);
    assert_eq!(other.admin.get(PATH).expect(200)["status"], "broken");
    assert_eq!(chain(&world)["status"], "intact");
}

#[test]
fn the_session_and_later_columns_break_no_seal() {
    let world = busy();
    let mut owner = scoped_owner(&world);
    owner
        .batch_execute(
            "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German'; SET bytea_output = 'escape'; \
             ALTER TABLE audit_events ADD COLUMN on_behalf_of uuid",
        )
        .unwrap();
    world.partner("Later");
    owner
        .batch_execute("SELECT seal_audit_events(1000, now())")
        .unwrap();
    assert_eq!(
        names(&mut owner, "SELECT fault AS name FROM audit_chain_fault()"),
        Vec::<String>::new()
    );
    assert_eq!(chain(&world)["status"], "intact");
    tamper(
        &world,
        "UPDATE audit_events SET on_behalf_of = gen_random_uuid() \
         WHERE id = (SELECT audit_event_id FROM audit_links WHERE position = 2)",
    );
    assert_eq!(chain(&world)["fault"], "entry_changed");
}
