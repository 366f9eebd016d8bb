//! Load by `pgbench`, with prepared statements and as many connections as over HTTP.

use super::Fault;
use super::deals::DATABASE;
use super::load::Measured;
use super::settings::Settings;
use super::stage::Stage;
use std::fs;
use std::process::Command;

/// The share of transactions whose times are kept: enough for percentiles, too few to slow anything down.
const SAMPLED: &str = "0.2";

/// What pgbench runs.
#[derive(Debug)]
pub struct Contest {
    /// The role that it connects as.
    pub role: &'static str,
    /// The session's settings, as `PGOPTIONS` takes them.
    pub session: String,
    /// Scripts, taken at random.
    pub scripts: Vec<String>,
    /// Values of the scripts' variables.
    pub values: Vec<(&'static str, String)>,
}

/// Runs one round.
pub fn run(stage: &Stage, settings: &Settings, contest: &Contest) -> Result<Measured, Fault> {
    let (scripts, times) = (stage.folder().join("scripts"), stage.folder().join("times"));
    for folder in [&scripts, &times] {
        fs::remove_dir_all(folder).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        fs::create_dir(folder)?;
    }
    let mut command = Command::new(stage.program("pgbench"));
    command
        .args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "--log",
            "--sampling-rate",
            SAMPLED,
        ])
        .args(["-c", &settings.clients.to_string()])
        .args(["-T", &settings.duration.as_secs().to_string()])
        .arg("--log-prefix")
        .arg(times.join("t"))
        .env("PGOPTIONS", &contest.session);
    for (number, script) in contest.scripts.iter().enumerate() {
        let path = scripts.join(format!("{number}.sql"));
        fs::write(&path, script)?;
        command.arg("-f").arg(path);
    }
    for (name, value) in &contest.values {
        command.arg("-D").arg(format!("{name}={value}"));
    }
    let output = command.arg(stage.role_url(contest.role, DATABASE)).output()?;
    let report = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("pgbench: {complaint}{report}").into());
    }
    let per_second = figure(&report, "tps = ")?;
    let count = figure(&report, "number of transactions actually processed: ")?;
    Measured::of(sampled(&times)?, count, per_second)
}

/// The whole number that follows these words.
fn figure(report: &str, words: &str) -> Result<u64, Fault> {
    let rest = report.split(words).nth(1).ok_or_else(|| report.to_owned())?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}

/// The times of the sampled transactions, in microseconds: the third column of every log.
fn sampled(folder: &std::path::Path) -> Result<Vec<u64>, Fault> {
    let mut times = Vec::new();
    for entry in fs::read_dir(folder)? {
        for line in fs::read_to_string(entry?.path())?.lines() {
            let time = line.split(' ').nth(2).ok_or("a log line without a time")?;
            times.push(time.parse()?);
        }
    }
    Ok(times)
}
