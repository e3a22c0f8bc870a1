//! Kept reports: one JSON document for each run, and each catalog's listing once.
//!
//! A document names only the resources that were not simply in sync; the rest follows from the
//! listing of the run's catalog, so that a report of ten thousand resources in sync is small.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{params, params_from_iter};

use super::selecting::Conditions;
use super::{State, StateError};
use crate::report::{ListedResource, Report, RunSummary};

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

/// Which runs are asked for.
#[derive(Debug, Clone, Default)]
pub struct RunQuery {
    /// Only those that began at this time or later (RFC 3339, UTC).
    pub since: Option<String>,
    /// Only those in which something happened to the resource of this kind and title.
    pub resource: Option<(String, String)>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
}

impl RunQuery {
    pub(super) fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        if let Some(since) = &self.since {
            conditions.add("started >= ?", [since]);
        }
        if let Some((kind, title)) = &self.resource {
            conditions.add(
                "number IN (SELECT run FROM results WHERE resource =
                 (SELECT number FROM resources WHERE kind = ? AND title = ?))",
                [kind, title],
            );
        }
        conditions
    }
}

impl State {
    /// The SHA-256 of the newest report, for the chain.
    pub fn newest_report_digest(&self) -> Result<Option<String>, StateError> {
        self.database.meta("chain")
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

    /// The run whose id is or begins with `id`, or the newest one.
    pub fn stored_run(&self, id: Option<&str>) -> Result<Option<StoredRun>, StateError> {
        let failed = || self.database.failed("reading a report");
        let mut statement = self
            .database
            .connection
            .prepare_cached(
                "SELECT runs.id, document, listing FROM runs
                 LEFT JOIN catalogs ON catalogs.digest = runs.catalog
                 WHERE number = (SELECT max(number) FROM runs WHERE id BETWEEN ?1 AND ?2)",
            )
            .map_err(failed())?;
        let first = id.unwrap_or_default();
        let last = format!("{first}{}", char::MAX);
        let mut rows = statement.query(params![first, last]).map_err(failed())?;
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

    /// What lists say of the runs that `query` asks for, the newest first.
    pub fn run_summaries(&self, query: &RunQuery) -> Result<Vec<RunSummary>, StateError> {
        let failed = || self.database.failed("reading the list of runs");
        let (text, values) = query.conditions().query("SELECT summary FROM runs", query.limit);
        let mut statement = self.database.connection.prepare_cached(&text).map_err(failed())?;
        let mut rows = statement.query(params_from_iter(values)).map_err(failed())?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed())? {
            let summary: String = row.get(0).map_err(failed())?;
            // One that this version cannot read is passed over.
            found.extend(serde_json::from_str::<RunSummary>(&summary));
        }
        Ok(found)
    }

    /// Hands the stored runs that `query` asks for to `visit`, the newest first, until it answers
    /// `false`. Reports that this version cannot read are passed over.
    pub fn visit_runs(
        &self,
        query: &RunQuery,
        mut visit: impl FnMut(Report) -> bool,
    ) -> Result<(), StateError> {
        let failed = || self.database.failed("looking through the reports");
        let (text, values) = query.conditions().query("SELECT document FROM runs", query.limit);
        let mut statement = self.database.connection.prepare_cached(&text).map_err(failed())?;
        let mut rows = statement.query(params_from_iter(values)).map_err(failed())?;
        while let Some(row) = rows.next().map_err(failed())? {
            let document: String = row.get(0).map_err(failed())?;
            let Ok(report) = serde_json::from_str::<Report>(&document) else { continue };
            if !visit(report) {
                break;
            }
        }
        Ok(())
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
