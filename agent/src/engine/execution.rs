//! Executing a plan: each resource in its turn, dull on purpose.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Instant;

use steadfast_policies::Resource;
use steadfast_resources::host::Host;
use steadfast_resources::kind::Gathering;
use steadfast_resources::{AnyStep, Change, Failure, Shown};

use super::notification::Ledger;
use super::plan::{Entry, Plan};
use super::run::{Progress, RunRequest};
use crate::report::{ResourceReport, ResourceState};
use crate::state::{OwedNotification, State};

/// States of all resources, reports in the catalog's order, notifications delivered, messages.
pub(super) type Results = (Vec<ResourceState>, Vec<ResourceReport>, u32, Vec<String>);

/// A run while it goes: what has happened to each resource so far.
pub(super) struct Execution<'a> {
    pub(super) request: &'a RunRequest<'a>,
    pub(super) run: &'a str,
    pub(super) plan: &'a Plan,
    pub(super) deadline: Instant,
    pub(super) ledger: Ledger,
    /// How each resource ended; `None` until its turn is over.
    states: Vec<Option<ResourceState>>,
    /// For a blocked resource, the one at fault.
    causes: HashMap<usize, usize>,
    /// The resources that were not simply in sync, by index.
    reports: Vec<(usize, ResourceReport)>,
    /// Whether any step has been executed: from then on what was in sync is looked at again.
    pub(super) touched: bool,
    pub(super) notified: u32,
    /// What the report should say about the run as a whole.
    pub(super) messages: Vec<String>,
}

impl<'a> Execution<'a> {
    pub(super) fn new(
        request: &'a RunRequest<'a>,
        run: &'a str,
        plan: &'a Plan,
        owed: &[OwedNotification],
        deadline: Instant,
    ) -> Self {
        Self {
            ledger: Ledger::new(request.catalog, owed),
            states: vec![None; request.catalog.resources.len()],
            causes: HashMap::new(),
            reports: Vec::new(),
            touched: false,
            notified: 0,
            messages: Vec::new(),
            request,
            run,
            plan,
            deadline,
        }
    }

    /// Whether there is anything to change, or anything owed to a resource of this catalog.
    pub(super) fn has_work(&self) -> bool {
        !self.plan.is_empty() || !self.ledger.is_empty()
    }

    /// Gives every resource its turn.
    pub(super) fn all(
        &mut self,
        host: &mut dyn Host,
        state: &mut State,
        progress: &mut dyn Progress,
    ) {
        for index in 0..self.states.len() {
            if self.state(index).is_some() || self.passes_over(index) {
                continue;
            }
            if let Some(report) = self.excluded(index) {
                self.finish(index, report, progress);
                continue;
            }
            if self.stands(index) {
                self.finish_in_sync(index, progress);
                continue;
            }
            let Some(resource) = self.resource(index) else { continue };
            match resource.kind.gathering() {
                Some(gathering) => {
                    let members = self.gather(index, gathering);
                    self.batch(&members, host, state, progress);
                }
                None => self.single(index, host, state, progress),
            }
        }
    }

    /// Accounts for every resource without changing anything: the plan is all that is known.
    pub(super) fn observe_only(&mut self, progress: &mut dyn Progress, proceed: bool) {
        for index in 0..self.states.len() {
            let report = match self.plan.entries.get(index) {
                Some(Entry::Planned(_)) if !proceed => {
                    let mut report = self.blank(index, ResourceState::NotReached);
                    report.reason = Some("the run was refused before it changed anything".into());
                    Some(report)
                }
                Some(Entry::Planned(_)) => {
                    let reason = if self.request.audit {
                        self.request.why_audit()
                    } else {
                        self.leaves(index).unwrap_or_default()
                    };
                    self.drifted(index, reason)
                }
                Some(Entry::NotLookedAt) => {
                    self.passes_over(index);
                    continue;
                }
                Some(Entry::Failed(failure)) => Some(self.failed(index, failure)),
                Some(Entry::Blocked(cause)) => Some(self.blocked(index, *cause)),
                Some(Entry::Skipped(reason)) => Some(self.skipped(index, reason)),
                Some(Entry::InSync(_)) | None => None,
            };
            match report {
                Some(report) => self.finish(index, report, progress),
                None => self.finish_in_sync(index, progress),
            }
        }
    }

