//! A resource's turn: observe again, owe what must be owed, take the steps, deliver notifications.

use std::time::{Duration, Instant};

use steadfast_policies::Resource;
use steadfast_resources::host::Host;
use steadfast_resources::kind::{AnyMember, Turn};
use steadfast_resources::{AnyStep, Failure, Pending};

use super::execution::Execution;
use super::plan::Entry;
use super::run::Progress;
use crate::report::ResourceState;
use crate::state::State;

/// How long between one try and the next.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A batch member's result, and the digests and paths of the contents kept for it.
type Outcome = (Result<(), Failure>, Vec<(String, String)>);

/// What came of a resource's steps, over all tries.
struct Applied {
    /// The steps of the first try, and those that only a later one knew.
    steps: Vec<AnyStep>,
    notes: Vec<String>,
    result: Result<(), Failure>,
    kept: Vec<(String, String)>,
    took: Duration,
}

impl Applied {
    fn nothing() -> Self {
        Self {
            steps: Vec::new(),
            notes: Vec::new(),
            result: Ok(()),
            kept: Vec::new(),
            took: Duration::ZERO,
        }
    }

    /// Adds what a further try did.
    fn then(mut self, later: Self) -> Self {
        for step in later.steps {
            if !self.steps.iter().any(|known| known.summary() == step.summary()) {
                self.steps.push(step);
            }
        }
        self.kept.extend(later.kept);
        Self { notes: later.notes, result: later.result, ..self }
    }
}

