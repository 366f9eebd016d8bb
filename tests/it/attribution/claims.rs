//! Claims: made by partners with evidence, decided by the organization, and nothing of one told to another.

use super::{Shared, ids};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::thread;

const WHEN: &str = "2026-02-11T13:00:00Z";

#[test]
fn a_partner_claims_with_evidence_and_a_reviewer_confirms_with_a_share() {
    let stage = Shared::new();
    let maker = stage.world.full_partner_key(&stage.maker);
    let evidence = stage.touch(&maker, &stage.maker, "opened_the_door", WHEN);
    let claim = stage.claim(&maker, "sourced", 10_000, &[&evidence]).expect(201);
    assert_eq!(
        (&claim["status"], &claim["touchpoint_ids"]),
        (&json!("claimed"), &json!([evidence]))
    );
    assert_eq!(claim["partner_id"], stage.maker.as_str());
    let path = format!("/v1/attributions/{}", claim.id());
    let more = stage.touch(&maker, &stage.maker, "unblocked_legal", WHEN);
    let patch = json!({ "share_basis_points": 9_000, "touchpoint_ids": [evidence, more] });
    maker.patch(&path, patch).expect(200);
    for verb in ["confirm", "correct", "reject"] {
        let body = json!({ "reason": "Mine." });
        maker
            .post(&format!("{path}/{verb}"), body)
            .refused(403, "permission_denied");
    }
    let confirm = format!("{path}/confirm");
    let confirmed = stage
        .world
        .admin()
        .post(&confirm, json!({ "share_basis_points": 6_000 }))
        .expect(200);
    assert_eq!(
        (&confirmed["status"], &confirmed["share_basis_points"]),
        (&json!("confirmed"), &json!(6_000))
    );
    for patch in [
        json!({ "share_basis_points": 10_000 }),
        json!({ "touchpoint_ids": [] }),
    ] {
        maker.patch(&path, patch).refused(409, "wrong_state");
    }
}

#[test]
fn evidence_is_of_the_same_partner_and_deal_and_stands() {
    let stage = Shared::new();
    let admin = stage.world.admin();
    let [maker, rival] = [&stage.maker, &stage.rival].map(|id| stage.world.full_partner_key(id));
    let foreign = stage.touch(&rival, &stage.rival, "demo", WHEN);
    let voided = stage.touch(&maker, &stage.maker, "demo", WHEN);
    admin
        .post(
            &format!("/v1/touchpoints/{voided}/void"),
            json!({ "reason": "No." }),
        )
        .expect(200);
    let other = json!({
        "name": "Other", "account_id": stage.world.account(), "partner_id": stage.maker,
        "amount": { "amount": "1.00", "currency": "USD" }
    });
    let other = admin.post("/v1/deals", other).expect(201).id();
    let body = json!({ "deal_id": other, "partner_id": stage.maker, "kind": "demo" });
    let elsewhere = admin.post("/v1/touchpoints", body).expect(201).id();
    let mut answers = Vec::new();
    for id in [
        &foreign,
        &voided,
        &elsewhere,
        &"tch_01j9zq4y8k7m5n3p2r1s0t6v4w".to_owned(),
    ] {
        let reply = stage
            .claim(&maker, "sourced", 10_000, &[id])
            .refused(422, "validation_failed");
        answers.push(reply["errors"].clone());
        reply.pointer("/touchpoint_ids", "unknown_reference");
    }
    answers.dedup();
    assert_eq!(
        answers.len(),
        1,
        "what is foreign is told from what is not there: {answers:?}"
    );
    let mut owner = stage.world.database().owner();
    let uuid = copartner::kernel::subject::parse_id(&foreign).unwrap();
    stage.claim(&maker, "sourced", 10_000, &[]).expect(201);
    let wrong = format!("UPDATE attributions SET touchpoint_ids = '{{{uuid}}}' WHERE role = 'sourced'");
    let refused = owner.batch_execute(&wrong).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("evidence of another deal or partner"),
        "{refused}"
    );
}

