//! What has come together since the state was made: reports are forgotten, these counts are not.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{State, StateError};
use crate::metrics::Totals;
use crate::report::{Report, Scope};

/// Adds the run of `report`, in the transaction that keeps it.
pub(super) fn add(transaction: &Transaction<'_>, report: &Report) -> rusqlite::Result<()> {
    let known: Option<String> = transaction
        .prepare_cached("SELECT value FROM meta WHERE key = 'totals'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let mut totals = known.as_deref().map(read).unwrap_or_default();
    totals.add(report, report.scope == Scope::Host);
    // Plain numbers can always be written.
    let document = serde_json::to_string(&totals).unwrap_or_default();
    transaction
        .prepare_cached("INSERT OR REPLACE INTO meta VALUES ('totals', ?1)")?
        .execute(params![document])?;
    Ok(())
}

/// Counts that cannot be read begin anew, as after the loss of the state.
fn read(document: &str) -> Totals {
    serde_json::from_str(document).unwrap_or_default()
}

impl State {
    /// What has come together since the state was made.
    pub fn totals(&self) -> Result<Totals, StateError> {
        Ok(self.database.meta("totals")?.as_deref().map(read).unwrap_or_default())
    }

    /// The report of the last run about the whole host, without resources that were in sync.
    pub fn last_whole_run(&self) -> Result<Option<Report>, StateError> {
        let document: Option<String> = self
            .database
            .connection
            .prepare_cached(
                "SELECT document FROM runs WHERE part = 0 ORDER BY ordinal DESC LIMIT 1",
            )
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
            .map_err(self.database.failed("reading the last report"))?;
        // One that this version cannot read is passed over.
        Ok(document.and_then(|document| serde_json::from_str(&document).ok()))
    }
}
