//! The terms of programs: published version by version, and accepted by partners for their enrollments.

use crate::world::{Actor, Reply, World, texts};
use diesel::{RunQueryDsl, sql_query};
use serde_json::{Value, json};
use std::thread;

fn publish(world: &World, program: &str, version: &str) -> Reply {
    let body = json!({ "version": version, "document_url": "https://example.com/terms.pdf" });
    world.admin().post(&format!("/v1/programs/{program}/terms"), body)
}

fn enrollment(world: &World, partner: &str) -> Value {
    let found = world
        .admin()
        .all(&format!("/v1/enrollments?partner_id={partner}"));
    assert_eq!(found.len(), 1);
    found[0].clone()
}

fn accept(actor: &Actor, terms: &str, enrollment: &Value) -> Reply {
    let body = json!({ "enrollment_id": enrollment["id"] });
    actor.post(&format!("/v1/program-terms/{terms}/accept"), body)
}

#[test]
fn a_partner_accepts_the_newest_version_once() {
    let world = World::new();
    let program = world.program(json!({}));
    let partner = world.enrolled("Nordlicht", &program);
    let actor = world.full_partner_key(&partner);
    let old = publish(&world, &program, "2026-01").expect(201);
    assert_eq!(old["number"], 1);
    let new = publish(&world, &program, "2026-07").expect(201);
    publish(&world, &program, "2026-07")
        .refused(409, "already_exists")
        .pointer("/version", "taken");
    let listed = actor.all(&format!("/v1/program-terms?program_id={program}"));
    assert_eq!(texts(&listed, "version"), ["2026-07", "2026-01"]);
    let own = enrollment(&world, &partner);
    accept(&actor, &old.id(), &own).refused(409, "wrong_state");
    let accepted = accept(&actor, &new.id(), &own).expect(200);
    assert_eq!(accepted["accepted_by"], json!(actor.key_id));
    accept(&actor, &new.id(), &own).refused(409, "already_exists");
    assert_eq!(enrollment(&world, &partner)["terms_version"], "2026-07");
    let kept = actor.all(&format!("/v1/terms-acceptances?program_terms_id={}", new.id()));
    assert_eq!(texts(&kept, "id"), [accepted.id()]);
    world.work();
    let told = texts(&world.admin().all("/v1/events"), "type");
    assert_eq!(
        told.iter()
            .filter(|one| one.as_str() == "program_terms.accepted")
            .count(),
        1
    );
    // What was published and accepted never changes, not even behind the service's back.
    let mut owner = world.database().owner();
    for table in ["program_terms", "terms_acceptances"] {
        sql_query(format!("UPDATE {table} SET created_at = now()"))
            .execute(&mut owner)
            .unwrap_err();
        sql_query(format!("DELETE FROM {table}"))
            .execute(&mut owner)
            .unwrap_err();
    }
}

#[test]
fn nobody_accepts_for_another_or_in_another_program() {
    let world = World::new();
    let (program, other_program) = (world.program(json!({})), world.program(json!({})));
    let partner = world.enrolled("Nordlicht", &program);
    let rival = world.enrolled("Südwind", &program);
    let below = world.enrolled("Below", &program);
    let path = format!("/v1/partners/{below}");
    world
        .admin()
        .patch(&path, json!({ "parent_id": partner }))
        .expect(200);
    let actor = world.full_partner_key(&partner);
    let terms = publish(&world, &program, "2026-01").expect(201).id();
    for somebody in [&rival, &below] {
        accept(&actor, &terms, &enrollment(&world, somebody))
            .refused(422, "validation_failed")
            .pointer("/enrollment_id", "unknown_reference");
    }
    let elsewhere = publish(&world, &other_program, "2026-01").expect(201).id();
    accept(&actor, &elsewhere, &enrollment(&world, &partner)).refused(404, "not_found");
    accept(world.admin(), &elsewhere, &enrollment(&world, &partner))
        .refused(422, "validation_failed")
        .pointer("/enrollment_id", "other_program");
    actor
        .get(&format!("/v1/program-terms/{elsewhere}"))
        .refused(404, "not_found");
    let seen = actor.all("/v1/program-terms");
    assert_eq!(texts(&seen, "program_id"), [program.as_str()]);
    assert!(
        actor
            .all(&format!("/v1/program-terms?program_id={other_program}"))
            .is_empty()
    );
    accept(world.admin(), &terms, &enrollment(&world, &rival)).expect(200);
    assert!(actor.all("/v1/terms-acceptances").is_empty());
    let body = json!({ "version": "mine", "document_url": "https://example.com/mine.pdf" });
    actor
        .post(&format!("/v1/programs/{program}/terms"), body)
        .refused(403, "permission_denied");
}

#[test]
fn versions_that_are_published_at_once_are_numbered_one_after_the_other() {
    let world = World::new();
    let program = world.program(json!({}));
    thread::scope(|scope| {
        for number in 0..3 {
            let (world, program) = (&world, &program);
            scope.spawn(move || publish(world, program, &format!("v{number}")).expect(201));
        }
    });
    let listed = world
        .admin()
        .all(&format!("/v1/program-terms?program_id={program}"));
    let mut numbers: Vec<i64> = listed.iter().map(|one| one["number"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3]);
}
