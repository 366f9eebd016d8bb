//! The service against bare Postgres, on one machine in one go: `cargo bench --bench service`.
//!
//! Starts a private durable Postgres in a temporary folder, the service as a process of its own, and loads both by
//! turns: the service over HTTP, Postgres by `pgbench` with as many connections. Then it compares the accrual of
//! commissions with one SQL statement that does the same work. Prints tables and asserts no timing.
//!
//! With `BENCH_PART=doors` it tells instead what authentication and isolation cost: it builds the service once more, with
//! the feature `bench-open-doors`, and loads both by turns. With `BENCH_PART=pipeline` it loads prechecks, submissions and
//! clicks, among a million accounts and two hundred thousand live registrations, and tells how long a match takes. With
//! `BENCH_PART=money` it goes every step from a payment to a statement with 10,000, 100,000 and 1,000,000 payments.
//!
//! `BENCH_SECONDS` (per round), `BENCH_ROUNDS`, `BENCH_CLIENTS`, `BENCH_DEALS`, `BENCH_PAYMENTS`, `BENCH_ACCOUNTS` and
//! `BENCH_REGISTRATIONS` change the sizes.

mod accrual;
mod deals;
mod doors;
mod load;
mod money;
mod operations;
mod pgbench;
mod pipeline;
mod process;
mod settings;
mod stage;
mod table;

use load::Measured;
use operations::Operation;
use process::Service;
use settings::{Part, Settings};
use stage::Stage;
use table::{Outcome, Rounds};

/// Whatever stops the benchmark.
type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    let settings = Settings::from_environment()?;
    let stage = Stage::start(settings.clients)?;
    table::say(&settings.described())?;
    match settings.part {
        Part::Foundation => foundation(&stage, &settings),
        Part::Doors => doors::compare(&stage, &settings),
        Part::Pipeline => pipeline::compare(&stage, &settings),
        Part::Money => money::measure(&stage, &settings),
    }
}

fn foundation(stage: &Stage, settings: &Settings) -> Result<(), Fault> {
    let (outcomes, alone, memory) = over_http(stage, settings)?;
    table::operations(&outcomes)?;
    table::bounds(&outcomes, &alone)?;
    table::say(&memory)?;
    let accruals = [
        accrual::compare(stage, "G-Cloud", settings::G_CLOUD_LINES, accrual::PERCENTAGE)?,
        accrual::compare(stage, "generated", settings.payments, accrual::PERCENTAGE)?,
        accrual::compare(stage, "generated, tiered", settings.payments, accrual::TIERED)?,
    ];
    table::accruals(&accruals)
}

/// The three operations, round by round; an answer without the database; the resident memory of the service.
fn over_http(stage: &Stage, settings: &Settings) -> Result<(Vec<Outcome>, Measured, String), Fault> {
    let tenant = deals::load(stage, settings.deals)?;
    let service = Service::start(&stage.url(deals::DATABASE))?;
    let operations = operations::all(stage, &service, &tenant)?;
    let outcomes = outcomes(stage, settings, &service, &operations)?;
    let alone = load::run(service.address(), &operations::health(), settings)?;
    let memory = service.memory()?.to_string();
    Ok((outcomes, alone, memory))
}

/// All rounds of these operations.
fn outcomes(
    stage: &Stage,
    settings: &Settings,
    service: &Service,
    operations: &[Operation],
) -> Result<Vec<Outcome>, Fault> {
    let mut outcomes = Vec::new();
    for operation in operations {
        let mut rounds = Rounds::default();
        for _ in 0..settings.rounds {
            round(stage, settings, service, operation, &mut rounds)?;
        }
        outcomes.push(rounds.outcome(operation)?);
    }
    Ok(outcomes)
}

/// One turn of each contestant. Every answer of the service was checked; what it created is counted.
fn round(
    stage: &Stage,
    settings: &Settings,
    service: &Service,
    operation: &Operation,
    rounds: &mut Rounds,
) -> Result<(), Fault> {
    let (table, each) = operation.makes.unwrap_or(("deals", 0));
    let before = stage.count(deals::DATABASE, table)?;
    let measured = load::run(service.address(), &operation.requests, settings)?;
    let made = stage.count(deals::DATABASE, table)? - before;
    if made != measured.count * each {
        return Err(format!(
            "{}: {} requests made {made} {table}",
            operation.name, measured.count
        )
        .into());
    }
    rounds.service.push(measured);
    rounds.bare.push(pgbench::run(stage, settings, &operation.bare)?);
    rounds.same.push(pgbench::run(stage, settings, &operation.same)?);
    Ok(())
}
