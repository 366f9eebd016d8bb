//! Between earned and payable: the hold and the approval.

use crate::world::{World, texts};
use serde_json::{Value, json};
use std::thread;

fn statuses(world: &World) -> Vec<String> {
    texts(&world.lines(""), "status")
}

/// A payment in winter whose hold ends in summer time: 00:00 in Berlin is 22:00 UTC then.
#[test]
fn a_hold_ends_at_midnight_where_the_program_is() {
    for (approval, after) in [("automatic", "approved"), ("manual", "due")] {
        let world = World::new();
        let program = world.program(json!({ "time_zone": "Europe/Berlin", "commission_approval": approval }));
        world.rule(&program, "0.1", json!({ "hold_days": 30 }));
        let partner = world.enrolled("A", &program);
        world.sale(&program, &partner, "100.00 USD");
        let line = world.line("");
        assert_eq!(line["release_at"], "2026-03-31T22:00:00Z");
        assert_eq!(line["status"], "pending");
        assert_eq!(world.balance(&partner, "held"), "10.00");
        world.clock.set("2026-03-31T21:59:59.999999Z".parse().unwrap());
        world.work();
        assert_eq!(statuses(&world), ["pending"]);
        world.books_balance();
        world.clock.set("2026-03-31T22:00:00Z".parse().unwrap());
        world.work();
        assert_eq!(statuses(&world), [after]);
        world.books_balance();
    }
}

#[test]
fn a_suspended_partner_stays_on_hold() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(&program, "0.1", json!({ "hold_days": 1 }));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let path = format!("/v1/partners/{partner}");
    let reason = json!({ "reason": "Because." });
    world.admin().post(&format!("{path}/suspend"), reason).expect(200);
    world.pass(chrono::TimeDelta::days(5));
    world.work();
    assert_eq!(statuses(&world), ["pending"]);
    world.admin().act(&format!("{path}/reinstate")).expect(200);
    world.work();
    assert_eq!(statuses(&world), ["approved"]);
    world.books_balance();
}

#[test]
fn due_lines_wait_for_a_person() {
    let world = World::new();
    let program = world.ten_percent(json!({ "commission_approval": "manual" }));
    let [first, second] = ["A", "B"].map(|name| world.enrolled(name, &program));
    for (partner, amount) in [
        (&first, "100.00 USD"),
        (&first, "1000 JPY"),
        (&second, "30.00 USD"),
    ] {
        world.sale(&program, partner, amount);
    }
    assert_eq!(statuses(&world), ["due", "due", "due"]);
    let line = world.line(&format!("partner_id={second}"));
    let approve = format!("/v1/commissions/{}/approve", line["id"].as_str().unwrap());
    let stranger = world.key(&["commissions:read"]);
    stranger
        .post_once(&approve, Value::Null)
        .refused(403, "permission_denied");
    world
        .admin()
        .act(&approve)
        .refused(400, "idempotency_key_required");
    let approved = world.admin().post_once(&approve, Value::Null).expect(200);
    assert_eq!(approved["status"], "approved");
    let again = world
        .admin()
        .post_once(&approve, Value::Null)
        .refused(409, "wrong_state");
    assert_eq!(again["current_state"], "approved");
    let rest = world
        .admin()
        .post_once("/v1/commission-approvals", json!({ "partner_id": first }))
        .expect(200);
    assert_eq!(rest["approved"], 2);
    let totals = json!([{ "amount": "100", "currency": "JPY" }, { "amount": "10.00", "currency": "USD" }]);
    assert_eq!(rest["totals"], totals);
    assert_eq!(statuses(&world), ["approved", "approved", "approved"]);
    world.books_balance();
}

#[test]
fn what_is_approved_may_come_to_more_than_an_amount() {
    let world = World::new();
    let program = world.program(json!({ "commission_approval": "manual" }));
    world.rule(&program, "1", json!({}));
    let partner = world.enrolled("A", &program);
    for _ in 0..2 {
        world.sale(&program, &partner, "900000000000000.00 USD");
    }
    let approved = world
        .admin()
        .post_once("/v1/commission-approvals", json!({}))
        .expect(200);
    assert_eq!(approved["totals"][0]["amount"], "1800000000000000.00");
    world.books_balance();
}

#[test]
fn twenty_approvals_of_one_line_approve_it_once() {
    let world = World::new();
    let program = world.ten_percent(json!({ "commission_approval": "manual" }));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let path = format!(
        "/v1/commissions/{}/approve",
        world.line("")["id"].as_str().unwrap()
    );
    let statuses = thread::scope(|scope| {
        let ask = || world.admin().post_once(&path, Value::Null).status;
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
        threads
            .into_iter()
            .map(|one| one.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(world.balance(&partner, "payable"), "10.00");
    world.books_balance();
}
