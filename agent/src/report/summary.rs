//! A run in one line.

use serde::{Deserialize, Serialize};

use super::{Counts, Outcome, Report, Scope};

/// What lists and timelines say of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The run's id.
    pub id: String,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub duration: f64,
    /// What started it.
    pub trigger: String,
    /// `enforce`, `audit` or `paused`.
    pub mode: String,
    /// What it was about.
    pub scope: Scope,
    /// The run in one word.
    pub outcome: Outcome,
    /// The commit that was applied, where the source is Git.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// The first line of the commit's message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// How many resources ended in which state.
    pub counts: Counts,
}

impl RunSummary {
    /// The summary of `report`.
    pub fn of(report: &Report) -> Self {
        Self {
            id: report.id.clone(),
            started: report.started.clone(),
            duration: report.duration,
            trigger: report.trigger.clone(),
            mode: report.mode.clone(),
            scope: report.scope,
            outcome: report.outcome,
            commit: report.revision.commit.clone(),
            subject: report.revision.subject.clone(),
            counts: report.counts,
        }
    }

    /// It as JSON.
    pub(crate) fn document(&self) -> String {
        // Plain numbers and strings can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}
