//! The README's first run: UK government G-Cloud sales through the API, to the penny, and once more to no effect.
//!
//! The files are not part of the project. Without them the test says so on standard error and proves nothing.

mod shapes;

use crate::world::{Actor, Reply, World};
use chrono::{Datelike, NaiveDate, TimeDelta};
use copartner::app::ledger_check;
use copartner::platform::clock::Clock;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What separates the parts of an upload; it occurs in none of the files.
const BOUNDARY: &str = "copartner-real-run-6f1d0c";
/// The resources in the order in which they refer to each other, and the mapping of each, as the README sends it.
const IMPORTS: [(&str, &str); 4] = [
    ("partners", include_str!("../../../examples/gcloud/partners.json")),
    ("accounts", include_str!("../../../examples/gcloud/accounts.json")),
    ("deals", include_str!("../../../examples/gcloud/deals.json")),
    ("invoices", include_str!("../../../examples/gcloud/invoices.json")),
];

/// The folder of the files, if this machine has it.
fn data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("COPARTNER_SAMPLE_DATA").unwrap_or_else(|| "../shared/data".into());
    let folder = root.join(shared).join("gcloud");
    folder.join("invoices.csv").is_file().then_some(folder)
}

#[test]
fn g_cloud_to_the_penny() {
    let Some(folder) = data() else {
        // Not `eprintln`, which the test harness keeps to itself when a test passes.
        let note = "SKIPPED real_run::g_cloud_to_the_penny: no gcloud/invoices.csv in COPARTNER_SAMPLE_DATA \
                    (default ../shared/data); the totals of the README were NOT checked";
        writeln!(std::io::stderr(), "\n{note}").unwrap();
        return;
    };
    let world = World::new();
    set_up(world.admin());
    for import in import_all(&world, &folder) {
        assert_all_rows_were(&import, "created");
    }
    assert_eq!(pay_every_month(&world, None), 2_357);
    assert_totals(world.admin());

    for import in import_all(&world, &folder) {
        assert_all_rows_were(&import, "unchanged");
    }
    assert_totals(world.admin());
    for finding in ledger_check::all(&world.db, world.clock.now()).unwrap() {
        assert_eq!(finding.faults, []);
        assert!(finding.recomputed > 0, "no explanation was computed again");
    }
}

/// A program whose one rule pays ten per cent to the supplier of a deal at once.
fn set_up(admin: &Actor) {
    let program = json!({
        "name": "G-Cloud", "motion": "reseller", "external_id": "g-cloud",
        "commission_approval": "automatic", "time_zone": "Europe/London",
    });
    let program = admin.post("/v1/programs", program).expect(201);
    let rule = json!({
        "program_id": program.id(), "name": "Ten per cent",
        "terms": {
            "formula": { "type": "percentage", "rate": "0.1000" },
            "hold_days": 0, "effective_from": "2012-01-01T00:00:00Z",
        },
    });
    let rule = admin.post("/v1/commission-rules", rule).expect(201);
    let versions = format!("/v1/commission-rule-versions?commission_rule_id={}", rule.id());
    let version = admin.get(&versions).expect(200).data()[0]["id"].clone();
    let version = format!("/v1/commission-rule-versions/{}", version.as_str().unwrap());
    let etag = admin.get(&version).expect(200).header("etag").to_owned();
    let activate = admin.ask("POST", &format!("{version}/activate"));
    activate.header("If-Match", &etag).send().expect(200);
}

/// Uploads the four files and lets the worker load them; the imports when they are done.
fn import_all(world: &World, folder: &Path) -> Vec<Reply> {
    let load = |(resource, mapping): (&str, &str)| {
        let file = fs::read(folder.join(format!("{resource}.csv"))).unwrap();
        import(world, resource, mapping, &file)
    };
    IMPORTS.into_iter().map(load).collect()
}

/// Uploads a file and lets the worker load it; the import when it is done.
fn import(world: &World, resource: &str, mapping: &str, file: &[u8]) -> Reply {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let ask = world.admin().ask("POST", "/v1/imports");
    let body = upload(resource, mapping, file);
    let import = ask.bytes(&content_type, body).send().expect(202);
    world.work();
    let path = format!("/v1/imports/{}", import.id());
    world.admin().get(&path).expect(200)
}

