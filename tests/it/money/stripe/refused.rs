//! What Stripe refuses for good fails; what it does not take now waits.

use super::{A_WHILE, House, method, payout, status};
use crate::world::Turn;
use chrono::TimeDelta;

#[test]
fn what_is_refused_fails_with_stripes_reason_and_is_paid_by_a_later_run() {
    for (code, message) in [
        (400, "Insufficient funds in Stripe account."),
        (402, "Insufficient funds in Stripe account."),
        (404, "No such destination: 'acct_1MTfjCQ9PRzxEwkZ'"),
    ] {
        let house = House::new();
        house
            .stand_in
            .turns(&[Turn::Refuse(code, "balance_insufficient", message)]);
        let run = house.sent();
        let failed = payout(&run);
        assert_eq!(failed["status"], "failed");
        let reason = failed["status_reason"].as_str().unwrap();
        assert!(reason.contains("balance_insufficient"), "{reason}");
        assert!(!reason.contains("acct_1MTfjC"), "{reason}");
        assert_eq!(run.now()["status"], "completed");
        assert_eq!(house.balance("payable"), "10.00");
        house.world.books_balance();
        house.later(A_WHILE);
        assert_eq!(house.stand_in.orders().len(), 1, "a refused order is over");
        let next = house.sent();
        assert_eq!(status(&next), "paid");
        assert_eq!(house.stand_in.transfers().len(), 1);
        let orders = house.stand_in.orders();
        assert_ne!(orders[0], orders[1], "another payout is another key");
        house.world.books_balance();
    }
}

/// Neither a busy Stripe nor a key that is not good says anything of the order: it waits, for days if it must.
#[test]
fn what_is_not_taken_now_waits() {
    for away in [429, 401, 403] {
        let house = House::new();
        let turn = Turn::TurnAway(away, "invalid_request_error");
        house.stand_in.turns(&[turn.clone(), turn.clone(), turn]);
        let run = house.sent();
        assert_eq!(status(&run), "processing");
        // It rests before it is tried again.
        house.world.work();
        assert_eq!(house.stand_in.orders().len(), 1);
        for days in [0, 2] {
            house.later(A_WHILE + TimeDelta::days(days));
            assert_eq!(status(&run), "processing");
        }
        house.world.books_balance();
        house.later(A_WHILE);
        assert_eq!(status(&run), "paid");
        assert_eq!(house.stand_in.transfers().len(), 1);
        house.world.books_balance();
    }
}

/// Once an order may have arrived, being turned away does not make it one that did not.
#[test]
fn being_turned_away_leaves_a_doubt_a_doubt() {
    let house = House::new();
    house
        .stand_in
        .turns(&[Turn::LoseAnswer, Turn::TurnAway(429, "rate_limit_error")]);
    let run = house.sent();
    house.later(A_WHILE);
    house.stand_in.forget_keys();
    house.later(TimeDelta::hours(25));
    assert_eq!(status(&run), "paid");
    assert_eq!(house.stand_in.transfers().len(), 1);
    assert_eq!(house.stand_in.orders().len(), 2);
    house.world.books_balance();
}

#[test]
fn what_one_cannot_be_paid_keeps_nobody_else_waiting() {
    let house = House::new();
    let other = house.world.enrolled("Südwind", &house.program);
    method(&house.world, &other, "USD", "acct_1Other0000000000");
    house.world.sale(&house.program, &other, "70.00 USD");
    house.world.pass(super::COOLED_OFF);
    house.stand_in.turns(&[Turn::BreakBefore(500)]);
    let run = house.sent();
    let counts = run.now()["by_status"].clone();
    assert_eq!((&counts["paid"], &counts["processing"]), (&1.into(), &1.into()));
    house.world.books_balance();
}
