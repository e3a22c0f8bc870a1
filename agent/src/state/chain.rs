//! The chain of reports: each says the digest of the one before it, so that none can be changed or
//! taken out unseen.
//!
//! Two ends are written down beside it: the digest that the oldest kept report must name
//! (`chain_begin`), which moves on with retention, and that of the newest report (`chain`), which
//! the next one will name. What retention takes out from between others leaves its digest.

use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{State, StateError};
use crate::report::document_digest;

/// What came of following the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainCheck {
    /// How many reports were looked at.
    pub checked: u32,
    /// The oldest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<String>,
    /// The newest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// The digest of the newest report, to be written down elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The first place where the chain is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<ChainBreak>,
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainBreak {
    /// The report at which it was noticed; absent where the newest ones are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// When that run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// What is wrong, as a sentence without its subject.
    pub problem: String,
}

/// Where the database's chain begins and ends, for one that had no ends written down.
pub(super) fn adopt(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let first: Option<String> = transaction
        .query_row("SELECT document FROM runs ORDER BY number LIMIT 1", [], |row| row.get(0))
        .optional()?;
    let last: Option<String> = transaction
        .query_row("SELECT digest FROM runs ORDER BY number DESC LIMIT 1", [], |row| row.get(0))
        .optional()?;
    let begin = first.and_then(|document| previous(&document)).unwrap_or_default();
    set(transaction, "chain_begin", &begin)?;
    last.map_or(Ok(()), |last| set(transaction, "chain", &last))
}

/// For a database that has lost its reports: the next one follows the last that was lost.
pub(super) fn begin_anew(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction
        .execute(
            "INSERT OR REPLACE INTO meta SELECT 'chain_begin', value FROM meta WHERE key = 'chain'",
            [],
        )
        .map(drop)
}

/// Writes down one of the ends.
pub(super) fn set(
    transaction: &Transaction<'_>,
    end: &'static str,
    digest: &str,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?
        .execute(params![end, digest])
        .map(drop)
}

/// Moves the chain's beginning on after reports were taken out.
pub(super) fn move_on(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let last_before: Option<(i64, String)> = transaction
        .prepare_cached(
            "SELECT number, digest FROM pruned WHERE number < (SELECT min(number) FROM runs)
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((number, digest)) = last_before {
        set(transaction, "chain_begin", &digest)?;
        transaction.prepare_cached("DELETE FROM pruned WHERE number <= ?1")?.execute([number])?;
    }
    Ok(())
}

/// The digest that a stored document names as that of the report before it.
fn previous(document: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Link {
        previous: Option<String>,
    }
    serde_json::from_str::<Link>(document).ok()?.previous
}

impl State {
    /// Follows the chain of all kept reports, from the oldest to the newest, up to its first break.
    pub fn verify_chain(&self) -> Result<ChainCheck, StateError> {
        let failed = || self.database.failed("following the chain of reports");
        let mut check =
            ChainCheck { checked: 0, oldest: None, newest: None, digest: None, broken: None };
        let mut expected = self.database.meta("chain_begin")?.unwrap_or_default();
        let mut statement = self
            .database
            .connection
            .prepare(
                "SELECT number, id, started, digest, document FROM runs
                 UNION ALL SELECT number, NULL, NULL, digest, NULL FROM pruned ORDER BY number",
            )
            .map_err(failed())?;
        let mut rows = statement.query([]).map_err(failed())?;
        while let Some(row) = rows.next().map_err(failed())? {
            let digest: String = row.get(3).map_err(failed())?;
            let Some(id) = row.get::<_, Option<String>>(1).map_err(failed())? else {
                expected = digest;
                continue;
            };
            let started: String = row.get(2).map_err(failed())?;
            let document: String = row.get(4).map_err(failed())?;
            let named = previous(&document).unwrap_or_default();
            let problem = if document_digest(&document) != digest {
                Some("is not what was written: its digest is another")
            } else if named == expected {
                None
            } else if expected.is_empty() {
                Some("names a report before it, and there is none: reports before it are missing")
            } else {
                Some(
                    "does not name the report before it: a report between them is missing, or one was changed",
                )
            };
            check.checked += 1;
            check.oldest.get_or_insert_with(|| id.clone());
            if let Some(problem) = problem {
                let (run, started) = (Some(id), Some(started));
                check.broken = Some(ChainBreak { run, started, problem: problem.to_owned() });
                return Ok(check);
            }
            check.newest = Some(id);
            expected = digest;
        }
        let end = self.database.meta("chain")?.unwrap_or_default();
        if expected != end {
            let problem = "the newest reports are missing: the chain ends before its written end";
            check.broken =
                Some(ChainBreak { run: None, started: None, problem: problem.to_owned() });
        }
        check.digest = Some(expected).filter(|digest| !digest.is_empty());
        Ok(check)
    }
}
