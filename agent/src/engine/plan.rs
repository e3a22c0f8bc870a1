//! Planning: every resource observed once, and the steps that would be taken.

use std::collections::HashMap;

use steadfast_policies::{Catalog, Resource};
use steadfast_resources::host::View;
use steadfast_resources::kind::{AnyKind, AnyPlanned, AnyWanted};
use steadfast_resources::{Failure, Pending, Provision, Reference};

use super::circumstances::Circumstances;
use super::selection::Selection;
use crate::state::{InForce, OwedNotification};

/// What is planned for every resource of a catalog, in its order.
#[derive(Debug)]
pub struct Plan {
    /// Which resources it is about.
    pub selection: Selection,
    /// One entry for each resource, in the catalog's order.
    pub entries: Vec<Entry>,
    /// Whether each was in force before, as it is declared now: what differs from it is drift, also
    /// where that shows only at its turn.
    pub in_force: Vec<bool>,
}

/// What is planned for one resource.
#[derive(Debug)]
pub enum Entry {
    /// As declared. Notes are rare.
    InSync(Vec<String>),
    /// Steps to take, or a notification to act on.
    Planned(Box<PlannedEntry>),
    /// It cannot be observed, or its steps cannot be made.
    Failed(Box<Failure>),
    /// The resource at this index fails, and this one rests on it.
    Blocked(usize),
    /// Not looked at, on purpose; why.
    Skipped(String),
    /// Not looked at, because the run is about others.
    NotLookedAt,
}

/// Steps to take, or a notification to act on.
#[derive(Debug)]
pub struct PlannedEntry {
    /// The kind's plan.
    pub planned: AnyPlanned,
    /// Whether the same declaration was in force before: what differs is drift.
    pub drift: bool,
    /// The resources whose change it would be notified of, and notifications owed from before.
    pub notified_by: Vec<String>,
    /// What that notification would do, in words.
    pub refresh: Option<String>,
}

impl Entry {
    /// The planned steps and notifications, if any.
    pub fn planned(&self) -> Option<&PlannedEntry> {
        match self {
            Self::Planned(planned) => Some(planned),
            _ => None,
        }
    }

    fn has_steps(&self) -> bool {
        self.planned().is_some_and(|entry| !entry.planned.steps.is_empty())
    }
}

impl Plan {
    /// Whether applying the plan would change anything.
    pub fn is_empty(&self) -> bool {
        self.entries
            .iter()
            .all(|entry| matches!(entry, Entry::InSync(_) | Entry::Skipped(_) | Entry::NotLookedAt))
    }

    /// Whether some resource would fail or be blocked.
    pub fn has_failures(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Failed(_) | Entry::Blocked(_)))
    }
}

/// The most pending dependencies that a resource is told of; a plan of thousands of new resources
/// must not grow with their square.
const DEPENDENCY_LIMIT: usize = 16;

/// Plans every resource of `catalog` against the machine as `view` shows it. Changes nothing, by
/// type.
pub fn make_plan(
    catalog: &Catalog,
    view: &View<'_>,
    in_force: &InForce,
    owed: &[OwedNotification],
) -> Plan {
    let circumstances = Circumstances::default();
    make_plan_of(&Selection::default(), &circumstances, catalog, view, in_force, owed)
}

/// [`make_plan`], of the selected resources: the others are not looked at.
pub fn make_plan_of(
    selection: &Selection,
    circumstances: &Circumstances,
    catalog: &Catalog,
    view: &View<'_>,
    in_force: &InForce,
    owed: &[OwedNotification],
) -> Plan {
    announce(selection, circumstances, catalog, view);
    let mut planning = Planning::new(catalog, circumstances, owed);
    for (index, resource) in catalog.resources.iter().enumerate() {
        let entry = match selection.reason_to_skip(resource) {
            _ if !circumstances.looks_at(index) => Entry::NotLookedAt,
            Some(reason) => Entry::Skipped(reason),
            None => planning.entry(index, resource, view, in_force),
        };
        planning.entries.push(entry);
    }
    let in_force = catalog.resources.iter().map(|resource| in_force.has(resource)).collect();
    Plan { selection: selection.clone(), entries: planning.entries, in_force }
}

/// Tells each kind about all its resources, so that what is read for one is read for all at once.
fn announce(
    selection: &Selection,
    circumstances: &Circumstances,
    catalog: &Catalog,
    view: &View<'_>,
) {
    let mut by_kind: Vec<(&'static dyn AnyKind, Vec<&AnyWanted>)> = Vec::new();
    for (index, resource) in catalog.resources.iter().enumerate() {
        if !circumstances.looks_at(index) || selection.reason_to_skip(resource).is_some() {
            continue;
        }
        let name = resource.reference.kind();
        match by_kind.iter_mut().find(|(kind, _)| kind.declaration().name == name) {
            Some((_, wanted)) => wanted.push(&resource.wanted),
            None => by_kind.push((resource.kind, vec![&resource.wanted])),
        }
    }
    for (kind, wanted) in by_kind {
        kind.announce(&wanted, view);
    }
}

/// What pending steps will provide.
#[derive(Default)]
struct Coming {
    provisions: HashMap<Provision, Reference>,
    /// The first package with pending steps: nobody here can know what it brings.
    package: Option<Reference>,
}

impl Coming {
    fn add(&mut self, provision: Provision, provider: &Reference) {
        if matches!(provision, Provision::Package(_)) && self.package.is_none() {
            self.package = Some(provider.clone());
        }
        self.provisions.insert(provision, provider.clone());
    }
}

struct Planning<'a> {
    catalog: &'a Catalog,
    circumstances: &'a Circumstances,
    entries: Vec<Entry>,
    /// What is to come.
    coming: Coming,
    /// The same with what would come if nothing were only reported: for what is only reported itself.
    would_come: Coming,
    /// Pending dependencies of resources, direct or not; only for those that have any.
    pending: HashMap<usize, Vec<Reference>>,
    notified_by: HashMap<usize, Vec<String>>,
}

