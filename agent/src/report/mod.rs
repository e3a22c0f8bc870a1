//! A run's report: every resource accounted for. What happened, to what, and why.
//!
//! One JSON document for each run. A stored document leaves out the resources that were simply in
//! sync; [`Report::completed`] puts them back from the catalog's listing.

mod scope;
mod states;
mod summary;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use steadfast_policies::Catalog;
use steadfast_resources::{Actor, Change};

pub use scope::{ResourceName, Scope};
pub use states::{Counts, ResourceState};
pub use summary::RunSummary;

use crate::state::{OwedNotification, digest};

/// The version of the document's schema.
pub const SCHEMA: u32 = 1;

/// What happened in one run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this document's schema.
    pub schema: u32,
    /// The run's id.
    pub id: String,
    /// The host's name.
    pub host: String,
    /// What started the run: `interval`, `event`, `push`, `manual`, `boot` and others.
    pub trigger: String,
    /// `enforce`, `audit` (nothing is changed) or `paused` (nothing is changed for now).
    pub mode: String,
    /// The agent's version.
    pub agent_version: String,
    /// When the run began: RFC 3339, UTC.
    pub started: String,
    /// How long the run took, in seconds.
    pub duration: f64,
    /// What was applied.
    pub revision: Revision,
    /// The digest of the catalog, if there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub catalog: Option<String>,
    /// The policies assigned to this host.
    pub policies: Vec<String>,
    /// The run in one word.
    pub outcome: Outcome,
    /// The revision that should have been applied and could not be; why is among the messages.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wanted: Option<Revision>,
    /// What an operator has ordered for a time.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub overrides: Vec<Override>,
    /// What the run was about.
    #[serde(default)]
    pub scope: Scope,
    /// The resources that the run looked at, where it was about some only (`scope` is `focus`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub focus: Option<Vec<ResourceName>>,
    /// How many resources ended in which state.
    pub counts: Counts,
    /// The resources, in the order of the catalog.
    pub resources: Vec<ResourceReport>,
    /// Notifications still owed after the run.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub owed: Vec<OwedNotification>,
    /// What a person should know about the run as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub messages: Vec<String>,
    /// SHA-256 of the report before this one, so that none can be taken out unseen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<String>,
}

/// Where the catalog came from.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// The repository as it was named, without credentials.
    pub source: String,
    /// The commit, where the source is Git.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// The commit's author.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub author: Option<String>,
    /// The commit's committer time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub committed: Option<String>,
    /// The first line of the commit's message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// How far the revision was verified; `none` says that nothing was.
    pub verification: String,
}

/// Something that an operator has ordered for a time, whatever the policies say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Override {
    /// What was ordered.
    pub kind: OverrideKind,
    /// The operator's reason.
    pub reason: String,
    /// The operator who ordered it.
    pub by: String,
    /// When it was ordered: RFC 3339, UTC.
    pub since: String,
    /// When it ends by itself: RFC 3339, UTC.
    pub until: String,
    /// For a rollback, the commit that is held.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revision: Option<String>,
}

impl std::fmt::Display for Override {
    /// `paused by alice until …: a reason`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.kind, &self.revision) {
            (OverrideKind::Pause, _) => formatter.write_str("paused")?,
            (OverrideKind::Rollback, Some(revision)) => {
                write!(formatter, "held at {}", revision.get(..12).unwrap_or(revision))?;
            }
            (OverrideKind::Rollback, None) => formatter.write_str("held at an earlier revision")?,
        }
        write!(formatter, " by {} until {}: {}", self.by, self.until, self.reason)
    }
}

/// What can be ordered for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverrideKind {
    /// Nothing is changed.
    Pause,
    /// An earlier revision is in force.
    Rollback,
}

/// A run in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing was to be done.
    Converged,
    /// Declarations had changed, and so has the machine.
    Changed,
    /// Drift was corrected (and declarations may have changed too).
    Corrected,
    /// There is drift that was not to be corrected.
    Drifted,
    /// A resource failed.
    Failed,
    /// The run stopped before its end.
    Interrupted,
    /// The run was refused before it changed anything (a saved plan that no longer holds).
    Refused,
}

impl Outcome {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Changed => "changed",
            Self::Corrected => "corrected",
            Self::Drifted => "drifted",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Refused => "refused",
        }
    }
}

