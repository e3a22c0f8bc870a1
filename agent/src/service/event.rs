//! What followers of the agent are told while a run goes, one JSON object a line.

use serde::{Deserialize, Serialize};

use crate::report::{Report, ResourceReport};

/// Something that has happened in a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run waits for its turn.
    Queued {
        /// The number of the run's job, for the followers of this agent process.
        job: u64,
    },
    /// It begins.
    Begun {
        /// The job.
        job: u64,
        /// What started it.
        trigger: String,
    },
    /// The plan is made.
    Planned {
        /// The job.
        job: u64,
        /// All resources.
        total: usize,
        /// Those that are not as declared.
        open: usize,
        /// The commit that is applied.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        commit: Option<String>,
    },
    /// A resource has had its turn and was not simply in sync.
    Resource {
        /// The job.
        job: u64,
        /// What happened to it.
        resource: Box<ResourceReport>,
    },
    /// It has ended.
    Ended {
        /// The job.
        job: u64,
        /// The report, without the resources (they were told one by one).
        #[serde(skip_serializing_if = "Option::is_none", default)]
        report: Option<Box<Report>>,
        /// Why there was no run at all.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        refused: Option<String>,
    },
    /// The follower was too slow; this many events are missing.
    Missed {
        /// How many.
        events: u64,
    },
}

impl Event {
    /// The job it is about.
    pub fn job(&self) -> Option<u64> {
        match self {
            Self::Queued { job }
            | Self::Begun { job, .. }
            | Self::Planned { job, .. }
            | Self::Resource { job, .. }
            | Self::Ended { job, .. } => Some(*job),
            Self::Missed { .. } => None,
        }
    }
}
