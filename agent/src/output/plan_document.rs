//! A plan as JSON: what `plan --json` prints and `apply --plan` compares.

use serde::{Deserialize, Serialize};
use steadfast_policies::Catalog;
use steadfast_resources::{Change, Failure};

use crate::engine::{Entry, Plan, Selection, unkept};
use crate::report::Revision;

/// The version of the document's schema.
pub const PLAN_SCHEMA: u32 = 1;

/// A whole plan. Resources that are in sync are only counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanDocument {
    /// The version of this document's schema.
    pub schema: u32,
    /// The host the plan was made on.
    pub host: String,
    /// The repository as it was named.
    pub source: String,
    /// The commit, where the source is Git.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// The digest of the catalog.
    pub catalog: String,
    /// `enforce`, or `audit` where applying changes nothing.
    pub mode: String,
    /// All resources of the catalog.
    pub total: usize,
    /// Those that are as declared.
    pub in_sync: usize,
    /// The others, in the order in which they are applied.
    pub resources: Vec<PlannedResource>,
    /// Which resources it is about, where not all.
    #[serde(skip_serializing_if = "Selection::is_all", default)]
    pub selection: Selection,
    /// What a person should know about the plan as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// What the author should know.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
}

/// What is planned for one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedResource {
    /// The kind.
    pub kind: String,
    /// The title.
    pub title: String,
    /// The file that declares it.
    pub file: String,
    /// The line.
    pub line: u32,
    /// `change` (its declaration has changed), `drift` (it has not), `notify`, `fail`, `blocked`,
    /// `drift_only` (found, and not to be enforced), or `skip` (not looked at, on purpose).
    pub intent: String,
    /// The steps.
    pub steps: Vec<PlannedStep>,
    /// Why the steps may turn out otherwise.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub condition: Option<String>,
    /// What a notification would do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh: Option<String>,
    /// Whose change it would be notified of.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notified_by: Vec<String>,
    /// Why it would fail, and what to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<PlannedFailure>,
    /// The resource whose failure would block it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blocked_by: Option<String>,
    /// What a person should know.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The line a person reads.
    pub summary: String,
    /// The step as its kind describes it.
    pub action: serde_json::Value,
    /// The properties it changes.
    pub changes: Vec<Change>,
    /// Whether it interrupts something in use.
    pub disruptive: bool,
}

/// Why a resource would fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedFailure {
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

impl From<&Failure> for PlannedFailure {
    fn from(failure: &Failure) -> Self {
        Self { reason: failure.reason.clone(), hint: failure.hint.clone() }
    }
}

impl PlanDocument {
    /// The document of `plan`.
    pub fn new(
        catalog: &Catalog,
        plan: &Plan,
        revision: &Revision,
        host: &str,
        audit: bool,
    ) -> Self {
        let resources: Vec<PlannedResource> = plan
            .entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| planned_resource(catalog, index, entry))
            .collect();
        let quiet = resources.iter().filter(|resource| resource.intent == "none").count();
        Self {
            schema: PLAN_SCHEMA,
            host: host.to_owned(),
            source: revision.source.clone(),
            commit: revision.commit.clone(),
            catalog: catalog.digest.clone(),
            mode: if audit { "audit" } else { "enforce" }.to_owned(),
            total: catalog.resources.len(),
            in_sync: catalog.resources.len() - resources.len() + quiet,
            resources,
            selection: plan.selection.clone(),
            notes: unkept(catalog),
            warnings: catalog
                .warnings
                .iter()
                .map(|warning| match &warning.place {
                    Some(place) => format!("{place}: {}", warning.message),
                    None => warning.message.clone(),
                })
                .collect(),
        }
    }

    /// Whether applying would do the same as `saved` says: the same catalog and the same steps.
    /// Otherwise the first difference, in words.
    pub fn difference(&self, saved: &Self) -> Option<String> {
        if self.host != saved.host {
            return Some(format!("it was made on host {}", saved.host));
        }
        if self.catalog != saved.catalog {
            return Some("the catalog has changed since it was made".into());
        }
        if self.selection != saved.selection {
            return Some(if saved.selection.is_all() {
                "it was made for all resources".into()
            } else {
                format!("it was made with {}", saved.selection)
            });
        }
        let name = |resource: &PlannedResource| {
            crate::report::display_reference(&resource.kind, &resource.title)
        };
        for (now, then) in self.resources.iter().zip(&saved.resources) {
            if now != then {
                return Some(format!(
                    "what is to be done for {} has changed since it was made",
                    name(if name(now) == name(then) { now } else { then })
                ));
            }
        }
        let longer = if self.resources.len() > saved.resources.len() { self } else { saved };
        let shorter = self.resources.len().min(saved.resources.len());
        longer.resources.get(shorter).map(|resource| {
            format!("what is to be done for {} has changed since it was made", name(resource))
        })
    }
}

fn planned_resource(catalog: &Catalog, index: usize, entry: &Entry) -> Option<PlannedResource> {
    let resource = catalog.resources.get(index)?;
    let mut planned = PlannedResource {
        kind: resource.reference.kind().to_owned(),
        title: resource.reference.title().to_owned(),
        file: resource.place.file.to_string(),
        line: resource.place.line,
        intent: String::new(),
        steps: Vec::new(),
        condition: None,
        refresh: None,
        notified_by: Vec::new(),
        failure: None,
        blocked_by: None,
        notes: Vec::new(),
    };
    match entry {
        Entry::NotLookedAt => return None,
        Entry::InSync(notes) if notes.is_empty() => return None,
        Entry::InSync(notes) => {
            planned.intent = "none".into();
            planned.notes.clone_from(notes);
        }
        Entry::Skipped(reason) => {
            planned.intent = "skip".into();
            planned.notes = vec![reason.clone()];
        }
        Entry::Failed(failure) => {
            planned.intent = "fail".into();
            planned.failure = Some(failure.as_ref().into());
        }
        Entry::Blocked(cause) => {
            planned.intent = "blocked".into();
            planned.blocked_by =
                catalog.resources.get(*cause).map(|cause| cause.reference.to_string());
        }
        Entry::Planned(entry) => {
            planned.intent = match (entry.planned.steps.is_empty(), entry.drift) {
                _ if !resource.common.enforce => "drift_only",
                (true, _) => "notify",
                (false, true) => "drift",
                (false, false) => "change",
            }
            .into();
            planned.condition.clone_from(&entry.planned.condition);
            planned.refresh.clone_from(&entry.refresh);
            planned.notified_by.clone_from(&entry.notified_by);
            planned.notes.clone_from(&entry.planned.notes);
            planned.steps = entry
                .planned
                .steps
                .iter()
                .map(|step| PlannedStep {
                    summary: step.summary(),
                    action: step.action_json(),
                    changes: step.changes.clone(),
                    disruptive: step.disruptive,
                })
                .collect();
        }
    }
    if resource.common.sensitive {
        hide(&mut planned);
    }
    Some(planned)
}

/// Hides everything about a sensitive resource but that something is to be done to which property.
fn hide(planned: &mut PlannedResource) {
    const HIDDEN: &str = "(hidden: the resource is sensitive)";
    if let Some(failure) = &mut planned.failure {
        HIDDEN.clone_into(&mut failure.reason);
        failure.hint = None;
    }
    for text in [&mut planned.condition, &mut planned.refresh].into_iter().flatten() {
        HIDDEN.clone_into(text);
    }
    planned.notes.clear();
    for step in &mut planned.steps {
        HIDDEN.clone_into(&mut step.summary);
        step.action = serde_json::Value::Null;
        step.changes.iter_mut().for_each(crate::engine::hide_change);
    }
}
