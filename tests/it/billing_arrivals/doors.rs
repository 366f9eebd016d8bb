//! Who may tell facts, whose keys meet whose, and what is wrong with a body.

use super::{PATH, Story, invoice, now, payment, refund, reinstatement, tell};
use crate::world::{World, money};
use copartner::kernel::role::BuiltInRole;
use serde_json::{Value, json};

#[test]
fn partners_and_readers_tell_nothing() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    let fact = payment("a", "one", "1.00", "2026-02-01");
    let arrival = story.tell(&fact).expect(201);
    let reads = BuiltInRole::Analyst.permissions();
    let reads: Vec<&str> = reads.iter().map(|permission| permission.name()).collect();
    let analyst = world.key(&reads);
    let partner = world.full_partner_key(&story.partner);
    let ordinary = world.key(&["payments:write", "invoices:write", "credit_notes:write"]);
    for actor in [&analyst, &partner, &ordinary] {
        tell(actor, &fact).refused(403, "permission_denied");
        for verb in ["retry", "withdraw"] {
            let path = format!("{PATH}/{}/{verb}", arrival.id());
            let body = json!({ "reason": "Because." });
            actor.post_once(&path, body).refused(403, "permission_denied");
        }
    }
    analyst.get(PATH).expect(200);
    partner.get(PATH).refused(403, "permission_denied");
    let finance = BuiltInRole::Finance.permissions();
    let finance: Vec<&str> = finance.iter().map(|permission| permission.name()).collect();
    tell(&world.key(&finance), &fact).expect(200);
    let bare = world.admin().post(PATH, fact);
    bare.refused(400, "idempotency_key_required");
}

#[test]
fn keys_of_another_organization_meet_nothing() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let other = world.second_organization();
    let early = tell(&other.admin, &payment("a", "one", "100.00", "2026-02-01")).expect(201);
    let later = tell(
        &other.admin,
        &refund("a", ("refund", "back", "one"), "1.00", "2026-02-15"),
    )
    .expect(201);
    let story = Story::of_a_won_deal(&world, &program, "a");
    story.tell(&invoice("a")).expect(201);
    story
        .tell(&payment("a", "one", "100.00", "2026-02-01"))
        .expect(201);
    world.work();
    for arrival in [&early, &later] {
        let path = format!("{PATH}/{}", arrival.id());
        assert_eq!(other.admin.get(&path).expect(200)["status"], "parked");
        world.admin().get(&path).refused(404, "not_found");
        let retry = world.admin().post_once(&format!("{path}/retry"), Value::Null);
        retry.refused(404, "not_found");
        // Neither does it when it is tried by hand.
        let retried = other.admin.post_once(&format!("{path}/retry"), Value::Null);
        assert_eq!(retried.expect(200)["status"], "parked");
    }
    story.all_applied(2);
    assert_eq!(world.balance(&story.partner, "payable"), "10.00");
}

#[test]
fn a_bad_body_is_told_where_it_is_bad() {
    let world = World::new();
    let good = payment("a", "one", "1.00", "2026-02-01");
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let without = |field: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        body
    };
    let mut bill = invoice("a");
    bill["lines"] = json!([{ "net": "1.001" }, { "net": "-1.00" }]);
    let mut decimals = invoice("a");
    decimals["lines"] = json!([{ "net": "1.00" }, { "net": "1.001" }]);
    let mut family = invoice("a");
    family["lines"] = json!([{ "net": "1.00", "product_family_id": "pfm_01j9zq4y8k7m5n3p2r1s0t6v4w" }]);
    let mut due = invoice("a");
    due["due_on"] = json!("2026-01-05");
    for (body, pointer, code) in [
        (json!({}), "/kind", "missing"),
        (json!({ "nonsense": 1 }), "/nonsense", "unknown_field"),
        (with("kind", json!("gift")), "/kind", "unknown_value"),
        (without("external_id"), "/external_id", "missing"),
        (with("external_id", json!("")), "/external_id", "invalid_format"),
        (without("invoice"), "/invoice", "missing"),
        (with("payment", json!("x")), "/payment", "unknown_field"),
        (with("paid_at", json!("yesterday")), "/paid_at", "invalid_format"),
        (
            with("amount", json!({ "amount": 1, "currency": "USD" })),
            "/amount/amount",
            "wrong_type",
        ),
        (
            with("amount", json!({ "amount": "1.001", "currency": "USD" })),
            "/amount/amount",
            "too_many_decimals",
        ),
        (
            with("amount", json!({ "amount": "1.00", "currency": "XQQ" })),
            "/amount/currency",
            "unknown_currency",
        ),
        (bill, "/lines/1/net", "invalid_format"),
        (decimals, "/lines/1/net", "too_many_decimals"),
        (family, "/lines/0/product_family_id", "unknown_reference"),
        (with("kind", json!("refund")), "/refund_kind", "missing"),
        (
            with("amount", money("-1.00 USD")),
            "/amount/amount",
            "not_positive",
        ),
        (
            with("paid_at", json!("9999-01-01T00:00:00Z")),
            "/paid_at",
            "in_future",
        ),
        (due, "/due_on", "before_issued_on"),
        (
            reinstatement("a", ("won", "bank"), "0.00", "2026-01-10"),
            "/amount/amount",
            "not_positive",
        ),
    ] {
        tell(world.admin(), &body)
            .refused(422, "validation_failed")
            .pointer(pointer, code);
    }
    assert_eq!(world.admin().all(PATH).len(), 0);
    let told = tell(world.admin(), &good).expect(201);
    assert_eq!(now(&world, &told)["awaits_external_id"], "in-a");
}
