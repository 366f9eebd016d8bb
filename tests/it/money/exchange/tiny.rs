//! What comes to nothing in the currency of the invoice, and to something in the one that the partner is paid in.

use super::{owed, paid_in, rate};
use crate::world::{World, money};
use copartner::platform::clock::Clock;
use serde_json::json;

fn reinstate(world: &World, refund: &str, amount: &str) {
    let body = json!({ "amount": money(amount), "reinstated_at": world.clock.now() });
    let path = format!("/v1/refunds/{refund}/reinstatements");
    world.admin().post_once(&path, body).expect(201);
}

#[test]
fn it_stands_in_the_way_of_no_payout_that_exchanges() {
    let world = World::new();
    let finance = world.finance();
    let (program, partner) = paid_in(&world, "SEK", json!({ "fx_policy": "at_payout" }));
    rate(&world, "EUR/SEK", "11.50");
    let first = world.sale(&program, &partner, "1000.00 EUR");
    world.refund(&first, "0.04 EUR");
    let second = world.sale(&program, &partner, "1000.00 EUR");
    let refund = world.refund(&second, "500.00 EUR");
    reinstate(&world, &refund, "0.01 EUR");
    reinstate(&world, &refund, "0.03 EUR");
    world.paid_run(&finance);
    world.books_balance();
    world.refund(&first, "999.96 EUR");
    reinstate(&world, &refund, "499.96 EUR");
    world.refund(&second, "1000.00 EUR");
    world.books_balance();
    // Two lines of 100.00 EUR were earned, all of it went back, and what had been paid of it is owed.
    let paid = world.admin().all("/v1/payouts").remove(0);
    let owes = format!("payable -{} SEK", paid["amount"]["amount"].as_str().unwrap());
    assert_eq!(owed(&world, &partner), [owes]);
}

#[test]
fn it_stands_in_the_way_of_no_rate_that_comes_later() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "CZK", json!({}));
    let payment = world.sale(&program, &partner, "1000.00 EUR");
    world.refund(&payment, "0.04 EUR");
    let refund = world.refund(&payment, "0.03 EUR");
    reinstate(&world, &refund, "0.03 EUR");
    let untouched = world.sale(&program, &partner, "100.00 EUR");
    rate(&world, "EUR/CZK", "25.00");
    world.work();
    for payment in [&payment, &untouched] {
        let line = world.line(&format!("payment_id={payment}"));
        assert_eq!(line["owed"]["currency"], "CZK", "{line}");
    }
    world.books_balance();
    world.refund(&payment, "999.96 EUR");
    world.refund(&untouched, "100.00 EUR");
    assert_eq!(owed(&world, &partner), Vec::<String>::new());
    world.books_balance();
}
