//! What authentication and isolation cost: the service against a build of it that lets everybody in and bypasses the
//! policies, over the same database, by turns.

use super::Fault;
use super::deals::{self, Tenant};
use super::load::{self, Connection, Measured};
use super::operations;
use super::process::Service;
use super::settings::Settings;
use super::stage::Stage;
use super::table;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most that both together may cost, in percent of throughput.
const MOST: i64 = 15;

/// Builds the other binary, beside the usual one and never in its place.
fn build() -> Result<PathBuf, Fault> {
    let usual = Path::new(env!("CARGO_BIN_EXE_copartner"));
    let target = usual.parent().and_then(Path::parent).ok_or("no target folder")?;
    let target = target.join("open-doors");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "build",
            "--release",
            "--bin",
            "copartner",
            "--features",
            "bench-open-doors",
        ])
        .arg("--manifest-path")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("COPARTNER_BENCH", "1")
        .status()?;
    if !built.success() {
        return Err("the build with open doors failed".into());
    }
    Ok(target.join("release").join("copartner"))
}

/// Compares both builds, reading.
pub fn compare(stage: &Stage, settings: &Settings) -> Result<(), Fault> {
    let open = build()?;
    let settings = &settings.in_short_rounds();
    let tenant = deals::load(stage, settings.deals)?;
    let url = stage.url(deals::DATABASE);
    let guarded = Service::start(&url)?;
    let open = Service::of(&open, &url)?;
    are_different(&guarded, &open, &tenant)?;
    table::doors_head()?;
    for operation in operations::all(stage, &guarded, &tenant)? {
        if operation.makes.is_some() {
            continue;
        }
        let mut rounds = Vec::new();
        for round in 0..settings.rounds {
            let run = |service: &Service| load::run(service.address(), &operation.requests, settings);
            // Whoever goes first has the cooler machine.
            let pair = if round % 2 == 0 {
                let first = run(&guarded)?;
                Pair {
                    guarded: first,
                    open: run(&open)?,
                }
            } else {
                let first = run(&open)?;
                Pair {
                    open: first,
                    guarded: run(&guarded)?,
                }
            };
            rounds.push(pair);
        }
        table::doors(operation.name, &rounds)?;
    }
    table::say(&format!(
        "With: as it is. Without: any token stands for one credential, no role, no scope, no policies. Both may cost \
         {MOST}% together; the cost is the median of {} rounds, each of which ran both for {} ms; half of them lie in the middle half.",
        settings.rounds,
        settings.duration.as_millis()
    ))
}

/// Once somebody is known, a stranger is refused by the one and let in by the other, or else nothing is compared.
fn are_different(guarded: &Service, open: &Service, tenant: &Tenant) -> Result<(), Fault> {
    let ask = |service: &Service, token: &str| -> Result<u16, Fault> {
        let request = format!(
            "GET /v1/deals?limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        Connection::open(service.address())?.ask(request.as_bytes())
    };
    for (service, expected) in [(guarded, 401), (open, 200)] {
        let known = ask(service, &tenant.key)?;
        let stranger = ask(service, "cpk_nobody")?;
        if (known, stranger) != (200, expected) {
            return Err(format!("{known} for who is known and {stranger} for a stranger").into());
        }
    }
    Ok(())
}

/// Both builds in one round.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// With authentication and isolation.
    pub guarded: Measured,
    /// Without.
    pub open: Measured,
}

impl Pair {
    /// What both cost, in tenths of a percent of the throughput without; negative where chance was stronger.
    pub fn cost(&self) -> i64 {
        let rate = |measured: Measured| i64::try_from(measured.per_second).unwrap_or(i64::MAX);
        let (with, without) = (rate(self.guarded), rate(self.open).max(1));
        (without - with) * 1000 / without
    }
}
