//! What the caller does best now: what is shown can be done, and is gone once it is.

mod refusals;

use crate::world::{Actor, Reply, World, money, operations};
use chrono::{DateTime, TimeDelta, Utc};
use copartner::features::next_actions::{MOST_ACTIONS, NextActionKind};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PATH: &str = "/v1/next-actions";

/// All actions, the most useful first.
#[track_caller]
fn actions(actor: &Actor) -> Vec<Value> {
    let reply = actor.get(PATH).expect(200);
    let first = reply.body["next_action"].clone();
    let later = reply.body["later_actions"].as_array().unwrap().clone();
    assert!(!first.is_null() || later.is_empty());
    Some(first)
        .filter(|one| !one.is_null())
        .into_iter()
        .chain(later)
        .collect()
}

fn kinds(actor: &Actor) -> Vec<String> {
    let kind = |one: Value| one["kind"].as_str().unwrap().to_owned();
    actions(actor).into_iter().map(kind).collect()
}

/// The only action of this kind.
#[track_caller]
fn action(actor: &Actor, kind: &str) -> Value {
    let mut all = actions(actor);
    all.retain(|one| one["kind"] == kind);
    assert_eq!(all.len(), 1, "{kind}: {all:?}");
    all.remove(0)
}

/// Does what the action says, and finds it gone.
#[track_caller]
fn done(actor: &Actor, kind: &str, body: Value) -> Reply {
    let action = action(actor, kind);
    let path = action["path"].as_str().unwrap();
    let mut ask = actor.ask(action["method"].as_str().unwrap(), path);
    ask = ask.header("Idempotency-Key", kind);
    if kind == "approve_payout_run" {
        let run = path.trim_end_matches("/approve");
        let current = actor.get(run).expect(200);
        ask = ask.header("If-Match", current.header("etag"));
    }
    let reply = if body.is_null() {
        ask.send()
    } else {
        ask.json(&body).send()
    };
    assert!(reply.status < 300, "{kind}: {}", reply.raw());
    assert!(
        !kinds(actor).contains(&kind.to_owned()),
        "{kind} is still to be done"
    );
    reply
}

struct Stage {
    world: World,
}

impl Stage {
    fn new() -> Self {
        Self { world: World::new() }
    }

    /// A partner that has named whom to talk to.
    fn partner(&self, name: &str, program: &str) -> (String, Actor) {
        let id = self.world.enrolled(name, program);
        let actor = self.world.full_partner_key(&id);
        let contact = json!({ "partner_id": id, "name": "Ines", "email": "ines@example.com" });
        self.world
            .admin()
            .post("/v1/partner-contacts", contact)
            .expect(201);
        (id, actor)
    }

