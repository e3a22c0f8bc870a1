//! Where a resource comes from and what became of it: everything that is known about one resource,
//! put together.
//!
//! Pure: policies say what fed it ([`steadfast_policies::trace`]), the history of the repository
//! who wrote that, the catalog what it rests on, the state what happened to it on this host.

mod edges;
mod name;
mod touched;

use serde::Serialize;
use steadfast_policies::Catalog;
use steadfast_policies::trace::{Absent, Subject};

pub use edges::{Neighbour, neighbours};
pub use name::parse_name;
pub use touched::{Change, ChangedFile, ChangedLines, changed_file, changed_lines};

use crate::drift::Episode;
use crate::report::Revision;
use crate::state::{KeptRuns, OwedNotification};

/// The version of the document's schema.
pub const EXPLANATION_SCHEMA: u32 = 1;

/// Everything known about one resource.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The version of this document's schema.
    pub schema: u32,
    /// The kind.
    pub kind: String,
    /// The title.
    pub title: String,
    /// The host's name.
    pub host: String,
    /// Where the policies come from.
    pub revision: Revision,
    /// Whether the host has it.
    pub present: bool,
    /// What declares and feeds it; `None` where the host does not have it.
    #[serde(flatten)]
    pub subject: Option<Subject>,
    /// Declarations that this host leaves out, where it does not have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Absent>,
    /// Names of resources of this host that were perhaps meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<String>,
    /// Who last touched the lines that declare it, the youngest change first.
    pub touched: Vec<ChangedLines>,
    /// Who last touched the files it is made of.
    pub files: Vec<ChangedFile>,
    /// Why the last two are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_history: Option<String>,
    /// What it comes after, and why.
    pub after: Vec<Neighbour>,
    /// What comes after it, and why.
    pub before: Vec<Neighbour>,
    /// What happened to it on this host; `None` where nothing is recorded.
    pub runs: Option<KeptRuns>,
    /// Its episodes of drift, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub episodes: Vec<Episode>,
    /// Notifications that it is still to get.
    pub owed: Vec<OwedNotification>,
    /// What else should be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The index of the resource of `kind` titled `title`.
pub fn position(catalog: &Catalog, kind: &str, title: &str) -> Option<usize> {
    catalog.resources.iter().position(|resource| {
        resource.reference.kind() == kind && resource.reference.title() == title
    })
}