/// Two partners claim the same role of the same deal, and each hears what it would hear if the other were not there.
#[test]
fn a_claim_tells_nothing_of_another() {
    let stage = Shared::new();
    let [maker, rival] = [&stage.maker, &stage.rival].map(|id| stage.world.full_partner_key(id));
    let evidence = stage.touch(&rival, &stage.rival, "demo", WHEN);
    let first = stage
        .claim(&rival, "sourced", 10_000, &[&evidence])
        .expect(201)
        .id();
    let second = stage.claim(&maker, "sourced", 10_000, &[]).expect(201);
    assert_eq!(second["allocation_rank"], Value::Null);
    assert_eq!(ids(&maker.all("/v1/attributions")), [second.id()]);
    let path = format!("/v1/attributions/{first}");
    maker.get(&path).refused(404, "not_found");
    maker
        .patch(&path, json!({ "share_basis_points": 1 }))
        .refused(404, "not_found");
    stage.world.work();
    let told = maker.get("/v1/events?limit=100").expect(200);
    for secret in [&first, &evidence, &stage.rival, &"allocation_rank".to_owned()] {
        assert!(
            !told.raw().contains(secret.as_str()),
            "{secret} in {}",
            told.raw()
        );
    }
    let ranks: Vec<Value> = stage
        .world
        .admin()
        .all("/v1/attributions?role=sourced&sort=created_at")
        .iter()
        .map(|credit| credit["allocation_rank"].clone())
        .collect();
    assert_eq!(ranks, [json!(1), json!(2)]);
    let mut stranger = stage.world.partner("Stranger");
    stranger = stage
        .claim(&stage.world.full_partner_key(&stranger), "sourced", 1, &[])
        .raw()
        .to_owned();
    assert!(stranger.contains("unknown_reference"), "{stranger}");
    maker
        .post(
            "/v1/attributions",
            json!({
                "deal_id": stage.deal, "role": "delivered", "share_basis_points": 1, "external_id": "mine"
            }),
        )
        .refused(422, "validation_failed")
        .pointer("/external_id", "not_for_partners");
}

#[test]
fn a_partners_session_cannot_write_credit_that_counts() {
    let stage = Shared::new();
    let uuid = |text: &str| copartner::kernel::subject::parse_id(text).unwrap();
    let mut service = stage.world.database().service_role();
    let settings = format!(
        "SELECT set_config('copartner.organization_id', '{}', false), \
         set_config('copartner.partner_id', '{}', false)",
        stage.world.home.id.uuid(),
        uuid(&stage.maker)
    );
    service.batch_execute(&settings).unwrap();
    let insert = |partner: &str, status: &str| {
        format!(
            "INSERT INTO attributions (organization_id, id, deal_id, partner_id, role, share_basis_points, \
             allocation_rank, status, row_version, created_at, updated_at) VALUES ('{}', gen_random_uuid(), '{}', \
             '{}', 'sourced', 1, 7, '{status}', 1, now(), now())",
            stage.world.home.id.uuid(),
            uuid(&stage.deal),
            uuid(partner)
        )
    };
    for (partner, status) in [(&stage.maker, "confirmed"), (&stage.rival, "claimed")] {
        let refused = service.batch_execute(&insert(partner, status)).unwrap_err();
        assert!(refused.to_string().contains("row-level security"), "{refused}");
    }
    service.batch_execute(&insert(&stage.maker, "claimed")).unwrap();
    let refused =
        service.batch_execute("UPDATE attributions SET status = 'confirmed' WHERE role = 'sourced'");
    assert!(refused.unwrap_err().to_string().contains("row-level security"));
}

/// Sixteen partners claim 3,000 of one role, then all claims are confirmed at the same instant: three fit.
#[test]
fn shares_never_exceed_the_whole_under_concurrency() {
    let stage = Shared::new();
    let admin = stage.world.admin();
    let partners: Vec<String> = (0..16).map(|n| stage.world.partner(&format!("P{n}"))).collect();
    let claims: Vec<String> = thread::scope(|scope| {
        let claiming: Vec<_> = partners
            .iter()
            .map(|partner| {
                let body = json!({
                    "deal_id": stage.deal, "partner_id": partner, "role": "sourced", "share_basis_points": 3_000
                });
                scope.spawn(move || admin.post("/v1/attributions", body).expect(201).id())
            })
            .collect();
        claiming.into_iter().map(|claim| claim.join().unwrap()).collect()
    });
    let statuses: Vec<u16> = thread::scope(|scope| {
        let confirming: Vec<_> = claims
            .iter()
            .map(|claim| {
                scope.spawn(move || {
                    let reply = admin.act(&format!("/v1/attributions/{claim}/confirm"));
                    if reply.status != 200 {
                        let refused = reply.refused(409, "shares_exceed_whole");
                        assert!(refused.text("/errors/0/message").starts_with("1000 of 10000"));
                        return 409;
                    }
                    reply.status
                })
            })
            .collect();
        confirming.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        3,
        "{statuses:?}"
    );
    let confirmed = admin.all(&format!(
        "/v1/attributions?deal_id={}&role=sourced&status=confirmed",
        stage.deal
    ));
    assert_eq!(confirmed.len(), 3);
    let mut ranks: Vec<i64> = admin
        .all(&format!("/v1/attributions?deal_id={}&role=sourced", stage.deal))
        .iter()
        .map(|credit| credit["allocation_rank"].as_i64().unwrap())
        .collect();
    ranks.sort_unstable();
    assert_eq!(ranks, (1..=16).collect::<Vec<i64>>());
}
