//! Back-tests: what another version would have paid, worked out by the engine that pays, and nothing is touched.

use crate::world::{Actor, Reply, World, count, money, names, texts};
use chrono::TimeDelta;
use copartner::kernel::id::OrganizationId;
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Asks for a back-test of a version; the question as it waits.
pub fn ask(actor: &Actor, version: &str, from_on: &str, until_on: &str) -> Reply {
    let rule = actor
        .get(&format!("/v1/commission-rule-versions/{version}"))
        .expect(200);
    let path = format!(
        "/v1/commission-rules/{}/backtest",
        rule.text("/commission_rule_id")
    );
    let body = json!({ "rule_version_id": version, "from_on": from_on, "until_on": until_on });
    actor.post_once(&path, body)
}

/// Asks and lets the worker find out.
#[track_caller]
pub fn backtest(world: &World, version: &str, from_on: &str, until_on: &str) -> Reply {
    let queued = ask(world.admin(), version, from_on, until_on).expect(202);
    world.work();
    let found = world
        .admin()
        .get(&format!("/v1/backtests/{}", queued.id()))
        .expect(200);
    assert_eq!(found["status"], "succeeded", "{}", found.raw());
    found
}

/// Fails unless the version would have paid to the penny what was paid.
#[track_caller]
pub fn pays_what_was_paid(world: &World, version: &str, from_on: &str, until_on: &str) -> Reply {
    let found = backtest(world, version, from_on, until_on);
    assert_eq!(found["largest_differences"], json!([]), "{}", found.raw());
    for list in ["totals", "partners"] {
        for row in found[list].as_array().unwrap() {
            assert_eq!(row["was"], row["would_be"], "{}", found.raw());
            let zero = texts(std::slice::from_ref(row), "difference").remove(0);
            assert!(zero.chars().all(|letter| "0.".contains(letter)), "{zero}");
        }
    }
    found
}

pub fn draft_of(world: &World, version: &str, terms: &Value) -> String {
    let rule = world
        .admin()
        .get(&format!("/v1/commission-rule-versions/{version}"))
        .expect(200);
    let path = format!(
        "/v1/commission-rules/{}/versions",
        rule.text("/commission_rule_id")
    );
    world
        .admin()
        .post(&path, json!({ "terms": terms }))
        .expect(201)
        .id()
}

fn percentage(rate: &str, from: &str) -> Value {
    json!({ "formula": { "type": "percentage", "rate": rate }, "hold_days": 0, "effective_from": from })
}

fn tiered(mode: &str, scope: &str, tiers: &[(&str, &str)]) -> Value {
    let tiers: Vec<Value> = tiers
        .iter()
        .map(|(from, rate)| json!({ "from": from, "rate": rate }))
        .collect();
    json!({ "formula": { "type": "tiered", "currency": "USD", "tier_mode": mode, "tier_scope": scope, "tiers": tiers } })
}

/// A sale with two lines that is paid in three parts; the payments.
fn sale_in_parts(world: &World, program: &str, shares: &[(&str, u32)]) -> Vec<String> {
    let deal = world.won_deal(program, "99.99 USD", shares);
    let invoice = world.invoice(&deal, "USD", &["66.66", "33.33"]);
    ["33.34 USD", "0.01 USD", "66.64 USD"]
        .iter()
        .map(|part| {
            world.pass(TimeDelta::hours(1));
            world.pay(&invoice, part)
        })
        .collect()
}

