//! What would be refused is not shown.

use super::{Stage, kinds};
use crate::world::{World, money};
use serde_json::json;

#[test]
fn what_the_partner_cannot_submit_is_not_shown() {
    let stage = Stage::new();
    let world = &stage.world;
    let program = world.program(json!({}));
    let (_, actor) = stage.partner("A", &program);
    let made = stage
        .claim(&actor, &program, json!({ "draft": true }))
        .expect(201);
    assert!(kinds(&actor).contains(&"submit_draft".to_owned()));
    let enrollment = world.admin().all("/v1/enrollments")[0]["id"].clone();
    let enrollment = format!("/v1/enrollments/{}", enrollment.as_str().unwrap());
    let pause = json!({ "reason": "Audit" });
    world
        .admin()
        .post(&format!("{enrollment}/pause"), pause)
        .expect(200);
    assert!(!kinds(&actor).contains(&"submit_draft".to_owned()));
    world.admin().act(&format!("{enrollment}/resume")).expect(200);
    let submit = format!("/v1/deal-registrations/{}/submit", made.id());
    actor.act(&submit).expect(200);
    let ask = json!({ "reason": "Who decides?" });
    let sent_back = format!("/v1/deal-registrations/{}/request-action", made.id());
    world.admin().post(&sent_back, ask).expect(200);
    assert!(kinds(&actor).contains(&"resubmit_registration".to_owned()));
    let pause = json!({ "reason": "Audit" });
    world
        .admin()
        .post(&format!("{enrollment}/pause"), pause)
        .expect(200);
    assert!(!kinds(&actor).contains(&"resubmit_registration".to_owned()));
    actor.act(&submit).refused(422, "validation_failed");
}

#[test]
fn credit_that_cannot_be_confirmed_is_not_shown() {
    let stage = Stage::new();
    let world = &stage.world;
    let program = world.program(json!({}));
    let (partner, _) = stage.partner("A", &program);
    let account = world
        .admin()
        .post("/v1/accounts", json!({ "name": "Hafen" }))
        .expect(201)
        .id();
    let body = json!({
        "name": "Fleet", "account_id": account, "program_id": program, "amount": money("100.00 USD")
    });
    let deal = world.admin().post("/v1/deals", body).expect(201).id();
    let credit = |partner: &str, share: u32| {
        let body = json!({ "deal_id": deal, "partner_id": partner, "role": "influenced", "share_basis_points": share });
        world.admin().post("/v1/attributions", body).expect(201).id()
    };
    let shown = || kinds(world.admin()).contains(&"confirm_credit".to_owned());
    let first = credit(&partner, 6_000);
    assert!(shown());
    let confirm = |id: &str| world.admin().act(&format!("/v1/attributions/{id}/confirm"));
    confirm(&first).expect(200);
    let other = world.enrolled("B", &program);
    let beyond = credit(&other, 5_000);
    assert!(!shown());
    confirm(&beyond).refused(409, "shares_exceed_whole");
    let less = json!({ "share_basis_points": 4_000 });
    world
        .admin()
        .patch(&format!("/v1/attributions/{beyond}"), less)
        .expect(200);
    assert!(shown());
    let why = json!({ "reason": "Because." });
    world
        .admin()
        .post(&format!("/v1/partners/{other}/suspend"), why)
        .expect(200);
    assert!(!shown());
    confirm(&beyond).refused(409, "wrong_state");
}
#[test]
fn what_is_taken_back_alone_asks_for_no_run() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.won_deal(&program, "1000.00 USD", &[(&partner, 10_000)]);
    world.credit_note(&deal, None, "100.00 USD");
    world.work();
    assert_eq!(world.balance(&partner, "payable"), "-10.00");
    assert!(!kinds(world.admin()).contains(&"draft_payout_run".to_owned()));
    world.pay(&world.invoice(&deal, "USD", &["1000.00"]), "1000.00 USD");
    world.work();
    assert!(kinds(world.admin()).contains(&"draft_payout_run".to_owned()));
}
