//! The service as a process of its own.

use super::Fault;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running service; dropping it ends it.
#[derive(Debug)]
pub struct Service {
    child: Child,
    address: SocketAddr,
}

impl Service {
    /// Starts the service over a database and returns when it serves.
    pub fn start(database_url: &str) -> Result<Self, Fault> {
        Self::of(Path::new(env!("CARGO_BIN_EXE_copartner")), database_url)
    }

    /// Starts another build of the service.
    pub fn of(program: &Path, database_url: &str) -> Result<Self, Fault> {
        let mut child = Command::new(program)
            .env("DATABASE_URL", database_url)
            .env("COPARTNER_LISTEN", "127.0.0.1:0")
            .env("COPARTNER_RATE_LIMIT_PER_MINUTE", "1000000000")
            .env("COPARTNER_LOG", "warn")
            .stderr(Stdio::piped())
            .spawn()?;
        let output = child.stderr.take().ok_or("the service has no output")?;
        let mut lines = BufReader::new(output).lines();
        let mut heard = Vec::new();
        let address = loop {
            let line = lines.next().ok_or_else(|| heard.join("\n"))??;
            if let Some((_, rest)) = line.split_once("serving on http://") {
                let address = rest.split(' ').next().unwrap_or_default();
                break address.parse()?;
            }
            heard.push(line);
        };
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Whoever reads the table wants to see what the service complains about.
                let _ = writeln!(std::io::stderr(), "{line}");
            }
        });
        Ok(Self { child, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its resident memory; Linux only.
    pub fn memory(&self) -> Result<Memory, Fault> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let mebibytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next());
            number.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) / 1024
        };
        Ok(Memory {
            now: mebibytes("VmRSS:"),
            peak: mebibytes("VmHWM:"),
        })
    }
}

/// Resident memory, in mebibytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// At the moment.
    pub now: u64,
    /// The most that it ever was.
    pub peak: u64,
}

impl fmt::Display for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Resident memory of the service: {} MiB now, {} MiB at the peak (aim: under 100).",
            self.now, self.peak
        )
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It keeps nothing that could be lost; an error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
