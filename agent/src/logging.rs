//! Where log records go: warnings to standard error, and everything about resources to the journal
//! where there is one.

use std::io::Write;

use log::{LevelFilter, Log, Metadata, Record};
use systemd_journal_logger::JournalLog;

use crate::output::printable;

/// The target of records that [`crate::journal`] writes: for the journal only.
pub(crate) const EVENT: &str = "steadfast::event";

struct Logger {
    journal: Option<JournalLog>,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("steadfast")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if record.target() == EVENT {
            if let Some(journal) = &self.journal {
                journal.log(record);
            }
            return;
        }
        // Where standard error cannot be written to there is nobody to tell.
        let word = record.level().as_str().to_lowercase();
        let _ =
            writeln!(std::io::stderr().lock(), "{word}: {}", printable(&record.args().to_string()));
    }

    fn flush(&self) {}
}

/// Starts logging. The journal gets records only from root: what a user tries out in a scratch
/// directory is not the host's history.
pub fn start() {
    let journal = nix::unistd::geteuid()
        .is_root()
        .then(|| JournalLog::new().ok())
        .flatten()
        .map(|journal| journal.with_syslog_identifier("steadfast".to_owned()));
    if log::set_boxed_logger(Box::new(Logger { journal })).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
