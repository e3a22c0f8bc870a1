//! A state that cannot be written: the file system is full, read-only or failing.
//!
//! A run goes on all the same, with what can still be read in a database in memory: most of a
//! policy needs nothing of the state, and it may be what makes room again. What must be durable
//! fails then and says so: a notification that would be owed, a content that would be replaced.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;
use rustix::fs::StatVfsMountFlags;
use rustix::io::Errno;
use steadfast_resources::Failure;

use super::damage::salvage;
use super::{Database, LockHeld, RunLock, State, StateError};

impl StateError {
    /// Whether the file system is at fault, and neither an operator nor an attacker.
    fn is_of_the_file_system(&self) -> bool {
        let concerns = |error: &io::Error| {
            [Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::IO]
                .iter()
                .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
        };
        match self {
            Self::Directory { source, .. } | Self::File { source, .. } => concerns(source),
            Self::Database { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(
                    ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::ReadOnly
                        | ErrorCode::CannotOpen
                )
            ),
            Self::Link { .. } | Self::Document { .. } | Self::Unwritable { .. } => false,
        }
    }
}

impl State {
    /// Like [`Self::open_below`], but where only the file system keeps the state from being
    /// written, it is one in memory: see [`Self::unwritable`].
    pub fn open_for_run(root: &Path, directory: &Path) -> Result<Self, StateError> {
        match Self::open_below(root, directory) {
            Err(error) if error.is_of_the_file_system() => Self::in_memory(directory, &error),
            other => other,
        }
    }

    /// Like [`Self::lock`], but where only the file system keeps the lock from being taken the
    /// state is from now on one in memory, and there is none: the managed root has a lock as well.
    pub fn lock_for_run(&mut self) -> Result<Result<Option<RunLock>, LockHeld>, StateError> {
        if self.unwritable().is_some() {
            return Ok(Ok(None));
        }
        match self.lock() {
            Ok(lock) => Ok(lock.map(Some)),
            Err(error) => self.go_on_without(error).map(|()| Ok(None)),
        }
    }

    /// Why the state is only one in memory, if it is.
    pub fn unwritable(&self) -> Option<&str> {
        self.database.unwritable()
    }

    /// After `error`: goes on in memory where only the file system is at fault.
    pub(crate) fn go_on_without(&mut self, error: StateError) -> Result<(), StateError> {
        if !error.is_of_the_file_system() {
            return Err(error);
        }
        *self = Self::in_memory(&self.directory, &error)?;
        Ok(())
    }

    fn in_memory(directory: &Path, error: &StateError) -> Result<Self, StateError> {
        let reason =
            plainly(directory).map_or_else(|| Failure::from_error(error).reason, str::to_owned);
        let path = directory.join("state.sqlite");
        let database = Database::in_memory(&path)?;
        if path.exists() {
            salvage(&database, &path)?;
        }
        Ok(Self::with(directory, database.not_written_because(reason)))
    }
}

/// What SQLite's error means: it often calls a full file system an input or output error.
fn plainly(directory: &Path) -> Option<&'static str> {
    let there = directory.ancestors().find(|ancestor| ancestor.exists())?;
    let status = rustix::fs::statvfs(there).ok()?;
    if status.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Some("its file system is mounted read-only");
    }
    (status.f_bavail == 0).then_some("its file system is full")
}
