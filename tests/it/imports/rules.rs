//! What the ordinary operations refuse, a row of a file does not do either.

use super::{ACCOUNTS, account_mapping, counts, load, mapping, rejections};
use crate::world::{World, texts};
use chrono::TimeDelta;
use serde_json::{Value, json};

const PARTNERS: [&str; 3] = ["external_id", "name", "program"];
const INVOICES: [&str; 8] = [
    "external_id",
    "deal",
    "amount",
    "tax",
    "currency",
    "issued_on",
    "due_on",
    "paid_at",
];

/// What became of a file, and what was rejected of it.
fn outcome(
    world: &World,
    resource: &str,
    columns: &[&str],
    others: Value,
    rows: &str,
) -> ([i64; 4], Vec<String>) {
    let file = format!("{}\n{rows}", columns.join(","));
    let import = load(world, resource, &mapping(columns, others), &[], file);
    assert_eq!(import["status"], "succeeded");
    (counts(&import), rejections(world, &import))
}

fn statuses(world: &World, program: &str) -> Vec<String> {
    let path = format!("/v1/enrollments?program_id={program}");
    texts(&world.admin().all(&path), "status")
}

#[test]
fn only_an_approved_partner_comes_into_a_program() {
    let world = World::new();
    let program = world.ten_percent(json!({ "external_id": "prg" }));
    let new = outcome(&world, "partners", &PARTNERS, json!({}), "P-1,Nordlicht,prg\n");
    assert_eq!(
        new,
        ([0, 0, 0, 1], vec!["2 program partner_not_approved".to_owned()])
    );
    let partner = json!({ "name": "Nordlicht", "external_id": "P-1" });
    let partner = world.admin().post("/v1/partners", partner).expect(201).id();
    let path = format!("/v1/partners/{partner}");
    let row = "P-1,Nordlicht,prg\n";
    let refused = outcome(&world, "partners", &PARTNERS, json!({}), row);
    assert_eq!(refused.1, ["2 program partner_not_approved"]);
    assert_eq!(statuses(&world, &program), [] as [&str; 0]);
    world.admin().act(&format!("{path}/approve")).expect(200);
    assert_eq!(
        outcome(&world, "partners", &PARTNERS, json!({}), row).0,
        [0, 1, 0, 0]
    );
    assert_eq!(statuses(&world, &program), ["active"]);
    // Who takes part already is what the row says, whatever became of it since.
    let reason = json!({ "reason": "Because." });
    world.admin().post(&format!("{path}/suspend"), reason).expect(200);
    assert_eq!(
        outcome(&world, "partners", &PARTNERS, json!({}), row).0,
        [0, 0, 1, 0]
    );
}

#[test]
fn an_enrollment_that_was_ended_stays_so() {
    let world = World::new();
    let program = world.ten_percent(json!({ "external_id": "prg" }));
    let approved = json!({ "status": { "constant": "approved" } });
    let row = "P-1,Nordlicht,prg\n";
    let first = outcome(&world, "partners", &PARTNERS, approved.clone(), row);
    assert_eq!(first.0, [1, 0, 0, 0]);
    let path = format!("/v1/enrollments?program_id={program}");
    let enrollment = world.admin().all(&path)[0]["id"].clone();
    let end = format!("/v1/enrollments/{}/end", enrollment.as_str().unwrap());
    world
        .admin()
        .post(&end, json!({ "reason": "It is over." }))
        .expect(200);
    let again = outcome(&world, "partners", &PARTNERS, approved, row);
    assert_eq!((again.0, again.1), ([0, 0, 1, 0], Vec::new()));
    assert_eq!(statuses(&world, &program), ["ended"]);
}

