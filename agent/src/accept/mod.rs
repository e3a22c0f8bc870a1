//! Drift applied back to Git: from what a plan would change on a host to a patch of the policy
//! repository after which it would change nothing.
//!
//! What must stay true: nothing is guessed — a value that an expression, a template or data makes is
//! named with its place instead of being changed; nothing else that this host gets changes; every
//! accepted resource was planned again with the patch and nothing was left to do. Nothing is
//! written here, and nothing on the host is changed.

mod binary;
mod declaration;
mod lines;
mod mail;
mod origin;
mod overlay;
mod patch;
mod resource;
mod secrets;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use steadfast_policies::{Catalog, Diagnostics, Repository, RepositoryError, Resource};
use steadfast_resources::host::View;
use steadfast_resources::{Failure, Reference};
use thiserror::Error;

pub use mail::Mail;
pub use patch::FileChange;

use crate::engine::{Entry, make_plan};
use crate::state::InForce;
use overlay::Overlay;

/// What accepting works on.
pub struct Ground<'a> {
    /// The policy repository.
    pub repository: &'a dyn Repository,
    /// Its catalog for a repository, with records.
    pub evaluate: &'a dyn Fn(&dyn Repository) -> Result<Catalog, Diagnostics>,
    /// The host.
    pub view: View<'a>,
    /// Whether secrets may go into the patch.
    pub show_secrets: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Acceptance {
    /// The files that change, by path.
    pub changes: Vec<FileChange>,
    /// What is accepted, a line for each resource.
    pub accepted: Vec<String>,
    /// Resources that are as declared.
    pub in_sync: Vec<Reference>,
    /// What is not accepted, and what to do instead.
    pub refused: Vec<Refusal>,
}

/// Something that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The resource.
    pub reference: Reference,
    /// The attribute, where it is one.
    pub attribute: Option<String>,
    /// Why not.
    pub reason: String,
    /// What to do instead.
    pub hint: Option<String>,
}

