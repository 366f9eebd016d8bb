//! What counts towards a tier, and what does not.

use super::{days, of, set, standing, tier};
use crate::world::{World, money};
use serde_json::{Value, json};

/// A program whose only tier asks for this.
fn asking(world: &World, criterion: Value) -> String {
    let program = world.program(json!({}));
    let tiers = json!([{ "code": "pro", "name": "Pro", "criteria": [criterion] }]);
    let ladder = json!({ "period": "month", "grace_days": 0, "tiers": tiers });
    set(world, &program, ladder).expect(200);
    program
}

/// How much of it the partner has reached.
fn reached(world: &World, partner: &str) -> Value {
    standing(world, partner)["to_rise"][0]["reached"].clone()
}

fn win_at(world: &World, deal: &str, won_at: &str) {
    let path = format!("/v1/deals/{deal}/win");
    world.admin().post(&path, json!({ "won_at": won_at })).expect(200);
}

const NOW: &str = "2026-03-02T08:00:00Z";

#[test]
fn money_counts_without_tax_by_the_largest_share_in_deals_of_the_program() {
    for metric in ["paid_revenue", "won_revenue"] {
        let world = World::new();
        let criterion = json!({ "metric": metric, "threshold": "100000.00", "currency": "EUR" });
        let program = asking(&world, criterion);
        let elsewhere = world.program(json!({}));
        let partner = world.enrolled("A", &program);
        let both = world.open_deal(&program, "1000.00 EUR", &[(&partner, 4_000)]);
        world.credit(&both, &partner, "influenced", 6_000);
        let other = world.open_deal(&elsewhere, "1000.00 EUR", &[(&partner, 10_000)]);
        let claimed = world.open_deal(&program, "1000.00 EUR", &[]);
        let claim = json!({
            "deal_id": claimed, "partner_id": partner, "role": "sourced", "share_basis_points": 10_000
        });
        world.admin().post("/v1/attributions", claim).expect(201);
        for deal in [&both, &other, &claimed] {
            win_at(&world, deal, NOW);
            let body = json!({ "deal_id": deal, "currency": "EUR", "issued_on": "2026-03-02",
                "lines": [{ "net": "1000.00", "tax": "190.00" }] });
            let invoice = world.admin().post("/v1/invoices", body).expect(201).id();
            world.pay(&invoice, "1190.00 EUR");
        }
        assert_eq!(reached(&world, &partner), "600.00", "{metric}");
    }
}

#[test]
fn the_first_instant_of_a_month_belongs_to_it_and_not_to_the_one_before() {
    let world = World::new();
    let program = asking(&world, json!({ "metric": "won_deals", "threshold": "2" }));
    let partner = world.enrolled("A", &program);
    let deals: Vec<String> = (0..3)
        .map(|_| world.open_deal(&program, "10.00 EUR", &[(&partner, 10_000)]))
        .collect();
    win_at(&world, &deals[0], NOW);
    days(&world, 30);
    win_at(&world, &deals[1], "2026-04-01T00:00:00Z");
    assert_eq!(reached(&world, &partner), "1");
    days(&world, 1);
    assert_eq!(tier(&world, &partner), Value::Null);
    win_at(&world, &deals[2], "2026-03-31T23:59:59.999999Z");
    days(&world, 1);
    assert_eq!(tier(&world, &partner), "pro", "the month before holds two");
}

#[test]
fn a_registration_that_was_revoked_counts_no_more_and_a_lead_counts_when_it_is_accepted() {
    let world = World::new();
    let program = asking(
        &world,
        json!({ "metric": "approved_registrations", "threshold": "5" }),
    );
    let partner = world.enrolled("A", &program);
    let claim = |name: &str| {
        let body = json!({ "program_id": program, "partner_id": partner, "account_name": name,
            "account_domain": format!("{name}.example"), "amount": money("10.00 USD") });
        let made = world.admin().post("/v1/deal-registrations", body).expect(201);
        format!("/v1/deal-registrations/{}", made.id())
    };
    let (kept, revoked, rejected) = (claim("kept"), claim("revoked"), claim("rejected"));
    for path in [&kept, &revoked] {
        world.admin().act(&format!("{path}/approve")).expect(200);
    }
    assert_eq!(reached(&world, &partner), "2");
    let why = json!({ "reason_code": "other", "reason": "No." });
    world
        .admin()
        .post(&format!("{revoked}/revoke"), why.clone())
        .expect(200);
    world.admin().post(&format!("{rejected}/reject"), why).expect(200);
    assert_eq!(reached(&world, &partner), "1");
    let program = asking(
        &world,
        json!({ "metric": "accepted_referrals", "threshold": "5" }),
    );
    let partner = world.enrolled("B", &program);
    let rules = json!({ "referral_expiry_days": 90 });
    let path = format!("/v1/programs/{program}/deal-rules");
    world.admin().patch(&path, rules).expect(200);
    let lead = json!({ "partner_id": partner, "program_id": program, "company_name": "Hansa" });
    let lead = world.admin().post("/v1/referrals", lead).expect(201).id();
    assert_eq!(reached(&world, &partner), "0");
    days(&world, 31);
    world
        .admin()
        .act(&format!("/v1/referrals/{lead}/accept"))
        .expect(200);
    assert_eq!(reached(&world, &partner), "1");
}

#[test]
fn a_move_by_hand_takes_an_announced_fall_back() {
    let world = World::new();
    let program = world.program(json!({}));
    let deals = |threshold: &str| json!([{ "metric": "won_deals", "threshold": threshold }]);
    let tiers = json!([
        { "code": "silver", "name": "Silver", "criteria": deals("1") },
        { "code": "gold", "name": "Gold", "criteria": deals("9") }
    ]);
    let ladder = json!({ "period": "month", "grace_days": 10, "tiers": tiers });
    set(&world, &program, ladder).expect(200);
    let partner = world.enrolled("A", &program);
    let deal = world.open_deal(&program, "10.00 EUR", &[(&partner, 10_000)]);
    win_at(&world, &deal, NOW);
    days(&world, 1);
    assert_eq!(tier(&world, &partner), "silver");
    days(&world, 59);
    assert_eq!(standing(&world, &partner)["falls_at"], "2026-05-11T00:00:00Z");
    days(&world, 3);
    let body = json!({ "tier": "gold", "reason": "Promised." });
    let moved = world
        .admin()
        .post(&of(&world, &partner, "move-tier"), body)
        .expect(200);
    assert_eq!(moved["falls_at"], Value::Null);
    days(&world, 7);
    assert_eq!(
        tier(&world, &partner),
        "gold",
        "the fall of before was that of Silver"
    );
}

#[test]
fn a_distributor_does_not_learn_how_those_below_it_stand() {
    let world = World::new();
    let program = asking(&world, json!({ "metric": "won_deals", "threshold": "2" }));
    let [above, below] = ["D", "R"].map(|name| world.enrolled(name, &program));
    let path = format!("/v1/partners/{below}");
    world
        .admin()
        .patch(&path, json!({ "parent_id": above }))
        .expect(200);
    days(&world, 1);
    let actor = world.full_partner_key(&above);
    actor.get(&of(&world, &above, "tier-standing")).expect(200);
    assert!(
        !actor
            .all(&format!("/v1/enrollments?partner_id={below}"))
            .is_empty(),
        "it knows that they take part"
    );
    actor
        .get(&of(&world, &below, "tier-standing"))
        .refused(404, "not_found");
}