/// A house in which everything happened that a back-test has to follow: tiers that count, a bonus with a cap, refunds of
/// every kind, part payments, shares, a credit note, a partner that was out, a refund before the deal was won, and terms
/// that changed; the version in force at the end.
fn eventful() -> (World, String, String) {
    let world = World::new();
    let program = world.program(json!({ "clawback_window_days": 20 }));
    let steps = [("0", "0.033"), ("150", "0.107"), ("400", "0.2")];
    let version = world.rule(&program, "0", tiered("slab_retroactive", "lifetime", &steps));
    let body = json!({ "program_id": program, "name": "Bonus", "component": "bonus", "terms": {
        "formula": { "type": "percentage", "rate": "0.02" }, "hold_days": 0,
        "effective_from": "2020-01-01T00:00:00Z",
        "limits": { "period_cap": { "amounts": [money("7.00 USD")], "period": "month" } } } });
    let bonus = world.admin().post("/v1/commission-rules", body).expect(201).id();
    let path = format!("/v1/commission-rule-versions?commission_rule_id={bonus}");
    let bonus = texts(&world.admin().all(&path), "id").remove(0);
    world.activate(&bonus).expect(200);
    let (a, b) = (world.enrolled("A", &program), world.enrolled("B", &program));
    let payments = sale_in_parts(&world, &program, &[(&a, 3_333), (&b, 6_667)]);
    let whole = world.sale(&program, &a, "300.00 USD");
    world.refund(&payments[2], "10.01 USD");
    world.pass(TimeDelta::hours(1));
    world.refund(&whole, "299.99 USD");
    world.sale(&program, &b, "250.00 USD");
    world.refund(&payments[2], "56.63 USD");
    let missed = world.won_deal(&program, "500.00 USD", &[(&b, 10_000)]);
    let missed = world.invoice(&missed, "USD", &["500.00"]);
    let out = json!({ "reason": "Out." });
    world
        .admin()
        .post(&format!("/v1/partners/{b}/suspend"), out)
        .expect(200);
    world.pay(&missed, "500.00 USD");
    world.pass(TimeDelta::days(1));
    world
        .admin()
        .act(&format!("/v1/partners/{b}/reinstate"))
        .expect(200);
    let open = world.open_deal(&program, "80.00 USD", &[(&a, 10_000)]);
    let early = world.pay(&world.invoice(&open, "USD", &["80.00"]), "80.00 USD");
    world.refund(&early, "20.00 USD");
    world.win(&open);
    let deal = world.won_deal(&program, "100.00 USD", &[(&a, 10_000)]);
    world.credit_note(&deal, None, "12.34 USD");
    world.pass(TimeDelta::days(30));
    sale_in_parts(&world, &program, &[(&b, 10_000)]);
    // Too late for the program's window.
    world.refund(&payments[0], "33.34 USD");
    world.books_balance();
    (world, program, version)
}

#[test]
fn the_very_rule_in_force_over_its_own_period_gives_differences_of_zero() {
    let (world, _, version) = eventful();
    let found = pays_what_was_paid(&world, &version, "2020-01-01", "2027-01-01");
    let lines = "SELECT count(*) AS count FROM commissions WHERE component = 'base'";
    let lines = count(&mut world.database().owner(), lines);
    assert!(lines > 20, "{lines}");
    assert_eq!(found["totals"][0]["lines"], lines);
    assert_eq!(found["lines_done"], lines);
    assert_eq!(found["error"], Value::Null);
    let version_now = world
        .admin()
        .get(&format!("/v1/commission-rule-versions/{version}"))
        .expect(200);
    assert_eq!(found["terms_hash"], version_now["terms_hash"]);
    assert!(found.text("/created_by").starts_with("key_"));
    // A period within it begins where tiers and caps stood.
    pays_what_was_paid(&world, &version, "2026-03-03", "2026-03-05");
    pays_what_was_paid(&world, &version, "2026-03-20", "2026-05-01");
}

