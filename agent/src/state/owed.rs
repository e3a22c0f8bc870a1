//! Notifications owed: written down before the change that causes them, cleared only when they have
//! been delivered.

use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use steadfast_resources::Reference;

use super::{State, StateError};

/// One notification that has not been delivered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwedNotification {
    /// The kind of the resource to be notified.
    pub target_kind: String,
    /// The title of that resource.
    pub target_title: String,
    /// The resource whose change causes it, as a reference.
    pub source: String,
    /// Since when it is owed: RFC 3339, UTC.
    pub since: String,
    /// The run that began the change.
    pub run: String,
}

impl State {
    /// Writes down, durably, that the change of each source is owed to its target.
    pub fn owe<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a Reference, &'a Reference)>,
        since: &str,
        run: &str,
    ) -> Result<(), StateError> {
        self.database.durable()?;
        self.database.write("writing down owed notifications", |transaction| {
            let mut insert = transaction
                .prepare_cached("INSERT OR IGNORE INTO owed VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for (source, target) in pairs {
                insert.execute(params![
                    target.kind(),
                    target.title(),
                    source.kind(),
                    source.title(),
                    since,
                    run
                ])?;
            }
            Ok(())
        })
    }

    /// Forgets what these sources owe to their targets since `run` began: the changes did not
    /// happen. What was owed before stays owed.
    pub fn forgive(&self, sources: &[&Reference], run: &str) -> Result<(), StateError> {
        self.database.write("forgetting owed notifications", |transaction| {
            let mut delete = transaction.prepare_cached(
                "DELETE FROM owed WHERE source_kind = ?1 AND source_title = ?2 AND run = ?3",
            )?;
            for source in sources {
                delete.execute(params![source.kind(), source.title(), run])?;
            }
            Ok(())
        })
    }

    /// Clears everything owed to `target`: it has been delivered.
    pub fn settle(&self, target_kind: &str, target_title: &str) -> Result<(), StateError> {
        self.database.durable()?;
        self.database.write("clearing owed notifications", |transaction| {
            transaction.execute(
                "DELETE FROM owed WHERE target_kind = ?1 AND target_title = ?2",
                params![target_kind, target_title],
            )
        })?;
        Ok(())
    }

    /// Everything owed, by target.
    pub fn owed(&self) -> Result<Vec<OwedNotification>, StateError> {
        let failed = || self.database.failed("reading owed notifications");
        let mut statement = self
            .database
            .connection
            .prepare_cached(
                "SELECT target_kind, target_title, source_kind, source_title, since, run
                 FROM owed ORDER BY target_kind, target_title, source_kind, source_title",
            )
            .map_err(failed())?;
        let rows = statement
            .query_map([], |row| {
                let kind: String = row.get(2)?;
                let title: String = row.get(3)?;
                Ok(OwedNotification {
                    target_kind: row.get(0)?,
                    target_title: row.get(1)?,
                    source: format!("{kind}.{title:?}"),
                    since: row.get(4)?,
                    run: row.get(5)?,
                })
            })
            .map_err(failed())?;
        rows.collect::<Result<_, _>>().map_err(failed())
    }
}
