//! Payout runs: who may move them, what they take and what they leave.

use crate::world::{Actor, FINANCE, Run, World, texts};
use chrono::TimeDelta;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};

#[test]
fn a_run_pays_what_is_payable() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second] = ["A", "B"].map(|name| world.enrolled(name, &program));
    world.sale(&program, &first, "100.00 USD");
    let payment = world.sale(&program, &first, "50.00 USD");
    world.sale(&program, &first, "1000 JPY");
    world.sale(&program, &second, "1.00 USD");
    world.refund(&payment, "10.00 USD");
    let finance = world.finance();
    let run = world.draft_run();
    assert_eq!(run.drafted["payout_count"], 3);
    let totals = json!([{ "amount": "100", "currency": "JPY" }, { "amount": "14.10", "currency": "USD" }]);
    assert_eq!(run.drafted["totals"], totals);
    run.verb(&finance, "process", Value::Null)
        .refused(409, "wrong_state");
    let approved = run.verb(&finance, "approve", Value::Null).expect(200);
    assert_eq!(approved["approved_by"], json!(finance.key_id));
    world.books_balance();
    let partner = world.full_partner_key(&first);
    assert_eq!(partner.all("/v1/payouts"), [] as [Value; 0]);
    run.verb(&finance, "process", Value::Null).expect(200);
    assert_eq!(partner.all("/v1/payouts").len(), 2);
    assert_eq!(partner.all("/v1/payout-items").len(), 4);
    world.books_balance();
    let confirmed = run
        .verb(&finance, "confirm", json!({ "reference": "SEPA-1" }))
        .expect(200);
    assert_eq!(
        (&confirmed["status"], &confirmed["by_status"]["paid"]),
        (&json!("completed"), &json!(3))
    );
    assert_eq!(texts(&world.lines(""), "status"), ["paid"; 4]);
    assert_eq!(texts(&run.payouts(), "reference"), ["SEPA-1"; 3]);
    assert_eq!(world.balance(&second, "paid"), "0.10");
    assert_eq!(world.draft_run().drafted["payout_count"], 0);
    world.books_balance();
}

#[test]
fn a_run_pays_those_whom_it_names_less_those_whom_it_leaves_out() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second, third] = ["A", "B", "C"].map(|name| world.enrolled(name, &program));
    for partner in [&first, &second, &third] {
        world.sale(&program, partner, "100.00 USD");
    }
    let (clerk, finance) = (world.key(&["payout_runs:write"]), world.finance());
    let draft = |partners: Value, excluded: Value| {
        let body = json!({
            "cut_off_at": world.clock.now(), "rail": "manual", "partner_ids": partners,
            "excluded_partner_ids": excluded
        });
        clerk.post_once("/v1/payout-runs", body)
    };
    let run = world.run_of(draft(json!([first, second]), json!([second])));
    assert_eq!(run.drafted["partner_ids"], json!([first, second]));
    assert_eq!(texts(&run.payouts(), "partner_id"), [first.as_str()]);
    assert_eq!(run.carried(), []);
    // What others earn meanwhile makes the draft no other one.
    world.sale(&program, &second, "50.00 USD");
    run.verb(&finance, "approve", Value::Null).expect(200);
    let rest = draft(json!([second, third]), json!([])).expect(201);
    assert_eq!(rest["totals"], json!([{ "amount": "25.00", "currency": "USD" }]));
    assert_eq!(
        world.draft_run().drafted["payout_count"],
        2,
        "a draft reserves nothing"
    );
    let stranger = world.second_organization();
    let foreign = stranger
        .admin
        .post("/v1/partners", json!({ "name": "Z" }))
        .expect(201)
        .id();
    for (partners, excluded, pointer) in [
        (json!([first, foreign]), json!([]), "/partner_ids/1"),
        (json!([first]), json!([foreign]), "/excluded_partner_ids/0"),
    ] {
        draft(partners, excluded)
            .refused(422, "validation_failed")
            .pointer(pointer, "unknown_reference");
    }
    draft(json!([]), json!([])).refused(422, "validation_failed");
    world.books_balance();
}

