//! The smaller machines, each from its own table of moves: what their charters and the document show, and every move that
//! there is not.

use crate::world::{Reply, World, document, money};
use copartner::features::accounts::{MERGE_MOVES, MergeStatus, PAIR_MOVES, PairStatus};
use copartner::features::attributions::{self, AttributionStatus};
use copartner::features::compliance_documents::{self, ComplianceDocumentStatus};
use copartner::features::referral_links::{self, ReferralLinkStatus};
use copartner::features::touchpoints::{self, TouchpointStatus};
use serde_json::{Value, json};

/// The life cycle in a line, as the charter and the document have it.
fn diagram<State: Copy + PartialEq + ToString>(all: &[State], moves: &[(State, &str, State)]) -> String {
    let line = |from: &State| {
        let leads = |to: &&State| moves.iter().any(|one| one.0 == *from && one.2 == **to);
        let to: Vec<String> = all.iter().filter(leads).map(ToString::to_string).collect();
        (!to.is_empty()).then(|| format!("{} → {}", from.to_string(), to.join(" | ")))
    };
    all.iter().filter_map(line).collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn shown(diagram: &str, charter: &str, path: &str) {
    let lines = charter.lines().map(|line| line.trim_start_matches("//!").trim());
    let charter = lines.collect::<Vec<_>>().join(" ");
    assert!(charter.contains(diagram), "the charter lacks {diagram}");
    let description = document()["paths"][path]["post"]["description"].as_str().unwrap();
    let flowing = description.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains(diagram), "{path} lacks {diagram}: {flowing}");
}

#[test]
fn charters_and_the_document_show_the_machines() {
    shown(
        &diagram(TouchpointStatus::ALL, touchpoints::MOVES),
        include_str!("../../src/features/touchpoints/mod.rs"),
        "/v1/touchpoints/{touchpoint_id}/void",
    );
    shown(
        &diagram(AttributionStatus::ALL, attributions::MOVES),
        include_str!("../../src/features/attributions/mod.rs"),
        "/v1/attributions",
    );
    shown(
        &diagram(ReferralLinkStatus::ALL, referral_links::MOVES),
        include_str!("../../src/features/referral_links/mod.rs"),
        "/v1/referral-links",
    );
    shown(
        &diagram(ComplianceDocumentStatus::ALL, compliance_documents::MOVES),
        include_str!("../../src/features/compliance_documents/mod.rs"),
        "/v1/compliance-documents",
    );
    let accounts = include_str!("../../src/features/accounts/mod.rs");
    shown(
        &diagram(PairStatus::ALL, PAIR_MOVES),
        accounts,
        "/v1/account-matches/{account_match_id}/confirm",
    );
    shown(
        &diagram(MergeStatus::ALL, MERGE_MOVES),
        accounts,
        "/v1/account-merges/{account_merge_id}/undo",
    );
}

