//! The history as programs read it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::drift::Episode;
use crate::report::RunSummary;

/// The version of these documents' schemas.
pub const HISTORY_SCHEMA: u32 = 1;

/// Episodes of drift.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DriftDocument {
    /// The version of this document's schema.
    pub schema: u32,
    /// How far it goes back: RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// How many of the episodes nothing has put right yet.
    pub open: usize,
    /// The episodes, the newest first.
    pub episodes: Vec<Episode>,
}

impl DriftDocument {
    /// The document of these episodes.
    pub fn new(episodes: Vec<Episode>, since: Option<String>) -> Self {
        let open = episodes.iter().filter(|episode| episode.is_open()).count();
        Self { schema: HISTORY_SCHEMA, since, open, episodes }
    }
}

/// A list of runs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunsDocument {
    /// The version of this document's schema.
    pub schema: u32,
    /// The runs, the newest first.
    pub runs: Vec<RunSummary>,
}

impl RunsDocument {
    /// The document of these runs.
    pub fn new(runs: Vec<RunSummary>) -> Self {
        Self { schema: HISTORY_SCHEMA, runs }
    }
}
