//! What was known at an instant of rules, shares and commissions.

use crate::world::{Actor, Reply, World, money};
use chrono::{DateTime, TimeDelta, Utc};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

fn text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339().replace("+00:00", "Z")
}

fn as_of(actor: &Actor, path: &str, instant: DateTime<Utc>) -> Reply {
    actor.get(&format!("{path}?as_of={}", text(instant)))
}

/// The instant of now, an hour after which the story goes on.
fn then(world: &World) -> DateTime<Utc> {
    let now = world.clock.now();
    world.pass(TimeDelta::hours(1));
    now
}

#[test]
fn a_version_is_told_with_the_terms_and_the_end_that_it_had_then() {
    let world = World::new();
    let program = world.program(json!({}));
    let before = world.clock.now() - TimeDelta::seconds(1);
    let terms = |rate: &str, from: &str| json!({ "formula": { "type": "percentage", "rate": rate }, "hold_days": 0, "effective_from": from });
    let version = world.rule_draft(&program, "0.1", json!({}));
    let path = format!("/v1/commission-rule-versions/{version}");
    let drafted = then(&world);
    let capped = json!({ "terms": {
        "formula": { "type": "percentage", "rate": "0.2" }, "hold_days": 14,
        "effective_from": "2020-01-01T00:00:00Z",
        "limits": { "line_caps": [money("5.00 USD")] } } });
    world.admin().patch(&path, capped).expect(200);
    let rewritten = then(&world);
    let plain = json!({ "terms": terms("0.3", "2020-01-01T00:00:00Z") });
    world.admin().patch(&path, plain).expect(200);
    world.activate(&version).expect(200);
    let activated = then(&world);
    let rule = world.admin().get(&path).expect(200);
    let versions = format!(
        "/v1/commission-rules/{}/versions",
        rule.text("/commission_rule_id")
    );
    let next = json!({ "terms": terms("0.4", &text(world.clock.now() + TimeDelta::days(9))) });
    let next = world.admin().post(&versions, next).expect(201).id();
    world.activate(&next).expect(200);
    let told = |instant| as_of(world.admin(), &path, instant).expect(200);
    let said = |reply: &Reply| {
        let terms = &reply["terms"];
        (
            reply["status"].clone(),
            terms["formula"]["rate"].clone(),
            terms["hold_days"].clone(),
            terms["limits"]["line_caps"].clone(),
            terms["effective_to"].is_null(),
        )
    };
    let none = json!([]);
    assert_eq!(
        said(&told(drafted)),
        (json!("draft"), json!("0.1000"), json!(0), none.clone(), true)
    );
    let caps = json!([money("5.00 USD")]);
    assert_eq!(
        said(&told(rewritten)),
        (json!("draft"), json!("0.2000"), json!(14), caps, true)
    );
    assert_eq!(
        said(&told(activated)),
        (json!("active"), json!("0.3000"), json!(0), none.clone(), true)
    );
    let now = told(world.clock.now());
    assert_eq!(
        said(&now),
        (json!("active"), json!("0.3000"), json!(0), none, false)
    );
    assert_eq!(now.body, world.admin().get(&path).expect(200).body);
    assert_ne!(told(drafted)["terms_hash"], now["terms_hash"]);
    as_of(world.admin(), &path, before).refused(404, "not_found");
    // What was known then cannot be changed.
    let stale = told(activated);
    let retire = world
        .admin()
        .ask("POST", &format!("{path}/retire"))
        .header("If-Match", stale.header("etag"));
    retire.json(&json!({})).send().refused(412, "precondition_failed");
}

