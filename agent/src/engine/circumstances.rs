//! What a resident agent knows about a run beyond its catalog: why it looks at these resources
//! only, which of them it must leave alone for now, and who changed them.

use std::collections::{BTreeSet, HashMap};

use steadfast_policies::{Catalog, Resource};
use steadfast_resources::Actor;

use crate::report::{Override, Revision};

/// What is special about a run. The default: nothing.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The resources that are looked at, by their index in the catalog; all of them where absent.
    pub focus: Option<BTreeSet<usize>>,
    /// Who changed which resource, as far as the kernel told.
    pub actors: HashMap<usize, Actor>,
    /// Resources whose drift is reported and not corrected in this run, and why.
    pub held: HashMap<usize, String>,
    /// What an operator has ordered for a time.
    pub overrides: Vec<Override>,
    /// The revision that should have been applied and could not be.
    pub refused: Option<RefusedRevision>,
}

/// A revision that cannot be applied; an older one stays in force.
#[derive(Debug, Clone)]
pub struct RefusedRevision {
    /// Which.
    pub revision: Revision,
    /// Why, a line each.
    pub reasons: Vec<String>,
}

impl Circumstances {
    /// Whether the resource at `index` is looked at.
    pub fn looks_at(&self, index: usize) -> bool {
        self.focus.as_ref().is_none_or(|focus| focus.contains(&index))
    }

    /// Why `resource`, at `index`, is not brought in order; `None` where it is. What is held back is
    /// the correction of drift: a declaration that was not `in_force` before is applied.
    pub(super) fn reason_to_leave(
        &self,
        index: usize,
        resource: &Resource,
        in_force: bool,
    ) -> Option<&str> {
        if !resource.common.enforce {
            return Some("enforce = false");
        }
        self.held.get(&index).filter(|_| in_force).map(String::as_str)
    }
}

/// These resources and all that a change of one of them may notify, directly or not.
pub fn with_notified(
    catalog: &Catalog,
    resources: impl IntoIterator<Item = usize>,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open: Vec<usize> = resources.into_iter().collect();
    while let Some(index) = open.pop() {
        let Some(resource) = catalog.resources.get(index) else { continue };
        if found.insert(index) {
            open.extend(resource.notifies.iter().map(|target| *target as usize));
        }
    }
    found
}
