//! The sizes of a run, from the environment.

use super::Fault;
use std::env;
use std::time::Duration;

/// The lines of the published G-Cloud sales data that a run stands in for.
pub const G_CLOUD_LINES: u64 = 13_492;

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long each contestant runs in each round.
    pub duration: Duration,
    /// How often each contestant runs; medians count.
    pub rounds: u64,
    /// Connections that load at once, over HTTP and by pgbench.
    pub clients: u64,
    /// Deals that are there at the start.
    pub deals: u64,
    /// Payments whose commissions are accrued.
    pub payments: u64,
    /// Accounts that a company is looked for among.
    pub accounts: u64,
    /// Registrations that are live at the start.
    pub registrations: u64,
    /// What is measured.
    pub part: Part,
}

/// What a run measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Deals and accrual.
    Foundation,
    /// What authentication and isolation cost.
    Doors,
    /// Prechecks, submissions, clicks and matches.
    Pipeline,
    /// Every step from a payment to a statement, at several sizes.
    Money,
}

impl Settings {
    /// The usual sizes, except where the environment says otherwise.
    pub fn from_environment() -> Result<Self, Fault> {
        Ok(Self {
            duration: Duration::from_secs(number("BENCH_SECONDS", 5)?),
            rounds: number("BENCH_ROUNDS", 3)?,
            clients: number("BENCH_CLIENTS", 8)?,
            deals: number("BENCH_DEALS", 100_000)?,
            payments: number("BENCH_PAYMENTS", 1_000_000)?,
            accounts: number("BENCH_ACCOUNTS", 1_000_000)?,
            registrations: number("BENCH_REGISTRATIONS", 200_000)?,
            part: match env::var("BENCH_PART").as_deref() {
                Err(_) => Part::Foundation,
                Ok("doors") => Part::Doors,
                Ok("pipeline") => Part::Pipeline,
                Ok("money") => Part::Money,
                Ok(other) => {
                    return Err(format!("BENCH_PART may be doors, pipeline or money, not {other:?}").into());
                }
            },
        })
    }

    /// The same in ten times as many rounds, each a fifth as long: how fast a machine is may change from second to second,
    /// and two that are compared within two seconds see the same of it.
    pub fn in_short_rounds(self) -> Self {
        Self {
            duration: self.duration / 5,
            rounds: self.rounds * 10,
            ..self
        }
    }

    /// The sizes in a sentence.
    pub fn described(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        format!(
            "{} rounds of {} s, {} clients, {} deals; {cores} cores shared with the load generator.",
            self.rounds,
            self.duration.as_secs(),
            self.clients,
            self.deals
        )
    }
}

fn number(name: &str, usual: u64) -> Result<u64, Fault> {
    let Ok(text) = env::var(name) else {
        return Ok(usual);
    };
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{name} must be a positive number, not {text:?}").into()),
    }
}
