//! Two hundred at the same instant: one is protected, and each other one hears of a conflict.

use super::{PATH, claim, partner, program};
use crate::world::{Actor, Reply, Settings, World, count};
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use serde_json::json;
use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

/// How many ask at once.
const MANY: usize = 200;

fn at_once(count: usize, ask: impl Fn(usize) -> Reply + Sync) -> Vec<Reply> {
    thread::scope(|scope| {
        let ask = &ask;
        let threads: Vec<_> = (0..count)
            .map(|number| scope.spawn(move || ask(number)))
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn patient() -> World {
    World::with(Settings {
        wait: Duration::from_secs(120),
        ..Settings::default()
    })
}

/// Everybody but the winner is told the field and a conflict, and nothing of the winner.
#[track_caller]
fn told_of_a_conflict(replies: &[Reply], winner: &str) {
    for reply in replies.iter().filter(|reply| reply.status >= 300) {
        let reply = reply.clone().expect(409);
        assert_eq!(reply["code"], "registration_conflict", "{}", reply.raw());
        assert_eq!(reply["errors"][0]["pointer"], "/account_domain");
        assert!(reply.text("/conflict_id").starts_with("cnf_"));
        assert!(!reply.raw().contains(winner), "{}", reply.raw());
    }
}

#[test]
fn two_hundred_submissions_of_one_account_leave_one_claim() {
    let world = patient();
    let program = program(&world, json!({}));
    let partners: Vec<Actor> = (0..20)
        .map(|number| partner(&world, &format!("P{number}"), &program).1)
        .collect();
    let replies = at_once(MANY, |number| {
        partners[number % 20].post(PATH, claim(&program, "One.example"))
    });
    let taken: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(taken.len(), 1);
    let winner = taken[0].text("/partner_id").to_owned();
    let others: Vec<Reply> = replies
        .iter()
        // The winner itself is told that it has the claim already.
        .filter(|reply| reply["code"] != "already_exists")
        .cloned()
        .collect();
    told_of_a_conflict(&others, &winner);
    let accounts = world.admin().all("/v1/accounts?domain=one.example");
    assert_eq!(accounts.len(), 1, "all of them meant one account");
    let submitted = world.admin().all(&format!("{PATH}?status=submitted"));
    assert_eq!(submitted.len(), 1);
}

#[test]
fn two_hundred_approvals_of_one_account_protect_one() {
    let world = patient();
    let program = program(&world, json!({ "second_registrant": "queue" }));
    let claims: Vec<(String, String)> = (0..50)
        .map(|number| {
            let id = world.enrolled(&format!("P{number}"), &program);
            let mut body = claim(&program, "one.example");
            body["partner_id"] = json!(id);
            (world.admin().post(PATH, body).expect(201).id(), id)
        })
        .collect();
    let replies = at_once(MANY, |number| {
        world
            .admin()
            .act(&format!("{PATH}/{}/approve", claims[number % claims.len()].0))
    });
    let approved: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(approved.len(), 1);
    let winner = approved[0].text("/partner_id").to_owned();
    let others: Vec<Reply> = replies
        .iter()
        .filter(|reply| reply["code"] != "wrong_state")
        .cloned()
        .collect();
    told_of_a_conflict(&others, &winner);
    let conflicts: BTreeSet<&str> = others
        .iter()
        .filter_map(|reply| reply["conflict_id"].as_str())
        .collect();
    assert_eq!(conflicts.len(), 1, "one conflict, however many challenge");
    assert_eq!(world.admin().all(&format!("{PATH}?status=approved")).len(), 1);
    assert_eq!(world.admin().all("/v1/attributions?role=sourced").len(), 1);
    assert_eq!(world.admin().all("/v1/deals").len(), 1);
}

/// What no path of the service reaches is refused by the constraint itself.
#[test]
fn the_constraint_knows_any_family_and_the_ends_of_time() {
    let world = World::new();
    let rules = json!({ "second_registrant": "queue" });
    let program = program(&world, rules);
    let families: Vec<String> = ["A", "B"]
        .iter()
        .map(|name| {
            let body = json!({ "name": name });
            world.admin().post("/v1/product-families", body).expect(201).id()
        })
        .collect();
    let claim_of = |name: &str, family: Option<&str>| {
        let mut body = claim(&program, "one.example");
        body["partner_id"] = json!(world.enrolled(name, &program));
        if let Some(family) = family {
            body["product_family_id"] = json!(family);
        }
        world.admin().post(PATH, body).expect(201).id()
    };
    let approve = |id: &str| world.admin().act(&format!("{PATH}/{id}/approve"));
    let (a, b) = (
        claim_of("A", Some(&families[0])),
        claim_of("B", Some(&families[1])),
    );
    let (same, any) = (claim_of("C", Some(&families[0])), claim_of("D", None));
    approve(&a).expect(200);
    approve(&b).expect(200);
    approve(&same).refused(409, "registration_conflict");
    approve(&any).refused(409, "registration_conflict");
    let mut owner = world.database().owner();
    let force = |owner: &mut PgConnection, from: &str, until: &str| {
        owner.batch_execute(&format!(
            "UPDATE deal_registrations SET status = 'approved', protected_from = '{from}', protected_until = '{until}', \
             deal_id = (SELECT id FROM deals LIMIT 1) WHERE product_family_id IS NULL"
        ))
    };
    let refused = force(&mut owner, "2026-03-03", "2026-03-04")
        .unwrap_err()
        .to_string();
    assert!(refused.contains("deal_registrations_protection_key"), "{refused}");
    // Where the others end, the next one begins.
    force(&mut owner, "2027-01-01", "2027-02-01").unwrap();
    let all = "SELECT count(*) AS count FROM deal_registrations WHERE status = 'approved'";
    assert_eq!(count(&mut owner, all), 3);
}
