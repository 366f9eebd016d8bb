//! The account that Postgres runs as: it refuses root, so that a root service runs it as another user.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Attempt, EmbeddedPostgresError};
use super::folder;
use super::programs::Programs;

/// Accounts that may serve, best first: Debian and most others, macOS, then the one every system has.
const ACCOUNT_NAMES: [&CStr; 3] = [c"postgres", c"_postgres", c"nobody"];

#[derive(Debug)]
struct Account {
    name: String,
    user_id: u32,
    group_id: u32,
}

/// Whom to run Postgres as: ourselves, or another account when we are root.
#[derive(Debug)]
pub(super) struct RunAs(Option<Account>);

impl RunAs {
    /// As root takes the owner of an existing cluster, else the first account that exists.
    pub(super) fn choose(cluster: &Path) -> Result<Self, EmbeddedPostgresError> {
        if !is_root() {
            return Ok(Self(None));
        }
        let known: Vec<Account> = ACCOUNT_NAMES.into_iter().filter_map(look_up).collect();
        let chosen = match fs::metadata(cluster) {
            Ok(metadata) if metadata.uid() != 0 => {
                let named = known
                    .into_iter()
                    .find(|account| account.user_id == metadata.uid());
                Some(named.unwrap_or_else(|| Account {
                    name: metadata.uid().to_string(),
                    user_id: metadata.uid(),
                    group_id: metadata.gid(),
                }))
            }
            _ => known.into_iter().next(),
        };
        chosen
            .map(|account| Self(Some(account)))
            .ok_or(EmbeddedPostgresError::NoAccount)
    }

    /// The name of the other account, `None` when Postgres runs as ourselves.
    pub(super) fn name(&self) -> Option<&str> {
        self.0.as_ref().map(|account| account.name.as_str())
    }

    /// A command that will run as the account, with nothing inherited that could change what Postgres does.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(account) = &self.0 {
            command.uid(account.user_id).gid(account.group_id);
        }
        for name in ["PGDATA", "PGPORT", "PGOPTIONS", "PGTZ", "LANG", "LANGUAGE"] {
            command.env_remove(name);
        }
        // The root folder is the one place that every account may enter.
        command.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        command
    }

    /// Gives the account a file or folder that we have made.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        match &self.0 {
            Some(account) => chown(path, Some(account.user_id), Some(account.group_id)),
            None => Ok(()),
        }
    }

    /// Makes sure that the account can run the programs and enter the folder, by doing both.
    pub(super) fn check_reach(
        &self,
        programs: &Programs,
        folder: &Path,
    ) -> Result<(), EmbeddedPostgresError> {
        let Some(account) = &self.0 else { return Ok(()) };
        if !self.may_enter(programs, Path::new("/"))? {
            return Err(EmbeddedPostgresError::ProgramsOutOfReach {
                programs: programs.folder().to_path_buf(),
                account: account.name.clone(),
            });
        }
        if self.may_enter(programs, folder)? {
            return Ok(());
        }
        Err(EmbeddedPostgresError::FolderOutOfReach {
            folder: folder.to_path_buf(),
            blocked_at: self.first_closed(programs, folder)?,
            account: account.name.clone(),
            example: folder::default_for_root(),
        })
    }

    /// The outermost folder on the way to this one that the account may not enter.
    fn first_closed(&self, programs: &Programs, folder: &Path) -> Result<PathBuf, EmbeddedPostgresError> {
        let way: Vec<&Path> = folder.ancestors().collect();
        for step in way.into_iter().rev() {
            if !self.may_enter(programs, step)? {
                return Ok(step.to_path_buf());
            }
        }
        Ok(folder.to_path_buf())
    }

    fn may_enter(&self, programs: &Programs, folder: &Path) -> Result<bool, EmbeddedPostgresError> {
        match self
            .command(&programs.postgres())
            .arg("--version")
            .current_dir(folder)
            .output()
        {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.kind() == io::ErrorKind::PermissionDenied => Ok(false),
            Err(source) => Err(source).attempting(|| format!("run {}", programs.postgres().display())),
        }
    }
}

/// Whether this process acts as root.
#[expect(unsafe_code, reason = "the effective user is only known to libc")]
pub(super) fn is_root() -> bool {
    // SAFETY: geteuid takes no argument and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

#[expect(unsafe_code, reason = "the account database is only reachable through libc")]
fn look_up(name: &CStr) -> Option<Account> {
    let mut text = vec![0; 16 * 1024];
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut found = std::ptr::null_mut();
    // SAFETY: every pointer is valid for the call, and the length is that of the buffer.
    let status = unsafe {
        libc::getpwnam_r(
            name.as_ptr(),
            entry.as_mut_ptr(),
            text.as_mut_ptr(),
            text.len(),
            &raw mut found,
        )
    };
    if status != 0 || found.is_null() {
        return None;
    }
    // SAFETY: a result that is not null says that the entry was filled in.
    let entry = unsafe { entry.assume_init() };
    Some(Account {
        name: name.to_string_lossy().into_owned(),
        user_id: entry.pw_uid,
        group_id: entry.pw_gid,
    })
}
