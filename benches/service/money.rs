//! Every step from a payment to a statement, at several sizes: a year of 1,000 partners, five payments to a deal.
//!
//! Payments are accrued by percentage and by tiers, each against one SQL statement. Then the service, as a process of its own,
//! pays everything to all partners in one run, while payments come in, and issues their statements. Nothing of a size is left
//! when the next one begins.

use super::Fault;
use super::accrual::{self, Books, SERVICE};
use super::load::Connection;
use super::process::{Memory, Service};
use super::settings::Settings;
use super::stage::Stage;
use super::table;
use chrono::{DateTime, Datelike, Months, NaiveDate, SecondsFormat, Utc};
use copartner::app::ledger_check;
use copartner::kernel::id::InvoiceId;
use copartner::platform::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
/// What a run pays: everything that was generated, and nothing that comes in while it is made.
const CUT_OFF: &str = "2026-01-01T00:00:00Z";
/// How long payments come in alone, to compare with.
const ALONE: Duration = Duration::from_secs(2);
/// Between two payments that come in.
const PACE: Duration = Duration::from_millis(4);
/// The version was made in SQL, without a hash; explanations have the right one, and the check of the books compares.
const HASHED: &str = "SET session_replication_role = replica; \
    UPDATE commission_rule_versions SET terms_hash = (\
        SELECT jsonb_path_query_first(explanation, '$.**.hash') #>> '{}' FROM commissions LIMIT 1)";
/// How long a connection is good for without being used.
const IDLE: Duration = Duration::from_secs(2);
/// How often a statement is read.
const READINGS: usize = 21;

/// One step at one size.
#[derive(Debug)]
pub struct Step {
    name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// How long one SQL statement takes that does the same.
    pub of: Option<Duration>,
}

/// Payments that came in one after the other.
#[derive(Debug, Default)]
pub struct Waited {
    /// How many.
    pub count: usize,
    /// What the one took that took longest.
    pub longest: Duration,
}

/// Everything at one size.
#[derive(Debug)]
pub struct Column {
    /// The size.
    pub payments: u64,
    /// The steps, in the order in which they are done.
    pub steps: Vec<Step>,
    /// Payments that came in while nothing else was done.
    pub alone: Waited,
    /// Payments that came in while a run was drafted and approved.
    pub meanwhile: Waited,
    /// The memory of the service before anything was asked of it.
    pub at_start: Memory,
    /// And after all.
    pub at_end: Memory,
}

impl Column {
    /// The names of the steps.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().map(|step| step.name)
    }
}

/// Goes all steps at all sizes up to the largest.
pub fn measure(stage: &Stage, settings: &Settings) -> Result<(), Fault> {
    let mut sizes: Vec<u64> = SIZES
        .into_iter()
        .filter(|size| *size < settings.payments)
        .collect();
    sizes.push(settings.payments);
    let mut columns = Vec::new();
    for payments in sizes {
        columns.push(column(stage, payments)?);
        table::say(&format!("{payments} payments are done."))?;
    }
    table::money(&columns)
}

fn column(stage: &Stage, payments: u64) -> Result<Column, Fault> {
    let percentage = accrual::compare(stage, "percentage", payments, accrual::PERCENTAGE)?;
    let open = 2_000 + payments / 20;
    let (tiered, books) = accrual::measure(stage, "tiered", (payments, open), accrual::TIERED)?;
    accrual::clear_statement(stage)?;
    stage.run(SERVICE, HASHED)?;
    let steps = vec![
        Step {
            name: "accrual by percentage, of one SQL",
            took: percentage.service,
            of: Some(percentage.statement),
        },
        Step {
            name: "accrual by tiers, of one SQL",
            took: tiered.service,
            of: Some(tiered.statement),
        },
    ];
    // As it would have been done by itself by the time of a run.
    stage.run(SERVICE, "VACUUM ANALYZE")?;
    let column = paid(stage, payments, steps, &books)?;
    accrual::clear(stage)?;
    Ok(column)
}

