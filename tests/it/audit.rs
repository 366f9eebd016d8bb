//! The audit trail: every entry is sealed, in a chain that shows what was done to it behind the service's back.

use crate::world::{Reply, World, count, names};
use chrono::{TimeDelta, Utc};
use copartner::app::audit_check;
use copartner::kernel::id::AuditEventId;
use copartner::platform::clock::Clock;
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use uuid::Uuid;

const PATH: &str = "/v1/audit-chain";
const WRITERS: usize = 6;
const WRITES: usize = 20;

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
    let id = names(&mut world.database().owner(), &query).remove(0);
    AuditEventId::from_uuid(id.parse().unwrap()).to_string()
}

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
    assert_eq!(
        entry_at(&world, between + 1),
        AuditEventId::from_uuid(id).to_string()
    );
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

/// How the trail is tampered with, and what is said: the fault, its position, whether an entry is named.
const TAMPERING: &[(&str, &str, Option<i64>, bool)] = &[
    (
        "UPDATE audit_events SET reason = 'Other.' WHERE id = $3",
        "entry_changed",
        Some(3),
        true,
    ),
    (
        "UPDATE audit_events SET actor_id = NULL WHERE id = $3",
        "entry_changed",
        Some(3),
        true,
    ),
    (
        "UPDATE audit_events SET occurred_at = occurred_at + interval '1 microsecond' WHERE id = $3",
        "entry_changed",
        Some(3),
        true,
    ),
    // What was nothing before is not the same as what was not there before.
    (
        "UPDATE audit_events SET changes = jsonb_strip_nulls(changes) WHERE id = $3",
        "entry_changed",
        Some(3),
        true,
    ),
    (
        "DELETE FROM audit_events WHERE id = $3",
        "entry_missing",
        Some(3),
        true,
    ),
    (
        "DELETE FROM audit_links WHERE position = 3",
        "link_missing",
        Some(3),
        false,
    ),
    (
        "DELETE FROM audit_links WHERE position = 1",
        "link_missing",
        Some(1),
        false,
    ),
    (
        "DELETE FROM audit_links WHERE position = (SELECT max(position) FROM audit_links)",
        "entry_unknown",
        None,
        true,
    ),
    (
        "UPDATE audit_links SET position = position + 1000 WHERE position = 3; \
         UPDATE audit_links SET position = 3 WHERE position = 4; \
         UPDATE audit_links SET position = 4 WHERE position = 1003",
        "link_misplaced",
        Some(3),
        true,
    ),
    (
        "UPDATE audit_links SET audit_event_id = gen_random_uuid() WHERE position = 4; \
         UPDATE audit_links SET audit_event_id = $4 WHERE position = 3; \
         UPDATE audit_links SET audit_event_id = $3 WHERE position = 4",
        "entry_changed",
        Some(3),
        true,
    ),
    (
        "UPDATE audit_links SET hash = sha256('x') WHERE position = 3",
        "link_changed",
        Some(3),
        true,
    ),
    (
        "UPDATE audit_links SET previous_hash = sha256('x') WHERE position = 3",
        "link_changed",
        Some(3),
        true,
    ),
    (
        "INSERT INTO audit_events (organization_id, id, action, subject_type, subject_id, actor_type, changes, \
             occurred_at) \
         SELECT organization_id, gen_random_uuid(), 'partner.approved', 'partner', subject_id, 'system', '{}', \
             occurred_at FROM audit_events WHERE id = $3",
        "entry_unknown",
        None,
        true,
    ),
];

#[test]
fn tampering_is_named() {
    for (statement, fault, position, names_entry) in TAMPERING {
        let world = busy();
        let entries = "SELECT audit_event_id::text AS name FROM audit_links ORDER BY position";
        let entries = names(&mut world.database().owner(), entries);
        let statement = statement
            .replace("$3", &format!("'{}'", entries[2]))
            .replace("$4", &format!("'{}'", entries[3]));
        tamper(&world, &statement);
        let chain = chain(&world);
        assert_eq!(chain["status"], "broken", "{statement}");
        assert_eq!(chain["fault"], *fault, "{statement}");
        assert_eq!(chain["fault_position"], json!(position), "{statement}");
        assert_eq!(
            chain["fault_audit_event_id"].is_string(),
            *names_entry,
            "{statement}: {}",
            chain.raw()
        );
        if position.is_some() && *fault != "link_misplaced" && statement.contains(&entries[2]) {
            let entry = AuditEventId::from_uuid(entries[2].parse().unwrap()).to_string();
            let is_swapped = statement.contains(&entries[3]);
            assert_eq!(
                chain["fault_audit_event_id"] == json!(entry),
                !is_swapped,
                "{statement}"
            );
        }
    }
}