/// What happened to one resource.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ResourceReport {
    /// The resource's kind.
    pub kind: String,
    /// The resource's title.
    pub title: String,
    /// The policy file that declares it.
    pub file: String,
    /// The line of that file.
    pub line: u32,
    /// How it ended.
    pub state: ResourceState,
    /// Whether the same declaration was in force before: what differed is drift, and no intended
    /// change.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub drift: bool,
    /// Why it failed, was skipped, was not corrected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// The output of a command or journal lines that show it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<String>,
    /// The resource whose failure blocks this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blocked_by: Option<String>,
    /// The steps that were taken (or, for drift, that would be), as a person reads them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub steps: Vec<String>,
    /// The properties that changed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<Change>,
    /// What a notification did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub notified: Option<String>,
    /// Whether the steps differ from the plan made at the run's beginning.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub differs_from_plan: bool,
    /// Digests in the file bucket of the contents that were replaced, with their paths.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub kept: Vec<(String, String)>,
    /// What a person should know although nothing is to be done.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// Who changed it before, where the kernel told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub actor: Option<Actor>,
    /// How long it took, in seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration: Option<f64>,
}

impl ResourceReport {
    /// The resource's name as policies write it.
    pub fn reference(&self) -> String {
        display_reference(&self.kind, &self.title)
    }

    /// A report that says nothing yet but who, where and the state.
    pub fn blank(
        kind: String,
        title: String,
        file: String,
        line: u32,
        state: ResourceState,
    ) -> Self {
        Self {
            kind,
            title,
            file,
            line,
            state,
            drift: false,
            reason: None,
            hint: None,
            output: None,
            blocked_by: None,
            steps: Vec::new(),
            changes: Vec::new(),
            notified: None,
            differs_from_plan: false,
            kept: Vec::new(),
            notes: Vec::new(),
            actor: None,
            duration: None,
        }
    }
}

/// `kind.title`, the title in quotes where it needs them.
pub fn display_reference(kind: &str, title: &str) -> String {
    let bare = !title.is_empty()
        && title.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { format!("{kind}.{title}") } else { format!("{kind}.{title:?}") }
}

/// One resource of a catalog's listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedResource {
    /// The resource's kind.
    pub kind: String,
    /// The resource's title.
    pub title: String,
    /// The policy file that declares it.
    pub file: String,
    /// The line of that file.
    pub line: u32,
}

/// The listing of a catalog: every resource and where it is declared.
pub fn listing(catalog: &Catalog) -> Vec<ListedResource> {
    catalog
        .resources
        .iter()
        .map(|resource| ListedResource {
            kind: resource.reference.kind().to_owned(),
            title: resource.reference.title().to_owned(),
            file: resource.place.file.to_string(),
            line: resource.place.line,
        })
        .collect()
}

impl Report {
    /// Whether an event has started the run, and it found nothing: nobody will ever want to know of
    /// it, unless it ended an episode of drift.
    pub fn is_nothing(&self) -> bool {
        let settled = self.counts.in_sync + self.counts.skipped == self.counts.total;
        // One that came to no end has found nothing out.
        let ended =
            !matches!(self.outcome, Outcome::Failed | Outcome::Interrupted | Outcome::Refused);
        self.trigger == "event" && self.scope == Scope::Focus && settled && ended
    }

    /// The whole report: resources that were simply in sync are put back from `listing`. Of a run
    /// that was about some resources, those are all there are.
    #[must_use]
    pub fn completed(mut self, listing: &[ListedResource]) -> Self {
        if listing.is_empty() {
            return self;
        }
        let mut told: std::collections::HashMap<(String, String), ResourceReport> = self
            .resources
            .drain(..)
            .map(|resource| ((resource.kind.clone(), resource.title.clone()), resource))
            .collect();
        let focus: Option<std::collections::HashSet<(&str, &str)>> =
            self.focus.as_ref().map(|focus| {
                focus.iter().map(|name| (name.kind.as_str(), name.title.as_str())).collect()
            });
        let looked_at = |listed: &&ListedResource| {
            let name = (listed.kind.as_str(), listed.title.as_str());
            focus.as_ref().is_none_or(|focus| focus.contains(&name))
        };
        self.resources = listing
            .iter()
            .filter(looked_at)
            .map(|listed| {
                told.remove(&(listed.kind.clone(), listed.title.clone())).unwrap_or_else(|| {
                    let ListedResource { kind, title, file, line } = listed.clone();
                    ResourceReport::blank(kind, title, file, line, ResourceState::InSync)
                })
            })
            .collect();
        self
    }
}

/// SHA-256 of a stored document, in hexadecimal: what the next report's `previous` says.
pub fn document_digest(document: &str) -> String {
    digest(document.as_bytes())
}
