//! What a payout is made of.

use crate::world::{World, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

#[test]
fn what_is_carried_never_expires() {
    let world = World::new();
    let minimum = json!({ "minimum_payouts": [{ "amount": "50.00", "currency": "USD" }] });
    let program = world.ten_percent(minimum);
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "499.90 USD");
    let finance = world.finance();
    for _ in 0..3 {
        world.pass(TimeDelta::days(3_650));
        let run = world.processing_run(&finance);
        assert_eq!(run.carried(), [("49.99".to_owned(), "below_minimum".to_owned())]);
    }
    assert_eq!(world.balance(&partner, "payable"), "49.99");
    world.sale(&program, &partner, "0.10 USD");
    assert_eq!(texts(&world.paid_run(&finance).payouts(), "amount"), ["50.00"]);
    world.books_balance();
}

#[test]
fn one_currency_is_not_set_off_against_another() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 EUR");
    let deal = world.won_deal(&program, "300.00 USD", &[(&partner, 10_000)]);
    world.credit_note(&deal, None, "300.00 USD");
    let finance = world.finance();
    let run = world.paid_run(&finance);
    assert_eq!(
        run.payouts()
            .iter()
            .map(|payout| payout["amount"].clone())
            .collect::<Vec<Value>>(),
        [json!({ "amount": "10.00", "currency": "EUR" })]
    );
    let balances = world.admin().all(&format!("/v1/balances?partner_id={partner}"));
    let payable: Vec<&Value> = balances.iter().map(|balance| &balance["payable"]).collect();
    assert_eq!(
        payable,
        [
            &json!({ "amount": "0.00", "currency": "EUR" }),
            &json!({ "amount": "-30.00", "currency": "USD" })
        ]
    );
    world.books_balance();
}
