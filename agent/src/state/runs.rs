//! Kept reports: one JSON document for each run, and each catalog's listing once.
//!
//! A document names only the resources that were not simply in sync; the rest follows from the
//! listing of the run's catalog, so that a report of ten thousand resources in sync is small.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::{State, StateError};
use crate::report::{ListedResource, Report};

/// Places where an application that is cut off may leave something, by kind and in its words.
pub type Places = BTreeMap<String, BTreeSet<String>>;

/// A stored run: the document and the listing that completes it.
#[derive(Debug)]
pub struct StoredRun {
    /// The report, with only the resources that were not simply in sync.
    pub report: Report,
    /// Every resource of the run's catalog, in order.
    pub listing: Vec<ListedResource>,
}

impl State {
    /// The SHA-256 of the newest report, for the chain.
    pub fn newest_report_digest(&self) -> Result<Option<String>, StateError> {
        let failed = || self.database.failed("reading the newest report");
        let mut statement = self
            .database
            .connection
            .prepare_cached("SELECT digest FROM runs ORDER BY number DESC LIMIT 1")
            .map_err(failed())?;
        let mut rows = statement.query([]).map_err(failed())?;
        match rows.next().map_err(failed())? {
            Some(row) => Ok(Some(row.get(0).map_err(failed())?)),
            None => Ok(None),
        }
    }

    /// Keeps a report and forgets those beyond `keep` runs and older than `oldest` (RFC 3339, UTC).
    pub fn keep_report(
        &self,
        report: &Report,
        listing: impl FnOnce() -> Vec<ListedResource>,
        keep: u32,
        oldest: &str,
    ) -> Result<(), StateError> {
        let unreadable = |source| StateError::Document { run: report.id.clone(), source };
        let document = serde_json::to_string(report).map_err(unreadable)?;
        let digest = crate::report::document_digest(&document);
        let known =
            report.catalog.as_deref().map_or(Ok(true), |catalog| self.has_listing(catalog))?;
        let listing =
            if known { None } else { Some(serde_json::to_string(&listing()).map_err(unreadable)?) };
        self.database.write("keeping the report", |transaction| {
            if let (Some(catalog), Some(listing)) = (&report.catalog, listing) {
                transaction.execute(
                    "INSERT OR REPLACE INTO catalogs VALUES (?1, ?2)",
                    params![catalog, listing],
                )?;
            }
            transaction.execute(
                "INSERT INTO runs (id, started, outcome, catalog, digest, document)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    report.id,
                    report.started,
                    report.outcome.as_str(),
                    report.catalog,
                    digest,
                    document
                ],
            )?;
            let newest = transaction.last_insert_rowid();
            let removed = transaction.execute(
                "DELETE FROM runs WHERE number <> ?1 AND (number <= ?1 - ?2 OR started < ?3)",
                params![newest, keep, oldest],
            )?;
            if removed > 0 {
                transaction.execute(
                    "DELETE FROM catalogs WHERE digest NOT IN
                     (SELECT catalog FROM runs WHERE catalog IS NOT NULL)",
                    [],
                )?;
            }
            Ok(())
        })
    }

    /// The commits that were in force, the latest first, each once.
    pub fn applied_commits(&self) -> Result<Vec<String>, StateError> {
        let failed = || self.database.failed("reading which revisions were in force");
        let mut statement = self
            .database
            .connection
            .prepare_cached(
                "SELECT document ->> '$.revision.commit' AS applied FROM runs
                 WHERE applied IS NOT NULL AND catalog IS NOT NULL
                   AND document ->> '$.mode' = 'enforce'
                 GROUP BY applied ORDER BY max(number) DESC",
            )
            .map_err(failed())?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(failed())?;
        rows.collect::<Result<_, _>>().map_err(failed())
    }

    fn has_listing(&self, catalog: &str) -> Result<bool, StateError> {
        let failed = || self.database.failed("looking for a catalog");
        self.database
            .connection
            .prepare_cached("SELECT 1 FROM catalogs WHERE digest = ?1")
            .map_err(failed())?
            .exists([catalog])
            .map_err(failed())
    }

    /// The run whose id is or begins with `id`, or the newest one.
    pub fn stored_run(&self, id: Option<&str>) -> Result<Option<StoredRun>, StateError> {
        let failed = || self.database.failed("reading a report");
        let mut statement = self
            .database
            .connection
            .prepare_cached(
                "SELECT runs.id, document, listing FROM runs
                 LEFT JOIN catalogs ON catalogs.digest = runs.catalog
                 WHERE ?1 IS NULL OR substr(runs.id, 1, length(?1)) = ?1
                 ORDER BY number DESC LIMIT 1",
            )
            .map_err(failed())?;
        let mut rows = statement.query([id]).map_err(failed())?;
        let Some(row) = rows.next().map_err(failed())? else { return Ok(None) };
        let run: String = row.get(0).map_err(failed())?;
        let document: String = row.get(1).map_err(failed())?;
        let listing: Option<String> = row.get(2).map_err(failed())?;
        let unreadable = |source| StateError::Document { run: run.clone(), source };
        Ok(Some(StoredRun {
            report: serde_json::from_str(&document).map_err(unreadable)?,
            listing: match listing {
                Some(listing) => serde_json::from_str(&listing).map_err(unreadable)?,
                None => Vec::new(),
            },
        }))
    }

    /// Marks, durably, that a run has begun to change the machine, and where it may leave something
    /// when it is cut off. The mark goes with [`Self::run_ended`]; finding it at a start means that
    /// the last run was cut off.
    pub fn run_begins(&self, id: &str, places: &Places) -> Result<(), StateError> {
        let places = document(id, places)?;
        self.database.write("marking the beginning of a run", |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO meta VALUES ('running', ?1), ('places', ?2)",
                [id, &places],
            )
        })?;
        Ok(())
    }

    /// Adds to the mark of a run that was cut off where the run at hand may leave something.
    pub fn run_adds(&self, id: &str, places: &Places) -> Result<(), StateError> {
        let mut all = self.interrupted_places()?;
        for (kind, more) in places {
            all.entry(kind.clone()).or_default().extend(more.iter().cloned());
        }
        let all = document(id, &all)?;
        self.database.write("adding to the mark of a run", |transaction| {
            transaction.execute("INSERT OR REPLACE INTO meta VALUES ('places', ?1)", [all])
        })?;
        Ok(())
    }

    /// Takes back the mark of [`Self::run_begins`].
    pub fn run_ended(&self) -> Result<(), StateError> {
        self.database.write("marking the end of a run", |transaction| {
            transaction.execute("DELETE FROM meta WHERE key IN ('running', 'places')", [])
        })?;
        Ok(())
    }

    /// Where the run that was cut off may have left something. What cannot be understood is as good
    /// as nothing: the resources that are still declared are looked at in any case.
    pub fn interrupted_places(&self) -> Result<Places, StateError> {
        let document = self.database.meta("places")?;
        Ok(document.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// The run that was cut off, if the last one was.
    pub fn interrupted_run(&self) -> Result<Option<String>, StateError> {
        self.database.meta("running")
    }
}

fn document(run: &str, places: &Places) -> Result<String, StateError> {
    serde_json::to_string(places)
        .map_err(|source| StateError::Document { run: run.to_owned(), source })
}
