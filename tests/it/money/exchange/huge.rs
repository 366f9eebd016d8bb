//! What comes to more than an amount may be, in the currency that the partner is paid in.

use super::{owed, paid_in, rate};
use crate::world::World;
use serde_json::json;

#[test]
fn it_holds_up_no_payment_and_no_other_line_that_waits_for_the_rate() {
    let world = World::new();
    let (program, partner) = paid_in(&world, "IDR", json!({}));
    world.sale(&program, &partner, "900000000000000.00 USD");
    let small = world.sale(&program, &partner, "1000.00 USD");
    rate(&world, "USD/IDR", "16000");
    world.work();
    assert_eq!(
        owed(&world, &partner),
        ["payable 1600000.00 IDR", "payable 90000000000000.00 USD"]
    );
    // Nor is a payment refused whose line comes to so much.
    world.sale(&program, &partner, "900000000000000.00 USD");
    world.refund(&small, "1000.00 USD");
    assert_eq!(owed(&world, &partner), ["payable 180000000000000.00 USD"]);
    world.books_balance();
}

#[test]
fn it_holds_up_no_payout_of_other_lines() {
    let world = World::new();
    let finance = world.finance();
    let (program, partner) = paid_in(&world, "IDR", json!({ "fx_policy": "at_payout" }));
    rate(&world, "USD/IDR", "16000");
    world.sale(&program, &partner, "900000000000000.00 USD");
    world.sale(&program, &partner, "1000.00 USD");
    let run = world.paid_run(&finance);
    assert_eq!(run.payouts().len(), 1);
    assert_eq!(run.payouts()[0]["amount"]["amount"], "1600000.00");
    assert_eq!(owed(&world, &partner), ["payable 90000000000000.00 USD"]);
    world.books_balance();
}