/// Why nothing could be said at all.
#[derive(Debug, Error)]
pub enum AcceptError {
    /// The repository has errors before or after the change.
    #[error("the policy repository cannot be evaluated")]
    Evaluate(Box<Diagnostics>),
    /// A file of the repository cannot be read.
    #[error(transparent)]
    Read(#[from] RepositoryError),
    /// A resource cannot be planned.
    #[error("{reference} cannot be planned: {failure}")]
    Plan {
        /// The resource.
        reference: Reference,
        /// Why.
        failure: Failure,
    },
    /// The patch would change what nobody asked about.
    #[error("the patch would change {0} as well, which is declared by the same lines or files")]
    Others(String),
}

/// Accepts the drift of the resources at `wanted` (places in `catalog`'s order).
pub fn accept(
    ground: &Ground<'_>,
    catalog: &Catalog,
    wanted: &[usize],
) -> Result<Acceptance, AcceptError> {
    let plan = make_plan(catalog, &ground.view, &no_memory(), &[]);
    let mut acceptance = Acceptance::default();
    let mut overlay = Overlay::new(ground.repository);
    let mut edited = Vec::new();
    for index in wanted {
        let (Some(resource), Some(entry)) =
            (catalog.resources.get(*index), plan.entries.get(*index))
        else {
            continue;
        };
        let properties = match entry {
            Entry::InSync(_) | Entry::NotLookedAt => {
                acceptance.in_sync.push(resource.reference.clone());
                continue;
            }
            Entry::Failed(failure) => {
                let reference = resource.reference.clone();
                return Err(AcceptError::Plan { reference, failure: failure.as_ref().clone() });
            }
            Entry::Blocked(cause) => {
                let cause = catalog.resources.get(*cause).map(|cause| cause.reference.to_string());
                let reason = format!("it rests on {}, which fails", cause.unwrap_or_default());
                let reference = resource.reference.clone();
                return Err(AcceptError::Plan { reference, failure: Failure::new(reason) });
            }
            // No tags are given here, so that nothing is left out by them.
            Entry::Skipped(_) => continue,
            Entry::Planned(entry) => properties(&entry.planned.steps),
        };
        let before = overlay.changes().clone();
        let refused = acceptance.refused.len();
        let mut work = resource::Work { ground, catalog, resource, overlay: &mut overlay };
        let lines = work.accept(&properties, &mut acceptance.refused)?;
        if lines.is_empty() {
            overlay.back_to(before);
            continue;
        }
        let whole = acceptance.refused.len() == refused;
        edited.push((*index, whole));
        acceptance.accepted.push(format!("{}: {}", resource.reference, lines.join(", ")));
    }
    if !edited.is_empty() {
        let unfit = check(ground, catalog, &overlay, &edited)?;
        if !unfit.is_empty() {
            return without(ground, catalog, wanted, unfit);
        }
    }
    acceptance.changes = changes(ground.repository, overlay.changes())?;
    if !ground.show_secrets
        && let Some(refusal) = secrets::told(catalog, &acceptance.changes)
    {
        acceptance.refused.push(refusal);
        acceptance.changes.clear();
    }
    Ok(acceptance)
}

/// Accepts all but those that a patch would not bring in order.
fn without(
    ground: &Ground<'_>,
    catalog: &Catalog,
    wanted: &[usize],
    unfit: Vec<(usize, Refusal)>,
) -> Result<Acceptance, AcceptError> {
    let fits = |index: &usize| !unfit.iter().any(|(other, _)| other == index);
    let rest: Vec<usize> = wanted.iter().copied().filter(fits).collect();
    let mut acceptance = accept(ground, catalog, &rest)?;
    acceptance.refused.extend(unfit.into_iter().map(|(_, refusal)| refusal));
    Ok(acceptance)
}

fn no_memory() -> InForce {
    InForce::Declarations(std::collections::HashMap::new())
}

fn properties(steps: &[steadfast_resources::AnyStep]) -> Vec<String> {
    let mut properties: Vec<String> = Vec::new();
    for change in steps.iter().flat_map(|step| &step.changes) {
        if !properties.contains(&change.property.to_string()) {
            properties.push(change.property.to_string());
        }
    }
    properties
}

/// Plans with the patch: nothing else is different. Returns what was accepted and yet has something
/// left to do.
fn check(
    ground: &Ground<'_>,
    catalog: &Catalog,
    overlay: &Overlay<'_>,
    edited: &[(usize, bool)],
) -> Result<Vec<(usize, Refusal)>, AcceptError> {
    let after =
        (ground.evaluate)(overlay).map_err(|errors| AcceptError::Evaluate(errors.into()))?;
    let by_name: BTreeMap<&Reference, (usize, &Resource)> = after
        .resources
        .iter()
        .enumerate()
        .map(|(index, resource)| (&resource.reference, (index, resource)))
        .collect();
    let plan = make_plan(&after, &ground.view, &no_memory(), &[]);
    let (mut others, mut unfit) = (Vec::new(), Vec::new());
    for (index, resource) in catalog.resources.iter().enumerate() {
        let found = by_name.get(&resource.reference);
        match edited.iter().find(|(edited, _)| *edited == index) {
            None if found.is_none_or(|(_, now)| now.digest != resource.digest) => {
                others.push(resource.reference.to_string());
            }
            Some((_, whole)) => {
                let entry = found.and_then(|(index, _)| plan.entries.get(*index));
                // What was refused of it is left to do.
                let expected = !whole && matches!(entry, Some(Entry::Planned(_)));
                if let Some(reason) = left(entry).filter(|_| !expected) {
                    let reference = resource.reference.clone();
                    let hint = Some("edit the policy by hand".to_owned());
                    unfit.push((index, Refusal { reference, attribute: None, reason, hint }));
                }
            }
            _ => {}
        }
    }
    if others.is_empty() { Ok(unfit) } else { Err(AcceptError::Others(others.join(", "))) }
}

/// What would still be done to an accepted resource.
fn left(entry: Option<&Entry>) -> Option<String> {
    match entry {
        Some(Entry::InSync(_)) => None,
        Some(Entry::Planned(entry)) if entry.planned.steps.is_empty() => None,
        Some(Entry::Planned(entry)) => {
            let steps: Vec<String> =
                entry.planned.steps.iter().map(steadfast_resources::AnyStep::summary).collect();
            Some(format!("with the patch there is still something to do: {}", steps.join("; ")))
        }
        Some(Entry::Failed(failure)) => Some(format!("with the patch it fails: {failure}")),
        _ => Some("with the patch it rests on something that fails".to_owned()),
    }
}

fn changes(
    repository: &dyn Repository,
    changed: &BTreeMap<String, Option<Vec<u8>>>,
) -> Result<Vec<FileChange>, AcceptError> {
    let mut files = Vec::new();
    for (path, after) in changed {
        let before = repository.read(path)?.unwrap_or_default();
        if after.as_ref() != Some(&before) {
            files.push(FileChange {
                path: path.clone(),
                executable: repository.executable(path)?,
                before,
                after: after.clone(),
            });
        }
    }
    Ok(files)
}
