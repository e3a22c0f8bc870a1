//! Notifications: owed before the change that causes them, delivered at the target's turn, and
//! crossed off only then.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use steadfast_policies::{Catalog, Resource};
use steadfast_resources::host::Host;
use steadfast_resources::kind::Turn;
use steadfast_resources::{AnyStep, Failure, Pending, Reference};

use super::execution::Execution;
use crate::clock;
use crate::state::{OwedNotification, State, StateError};

/// The targets that are owed a notification. The durable truth is in the state; this is its
/// picture during a run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    owed: HashSet<usize>,
}

impl Ledger {
    /// What is owed to resources of `catalog`.
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
}

impl Execution<'_> {
    /// Writes down what the change of these resources owes to others, before anything changes.
    /// Where that cannot be written down the change must not happen.
    pub(super) fn owe(&mut self, sources: &[usize], state: &State) -> Result<(), Failure> {
        let mut pairs: Vec<(&Reference, &Reference)> = Vec::new();
        let mut targets = Vec::new();
        for source in sources {
            let Some(resource) = self.resource(*source) else { continue };
            for target_index in resource.notifies.iter().map(|index| *index as usize) {
                let Some(target) = self.resource(target_index) else { continue };
                if target.kind.refreshes() {
                    pairs.push((&resource.reference, &target.reference));
                    targets.push(target_index);
                }
            }
        }
        if pairs.is_empty() {
            return Ok(());
        }
        state.owe(pairs, &clock::now(), self.run).map_err(|error| {
            let reason = Failure::from_error(&error).reason;
            Failure::new(format!(
                "nothing was changed, because the notification it causes cannot be written down: \
                 {reason}"
            ))
            .with_hint("make room on the file system of the state directory, and check its health")
        })?;
        self.ledger.owed.extend(targets);
        Ok(())
    }

    /// After failures: where the very same steps are still to be taken, nothing has changed, and
    /// nothing is owed for it.
    pub(super) fn forgive_untouched(
        &mut self,
        failed: &[(&Resource, &[AnyStep])],
        host: &dyn Host,
        state: &State,
    ) {
        let untouched: Vec<&Reference> = failed
            .iter()
            .filter(|(resource, steps)| {
                !resource.notifies.is_empty()
                    && resource
                        .kind
                        .plan(&resource.wanted, &host.view(), &Pending::nothing())
                        .is_ok_and(|now| same_steps(&now.steps, steps))
            })
            .map(|(resource, _)| &resource.reference)
            .collect();
        if untouched.is_empty() {
            return;
        }
        let forgiven = state.forgive(&untouched, self.run).and_then(|()| state.owed());
        match forgiven {
            Ok(still) => self.ledger = Ledger::new(self.request.catalog, &still),
            // One notification too many is the lesser evil.
            Err(error) => self.trouble(&error),
        }
    }

    /// Delivers what is owed to the resource, and crosses it off only then. Tells what was done.
    pub(super) fn deliver(
        &mut self,
        index: usize,
        resource: &Resource,
        applied: &[AnyStep],
        host: &mut dyn Host,
        state: &mut State,
    ) -> Result<Option<String>, Failure> {
        let needed = resource.kind.refresh_needed(&resource.wanted, &host.view(), applied)?;
        if needed.is_some() {
            self.touched = true;
            let mut turn = Turn {
                deadline: self.deadline.min(Instant::now() + resource.common.timeout),
                bucket: &mut state.bucket,
                kept: Vec::new(),
                download: self.request.download,
            };
            resource.kind.refresh(&resource.wanted, host, &mut turn)?;
            self.notified += 1;
        }
        match state.settle(resource.reference.kind(), resource.reference.title()) {
            Ok(()) => {
                self.ledger.owed.remove(&index);
            }
            // It will be delivered once more, which is the lesser evil.
            Err(error) => self.trouble(&error),
        }
        Ok(needed)
    }

    /// Puts off what is owed to the resource, where the state cannot be written: it could not be
    /// crossed off, and every run would deliver it once more.
    pub(super) fn put_off(&mut self, resource: &Resource) {
        self.messages.push(format!(
            "what is owed to {} is put off until the agent's state can be written: it could not be \
             crossed off, and each run would deliver it again",
            resource.reference
        ));
    }

    fn trouble(&mut self, error: &StateError) {
        self.messages.push(Failure::from_error(error).reason);
    }
}

/// Whether two lists of steps do the same to the same properties.
fn same_steps(left: &[AnyStep], right: &[AnyStep]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            left.changes == right.changes && left.action_json() == right.action_json()
        })
}
