//! What becomes of what waited: applied, refused with its problem, tried again, taken back.

use super::{PATH, Story, credit_note, invoice, now, payment, refund, tell, void};
use crate::world::{Reply, World, names};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

fn retry(world: &World, arrival: &Reply) -> Reply {
    let path = format!("{PATH}/{}/retry", arrival.id());
    world.admin().post_once(&path, Value::Null)
}

fn withdraw(world: &World, arrival: &Reply) -> Reply {
    let path = format!("{PATH}/{}/withdraw", arrival.id());
    world.admin().post(&path, json!({ "reason": "Never mind." }))
}

fn events(world: &World, verb: &str) -> usize {
    world.work();
    let path = format!("/v1/events?type=billing_arrival.{verb}");
    world.admin().all(&path).len()
}

#[test]
fn what_is_there_is_applied_at_once_and_what_is_not_awaited() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    let early = story
        .tell(&credit_note("a", "note", true, "100.00", "2026-02-25"))
        .expect(201);
    assert_eq!(early["awaits_resource"], "invoice");
    assert_eq!(early["awaits_external_id"], "in-a");
    assert_eq!(early["record_id"], Value::Null);
    let bill = story.tell(&invoice("a")).expect(201);
    assert_eq!(
        (&bill["status"], &bill["awaits_resource"]),
        (&json!("applied"), &Value::Null)
    );
    assert_eq!(bill["record_id"], story.record("invoices", "in"));
    assert_eq!(bill.header("location"), format!("{PATH}/{}", bill.id()));
    world.work();
    let late = now(&world, &early);
    assert_eq!(late["record_id"], story.record("credit-notes", "note"));
    let paid = story
        .tell(&payment("a", "one", "600.00", "2026-02-01"))
        .expect(201);
    assert_eq!(paid["record_id"], story.record("payments", "one"));
    assert_eq!((events(&world, "parked"), events(&world, "applied")), (1, 3));
    let found = |query: &str| world.admin().all(&format!("{PATH}?{query}")).len();
    assert_eq!(found("kind=payment&kind=invoice"), 2);
    assert_eq!(found("status=parked"), 0);
    assert_eq!(found("external_id=one-a"), 1);
    assert_eq!(found("created_at_gte=2026-03-02T09:00:01Z"), 0);
}

#[test]
fn an_invoice_that_is_void_is_void_in_either_order() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    for (mark, facts) in [("a", [invoice("a"), void("a")]), ("b", [void("b"), invoice("b")])] {
        let story = Story::of_a_won_deal(&world, &program, mark);
        for fact in &facts {
            story.tell(fact).expect(201);
        }
        world.work();
        let path = format!("/v1/invoices/{}", story.record("invoices", "in"));
        let bill = world.admin().get(&path).expect(200);
        assert_eq!(
            (&bill["status"], &bill["status_reason"]),
            (&json!("void"), &json!("Billed twice."))
        );
        story
            .tell(&payment(mark, "one", "1.00", "2026-02-01"))
            .refused(409, "wrong_state");
        story.all_applied(2);
    }
}

/// What is known and cannot be met is refused as ever, and nothing of it is kept.
#[test]
fn what_could_be_applied_and_is_refused_is_not_kept() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    story.tell(&invoice("a")).expect(201);
    story
        .tell(&payment("a", "one", "600.00", "2026-02-01"))
        .expect(201);
    let before = story.figures();
    let too_much = refund("a", ("chargeback", "bank", "one"), "600.01", "2026-02-20");
    story
        .tell(&too_much)
        .refused(409, "refund_exceeds_payment")
        .pointer("/amount/amount", "too_much");
    story
        .tell(&payment("a", "two", "400.01", "2026-02-20"))
        .refused(409, "payment_exceeds_invoice");
    story
        .tell(&payment("a", "two", "40.00", "2026-12-31"))
        .refused(422, "validation_failed")
        .pointer("/paid_at", "in_future");
    story.tell(&void("a")).refused(409, "wrong_state");
    let other = Story::of_a_won_deal(&world, &program, "b");
    let mut foreign = credit_note("b", "note", false, "1.00", "2026-02-25");
    foreign["invoice"] = json!("in-a");
    other
        .tell(&foreign)
        .refused(422, "validation_failed")
        .pointer("/invoice", "other_deal");
    assert_eq!(world.admin().all(PATH).len(), 2);
    assert_eq!(story.figures(), before);
    // What was taken otherwise has the key.
    let path = format!("/v1/invoices/{}/payments", story.record("invoices", "in"));
    let body = json!({
        "external_id": "three-a", "amount": { "amount": "10.00", "currency": "USD" }, "paid_at": "2026-02-01T12:00:00Z"
    });
    world.admin().post_once(&path, body).expect(201);
    story
        .tell(&payment("a", "three", "10.00", "2026-02-01"))
        .refused(409, "external_id_taken");
}