    fn claim(&self, actor: &Actor, program: &str, more: Value) -> Reply {
        let mut body = json!({
            "program_id": program, "account_name": "Hafen Logistik", "account_domain": "hafen.example",
            "amount": money("25000.00 EUR")
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        actor.post("/v1/deal-registrations", body)
    }
}

#[test]
fn every_action_names_an_operation_of_the_document() {
    let all = operations();
    for kind in NextActionKind::ALL {
        let meant = kind.operation();
        let found = all.iter().find(|one| one.id == meant.id);
        let found = found.unwrap_or_else(|| panic!("{kind}: no operation {}", meant.id));
        assert_eq!(
            (found.method.as_str(), found.path),
            (NextActionKind::METHOD, meant.path),
            "{kind}"
        );
        assert_eq!(found.permissions, [meant.permission.name()], "{kind}");
    }
}

#[test]
fn a_new_partner_accepts_terms_and_hands_over_its_first_lead() {
    let stage = Stage::new();
    let world = &stage.world;
    let program = world.program(json!({ "motion": "referral", "name": "Referrals" }));
    let (_, actor) = stage.partner("Nordlicht", &program);
    let (_, other) = stage.partner("Alster", &program);
    assert_eq!(kinds(&actor), ["submit_first_referral"]);
    let terms = json!({ "version": "2026-03", "document_url": "https://example.com/terms.pdf" });
    let path = format!("/v1/programs/{program}/terms");
    world.admin().post(&path, terms).expect(201);
    world.pass(TimeDelta::days(2));
    assert_eq!(kinds(&actor), ["accept_terms", "submit_first_referral"]);
    let first = action(&actor, "accept_terms");
    assert_eq!(
        first["why"],
        "Version 2026-03 of the terms of Referrals was published 2 days ago; you accepted none so far."
    );
    assert_eq!(first["subject_type"], "enrollment");
    let body = json!({ "enrollment_id": first["subject_id"] });
    done(&actor, "accept_terms", body);
    let lead = json!({ "program_id": program, "company_name": "Hansa Logistik" });
    done(&actor, "submit_first_referral", lead);
    assert_eq!(kinds(&actor), [""; 0]);
    // What one partner did is not done for another, and who may not accept terms is not asked to.
    assert_eq!(kinds(&other), ["accept_terms", "submit_first_referral"]);
    let (id, _) = stage.partner("Weser", &program);
    let member = world.partner_key(&id, &["next_actions:read", "enrollments:read", "referrals:write"]);
    assert_eq!(kinds(&member), ["submit_first_referral"]);
    let nothing = world.partner_key(&id, &["next_actions:read"]);
    assert_eq!(kinds(&nothing), [""; 0]);
}

#[test]
fn a_claim_is_sent_back_extended_and_defended() {
    let stage = Stage::new();
    let world = &stage.world;
    let program = world.program(json!({}));
    let rules = json!({ "second_registrant": "queue", "protection_days": 60, "reminder_days": [7, 20] });
    let path = format!("/v1/programs/{program}/deal-rules");
    world.admin().patch(&path, rules).expect(200);
    let (_, actor) = stage.partner("Nordlicht", &program);
    let (_, rival) = stage.partner("Alster", &program);
    assert_eq!(kinds(&actor), ["register_first_deal"]);
    let made = stage
        .claim(&actor, &program, json!({ "draft": true }))
        .expect(201);
    assert_eq!(kinds(&actor), ["submit_draft"]);
    done(&actor, "submit_draft", Value::Null);
    let claim = format!("/v1/deal-registrations/{}", made.id());
    let ask = json!({ "reason": "Who decides?" });
    world
        .admin()
        .post(&format!("{claim}/request-action"), ask)
        .expect(200);
    world.pass(TimeDelta::hours(5));
    let sent_back = action(&actor, "resubmit_registration");
    assert_eq!(
        sent_back["why"],
        "The registration for Hafen Logistik came back to you 5 hours ago: Who decides?"
    );
    done(&actor, "resubmit_registration", Value::Null);
    world.admin().act(&format!("{claim}/approve")).expect(200);
    stage.claim(&rival, &program, json!({})).expect(201);
    assert_eq!(kinds(&actor), ["give_evidence"]);
    assert_eq!(kinds(&rival), ["give_evidence"]);
    let evidence = json!({ "deal_registration_id": made.id(), "evidence": "Minutes of the first meeting." });
    done(&actor, "give_evidence", evidence);
    world.pass(TimeDelta::days(35));
    assert_eq!(kinds(&actor), [""; 0]);
    world.pass(TimeDelta::days(10));
    let ends = action(&actor, "extend_protection");
    let until: DateTime<Utc> = ends["due_at"].as_str().unwrap().parse().unwrap();
    let days = (until - world.clock.now()).num_days();
    assert_eq!(
        ends["why"],
        format!("The protection of Hafen Logistik ends in {days} days; 1 extension is left.")
    );
    done(
        &actor,
        "extend_protection",
        json!({ "evidence": "The tender was put off." }),
    );
    let reviewer = world.key(&[
        "next_actions:read",
        "deal_registrations:read",
        "deal_registrations:review",
    ]);
    done(&reviewer, "answer_extension", Value::Null);
    world.pass(TimeDelta::days(30));
    assert_eq!(kinds(&actor), [""; 0], "no extension is left");
}

#[test]
fn money_that_waits_asks_for_a_way_to_be_paid() {
    let stage = Stage::new();
    let world = &stage.world;
    let program = world.ten_percent(json!({ "motion": "agency" }));
    let (id, actor) = stage.partner("Nordlicht", &program);
    assert_eq!(kinds(&actor), [""; 0]);
    world.sale(&program, &id, "1000.00 USD");
    world.work();
    let waits = action(&actor, "add_payout_method");
    assert_eq!(
        waits["why"],
        "100.00 USD: 1 commission is waiting for you, and there is no payout method in USD."
    );
    assert_eq!(waits["subject_id"], id.as_str());
    let method = json!({ "currency": "USD", "kind": "manual", "instruction": "Checks to Hafenstraße 1" });
    done(&actor, "add_payout_method", method);
    // A second person confirms, and the proposer's key is none.
    let second = [
        "next_actions:read",
        "payout_methods:read",
        "payout_methods:confirm",
    ];
    assert_eq!(kinds(&actor), [""; 0]);
    done(&world.another_hand(&second), "confirm_payout_method", Value::Null);
}

#[test]
fn finance_is_led_from_what_is_due_to_what_was_paid() {
    let stage = Stage::new();
    let world = &stage.world;
    let settings = json!({ "name": "Agencies", "motion": "agency", "commission_approval": "manual" });
    let program = world.ten_percent(settings);
    let (id, partner) = stage.partner("Nordlicht", &program);
    let method = json!({ "currency": "EUR", "kind": "manual", "instruction": "Checks to Hafenstraße 1" });
    let method = partner.post("/v1/payout-methods", method).expect(201).id();
    let clerk = world.key(&[
        "next_actions:read",
        "commissions:read",
        "commissions:approve",
        "payout_runs:read",
        "payout_runs:write",
    ]);
    assert_eq!(kinds(&clerk), [""; 0]);
    world.sale(&program, &id, "1000.00 EUR");
    world.sale(&program, &id, "500.00 EUR");
    world.work();
    let due = action(&clerk, "approve_commissions");
    assert_eq!(
        due["why"],
        "2 commissions have been due in Agencies for 0 minutes and not approved."
    );
    assert_eq!(due["subject_id"], program.as_str());
    done(&clerk, "approve_commissions", json!({}));
    assert_eq!(
        action(&clerk, "draft_payout_run")["why"],
        "2 commissions have been ready to be paid in Agencies for 0 minutes, and no run has been drafted since."
    );
    let run = json!({ "cut_off_at": world.clock.now(), "rail": "manual" });
    let run = done(&clerk, "draft_payout_run", run).id();
    assert_eq!(kinds(&clerk), [""; 0], "the drafter does not approve");
    let second = world.another_hand(&[
        "next_actions:read",
        "payout_methods:read",
        "payout_methods:confirm",
        "payout_runs:read",
        "payout_runs:approve",
        "payout_runs:process",
        "payouts:read",
        "payouts:confirm",
    ]);
    done(&second, "confirm_payout_method", Value::Null);
    done(&second, "approve_payout_run", Value::Null);
    done(&second, "process_payout_run", Value::Null);
    assert_eq!(
        action(&second, "settle_payout_run")["why"],
        format!(
            "1 payout has been on its way in the run {} for 0 minutes, and nobody has said whether the money arrived.",
            world.clock.now().format("%Y-%m-%d")
        )
    );
    // What did not arrive comes back to the partner.
    let payouts = world.admin().all(&format!("/v1/payouts?payout_run_id={run}"));
    let path = format!("/v1/payouts/{}/fail", payouts[0]["id"].as_str().unwrap());
    let failed = json!({ "reason": "The account is closed" });
    second.post_once(&path, failed).expect(200);
    assert_eq!(kinds(&second), [""; 0]);
    let mend = action(&partner, "mend_payout_method");
    assert_eq!(
        mend["why"],
        "150.00 EUR: this payout did not reach you 0 minutes ago: The account is closed. The money waits; say how else \
         you are paid in EUR."
    );
    assert_eq!(mend["subject_id"], payouts[0]["id"]);
    world.pass(TimeDelta::minutes(1));
    let other = json!({ "currency": "EUR", "kind": "manual", "instruction": "Checks to Elbstraße 2" });
    let other = done(&partner, "mend_payout_method", other).id();
    assert_ne!(other, method);
}

#[test]
fn the_organization_is_shown_what_its_people_may_do() {
    let stage = Stage::new();
    let world = &stage.world;
    let program = world.ten_percent(json!({ "name": "Resellers" }));
    let (id, actor) = stage.partner("Nordlicht", &program);
    let (_, rival) = stage.partner("Alster", &program);
    let admin = world.admin();
    let lead = json!({ "program_id": program, "company_name": "Hansa", "amount": money("500.00 EUR") });
    actor.post("/v1/referrals", lead).expect(201);
    let rules = json!({ "second_registrant": "queue" });
    let path = format!("/v1/programs/{program}/deal-rules");
    admin.patch(&path, rules).expect(200);
    stage.claim(&actor, &program, json!({})).expect(201);
    stage.claim(&rival, &program, json!({})).expect(201);
    world.sale(&program, &id, "1000.00 USD");
    let deal = world.open_deal(&program, "10.00 EUR", &[(&id, 10_000)]);
    let credit =
        json!({ "deal_id": deal, "partner_id": id, "role": "delivered", "share_basis_points": 2_505 });
    admin.post("/v1/attributions", credit).expect(201);
    let amount = json!({
        "partner_id": id, "program_id": program, "amount": money("5.00 USD"), "reason_code": "bonus",
        "reason": "First deal"
    });
    admin.post_once("/v1/adjustments", amount).expect(201);
    let applicant = admin
        .post("/v1/partners", json!({ "name": "Weser" }))
        .expect(201)
        .id();
    let other = world.partner("Elbe");
    let enrollment = json!({ "partner_id": other, "program_id": program });
    admin.post("/v1/enrollments", enrollment).expect(201);
    let run = world.draft_run_by(admin);
    let shown: BTreeSet<String> = kinds(admin).into_iter().collect();
    let expected = [
        "activate_enrollment",
        "answer_referral",
        "confirm_credit",
        "decide_conflict",
        "review_partner",
        "review_registration",
    ];
    assert_eq!(
        shown,
        expected.map(str::to_owned).into(),
        "what the admin made is for a second person"
    );
    let referral = action(admin, "answer_referral");
    assert_eq!(
        referral["why"],
        "500.00 EUR: Nordlicht referred Hansa 0 minutes ago; the answer is due in 1 day."
    );
    let credit = action(admin, "confirm_credit");
    assert_eq!(
        credit["why"],
        "Nordlicht claimed 25.05% of the delivered credit for Deal 0 minutes ago."
    );
    // What is late comes first.
    world.pass(TimeDelta::days(10));
    let first = actions(admin).remove(0);
    assert!(first["why"].as_str().unwrap().ends_with("late."), "{first}");
    for kind in [
        "answer_referral",
        "confirm_credit",
        "review_partner",
        "activate_enrollment",
    ] {
        done(admin, kind, Value::Null);
    }
    assert_eq!(
        admin.get(&format!("/v1/partners/{applicant}"))["status"],
        "approved"
    );
    let second = world.another_hand(&[
        "next_actions:read",
        "adjustments:read",
        "adjustments:approve",
        "payout_runs:read",
        "payout_runs:approve",
        "payout_runs:process",
    ]);
    assert_eq!(kinds(&second), ["approve_payout_run", "approve_adjustment"]);
    done(&second, "approve_payout_run", Value::Null);
    done(&second, "process_payout_run", Value::Null);
    done(&second, "approve_adjustment", Value::Null);
    assert_eq!(run.now()["status"], "processing");
    // Who may only review is shown nothing of what the permission to read would show.
    let blind = world.key(&["next_actions:read", "deal_registrations:review"]);
    assert_eq!(kinds(&blind), [""; 0]);
    world
        .key(&["deal_registrations:review"])
        .get(PATH)
        .refused(403, "permission_denied");
}

#[test]
fn a_dispute_goes_to_and_fro_and_whoever_decided_or_found_does_not_decide_it() {
    let stage = Stage::new();
    let world = &stage.world;
    let program = world.ten_percent(json!({ "motion": "agency" }));
    let (id, actor) = stage.partner("Nordlicht", &program);
    world.sale(&program, &id, "100.00 USD");
    let line = world.line("")["id"].as_str().unwrap().to_owned();
    let body = json!({ "subject_ids": [line], "reason_code": "amount_too_low", "statement": "It should be more.",
        "claimed_amount": money("15.00 USD") });
    let dispute = actor.post("/v1/disputes", body).expect(201);
    let held = ["add_payout_method"];
    assert_eq!(kinds(&actor), held);
    world.pass(TimeDelta::hours(3));
    let waits = action(world.admin(), "review_dispute");
    assert_eq!(waits["subject_id"], dispute.id().as_str());
    assert_eq!(
        waits["why"],
        "15.00 USD: Nordlicht disputed a commission 3 hours ago, and nobody looks into it; the answer is due in 1 day."
    );
    done(
        world.admin(),
        "review_dispute",
        json!({ "found_amount": money("15.00 USD") }),
    );
    // Whoever found what is owed leaves it to somebody else.
    assert_eq!(kinds(world.admin()), [""; 0]);
    let path = format!("/v1/disputes/{}", dispute.id());
    let ask = json!({ "reason": "Which order?" });
    world
        .admin()
        .post(&format!("{path}/request-information"), ask)
        .expect(200);
    let rights = [
        "next_actions:read",
        "disputes:read",
        "disputes:decide",
        "adjustments:approve",
    ];
    let second = world.another_hand(&rights);
    assert_eq!(kinds(&second), [""; 0]);
    let asked = action(&actor, "answer_dispute");
    assert_eq!(
        asked["why"],
        "Your dispute about a commission has waited 0 minutes for your answer: Which order?"
    );
    done(&actor, "answer_dispute", json!({ "body": "The second one." }));
    let decision = json!({ "outcome": "upheld", "reason": "Right." });
    done(&second, "decide_dispute", decision);
    // What somebody decided about a claim is not theirs to decide again.
    let claim = stage.claim(&actor, &program, json!({})).expect(201).id();
    let why = json!({ "reason_code": "other", "reason": "No." });
    let reject = format!("/v1/deal-registrations/{claim}/reject");
    world.admin().post(&reject, why).expect(200);
    let body = json!({ "subject_ids": [claim], "reason_code": "other", "statement": "Look again." });
    actor.post("/v1/disputes", body).expect(201);
    done(world.admin(), "review_dispute", json!({}));
    // The line that the dispute held is free.
    assert_eq!(kinds(world.admin()), ["draft_payout_run"]);
    assert_eq!(kinds(&second), ["decide_dispute"]);
}

#[test]
fn a_partner_says_whom_to_talk_to() {
    let stage = Stage::new();
    let world = &stage.world;
    let program = world.program(json!({ "motion": "agency" }));
    let id = world.enrolled("Nordlicht", &program);
    let actor = world.full_partner_key(&id);
    world.pass(TimeDelta::days(2));
    let missing = action(&actor, "add_contact");
    assert_eq!(
        missing["why"],
        "Nordlicht has named 0 contacts in 2 days; nobody knows whom to talk to."
    );
    assert_eq!(missing["subject_id"], id.as_str());
    done(
        &actor,
        "add_contact",
        json!({ "name": "Ines", "email": "ines@example.com" }),
    );
    assert_eq!(kinds(&actor), [""; 0]);
    let suspended = world.enrolled("Alster", &program);
    let actor = world.full_partner_key(&suspended);
    assert_eq!(kinds(&actor), ["add_contact"]);
}

#[test]
fn no_more_are_shown_than_can_be_read() {
    let stage = Stage::new();
    for number in 0..=MOST_ACTIONS {
        let body = json!({ "name": format!("Applicant {number}") });
        stage.world.admin().post("/v1/partners", body).expect(201);
    }
    assert_eq!(actions(stage.world.admin()).len(), MOST_ACTIONS);
}
