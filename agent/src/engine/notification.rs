//! Which resources are owed a notification, in this run and from earlier ones.

use std::collections::{HashMap, HashSet};

use steadfast_policies::Catalog;

use crate::state::OwedNotification;

/// The targets that are owed a notification. The durable truth is in the state; this is its
/// picture during a run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    owed: HashSet<usize>,
}

impl Ledger {
    /// What is owed from earlier runs to resources of `catalog`.
    pub(super) fn new(catalog: &Catalog, owed: &[OwedNotification]) -> Self {
        if owed.is_empty() {
            return Self::default();
        }
        let indices: HashMap<(&str, &str), usize> = catalog
            .resources
            .iter()
            .enumerate()
            .map(|(index, resource)| {
                ((resource.reference.kind(), resource.reference.title()), index)
            })
            .collect();
        let owed = owed
            .iter()
            .filter_map(|owed| {
                indices.get(&(owed.target_kind.as_str(), owed.target_title.as_str())).copied()
            })
            .collect();
        Self { owed }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    pub(super) fn owes(&self, target: usize) -> bool {
        self.owed.contains(&target)
    }

    pub(super) fn add(&mut self, target: usize) {
        self.owed.insert(target);
    }

    pub(super) fn settle(&mut self, target: usize) {
        self.owed.remove(&target);
    }
}
