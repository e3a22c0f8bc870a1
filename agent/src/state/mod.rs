//! The agent's own state: one directory, one door.
//!
//! - `state.sqlite`: runs with their reports, what is in force, owed notifications, an index of the
//!   file bucket (SQLite, WAL, `synchronous=FULL`).
//! - `bucket/`: replaced contents by digest.
//! - `repository/`: the copy of the policy repository, which [`crate::source`] keeps.
//! - `run.lock`: held (flock) while a run changes the machine; the kernel drops it with the process.
//!
//! What must stay true: every change here survives `kill -9` and power loss at any instant; a
//! damaged database is set aside and built anew with a warning, never a refusal to start; the
//! directory is readable by its owner only.

mod bucket;
mod database;
mod in_force;
mod lock;
mod owed;
mod runs;

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use thiserror::Error;

pub use bucket::{FileBucket, KeptContent};
pub(crate) use bucket::{digest, hexadecimal};
pub use database::Database;
pub use in_force::InForce;
pub use lock::{LockHeld, RunLock};
pub use owed::OwedNotification;
pub use runs::StoredRun;

/// Why the state cannot be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// The directory cannot be made or entered.
    #[error("cannot use the state directory {path}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the state database {path} failed while {during}")]
    Database {
        /// The database file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// A file of the state cannot be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// `read`, `write`, …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A stored document is not what this version writes.
    #[error("the stored report of run {run} cannot be read")]
    Document {
        /// The run.
        run: String,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}

/// The opened state.
pub struct State {
    directory: PathBuf,
    database: Rc<Database>,
    /// Where replaced contents are kept.
    pub bucket: FileBucket,
}

impl State {
    /// Opens the state in `directory`, which is made (mode 0700) where it does not exist.
    /// Messages about repairs go to the log.
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        make_directory(directory)?;
        let database = Rc::new(Database::open(&directory.join("state.sqlite"))?);
        let bucket = FileBucket::new(directory.join("bucket"), Rc::clone(&database));
        Ok(Self { directory: directory.to_owned(), database, bucket })
    }

    /// Where the copy of the policy repository lives.
    pub fn repository_directory(&self) -> PathBuf {
        self.directory.join("repository")
    }

    /// Takes the lock that only one changing run may hold.
    pub fn lock(&self) -> Result<Result<RunLock, LockHeld>, StateError> {
        RunLock::take(&self.directory.join("run.lock"))
    }
}

fn make_directory(path: &Path) -> Result<(), StateError> {
    let failed = |source| StateError::Directory { path: path.to_owned(), source };
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) => return Err(failed(error)),
    }
    let metadata = std::fs::symlink_metadata(path).map_err(failed)?;
    if !metadata.is_dir() {
        return Err(failed(std::io::Error::from(std::io::ErrorKind::NotADirectory)));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        let directory = std::fs::File::open(path).map_err(failed)?;
        directory.set_permissions(std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}
