//! The life of a referral: every move that there is, and what time alone does.

use super::{PATH, Stage};
use crate::world::document;
use chrono::TimeDelta;
use copartner::features::referrals::{MOVES, ReferralStatus};
use diesel::{RunQueryDsl, sql_query};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::thread;

/// A referral in each state.
fn in_every_state(stage: &Stage) -> BTreeMap<ReferralStatus, String> {
    let mut made = BTreeMap::new();
    let expired = stage.submitted();
    stage.pass(TimeDelta::days(90));
    stage.world.work();
    made.insert(ReferralStatus::Expired, expired);
    made.insert(ReferralStatus::Submitted, stage.submitted());
    for (from, verb, to) in MOVES {
        let id = stage.submitted();
        if *from == ReferralStatus::Accepted {
            stage.verb(&id, "accept").expect(200);
        }
        stage.verb(&id, verb).expect(200);
        made.insert(*to, id);
    }
    made
}

#[test]
fn every_illegal_move_is_refused_with_the_legal_ones() {
    let stage = Stage::new();
    let made = in_every_state(&stage);
    assert_eq!(made.len(), ReferralStatus::ALL.len());
    let mut tried = 0;
    for (status, id) in &made {
        assert_eq!(stage.read(id)["status"], json!(status.as_str()));
        let illegal = MOVES
            .iter()
            .map(|(_, verb, _)| *verb)
            .filter(|verb| !status.moves().contains(verb));
        for verb in illegal {
            let before = stage.read(id);
            let refused = stage.verb(id, verb).refused(409, "wrong_state");
            assert_eq!(refused["current_state"], json!(status.as_str()), "{verb}");
            assert_eq!(refused["allowed_moves"], json!(status.moves()), "{verb}");
            assert_eq!(stage.read(id).body, before.body, "{verb}");
            tried += 1;
        }
    }
    assert_eq!(tried, ReferralStatus::ALL.len() * MOVES.len() - MOVES.len());
}

#[test]
fn the_document_and_the_database_know_the_same_moves() {
    let description = document()["paths"]["/v1/referrals"]["post"]["description"]
        .as_str()
        .unwrap();
    let ends = |from: ReferralStatus| -> Vec<&str> {
        let own = MOVES.iter().filter(|one| one.0 == from);
        own.map(|one| one.2.as_str()).collect()
    };
    let diagram = format!(
        "submitted → {} | expired; accepted → {}",
        ends(ReferralStatus::Submitted).join(" | "),
        ends(ReferralStatus::Accepted).join(" | ")
    );
    assert!(
        description.replace('\n', " ").contains(&diagram),
        "{diagram}: {description}"
    );
    // Behind the service's back, the database refuses every other move.
    let stage = Stage::new();
    let id = stage.submitted();
    stage.verb(&id, "accept").expect(200);
    let mut owner = stage.world.database().owner();
    for status in ReferralStatus::ALL
        .iter()
        .filter(|status| !ends(ReferralStatus::Accepted).contains(&status.as_str()))
    {
        let update = format!("UPDATE referrals SET status = '{status}'");
        let outcome = sql_query(update).execute(&mut owner);
        assert_eq!(
            outcome.is_ok(),
            *status == ReferralStatus::Accepted,
            "{status}: {outcome:?}"
        );
    }
    sql_query("UPDATE referrals SET company_name = 'Other'")
        .execute(&mut owner)
        .unwrap_err();
}

#[test]
fn a_promise_that_is_broken_is_noted_once_and_time_ends_a_referral() {
    let stage = Stage::new();
    let id = stage.submitted();
    stage.pass(TimeDelta::hours(31));
    assert_eq!(stage.told("referral."), ["referral.submitted"]);
    stage.pass(TimeDelta::hours(1));
    for _ in 0..2 {
        assert_eq!(
            stage.told("referral."),
            ["referral.response_overdue", "referral.submitted"]
        );
    }
    assert_eq!(stage.read(&id)["response_breached_at"], "2026-03-03T17:00:00Z");
    // Answered late, and still answered.
    let other = stage.submitted();
    stage.verb(&id, "accept").expect(200);
    stage.pass(TimeDelta::days(200));
    stage.world.work();
    assert_eq!(stage.read(&id)["status"], "accepted");
    let over = stage.read(&other);
    assert_eq!(
        (&over["status"], &over["first_response_at"]),
        (&json!("expired"), &Value::Null)
    );
    let history = stage.actor.get(&format!("{PATH}/{other}/history")).expect(200);
    assert_eq!(history.data()[1]["moved_by"], "service");
    assert!(stage.told("referral.expired").len() == 1);
}

#[test]
fn two_workers_at_once_expire_each_referral_once() {
    let stage = Stage::new();
    for _ in 0..30 {
        stage.submitted();
    }
    stage.pass(TimeDelta::days(100));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| stage.world.work());
        }
    });
    assert_eq!(stage.told("referral.expired").len(), 30);
    assert_eq!(stage.told("referral.response_overdue").len(), 30);
}
