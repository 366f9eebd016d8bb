//! Accrual of commissions by the service's own code against one SQL statement on a copy of the same database.

use super::Fault;
use super::stage::Stage;
use copartner::app::bootstrap;
use copartner::flows::accrual;
use copartner::kernel::ctx::Ctx;
use copartner::kernel::id::{OrganizationId, PaymentId};
use copartner::platform::clock::{Clock, SystemClock};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Payments in one transaction, as the importer takes them.
const BATCH: usize = 5_000;
const SERVICE: &str = "accrual_by_service";
const STATEMENT: &str = "accrual_by_statement";

/// What both came to.
#[derive(Debug)]
pub struct Accrued {
    /// Which payments they were.
    pub name: &'static str,
    /// How many lines each wrote.
    pub lines: u64,
    /// Lines a second of the service.
    pub service_per_second: u64,
    /// Lines a second of the statement.
    pub sql_per_second: u64,
}

/// Accrues this many payments twice and checks that both wrote the same.
pub fn compare(stage: &Stage, name: &'static str, payments: u64) -> Result<Accrued, Fault> {
    let organization_id = load(stage, payments)?;
    let by_service = by_service(stage, organization_id)?;
    let explanation = stage.texts(
        SERVICE,
        "SELECT explanation::text AS value FROM commissions LIMIT 1",
    )?;
    let explanation = explanation.first().ok_or("nothing was earned")?;
    let statement = include_str!("accrual.sql")
        .replace("{organization}", &organization_id.uuid().to_string())
        .replace("{explanation}", explanation);
    stage.run(STATEMENT, "CHECKPOINT")?;
    let started = Instant::now();
    stage.run(STATEMENT, &statement)?;
    let by_statement = started.elapsed();
    let (one, other) = (written(stage, SERVICE)?, written(stage, STATEMENT)?);
    if one != other {
        return Err(format!("{name}: the service wrote {one:?} and the statement {other:?}").into());
    }
    let (one, other) = (
        mean_explanation(stage, SERVICE)?,
        mean_explanation(stage, STATEMENT)?,
    );
    if !is_about(one, other) {
        return Err(
            format!("{name}: explanations have {one} characters, those of the statement {other}").into(),
        );
    }
    let lines = stage.count(SERVICE, "commissions")?;
    for database in [SERVICE, STATEMENT] {
        stage.run("postgres", &format!("DROP DATABASE {database} WITH (FORCE)"))?;
    }
    Ok(Accrued {
        name,
        lines,
        service_per_second: rate(lines, by_service),
        sql_per_second: rate(lines, by_statement),
    })
}

/// Two databases with the same payments.
fn load(stage: &Stage, payments: u64) -> Result<OrganizationId, Fault> {
    stage.migrated(SERVICE)?;
    let founded = bootstrap::organization(
        &stage.door(SERVICE),
        "Bench",
        bootstrap::OrganizationMode::Live,
        SystemClock.now(),
    )?;
    let sql = include_str!("payments.sql")
        .replace("{organization}", &founded.organization_id.uuid().to_string())
        .replace("{payments}", &payments.to_string());
    stage.run(SERVICE, &sql)?;
    stage.run(SERVICE, "VACUUM ANALYZE")?;
    stage.run("postgres", &disconnected(SERVICE))?;
    stage.run(
        "postgres",
        &format!("CREATE DATABASE {STATEMENT} TEMPLATE {SERVICE}"),
    )?;
    stage.run(SERVICE, "CHECKPOINT")?;
    Ok(founded.organization_id)
}

/// A database can be copied only while nobody is connected to it.
fn disconnected(database: &str) -> String {
    format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'")
}

fn by_service(stage: &Stage, organization_id: OrganizationId) -> Result<Duration, Fault> {
    let door = stage.door(SERVICE);
    let payments: Vec<PaymentId> = stage
        .texts(
            SERVICE,
            "SELECT id::text AS value FROM payments ORDER BY paid_at, id",
        )?
        .iter()
        .map(|text| Ok(PaymentId::from_uuid(text.parse::<Uuid>()?)))
        .collect::<Result<_, Fault>>()?;
    let started = Instant::now();
    for batch in payments.chunks(BATCH) {
        let ctx = Ctx::system(organization_id, SystemClock.now());
        door.write_now(&ctx, |tx| accrual::of_payments(tx, &ctx, batch))?;
    }
    Ok(started.elapsed())
}

/// Counts and sums of everything that accrual writes.
fn written(stage: &Stage, database: &str) -> Result<Vec<String>, Fault> {
    stage.texts(
        database,
        "SELECT 'lines ' || count(*) || ' ' || sum(amount) AS value FROM commissions \
         UNION ALL SELECT 'entries ' || count(*) || ' ' || sum(amount) FROM ledger_entries \
         UNION ALL SELECT 'events ' || count(*) FROM events WHERE type = 'commission.accrued' \
         ORDER BY 1",
    )
}

/// The mean length of an explanation, in characters. The statement writes one line's explanation for all lines, so that
/// the lengths differ by as much as the figures in them do.
fn mean_explanation(stage: &Stage, database: &str) -> Result<u64, Fault> {
    let sql = "SELECT avg(length(explanation::text))::bigint::text AS value FROM commissions";
    let found = stage.texts(database, sql)?;
    Ok(found.first().ok_or("nothing was earned")?.parse()?)
}

/// Whether two lengths differ by no more than a fiftieth.
fn is_about(one: u64, other: u64) -> bool {
    one.abs_diff(other) * 50 <= one.max(other)
}

fn rate(lines: u64, elapsed: Duration) -> u64 {
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    lines * 1000 / milliseconds.max(1)
}
