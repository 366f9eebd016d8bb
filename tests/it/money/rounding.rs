//! How a program rounds: to the nearer unit of the currency, or down to the last one that is full.

use crate::world::{World, money, texts};
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

/// A program that pays a fifth and rounds so, and a partner in it.
fn a_fifth(world: &World, rounding: &str) -> (String, String) {
    let program = world.program(json!({ "rounding": rounding }));
    world.rule(&program, "0.2", json!({}));
    let partner = world.enrolled("A", &program);
    (program, partner)
}

/// What a preview foresees for such a sale.
fn foreseen(world: &World, program: &str, partner: &str, net: &str) -> Vec<String> {
    let now = world.clock.now();
    let body = json!({ "program_id": program, "won_at": now,
        "credits": [{ "partner_id": partner, "role": "sourced", "share_basis_points": 10_000 }],
        "invoices": [{ "currency": "USD", "issued_on": "2026-03-01", "lines": [{ "net": net }],
            "payments": [{ "amount": net, "paid_at": now }] }] });
    let preview = world
        .admin()
        .post("/v1/commission-rules/preview", body)
        .expect(200);
    texts(preview["lines"].as_array().unwrap(), "amount")
}

/// A fifth of 0.94 is 18.8 cents.
#[test]
fn what_is_begun_counts_or_not_as_the_program_says() {
    for (rounding, earned, after_half) in [
        ("half_up", "0.19", "0.10"),
        ("half_even", "0.19", "0.10"),
        ("down", "0.18", "0.09"),
    ] {
        let world = World::new();
        let (program, partner) = a_fifth(&world, rounding);
        assert_eq!(
            foreseen(&world, &program, &partner, "0.94"),
            [earned],
            "{rounding}"
        );
        let payment = world.sale(&program, &partner, "0.94 USD");
        let line = world.line("");
        assert_eq!(line["amount"]["amount"], earned, "{rounding}");
        let path = format!("/v1/commissions/{}", line["id"].as_str().unwrap());
        let explained = world.admin().get(&format!("{path}/explanation")).expect(200);
        assert_eq!(explained["rounding"], rounding);
        let verified = world.admin().get(&format!("{path}/verification")).expect(200);
        assert_eq!(verified["matches"], true, "{}", verified.raw());
        // What goes back is cut as what came was, and all of it is all of it.
        world.refund(&payment, "0.50 USD");
        assert_eq!(world.line("")["reversed"]["amount"], after_half, "{rounding}");
        world.refund(&payment, "0.44 USD");
        assert_eq!(world.line("")["reversed"]["amount"], earned, "{rounding}");
        assert_eq!(world.balance(&partner, "payable"), "0.00");
        world.books_balance();
    }
}

/// A credit note on a deal alone is rounded as the sale would have been, with the sign turned.
#[test]
fn what_is_credited_is_cut_towards_nothing_too() {
    let world = World::new();
    let (program, partner) = a_fifth(&world, "down");
    let deal = world.won_deal(&program, "0.94 USD", &[(&partner, 10_000)]);
    world.credit_note(&deal, None, "0.94 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["-0.18"]);
    world.books_balance();
}

/// Three partial payments of a third each begin a cent each, and none is lost.
#[test]
fn parts_that_are_cut_add_up_to_the_whole_that_is_cut() {
    let world = World::new();
    let (program, partner) = a_fifth(&world, "down");
    let deal = world.won_deal(&program, "0.99 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["0.99"]);
    for _ in 0..3 {
        world.pay(&invoice, "0.33 USD");
    }
    // A fifth of 0.99 is 19.8 cents, cut to 19: of a third of that 6, of two thirds 12.
    assert_eq!(texts(&world.lines(""), "amount"), ["0.06", "0.06", "0.07"]);
    world.books_balance();
}

#[test]
fn a_program_changes_how_it_rounds_for_what_comes_later() {
    let world = World::new();
    let (program, partner) = a_fifth(&world, "half_up");
    world.sale(&program, &partner, "0.94 USD");
    let path = format!("/v1/programs/{program}");
    let changed = world.admin().patch(&path, json!({ "rounding": "down" }));
    assert_eq!(changed.expect(200)["rounding"], "down");
    world.sale(&program, &partner, "0.94 USD");
    assert_eq!(texts(&world.lines(""), "amount"), ["0.19", "0.18"]);
    let unknown = json!({ "rounding": "up" });
    world
        .admin()
        .patch(&path, unknown)
        .refused(422, "validation_failed");
    let found: Value = world.admin().get(&path).expect(200)["rounding"].clone();
    assert_eq!(found, "down");
    assert_eq!(world.balance(&partner, "payable"), money("0.37 USD")["amount"]);
    world.books_balance();
}