impl<'a> Planning<'a> {
    fn new(
        catalog: &'a Catalog,
        circumstances: &'a Circumstances,
        owed: &[OwedNotification],
    ) -> Self {
        let mut notified_by: HashMap<usize, Vec<String>> = HashMap::new();
        if !owed.is_empty() {
            let indices: HashMap<(&str, &str), usize> = catalog
                .resources
                .iter()
                .enumerate()
                .map(|(index, resource)| {
                    ((resource.reference.kind(), resource.reference.title()), index)
                })
                .collect();
            for owed in owed {
                if let Some(index) =
                    indices.get(&(owed.target_kind.as_str(), owed.target_title.as_str()))
                {
                    let text = format!("{} (owed since {})", owed.source, owed.since);
                    notified_by.entry(*index).or_default().push(text);
                }
            }
        }
        Self {
            catalog,
            circumstances,
            entries: Vec::with_capacity(catalog.resources.len()),
            coming: Coming::default(),
            would_come: Coming::default(),
            pending: HashMap::new(),
            notified_by,
        }
    }

    fn entry(
        &mut self,
        index: usize,
        resource: &Resource,
        view: &View<'_>,
        in_force: &InForce,
    ) -> Entry {
        if let Some(cause) = self.blocking(resource) {
            return Entry::Blocked(cause);
        }
        let dependencies = self.pending_dependencies(resource);
        let leaves =
            self.circumstances.reason_to_leave(index, resource, in_force.has(resource)).is_some();
        let corrects = !leaves;
        let coming = if corrects { &self.coming } else { &self.would_come };
        let pending =
            Pending::new(&coming.provisions, &dependencies).with_package(coming.package.as_ref());
        let planned = resource.kind.plan(&resource.wanted, view, &pending);
        let entry = match planned {
            Err(failure) => Entry::Failed(Box::new(failure)),
            Ok(planned) => self.classify(index, resource, planned, view, in_force),
        };
        if entry.has_steps() {
            for provision in resource.kind.provides(&resource.wanted) {
                if corrects {
                    self.coming.add(provision.clone(), &resource.reference);
                }
                self.would_come.add(provision, &resource.reference);
            }
        }
        if entry.has_steps() && corrects {
            for target in &resource.notifies {
                let text = resource.reference.to_string();
                self.notified_by.entry(*target as usize).or_default().push(text);
            }
        }
        if !dependencies.is_empty() {
            self.pending.insert(index, dependencies);
        }
        entry
    }

    fn blocking(&self, resource: &Resource) -> Option<usize> {
        resource.dependencies.iter().find_map(|dependency| {
            match self.entries.get(*dependency as usize)? {
                Entry::Failed(_) => Some(*dependency as usize),
                Entry::Blocked(cause) => Some(*cause),
                _ => None,
            }
        })
    }

    fn pending_dependencies(&self, resource: &Resource) -> Vec<Reference> {
        let mut found: Vec<Reference> = Vec::new();
        for dependency in resource.dependencies.iter().map(|index| *index as usize) {
            if self.entries.get(dependency).is_some_and(Entry::has_steps)
                && let Some(dependency) = self.catalog.resources.get(dependency)
            {
                found.push(dependency.reference.clone());
            }
            for further in self.pending.get(&dependency).into_iter().flatten() {
                if !found.contains(further) {
                    found.push(further.clone());
                }
            }
            if found.len() >= DEPENDENCY_LIMIT {
                break;
            }
        }
        found
    }

    fn classify(
        &mut self,
        index: usize,
        resource: &Resource,
        planned: AnyPlanned,
        view: &View<'_>,
        in_force: &InForce,
    ) -> Entry {
        let mut notified_by = if resource.kind.refreshes() {
            self.notified_by.remove(&index).unwrap_or_default()
        } else {
            Vec::new()
        };
        let refresh = if notified_by.is_empty()
            || self.circumstances.reason_to_leave(index, resource, in_force.has(resource)).is_some()
        {
            None
        } else {
            // A unit that does not exist yet cannot tell; its steps then say that it is to come.
            resource.kind.refresh_needed(&resource.wanted, view, &planned.steps).unwrap_or_default()
        };
        if refresh.is_none() {
            notified_by.clear();
        }
        if planned.steps.is_empty() && planned.condition.is_none() && notified_by.is_empty() {
            return Entry::InSync(planned.notes);
        }
        let drift = !planned.steps.is_empty() && in_force.has(resource);
        Entry::Planned(Box::new(PlannedEntry { planned, drift, notified_by, refresh }))
    }
}
