//! Which revision a run applies, and its catalog. The one that is wanted; where that cannot be
//! had, the last good one, and the report says so.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use steadfast_policies::{Catalog, Inputs, evaluate};
use steadfast_resources::{Failure, Registry};

use crate::engine::RefusedRevision;
use crate::managed::ManagedHost;
use crate::report::Revision;
use crate::source::{RevisionId, Source, SourceError};

/// A catalog in memory, and what it was made of.
pub(super) struct Loaded {
    pub(super) id: RevisionId,
    pub(super) revision: Revision,
    pub(super) catalog: Catalog,
    /// The names of its resources, in order.
    pub(super) names: Arc<[Arc<str>]>,
    /// Where each is.
    pub(super) index: HashMap<Arc<str>, usize>,
    inputs: Inputs,
}

/// The catalogs that the agent has made.
#[derive(Default)]
pub(super) struct Loading {
    loaded: Option<Loaded>,
    /// A revision that was refused with these inputs, so that it need not be tried again.
    refused: Option<(RevisionId, Inputs, RefusedRevision)>,
}

/// There is nothing to apply.
pub(super) struct Nothing {
    pub(super) revision: Revision,
    pub(super) reasons: Vec<String>,
}

impl Loading {
    /// The catalog in memory, for what events concern.
    pub(super) fn loaded(&self) -> Option<&Loaded> {
        self.loaded.as_ref()
    }

    /// The revision that should be in force instead of the one in memory.
    pub(super) fn refused(&self) -> Option<RefusedRevision> {
        self.refused.as_ref().and_then(|(.., refused)| self.chosen(refused.clone()))
    }

    /// Makes the catalog of the revision that is wanted: `pinned`, or the one fetched last. Returns
    /// the one that is wanted and refused, where an older one is used instead.
    pub(super) fn choose(
        &mut self,
        source: &Source,
        host: &ManagedHost,
        pinned: Option<&str>,
    ) -> Result<Option<RefusedRevision>, Box<Nothing>> {
        let inputs = host.inputs();
        let wanted = match pinned {
            Some(commit) => commit.parse().map(Some),
            None => source.current().and_then(|current| Ok(current.or(source.good()?))),
        };
        let wanted = match wanted {
            Ok(Some(wanted)) => wanted,
            Ok(None) => {
                return Err(nothing(source, vec!["no revision has been fetched yet".to_owned()]));
            }
            Err(error) => return Err(nothing(source, told(&error))),
        };
        let Err(refused) = self.load(source, wanted, &inputs) else {
            self.refused = None;
            return Ok(None);
        };
        let refused = *refused;
        self.refused = Some((wanted, inputs.clone(), refused.clone()));
        // What has been in force is better than nothing; so is what is still in memory.
        if let Ok(Some(good)) = source.good()
            && good != wanted
            && let Err(error) = self.load(source, good, &inputs)
        {
            log::warn!(
                "the last good revision {good} cannot be used: {}",
                error.reasons.join("; ")
            );
        }
        let RefusedRevision { revision, reasons } = refused;
        self.instead_of(Nothing { revision, reasons }).map(Some)
    }

    /// Where there is nothing to apply that is wanted: what is in memory stays in force, if
    /// anything is.
    pub(super) fn instead_of(&self, nothing: Nothing) -> Result<RefusedRevision, Box<Nothing>> {
        let Nothing { revision, reasons } = nothing;
        self.chosen(RefusedRevision { revision: revision.clone(), reasons: reasons.clone() })
            .ok_or_else(|| Box::new(Nothing { revision, reasons }))
    }

    /// Says, of what is refused, what stays in force instead.
    fn chosen(&self, mut refused: RefusedRevision) -> Option<RefusedRevision> {
        let loaded = self.loaded.as_ref()?;
        let stays = loaded.id.short();
        let wanted = refused.revision.commit.as_deref();
        let first = match wanted {
            Some(wanted) if *wanted == loaded.id.to_string() => {
                format!(
                    "revision {stays} is refused with the facts of today; it stays in force as it was"
                )
            }
            Some(wanted) => format!("revision {wanted} is refused; {stays} stays in force"),
            None => format!("there is no revision to be had; {stays} stays in force"),
        };
        refused.reasons.insert(0, first);
        Some(refused)
    }

    /// Makes sure that the catalog of `id` is the one in memory.
    fn load(
        &mut self,
        source: &Source,
        id: RevisionId,
        inputs: &Inputs,
    ) -> Result<(), Box<RefusedRevision>> {
        if let Some(loaded) = &self.loaded
            && loaded.id == id
            && loaded.inputs == *inputs
        {
            return Ok(());
        }
        if let Some((known, with, refused)) = &self.refused
            && *known == id
            && with == inputs
        {
            return Err(Box::new(refused.clone()));
        }
        let url = source.location().to_string();
        let unknown = || Revision {
            source: url.clone(),
            commit: Some(id.to_string()),
            verification: "none: it cannot be read".to_owned(),
            ..Revision::default()
        };
        let begun = Instant::now();
        let opened = source
            .revision(id)
            .map_err(|error| RefusedRevision { revision: unknown(), reasons: told(&error) })
            .map_err(Box::new)?;
        let revision = opened.information().described(&url);
        let catalog = evaluate(&opened, inputs, &Registry::standard()).map_err(|diagnostics| {
            let count = diagnostics.error_count();
            let noun = if count == 1 { "error" } else { "errors" };
            let mut reasons = vec![format!("{count} {noun} in the policy repository")];
            reasons.extend(diagnostics.render(false).lines().map(str::to_owned));
            Box::new(RefusedRevision { revision: revision.clone(), reasons })
        })?;
        log::info!(
            "revision {} evaluated in {} ms: {} resources",
            id.short(),
            begun.elapsed().as_millis(),
            catalog.resources.len()
        );
        let names: Arc<[Arc<str>]> = catalog
            .resources
            .iter()
            .map(|resource| resource.reference.to_string().into())
            .collect();
        let index =
            names.iter().enumerate().map(|(index, name)| (Arc::clone(name), index)).collect();
        self.loaded = Some(Loaded { id, revision, catalog, names, index, inputs: inputs.clone() });
        Ok(())
    }
}

fn told(error: &SourceError) -> Vec<String> {
    let hint = error.hint();
    std::iter::once(Failure::from_error(error).reason).chain(hint).collect()
}

fn nothing(source: &Source, reasons: Vec<String>) -> Box<Nothing> {
    let revision = Revision {
        source: source.location().to_string(),
        verification: "none: there is no revision".to_owned(),
        ..Revision::default()
    };
    Box::new(Nothing { revision, reasons })
}
