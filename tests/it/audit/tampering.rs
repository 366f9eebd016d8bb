//! What somebody with all rights does to the trail is named.

use super::{PATH, audit_id, busy, chain, entry_at, known, tamper};
use crate::world::{World, names};
use copartner::app::audit_check;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::process::{Command, Output, Stdio};

/// A way to tamper with the trail, and what is said of it. `$3` is the entry that the third link seals, `$4` that of the
/// fourth, `$last` that of the last.
struct Tampering {
    statement: &'static str,
    fault: &'static str,
    position: Option<i64>,
    entry: Option<&'static str>,
}

const TAMPERING: &[Tampering] = &[
    Tampering {
        statement: "UPDATE audit_events SET reason = 'Other.' WHERE id = '$3'",
        fault: "entry_changed",
        position: Some(3),
        entry: Some("$3"),
    },
    Tampering {
        statement: "UPDATE audit_events SET actor_id = NULL WHERE id = '$3'",
        fault: "entry_changed",
        position: Some(3),
        entry: Some("$3"),
    },
    Tampering {
        statement: "UPDATE audit_events SET occurred_at = occurred_at + interval '1 microsecond' WHERE id = '$3'",
        fault: "entry_changed",
        position: Some(3),
        entry: Some("$3"),
    },
    // That a field was empty before is not the same as that it was not there.
    Tampering {
        statement: "UPDATE audit_events SET changes = jsonb_strip_nulls(changes) WHERE id = '$3'",
        fault: "entry_changed",
        position: Some(3),
        entry: Some("$3"),
    },
    Tampering {
        statement: "DELETE FROM audit_events WHERE id = '$3'",
        fault: "entry_missing",
        position: Some(3),
        entry: Some("$3"),
    },
    // Two entries change places.
    Tampering {
        statement: "UPDATE audit_links SET audit_event_id = gen_random_uuid() WHERE position = 4; \
            UPDATE audit_links SET audit_event_id = '$4' WHERE position = 3; \
            UPDATE audit_links SET audit_event_id = '$3' WHERE position = 4",
        fault: "entry_changed",
        position: Some(3),
        entry: Some("$4"),
    },
    // Two links change places.
    Tampering {
        statement: "UPDATE audit_links SET position = position + 1000 WHERE position = 3; \
            UPDATE audit_links SET position = 3 WHERE position = 4; \
            UPDATE audit_links SET position = 4 WHERE position = 1003",
        fault: "link_misplaced",
        position: Some(3),
        entry: Some("$4"),
    },
    Tampering {
        statement: "DELETE FROM audit_links WHERE position = 1",
        fault: "link_missing",
        position: Some(1),
        entry: None,
    },
    Tampering {
        statement: "DELETE FROM audit_links WHERE position = 3",
        fault: "link_missing",
        position: Some(3),
        entry: None,
    },
    Tampering {
        statement: "DELETE FROM audit_links WHERE audit_event_id = '$last'",
        fault: "entry_unknown",
        position: None,
        entry: Some("$last"),
    },
    Tampering {
        statement: "UPDATE audit_links SET hash = sha256('x') WHERE position = 3",
        fault: "link_changed",
        position: Some(3),
        entry: Some("$3"),
    },
    Tampering {
        statement: "UPDATE audit_links SET previous_hash = sha256('x') WHERE position = 3",
        fault: "link_changed",
        position: Some(3),
        entry: Some("$3"),
    },
    // An entry is put in.
    Tampering {
        statement: "INSERT INTO audit_events (organization_id, id, action, subject_type, subject_id, actor_type, \
                changes, occurred_at) \
            SELECT organization_id, '01900000-0000-7000-8000-000000000001', 'partner.approved', 'partner', subject_id, \
                'system', '{}', occurred_at FROM audit_events WHERE id = '$3'",
        fault: "entry_unknown",
        position: None,
        entry: Some("01900000-0000-7000-8000-000000000001"),
    },
];

/// What the chain says that is not expected, if anything.
fn unexpected(tampering: &Tampering) -> Option<String> {
    let world = busy();
    let sealed = "SELECT audit_event_id::text AS name FROM audit_links ORDER BY position";
    let sealed = names(&mut world.database().owner(), sealed);
    let with_ids = |text: &str| {
        let text = text.replace("$3", &sealed[2]).replace("$4", &sealed[3]);
        text.replace("$last", &sealed[sealed.len() - 1])
    };
    tamper(&world, &with_ids(tampering.statement));
    let chain = chain(&world);
    let members = ["status", "fault", "fault_position", "fault_audit_event_id"];
    let told = members.map(|member| chain[member].clone());
    let entry = tampering.entry.map(|entry| audit_id(&with_ids(entry)));
    let expected = [
        json!("broken"),
        json!(tampering.fault),
        json!(tampering.position),
        json!(entry),
    ];
    (told != expected).then(|| format!("{}: {told:?} instead of {expected:?}", tampering.statement))
}

#[test]
fn tampering_is_named() {
    let unexpected: Vec<String> = TAMPERING.iter().filter_map(unexpected).collect();
    assert_eq!(unexpected, Vec::<String>::new());
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
    assert_eq!(chain.text("/fault_audit_event_id"), audit_id(&last));
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
