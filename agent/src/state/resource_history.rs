//! What the kept reports say about one resource.

use serde::Serialize;

use super::{RunQuery, State, StateError, results};
use crate::report::{Report, ResourceReport};

/// The runs that are kept, as far as they concern one resource.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KeptRuns {
    /// How many runs are kept.
    pub kept: u32,
    /// When the oldest of them began (RFC 3339).
    pub since: Option<String>,
    /// Those in which something happened to it, the newest first.
    pub runs: Vec<ResourceRun>,
}

/// What happened to one resource in one run.
#[derive(Debug, Clone, Serialize)]
pub struct ResourceRun {
    /// The run's id.
    pub run: String,
    /// When it began (RFC 3339).
    pub started: String,
    /// `enforce` or `audit`.
    pub mode: String,
    /// The commit that was applied, where it was one.
    pub commit: Option<String>,
    /// What happened.
    pub resource: ResourceReport,
}

impl State {
    /// The newest `limit` runs in which the resource was not simply in sync, or was notified.
    /// Reports that this version cannot read are passed over.
    pub fn runs_with(&self, kind: &str, title: &str, limit: usize) -> Result<KeptRuns, StateError> {
        let failed = || self.database.failed("looking through the reports");
        let connection = &self.database.connection;
        let (kept, since) = connection
            .query_row("SELECT count(*), min(started) FROM runs", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(failed())?;
        let mut found = KeptRuns { kept, since, runs: Vec::new() };
        let resource = Some((kind.to_owned(), title.to_owned()));
        let limit = u32::try_from(limit).ok();
        self.visit_runs(&RunQuery { resource, limit, since: None }, |report| {
            found.runs.extend(of(report, kind, title));
            true
        })?;
        Ok(found)
    }
}

fn of(report: Report, kind: &str, title: &str) -> Option<ResourceRun> {
    let told = |resource: &ResourceReport| {
        resource.kind == kind && resource.title == title && results::is_told(resource)
    };
    let Report { id: run, started, mode, revision, resources, .. } = report;
    let resource = resources.into_iter().find(told)?;
    Some(ResourceRun { run, started, mode, commit: revision.commit, resource })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Counts, Outcome, ResourceState, Revision, SCHEMA, Scope};
    use crate::state::Retention;

    fn report(id: &str, resources: Vec<ResourceReport>) -> Report {
        Report {
            schema: SCHEMA,
            id: id.to_owned(),
            host: "web1".to_owned(),
            trigger: "manual".to_owned(),
            mode: "enforce".to_owned(),
            agent_version: String::new(),
            started: format!("2026-01-01T00:00:00Z {id}"),
            duration: 0.0,
            revision: Revision::default(),
            catalog: None,
            policies: Vec::new(),
            wanted: None,
            overrides: Vec::new(),
            outcome: Outcome::Changed,
            scope: Scope::Host,
            focus: None,
            counts: Counts::default(),
            resources,
            owed: Vec::new(),
            messages: Vec::new(),
            previous: None,
        }
    }

    #[test]
    fn a_resource_is_found_in_the_runs_that_did_something_to_it() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let state = State::open(&directory.path().join("state")).expect("the state");
        let title = "/etc/a \"b\"";
        let told = |title: &str, resource_state| {
            let (kind, file) = ("file".to_owned(), "x".to_owned());
            ResourceReport::blank(kind, title.to_owned(), file, 1, resource_state)
        };
        for (number, resources) in [
            vec![told(title, ResourceState::Changed)],
            vec![told("/etc/other", ResourceState::Failed)],
            vec![told(title, ResourceState::InSync)],
            vec![told("/etc/other", ResourceState::Changed), told(title, ResourceState::Failed)],
        ]
        .into_iter()
        .enumerate()
        {
            let report = report(&format!("run{number}"), resources);
            let kept = state.keep_report(&report, None, &Retention::new(100, 100_000));
            assert!(kept.expect("the report is kept"));
        }
        let found = state.runs_with("file", title, 10).expect("the runs");
        let runs: Vec<&str> = found.runs.iter().map(|run| run.run.as_str()).collect();
        assert_eq!((found.kept, runs), (4, vec!["run3", "run0"]));
        assert_eq!(state.runs_with("file", title, 1).expect("the runs").runs.len(), 1);
        assert!(state.runs_with("user", title, 10).expect("the runs").runs.is_empty());
    }
}
