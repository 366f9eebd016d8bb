//! Statements: what became of partners' balances in a month, for ever the same.

use crate::world::{Actor, World, money, texts};
use chrono::{DateTime, TimeDelta, Utc};
use copartner::platform::clock::Clock;
use diesel::connection::SimpleConnection;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const PATH: &str = "/v1/statements";

fn issue(world: &World, month: &str) -> i64 {
    let issued = world.admin().post(PATH, json!({ "month": month })).expect(200);
    issued["issued_count"].as_i64().unwrap()
}

fn at(world: &World, instant: &str) {
    world.clock.set(instant.parse().unwrap());
}

/// The statements of a partner, the first one first.
fn statements(actor: &Actor, partner: &str) -> Vec<Value> {
    let mut all = actor.all(&format!("{PATH}?partner_id={partner}"));
    all.sort_by_key(|one| one["number"].as_i64());
    all
}

fn figures(statement: &Value) -> [String; 6] {
    ["opening", "earned", "reversed", "adjusted", "paid", "closing"]
        .map(|name| statement[name]["amount"].as_str().unwrap().to_owned())
}

/// Each goes on from the one before, and its hash is over the text that everybody can read.
fn assert_chained(actor: &Actor, all: &[Value]) {
    let mut previous: Option<&Value> = None;
    for (index, statement) in all.iter().enumerate() {
        assert_eq!(statement["number"], index + 1);
        let opening = previous.map_or(json!("0.00"), |one| one["closing"]["amount"].clone());
        assert_eq!(statement["opening"]["amount"], opening);
        let before = previous.map_or(Value::Null, |one| one["hash"].clone());
        assert_eq!(statement["previous_hash"], before);
        let path = format!("{PATH}/{}/file?format=text", statement["id"].as_str().unwrap());
        let text = actor.get(&path).expect(200).raw().to_owned();
        assert_eq!(actor.get(&path).expect(200).raw(), text);
        let hash = Sha256::digest(format!("{}{text}", before.as_str().unwrap_or_default()));
        assert_eq!(statement["hash"], format!("{hash:x}"));
        previous = Some(statement);
    }
}

#[test]
fn months_follow_from_one_another() {
    let world = World::new();
    at(&world, "2027-01-10T09:00:00Z");
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    let finance = world.finance();
    let deal = world.won_deal(&program, "1000.00 USD", &[(&partner, 10_000)]);
    let invoice = world.invoice(&deal, "USD", &["1000.00"]);
    let payment = world.pay(&invoice, "500.00 USD");
    world.paid_run(&finance);
    at(&world, "2027-02-10T09:00:00Z");
    world.refund(&payment, "100.00 USD");
    // It was paid in January and is told in February.
    let late = json!({ "amount": money("300.00 USD"), "paid_at": "2027-01-20T09:00:00Z" });
    world
        .admin()
        .post_once(&format!("/v1/invoices/{invoice}/payments"), late)
        .expect(201);
    let balance = world.balance(&partner, "payable");
    world
        .admin()
        .post(PATH, json!({ "month": "2027-02" }))
        .refused(422, "validation_failed")
        .pointer("/month", "not_over");
    at(&world, "2027-03-01T00:00:00Z");
    assert_eq!(issue(&world, "2027-02"), 2);
    assert_eq!(issue(&world, "2027-02"), 0, "what is issued is issued");
    let all = statements(world.admin(), &partner);
    assert_eq!(texts(&all, "month"), ["2027-01", "2027-02"]);
    assert_eq!(
        figures(&all[0]),
        ["0.00", "50.00", "0.00", "0.00", "50.00", "0.00"]
    );
    assert_eq!(
        figures(&all[1]),
        ["0.00", "30.00", "10.00", "0.00", "0.00", "20.00"]
    );
    assert_eq!(all[1]["closing"]["amount"], json!(balance));
    assert_chained(world.admin(), &all);
    let path = format!("{PATH}/{}", all[1]["id"].as_str().unwrap());
    let found = world.admin().get(&path).expect(200);
    let lines = found["lines"].as_array().unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["is_late"].as_bool().unwrap()))
        .collect();
    assert_eq!(told, [("clawback", false), ("accrual", true)]);
    let csv = world
        .admin()
        .get(&format!("{path}/file"))
        .expect(200)
        .raw()
        .to_owned();
    let rows: Vec<&str> = csv.trim_end().split("\r\n").collect();
    assert_eq!(rows.len(), 5, "{csv}");
    assert!(
        rows[1].starts_with("opening,0.00,USD,") && rows[4].starts_with("closing,20.00,USD,"),
        "{csv}"
    );
    world.books_balance();
}

