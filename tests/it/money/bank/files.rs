//! What is in the file of a run, that it stays the same, and who takes it.

use super::pain001::{Element, faults};
use super::{COOLED_OFF, account, clerk, name_debtor};
use crate::world::{Actor, Reply, Run, World, texts};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const GERMAN: &str = "DE89370400440532013000";
const FRENCH: &str = "FR1420041010050500013M02606";
const EVENT: &str = "payout_run.file_downloaded";

fn method(world: &World, partner: &str, currency: &str, holder: &str, iban: &str, bic: Option<&str>) {
    let mut body = json!({
        "partner_id": partner, "currency": currency, "kind": "bank_account", "account_holder": holder, "iban": iban
    });
    if let Some(bic) = bic {
        body["bic"] = json!(bic);
    }
    let id = world.admin().post("/v1/payout-methods", body).expect(201).id();
    super::confirm(world, &id);
}

fn path(run: &Run<'_>) -> String {
    format!("/v1/payout-runs/{}/file", run.id)
}

fn processed<'w>(world: &'w World, rail: &str, finance: &Actor) -> Run<'w> {
    let run = world.draft_run_on(rail, &clerk(world));
    finance.get(&path(&run)).refused(409, "payout_run_has_no_file");
    run.verb(finance, "approve", Value::Null).expect(200);
    finance.get(&path(&run)).refused(409, "payout_run_has_no_file");
    run.verb(finance, "process", Value::Null).expect(200);
    run
}

#[test]
fn a_list_has_each_payment_exactly_and_no_formula() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second] = ["A", "B"].map(|name| world.enrolled(name, &program));
    world.sale(&program, &first, "1234.50 EUR");
    world.sale(&program, &second, "12340 JPY");
    method(
        &world,
        &first,
        "EUR",
        "=HYPERLINK(\"http://x\",\"Müller\")",
        GERMAN,
        None,
    );
    method(
        &world,
        &second,
        "JPY",
        "Nordlicht, \"GmbH\"",
        FRENCH,
        Some("COBADEFFXXX"),
    );
    world.pass(COOLED_OFF);
    let finance = world.finance();
    let run = processed(&world, "csv", &finance);
    let file = finance.get(&path(&run)).expect(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("cache-control"), "no-store");
    let name = format!("attachment; filename=\"{}.csv\"", run.id);
    assert_eq!(file.header("content-disposition"), name);
    let mut lines: Vec<String> = run
        .payouts()
        .iter()
        .map(|payout| {
            let id = payout["id"].as_str().unwrap();
            let reference = id.replace('_', "-");
            if payout["partner_id"] == first.as_str() {
                let holder = "\"'=HYPERLINK(\"\"http://x\"\",\"\"Müller\"\")\"";
                format!("{id},{first},{holder},{GERMAN},,123.45,EUR,{reference}")
            } else {
                format!("{id},{second},\"Nordlicht, \"\"GmbH\"\"\",{FRENCH},COBADEFFXXX,1234,JPY,{reference}")
            }
        })
        .collect();
    lines.sort();
    let header = "payout_id,partner_id,account_holder,iban,bic,amount,currency,reference";
    assert_eq!(file.raw(), format!("{header}\r\n{}\r\n", lines.join("\r\n")));
}

/// Spreadsheets of East Asian languages take the wide forms for the beginning of a formula as well.
#[test]
fn a_formula_in_full_width_is_none_either() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let names = ["＝1+1", "＋1", "－1", "＠A1"];
    for name in names {
        let partner = world.enrolled(name, &program);
        world.sale(&program, &partner, "100.00 EUR");
        method(&world, &partner, "EUR", name, GERMAN, None);
    }
    world.pass(COOLED_OFF);
    let finance = world.finance();
    let run = processed(&world, "csv", &finance);
    let file = finance.get(&path(&run)).expect(200);
    for name in names {
        assert!(file.raw().contains(&format!(",'{name},")), "{}", file.raw());
    }
}