/// Tries every verb of the machine that this state does not allow on a record in it; how many they were.
#[track_caller]
fn illegal_moves_are_refused<State: Copy + PartialEq + ToString>(
    world: &World,
    path: &str,
    (state, allowed): (State, &[&str]),
    moves: &[(State, &'static str, State)],
) -> usize {
    let read = || world.admin().get(path).expect(200);
    let before = read();
    assert_eq!(before["status"], state.to_string(), "{path}");
    let mut verbs: Vec<&str> = moves.iter().map(|(_, verb, _)| *verb).collect();
    verbs.sort_unstable();
    verbs.dedup();
    verbs.retain(|verb| !allowed.contains(verb));
    for verb in &verbs {
        let refused = attempt(world, path, verb).refused(409, "wrong_state");
        assert_eq!(refused["current_state"], state.to_string(), "{path} {verb}");
        assert_eq!(refused["allowed_moves"], json!(allowed), "{path} {verb}");
        assert_eq!(read().body, before.body, "{path} {verb}");
    }
    verbs.len()
}

/// A verb with whatever body it needs.
fn attempt(world: &World, path: &str, verb: &str) -> Reply {
    let path = format!("{path}/{verb}");
    match verb {
        "correct" => {
            let body = json!({ "reason": "Because.", "share_basis_points": 1 });
            world.admin().post_once(&path, body)
        }
        "void" | "reject" | "undo" | "revoke" => world.admin().post(&path, json!({ "reason": "Because." })),
        "confirm" if path.contains("account-matches") => {
            world.admin().post(&path, json!({ "reason": "Because." }))
        }
        _ => world.admin().act(&path),
    }
}

fn make(world: &World, path: &str, body: Value) -> String {
    let id = world.admin().post(path, body).expect(201).id();
    format!("{path}/{id}")
}

#[test]
fn a_touchpoint_is_voided_once() {
    let world = World::new();
    let program = world.program(json!({}));
    let partner = world.enrolled("A", &program);
    let deal = world.open_deal(&program, "10.00 EUR", &[(&partner, 100)]);
    let body = json!({ "deal_id": deal, "partner_id": partner, "kind": "demo" });
    let mut tried = 0;
    for state in TouchpointStatus::ALL {
        let path = make(&world, "/v1/touchpoints", body.clone());
        if *state == TouchpointStatus::Voided {
            attempt(&world, &path, "void").expect(200);
        }
        let found = (*state, state.moves());
        tried += illegal_moves_are_refused(&world, &path, (found.0, &found.1), touchpoints::MOVES);
    }
    assert_eq!(tried, 1);
}

#[test]
fn a_referral_link_is_retired_once() {
    let world = World::new();
    let program = world.program(json!({ "motion": "affiliate" }));
    let partner = world.enrolled("A", &program);
    let mut tried = 0;
    for state in ReferralLinkStatus::ALL {
        let body = json!({
            "partner_id": partner, "program_id": program, "target_url": "https://example.com/"
        });
        let path = make(&world, "/v1/referral-links", body);
        if *state == ReferralLinkStatus::Retired {
            attempt(&world, &path, "retire").expect(200);
        }
        let allowed = state.moves();
        tried += illegal_moves_are_refused(&world, &path, (*state, &allowed), referral_links::MOVES);
    }
    assert_eq!(tried, 1);
}

#[test]
fn a_compliance_document_moves_as_its_table_says() {
    let world = World::new();
    let partner = world.partner("A");
    let mut tried = 0;
    for state in ComplianceDocumentStatus::ALL {
        let body = json!({
            "partner_id": partner, "kind": "tax_form", "name": "W-9", "valid_from": "2026-03-01"
        });
        let path = make(&world, "/v1/compliance-documents", body);
        match state {
            ComplianceDocumentStatus::Submitted => {}
            ComplianceDocumentStatus::Verified => drop(attempt(&world, &path, "verify").expect(200)),
            ComplianceDocumentStatus::Revoked => drop(attempt(&world, &path, "revoke").expect(200)),
        }
        let allowed = state.moves();
        tried += illegal_moves_are_refused(&world, &path, (*state, &allowed), compliance_documents::MOVES);
    }
    assert_eq!(tried, 3);
}

#[test]
fn a_credit_moves_as_its_table_says() {
    let world = World::new();
    let program = world.program(json!({}));
    let mut tried = 0;
    for (number, state) in AttributionStatus::ALL.iter().enumerate() {
        let partner = world.enrolled(&format!("Partner {number}"), &program);
        let deal = world.open_deal(&program, "10.00 EUR", &[]);
        let body = json!({
            "deal_id": deal, "partner_id": partner, "role": "sourced", "share_basis_points": 100
        });
        let path = make(&world, "/v1/attributions", body);
        match state {
            AttributionStatus::Claimed => {}
            AttributionStatus::Confirmed => drop(attempt(&world, &path, "confirm").expect(200)),
            AttributionStatus::Rejected => drop(attempt(&world, &path, "reject").expect(200)),
        }
        let allowed = state.moves();
        tried += illegal_moves_are_refused(&world, &path, (*state, &allowed), attributions::MOVES);
        // A correction is for a won deal, where nothing else is left.
        if *state == AttributionStatus::Rejected {
            world.win(&deal);
            attempt(&world, &path, "correct").refused(409, "wrong_state");
        }
    }
    assert_eq!(
        tried, 5,
        "none of three from claimed, two from confirmed, all from rejected"
    );
}

#[test]
fn a_pair_is_decided_and_thought_over() {
    let world = World::new();
    let mut tried = 0;
    for state in PairStatus::ALL {
        for name in ["Hafen Logistik GmbH", "Hafn Logistik"] {
            let body = json!({ "name": format!("{name} {state}") });
            world.admin().post("/v1/accounts", body).expect(201);
        }
        world.work();
        let pairs = world.admin().all("/v1/account-matches?status=suggested");
        let path = format!("/v1/account-matches/{}", pairs[0]["id"].as_str().unwrap());
        match state {
            PairStatus::Suggested => {}
            PairStatus::Confirmed => drop(attempt(&world, &path, "confirm").expect(200)),
            PairStatus::Rejected => drop(attempt(&world, &path, "reject").expect(200)),
        }
        let allowed = state.moves();
        tried += illegal_moves_are_refused(&world, &path, (*state, &allowed), PAIR_MOVES);
    }
    assert_eq!(tried, 2);
}

#[test]
fn a_merge_is_undone_once() {
    let world = World::new();
    let mut tried = 0;
    for state in MergeStatus::ALL {
        let [account, survivor] = ["Leuchtturm", "Walfisch"].map(|name| {
            let body = json!({ "name": format!("{name} {state}") });
            world.admin().post("/v1/accounts", body).expect(201).id()
        });
        let deal = json!({ "name": "Deal", "account_id": account, "amount": money("1.00 USD") });
        world.admin().post("/v1/deals", deal).expect(201);
        let body = json!({ "account_id": account, "survivor_id": survivor, "reason": "One company." });
        let path = make(&world, "/v1/account-merges", body);
        if *state == MergeStatus::Undone {
            attempt(&world, &path, "undo").expect(200);
        }
        let allowed = state.moves();
        tried += illegal_moves_are_refused(&world, &path, (*state, &allowed), MERGE_MOVES);
    }
    assert_eq!(tried, 1);
}
