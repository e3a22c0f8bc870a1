//! The ledger of drift: which episodes there are, and what each report means for them.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, Row, Transaction, params, params_from_iter};
use steadfast_policies::{Catalog, Resource};

use super::selecting::Conditions;
use super::{State, StateError, hexadecimal};
use crate::drift::{Ending, Episode, Finding, finding};
use crate::report::{Outcome, Report, ResourceReport, ResourceState, Scope};

/// The most episodes that are kept once they have ended.
const KEPT: i64 = 100_000;

/// What a report meant for the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Episodes that began.
    pub(super) begun: usize,
    /// Episodes that were seen again or ended.
    pub(super) went_on: usize,
}

impl Recorded {
    /// Whether the ledger is as it was.
    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Which episodes are asked for.
#[derive(Debug, Clone, Default)]
pub struct EpisodeQuery {
    /// Only those that were open at this time or later (RFC 3339, UTC).
    pub since: Option<String>,
    /// Only those that nothing has put right yet.
    pub open: bool,
    /// Only those of the resource of this kind and title.
    pub resource: Option<(String, String)>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
}

impl EpisodeQuery {
    fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        if let Some((kind, title)) = &self.resource {
            conditions.add("kind = ? AND title = ?", [kind, title]);
        }
        if self.open {
            conditions.add("ended IS NULL", []);
        }
        if let Some(since) = &self.since {
            conditions.add(
                "number IN (SELECT number FROM episodes WHERE last_seen >= ?
                 UNION ALL SELECT number FROM episodes WHERE ended >= ?
                 UNION ALL SELECT number FROM episodes WHERE ended IS NULL)",
                [since, since],
            );
        }
        conditions
    }
}

/// Brings the ledger up to date with what `report` found. One query where there is no drift.
pub(super) fn record(
    transaction: &Transaction<'_>,
    report: &Report,
    known: Known<'_>,
) -> rusqlite::Result<Recorded> {
    let mut open: HashMap<(String, String), (i64, Episode)> = HashMap::new();
    {
        let mut statement = transaction
            .prepare_cached("SELECT document, number FROM episodes WHERE ended IS NULL")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(episode) = episode(row)? else { continue };
            let name = (episode.kind.clone(), episode.title.clone());
            open.insert(name, (row.get(1)?, episode));
        }
    }
    let found = |resource: &ResourceReport| finding(report, resource);
    let is_drift = |resource: &ResourceReport| {
        matches!(found(resource), Finding::Corrected | Finding::Drifted)
    };
    if open.is_empty() && !report.resources.iter().any(is_drift) {
        return Ok(Recorded::default());
    }
    let all;
    let declared = match known {
        Known::Digests(digests) => digests,
        Known::All(catalog) => {
            all = Declared::new(&catalog.resources);
            &all
        }
    };
    let mut recorded = Recorded::default();
    for resource in &report.resources {
        let name = (resource.kind.clone(), resource.title.clone());
        let declaration = declared.digest(&name);
        let known = open.remove(&name);
        match (found(resource), known) {
            (Finding::Nothing, _) | (Finding::InOrder, None) => {}
            (Finding::InOrder, Some((number, mut episode))) => {
                let by_agent = resource.state == ResourceState::Changed;
                let how = episode.ending_in_order(declaration.as_deref(), by_agent);
                episode.end(report, how);
                update(transaction, number, &episode)?;
                recorded.went_on += 1;
            }
            (finding, Some((number, mut episode))) => {
                episode.see(report, resource, declaration);
                if finding == Finding::Corrected {
                    episode.end(report, Ending::Corrected);
                }
                update(transaction, number, &episode)?;
                recorded.went_on += 1;
            }
            (finding, None) => {
                let last = last_of(transaction, &name)?;
                let mut episode = Episode::begin(report, resource, declaration, last.as_ref());
                if finding == Finding::Corrected {
                    episode.end(report, Ending::Corrected);
                }
                insert(transaction, &episode)?;
                recorded.begun += 1;
            }
        }
    }
    recorded.went_on += match known {
        Known::All(_) => end_of_unnamed(transaction, report, declared, open)?,
        Known::Digests(_) => 0,
    };
    Ok(recorded)
}

/// Ends the open episodes of resources that the report does not name: they were in sync, or are no
/// longer declared. What the run did not look at stays open.
fn end_of_unnamed(
    transaction: &Transaction<'_>,
    report: &Report,
    declared: &Declared,
    open: HashMap<(String, String), (i64, Episode)>,
) -> rusqlite::Result<usize> {
    let focus: Option<HashSet<(&str, &str)>> = report
        .focus
        .as_ref()
        .map(|focus| focus.iter().map(|name| (name.kind.as_str(), name.title.as_str())).collect());
    let mut ended = 0;
    for (name, (number, mut episode)) in open {
        let looked_at =
            focus.as_ref().is_none_or(|focus| focus.contains(&(name.0.as_str(), name.1.as_str())));
        let how = match declared.digest(&name) {
            Some(digest) if looked_at => episode.ending_in_order(Some(&digest), false),
            None if report.scope == Scope::Host && report.outcome != Outcome::Refused => {
                Ending::Undeclared
            }
            _ => continue,
        };
        episode.end(report, how);
        update(transaction, number, &episode)?;
        ended += 1;
    }
    Ok(ended)
}