#[test]
fn a_credit_transfer_is_valid_exact_and_always_the_same() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let [first, second] = ["A", "B"].map(|name| world.enrolled(name, &program));
    world.sale(&program, &first, "1234.50 EUR");
    world.sale(&program, &second, "0.10 EUR");
    world.sale(&program, &second, "50.00 USD");
    method(
        &world,
        &first,
        "EUR",
        "Müller & <Söhne>",
        GERMAN,
        Some("COBADEFFXXX"),
    );
    method(&world, &second, "EUR", "Ελλάς", FRENCH, None);
    method(&world, &second, "USD", "Ελλάς", FRENCH, None);
    name_debtor(&world, "Example & Cloud", "DE89 3704 0044 0532 0130 00");
    world.pass(COOLED_OFF);
    let finance = world.finance();
    let run = processed(&world, "sepa", &finance);
    let file = finance.get(&path(&run)).expect(200);
    assert_eq!(file.header("content-type"), "application/xml");
    let document = Element::read(file.raw());
    assert_eq!(faults(&document), [] as [String; 0], "{}", file.raw());
    let text = |path: &str| document.texts(path);
    let initiation = "CstmrCdtTrfInitn";
    let message = run.id.replace('_', "-");
    assert_eq!(text(&format!("{initiation}/GrpHdr/MsgId")), [message.as_str()]);
    for group in ["GrpHdr", "PmtInf"] {
        assert_eq!(text(&format!("{initiation}/{group}/NbOfTxs")), ["2"]);
        assert_eq!(text(&format!("{initiation}/{group}/CtrlSum")), ["123.46"]);
    }
    let of_each = |path: &str| text(&format!("{initiation}/PmtInf/CdtTrfTxInf/{path}"));
    let sum: Decimal = of_each("Amt/InstdAmt")
        .iter()
        .map(|amount| amount.parse::<Decimal>().unwrap())
        .sum();
    assert_eq!(sum.to_string(), "123.46");
    let ids: Vec<String> = of_each("PmtId/EndToEndId");
    let mut expected: Vec<String> = texts(&run.payouts(), "id")
        .iter()
        .map(|id| id.replace('_', "-"))
        .collect();
    expected.sort();
    assert_eq!(ids, expected);
    let mut names = of_each("Cdtr/Nm");
    names.sort();
    assert_eq!(names, ["Ellas", "Muller + Sohne"]);
    assert_eq!(of_each("CdtrAgt/FinInstnId/BICFI"), ["COBADEFFXXX"]);
    assert_eq!(text(&format!("{initiation}/PmtInf/DbtrAcct/Id/IBAN")), [GERMAN]);
    assert_eq!(text(&format!("{initiation}/PmtInf/Dbtr/Nm")), ["Example + Cloud"]);
    // Neither time nor what becomes of the payouts, their accounts or the organization changes a byte.
    let same = || assert_eq!(finance.get(&path(&run)).expect(200).raw(), file.raw());
    same();
    name_debtor(&world, "Another name", FRENCH);
    let zone = json!({ "time_zone": "Pacific/Auckland" });
    world.admin().patch("/v1/organization", zone).expect(200);
    account(&world, &first, "EUR", FRENCH);
    let failed = format!("/v1/payouts/{}/fail", texts(&run.payouts(), "id")[0]);
    let why = json!({ "reason": "The account is closed." });
    finance.post_once(&failed, why).expect(200);
    world.pass(COOLED_OFF);
    same();
    run.verb(&finance, "confirm", json!({})).expect(200);
    same();
    world.books_balance();
}

#[test]
fn taking_a_file_needs_a_right_and_is_kept() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let partner = world.enrolled("A", &program);
    world.sale(&program, &partner, "100.00 EUR");
    account(&world, &partner, "EUR", GERMAN);
    world.pass(COOLED_OFF);
    let finance = world.finance();
    let by_hand = world.processing_run(&finance);
    finance
        .get(&path(&by_hand))
        .refused(409, "payout_run_has_no_file");
    world.sale(&program, &partner, "100.00 EUR");
    let run = processed(&world, "csv", &finance);
    let reader = world.key(&["payout_runs:read", "payouts:read", "payout_methods:read"]);
    reader.get(&path(&run)).refused(403, "permission_denied");
    let stranger = world.second_organization();
    stranger.admin.get(&path(&run)).refused(404, "not_found");
    let taken = |audit: &[Value]| -> Vec<Value> {
        let of_a_file = |event: &&Value| event["type"] == EVENT || event["action"] == EVENT;
        audit.iter().filter(of_a_file).cloned().collect()
    };
    assert_eq!(taken(&world.admin().all("/v1/audit-events")), [] as [Value; 0]);
    // A key that a client sends by habit keeps no second copy of the account numbers.
    let ask = finance
        .ask("GET", &path(&run))
        .header("Idempotency-Key", "a-habit");
    let reply: Reply = ask.send();
    assert!(reply.expect(200).raw().contains(GERMAN));
    finance.get(&path(&run)).expect(200);
    world.work();
    let kept = taken(&world.admin().all("/v1/audit-events"));
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert_eq!(kept[0]["actor_id"], json!(finance.key_id));
    let told = taken(&world.admin().all("/v1/events"));
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0]["data"]["payout_count"], 1);
    assert!(!format!("{kept:?}{told:?}").contains(GERMAN));
}

#[test]
fn the_account_to_pay_from_is_whole_masked_and_of_the_area() {
    let world = World::new();
    let patch = |body: Value| world.admin().patch("/v1/organization", body);
    let refused = |body: Value, pointer: &str, code: &str| {
        patch(body)
            .refused(422, "validation_failed")
            .pointer(pointer, code);
    };
    refused(
        json!({ "payout_debtor_name": "A" }),
        "/payout_debtor_iban",
        "missing",
    );
    refused(
        json!({ "payout_debtor_iban": GERMAN }),
        "/payout_debtor_name",
        "missing",
    );
    refused(
        json!({ "payout_debtor_bic": "COBADEFF" }),
        "/payout_debtor_iban",
        "missing",
    );
    let with = |iban: &str| json!({ "payout_debtor_name": "A", "payout_debtor_iban": iban });
    refused(
        with("DE89370400440532013001"),
        "/payout_debtor_iban",
        "invalid_iban",
    );
    refused(
        with("BR1800360305000010009795493C1"),
        "/payout_debtor_iban",
        "not_in_sepa",
    );
    let named = patch(with(GERMAN)).expect(200);
    assert_eq!(named["payout_debtor_masked_iban"], "DE****3000");
    assert!(!named.raw().contains(GERMAN));
    let partner = world.partner("A");
    let seen = world
        .full_partner_key(&partner)
        .get("/v1/organization")
        .expect(200);
    assert_eq!(seen["payout_debtor_masked_iban"], Value::Null);
    let banked = patch(json!({ "payout_debtor_bic": "COBADEFFXXX" })).expect(200);
    assert_eq!(banked["payout_debtor_bic"], "COBADEFFXXX");
    refused(
        json!({ "payout_debtor_name": null }),
        "/payout_debtor_name",
        "missing",
    );
    let none = patch(json!({ "payout_debtor_name": null, "payout_debtor_iban": null })).expect(200);
    assert_eq!(none["payout_debtor_bic"], Value::Null);
    world.work();
    let told = world.admin().all("/v1/events");
    assert!(!format!("{told:?}").contains(GERMAN));
}