/// The steps of the service.
fn paid(stage: &Stage, payments: u64, mut steps: Vec<Step>, books: &Books) -> Result<Column, Fault> {
    let service = Service::start(&stage.url(SERVICE))?;
    let numbered = Instant::now();
    until_quiet(stage)?;
    steps.push(step("events numbered", numbered));
    let at_start = service.memory()?;
    let mut callers = Callers::of(&service, books)?;
    let incoming = Incoming::of(stage, &service, books)?;
    let alone = incoming.during(0, || {
        thread::sleep(ALONE);
        Ok(())
    })?;
    let taken = alone.0.count;
    let (meanwhile, run) = incoming.during(taken, || callers.draft_and_approve(&mut steps))?;
    callers.pay(&run, &mut steps)?;
    callers.state(&mut steps)?;
    let at_end = service.memory()?;
    drop(service);
    let started = Instant::now();
    let findings = ledger_check::all(&stage.door(SERVICE), SystemClock.now())?;
    steps.push(step("ledger check", started));
    if let Some(fault) = findings.iter().flat_map(|finding| &finding.faults).next() {
        return Err(format!("the books do not agree: {fault}").into());
    }
    Ok(Column {
        payments,
        steps,
        alone: alone.0,
        meanwhile,
        at_start,
        at_end,
    })
}

fn step(name: &'static str, started: Instant) -> Step {
    Step {
        name,
        took: started.elapsed(),
        of: None,
    }
}