impl Execution<'_> {
    /// One resource that is applied by itself.
    pub(super) fn single(
        &mut self,
        index: usize,
        host: &mut dyn Host,
        state: &mut State,
        progress: &mut dyn Progress,
    ) {
        let Some(resource) = self.resource(index) else { return };
        let begun = Instant::now();
        let deadline = self.deadline.min(begun + resource.common.timeout);
        let mut tries_left = resource.common.retries;
        let mut first_try = 0;
        let mut whole = Applied::nothing();
        loop {
            let applied = self.attempt(index, resource, deadline, host, state);
            if whole.steps.is_empty() {
                first_try = applied.steps.len();
            }
            whole = whole.then(applied);
            let over = Instant::now() >= deadline;
            if whole.result.is_ok() || tries_left == 0 || over {
                break;
            }
            tries_left -= 1;
            pause(RETRY_PAUSE.min(deadline.saturating_duration_since(Instant::now())));
        }
        // Only where the very steps of the first try are still to be taken has nothing changed.
        if let (Err(_), Some(steps)) = (&whole.result, whole.steps.get(..first_try)) {
            self.forgive_untouched(&[(resource, steps)], host, state);
        }
        whole.took = begun.elapsed();
        self.end_turn(index, resource, whole, host, state, progress);
    }

    /// Observes again and takes the steps.
    fn attempt(
        &mut self,
        index: usize,
        resource: &Resource,
        deadline: Instant,
        host: &mut dyn Host,
        state: &mut State,
    ) -> Applied {
        self.prepare(&[resource], deadline, host, state);
        let planned = match resource.kind.plan(&resource.wanted, &host.view(), &Pending::nothing())
        {
            Ok(planned) => planned,
            Err(failure) => return Applied { result: Err(failure), ..Applied::nothing() },
        };
        let notes = planned.notes;
        if planned.steps.is_empty() {
            return Applied { notes, ..Applied::nothing() };
        }
        if let Err(failure) = self.owe(&[index], state) {
            return Applied { result: Err(failure), notes, ..Applied::nothing() };
        }
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
        Applied { steps: planned.steps, notes, result, kept, took: Duration::ZERO }
    }

    /// Several resources of one kind that are applied together.
    pub(super) fn batch(
        &mut self,
        members: &[usize],
        host: &mut dyn Host,
        state: &mut State,
        progress: &mut dyn Progress,
    ) {
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
        let mut with_steps: Vec<(usize, &Resource, Applied)> = Vec::new();
        for index in members.iter().copied() {
            let Some(resource) = self.resource(index) else { continue };
            let applied =
                match resource.kind.plan(&resource.wanted, &host.view(), &Pending::nothing()) {
                    Err(failure) => Applied { result: Err(failure), ..Applied::nothing() },
                    Ok(planned) => {
                        Applied { steps: planned.steps, notes: planned.notes, ..Applied::nothing() }
                    }
                };
            if applied.steps.is_empty() {
                self.end_turn(index, resource, applied, host, state, progress);
            } else {
                with_steps.push((index, resource, applied));
            }
        }
        let results = self.apply_together(&with_steps, deadline, host, state);
        let mut untouched: Vec<(&Resource, &[AnyStep])> = Vec::new();
        for ((_, resource, applied), (result, kept)) in with_steps.iter_mut().zip(results) {
            applied.result = result;
            applied.kept = kept;
            applied.took = begun.elapsed();
            if applied.result.is_err() {
                untouched.push((resource, &applied.steps));
            }
        }
        self.forgive_untouched(&untouched, host, state);
        for (index, resource, applied) in with_steps {
            self.end_turn(index, resource, applied, host, state, progress);
        }
    }

    /// Applies the members of a batch. One result for each, with the contents that were kept.
    fn apply_together(
        &mut self,
        members: &[(usize, &Resource, Applied)],
        deadline: Instant,
        host: &mut dyn Host,
        state: &mut State,
    ) -> Vec<Outcome> {
        let Some((_, first, _)) = members.first() else { return Vec::new() };
        let indices: Vec<usize> = members.iter().map(|(index, _, _)| *index).collect();
        if let Err(failure) = self.owe(&indices, state) {
            return members.iter().map(|_| (Err(failure.clone()), Vec::new())).collect();
        }
        self.touched = true;
        let mut turn = Turn {
            deadline,
            bucket: &mut state.bucket,
            kept: Vec::new(),
            download: self.request.download,
        };
        let batch: Vec<AnyMember<'_>> = members
            .iter()
            .map(|(_, resource, applied)| AnyMember {
                wanted: &resource.wanted,
                steps: &applied.steps,
                reference: &resource.reference,
            })
            .collect();
        let mut results = first.kind.apply_together(&batch, host, &mut turn).into_iter();
        let kept = turn.kept;
        members
            .iter()
            .map(|(_, resource, _)| {
                let result = results.next().unwrap_or_else(|| {
                    Err(Failure::new("the kind gave no result for this resource"))
                });
                let title = resource.reference.title();
                let below = |path: &str| {
                    path.strip_prefix(title)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                (result, kept.iter().filter(|(_, path)| below(path)).cloned().collect())
            })
            .collect()
    }

    /// Lets the kind refresh what the observation of these resources rests on.
    fn prepare(
        &mut self,
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

    /// What is left once the steps were taken: notifications, then the report.
    fn end_turn(
        &mut self,
        index: usize,
        resource: &Resource,
        applied: Applied,
        host: &mut dyn Host,
        state: &mut State,
        progress: &mut dyn Progress,
    ) {
        let Applied { steps, notes, mut result, kept, took } = applied;
        let mut notified = None;
        if result.is_ok() && self.ledger.owes(index) && state.unwritable().is_some() {
            self.put_off(resource);
        } else if result.is_ok() && self.ledger.owes(index) {
            match self.deliver(index, resource, &steps, host, state) {
                Ok(delivered) => notified = delivered,
                Err(failure) => result = Err(failure),
            }
        }
        if result.is_ok() && steps.is_empty() && notified.is_none() && notes.is_empty() {
            self.finish_in_sync(index, progress);
            return;
        }
        let mut report = match &result {
            Err(failure) => self.failed(index, failure),
            Ok(()) => self.blank(index, self.ending(index, &steps, notified.is_some())),
        };
        let was_planned = self.plan.entries.get(index).and_then(Entry::planned);
        report.differs_from_plan = match was_planned {
            Some(entry) => !read_the_same(&entry.planned.steps, &steps),
            None => !steps.is_empty(),
        };
        report.steps = steps.iter().map(AnyStep::summary).collect();
        // What a failed resource's steps were to change may or may not have changed.
        if result.is_ok() {
            report.changes = steps.into_iter().flat_map(|step| step.changes).collect();
        }
        report.notes = notes;
        report.notified = notified;
        report.kept = kept;
        report.duration = Some(took.as_secs_f64());
        self.finish(index, report, progress);
    }

    /// How a resource ended that did not fail.
    fn ending(&self, index: usize, steps: &[AnyStep], notified: bool) -> ResourceState {
        match (steps.is_empty(), notified) {
            (true, false) => ResourceState::InSync,
            (true, true) => ResourceState::Changed,
            _ if self.was_in_force(index) => ResourceState::Corrected,
            _ => ResourceState::Changed,
        }
    }
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
