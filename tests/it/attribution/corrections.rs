//! Settled credit is corrected with a reason; later money follows by itself, earlier money by adjustments that a second
//! person approves.

use super::Shared;
use crate::world::{Reply, money, texts};
use serde_json::{Value, json};

impl Shared {
    /// A won deal that the maker sourced with this share, half of which is paid.
    fn half_paid(share: u32) -> (Self, String, String) {
        let stage = Self::new();
        let credit = stage.world.credit(&stage.deal, &stage.maker, "sourced", share);
        stage.world.win(&stage.deal);
        let invoice = stage.world.invoice(&stage.deal, "USD", &["1000.00"]);
        stage.world.pay(&invoice, "500.00 USD");
        (stage, credit, invoice)
    }

    pub(super) fn correct(&self, credit: &str, share: Value) -> Reply {
        let body = json!({ "reason": "Agreed on 3 March.", "share_basis_points": share });
        let path = format!("/v1/attributions/{credit}/correct");
        self.world.admin().post_once(&path, body)
    }

    fn proposed(&self) -> Vec<String> {
        let path = format!("/v1/adjustments?partner_id={}", self.maker);
        texts(&self.world.admin().all(&path), "amount")
    }
}

#[test]
fn a_correction_moves_later_money_and_proposes_the_difference_of_earlier_money() {
    let (stage, credit, invoice) = Shared::half_paid(4_000);
    let earned = |query: &str| texts(&stage.world.lines(query), "amount");
    let of_credit = format!("partner_id={}", stage.maker);
    assert_eq!(earned(&of_credit), ["20.00"]);
    let corrected = stage.correct(&credit, json!(10_000)).expect(200);
    assert_eq!(
        (&corrected["status"], &corrected["share_basis_points"]),
        (&json!("confirmed"), &json!(10_000))
    );
    assert_eq!(stage.proposed(), ["30.00"]);
    stage.world.pay(&invoice, "500.00 USD");
    assert_eq!(earned(&of_credit), ["20.00", "50.00"]);
    // Back again: of the first line what the first correction gave, of the second its own.
    stage.correct(&credit, json!(4_000)).expect(200);
    let mut proposed = stage.proposed();
    proposed.sort();
    // The second takes the place of the first, which nobody had decided.
    assert_eq!(proposed, ["-30.00", "30.00"]);
    stage.world.books_balance();
    let trail = stage
        .world
        .admin()
        .all("/v1/audit-events?action=attribution.corrected");
    assert_eq!(trail.len(), 2);
    assert_eq!(trail[0]["reason"], "Agreed on 3 March.");
}

#[test]
fn nothing_posted_changes_before_a_second_person_approves() {
    let (stage, credit, _) = Shared::half_paid(10_000);
    let admin = stage.world.admin();
    let balances = || {
        admin
            .get(&format!("/v1/balances?partner_id={}", stage.maker))
            .expect(200)["data"]
            .clone()
    };
    let before = balances();
    stage.correct(&credit, json!(0)).expect(200);
    assert_eq!(balances(), before);
    let adjustments = admin.all("/v1/adjustments");
    assert_eq!(texts(&adjustments, "amount"), ["-50.00"]);
    assert_eq!(
        (&adjustments[0]["status"], &adjustments[0]["deal_id"]),
        (&json!("proposed"), &json!(stage.deal))
    );
    let approve = format!(
        "/v1/adjustments/{}/approve",
        adjustments[0]["id"].as_str().unwrap()
    );
    admin
        .post_once(&approve, Value::Null)
        .refused(409, "second_person_required");
    let second = stage.world.another_hand(&["adjustments:approve"]);
    second.post_once(&approve, Value::Null).expect(200);
    assert_eq!(balances()[0]["payable"]["amount"], "0.00", "{}", balances());
    assert_eq!(balances()[0]["adjusted"]["amount"], "-50.00");
    stage.world.books_balance();
    let credit = admin.get(&format!("/v1/attributions/{credit}")).expect(200);
    assert_eq!(
        (&credit["status"], &credit["status_reason"]),
        (&json!("rejected"), &json!("Agreed on 3 March."))
    );
    stage.correct(&credit.id(), json!(1)).refused(409, "wrong_state");
}

#[test]
fn what_cannot_be_corrected_is_refused() {
    let (stage, credit, _) = Shared::half_paid(4_000);
    for same in [json!(4_000), Value::Null] {
        let mut body = json!({ "reason": "Why" });
        if !same.is_null() {
            body["share_basis_points"] = same;
        }
        let path = format!("/v1/attributions/{credit}/correct");
        let reply = stage.world.admin().post_once(&path, body);
        reply
            .refused(422, "validation_failed")
            .pointer("/share_basis_points", "unchanged");
    }
    let partner = stage.world.enrolled("Third", &stage.program);
    let body = json!({
        "name": "Open", "account_id": stage.world.account(), "amount": money("1.00 USD"), "opened_on": "2026-01-02"
    });
    let open = stage.world.admin().post("/v1/deals", body).expect(201).id();
    let unsettled = stage.world.credit(&open, &partner, "sourced", 1);
    stage.correct(&unsettled, json!(2)).refused(409, "wrong_state");
}

/// Two settled credits of one role, both raised at the same instant to what only one of them can have.
#[test]
fn corrections_never_exceed_the_whole_under_concurrency() {
    let stage = Shared::new();
    let credits =
        [&stage.maker, &stage.rival].map(|id| stage.world.credit(&stage.deal, id, "sourced", 3_000));
    stage.world.win(&stage.deal);
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let running: Vec<_> = credits
            .iter()
            .map(|credit| {
                let stage = &stage;
                scope.spawn(move || stage.correct(credit, json!(7_000)).status)
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}