#[test]
fn an_entry_that_is_taken_out_before_it_was_sealed_is_named() {
    let world = busy();
    world.partner("Unsealed");
    let last = "SELECT id::text AS name FROM audit_events ORDER BY written_order DESC LIMIT 1";
    let last = names(&mut world.database().owner(), last).remove(0);
    tamper(&world, &format!("DELETE FROM audit_events WHERE id = '{last}'"));
    world.work();
    let chain = chain(&world);
    assert_eq!(chain["fault"], "entry_missing");
    assert_eq!(chain["fault_position"], Value::Null);
    let entry = AuditEventId::from_uuid(last.parse().unwrap()).to_string();
    assert_eq!(chain.text("/fault_audit_event_id"), entry);
}

/// Whoever has all rights can write the end of the chain anew, and it is sound in itself. Not so for who kept its head.
#[test]
fn a_chain_that_was_written_anew_is_known_by_its_head() {
    let world = busy();
    let head = chain(&world);
    let early = "SELECT encode(hash, 'hex') AS name FROM audit_links WHERE position = 2";
    let early = names(&mut world.database().owner(), early).remove(0);
    let early = format!("{PATH}?known_position=2&known_hash={early}");
    tamper(
        &world,
        "UPDATE audit_events a SET reason = 'Other.' FROM audit_links l \
             WHERE l.audit_event_id = a.id AND l.position = 3; \
         INSERT INTO unsealed_audit_events SELECT a.organization_id, a.written_order, a.id FROM audit_events a \
             JOIN audit_links l ON l.audit_event_id = a.id WHERE l.position >= 3; \
         DELETE FROM audit_links WHERE position >= 3",
    );
    world.work();
    let forged = chain(&world);
    assert_eq!(forged["status"], "intact", "{}", forged.raw());
    assert_eq!(forged["sealed"], head["sealed"]);
    let compared = world.admin().get(&known(&head)).expect(200);
    assert_eq!(compared["status"], "broken");
    assert_eq!(compared["known_head_kept"], false);
    assert_eq!(compared["fault"], "known_head_lost");
    assert_eq!(compared["fault_position"], head["head_position"]);
    let early = world.admin().get(&early).expect(200);
    assert_eq!(
        (&early["known_head_kept"], &early["status"]),
        (&json!(true), &json!("intact"))
    );
}