#[test]
fn a_month_ends_in_the_organizations_zone() {
    let world = World::new();
    at(&world, "2027-01-10T09:00:00Z");
    world
        .admin()
        .patch("/v1/organization", json!({ "time_zone": "America/New_York" }))
        .expect(200);
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    at(&world, "2027-02-01T04:59:00Z");
    world.sale(&program, &partner, "100.00 USD");
    world
        .admin()
        .post(PATH, json!({ "month": "2027-01" }))
        .refused(422, "validation_failed");
    at(&world, "2027-02-01T05:00:00Z");
    world.sale(&program, &partner, "200.00 USD");
    assert_eq!(issue(&world, "2027-01"), 1);
    let all = statements(world.admin(), &partner);
    assert_eq!(figures(&all[0])[5], "10.00");
    assert_eq!(all[0]["time_zone"], "America/New_York");
}

#[test]
fn partners_read_their_own() {
    let world = World::new();
    at(&world, "2027-01-10T09:00:00Z");
    let program = world.ten_percent(json!({}));
    let [one, two] = ["A", "B"].map(|name| world.enrolled(name, &program));
    world.sale(&program, &one, "100.00 USD");
    world.sale(&program, &two, "100.00 EUR");
    at(&world, "2027-02-01T00:00:00Z");
    assert_eq!(issue(&world, "2027-01"), 2);
    let own = world.full_partner_key(&one);
    let theirs = own.all(PATH);
    assert_eq!(texts(&theirs, "partner_id"), [one.as_str()]);
    own.get(&format!("{PATH}/{}", theirs[0]["id"].as_str().unwrap()))
        .expect(200);
    assert_eq!(own.all(&format!("{PATH}?partner_id={two}")), [] as [Value; 0]);
    world.work();
    let told = own.all("/v1/events?type=statement.issued");
    let of: Vec<&Value> = told.iter().map(|event| &event["subject"]["id"]).collect();
    assert_eq!(of, [&theirs[0]["id"]], "each is told of its own");
    let foreign = statements(world.admin(), &two)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let elsewhere = world.second_organization();
    for path in [
        format!("{PATH}/{foreign}"),
        format!("{PATH}/{foreign}/file"),
        format!("{PATH}/{foreign}/file?format=text"),
        format!("{PATH}/{foreign}/file?format=pdf"),
    ] {
        own.get(&path).refused(404, "not_found");
        elsewhere.admin.get(&path).refused(404, "not_found");
    }
    own.post(PATH, json!({ "month": "2027-01" }))
        .refused(403, "permission_denied");
    world.work();
    let told = own.all("/v1/events?type=statement.issued");
    assert_eq!(told.len(), 1);
}

#[test]
fn what_is_issued_never_changes_and_a_change_would_be_found() {
    let world = World::new();
    at(&world, "2027-01-10T09:00:00Z");
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 USD");
    at(&world, "2027-02-01T00:00:00Z");
    issue(&world, "2027-01");
    world.books_balance();
    let mut owner = world.database().owner();
    for change in [
        "UPDATE statements SET opening = opening",
        "DELETE FROM statements",
        "UPDATE statement_lines SET partner_id = partner_id",
        "DELETE FROM statement_lines",
    ] {
        let refused = owner.batch_execute(change).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{change}: {refused}");
    }
    let text = "replace(document, '10.0000', '11.0000')";
    let forged = format!(
        "ALTER TABLE statements DISABLE TRIGGER statements_append_only; \
         UPDATE statements SET earned = 11, closing = 11, document = {text}, \
             hash = encode(sha256(convert_to({text}, 'UTF8')), 'hex'); \
         ALTER TABLE statements ENABLE TRIGGER statements_append_only"
    );
    owner.batch_execute(&forged).unwrap();
    let findings = copartner::app::ledger_check::all(&world.db, world.clock.now()).unwrap();
    let broken: Vec<&str> = findings
        .iter()
        .flat_map(|one| &one.faults)
        .map(|fault| fault.check)
        .collect();
    assert_eq!(
        broken,
        [
            "statements say what the journal says",
            "statements close with what is owed",
            "statements are signed"
        ]
    );
}

/// A posting of some kind and amount, so many hours after the beginning.
type Posting = (usize, i64, i64);

