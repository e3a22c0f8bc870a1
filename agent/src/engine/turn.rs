//! A resource's turn: observe again, owe what must be owed, take the steps, deliver notifications.

use std::time::{Duration, Instant};

use steadfast_policies::Resource;
use steadfast_resources::host::Host;
use steadfast_resources::kind::{AnyMember, AnyPlanned, Turn};
use steadfast_resources::{AnyStep, Failure, Pending, Reference};

use super::execution::Execution;
use super::plan::Entry;
use super::run::Progress;
use crate::clock;
use crate::report::{ResourceReport, ResourceState};
use crate::state::{State, StateError};

/// How long between one try and the next.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// What came of a resource's steps.
struct Applied {
    planned: AnyPlanned,
    result: Result<(), Failure>,
    kept: Vec<(String, String)>,
    took: Duration,
}

impl Execution<'_> {
    /// One resource that is applied by itself.
    pub(super) fn single(
        &mut self,
        index: usize,
        host: &mut dyn Host,
        state: &mut State,
        progress: &mut dyn Progress,
    ) -> Result<(), StateError> {
        let Some(resource) = self.resource(index) else { return Ok(()) };
        let begun = Instant::now();
        let deadline = self.deadline.min(begun + resource.common.timeout);
        let mut tries_left = resource.common.retries;
        let applied = loop {
            let applied = self.attempt(index, resource, deadline, host, state)?;
            match applied {
                Ok(applied) if applied.result.is_err() && tries_left > 0 => {}
                Err(_) if tries_left > 0 => {}
                finished => break finished,
            }
            tries_left -= 1;
            pause(RETRY_PAUSE.min(deadline.saturating_duration_since(Instant::now())));
        };
        let report = match applied {
            Ok(mut applied) => {
                applied.took = begun.elapsed();
                self.settle_turn(index, resource, applied, host, state)?
            }
            Err(failure) => Some(self.failed(index, &failure)),
        };
        match report {
            Some(report) => self.finish(index, report, progress),
            None => self.finish_in_sync(index, progress),
        }
        Ok(())
    }

    /// Observes again and takes the steps. The outer error is the state's, the inner one says that
    /// no steps could be made.
    fn attempt(
        &mut self,
        index: usize,
        resource: &Resource,
        deadline: Instant,
        host: &mut dyn Host,
        state: &mut State,
    ) -> Result<Result<Applied, Failure>, StateError> {
        self.prepare(&[resource], deadline, host, state);
        let planned = match resource.kind.plan(&resource.wanted, &host.view(), &Pending::nothing())
        {
            Ok(planned) => planned,
            Err(failure) => return Ok(Err(failure)),
        };
        if planned.steps.is_empty() {
            return Ok(Ok(Applied {
                planned,
                result: Ok(()),
                kept: Vec::new(),
                took: Duration::ZERO,
            }));
        }
        self.owe(&[index], state)?;
        self.touched = true;
        let mut turn = Turn {
            deadline,
            bucket: &mut state.bucket,
            kept: Vec::new(),
            download: self.request.download,
        };
        let mut result = Ok(());
        for step in &planned.steps {
            result = resource.kind.apply(&resource.wanted, step, host, &mut turn);
            if result.is_err() {
                break;
            }
        }
        let kept = turn.kept;
        if result.is_err() {
            self.forgive_if_untouched(resource, &planned, host, state)?;
        }
        Ok(Ok(Applied { planned, result, kept, took: Duration::ZERO }))
    }

    /// Several resources of one kind that are applied together.
    pub(super) fn batch(
        &mut self,
        members: &[usize],
        host: &mut dyn Host,
        state: &mut State,
        progress: &mut dyn Progress,
    ) -> Result<(), StateError> {
        if let [only] = members
            && self.resource(*only).is_some_and(|resource| resource.common.retries > 0)
        {
            return self.single(*only, host, state, progress);
        }
        let begun = Instant::now();
        let resources: Vec<&Resource> =
            members.iter().filter_map(|index| self.resource(*index)).collect();
        let longest = resources.iter().map(|resource| resource.common.timeout).max();
        let deadline = self.deadline.min(begun + longest.unwrap_or_default());
        self.prepare(&resources, deadline, host, state);
        let mut with_steps: Vec<(usize, &Resource, AnyPlanned)> = Vec::new();
        for index in members.iter().copied() {
            let Some(resource) = self.resource(index) else { continue };
            match resource.kind.plan(&resource.wanted, &host.view(), &Pending::nothing()) {
                Err(failure) => {
                    let report = self.failed(index, &failure);
                    self.finish(index, report, progress);
                }
                Ok(planned) if planned.steps.is_empty() => {
                    let applied =
                        Applied { planned, result: Ok(()), kept: Vec::new(), took: Duration::ZERO };
                    match self.settle_turn(index, resource, applied, host, state)? {
                        Some(report) => self.finish(index, report, progress),
                        None => self.finish_in_sync(index, progress),
                    }
                }
                Ok(planned) => with_steps.push((index, resource, planned)),
            }
        }
        let Some((_, first, _)) = with_steps.first() else { return Ok(()) };
        let kind = first.kind;
        let indices: Vec<usize> = with_steps.iter().map(|(index, _, _)| *index).collect();
        self.owe(&indices, state)?;
        self.touched = true;
        let mut turn = Turn {
            deadline,
            bucket: &mut state.bucket,
            kept: Vec::new(),
            download: self.request.download,
        };
        let batch: Vec<AnyMember<'_>> = with_steps
            .iter()
            .map(|(_, resource, planned)| AnyMember {
                wanted: &resource.wanted,
                steps: &planned.steps,
                reference: &resource.reference,
            })
            .collect();
        let results = kind.apply_together(&batch, host, &mut turn);
        let kept = turn.kept;
        drop(batch);
        let mut results = results.into_iter();
        for (index, resource, planned) in with_steps {
            let result = results
                .next()
                .unwrap_or_else(|| Err(Failure::new("the kind gave no result for this resource")));
            if result.is_err() {
                self.forgive_if_untouched(resource, &planned, host, state)?;
            }
            let title = resource.reference.title();
            let kept = kept
                .iter()
                .filter(|(_, path)| {
                    path == title
                        || path.strip_prefix(title).is_some_and(|rest| rest.starts_with('/'))
                })
                .cloned()
                .collect();
            let applied = Applied { planned, result, kept, took: begun.elapsed() };
            match self.settle_turn(index, resource, applied, host, state)? {
                Some(report) => self.finish(index, report, progress),
                None => self.finish_in_sync(index, progress),
            }
        }
        Ok(())
    }

    /// Lets the kind refresh what the observation of these resources rests on.
    fn prepare(
        &self,
        resources: &[&Resource],
        deadline: Instant,
        host: &mut dyn Host,
        state: &mut State,
    ) {
        let Some(first) = resources.first() else { return };
        let wanted: Vec<_> = resources.iter().map(|resource| &resource.wanted).collect();
        let mut turn = Turn {
            deadline,
            bucket: &mut state.bucket,
            kept: Vec::new(),
            download: self.request.download,
        };
        first.kind.prepare(&wanted, host, &mut turn);
    }

    /// Writes down what the change of these resources owes to others, before anything changes.
    fn owe(&mut self, sources: &[usize], state: &State) -> Result<(), StateError> {
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
        state.owe(pairs, &clock::now(), self.run)?;
        for target in targets {
            self.ledger.add(target);
        }
        Ok(())
    }

    /// After a failure: where the very same steps are still to be taken, nothing has changed, and
    /// nothing is owed for it.
    fn forgive_if_untouched(
        &mut self,
        resource: &Resource,
        planned: &AnyPlanned,
        host: &dyn Host,
        state: &State,
    ) -> Result<(), StateError> {
        if resource.notifies.is_empty() {
            return Ok(());
        }
        let now = resource.kind.plan(&resource.wanted, &host.view(), &Pending::nothing());
        if now.is_ok_and(|now| same_steps(&now.steps, &planned.steps)) {
            state.forgive(&resource.reference, self.run)?;
            let still: Vec<_> = state.owed()?;
            for target_index in resource.notifies.iter().map(|index| *index as usize) {
                let Some(target) = self.resource(target_index) else { continue };
                let owed = still.iter().any(|owed| {
                    owed.target_kind == target.reference.kind()
                        && owed.target_title == target.reference.title()
                });
                if !owed {
                    self.ledger.settle(target_index);
                }
            }
        }
        Ok(())
    }

    /// What is left once the steps were taken: notifications, then the report. `None` when the
    /// resource was simply in sync.
    fn settle_turn(
        &mut self,
        index: usize,
        resource: &Resource,
        applied: Applied,
        host: &mut dyn Host,
        state: &mut State,
    ) -> Result<Option<ResourceReport>, StateError> {
        let Applied { planned, result, kept, took } = applied;
        if let Err(failure) = result {
            let mut report = self.failed(index, &failure);
            report.steps = planned.steps.iter().map(AnyStep::summary).collect();
            report.kept = kept;
            report.duration = Some(took.as_secs_f64());
            return Ok(Some(report));
        }
        let notified = if self.ledger.owes(index) {
            match self.deliver(index, resource, &planned.steps, host, state)? {
                Ok(notified) => notified,
                Err(failure) => {
                    let mut report = self.failed(index, &failure);
                    report.steps = planned.steps.iter().map(AnyStep::summary).collect();
                    return Ok(Some(report));
                }
            }
        } else {
            None
        };
        if planned.steps.is_empty() && notified.is_none() && planned.notes.is_empty() {
            return Ok(None);
        }
        let was_planned = self.plan.entries.get(index).and_then(Entry::planned);
        let drift = was_planned.is_some_and(|entry| entry.drift);
        let mut report = self.blank(
            index,
            match (planned.steps.is_empty(), drift, notified.is_some()) {
                (true, _, true) | (false, false, _) => ResourceState::Changed,
                (true, _, false) => ResourceState::InSync,
                (false, true, _) => ResourceState::Corrected,
            },
        );
        report.differs_from_plan = match was_planned {
            Some(entry) => !read_the_same(&entry.planned.steps, &planned.steps),
            None => !planned.steps.is_empty(),
        };
        report.steps = planned.steps.iter().map(AnyStep::summary).collect();
        report.changes = planned.steps.into_iter().flat_map(|step| step.changes).collect();
        report.notes = planned.notes;
        report.notified = notified;
        report.kept = kept;
        report.duration = Some(took.as_secs_f64());
        Ok(Some(report))
    }

    /// Delivers what is owed to the resource, and clears it only then.
    fn deliver(
        &mut self,
        index: usize,
        resource: &Resource,
        applied: &[AnyStep],
        host: &mut dyn Host,
        state: &mut State,
    ) -> Result<Result<Option<String>, Failure>, StateError> {
        let needed = match resource.kind.refresh_needed(&resource.wanted, &host.view(), applied) {
            Ok(needed) => needed,
            Err(failure) => return Ok(Err(failure)),
        };
        if needed.is_some() {
            self.touched = true;
            let mut turn = Turn {
                deadline: self.deadline.min(Instant::now() + resource.common.timeout),
                bucket: &mut state.bucket,
                kept: Vec::new(),
                download: self.request.download,
            };
            if let Err(failure) = resource.kind.refresh(&resource.wanted, host, &mut turn) {
                return Ok(Err(failure));
            }
            self.notified += 1;
        }
        state.settle(resource.reference.kind(), resource.reference.title())?;
        self.ledger.settle(index);
        Ok(Ok(needed))
    }
}

/// Whether two lists of steps do the same to the same properties.
fn same_steps(left: &[AnyStep], right: &[AnyStep]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            left.changes == right.changes && left.action_json() == right.action_json()
        })
}

/// Whether two lists of steps are the same for a person who reads them.
fn read_the_same(left: &[AnyStep], right: &[AnyStep]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(left, right)| left.changes == right.changes && left.summary() == right.summary())
}

fn pause(time: Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a pause between two tries that a policy asked for"
    )]
    std::thread::sleep(time);
}