/// Waits until the worker has numbered every event, so that it does not do so beside what is measured.
fn until_quiet(stage: &Stage) -> Result<(), Fault> {
    let left = "SELECT count(*)::text AS value FROM (SELECT FROM events WHERE sequence IS NULL LIMIT 1) e";
    while stage.texts(SERVICE, left)? != ["0"] {
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Somebody with a key and a kept connection.
struct Caller {
    address: SocketAddr,
    connection: Connection,
    used: Instant,
    key: String,
    sent: u64,
}

impl Caller {
    fn of(address: SocketAddr, key: &str) -> Result<Self, Fault> {
        Ok(Self {
            address,
            connection: Connection::open(address)?,
            used: Instant::now(),
            key: key.to_owned(),
            sent: 0,
        })
    }

    /// Sends a request; by a new connection when the one before was not used for so long that the service closes it.
    fn send(&mut self, request: &str) -> Result<(u16, String), Fault> {
        if self.used.elapsed() > IDLE {
            self.connection = Connection::open(self.address)?;
        }
        let status = self.connection.ask(request.as_bytes())?;
        self.used = Instant::now();
        Ok((status, self.connection.body()))
    }

    /// Sends a request under an Idempotency-Key of its own and reads the answer, which must be no problem.
    fn ask(&mut self, method: &str, path: &str, seen: Option<&str>, body: &Value) -> Result<Value, Fault> {
        self.sent += 1;
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let seen = seen.map(|version| format!("If-Match: {version}\r\n"));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\nIdempotency-Key: bench-{}\r\n{}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.key,
            self.sent,
            seen.unwrap_or_default(),
            body.len()
        );
        let (status, answer) = self.send(&request)?;
        if status >= 400 {
            return Err(format!("{method} {path}: {status} {answer}").into());
        }
        Ok(serde_json::from_str(&answer)?)
    }

    fn post(&mut self, path: &str, body: &Value) -> Result<Value, Fault> {
        self.ask("POST", path, None, body)
    }

    fn get(&mut self, path: &str) -> Result<Value, Fault> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n",
            self.key
        );
        let (status, answer) = self.send(&request)?;
        if status != 200 {
            return Err(format!("GET {path}: {status} {answer}").into());
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

/// Who it takes to pay.
struct Callers {
    admin: Caller,
    operations: Caller,
    finance: Caller,
}

impl Callers {
    fn of(service: &Service, books: &Books) -> Result<Self, Fault> {
        let mut admin = Caller::of(service.address(), &books.key)?;
        let mut another = |permissions: &[&str]| -> Result<Caller, Fault> {
            let body = json!({ "name": "Bench", "permissions": permissions });
            let key = admin.post("/v1/api-keys", &body)?;
            Caller::of(service.address(), text(&key, "secret")?)
        };
        let operations = another(&["payout_runs:read", "payout_runs:write"])?;
        let finance = another(&[
            "payout_runs:read",
            "payout_runs:approve",
            "payout_runs:process",
            "payouts:confirm",
        ])?;
        Ok(Self {
            admin,
            operations,
            finance,
        })
    }

    /// A run over all partners; its path.
    fn draft_and_approve(&mut self, steps: &mut Vec<Step>) -> Result<String, Fault> {
        let started = Instant::now();
        let body = json!({ "cut_off_at": CUT_OFF, "rail": "manual" });
        let run = self.operations.post("/v1/payout-runs", &body)?;
        steps.push(step("run: draft", started));
        let version = self.operations.connection.header("etag").ok_or("no version")?;
        let path = format!("/v1/payout-runs/{}", text(&run, "id")?);
        let started = Instant::now();
        self.finance
            .ask("POST", &format!("{path}/approve"), Some(&version), &Value::Null)?;
        steps.push(step("run: approve", started));
        Ok(path)
    }

    fn pay(&mut self, run: &str, steps: &mut Vec<Step>) -> Result<(), Fault> {
        let started = Instant::now();
        self.finance.post(&format!("{run}/process"), &Value::Null)?;
        steps.push(step("run: process", started));
        let started = Instant::now();
        let done = self
            .finance
            .post(&format!("{run}/confirm"), &json!({ "paid_at": CUT_OFF }))?;
        steps.push(step("run: confirm", started));
        if done["status"] != "completed" || done["payout_count"] == 0 {
            return Err(format!("the run is not what it should be: {done}").into());
        }
        Ok(())
    }

    /// Ends the month, issues the statements of all partners and reads that of one.
    fn state(&mut self, steps: &mut Vec<Step>) -> Result<(), Fault> {
        let month = SystemClock.now().date_naive();
        let advance = json!({ "until_at": instant(day_after_month(month)?) });
        self.admin.post("/v1/organization/clock/advance", &advance)?;
        let started = Instant::now();
        let body = json!({ "month": month.format("%Y-%m").to_string() });
        self.admin.post("/v1/statements", &body)?;
        steps.push(step("statements of all partners", started));
        let page = self.admin.get("/v1/statements?limit=1")?;
        let path = format!("/v1/statements/{}", text(&page["data"][0], "id")?);
        let mut times = Vec::with_capacity(READINGS);
        for _ in 0..READINGS {
            let started = Instant::now();
            self.admin.get(&path)?;
            times.push(started.elapsed());
        }
        times.sort_unstable();
        steps.push(Step {
            name: "statement of one partner",
            took: times[READINGS / 2],
            of: None,
        });
        Ok(())
    }
}

/// A day after the end of the month, when its statements can be issued.
fn day_after_month(day: NaiveDate) -> Result<DateTime<Utc>, Fault> {
    let first = day
        .with_day(1)
        .and_then(|first| first.checked_add_months(Months::new(1)));
    let second = first.and_then(|first| first.succ_opt()).ok_or("no such month")?;
    Ok(second.and_hms_opt(0, 0, 0).ok_or("no such day")?.and_utc())
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn text<'v>(record: &'v Value, field: &str) -> Result<&'v str, Fault> {
    record[field]
        .as_str()
        .ok_or_else(|| format!("no {field} in {record}").into())
}

/// Invoices that are open, to be paid one after the other.
struct Incoming {
    address: SocketAddr,
    key: String,
    invoices: Vec<(InvoiceId, String)>,
}

impl Incoming {
    fn of(stage: &Stage, service: &Service, books: &Books) -> Result<Self, Fault> {
        let sql = "SELECT id || ' ' || trim_scale(total_amount) AS value FROM invoices WHERE status = 'open' ORDER BY id";
        let open = stage.texts(SERVICE, sql)?;
        let invoice = |row: &String| -> Result<(InvoiceId, String), Fault> {
            let (id, amount) = row.split_once(' ').ok_or("no amount")?;
            Ok((InvoiceId::from_uuid(id.parse::<Uuid>()?), amount.to_owned()))
        };
        Ok(Self {
            address: service.address(),
            key: books.key.clone(),
            invoices: open.iter().map(invoice).collect::<Result<_, _>>()?,
        })
    }

    /// Pays one invoice after the other, from this one on, while something else is done: how long that took them, and what
    /// came of the other.
    fn during<T>(&self, from: usize, work: impl FnOnce() -> Result<T, Fault>) -> Result<(Waited, T), Fault> {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let paying = scope.spawn(|| self.pay(from, &is_over));
            let done = work();
            is_over.store(true, Ordering::Release);
            let waited = paying.join().map_err(|_| "the payer panicked")??;
            Ok((waited, done?))
        })
    }

    fn pay(&self, from: usize, is_over: &AtomicBool) -> Result<Waited, Fault> {
        let mut caller = Caller::of(self.address, &self.key)?;
        // Keys of its own: the caller before had the same key of the organization.
        caller.sent = 1_000_000 + u64::try_from(from)?;
        let mut waited = Waited::default();
        for (invoice, amount) in self.invoices.iter().skip(from) {
            if is_over.load(Ordering::Acquire) {
                break;
            }
            let body = json!({
                "amount": { "amount": amount, "currency": "GBP" }, "paid_at": instant(SystemClock.now()),
            });
            let started = Instant::now();
            caller.post(&format!("/v1/invoices/{invoice}/payments"), &body)?;
            waited.longest = waited.longest.max(started.elapsed());
            waited.count += 1;
            thread::sleep(PACE);
        }
        Ok(waited)
    }
}
