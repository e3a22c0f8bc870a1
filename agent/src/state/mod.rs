//! The agent's own state: one directory, one door.
//!
//! - `state.sqlite`: runs with their reports, what is in force, owed notifications, an index of the
//!   file bucket (SQLite, WAL, `synchronous=FULL`).
//! - `bucket/`: replaced contents by digest.
//! - `repository/`: the copy of the policy repository, which [`crate::source`] keeps.
//! - `run.lock`: held (flock) while a run changes the machine; the kernel drops it with the process.
//!
//! Beside that a run holds a lock on the managed root, which is no part of the directory: see
//! [`RootLock`].
//!
//! What must stay true: every change here survives `kill -9` and power loss at any instant; a
//! damaged database is set aside and built anew with a warning, never a refusal to start; one that
//! cannot be written is gone on without, and what must be durable fails; the directory is made for its owner only, and one that others may write to is refused; no link of an
//! image leads the state out of it.

mod bucket;
mod chain;
mod damage;
mod database;
mod directory;
mod in_force;
mod keeping;
mod ledger;
mod lock;
mod locks;
mod overrides;
mod owed;
mod reopening;
mod resource_history;
mod results;
mod root_lock;
mod runs;
mod schema;
mod selecting;
#[cfg(test)]
mod tests;
mod totals;
mod unwritable;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use thiserror::Error;

pub use bucket::{FileBucket, KeptContent};
pub(crate) use bucket::{digest, hexadecimal};
pub use chain::{ChainBreak, ChainCheck};
use damage::Check;
pub use database::Database;
use directory::Missing;
pub use in_force::InForce;
pub use keeping::Retention;
pub use ledger::EpisodeQuery;
pub use lock::{LockHeld, RunLock};
pub use locks::{AtWork, Locks};
pub use owed::OwedNotification;
pub use resource_history::{KeptRuns, ResourceRun};
pub use root_lock::RootLock;
pub use runs::{Places, RunQuery, StoredRun};

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
    /// A symbolic link where none may be.
    #[error("{path} is a symbolic link, which the agent's state must not be reached through")]
    Link {
        /// The link.
        path: PathBuf,
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
    /// What must survive this run would not.
    #[error("the agent's state cannot be written ({reason})")]
    Unwritable {
        /// The failure, in words.
        reason: String,
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
    /// What the next report should say about the state.
    notes: Vec<String>,
    /// Reports that could not be kept yet.
    late: reopening::Late,
    /// Where replaced contents are kept.
    pub bucket: FileBucket,
}

impl State {
    /// Opens the state in `directory`, which is made (mode 0700) where it does not exist.
    /// Messages about repairs go to the log.
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        Self::open_below(Path::new("/"), directory)
    }

    /// Like [`Self::open`], for the state of an image: where `directory` begins with `root` and
    /// that is not `/`, a link on the way from there is an error.
    pub fn open_below(root: &Path, directory: &Path) -> Result<Self, StateError> {
        Self::open_checked(root, directory, Check::Small)
    }

    fn open_checked(root: &Path, directory: &Path, how: Check) -> Result<Self, StateError> {
        directory::enter(root, directory, Missing::Make)?;
        let database = Database::open(&directory.join("state.sqlite"), how)?;
        Ok(Self::with(directory, database))
    }

    /// Opens the state for reading, with the same care about links as [`Self::open_below`], and
    /// changes nothing. `None` where there is no state, or this user may not see it, or it is
    /// damaged (the log says so).
    pub fn open_read_only(root: &Path, directory: &Path) -> Result<Option<Self>, StateError> {
        match Self::open_history(root, directory) {
            Err(StateError::Directory { source, .. } | StateError::File { source, .. })
                if source.kind() == ErrorKind::PermissionDenied =>
            {
                Ok(None)
            }
            other => other,
        }
    }

    /// Like [`Self::open_read_only`], for who wants to see just that: a state that this user may
    /// not see is an error.
    pub fn open_history(root: &Path, directory: &Path) -> Result<Option<Self>, StateError> {
        match directory::enter(root, directory, Missing::Report) {
            Ok(()) => {}
            Err(StateError::Directory { source, .. } | StateError::File { source, .. })
                if source.kind() == ErrorKind::NotFound =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        let path = directory.join("state.sqlite");
        if !path.exists() {
            return Ok(None);
        }
        Ok(Database::open_read_only(&path)?.map(|database| Self::with(directory, database)))
    }

    fn with(directory: &Path, database: Database) -> Self {
        let database = Rc::new(database);
        let bucket = FileBucket::new(directory.join("bucket"), Rc::clone(&database));
        let directory = directory.to_owned();
        Self { directory, database, notes: Vec::new(), late: reopening::Late::default(), bucket }
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
