//! What the running agent says of itself: the part of `status` that is not in the database.

use serde::{Deserialize, Serialize};

use crate::report::{Counts, Outcome, Override, Report, Revision};

/// The version of the document's schema.
pub(super) const SCHEMA: u32 = 1;

/// The running agent, as `GET /v1/status` has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Live {
    /// The version of this document's schema.
    pub schema: u32,
    /// The agent's version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// When it started: RFC 3339, UTC.
    pub started: String,
    /// `enforce` or `audit`, as configured.
    pub mode: String,
    /// The repository, without credentials.
    pub repository: String,
    /// The branch; absent for the repository's default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub branch: Option<String>,
    /// The run at work.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub running: Option<Running>,
    /// The last run about everything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_run: Option<LastRun>,
    /// The last one since then that an event has started, where it found something.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_event: Option<LastRun>,
    /// What a person should know about the last run about everything.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub messages: Vec<String>,
    /// The repository's server.
    pub polling: Polling,
    /// Orders in force.
    pub overrides: Vec<Override>,
    /// Resources that are left alone because something else keeps changing them.
    pub left_alone: Vec<String>,
    /// How drift is noticed.
    pub watching: String,
    /// Why the configuration on disk is not the one in use, if so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub configuration: Option<String>,
    /// Why the last run could not even begin, if so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}

/// The run at work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    /// What started it.
    pub trigger: String,
    /// Since when: RFC 3339, UTC.
    pub since: String,
    /// All resources, once that is known.
    pub total: usize,
    /// Those that are not as declared.
    pub open: usize,
    /// Those of them that have had their turn.
    pub done: usize,
}

/// A run that has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LastRun {
    /// Its id.
    pub id: String,
    /// What started it.
    pub trigger: String,
    /// When: RFC 3339, UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub duration: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// The resources by state.
    pub counts: Counts,
    /// What was applied.
    pub revision: Revision,
    /// What should have been.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wanted: Option<Revision>,
}

impl From<&Report> for LastRun {
    fn from(report: &Report) -> Self {
        Self {
            id: report.id.clone(),
            trigger: report.trigger.clone(),
            started: report.started.clone(),
            duration: report.duration,
            outcome: report.outcome,
            counts: report.counts,
            revision: report.revision.clone(),
            wanted: report.wanted.clone(),
        }
    }
}

/// The repository's server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Polling {
    /// When it was asked last: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asked: Option<String>,
    /// When it last answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answered: Option<String>,
    /// Where the branch was then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub head: Option<String>,
    /// Why it did not answer the last time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<String>,
    /// How often in a row it has not.
    pub failures: u32,
    /// In how many seconds it is asked again; absent while it is asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<u64>,
}