#[test]
fn half_a_head_is_refused() {
    let world = World::new();
    let hash = "0".repeat(64);
    let ask = |query: &str| world.admin().get(&format!("{PATH}?{query}"));
    ask("known_position=1")
        .refused(422, "validation_failed")
        .pointer("?known_hash", "required");
    ask(&format!("known_hash={hash}"))
        .refused(422, "validation_failed")
        .pointer("?known_position", "required");
    let reply = ask(&format!("known_position=1&known_hash={hash}")).expect(200);
    assert_eq!(reply["known_head_kept"], false);
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

#[test]
fn the_services_role_cannot_touch_the_trail() {
    let world = busy();
    let mut service = world.database().service_role();
    let id = world.home.id.uuid();
    service
        .batch_execute(&format!("SET copartner.organization_id = '{id}'"))
        .unwrap();
    for statement in [
        "UPDATE audit_events SET reason = 'other'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "INSERT INTO audit_links SELECT organization_id, position + 1000, gen_random_uuid(), previous_hash, hash, \
         sealed_at FROM audit_links",
        "UPDATE audit_links SET position = position + 1000",
        "DELETE FROM audit_links",
        "TRUNCATE audit_links",
        "INSERT INTO unsealed_audit_events SELECT organization_id, written_order, id FROM audit_events",
        "UPDATE unsealed_audit_events SET written_order = 0",
        "DELETE FROM unsealed_audit_events",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ] {
        let refusal = service.batch_execute(statement).unwrap_err().to_string();
        let is_refused = refusal.contains("permission denied") || refusal.contains("must be owner");
        assert!(is_refused, "{statement}: {refusal}");
    }
    let mut owner = world.database().owner();
    for statement in ["UPDATE audit_links SET hash = hash", "DELETE FROM audit_links"] {
        let refusal = owner.batch_execute(statement).unwrap_err().to_string();
        assert!(refusal.contains("append-only"), "{statement}: {refusal}");
    }
}

fn verify(world: &World) -> Output {
    Command::new(env!("CARGO_BIN_EXE_copartner"))
        .args(["audit", "verify"])
        .env("DATABASE_URL", world.database().url("postgres"))
        .env_remove("DATABASE_OWNER_URL")
        .env_remove("READ_DATABASE_URL")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_command_names_the_first_fault_of_each_trail() {
    let world = busy();
    let other = world.second_organization();
    world.work();
    let sound = verify(&world);
    let said = String::from_utf8_lossy(&sound.stderr).into_owned();
    assert_eq!(sound.status.code(), Some(0), "{said}");
    let head = chain(&world);
    assert!(
        said.contains(&format!("{}: intact, {} sealed", world.home.id, head["sealed"])),
        "{said}"
    );
    assert!(said.contains(head.text("/head_hash")), "{said}");
    let entry = entry_at(&world, 3);
    tamper(
        &world,
        &format!(
            "UPDATE audit_events a SET action = 'partner.forged' FROM audit_links l WHERE l.audit_event_id = a.id \
             AND l.position = 3 AND l.organization_id = '{}'",
            world.home.id.uuid()
        ),
    );
    let broken = verify(&world);
    let said = String::from_utf8_lossy(&broken.stderr).into_owned();
    assert_eq!(broken.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("BROKEN: entry_changed at 3: {entry}")),
        "{said}"
    );
    assert!(said.contains(&format!("{}: intact", other.id)), "{said}");
    let findings = audit_check::all(&world.db, world.clock.now()).unwrap();
    let broken: Vec<_> = findings.iter().filter(|finding| finding.is_broken()).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].organization_id, world.home.id);
}

/// The actions of a list, newest first.
#[track_caller]
fn listed(world: &World, query: &str) -> Vec<String> {
    let reply = world
        .admin()
        .get(&format!("/v1/audit-events?{query}"))
        .expect(200);
    let actions = reply.data().iter().map(|entry| entry["action"].as_str().unwrap());
    actions.map(str::to_owned).collect()
}

#[test]
fn entries_are_found_by_record_actor_and_period() {
    let world = World::new();
    let start = world.pass(TimeDelta::microseconds(1_000_500));
    let partner = world.partner("Nordlicht");
    let actor = world.key(&["partners:review"]);
    let later = world.pass(TimeDelta::microseconds(300));
    let reason = json!({ "reason": "Papers are late." });
    actor
        .post(&format!("/v1/partners/{partner}/suspend"), reason)
        .expect(200);
    world.pass(TimeDelta::days(1));
    let other = world.partner("Harbor");
    let at = |instant: chrono::DateTime<Utc>| instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    assert_eq!(
        listed(&world, &format!("subject_id={partner}")),
        ["partner.suspended", "partner.approved", "partner.created"]
    );
    assert_eq!(
        listed(&world, &format!("subject_id={other}")),
        ["partner.approved", "partner.created"]
    );
    let key = actor.key_id.as_deref().unwrap();
    assert_eq!(listed(&world, &format!("actor_id={key}")), ["partner.suspended"]);
    // Both instants are within one millisecond.
    assert_eq!(
        listed(
            &world,
            &format!("occurred_at_gte={}&occurred_at_lt={}", at(start), at(later))
        ),
        ["api_key.created", "partner.approved", "partner.created"]
    );
    let day = at(later + TimeDelta::hours(1));
    assert_eq!(
        listed(
            &world,
            &format!("occurred_at_gte={}&occurred_at_lt={day}", at(later))
        ),
        ["partner.suspended"]
    );
    assert_eq!(
        listed(&world, &format!("occurred_at_gte={day}")),
        ["partner.approved", "partner.created"]
    );
}