    pub(super) fn resource(&self, index: usize) -> Option<&'a Resource> {
        self.request.catalog.resources.get(index)
    }

    fn state(&self, index: usize) -> Option<ResourceState> {
        self.states.get(index).copied().flatten()
    }

    /// The report of a resource that gets no turn: stopped, blocked, or not to be enforced.
    fn excluded(&mut self, index: usize) -> Option<ResourceReport> {
        let resource = self.resource(index)?;
        if let Some(Entry::Skipped(reason)) = self.plan.entries.get(index) {
            return Some(self.skipped(index, reason));
        }
        if self.request.stop.load(Ordering::Relaxed) {
            let mut report = self.blank(index, ResourceState::NotReached);
            report.reason = Some("the run was asked to stop before its turn".into());
            return Some(report);
        }
        if Instant::now() >= self.deadline {
            let mut report = self.blank(index, ResourceState::NotReached);
            report.reason = Some(format!(
                "the run's time of {} s was over before its turn",
                self.request.timeout.as_secs()
            ));
            return Some(report);
        }
        for dependency in resource.dependencies.iter().map(|index| *index as usize) {
            match self.state(dependency) {
                Some(ResourceState::Failed) => return Some(self.blocked(index, dependency)),
                Some(ResourceState::Blocked) => {
                    let cause = self.causes.get(&dependency).copied().unwrap_or(dependency);
                    return Some(self.blocked(index, cause));
                }
                Some(ResourceState::NotReached) => {
                    let mut report = self.blank(index, ResourceState::NotReached);
                    report.reason = Some("what it rests on was not reached".into());
                    return Some(report);
                }
                _ => {}
            }
        }
        self.leaves(index).and_then(|reason| self.drifted(index, reason))
    }

    /// Whether what planning saw still stands: in sync, nothing owed, and nothing done since.
    fn stands(&self, index: usize) -> bool {
        if self.leaves(index).is_some() {
            return true;
        }
        matches!(self.plan.entries.get(index), Some(Entry::InSync(_)))
            && !self.touched
            && !self.ledger.owes(index)
    }

    /// Whether the resource at `index` can join a batch that is applied now.
    fn ready(&self, index: usize, members: &HashSet<usize>) -> bool {
        let Some(resource) = self.resource(index) else { return false };
        self.leaves(index).is_none()
            && resource.common.retries == 0
            && !matches!(self.plan.entries.get(index), Some(Entry::Skipped(_) | Entry::NotLookedAt))
            && resource.dependencies.iter().all(|dependency| {
                let dependency = *dependency as usize;
                !members.contains(&dependency)
                    && !matches!(
                        self.state(dependency),
                        None | Some(
                            ResourceState::Failed
                                | ResourceState::Blocked
                                | ResourceState::NotReached
                        )
                    )
            })
    }

    fn gather(&self, first: usize, gathering: Gathering) -> Vec<usize> {
        let mut members = vec![first];
        let mut set = HashSet::from([first]);
        let Some(kind) = self.resource(first).map(|resource| resource.reference.kind()) else {
            return members;
        };
        if self.resource(first).is_some_and(|resource| resource.common.retries > 0) {
            return members;
        }
        for index in first + 1..self.states.len() {
            let limit = match gathering {
                Gathering::Consecutive(limit) => limit,
                Gathering::Anywhere => usize::MAX,
            };
            if members.len() >= limit {
                break;
            }
            let same = self.resource(index).is_some_and(|next| next.reference.kind() == kind);
            if same && self.state(index).is_none() && self.ready(index, &set) {
                members.push(index);
                set.insert(index);
            } else if matches!(gathering, Gathering::Consecutive(_)) {
                break;
            }
        }
        members
    }

    pub(super) fn blank(&self, index: usize, state: ResourceState) -> ResourceReport {
        let (kind, title, file, line) = match self.resource(index) {
            Some(resource) => (
                resource.reference.kind().to_owned(),
                resource.reference.title().to_owned(),
                resource.place.file.to_string(),
                resource.place.line,
            ),
            None => (String::new(), String::new(), String::new(), 0),
        };
        ResourceReport::blank(kind, title, file, line, state)
    }

    pub(super) fn failed(&self, index: usize, failure: &Failure) -> ResourceReport {
        let mut report = self.blank(index, ResourceState::Failed);
        report.reason = Some(failure.reason.clone());
        report.hint.clone_from(&failure.hint);
        report.output.clone_from(&failure.output);
        report
    }

    fn blocked(&mut self, index: usize, cause: usize) -> ResourceReport {
        self.causes.insert(index, cause);
        let mut report = self.blank(index, ResourceState::Blocked);
        let name = self.resource(cause).map(|resource| resource.reference.to_string());
        report.reason = name.as_ref().map(|name| format!("{name} failed"));
        report.blocked_by = name;
        report
    }

    fn skipped(&self, index: usize, reason: &str) -> ResourceReport {
        let mut report = self.blank(index, ResourceState::Skipped);
        report.reason = Some(reason.to_owned());
        report
    }

    /// The report of drift that is not to be corrected; `None` where the plan saw none.
    fn drifted(&mut self, index: usize, reason: &str) -> Option<ResourceReport> {
        match self.plan.entries.get(index)? {
            Entry::Planned(entry) if !entry.planned.steps.is_empty() => {
                let mut report = self.blank(index, ResourceState::Drifted);
                report.reason = Some(reason.to_owned());
                report.steps = entry.planned.steps.iter().map(AnyStep::summary).collect();
                report.changes =
                    entry.planned.steps.iter().flat_map(|step| step.changes.clone()).collect();
                report.notes.clone_from(&entry.planned.notes);
                Some(report)
            }
            Entry::Failed(failure) => Some(self.failed(index, failure)),
            Entry::Blocked(cause) => Some(self.blocked(index, *cause)),
            Entry::InSync(_) | Entry::Planned(_) | Entry::Skipped(_) | Entry::NotLookedAt => None,
        }
    }

    /// Why the drift of the resource at `index` is only reported; `None` where it is corrected.
    fn leaves(&self, index: usize) -> Option<&'a str> {
        let in_force = self.was_in_force(index);
        self.request.circumstances.reason_to_leave(index, self.resource(index)?, in_force)
    }

    /// Whether the run is not about the resource at `index`; nobody needs to be told of it then.
    fn passes_over(&mut self, index: usize) -> bool {
        let passes = matches!(self.plan.entries.get(index), Some(Entry::NotLookedAt));
        if let (true, Some(state)) = (passes, self.states.get_mut(index)) {
            *state = Some(ResourceState::Skipped);
        }
        passes
    }

    /// Records that the resource was looked at and is as declared.
    pub(super) fn finish_in_sync(&mut self, index: usize, progress: &mut dyn Progress) {
        if let Some(Entry::InSync(notes)) = self.plan.entries.get(index)
            && !notes.is_empty()
        {
            let mut report = self.blank(index, ResourceState::InSync);
            report.notes.clone_from(notes);
            self.finish(index, report, progress);
        } else if let Some(state) = self.states.get_mut(index) {
            *state = Some(ResourceState::InSync);
        }
    }

    /// Whether the resource at `index` was in force before, as it is declared now.
    pub(super) fn was_in_force(&self, index: usize) -> bool {
        self.plan.in_force.get(index).copied().unwrap_or_default()
    }

    /// Records how a resource ended.
    pub(super) fn finish(
        &mut self,
        index: usize,
        mut report: ResourceReport,
        progress: &mut dyn Progress,
    ) {
        let has_steps = !report.steps.is_empty();
        if self.resource(index).is_some_and(|resource| resource.common.sensitive) {
            redact(&mut report);
        }
        if !matches!(report.state, ResourceState::InSync | ResourceState::Skipped) {
            report.actor = self.request.circumstances.actors.get(&index).cloned();
            let planned = self.plan.entries.get(index).and_then(Entry::planned);
            let drift =
                planned.is_some_and(|entry| entry.drift) || (has_steps && self.was_in_force(index));
            report.drift = report.state != ResourceState::Changed && drift;
        }
        if let Some(state) = self.states.get_mut(index) {
            *state = Some(report.state);
        }
        progress.finished(&report);
        self.reports.push((index, report));
    }

    /// All states, the reports in the catalog's order, and how many notifications were delivered.
    pub(super) fn into_results(mut self) -> Results {
        self.reports.sort_by_key(|(index, _)| *index);
        (
            self.states
                .into_iter()
                .map(|state| state.unwrap_or(ResourceState::NotReached))
                .collect(),
            self.reports.into_iter().map(|(_, report)| report).collect(),
            self.notified,
            self.messages,
        )
    }
}

/// Hides everything about a sensitive resource but what happened to which property.
fn redact(report: &mut ResourceReport) {
    const HIDDEN: &str = "hidden, because the resource is sensitive";
    report.changes.iter_mut().for_each(hide_change);
    report.steps.clear();
    report.notes.clear();
    report.hint = None;
    if report.output.take().is_some() {
        report.notes.push(format!("its output is {HIDDEN}"));
    }
    if report.state == ResourceState::Failed {
        report.reason = Some(format!("it failed; why is {HIDDEN}"));
        report.hint = Some("take `sensitive` away on a host where that is safe, to see why".into());
    }
}

/// Hides the values of a change, not that there is one.
pub fn hide_change(change: &mut Change) {
    for side in [&mut change.before, &mut change.after] {
        if matches!(side, Shown::Value(_)) {
            *side = Shown::Redacted;
        }
    }
    change.diff = None;
}