const KINDS: [(&str, &str, &str, usize); 9] = [
    ("accrual", "commission_expense", "held", 1),
    ("hold_release", "held", "released", 0),
    ("clawback", "payable", "commission_expense", 2),
    ("credit_note", "payable", "commission_expense", 2),
    ("adjustment_up", "adjustment_expense", "payable", 3),
    ("adjustment_down", "payable", "adjustment_expense", 3),
    ("write_off", "writeoff_expense", "payable", 3),
    ("payout_paid", "in_payout", "payout_clearing", 4),
    ("payout_returned", "payout_clearing", "payable", 4),
];

/// Whatever is posted and in whichever portions it is issued: statements chain and add up to the balance.
#[test]
fn any_postings_give_statements_that_add_up() {
    let world = World::new();
    at(&world, "2027-08-01T00:00:00Z");
    let program = world.program(json!({}));
    let posting = (0..KINDS.len(), 1..100_000_i64, 0..4_300_i64);
    let history = (
        prop::collection::vec(posting, 1..40),
        prop::collection::btree_set(1..7_u32, 0..4),
    );
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let checked = runner.run(&history, |(postings, portions)| {
        let partner = world.enrolled("A", &program);
        post(&world, &partner, &program, &postings);
        for month in portions.iter().chain([&6]) {
            issue(&world, &format!("2027-{month:02}"));
        }
        assert_eq!(issue(&world, "2027-06"), 0);
        let all = statements(world.admin(), &partner);
        assert_chained(world.admin(), &all);
        let closing = all.last().map_or(0, |one| cents(&one["closing"]));
        assert_eq!(closing, postings.iter().map(owed).sum::<i64>());
        for (column, name) in [(1, "earned"), (2, "reversed"), (3, "adjusted"), (4, "paid")] {
            let told: i64 = all.iter().map(|one| cents(&one[name])).sum();
            let of_it = postings.iter().filter(|posting| KINDS[posting.0].3 == column);
            let sign = if matches!(column, 2 | 4) { -1 } else { 1 };
            assert_eq!(told, sign * of_it.map(owed).sum::<i64>(), "{name}");
        }
        Ok(())
    });
    checked.unwrap();
}

/// A chain does not go back: what comes to light of an earlier month stands on the next statement.
#[test]
fn what_is_found_later_of_a_month_before_the_last_statement_is_not_put_before_it() {
    let world = World::new();
    at(&world, "2027-08-01T00:00:00Z");
    let program = world.program(json!({}));
    let partner = world.enrolled("A", &program);
    let (january, february) = (24, 40 * 24);
    post(&world, &partner, &program, &[(0, 1_000, february)]);
    assert_eq!(issue(&world, "2027-02"), 1);
    post(&world, &partner, &program, &[(0, 500, january)]);
    assert_eq!(issue(&world, "2027-02"), 0);
    assert_eq!(issue(&world, "2027-03"), 1);
    let all = statements(world.admin(), &partner);
    assert_eq!(texts(&all, "month"), ["2027-02", "2027-03"]);
    assert_eq!(figures(&all[1])[..2], ["10.00", "5.00"]);
    assert_chained(world.admin(), &all);
}

/// What a posting adds to what is owed, in cents.
fn owed(posting: &Posting) -> i64 {
    match KINDS[posting.0].0 {
        "accrual" | "adjustment_up" | "write_off" | "payout_returned" => posting.1,
        "hold_release" => 0,
        _ => -posting.1,
    }
}

fn cents(money: &Value) -> i64 {
    money["amount"]
        .as_str()
        .unwrap()
        .replace('.', "")
        .parse()
        .unwrap()
}

fn post(world: &World, partner: &str, program: &str, postings: &[Posting]) {
    let [partner, program] = [partner, program].map(|id| copartner::kernel::subject::parse(id).unwrap().1);
    let start: DateTime<Utc> = "2027-01-01T00:00:00Z".parse().unwrap();
    let mut owner = world.database().owner();
    for (kind, amount, hours) in postings {
        let (kind, debit, credit, _) = KINDS[*kind];
        let recorded_at = (start + TimeDelta::hours(*hours)).to_rfc3339();
        let insert = format!(
            "INSERT INTO ledger_entries (organization_id, id, kind, source_id, step, debit_account, credit_account, \
                 partner_id, program_id, currency, amount, occurred_at, recorded_at) \
             SELECT organization_id, gen_random_uuid(), '{kind}', gen_random_uuid(), 0, '{debit}', '{credit}', \
                 '{partner}', '{program}', 'USD', {amount}::numeric / 100, '{recorded_at}', '{recorded_at}' \
             FROM partners WHERE id = '{partner}'"
        );
        owner.batch_execute(&insert).unwrap();
    }
}