#[test]
fn a_run_takes_a_second_person() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let run = world.draft_run();
    run.verb(world.admin(), "approve", Value::Null)
        .refused(409, "second_person_required");
    let finance = world.finance();
    let path = format!("/v1/payout-runs/{}/approve", run.id);
    finance
        .post_once(&path, Value::Null)
        .refused(428, "precondition_required");
    let clerk = world.key(&["payout_runs:read", "payout_runs:write"]);
    run.verb(&clerk, "approve", Value::Null)
        .refused(403, "permission_denied");
    assert_eq!(run.now()["status"], "draft");
    run.verb(&finance, "approve", Value::Null).expect(200);
    world.books_balance();
}

#[test]
fn a_second_key_of_the_same_hand_is_no_second_person() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let refused = |run: &Run<'_>, actor: &Actor| {
        run.verb(actor, "approve", Value::Null)
            .refused(409, "second_person_required")
            .text("/detail")
            .to_owned()
    };
    // The admin drafts and makes the key that shall approve, or makes the key that drafts and approves.
    let own = world.draft_run_by(world.admin());
    assert!(refused(&own, world.admin()).starts_with("You created this run."));
    let finance = world.finance();
    assert!(refused(&own, &finance).starts_with("The secret of your key was made by"));
    let mut permissions = FINANCE.to_vec();
    permissions.push("api_keys:write");
    let clerk = world.key(&permissions);
    let run = world.draft_run_by(&clerk);
    assert!(refused(&run, world.admin()).starts_with("You made the secret of the key"));
    // A key becomes theirs who rotates it, and stays so while the secret before is good as well.
    let rotate = format!("/v1/api-keys/{}/rotate", finance.key_id.clone().unwrap());
    let rotated = |by: &Actor, overlap: u32| {
        let answer = by
            .post(&rotate, json!({ "overlap_seconds": overlap }))
            .expect(200);
        world.bearer(answer.text("/secret"))
    };
    refused(&run, &rotated(&clerk, 0));
    let again = rotated(world.admin(), 60);
    refused(&run, &again);
    world.pass(TimeDelta::seconds(61));
    run.verb(&again, "approve", Value::Null).expect(200);
    world.books_balance();
}

/// Nor is one that was made with it: whoever holds the first may know the secrets of all that come after.
#[test]
fn a_key_of_a_key_of_the_same_hand_is_no_second_person() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let mut permissions = FINANCE.to_vec();
    permissions.extend(["api_keys:write", "payout_runs:write"]);
    let first = world.key(&permissions);
    let body = json!({ "name": "Of a key", "permissions": permissions });
    let second = first.post("/v1/api-keys", body).expect(201);
    let second = world.bearer(second.text("/secret"));
    for (drafter, approver) in [(world.admin(), &second), (&second, world.admin())] {
        let run = world.draft_run_by(drafter);
        run.verb(approver, "approve", Value::Null)
            .refused(409, "second_person_required");
    }
    let run = world.draft_run_by(&second);
    run.verb(&world.finance(), "approve", Value::Null).expect(200);
}

#[test]
fn below_the_minimum_it_waits_for_more() {
    let world = World::new();
    let minimum = json!({ "minimum_payouts": [{ "amount": "50.00", "currency": "USD" }] });
    let program = world.ten_percent(minimum);
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "499.90 USD");
    let finance = world.finance();
    let run = world.processing_run(&finance);
    assert_eq!(run.payouts(), [] as [Value; 0]);
    assert_eq!(run.carried(), [("49.99".to_owned(), "below_minimum".to_owned())]);
    assert_eq!(run.now()["status"], "completed");
    world.sale(&program, &partner, "0.10 USD");
    assert_eq!(texts(&world.paid_run(&finance).payouts(), "amount"), ["50.00"]);
    world.books_balance();
}

