//! Keeping a report: the document, its place in the chain, what it says of each resource, what it
//! means for the ledger of drift, and what is forgotten instead, in one durable transaction.
//!
//! Runs about the whole host and runs about part of it are kept by count separately: a thousand
//! small runs that events started do not push out the one of an hour ago. A run that an event
//! started and that found everything in order is not kept at all.
//!
//! What must stay true: a run that changes nothing costs the same few statements however many
//! resources there are and however many runs are kept.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Transaction, params};
use steadfast_policies::Catalog;

use super::ledger::{Declared, Known};
use super::{State, StateError, chain, ledger, results, totals};
use crate::clock;
use crate::report::{Report, RunSummary, Scope, document_digest, listing};

/// The runs beyond the retention, all but the newest; some of them twice. By age a few at a time: a
/// clock that jumps ahead must not take the whole history with it.
pub(super) const DOOMED: &str =
    "SELECT number, catalog FROM runs WHERE part = ?2 AND ordinal <= ?3 AND number <> ?1
     UNION ALL SELECT number, catalog FROM runs WHERE number IN
     (SELECT number FROM runs WHERE started < ?4 AND number <> ?1 ORDER BY started LIMIT 8)";

/// How long reports are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    /// How many runs about the whole host, and how many about part of it.
    runs: u32,
    /// Those that began before this are forgotten (RFC 3339, UTC).
    oldest: String,
}

impl Retention {
    /// `runs` of them, each for `days`.
    pub fn new(runs: u32, days: u32) -> Self {
        Self { runs, oldest: clock::days_ago(days) }
    }
}

impl State {
    /// Keeps a report, and forgets what is beyond `retention`. `catalog` is what the run applied, if
    /// it got so far. Answers whether the report was kept: that of a run which an event started and
    /// which found nothing is not.
    pub fn keep_report(
        &self,
        report: &Report,
        catalog: Option<&Catalog>,
        retention: &Retention,
    ) -> Result<bool, StateError> {
        match catalog {
            Some(catalog) => self.keep(report, Known::All(catalog), retention),
            None => self.keep(report, Known::Digests(&Declared::default()), retention),
        }
    }

    /// [`Self::keep_report`], whatever is known of the declarations.
    pub(super) fn keep(
        &self,
        report: &Report,
        known: Known<'_>,
        retention: &Retention,
    ) -> Result<bool, StateError> {
        let unreadable = |source| StateError::Document { run: report.id.clone(), source };
        let document = serde_json::to_string(report).map_err(unreadable)?;
        let digest = document_digest(&document);
        let listing = match (&report.catalog, known) {
            (Some(digest), Known::All(catalog)) if !self.has_listing(digest)? => {
                Some((digest, serde_json::to_string(&listing(catalog)).map_err(unreadable)?))
            }
            _ => None,
        };
        self.database.write("keeping the report", |transaction| {
            let drift = ledger::record(transaction, report, known)?;
            if report.is_nothing() && drift.is_empty() {
                return Ok(false);
            }
            if let Some((catalog, listing)) = &listing {
                transaction.execute(
                    "INSERT OR REPLACE INTO catalogs VALUES (?1, ?2)",
                    params![catalog, listing],
                )?;
            }
            let run = insert(transaction, report, &digest, &document)?;
            results::insert(transaction, run.number, report)?;
            totals::add(transaction, report)?;
            chain::set(transaction, "chain", &digest)?;
            forget(transaction, &run, retention)?;
            ledger::forget(transaction, &retention.oldest, drift.begun > 0)?;
            Ok(true)
        })
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
}

/// A run that has just been written down.
struct Inserted {
    number: i64,
    part: bool,
    ordinal: i64,
}

fn insert(
    transaction: &Transaction<'_>,
    report: &Report,
    digest: &str,
    document: &str,
) -> rusqlite::Result<Inserted> {
    let part = report.scope != Scope::Host;
    let last: Option<i64> = transaction
        .prepare_cached("SELECT max(ordinal) FROM runs WHERE part = ?1")?
        .query_row([part], |row| row.get(0))?;
    let ordinal = last.unwrap_or(0) + 1;
    transaction
        .prepare_cached(
            "INSERT INTO runs (id, started, outcome, catalog, digest, document, part, ordinal, summary)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            report.id,
            report.started,
            report.outcome.as_str(),
            report.catalog,
            digest,
            document,
            part,
            ordinal,
            RunSummary::of(report).document()
        ])?;
    Ok(Inserted { number: transaction.last_insert_rowid(), part, ordinal })
}

/// Forgets the runs beyond the retention, never the one that was just written down.
fn forget(
    transaction: &Transaction<'_>,
    run: &Inserted,
    retention: &Retention,
) -> rusqlite::Result<()> {
    let doomed: BTreeMap<i64, Option<String>> = transaction
        .prepare_cached(DOOMED)?
        .query_map(
            params![
                run.number,
                run.part,
                run.ordinal - i64::from(retention.runs),
                retention.oldest
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<rusqlite::Result<_>>()?;
    if doomed.is_empty() {
        return Ok(());
    }
    for number in doomed.keys() {
        for statement in [
            "INSERT INTO pruned SELECT number, digest FROM runs WHERE number = ?1",
            "DELETE FROM results WHERE run = ?1",
            "DELETE FROM runs WHERE number = ?1",
        ] {
            transaction.prepare_cached(statement)?.execute([number])?;
        }
    }
    chain::move_on(transaction)?;
    let catalogs: BTreeSet<String> = doomed.into_values().flatten().collect();
    let mut gone = 0;
    for catalog in catalogs {
        let used: Option<i64> = transaction
            .prepare_cached("SELECT 1 FROM runs WHERE catalog = ?1 LIMIT 1")?
            .query_row([&catalog], |row| row.get(0))
            .optional()?;
        if used.is_none() {
            gone += transaction.execute("DELETE FROM catalogs WHERE digest = ?1", [&catalog])?;
        }
    }
    // Names are few and small; they are looked through only when a catalog has gone.
    if gone > 0 {
        transaction.execute(
            "DELETE FROM resources WHERE number NOT IN (SELECT resource FROM results)",
            [],
        )?;
    }
    Ok(())
}