#[test]
fn what_is_refused_after_it_waited_keeps_its_problem() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    let too_much = story
        .tell(&payment("a", "one", "1000.01", "2026-02-01"))
        .expect(201);
    let behind = story
        .tell(&refund("a", ("refund", "back", "one"), "1.00", "2026-02-15"))
        .expect(201);
    story
        .tell(&payment("a", "two", "300.00", "2026-02-10"))
        .expect(201);
    retry(&world, &too_much).expect(200);
    story.tell(&invoice("a")).expect(201);
    world.work();
    // The one that was refused stopped neither the other one nor changed anything.
    assert_eq!(world.balance(&story.partner, "payable"), "30.00");
    let refused = now(&world, &too_much);
    assert_eq!(refused["status"], "refused");
    assert_eq!(refused["problem_code"], "payment_exceeds_invoice");
    assert_eq!(refused["problem_detail"], "1000.00 USD is open on the invoice.");
    assert_eq!(refused["problem_errors"][0]["pointer"], "/amount/amount");
    assert_eq!(now(&world, &behind)["status"], "parked");
    assert_eq!(events(&world, "refused"), 1);
    // It is refused again, and stays as it was.
    retry(&world, &too_much).refused(409, "payment_exceeds_invoice");
    assert_eq!(now(&world, &too_much).body, refused.body);
    let withdrawn = withdraw(&world, &too_much).expect(200);
    assert_eq!(
        (&withdrawn["status"], &withdrawn["status_reason"]),
        (&json!("withdrawn"), &json!("Never mind."))
    );
    assert_eq!(withdrawn["problem_code"], "payment_exceeds_invoice");
    withdraw(&world, &behind).expect(200);
    for settled in [&too_much, &behind] {
        for again in [retry(&world, settled), withdraw(&world, settled)] {
            let again = again.refused(409, "wrong_state");
            assert_eq!(again["allowed_moves"], json!([]));
        }
    }
    // The key is free again, for the same and for what is right.
    story
        .tell(&payment("a", "one", "1000.01", "2026-02-01"))
        .refused(409, "payment_exceeds_invoice");
    let right = story.tell(&payment("a", "one", "1.00", "2026-02-01")).expect(201);
    assert_eq!(right["status"], "applied");
    assert_eq!(events(&world, "withdrawn"), 2);
    world.books_balance();
}

/// Facts are applied in the name of whoever told them; who is let in no more does nothing more, and somebody else may.
#[test]
fn what_a_revoked_key_told_waits_for_another_hand() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    let keys = ["first", "second"].map(|_| world.key(&["billing_arrivals:write"]));
    let facts = ["one", "two"].map(|key| payment("a", key, "100.00", "2026-02-01"));
    let told = [tell(&keys[0], &facts[0]), tell(&keys[1], &facts[1])].map(|reply| reply.expect(201));
    let revoked = keys[0].key_id.as_deref().unwrap();
    world
        .admin()
        .act(&format!("/v1/api-keys/{revoked}/revoke"))
        .expect(200);
    story.tell(&invoice("a")).expect(201);
    world.work();
    let [refused, applied] = [now(&world, &told[0]), now(&world, &told[1])];
    assert_eq!(
        (&refused["status"], &refused["problem_code"]),
        (&json!("refused"), &json!("unauthorized"))
    );
    assert_eq!(applied["status"], "applied");
    let done = retry(&world, &told[0]).expect(200);
    assert_eq!(
        (&done["status"], &done["problem_code"]),
        (&json!("applied"), &Value::Null)
    );
    let by = |key: &str| {
        let path = format!(
            "/v1/audit-events?action=payment.recorded&subject_id={}",
            story.record("payments", key)
        );
        world.admin().all(&path)[0]["actor_id"].to_string()
    };
    assert!(
        by("two").contains(keys[1].key_id.as_deref().unwrap()),
        "{}",
        by("two")
    );
    assert!(!by("one").contains(revoked), "{}", by("one"));
    world.books_balance();
}

/// Where the first of two references is there, it waits for the second one.
#[test]
fn a_credit_note_waits_for_its_deal_and_then_for_its_invoice() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::new(&world, &program, "a");
    let note = story
        .tell(&credit_note("a", "note", true, "100.00", "2026-02-25"))
        .expect(201);
    assert_eq!(note["awaits_resource"], "deal");
    story.deal();
    world.work();
    let waiting = now(&world, &note);
    assert_eq!(
        (&waiting["status"], &waiting["awaits_resource"]),
        (&json!("parked"), &json!("invoice"))
    );
    story.win();
    story.tell(&invoice("a")).expect(201);
    world.work();
    story.all_applied(2);
}

#[test]
fn postgres_holds_what_was_told_and_its_life() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let story = Story::of_a_won_deal(&world, &program, "a");
    story.tell(&invoice("a")).expect(201);
    story.tell(&payment("b", "one", "1.00", "2026-02-01")).expect(201);
    let mut owner = world.database().owner();
    for (statement, word) in [
        ("UPDATE billing_arrivals SET fact = '{}'", "never changes"),
        ("UPDATE billing_arrivals SET external_id = 'x'", "never changes"),
        ("DELETE FROM billing_arrivals", "never changes"),
        (
            "UPDATE billing_arrivals SET status = 'parked', record_id = NULL, awaits_resource = 'deal', \
             awaits_external_id = 'x' WHERE status = 'applied'",
            "cannot move from applied to parked",
        ),
        (
            "UPDATE billing_arrivals SET status = 'applied' WHERE status = 'parked'",
            "billing_arrivals_outcome_check",
        ),
    ] {
        let refused = owner.batch_execute(statement).unwrap_err().to_string();
        assert!(refused.contains(word), "{statement}: {refused}");
    }
    assert_eq!(
        names(
            &mut owner,
            "SELECT status AS name FROM billing_arrivals ORDER BY 1"
        ),
        ["applied", "parked"]
    );
}
