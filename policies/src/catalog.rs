//! The catalog: the resources this host should have, in order, with their edges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use steadfast_resources::kind::AnyWanted;
use steadfast_resources::{AnyKind, Reference, Text};

use crate::check::Check;
use crate::diagnostics::Diagnostics;
use crate::record::Record;
use crate::rules::SiteRules;

/// What evaluation may know besides the repository.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// The facts that policies can see, a JSON object.
    pub facts: serde_json::Value,
    /// The labels of the agent's own configuration.
    pub labels: BTreeMap<String, String>,
}

/// A host's resources in the order in which they are applied: every resource comes after all that
/// it depends on.
pub struct Catalog {
    /// The resources, in order.
    pub resources: Vec<Resource>,
    /// Every edge and why it exists, by its later end.
    pub edges: Vec<Edge>,
    /// SHA-256 over everything a resource can be asked for, in hexadecimal: equal digests mean
    /// equal wishes.
    pub digest: String,
    /// The names of the policies that this host has, assigned or included, in order.
    pub policies: Vec<String>,
    /// What must hold after this catalog was applied, in written order: the site's checks first.
    /// They are no part of the digest: they ask for nothing.
    pub checks: Vec<Check>,
    /// What the site says about every run; no part of the digest either.
    pub rules: SiteRules,
    /// What the author should know although it is no error.
    pub warnings: Diagnostics,
}

/// One resource of a catalog.
pub struct Resource {
    /// Kind and title.
    pub reference: Reference,
    /// The kind that handles it.
    pub kind: &'static dyn AnyKind,
    /// What is asked for, in the kind's own form.
    pub wanted: AnyWanted,
    /// Where it is declared.
    pub place: Place,
    /// The attributes that every resource has.
    pub common: Common,
    /// How it came to be declared; shared by all resources of one use of a policy.
    pub origin: Arc<Origin>,
    /// SHA-256 of the declaration (kind, title, attributes after evaluation): when it differs from
    /// the one last in force, a change is intentional and not drift.
    pub digest: [u8; 32],
    /// Indices of the resources that must not have failed before this one, ascending; all are
    /// smaller than this resource's own index.
    pub dependencies: Vec<u32>,
    /// Indices of the resources to be notified when this one changes; all are larger than this
    /// resource's own index.
    pub notifies: Vec<u32>,
    /// How it came to be; only [`evaluate_recorded`](crate::evaluate_recorded) keeps it.
    pub record: Option<Box<Record>>,
}

impl Resource {
    /// Every tag it has: its own, those it inherits, its kind, and the names of the policies and
    /// modules it comes from. A tag may come more than once.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let origin = &*self.origin;
        [self.reference.kind()]
            .into_iter()
            .chain(origin.policies.iter().map(|name| &**name))
            .chain(origin.modules.iter().map(Text::as_str))
            .chain(self.common.tags.iter().chain(&origin.tags).map(String::as_str))
    }

    /// Whether it has the tag `wanted`.
    pub fn has_tag(&self, wanted: &str) -> bool {
        self.tags().any(|tag| tag == wanted)
    }
}

/// How a resource came to be declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The policies that led to it, outermost first; the last one declares it.
    pub policies: Vec<Arc<str>>,
    /// The modules it was made by, outermost first.
    pub modules: Vec<Text>,
    /// The tags it inherits from assignments, policies and modules, sorted.
    pub tags: Vec<String>,
}

/// A place in the policy repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, relative to the repository's root.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// An edge of the resource graph and why it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Index of the resource that comes first.
    pub from: u32,
    /// Index of the resource that comes later.
    pub to: u32,
    /// Why.
    pub reason: EdgeReason,
}

/// Why an edge exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EdgeReason {
    /// `require` of the later one.
    Require(Place),
    /// `before` of the earlier one.
    Before(Place),
    /// `notify` of the earlier one.
    Notify(Place),
    /// `subscribe` of the later one.
    Subscribe(Place),
    /// The kinds know that one rests on the other.
    Automatic,
}

/// The attributes that every resource has and the engine acts on. (`require`, `before`, `notify`,
/// `subscribe`, `when` and `for_each` are used up by evaluation.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// Whether drift is corrected (true) or only reported.
    pub enforce: bool,
    /// Whether every value of this resource is hidden.
    pub sensitive: bool,
    /// What happens when the resource leaves the catalog.
    pub on_remove: OnRemove,
    /// Its own tags, sorted; see [`Resource::tags`] for all that it has.
    pub tags: Vec<String>,
    /// How long one try may take.
    pub timeout: Duration,
    /// How many more tries follow a failed one.
    pub retries: u32,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            enforce: true,
            sensitive: false,
            on_remove: OnRemove::Orphan,
            tags: Vec::new(),
            timeout: Duration::from_secs(300),
            retries: 0,
        }
    }
}

/// What happens when a resource leaves the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRemove {
    /// It stays as it is.
    #[default]
    Orphan,
    /// What was created is deleted.
    Delete,
    /// What was there before comes back.
    Restore,
}
