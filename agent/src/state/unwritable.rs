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

use super::damage::{Check, check, is_damage, salvage};
use super::database::Reading;
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
        Self::open_for_run_suspecting(root, directory, false)
    }

    /// Like [`Self::open_for_run`]; a database that is `suspect` is read through, however large.
    pub(super) fn open_for_run_suspecting(
        root: &Path,
        directory: &Path,
        suspect: bool,
    ) -> Result<Self, StateError> {
        let how = if suspect { Check::All } else { Check::Small };
        match Self::open_checked(root, directory, how) {
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

    /// Why nothing of what is on the disk could be read into memory, if so.
    pub fn unread(&self) -> Option<&str> {
        self.database.unread()
    }

    /// After `error`: goes on in memory where only the file system is at fault.
    pub(crate) fn go_on_without(&mut self, error: StateError) -> Result<(), StateError> {
        if error.is_of_the_file_system() { self.go_on_in_memory(&error) } else { Err(error) }
    }

    /// After `error`, whatever is at fault: goes on in memory. For a run that has changed
    /// something, and owes a report of that.
    pub(crate) fn go_on_in_memory(&mut self, error: &StateError) -> Result<(), StateError> {
        let (notes, late) = (std::mem::take(&mut self.notes), std::mem::take(&mut self.late));
        *self = Self { notes, late, ..Self::in_memory(&self.directory, error)? };
        Ok(())
    }

    /// Reads; where only the file system prevents it, what can be read without it.
    pub(crate) fn read<T>(
        &mut self,
        read: impl Fn(&Self) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        read(self).or_else(|error| {
            self.go_on_without(error)?;
            read(self)
        })
    }

    /// Reads; whatever prevents it, what can be read without it.
    pub(crate) fn read_anyhow<T>(
        &mut self,
        read: impl Fn(&Self) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        read(self).or_else(|error| {
            self.go_on_in_memory(&error)?;
            read(self)
        })
    }

    /// After a run that ended with `error`, for a process that stays: where the database is at fault
    /// it is gone on in memory, and [`State::for_next_run`] opens it anew.
    pub fn suspect_after(&mut self, error: &StateError) {
        if let StateError::Database { .. } = error
            && let Err(other) = self.go_on_in_memory(error)
        {
            log::error!("{other}");
        }
    }

    fn in_memory(directory: &Path, error: &StateError) -> Result<Self, StateError> {
        let reason =
            plainly(directory).map_or_else(|| Failure::from_error(error).reason, str::to_owned);
        let path = directory.join("state.sqlite");
        let mut database = Database::in_memory(&path, reason)?;
        database.suspect =
            matches!(error, StateError::Database { source, .. } if is_damage(source));
        if path.exists() {
            salvage_into(&mut database, &path)?;
        }
        Ok(Self::with(directory, database))
    }
}

/// Takes over what can be read at `path`, and remembers why nothing or not all can be.
fn salvage_into(database: &mut Database, path: &Path) -> Result<(), StateError> {
    let reading = match Reading::open(path) {
        Ok(reading) => reading,
        Err(error) => {
            database.not_read_because(&format!("the state on the disk cannot be read: {error}"));
            return Ok(());
        }
    };
    // One that is not finished being made holds nothing.
    let version = reading.version();
    if version.as_ref().is_ok_and(|version| *version == 0) && !reading.misses_journal {
        return Ok(());
    }
    salvage(database, &reading.connection)?;
    if reading.misses_journal {
        database.not_read_because(
            "the newest changes of the state on the disk are in its journal, which cannot be read",
        );
    } else if let Err(error) =
        version.and_then(|version| check(&reading.connection, path, version, Check::Small))
    {
        database.not_read_because(&format!("the state on the disk is not whole: {error}"));
    }
    Ok(())
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

#[cfg(test)]
mod tests;
