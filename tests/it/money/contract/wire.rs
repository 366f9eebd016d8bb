//! Amounts as they travel.

use crate::world::World;
use serde_json::json;

#[test]
fn an_amount_is_a_text_and_never_a_number() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let propose = |amount| {
        let body = json!({
            "partner_id": partner, "program_id": program, "reason_code": "correction", "reason": "Why.",
            "amount": { "amount": amount, "currency": "USD" }
        });
        world.admin().post_once("/v1/adjustments", body)
    };
    for number in [json!(1250), json!(1250.00), json!(1e3)] {
        propose(number).refused(422, "validation_failed");
    }
    propose(json!("1250.001"))
        .refused(422, "validation_failed")
        .pointer("/amount/amount", "too_many_decimals");
    let answer = propose(json!("1250.5")).expect(201);
    assert!(
        answer
            .raw()
            .contains(r#""amount":{"amount":"1250.50","currency":"USD"}"#),
        "{}",
        answer.raw()
    );
    assert_eq!(world.admin().all("/v1/adjustments").len(), 1);
}