/// The content of every table but those that a question itself is written to.
fn contents(world: &World) -> BTreeMap<String, (i64, String)> {
    let mut owner = world.database().owner();
    let own = [
        "backtests",
        "idempotency_keys",
        "events",
        "event_counters",
        "audit_events",
        "audit_links",
        "unsealed_audit_events",
        "__diesel_schema_migrations",
    ];
    let tables = names(
        &mut owner,
        "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    );
    let content = |table: &String| {
        let rows = count(&mut owner, &format!("SELECT count(*) AS count FROM {table}"));
        let hash = format!(
            "SELECT coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') AS name FROM {table} t"
        );
        (table.clone(), (rows, names(&mut owner, &hash).remove(0)))
    };
    let tables: Vec<String> = tables
        .into_iter()
        .filter(|table| !own.contains(&table.as_str()))
        .collect();
    let contents: BTreeMap<_, _> = tables.iter().map(content).collect();
    contents
}

#[test]
fn a_back_test_touches_nothing_and_says_the_same_again() {
    let (world, _, version) = eventful();
    let steps = [("0", "0.05"), ("100", "0.25")];
    let mut terms = tiered("marginal", "month", &steps);
    terms["hold_days"] = json!(0);
    terms["effective_from"] = json!("2030-01-01T00:00:00Z");
    let draft = draft_of(&world, &version, &terms);
    world.work();
    let before = contents(&world);
    assert!(
        before["ledger_entries"].0 > 20 && before["commission_standings"].0 > 2,
        "{before:?}"
    );
    let mut events = world.database().owner();
    let written = "SELECT count(*) AS count FROM events";
    let told = count(&mut events, written);
    let found = backtest(&world, &draft, "2026-01-01", "2026-12-01");
    assert_eq!(contents(&world), before);
    assert_eq!(count(&mut events, written), told + 2);
    let again = backtest(&world, &draft, "2026-01-01", "2026-12-01");
    for part in ["totals", "partners", "largest_differences", "lines_done"] {
        assert_eq!(again[part], found[part]);
    }
    let parts = found["partners"].as_array().unwrap();
    assert_eq!(
        cents(&texts(parts, "difference")),
        cents(&texts(found["totals"].as_array().unwrap(), "difference"))
    );
    world.books_balance();
}

fn cents(amounts: &[String]) -> i64 {
    amounts
        .iter()
        .map(|amount| amount.replace('.', "").parse::<i64>().unwrap())
        .sum()
}

/// Two partners under ten percent: A sold 100.00 and 60.00, of which 30.00 went back, B 50.00 in two parts.
fn plain() -> (World, String, String, [String; 2]) {
    let world = World::new();
    let program = world.program(json!({}));
    let version = world.rule(&program, "0.1", json!({}));
    let (a, b) = (world.enrolled("A", &program), world.enrolled("B", &program));
    world.sale(&program, &a, "100.00 USD");
    let second = world.sale(&program, &a, "60.00 USD");
    world.refund(&second, "30.00 USD");
    let deal = world.won_deal(&program, "50.00 USD", &[(&b, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["50.00"]);
    world.pay(&invoice, "20.00 USD");
    world.pay(&invoice, "30.00 USD");
    (world, program, version, [a, b])
}

#[test]
fn a_draft_is_set_beside_what_was_paid_by_partner_in_total_and_by_line() {
    let (world, program, version, [a, b]) = plain();
    let draft = draft_of(&world, &version, &percentage("0.25", "2030-01-01T00:00:00Z"));
    let found = backtest(&world, &draft, "2026-01-01", "2026-12-01");
    let usd = |amount: &str| money(&format!("{amount} USD"));
    assert_eq!(
        found["totals"],
        json!([{ "lines": 4, "was": usd("18.00"), "would_be": usd("45.00"), "difference": usd("27.00") }])
    );
    assert_eq!(
        found["partners"],
        json!([
            { "partner_id": a, "lines": 2, "was": usd("13.00"), "would_be": usd("32.50"), "difference": usd("19.50") },
            { "partner_id": b, "lines": 2, "was": usd("5.00"), "would_be": usd("12.50"), "difference": usd("7.50") }
        ])
    );
    let largest = found["largest_differences"].as_array().unwrap();
    assert_eq!(texts(largest, "difference"), ["15.00", "4.50", "4.50", "3.00"]);
    assert_eq!(largest[0]["rule_version_id"], version.as_str());
    assert_eq!(largest[0]["would_be_rule_version_id"], draft.as_str());
    let line = world
        .admin()
        .get(&format!(
            "/v1/commissions/{}",
            largest[0]["commission_id"].as_str().unwrap()
        ))
        .expect(200);
    assert_eq!(
        (&line["deal_id"], &line["payment_id"], &line["amount"]),
        (&largest[0]["deal_id"], &largest[0]["payment_id"], &usd("10.00"))
    );
    // Won before the period: the terms of the win stand.
    let found = backtest(&world, &draft, "2026-02-01", "2026-12-01");
    assert_eq!(found["totals"][0]["difference"], usd("0.00"));
    assert_eq!(found["totals"][0]["lines"], 4);
    // Nothing came in then.
    let found = backtest(&world, &draft, "2025-01-01", "2026-02-01");
    assert_eq!(found["totals"], json!([]));
    drop(program);
}

#[test]
fn a_rule_that_would_not_have_applied_pays_nothing_and_one_that_would_pays_those_who_got_nothing() {
    let (world, _, version, [a, b]) = plain();
    let mut terms = percentage("0.1", "2030-01-01T00:00:00Z");
    terms["conditions"] = json!({ "partner_ids": [a] });
    let draft = draft_of(&world, &version, &terms);
    let found = backtest(&world, &draft, "2026-01-01", "2026-12-01");
    let partners = found["partners"].as_array().unwrap();
    assert_eq!(texts(partners, "partner_id"), [b.as_str(), a.as_str()]);
    assert_eq!(texts(partners, "would_be"), ["0.00", "13.00"]);
    let world = World::new();
    let program = world.program(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let draft = world.rule_draft(&program, "0.3", json!({}));
    let found = backtest(&world, &draft, "2026-01-01", "2026-12-01");
    assert_eq!(texts(found["totals"].as_array().unwrap(), "was"), ["0.00"]);
    assert_eq!(texts(found["totals"].as_array().unwrap(), "would_be"), ["30.00"]);
}

#[test]
fn tiers_stand_where_they_would_have_stood_with_what_was_earned_before_the_period() {
    let world = World::new();
    let program = world.program(json!({ "lock_point": "invoice_paid" }));
    let steps = [("0", "0.1"), ("100", "0.2")];
    let version = world.rule(&program, "0", tiered("marginal", "lifetime", &steps));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "90.00 USD");
    world.pass(TimeDelta::days(30));
    world.sale(&program, &partner, "20.00 USD");
    // 90 + 10 in the first tier and 10 in the second: 1.00 + 2.00 was paid for the second sale.
    let mut terms = tiered("marginal", "lifetime", &[("0", "0.1"), ("100", "0.5")]);
    terms["hold_days"] = json!(0);
    terms["effective_from"] = json!("2030-01-01T00:00:00Z");
    let draft = draft_of(&world, &version, &terms);
    let found = backtest(&world, &draft, "2026-03-15", "2026-12-01");
    assert_eq!(texts(found["totals"].as_array().unwrap(), "was"), ["3.00"]);
    assert_eq!(texts(found["totals"].as_array().unwrap(), "would_be"), ["6.00"]);
    assert_eq!(found["lines_done"], 2);
}

#[test]
fn what_was_recorded_after_the_question_does_not_count() {
    let (world, program, version, [a, _]) = plain();
    let queued = ask(world.admin(), &version, "2026-01-01", "2026-12-01").expect(202);
    assert_eq!(queued["status"], "queued");
    assert_eq!(
        queued.header("location"),
        format!("/v1/backtests/{}", queued.id())
    );
    world.pass(TimeDelta::seconds(1));
    let late = world.sale(&program, &a, "1000.00 USD");
    world.refund(&late, "1.00 USD");
    let paid = texts(&world.lines(""), "payment_id");
    world.refund(&paid[0], "100.00 USD");
    world.work();
    let found = world
        .admin()
        .get(&format!("/v1/backtests/{}", queued.id()))
        .expect(200);
    assert_eq!(texts(found["totals"].as_array().unwrap(), "was"), ["18.00"]);
    assert_eq!(texts(found["totals"].as_array().unwrap(), "would_be"), ["18.00"]);
}

#[test]
fn a_question_that_makes_no_sense_is_refused() {
    let (world, program, version, _) = plain();
    ask(world.admin(), &version, "2026-02-01", "2026-02-01")
        .refused(422, "validation_failed")
        .pointer("/until_on", "empty_period");
    let other = world.program(json!({}));
    let stranger = world.rule(&other, "0.1", json!({}));
    let rule = world
        .admin()
        .get(&format!("/v1/commission-rule-versions/{version}"))
        .expect(200);
    let path = format!(
        "/v1/commission-rules/{}/backtest",
        rule.text("/commission_rule_id")
    );
    let body = json!({ "rule_version_id": stranger, "from_on": "2026-01-01", "until_on": "2026-02-01" });
    world
        .admin()
        .post_once(&path, body)
        .refused(422, "validation_failed")
        .pointer("/rule_version_id", "unknown_reference");
    let tie = world.rule_draft(&program, "0.2", json!({}));
    ask(world.admin(), &tie, "2026-01-01", "2026-02-01").refused(409, "rules_tie");
    let mut terms = tiered("slab_retroactive", "lifetime", &[("0", "0.2"), ("100", "0.1")]);
    terms["hold_days"] = json!(0);
    terms["effective_from"] = json!("2030-01-01T00:00:00Z");
    let falling = draft_of(&world, &version, &terms);
    ask(world.admin(), &falling, "2026-01-01", "2026-02-01").refused(409, "rule_tiers_fall");
    let reader = world.key(&["commission_rules:read"]);
    ask(&reader, &version, "2026-01-01", "2026-02-01").refused(403, "permission_denied");
    let queued = ask(world.admin(), &version, "2026-01-01", "2026-02-01").expect(202);
    reader.get(&format!("/v1/backtests/{}", queued.id())).expect(200);
    let second = world.second_organization();
    second
        .admin
        .get(&format!("/v1/backtests/{}", queued.id()))
        .refused(404, "not_found");
}

#[test]
fn a_draft_that_was_rewritten_meanwhile_is_not_taken_for_the_one_that_was_asked_about() {
    let (world, _, version, _) = plain();
    let draft = draft_of(&world, &version, &percentage("0.25", "2030-01-01T00:00:00Z"));
    let queued = ask(world.admin(), &draft, "2026-01-01", "2026-12-01").expect(202);
    let path = format!("/v1/commission-rule-versions/{draft}");
    let terms = json!({ "terms": percentage("0.26", "2030-01-01T00:00:00Z") });
    world.admin().patch(&path, terms).expect(200);
    world.work();
    let found = world
        .admin()
        .get(&format!("/v1/backtests/{}", queued.id()))
        .expect(200);
    assert_eq!(
        (&found["status"], &found["error"]),
        (&json!("failed"), &json!("terms_changed"))
    );
}

fn lease(world: &World, home: OrganizationId, until: &str) {
    let text = format!(
        "UPDATE backtests SET status = 'running', leased_until = '{until}', started_at = created_at \
         WHERE organization_id = '{}'",
        home.uuid()
    );
    world.database().owner().batch_execute(&text).unwrap();
}

#[test]
fn a_back_test_whose_worker_is_gone_is_begun_anew_once_its_lease_is_over() {
    let (world, _, version, _) = plain();
    let queued = ask(world.admin(), &version, "2026-01-01", "2026-12-01").expect(202);
    let path = format!("/v1/backtests/{}", queued.id());
    let until = world.clock.now() + TimeDelta::seconds(120);
    lease(&world, world.home.id, &until.to_rfc3339());
    world.work();
    assert_eq!(world.admin().get(&path)["status"], "running");
    world.pass(TimeDelta::seconds(121));
    world.work();
    let found = world.admin().get(&path).expect(200);
    assert_eq!(
        (&found["status"], &found["lines_done"]),
        (&json!("succeeded"), &json!(4))
    );
}
