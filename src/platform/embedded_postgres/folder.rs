//! The data folder of the service: what lies where, and the lock that keeps a second service out.

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::account::{self, RunAs};
use super::error::{Attempt, EmbeddedPostgresError};

/// The name of the socket file, which Postgres derives from its port.
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// macOS has the shortest socket paths: 104 bytes with the final zero.
const SOCKET_PATH_LIMIT: usize = 103;

/// The places inside the data folder.
#[derive(Debug)]
pub(super) struct Layout {
    /// The data folder itself, absolute and without symbolic links.
    pub(super) root: PathBuf,
    /// The cluster, as `initdb` makes it.
    pub(super) cluster: PathBuf,
    /// Where `initdb` works; renamed when it has finished, so that a half-made cluster never counts.
    pub(super) unfinished: PathBuf,
    /// The folder of the unix socket.
    pub(super) socket: PathBuf,
    /// What Postgres says since its last start.
    pub(super) log: PathBuf,
    previous_log: PathBuf,
}

impl Layout {
    pub(super) fn at(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            cluster: root.join("data"),
            unfinished: root.join("data.unfinished"),
            socket: root.join("socket"),
            log: root.join("postgres.log"),
            previous_log: root.join("postgres.previous.log"),
        }
    }

    /// Creates the data folder if need be and says where it really is.
    pub(super) fn prepare(folder: &Path) -> Result<Self, EmbeddedPostgresError> {
        // The account that Postgres runs as must be able to pass through a folder of root's, no more.
        let mode = if account::is_root() { 0o711 } else { 0o700 };
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(folder)
            .attempting(|| format!("create the data folder {}", folder.display()))?;
        let root = fs::canonicalize(folder).attempting(|| format!("find {}", folder.display()))?;
        let reading = || format!("read the data folder {}", root.display());
        let is_empty = fs::read_dir(&root).attempting(reading)?.next().is_none();
        let owned_by_root = fs::metadata(&root).attempting(reading)?.uid() == 0;
        // Only a folder that nobody uses yet is ours to open; one with other things in it is left as it is.
        if account::is_root() && owned_by_root && is_empty {
            fs::set_permissions(&root, Permissions::from_mode(mode)).attempting(reading)?;
        }
        let layout = Self::at(&root);
        layout.check_socket_path()?;
        Ok(layout)
    }

    fn check_socket_path(&self) -> Result<(), EmbeddedPostgresError> {
        let path = self.socket.join(SOCKET_NAME);
        let length = path.as_os_str().len();
        if path.as_os_str().as_encoded_bytes().contains(&b',') {
            return Err(EmbeddedPostgresError::CommaInPath {
                folder: self.root.clone(),
            });
        }
        if length > SOCKET_PATH_LIMIT {
            return Err(EmbeddedPostgresError::SocketPathTooLong {
                path,
                length,
                limit: SOCKET_PATH_LIMIT,
            });
        }
        Ok(())
    }

    /// Makes a folder that only the account may enter, if it is not there yet.
    pub(super) fn make_private(path: &Path, run_as: &RunAs) -> Result<(), EmbeddedPostgresError> {
        let making = || format!("create {}", path.display());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .attempting(making)?;
        fs::set_permissions(path, Permissions::from_mode(0o700)).attempting(making)?;
        run_as.give(path).attempting(making)
    }

    /// Keeps the log of the run before this one, which may say why that one ended.
    pub(super) fn set_log_aside(&self) -> Result<(), EmbeddedPostgresError> {
        match fs::rename(&self.log, &self.previous_log) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(source).attempting(|| format!("rename {}", self.log.display()))
            }
            _ => Ok(()),
        }
    }

    /// Opens an empty log; statements may appear in it, so that it is for the owner's eyes only.
    pub(super) fn new_log(&self) -> Result<File, EmbeddedPostgresError> {
        OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.log)
            .attempting(|| format!("create {}", self.log.display()))
    }
}

/// The right to use the data folder, held for the whole life of the service.
///
/// The operating system takes it back when the process ends, however it ends, so that no stale lock exists.
#[derive(Debug)]
pub(super) struct FolderLock(File);

impl FolderLock {
    /// Takes the lock or says at once who holds it.
    pub(super) fn take(root: &Path) -> Result<Self, EmbeddedPostgresError> {
        let path = root.join("lock");
        let locking = || format!("lock {}", path.display());
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .attempting(locking)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).attempting(locking)?;
                let holder = holder.trim().parse().ok();
                return Err(EmbeddedPostgresError::InUse {
                    folder: root.to_path_buf(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(source).attempting(locking),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .attempting(locking)?;
        Ok(Self(file))
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child that another thread has just forked still shares it.
        // Nothing is left to do when unlocking fails, since the file is closed next.
        let _ = self.0.unlock();
    }
}

/// The platform's data folder for this service: the folder to use when no setting names one.
///
/// Root has `/var/lib/copartner`; a user has `copartner` in `$XDG_DATA_HOME` or in `~/.local/share`, on macOS in
/// `~/Library/Application Support`.
pub fn default_data_folder() -> Result<PathBuf, EmbeddedPostgresError> {
    if account::is_root() {
        return Ok(default_for_root());
    }
    default_for_user(env::var_os("XDG_DATA_HOME"), env::var_os("HOME")).ok_or(EmbeddedPostgresError::NoHome)
}

pub(super) fn default_for_root() -> PathBuf {
    // On macOS root's home is closed to others, so that the machine's folder serves.
    let place = if cfg!(target_os = "macos") {
        "/Library/Application Support"
    } else {
        "/var/lib"
    };
    Path::new(place).join("copartner")
}

/// The default of a user with these environment variables; relative paths in them do not count.
fn default_for_user(data_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |value: Option<OsString>| value.map(PathBuf::from).filter(|path| path.is_absolute());
    let in_home = absolute(home).map(|home| {
        home.join(if cfg!(target_os = "macos") {
            "Library/Application Support"
        } else {
            ".local/share"
        })
    });
    let data_home = if cfg!(target_os = "macos") {
        None
    } else {
        absolute(data_home)
    };
    data_home.or(in_home).map(|place| place.join("copartner"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_folder_follows_the_platform() {
        let path = |text: &str| Some(text.into());
        let in_home = default_for_user(None, path("/home/ann")).unwrap();
        assert!(in_home.starts_with("/home/ann") && in_home.ends_with("copartner"));
        assert_eq!(default_for_user(None, None), None);
        if cfg!(target_os = "linux") {
            assert_eq!(in_home, Path::new("/home/ann/.local/share/copartner"));
            let elsewhere = default_for_user(path("/srv/data"), path("/home/ann")).unwrap();
            assert_eq!(elsewhere, Path::new("/srv/data/copartner"));
            let ignored = default_for_user(path("relative"), path("/home/ann"));
            assert_eq!(ignored, Some(in_home));
        }
    }
}
