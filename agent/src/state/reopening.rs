//! The state of a process that stays: before each run it is made sure that what is open is still
//! what is there, and can be written.
//!
//! A database that is deleted while it is open would go on taking reports that nobody will ever
//! read. One that could not be written, or that turned out to be damaged, was left for one in memory
//! ([`super::unwritable`]) and gets another chance. Reports that could not be kept meanwhile are kept
//! then, as far as they are few.

use std::collections::VecDeque;
use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::Backup;
use steadfast_policies::Catalog;

use super::damage::with_suffix;
use super::database::{Database, make_private};
use super::ledger::{Declared, Known};
use super::{Retention, State, StateError};
use crate::report::Report;

/// The most reports that wait for a state that can be written.
const MOST_PUT_OFF: usize = 100;

/// The files that are open, by device and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    database: Option<(u64, u64)>,
    journal: Option<(u64, u64)>,
}

impl Identity {
    /// What is at `path` now.
    pub(super) fn of(path: &Path) -> Self {
        let identity = |path: &Path| {
            let metadata = std::fs::symlink_metadata(path).ok()?;
            Some((metadata.dev(), metadata.ino()))
        };
        Self { database: identity(path), journal: identity(&with_suffix(path, "-wal")) }
    }
}

/// A report that could not be kept.
struct PutOff {
    report: Report,
    /// The declarations of what it names: they may be others by the time that it is kept.
    declared: Declared,
    retention: Retention,
}

/// The reports that could not be kept when they were made.
#[derive(Default)]
pub(super) struct Late {
    waiting: VecDeque<PutOff>,
    /// How many have been kept since then.
    kept: usize,
    /// For how many there was no room here either.
    lost: usize,
}

impl State {
    /// The state for the next run of a process that stays: this one, if it is still what is in its
    /// directory and can be written; else opened anew, as [`Self::open_for_run`] does. A database
    /// that was deleted is written anew from what is still open of it.
    ///
    /// Costs two looks at the file system where nothing is wrong.
    pub fn for_next_run(mut self, root: &Path) -> Result<Self, StateError> {
        let there = Identity::of(self.database.path());
        let in_memory = self.unwritable().is_some();
        if !in_memory && self.database.opened().is_some_and(|opened| *opened == there) {
            self.catch_up();
            return Ok(self);
        }
        let mut note = None;
        if !in_memory && there.database.is_none() {
            note = Some(match self.write_anew(root) {
                Ok(()) => {
                    "the state database was deleted while it was in use; it was written anew \
                           from what was still open of it"
                        .to_owned()
                }
                Err(error) => format!(
                    "the state database was deleted while it was in use, and what was still open \
                     of it cannot be written anew ({error}): what is in force and the history are \
                     lost"
                ),
            });
        } else if !in_memory {
            note = Some(
                "the state database was replaced while it was in use; what is there now is used"
                    .to_owned(),
            );
        }
        let Self { directory, database, mut notes, late, bucket } = self;
        let suspect = database.is_suspect();
        // Its last user closes it: what is opened next must not meet its locks.
        drop((bucket, database));
        let mut state = Self::open_for_run_suspecting(root, &directory, suspect)?;
        if let Some(note) = note {
            log::warn!("{note}");
            notes.push(note);
        }
        state.notes = notes;
        state.late = late;
        state.catch_up();
        Ok(state)
    }

    /// What the next report should say about the state; each once.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Remembers a report that could not be kept, for as long as the process lives.
    /// `catalog` is what the run applied, if it got so far.
    pub(crate) fn put_off(
        &mut self,
        report: &Report,
        catalog: Option<&Catalog>,
        retention: &Retention,
    ) {
        if report.is_nothing() {
            return;
        }
        if self.late.waiting.len() < MOST_PUT_OFF {
            let declared = catalog.map(|catalog| Declared::named_in(report, catalog));
            let declared = declared.unwrap_or_default();
            let (report, retention) = (report.clone(), retention.clone());
            self.late.waiting.push_back(PutOff { report, declared, retention });
        } else {
            self.late.lost += 1;
            log::error!("the report of run {} is lost: too many wait to be kept", report.id);
        }
    }

    /// Keeps what was put off, as far as that can be done now, and says so once all of it is kept.
    fn catch_up(&mut self) {
        if self.late.waiting.is_empty() || self.unwritable().is_some() {
            return;
        }
        while let Some(put_off) = self.late.waiting.pop_front() {
            if let Err(error) = self.keep_late(&put_off) {
                log::warn!("the report of run {} is still not kept: {error}", put_off.report.id);
                self.late.waiting.push_front(put_off);
                return;
            }
            self.late.kept += 1;
        }
        let Late { kept, lost, .. } = std::mem::take(&mut self.late);
        let (reports, are) = if kept == 1 { ("report", "is") } else { ("reports", "are") };
        let mut note = format!(
            "the agent's state can be written again: {kept} {reports} that waited for that {are} kept"
        );
        if lost > 0 {
            let _ = write!(note, ", and {lost} for which there was no room are lost");
        }
        self.notes.push(note);
    }

    fn keep_late(&self, PutOff { report, declared, retention }: &PutOff) -> Result<(), StateError> {
        let failed = || self.database.failed("looking for a report");
        let mut statement = self
            .database
            .connection
            .prepare("SELECT 1 FROM runs WHERE id = ?1")
            .map_err(failed())?;
        // What could not be told to be written may have been written all the same.
        if statement.exists([&report.id]).map_err(failed())? {
            return Ok(());
        }
        let mut report = report.clone();
        report.messages.push("kept late: the agent's state could not be written".to_owned());
        report.previous = self.newest_report_digest()?;
        self.keep(&report, Known::Digests(declared), retention).map(drop)
    }

    /// Writes all of the open database to its place, where nothing is.
    fn write_anew(&self, root: &Path) -> Result<(), StateError> {
        super::directory::enter(root, &self.directory, super::directory::Missing::Make)?;
        let path = self.database.path();
        // A journal of the old one would be played into the new one.
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(with_suffix(path, suffix));
        }
        make_private(path)?;
        let copied = Connection::open(path).and_then(|mut copy| {
            let backup = Backup::new(&self.database.connection, &mut copy)?;
            backup.run_to_completion(i32::MAX, std::time::Duration::ZERO, None)
        });
        copied.map_err(|source| {
            // Half a database would be taken for a damaged one.
            let _ = std::fs::remove_file(path);
            StateError::Database { path: path.to_owned(), during: "writing it anew", source }
        })
    }
}

impl Database {
    /// Whether it is in memory because the one on the disk turned out to be damaged.
    fn is_suspect(&self) -> bool {
        self.suspect
    }
}

#[cfg(test)]
mod tests;
