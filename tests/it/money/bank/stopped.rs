//! A partner that is suspended or terminated after a run was approved is not paid by it.

use super::{COOLED_OFF, account, clerk};
use crate::world::{World, money, texts};
use serde_json::{Value, json};

const GERMAN: &str = "DE89370400440532013000";

/// Stops paying a partner.
fn stop(world: &World, partner: &str, verb: &str) {
    let why = json!({ "reason_code": "other", "reason": "Looked into." });
    world
        .admin()
        .post(&format!("/v1/partners/{partner}/{verb}"), why)
        .expect(200);
}

#[test]
fn whoever_is_stopped_after_the_approval_gets_nothing() {
    for rail in ["manual", "csv"] {
        for verb in ["suspend", "terminate"] {
            let world = World::new();
            let program = world.ten_percent(json!({}));
            let [kept, gone] = ["A", "B"].map(|name| world.enrolled(name, &program));
            world.sale(&program, &kept, "100.00 EUR");
            world.sale(&program, &gone, "70.00 EUR");
            for partner in [&kept, &gone] {
                account(&world, partner, "EUR", GERMAN);
            }
            world.pass(COOLED_OFF);
            let finance = world.finance();
            let run = world.draft_run_on(rail, &clerk(&world));
            run.verb(&finance, "approve", Value::Null).expect(200);
            assert_eq!(world.balance(&gone, "in_payout"), "7.00");
            stop(&world, &gone, verb);
            let processing = run.verb(&finance, "process", Value::Null).expect(200);
            let counts = &processing["by_status"];
            assert_eq!(
                (&counts["processing"], &counts["cancelled"]),
                (&json!(1), &json!(1)),
                "{rail} {verb}"
            );
            let path = format!("/v1/payouts?payout_run_id={}&status=cancelled", run.id);
            let cancelled = world.admin().all(&path);
            assert_eq!(texts(&cancelled, "partner_id"), [gone.as_str()]);
            let reason = cancelled[0]["status_reason"].as_str().unwrap();
            assert!(reason.contains("not paid"), "{reason}");
            assert_eq!(world.balance(&gone, "payable"), "7.00");
            run.verb(&finance, "confirm", json!({})).expect(200);
            assert_eq!(world.balance(&gone, "paid"), "0.00");
            assert_eq!(world.balance(&kept, "paid"), "10.00");
            world.books_balance();
            let later = world.draft_run();
            assert_eq!(
                later.carried(),
                [("7.00".to_owned(), "partner_not_payable".to_owned())]
            );
            if verb == "suspend" {
                world
                    .admin()
                    .act(&format!("/v1/partners/{gone}/reinstate"))
                    .expect(200);
                world.paid_run(&finance);
                assert_eq!(world.balance(&gone, "paid"), "7.00");
                world.books_balance();
            }
        }
    }
}

/// With nobody left to pay the run is done.
#[test]
fn a_run_of_nobody_that_is_paid_is_done() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let finance = world.finance();
    let run = world.draft_run();
    run.verb(&finance, "approve", Value::Null).expect(200);
    stop(&world, &partner, "suspend");
    let done = run.verb(&finance, "process", Value::Null).expect(200);
    assert_eq!(done["status"], "completed");
    assert_eq!(world.balance(&partner, "payable"), "10.00");
    assert_eq!(world.lines("")[0]["amount"], money("10.00 USD"));
    world.books_balance();
}