/// Sums may be more than an amount can be: they are told, carried, and keep nobody else from being paid.
#[test]
fn a_sum_beyond_an_amount_waits_and_holds_nobody_up() {
    let world = World::new();
    let program = world.program(json!({}));
    world.rule(&program, "1", json!({}));
    let [rich, other] = ["A", "B"].map(|name| world.enrolled(name, &program));
    let most = "999999999999999.99 USD";
    let deal = world.won_deal(&program, most, &[(&rich, 10_000)]);
    for _ in 0..3 {
        let invoice = world.invoice(&deal, "USD", &["999999999999999.99"]);
        world.pay(&invoice, most);
    }
    world.sale(&program, &other, "10.00 USD");
    let sum = "2999999999999999.97";
    assert_eq!(world.balance(&rich, "payable"), sum);
    let told = |path: &str| world.admin().get(path).expect(200).body.to_string();
    for path in [
        "/v1/trial-balance".to_owned(),
        format!("/v1/partners/{rich}/payment-expectations"),
        "/v1/reports/attribution?from_on=2026-01-01&until_on=2027-01-01".to_owned(),
        "/v1/reports/partner-performance?from_on=2026-01-01&until_on=2027-01-01".to_owned(),
    ] {
        let told = told(&path);
        assert!(
            told.contains("2999999999999999.97") || told.contains("3000000000000009.97"),
            "{path}: {told}"
        );
    }
    let finance = world.finance();
    let run = world.processing_run(&finance);
    assert_eq!(
        run.carried(),
        [(sum.to_owned(), "amount_not_supported".to_owned())]
    );
    assert_eq!(texts(&run.payouts(), "amount"), ["10.00"]);
    world.books_balance();
}

#[test]
fn a_suspended_partner_is_carried_and_paid_later() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let path = format!("/v1/partners/{partner}");
    let reason = json!({ "reason": "Because." });
    world.admin().post(&format!("{path}/suspend"), reason).expect(200);
    let finance = world.finance();
    let run = world.processing_run(&finance);
    assert_eq!(
        run.carried(),
        [("10.00".to_owned(), "partner_not_payable".to_owned())]
    );
    world.admin().act(&format!("{path}/reinstate")).expect(200);
    assert_eq!(texts(&world.paid_run(&finance).payouts(), "amount"), ["10.00"]);
    world.books_balance();
}

#[test]
fn a_run_whose_lines_changed_is_stale() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [partner, newcomer] = ["A", "B"].map(|name| world.enrolled(name, &program));
    let payment = world.sale(&program, &partner, "100.00 USD");
    let finance = world.finance();
    let refused = |change: &dyn Fn()| {
        let run = world.draft_run();
        change();
        run.verb(&finance, "approve", Value::Null)
            .refused(409, "payout_run_stale");
        assert_eq!(run.now()["status"], "draft");
        run.verb(&finance, "cancel", json!({ "reason": "Stale." }))
            .expect(200);
    };
    refused(&|| {
        world.refund(&payment, "10.00 USD");
    });
    refused(&|| {
        let path = format!("/v1/partners/{partner}/suspend");
        world
            .admin()
            .post(&path, json!({ "reason": "Because." }))
            .expect(200);
    });
    world
        .admin()
        .act(&format!("/v1/partners/{partner}/reinstate"))
        .expect(200);
    // Somebody else's new line is not in the run and does not make it stale.
    let run = world.draft_run();
    world.sale(&program, &newcomer, "100.00 USD");
    run.verb(&finance, "approve", Value::Null).expect(200);
    assert_eq!(texts(&run.payouts(), "amount"), ["9.00"]);
    world.books_balance();
}

#[test]
fn of_two_runs_over_the_same_lines_one_pays_them() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let finance = world.finance();
    let (one, other) = (world.draft_run(), world.draft_run());
    assert_eq!(other.drafted["totals"], one.drafted["totals"]);
    one.verb(&finance, "approve", Value::Null).expect(200);
    other
        .verb(&finance, "approve", Value::Null)
        .refused(409, "payout_run_stale");
    world.books_balance();
}

