//! The file `postmaster.pid`, in which Postgres says who serves the cluster and how far it has come.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{Attempt, EmbeddedPostgresError};

/// Counted from zero, the line that holds the state of the server.
const STATE_LINE: usize = 7;

/// What a `postmaster.pid` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    text: String,
}

impl PidFile {
    fn path(cluster: &Path) -> PathBuf {
        cluster.join("postmaster.pid")
    }

    /// Reads the file; `None` when there is none, which means that nobody serves the cluster.
    pub(super) fn read(cluster: &Path) -> Result<Option<Self>, EmbeddedPostgresError> {
        let path = Self::path(cluster);
        match fs::read(&path) {
            // The file names folders too, whose names need not be valid text.
            Ok(bytes) => Ok(Some(Self {
                text: String::from_utf8_lossy(&bytes).into_owned(),
            })),
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(source).attempting(|| format!("read {}", path.display())),
        }
    }

    pub(super) fn remove(cluster: &Path) -> Result<(), EmbeddedPostgresError> {
        let path = Self::path(cluster);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(source).attempting(|| format!("remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn process_id(&self) -> Option<u32> {
        self.text.lines().next()?.trim().parse().ok()
    }

    /// Whether the server of this process id accepts connections.
    pub(super) fn says_ready(&self, process_id: u32) -> bool {
        let state = self.text.lines().nth(STATE_LINE).map(str::trim);
        self.process_id() == Some(process_id) && state == Some("ready")
    }
}

/// What is known about a process id.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Process {
    /// No such process, or one that has ended.
    Gone,
    /// The Postgres that serves this cluster.
    ServesCluster,
    /// Another program, which got the number after our Postgres had ended.
    Stranger,
}

/// Looks at a process by its command line, which every user may read, unlike its folder or its program file.
pub(super) fn identify(process_id: u32, cluster: &Path) -> Process {
    let command_line = command_line(process_id);
    if command_line
        .iter()
        .all(|byte| byte.is_ascii_whitespace() || *byte == 0)
    {
        return Process::Gone;
    }
    if serves(&command_line, cluster.as_os_str().as_encoded_bytes()) {
        Process::ServesCluster
    } else {
        Process::Stranger
    }
}

/// Whether this is the command line of a Postgres on exactly this folder; the arguments end in zeros or spaces.
fn serves(command_line: &[u8], cluster: &[u8]) -> bool {
    let ends_argument = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == 0 || byte.is_ascii_whitespace());
    let program_end = command_line.iter().position(|byte| ends_argument(Some(byte)));
    let program = &command_line[..program_end.unwrap_or(command_line.len())];
    let names_cluster = command_line
        .windows(cluster.len())
        .enumerate()
        .any(|(start, part)| part == cluster && ends_argument(command_line.get(start + cluster.len())));
    names_cluster && (program.ends_with(b"postgres") || program.ends_with(b"postmaster"))
}

#[cfg(target_os = "linux")]
fn command_line(process_id: u32) -> Vec<u8> {
    fs::read(format!("/proc/{process_id}/cmdline")).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn command_line(process_id: u32) -> Vec<u8> {
    std::process::Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &process_id.to_string()])
        .output()
        .map(|answer| answer.stdout)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_postgres_on_exactly_this_folder_counts_as_ours() {
        let served = |command_line: &[u8]| serves(command_line, b"/srv/data");
        assert!(served(b"/usr/bin/postgres\0-D\0/srv/data\0-p\x005432\0"));
        assert!(served(b"/usr/bin/postgres -D /srv/data"));
        assert!(!served(b"/usr/bin/postgres\0-D\0/srv/data.unfinished\0"));
        assert!(!served(b"/usr/bin/postgres\0-D\0/srv/other\0"));
        assert!(!served(b"/usr/bin/less\0/srv/data\0"));
    }
}
