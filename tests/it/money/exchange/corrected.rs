//! What a correction of credit means for a line is said in the currency in which the line is owed.

use super::{owed, paid_in, rate};
use crate::world::{World, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Takes the partner's only credit to nothing; the amounts and currencies that are proposed.
fn undo(world: &World, partner: &str) -> Vec<String> {
    correct(world, partner, 0)
}

fn correct(world: &World, partner: &str, share: i64) -> Vec<String> {
    let credits = world
        .admin()
        .all(&format!("/v1/attributions?partner_id={partner}"));
    let path = format!("/v1/attributions/{}/correct", texts(&credits, "id")[0]);
    let body = json!({ "share_basis_points": share, "reason": "It was somebody else." });
    world.admin().post_once(&path, body).expect(200);
    proposed(world)
}

fn proposed(world: &World) -> Vec<String> {
    let undecided = world.admin().all("/v1/adjustments?status=proposed");
    undecided.iter().map(|one| super::text(&one["amount"])).collect()
}

fn approve(world: &World) -> crate::world::Reply {
    let undecided = world.admin().all("/v1/adjustments?status=proposed");
    let path = format!("/v1/adjustments/{}/approve", undecided[0]["id"].as_str().unwrap());
    let second = world.another_hand(&["adjustments:approve"]);
    second.post_once(&path, Value::Null)
}

#[test]
fn a_line_that_is_exchanged_when_it_is_paid_is_corrected_in_what_was_paid() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({ "fx_policy": "at_payout" }));
    world.sale(&program, &partner, "1000.00 USD");
    assert_eq!(undo(&world, &partner), ["-100.00 USD"]);
    approve(&world).refused(409, "commission_on_hold");
    world.pass(TimeDelta::days(1));
    rate(&world, "EUR/USD", "1.25");
    let finance = world.finance();
    world.paid_run(&finance);
    assert_eq!(proposed(&world), ["-80.00 EUR"]);
    approve(&world).expect(200);
    assert_eq!(owed(&world, &partner), ["payable -80.00 EUR"]);
    world.books_balance();
}

#[test]
fn a_line_whose_rate_is_missing_is_corrected_when_it_is_known() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    world.sale(&program, &partner, "1000.00 USD");
    assert_eq!(undo(&world, &partner), ["-100.00 USD"]);
    approve(&world).refused(409, "commission_on_hold");
    rate(&world, "EUR/USD", "1.25");
    world.work();
    assert_eq!(proposed(&world), ["-80.00 EUR"]);
    approve(&world).expect(200);
    assert_eq!(owed(&world, &partner), Vec::<String>::new());
    world.books_balance();
}

/// Nothing is never exchanged, and so waits for no exchange.
#[test]
fn a_line_of_nothing_is_corrected_in_the_currency_of_its_invoice() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "EUR", json!({}));
    let deal = world.won_deal(&program, "40.00 USD", &[(&partner, 1)]);
    world.pay(&world.invoice(&deal, "USD", &["40.00"]), "40.00 USD");
    assert_eq!(correct(&world, &partner, 10_000), ["4.00 USD"]);
    approve(&world).expect(200);
    assert_eq!(owed(&world, &partner), ["payable 4.00 USD"]);
    world.books_balance();
}