/// What is known of the declarations when a report is kept.
#[derive(Clone, Copy)]
pub(super) enum Known<'a> {
    /// All that the run was about.
    All(&'a Catalog),
    /// These digests.
    Digests(&'a Declared),
}

/// The digests of declarations, by kind and title.
#[derive(Default)]
pub(super) struct Declared(HashMap<(String, String), String>);

impl Declared {
    /// Those of the resources of `catalog` that `report` names.
    pub(super) fn named_in(report: &Report, catalog: &Catalog) -> Self {
        let named: HashSet<(&str, &str)> = report
            .resources
            .iter()
            .map(|resource| (resource.kind.as_str(), resource.title.as_str()))
            .collect();
        Self::new(catalog.resources.iter().filter(|resource| {
            named.contains(&(resource.reference.kind(), resource.reference.title()))
        }))
    }

    fn new<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> Self {
        let named = resources.into_iter().map(|resource| {
            let reference = &resource.reference;
            let name = (reference.kind().to_owned(), reference.title().to_owned());
            (name, hexadecimal(resource.digest.as_slice()))
        });
        Self(named.collect())
    }

    fn digest(&self, name: &(String, String)) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// Takes away what ended too long ago. A few at a time, as with runs: clocks jump.
pub(super) const FORGOTTEN: &str = "DELETE FROM episodes WHERE number IN
    (SELECT number FROM episodes WHERE ended < ?1 ORDER BY ended LIMIT 8)";

/// Forgets what ended before `oldest`, and the oldest of too many. What is open stays.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    oldest: &str,
    grown: bool,
) -> rusqlite::Result<()> {
    transaction.prepare_cached(FORGOTTEN)?.execute([oldest])?;
    if grown {
        transaction
            .prepare_cached(
                "DELETE FROM episodes
                 WHERE number <= (SELECT max(number) FROM episodes) - ?1 AND ended IS NOT NULL",
            )?
            .execute([KEPT])?;
    }
    Ok(())
}

fn last_of(
    transaction: &Transaction<'_>,
    (kind, title): &(String, String),
) -> rusqlite::Result<Option<Episode>> {
    transaction
        .prepare_cached(
            "SELECT document FROM episodes WHERE kind = ?1 AND title = ?2
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row(params![kind, title], episode)
        .optional()
        .map(Option::flatten)
}

fn insert(transaction: &Transaction<'_>, episode: &Episode) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO episodes (kind, title, first_seen, last_seen, ended, document)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            episode.kind,
            episode.title,
            episode.first_seen,
            episode.last_seen,
            episode.end.as_ref().map(|end| &end.at),
            document(episode)?
        ])
        .map(drop)
}

fn update(transaction: &Transaction<'_>, number: i64, episode: &Episode) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE episodes SET last_seen = ?2, ended = ?3, document = ?4 WHERE number = ?1",
        )?
        .execute(params![
            number,
            episode.last_seen,
            episode.end.as_ref().map(|end| &end.at),
            document(episode)?
        ])
        .map(drop)
}

fn document(episode: &Episode) -> rusqlite::Result<String> {
    serde_json::to_string(episode)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// The episode of a row; one that this version cannot read is passed over.
fn episode(row: &Row<'_>) -> rusqlite::Result<Option<Episode>> {
    let document: String = row.get(0)?;
    Ok(serde_json::from_str(&document).ok())
}

impl State {
    /// The episodes that `query` asks for, the newest first.
    pub fn episodes(&self, query: &EpisodeQuery) -> Result<Vec<Episode>, StateError> {
        let failed = || self.database.failed("reading the ledger of drift");
        let (text, values) = query.conditions().query("SELECT document FROM episodes", query.limit);
        let mut statement = self.database.connection.prepare_cached(&text).map_err(failed())?;
        let rows = statement.query_map(params_from_iter(values), episode).map_err(failed())?;
        let episodes: Vec<Option<Episode>> = rows.collect::<Result<_, _>>().map_err(failed())?;
        Ok(episodes.into_iter().flatten().collect())
    }

    /// How many episodes are open.
    pub fn open_episodes(&self) -> Result<u32, StateError> {
        self.database
            .connection
            .prepare_cached("SELECT count(*) FROM episodes WHERE ended IS NULL")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(self.database.failed("reading the ledger of drift"))
    }
}

#[cfg(test)]
mod tests;
