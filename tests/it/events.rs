//! The change feed: what is numbered never gets company below its number.

use crate::world::{World, count, names};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use uuid::Uuid;

const WRITERS: usize = 8;
const WRITES: usize = 25;

#[derive(QueryableByName, Debug, Clone, PartialEq, Eq)]
struct Numbered {
    #[diesel(sql_type = BigInt)]
    sequence: i64,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The events that a reader can see, in their order.
fn feed(connection: &mut PgConnection, after: i64) -> Vec<Numbered> {
    let query = "SELECT sequence, id FROM events WHERE sequence > $1 ORDER BY sequence";
    sql_query(query)
        .bind::<BigInt, _>(after)
        .load(connection)
        .unwrap()
}

/// The feed as a reader gathers it, who always asks for what comes after the last number seen.
struct Reader {
    connection: PgConnection,
    gathered: Vec<Numbered>,
}

impl Reader {
    fn new(world: &World) -> Self {
        Self {
            connection: world.database().owner(),
            gathered: Vec::new(),
        }
    }

    fn poll(&mut self) {
        let last = self.gathered.last().map_or(0, |event| event.sequence);
        for event in feed(&mut self.connection, last) {
            let expected = self.gathered.last().map_or(1, |event| event.sequence + 1);
            assert_eq!(event.sequence, expected, "the numbers have a gap");
            self.gathered.push(event);
        }
    }
}

#[test]
fn numbers_have_no_gap_under_many_writers() {
    let world = World::new();
    let is_over = AtomicBool::new(false);
    let mut reader = Reader::new(&world);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (actor, world) = (world.admin().clone(), &world);
                scope.spawn(move || {
                    for number in 0..WRITES {
                        let body = json!({ "name": format!("{writer}-{number}") });
                        let made = actor.post("/v1/partners", body).expect(201);
                        // Refused writes leave no event, and no gap either.
                        let approve = format!("/v1/partners/{}/reinstate", made.id());
                        world.admin().act(&approve).expect(409);
                    }
                })
            })
            .collect();
        // Two sequencers at once, as with two replicas, and a reader that never rests.
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Acquire) {
                    world.work();
                }
            });
        }
        while !writers.iter().all(|writer| writer.is_finished()) {
            reader.poll();
        }
        is_over.store(true, Ordering::Release);
    });
    world.work();
    reader.poll();
    let mut owner = world.database().owner();
    assert_eq!(
        reader.gathered,
        feed(&mut owner, 0),
        "somebody came in late below a number already seen"
    );
    let made = "SELECT count(*) AS count FROM events WHERE type = 'partner.created' AND sequence IS NOT NULL";
    assert_eq!(
        usize::try_from(count(&mut owner, made)).unwrap(),
        WRITERS * WRITES
    );
    assert_eq!(
        count(
            &mut owner,
            "SELECT count(*) AS count FROM events WHERE sequence IS NULL"
        ),
        0
    );
}

/// A writer that began first and commits last gets a later number, not one below what was read.
#[test]
fn a_slow_writer_comes_later() {
    let world = World::new();
    world.work();
    let mut reader = Reader::new(&world);
    reader.poll();
    let mut slow = world.database().owner();
    let insert = format!(
        "BEGIN; INSERT INTO events (organization_id, id, type, subject_type, subject_id, data, occurred_at) \
         VALUES ('{}', gen_random_uuid(), 'partner.slow', 'partner', gen_random_uuid(), '{{}}', now())",
        world.home.id.uuid()
    );
    slow.batch_execute(&insert).unwrap();
    world.partner("Fast");
    world.work();
    reader.poll();
    slow.batch_execute("COMMIT").unwrap();
    world.work();
    reader.poll();
    let last = "SELECT type AS name FROM events ORDER BY sequence DESC LIMIT 1";
    assert_eq!(names(&mut world.database().owner(), last), ["partner.slow"]);
    assert_eq!(reader.gathered, feed(&mut world.database().owner(), 0));
}

#[test]
fn each_organization_counts_for_itself() {
    let world = World::new();
    let other = world.second_organization();
    world.partner("Here");
    other
        .admin
        .post("/v1/partners", json!({ "name": "There" }))
        .expect(201);
    world.work();
    let query = "SELECT organization_id || ' ' || count(*) || ' ' || min(sequence) || ' ' || max(sequence) AS name \
        FROM events GROUP BY organization_id ORDER BY max(sequence)";
    let found = names(&mut world.database().owner(), query);
    let expected = [
        format!("{} 3 1 3", other.id.uuid()),
        format!("{} 4 1 4", world.home.id.uuid()),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_is_written_never_changes() {
    let world = World::new();
    world.partner("Nordlicht");
    world.work();
    let mut owner = world.database().owner();
    for statement in [
        "UPDATE events SET type = 'other'",
        "UPDATE events SET sequence = sequence + 100",
        "UPDATE events SET sequence = NULL",
        "DELETE FROM events",
        "UPDATE audit_events SET reason = 'other'",
        "DELETE FROM audit_events",
    ] {
        let refusal = owner.batch_execute(statement).unwrap_err().to_string();
        assert!(refusal.contains("append-only"), "{statement}: {refusal}");
    }
}

#[test]
fn every_change_is_told_and_audited_with_it() {
    let world = World::new();
    let id = world.partner("Nordlicht");
    let suspend = format!("/v1/partners/{id}/suspend");
    let actor = world.key(&["partners:review"]);
    let reply = actor
        .post(&suspend, json!({ "reason": "Papers are late." }))
        .expect(200);
    let mut owner = world.database().owner();
    let events = "SELECT type AS name FROM events WHERE subject_type = 'partner' ORDER BY written_order";
    let told = ["partner.created", "partner.approved", "partner.suspended"];
    assert_eq!(names(&mut owner, events), told);
    let audited =
        "SELECT action AS name FROM audit_events WHERE subject_type = 'partner' ORDER BY written_order";
    assert_eq!(names(&mut owner, audited), told);
    let last = "SELECT reason || ' ' || address || ' ' || (changes->'status') AS name FROM audit_events \
        ORDER BY written_order DESC LIMIT 1";
    assert_eq!(
        names(&mut owner, last),
        [r#"Papers are late. 127.0.0.1 {"after": "suspended", "before": "approved"}"#]
    );
    let request = format!(
        "SELECT count(*) AS count FROM audit_events WHERE request_id = '{}' AND actor_id = \
         (SELECT id FROM api_keys WHERE permissions = '{{partners:review}}')",
        uuid_of(reply.header("request-id"))
    );
    assert_eq!(count(&mut owner, &request), 1);
}

fn uuid_of(request_id: &str) -> Uuid {
    let id: copartner::kernel::id::RequestId = request_id.parse().unwrap();
    id.uuid()
}

/// What every event tells, whatever it is about.
#[test]
fn events_tell_the_id_and_amounts_as_the_resources_do() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    world.refund(&payment, "50.00 USD");
    world.paid_run(&world.finance());
    let events = world.admin().all("/v1/events");
    for event in &events {
        assert_eq!(event["data"]["id"], event["subject"]["id"], "{event}");
        assert!(event["data"].get("row_version").is_none(), "{event}");
    }
    let amount = |name: &str| {
        let event = events.iter().find(|event| event["type"] == name);
        event.unwrap_or_else(|| panic!("no {name}"))["data"]["amount"].clone()
    };
    let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    assert_eq!(amount("commission.accrued"), usd("10.00"));
    assert_eq!(amount("commission.clawed_back"), usd("5.00"));
    assert_eq!(amount("payout.paid"), usd("5.00"));
}