#[test]
fn a_share_is_told_as_it_stood_to_the_organization_and_to_its_partner() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let key = world.full_partner_key(&partner);
    let deal = world.open_deal(&program, "100.00 USD", &[]);
    let body = json!({
        "deal_id": deal, "partner_id": partner, "role": "sourced", "share_basis_points": 4_000
    });
    let credit = world.admin().post("/v1/attributions", body).expect(201).id();
    let path = format!("/v1/attributions/{credit}");
    let claimed = then(&world);
    let change = json!({ "share_basis_points": 5_000 });
    world.admin().patch(&path, change).expect(200);
    let changed = then(&world);
    world.admin().act(&format!("{path}/confirm")).expect(200);
    let confirmed = then(&world);
    let body = json!({ "won_at": "2026-01-05T12:00:00Z" });
    world
        .admin()
        .post(&format!("/v1/deals/{deal}/win"), body)
        .expect(200);
    let settled = then(&world);
    let correction = json!({ "reason": "Agreed.", "share_basis_points": 7_000 });
    world
        .admin()
        .post_once(&format!("{path}/correct"), correction)
        .expect(200);
    for actor in [world.admin(), &key] {
        let told = |instant| {
            let credit = as_of(actor, &path, instant).expect(200);
            (
                credit["status"].clone(),
                credit["share_basis_points"].clone(),
                credit["confirmed_at"].is_null(),
                credit["settled_at"].is_null(),
            )
        };
        assert_eq!(told(claimed), (json!("claimed"), json!(4_000), true, true));
        assert_eq!(told(changed), (json!("claimed"), json!(5_000), true, true));
        assert_eq!(told(confirmed), (json!("confirmed"), json!(5_000), false, true));
        assert_eq!(told(settled), (json!("confirmed"), json!(5_000), false, false));
        assert_eq!(
            told(world.clock.now()),
            (json!("confirmed"), json!(7_000), false, false)
        );
    }
    let stranger = world.full_partner_key(&world.enrolled("B", &program));
    as_of(&stranger, &path, settled).refused(404, "not_found");
    as_of(world.admin(), &path, claimed - TimeDelta::seconds(1)).refused(404, "not_found");
}

#[test]
fn a_commission_is_told_as_it_stood_by_the_journal() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(&program, "0.1", json!({ "hold_days": 30 }));
    let partner = world.enrolled("A", &program);
    let payment = world.sale(&program, &partner, "100.00 USD");
    let id = world.line("")["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/commissions/{id}");
    let mut known: Vec<(DateTime<Utc>, Value)> = Vec::new();
    // Whatever happens, what was known before it is told in the same words ever after.
    let happens = |known: &mut Vec<(DateTime<Utc>, Value)>| {
        known.push((then(&world), world.admin().get(&path).expect(200).body));
    };
    happens(&mut known);
    world.refund(&payment, "20.00 USD");
    happens(&mut known);
    let key = world.full_partner_key(&partner);
    let claim = json!({
        "subject_ids": [id], "reason_code": "amount_too_low", "statement": "More.",
        "claimed_amount": money("15.00 USD")
    });
    let dispute = key.post("/v1/disputes", claim).expect(201).id();
    happens(&mut known);
    key.post_once(&format!("/v1/disputes/{dispute}/withdraw"), Value::Null)
        .expect(200);
    happens(&mut known);
    world.pass(TimeDelta::days(31));
    world.work();
    happens(&mut known);
    let finance = world.finance();
    let run = world.draft_run();
    happens(&mut known);
    run.verb(&finance, "approve", Value::Null).expect(200);
    happens(&mut known);
    run.verb(&finance, "process", Value::Null).expect(200);
    let failed = format!("/v1/payouts/{}/fail", run.payout());
    finance
        .post_once(&failed, json!({ "reason": "The account is closed." }))
        .expect(200);
    happens(&mut known);
    let run = world.paid_run(&finance);
    happens(&mut known);
    world.refund(&payment, "80.00 USD");
    happens(&mut known);
    let returned = format!("/v1/payouts/{}/return", run.payout());
    finance
        .post_once(&returned, json!({ "reason": "It came back." }))
        .expect(200);
    let words: Vec<&str> = known
        .iter()
        .map(|(_, line)| line["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "pending",
            "pending",
            "pending",
            "pending",
            "approved",
            "approved",
            "in_payout",
            "approved",
            "paid",
            "paid"
        ]
    );
    for (instant, line) in &known {
        let mut told = as_of(world.admin(), &path, *instant).expect(200).body;
        told["updated_at"] = line["updated_at"].clone();
        assert_eq!(told, *line, "at {instant}");
    }
    let early = known[0].0 - TimeDelta::seconds(1);
    as_of(world.admin(), &path, early).refused(404, "not_found");
}