#[test]
fn what_has_not_happened_yet_is_not_recorded() {
    let world = World::new();
    let program = world.ten_percent(json!({ "external_id": "prg" }));
    let partner = world.enrolled("Nordlicht", &program);
    load(&world, "accounts", &account_mapping(), &[], ACCOUNTS);
    let deal = world.won_deal(&program, "100.00 USD", &[(&partner, 10_000)]);
    let key = json!({ "external_id": "D-1" });
    world.admin().patch(&format!("/v1/deals/{deal}"), key).expect(200);
    let columns = [
        "external_id",
        "account",
        "amount",
        "currency",
        "status",
        "won_at",
        "opened_on",
        "expected_close_on",
    ];
    let rows = "D-2,A-1,1.00,USD,won,2099-01-01,2026-01-01,\n\
        D-3,A-1,1.00,USD,open,,2026-01-02,2026-01-01\n\
        D-4,A-1,1.00,USD,open,,2026-01-02,2026-01-02\n";
    let deals = outcome(&world, "deals", &columns, json!({}), rows);
    assert_eq!(
        deals,
        (
            [1, 0, 0, 2],
            vec![
                "2 won_at in_future".to_owned(),
                "3 expected_close_on before_opened_on".to_owned()
            ]
        )
    );
    let rows = "I-1,D-1,1.00,,USD,2026-01-01,,2099-01-01\n\
        I-2,D-1,1.00,,USD,2026-01-02,2026-01-01,\n\
        I-3,D-1,-1.00,,USD,2026-01-02,,2026-01-03\n\
        I-4,D-1,999999999999999.99,999999999999999.99,USD,2026-01-02,,\n\
        I-5,D-1,1.00,,USD,2026-01-02,2026-01-02,2026-01-03\n";
    // What a row does not say contradicts nothing, and it is the 3rd already in the east of the world.
    world.pass(TimeDelta::hours(2));
    let unsaid = outcome(
        &world,
        "deals",
        &columns[..6],
        json!({ "expected_close_on": { "constant": "2026-01-01" } }),
        "D-5,A-1,1.00,USD,open,\nD-6,A-1,1.00,USD,won,2026-03-03\n",
    );
    assert_eq!(unsaid, ([2, 0, 0, 0], Vec::new()));
    let invoices = outcome(&world, "invoices", &INVOICES, json!({}), rows);
    assert_eq!(
        invoices,
        (
            [1, 0, 0, 4],
            vec![
                "2 paid_at in_future".to_owned(),
                "3 due_on before_issued_on".to_owned(),
                "4 amount negative_amount".to_owned(),
                "5 amount out_of_range".to_owned(),
            ]
        )
    );
    let kind = json!({ "kind": { "constant": "credit_note" } });
    let row = "C-1,D-1,1.00,,USD,2026-01-01,,2099-01-01\nC-2,D-1,1.00,,USD,2099-01-01,,\n";
    let notes = outcome(&world, "invoices", &INVOICES, kind, row);
    assert_eq!(notes.1, ["2 paid_at in_future", "3 issued_on in_future"]);
    assert_eq!(world.lines("").len(), 1);
    world.books_balance();
}

#[test]
fn only_an_approved_partner_is_credited() {
    let world = World::new();
    load(&world, "accounts", &account_mapping(), &[], ACCOUNTS);
    let partner = json!({ "name": "Nordlicht", "external_id": "P-1" });
    let partner = world.admin().post("/v1/partners", partner).expect(201).id();
    let columns = ["external_id", "account", "amount", "currency", "sourced_by"];
    let credited = || outcome(&world, "deals", &columns, json!({}), "D-1,A-1,1.00,USD,P-1\n");
    assert_eq!(credited().1, ["2 sourced_by partner_not_approved"]);
    let path = format!("/v1/partners/{partner}");
    world.admin().act(&format!("{path}/approve")).expect(200);
    assert_eq!(credited().0, [1, 0, 0, 0]);
    // The credit that it has stays what it is.
    let reason = json!({ "reason": "Because." });
    world.admin().post(&format!("{path}/suspend"), reason).expect(200);
    assert_eq!(credited().0, [0, 0, 1, 0]);
}
