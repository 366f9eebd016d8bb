//! Fifty simultaneous copies of every call that moves money leave what one copy leaves.

use super::at_once;
use super::stages::{self, Call};
use super::table::{self, Case, Late};
use crate::world::{Operation, Reply, Settings, World, names, operations};
use std::collections::BTreeSet;
use std::time::Duration;

/// How many ask at the same instant.
const COPIES: usize = 50;

/// A world in which nobody is turned away because the house is full.
fn spacious() -> World {
    let world = World::with(Settings {
        connections: 8,
        wait: Duration::from_secs(50),
        ..Settings::default()
    });
    stages::todays_rate(&world);
    world
}

/// How many rows each table has, and every entry in the journal. Kept answers are no effect: each copy that finds
/// nothing to do has one of its own.
fn everything(world: &World) -> Vec<String> {
    let mut owner = world.database().owner();
    let tables = "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public' \
        AND table_type = 'BASE TABLE' AND table_name NOT IN ('idempotency_keys', 'authentication_events') ORDER BY 1";
    let counts: Vec<String> = names(&mut owner, tables)
        .iter()
        .map(|table| {
            format!("SELECT concat('{table} ', n) AS name FROM generate_series(1, (SELECT count(*) FROM {table})) n")
        })
        .collect();
    let mut rows = names(&mut owner, &counts.join(" UNION ALL "));
    rows.extend(names(
        &mut owner,
        "SELECT concat_ws(' ', kind, debit_account, credit_account, currency, amount, \
         row_number() OVER (PARTITION BY kind, debit_account, credit_account, currency, amount)) AS name \
         FROM ledger_entries",
    ));
    rows
}

/// What this adds to everything: the table or the entry of each new row, without its number.
fn added(world: &World, work: impl FnOnce()) -> Vec<String> {
    let before: BTreeSet<String> = everything(world).into_iter().collect();
    work();
    let after: BTreeSet<String> = everything(world).into_iter().collect();
    let gone: Vec<&String> = before.difference(&after).collect();
    assert!(gone.is_empty(), "rows went away: {gone:?}");
    let unnumbered = |row: &String| row.rsplit_once(' ').unwrap().0.to_owned();
    let mut added: Vec<String> = after.difference(&before).map(unnumbered).collect();
    added.sort_unstable();
    added
}

fn is_done(reply: &Reply) -> bool {
    (200..300).contains(&reply.status)
}

/// Fails unless it is a refusal that the document promises, and says what is wrong.
#[track_caller]
fn promised(operation: &Operation, reply: &Reply) -> String {
    let code = reply.body["code"].as_str().unwrap_or_default().to_owned();
    assert!(
        [409, 412, 422].contains(&reply.status),
        "{}: {}",
        reply.status,
        reply.raw()
    );
    assert!(
        operation.documents(reply.status),
        "{} documents no {}",
        operation.id,
        reply.status
    );
    reply.clone().refused(reply.status, &code);
    code
}

/// Under one key: one is done, and everybody hears the same, or to come back.
fn race_under_one_key(operation: &Operation, call: &Call) {
    let replies = at_once(COPIES, |_| call.make("one"));
    let (done, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| is_done(reply));
    let first = done
        .iter()
        .find(|reply| !reply.has_header("idempotency-replayed"));
    let first = first.unwrap_or_else(|| panic!("none is done first: {}", replies[0].raw()));
    let fresh = done
        .iter()
        .filter(|reply| !reply.has_header("idempotency-replayed"));
    assert_eq!(fresh.count(), 1, "{} was done more than once", operation.id);
    for reply in &done {
        assert_eq!((reply.status, reply.raw()), (first.status, first.raw()));
    }
    for reply in refused {
        assert_eq!(promised(operation, reply), "idempotency_key_in_use");
    }
    let again = call.make("one");
    assert_eq!((again.status, again.raw()), (first.status, first.raw()));
}

/// Under fifty keys: one is done, and the others are refused or have nothing to do.
fn race_under_many_keys(operation: &Operation, call: &Call, late: Late) {
    let replies = at_once(COPIES, |number| call.make(&format!("many-{number}")));
    let (done, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| is_done(reply));
    for reply in refused {
        let code = promised(operation, reply);
        assert_ne!(code, "idempotency_key_in_use");
    }
    let right = if late == Late::Idle { COPIES } else { 1 };
    assert_eq!(done.len(), right, "{}", operation.id);
}

/// Races each of these with itself; what they leave is compared with what one call leaves that nobody disturbs.
fn race(cases: &[Case]) {
    let world = spacious();
    let known = operations();
    for case in cases {
        let (name, what) = (case.operation, case.what);
        let operation = known.iter().find(|operation| operation.id == name).unwrap();
        let alone = (case.stage)(&world);
        let expected = added(&world, || {
            let reply = alone.make("alone");
            assert!(is_done(&reply), "{name} {what}: {}", reply.raw());
        });
        assert!(!expected.is_empty(), "{name} {what} does nothing");
        let call = (case.stage)(&world);
        let found = added(&world, || race_under_one_key(operation, &call));
        assert_eq!(found, expected, "{name} {what}, under one key");
        let call = (case.stage)(&world);
        let found = added(&world, || race_under_many_keys(operation, &call, case.late));
        assert_eq!(found, expected, "{name} {what}, under many keys");
        world.books_balance();
    }
}

#[test]
fn fifty_copies_of_what_customers_pay_and_get_back() {
    race(table::CUSTOMERS);
}

#[test]
fn fifty_copies_of_what_people_decide() {
    race(table::DECISIONS);
}

#[test]
fn fifty_copies_of_what_people_give_and_take() {
    race(table::BY_HAND);
}

#[test]
fn fifty_copies_of_what_partners_are_paid() {
    race(table::PAYOUTS);
}

/// A new operation that moves money is raced, or this fails.
#[test]
fn every_call_that_moves_money_is_raced() {
    let raced: BTreeSet<&str> = table::ALL
        .into_iter()
        .flatten()
        .map(|case| case.operation)
        .collect();
    let named = |list: &'static [(&'static str, &'static str)]| list.iter().map(|(id, _)| *id);
    let elsewhere: BTreeSet<&str> = named(table::ELSEWHERE).collect();
    let quiet: BTreeSet<&str> = named(table::MOVES_NONE).collect();
    let known = operations();
    let is_about_money = |operation: &&Operation| {
        let tag = operation.described["tags"][0].as_str().unwrap();
        operation.method == "POST" && table::TAGS.contains(&tag)
    };
    let demanding: BTreeSet<&str> = known
        .iter()
        .filter(|operation| operation.demands_header("Idempotency-Key"))
        .map(|operation| operation.id)
        .collect();
    let about_money: BTreeSet<&str> = known
        .iter()
        .filter(is_about_money)
        .map(|operation| operation.id)
        .collect();
    let unraced: Vec<_> = demanding.difference(&raced).collect();
    assert!(unraced.is_empty(), "need a key and are not raced: {unraced:?}");
    let said: BTreeSet<&str> = raced.iter().chain(&elsewhere).chain(&quiet).copied().collect();
    assert_eq!(
        said.len(),
        raced.len() + elsewhere.len() + quiet.len(),
        "a call is listed twice"
    );
    assert_eq!(said, about_money, "the lists are of the calls of the document");
}