#[track_caller]
fn assert_all_rows_were(import: &Reply, fate: &str) {
    assert_eq!(import["status"], "succeeded", "{}", import.raw());
    let mut expected = json!({ "created": 0, "updated": 0, "unchanged": 0, "rejected": 0 });
    expected[fate] = import["progress"]["rows_read"].clone();
    assert_eq!(import["counts"], expected, "{}", import.raw());
    assert_ne!(expected[fate], 0, "{}", import.raw());
}

/// The three parts of an upload, as curl's `-F` puts them together.
fn upload(resource: &str, mapping: &str, file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in [("resource", resource), ("mapping", mapping)] {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
    }
    let head = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{resource}.csv\"");
    body.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\nContent-Type: text/csv\r\n\r\n").as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// One payout run per month end from April 2012 to June 2014, of one program or of all, approved by a second key; how many
/// payouts there were.
fn pay_every_month(world: &World, program: Option<&str>) -> i64 {
    let finance = world.key(&[
        "payout_runs:read",
        "payout_runs:approve",
        "payout_runs:process",
        "payouts:confirm",
    ]);
    let operations = world.key(&["payout_runs:write"]);
    month_ends()
        .iter()
        .map(|cut_off| pay(&operations, &finance, cut_off, program))
        .sum()
}

/// The last second of each month.
fn month_ends() -> Vec<String> {
    let first = NaiveDate::from_ymd_opt(2012, 4, 1).unwrap();
    let months = (1..=27).map(|month| first.checked_add_months(chrono::Months::new(month)).unwrap());
    let ends = months.map(|next| next - TimeDelta::days(1));
    let ends: Vec<String> = ends.map(|day| format!("{day}T23:59:59Z")).collect();
    let last = NaiveDate::parse_from_str(&ends[26][..10], "%Y-%m-%d").unwrap();
    assert_eq!((last.year(), last.month()), (2014, 6));
    ends
}

fn pay(operations: &Actor, finance: &Actor, cut_off: &str, program: Option<&str>) -> i64 {
    let mut proposal = json!({ "cut_off_at": cut_off, "rail": "manual" });
    if let Some(program) = program {
        proposal["program_id"] = json!(program);
    }
    let run = once(operations, "/v1/payout-runs", cut_off, Some(&proposal)).expect(201);
    let path = format!("/v1/payout-runs/{}", run.id());
    let approve = finance.ask("POST", &format!("{path}/approve"));
    let approve = approve.header("Idempotency-Key", &format!("approve-{cut_off}"));
    approve.header("If-Match", run.header("etag")).send().expect(200);
    once(finance, &format!("{path}/process"), cut_off, None).expect(200);
    let paid = json!({ "paid_at": cut_off });
    let run = once(finance, &format!("{path}/confirm"), cut_off, Some(&paid)).expect(200);
    assert_eq!(run["status"], "completed", "{}", run.raw());
    run["payout_count"].as_i64().unwrap()
}

fn once(actor: &Actor, path: &str, key: &str, body: Option<&Value>) -> Reply {
    let ask = actor.ask("POST", path).header("Idempotency-Key", key);
    match body {
        Some(body) => ask.json(body).send(),
        None => ask.send(),
    }
}

/// The figures of the README.
fn assert_totals(admin: &Actor) {
    let report = admin.get("/v1/reports/program-summary").expect(200);
    let totals = &report["totals"][0];
    let expected = [
        ("net_revenue", "217455674.58"),
        ("commission_earned", "22099254.10"),
        ("commission_clawed_back", "353683.38"),
        ("commission_net", "21745570.72"),
        ("commission_paid", "21745590.46"),
        ("open_balance", "-19.74"),
    ];
    for (figure, amount) in expected {
        assert_eq!(
            totals[figure],
            json!({ "amount": amount, "currency": "GBP" }),
            "{figure}"
        );
    }
    let partners = admin.get("/v1/reports/partner-performance").expect(200);
    let rows = partners["rows"].as_array().unwrap().iter();
    let open: Vec<&str> = rows
        .map(|row| row["open_balance"]["amount"].as_str().unwrap())
        .filter(|amount| *amount != "0.00")
        .collect();
    assert_eq!(open, ["-19.74"]);
}
