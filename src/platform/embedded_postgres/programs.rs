//! Finds the installed Postgres programs, or tells how to install them.

use std::env;
use std::fs;
use std::path::{self, Path, PathBuf};
use std::process::Command;

use super::account;
use super::error::EmbeddedPostgresError;

/// Folders whose subfolders hold one version of Postgres each: where, how the names begin, where the programs are.
const VERSIONED_PLACES: [(&str, &str, &str); 7] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// A folder that holds `postgres` and `initdb` of one version.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    major_version: u32,
}

impl Programs {
    /// Takes the named folder, or else the first that suits: `pg_config`, `PATH`, the usual places, newest first.
    ///
    /// A cluster can only be opened by the major version that created it, so that `cluster_version` decides
    /// when several versions are installed.
    pub(super) fn find(
        named: Option<&Path>,
        cluster_version: Option<u32>,
        data_folder: &Path,
    ) -> Result<Self, EmbeddedPostgresError> {
        let installed: Vec<Self> = match named {
            Some(folder) => Self::at(folder).into_iter().collect(),
            None => candidates()
                .iter()
                .filter_map(|folder| Self::at(folder))
                .collect(),
        };
        let any_installed = !installed.is_empty();
        let suitable = installed
            .into_iter()
            .find(|found| cluster_version.is_none_or(|version| version == found.major_version));
        match (suitable, cluster_version, named) {
            (Some(programs), _, _) => Ok(programs),
            (None, Some(cluster), _) if any_installed => Err(EmbeddedPostgresError::VersionNotInstalled {
                folder: data_folder.to_path_buf(),
                cluster,
            }),
            (None, _, Some(folder)) => Err(EmbeddedPostgresError::NotAProgramsFolder {
                folder: folder.to_path_buf(),
                advice: installation_advice(),
            }),
            (None, _, None) => Err(EmbeddedPostgresError::ProgramsNotFound {
                advice: installation_advice(),
            }),
        }
    }

    fn at(folder: &Path) -> Option<Self> {
        // The programs are started from another folder, where a relative path would lead elsewhere.
        let folder = path::absolute(folder).ok()?;
        let postgres = folder.join("postgres");
        if !postgres.is_file() || !folder.join("initdb").is_file() {
            return None;
        }
        let answer = Command::new(&postgres).arg("--version").output().ok()?;
        let major_version = major_version(&String::from_utf8_lossy(&answer.stdout))?;
        Some(Self {
            folder: folder.to_path_buf(),
            major_version,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn major_version(&self) -> u32 {
        self.major_version
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(answer) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim()));
    }
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    for (place, prefix, programs) in VERSIONED_PLACES {
        folders.extend(
            versions_in(Path::new(place), prefix)
                .into_iter()
                .map(|version| version.join(programs)),
        );
    }
    // An empty entry of PATH means the current folder, which is not a place to run programs from.
    folders.retain(|folder| folder.is_absolute());
    folders
}

/// Subfolders whose name begins with the prefix, newest version first.
fn versions_in(place: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(place)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.starts_with(prefix)
                .then(|| (first_number(&name).unwrap_or(0), entry.path()))
        })
        .collect();
    versions.sort_by(|left, right| right.cmp(left));
    versions.into_iter().map(|(_, path)| path).collect()
}

/// The major version in the answer to `postgres --version` or in a file `PG_VERSION`.
pub(super) fn major_version(text: &str) -> Option<u32> {
    first_number(text)
}

fn first_number(text: &str) -> Option<u32> {
    let start = text.find(|letter: char| letter.is_ascii_digit())?;
    let digits = text[start..]
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?;
    digits.parse().ok()
}

/// How to install Postgres on this system, as a sentence without its full stop.
fn installation_advice() -> String {
    let description = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    advice_for(&description, cfg!(target_os = "macos"), account::is_root())
}

/// The advice for a system that describes itself like this in `/etc/os-release`.
fn advice_for(os_release: &str, macos: bool, root: bool) -> String {
    if macos {
        return "Install PostgreSQL with `brew install postgresql@17`".to_owned();
    }
    let command = system_names(os_release)
        .iter()
        .find_map(|name| match name.as_str() {
            "debian" | "ubuntu" => Some("apt-get install postgresql"),
            "fedora" | "rhel" | "centos" | "rocky" | "almalinux" | "ol" | "amzn" => {
                Some("dnf install postgresql-server postgresql-contrib")
            }
            "alpine" => Some("apk add postgresql"),
            "arch" => Some("pacman -S postgresql"),
            "suse" | "opensuse" => Some("zypper install postgresql-server"),
            _ => None,
        });
    match command {
        Some(command) if root => format!("Install PostgreSQL with `{command}`"),
        Some(command) => format!("Install PostgreSQL with `sudo {command}`"),
        None => "Install the PostgreSQL server with the package manager of this system".to_owned(),
    }
}

/// The system's own name and then the names of those it is like.
fn system_names(os_release: &str) -> Vec<String> {
    ["ID=", "ID_LIKE="]
        .iter()
        .filter_map(|key| os_release.lines().find_map(|line| line.trim().strip_prefix(key)))
        .flat_map(|value| value.trim_matches(['"', '\'']).split_whitespace())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_the_command_of_the_system() {
        let advice = |os_release| advice_for(os_release, false, true);
        let cases = [
            ("NAME=Debian\nID=debian\n", "apt-get install postgresql"),
            (
                "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
                "apt-get install postgresql",
            ),
            ("ID=fedora\n", "dnf install postgresql-server postgresql-contrib"),
            (
                "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
                "dnf install postgresql-server postgresql-contrib",
            ),
            ("ID=alpine\n", "apk add postgresql"),
            ("ID=manjaro\nID_LIKE=arch\n", "pacman -S postgresql"),
        ];
        for (os_release, command) in cases {
            assert_eq!(advice(os_release), format!("Install PostgreSQL with `{command}`"));
        }
        assert!(advice("ID=unheard-of\n").contains("package manager"));
        assert!(advice_for("ID=debian\n", false, false).contains("`sudo apt-get install postgresql`"));
        assert!(advice_for("", true, false).contains("`brew install postgresql@17`"));
        let error = EmbeddedPostgresError::ProgramsNotFound {
            advice: advice("ID=alpine\n"),
        };
        assert!(error.to_string().contains("apk add postgresql"));
        assert!(error.to_string().contains("DATABASE_URL"));
    }

    #[test]
    fn versions_are_read_from_what_postgres_says() {
        assert_eq!(
            major_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_version("17\n"), Some(17));
        assert_eq!(major_version("something else"), None);
    }
}