#[test]
fn a_cancelled_run_gives_its_lines_back() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let finance = world.finance();
    let run = world.draft_run();
    run.verb(&finance, "approve", Value::Null).expect(200);
    assert_eq!(world.balance(&partner, "in_payout"), "10.00");
    let cancelled = run
        .verb(&finance, "cancel", json!({ "reason": "Wrong month." }))
        .expect(200);
    assert_eq!(
        (&cancelled["status"], &cancelled["by_status"]["cancelled"]),
        (&json!("cancelled"), &json!(1))
    );
    assert_eq!(world.balance(&partner, "payable"), "10.00");
    assert_eq!(world.line("")["status"], "approved");
    world.books_balance();
    let run = world.processing_run(&finance);
    run.verb(&finance, "cancel", json!({ "reason": "Too late." }))
        .refused(409, "wrong_state");
    assert_eq!(world.full_partner_key(&partner).all("/v1/payouts").len(), 1);
    world.books_balance();
}

#[test]
fn nothing_was_paid_before_the_cut_off() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("Nordlicht", &program);
    world.sale(&program, &partner, "100.00 USD");
    let finance = world.finance();
    let run = world.processing_run(&finance);
    let cut_off = world.clock.now();
    world.pass(TimeDelta::days(1));
    let early = json!({ "paid_at": cut_off - TimeDelta::seconds(86_401) });
    let payout = format!("/v1/payouts/{}/confirm", run.payouts()[0]["id"].as_str().unwrap());
    for refused in [
        run.verb(&finance, "confirm", early.clone()),
        finance.post_once(&payout, early),
    ] {
        let refused = refused.expect(422);
        assert_eq!(refused["errors"][0]["code"], "before_cut_off");
        assert_eq!(refused["errors"][0]["pointer"], "/paid_at");
    }
    assert_eq!(run.payouts()[0]["status"], "processing");
    run.verb(
        &finance,
        "confirm",
        json!({ "paid_at": cut_off - TimeDelta::days(1) }),
    )
    .expect(200);
    world.books_balance();
}

/// Nor is one whose owner stands between: whoever knew the secret that made it may know it.
#[test]
fn neither_an_owner_nor_a_rotation_in_between_makes_a_second_person() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    let admin = world.admin();
    let roles = admin.all("/v1/roles");
    let role = roles.iter().find(|one| one["built_in"] == "admin").unwrap();
    let bob = json!({ "name": "Bob", "email": "bob@example.com", "role_ids": [role["id"]] });
    let bob = admin.post("/v1/users", bob).expect(201).id();
    let mut permissions = FINANCE.to_vec();
    permissions.extend(["api_keys:write", "payout_runs:write"]);
    let body = json!({ "name": "Bob's", "owner_id": bob, "permissions": permissions });
    let first = admin.post("/v1/api-keys", body).expect(201);
    let (first_id, first) = (first.id(), world.bearer(first.text("/secret")));
    let body = json!({ "name": "Bob's other", "permissions": permissions });
    let second = first.post("/v1/api-keys", body).expect(201);
    let second = world.bearer(second.text("/secret"));
    let run = world.draft_run_by(admin);
    let refused = |actor: &Actor| {
        run.verb(actor, "approve", Value::Null)
            .refused(409, "second_person_required");
    };
    refused(&first);
    refused(&second);
    let rotate = format!("/v1/api-keys/{first_id}/rotate");
    let mut third = first;
    for _ in 0..3 {
        let rotated = third.post(&rotate, json!({ "overlap_seconds": 0 })).expect(200);
        third = world.bearer(rotated.text("/secret"));
        refused(&third);
    }
    run.verb(&world.another_hand(&FINANCE), "approve", Value::Null)
        .expect(200);
}
