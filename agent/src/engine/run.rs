//! One run from catalog to kept report.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use steadfast_policies::Catalog;
use steadfast_resources::host::Host;
use steadfast_resources::kind::Download;

use super::circumstances::Circumstances;
use super::execution::Execution;
use super::plan::{Plan, make_plan_of};
use super::recovery::{places, recover};
use super::refusal::{is_paused, mode};
use super::selection::Selection;
use super::unkept::unkept;
use crate::clock;
use crate::report::{
    Counts, Outcome, Report, ResourceName, ResourceReport, ResourceState, Revision, SCHEMA, Scope,
    display_reference,
};
use crate::state::{InForce, OwedNotification, Retention, State, StateError};

/// What a run is asked to do.
pub struct RunRequest<'a> {
    /// The resources.
    pub catalog: &'a Catalog,
    /// Where the catalog came from.
    pub revision: Revision,
    /// The host's name, for the report.
    pub host_name: String,
    /// What started the run (`manual`, `interval`, …).
    pub trigger: &'a str,
    /// Report only, change nothing, whatever the policy says.
    pub audit: bool,
    /// Whether the catalog is all this host should be, and not a single policy tried out.
    pub whole_host: bool,
    /// Which of the resources are looked at; where not all are, the run is not about the whole host.
    pub selection: Selection,
    /// How long the run may take; resources whose turn comes later are not reached.
    pub timeout: Duration,
    /// Set from outside to stop after the resource at hand.
    pub stop: &'a AtomicBool,
    /// Fetches https sources.
    pub download: &'a dyn Download,
    /// Anything to be said in the report from before the run.
    pub messages: Vec<String>,
    /// How many reports are kept.
    pub keep_runs: u32,
    /// For how many days.
    pub keep_days: u32,
    /// What a resident agent knows beyond that.
    pub circumstances: Circumstances,
}

impl RunRequest<'_> {
    /// Whether the run is about all this host should be.
    fn is_whole_host(&self) -> bool {
        self.whole_host && self.selection.is_all() && self.circumstances.focus.is_none()
    }

    /// The report's `scope`.
    fn scope(&self) -> Scope {
        if self.circumstances.focus.is_some() {
            Scope::Focus
        } else if !self.whole_host {
            Scope::Policy
        } else if self.selection.is_all() {
            Scope::Host
        } else {
            Scope::Selection
        }
    }

    /// The report's `focus`.
    fn focus(&self) -> Option<Vec<ResourceName>> {
        let named = |index: &usize| {
            let reference = &self.catalog.resources.get(*index)?.reference;
            let (kind, title) = (reference.kind().to_owned(), reference.title().to_owned());
            Some(ResourceName { kind, title })
        };
        self.circumstances.focus.as_ref().map(|focus| focus.iter().filter_map(named).collect())
    }

    /// The report's `mode`.
    fn mode(&self) -> &'static str {
        if self.audit { mode(true, &self.circumstances.overrides) } else { "enforce" }
    }

    /// Why nothing is changed, for the report of drift.
    pub(super) fn why_audit(&self) -> &'static str {
        if is_paused(&self.circumstances.overrides) {
            "paused"
        } else {
            "audit mode changes nothing"
        }
    }
}

/// Who follows a run while it goes.
pub trait Progress {
    /// The plan is made. Answering `false` ends the run before anything is changed.
    fn planned(&mut self, catalog: &Catalog, plan: &Plan) -> bool;
    /// A resource has had its turn and was not simply in sync.
    fn finished(&mut self, resource: &ResourceReport);
    /// A phase of the run (`plan`, `apply`, …) took this long.
    fn phase(&mut self, name: &'static str, took: Duration);
}

/// Nobody follows.
pub struct Silent;

impl Progress for Silent {
    fn planned(&mut self, _catalog: &Catalog, _plan: &Plan) -> bool {
        true
    }
    fn finished(&mut self, _resource: &ResourceReport) {}
    fn phase(&mut self, _name: &'static str, _took: Duration) {}
}

/// Plans, applies, and keeps the report. The caller holds the run lock. Where the report cannot be
/// kept it says so, and so does [`State::unwritable`].
pub fn run(
    request: &RunRequest<'_>,
    host: &mut dyn Host,
    state: &mut State,
    progress: &mut dyn Progress,
) -> Result<Report, StateError> {
    let begun = Instant::now();
    let started = clock::now();
    let id = clock::run_id();
    let catalog = request.catalog;
    let whole_host = request.is_whole_host();
    let mut messages = request.messages.clone();
    messages.extend(state.take_notes());
    messages.extend(unkept(catalog));
    if !request.selection.is_all() {
        messages.push(format!(
            "only what {} selects was looked at; the rest of the host may be anything",
            request.selection
        ));
    }
    let in_force = state.read(|state| state.in_force(catalog))?;
    let owed = state.read(State::owed)?;
    let plan = make_plan_of(
        &request.selection,
        &request.circumstances,
        catalog,
        &host.view(),
        &in_force,
        &owed,
    );
    progress.phase("observe and plan", begun.elapsed());

    let proceed = progress.planned(catalog, &plan);
    let may_change = proceed && !request.audit;
    let applying = Instant::now();
    let interrupted = state.read(State::interrupted_run)?;
    if may_change {
        if state.unwritable().is_none()
            && let Err(error) = state.bucket.sweep()
        {
            log::warn!("cannot look for what an earlier run left in the file bucket: {error}");
        }
        if let Some(interrupted) = &interrupted {
            messages.push(format!("run {interrupted} was cut off; this run finishes its work"));
            let places = state.read(State::interrupted_places)?;
            messages.extend(recover(catalog, &places, host));
            if whole_host && let Err(error) = state.run_ended() {
                state.go_on_in_memory(&error)?;
            }
        }
        // What is owed cannot be crossed off in a state that is not written.
        if whole_host && state.unwritable().is_none() {
            messages.extend(drop_orphaned(catalog, &owed, state)?);
        }
    }
    let mut execution = Execution::new(request, &id, &plan, &owed, begun + request.timeout);
    if may_change && execution.has_work() {
        // A single policy does not know all that a cut-off run left: its mark stays.
        let marks = whole_host || interrupted.is_none();
        let places = places(catalog, &plan);
        let marked =
            if marks { state.run_begins(&id, &places) } else { state.run_adds(&id, &places) };
        if let Err(error) = marked {
            state.go_on_without(error)?;
        }
        execution.all(host, state, progress);
        // From here on nothing may cost the report of what has been changed.
        if marks && let Err(error) = state.run_ended() {
            state.go_on_in_memory(&error)?;
        }
    } else {
        execution.observe_only(progress, proceed);
    }
    progress.phase("apply", applying.elapsed());

    let keeping = Instant::now();
    let stopped = request.stop.load(Ordering::Relaxed);
    let (states, resources, notified, more) = execution.into_results();
    messages.extend(more);
    let mut counts = Counts { notified, ..Counts::default() };
    for (index, state) in states.iter().enumerate() {
        if request.circumstances.looks_at(index) {
            counts.add(*state);
        }
    }
    let refused = request.circumstances.refused.as_ref();
    messages.extend(refused.iter().flat_map(|refused| refused.reasons.clone()));
    let mut report = Report {
        schema: SCHEMA,
        id,
        host: request.host_name.clone(),
        trigger: request.trigger.to_owned(),
        mode: request.mode().to_owned(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        duration: begun.elapsed().as_secs_f64(),
        revision: request.revision.clone(),
        catalog: Some(catalog.digest.clone()),
        policies: catalog.policies.clone(),
        outcome: Outcome::Refused,
        wanted: refused.map(|refused| refused.revision.clone()),
        overrides: request.circumstances.overrides.clone(),
        scope: request.scope(),
        focus: request.focus(),
        counts,
        resources,
        owed: state.read_anyhow(State::owed)?,
        messages,
        previous: state.read_anyhow(State::newest_report_digest)?,
    };
    if proceed {
        // Where nothing is crossed off, what is owed to others is not dropped or delivered either.
        let owed = owed_here(catalog, &report.owed)
            || state.unread().is_some()
            || (state.unwritable().is_some() && !report.owed.is_empty());
        report.outcome = match outcome(&counts, stopped, owed) {
            Outcome::Interrupted => Outcome::Interrupted,
            // Whatever is in order, it is not what was asked for.
            _ if refused.is_some() && request.circumstances.focus.is_none() => Outcome::Failed,
            outcome => outcome,
        };
        if let Err(error) = record_in_force(request, &report, &in_force, &states, state) {
            state.go_on_in_memory(&error)?;
        }
    }
    let retention = Retention::new(request.keep_runs, request.keep_days);
    if state.unwritable().is_none()
        && let Err(error) = state.keep_report(&report, Some(catalog), &retention)
    {
        state.go_on_in_memory(&error)?;
    }
    if state.unwritable().is_some() {
        state.put_off(&report, Some(catalog), &retention);
    }
    if let Some(reason) = state.unread() {
        report.messages.push(format!(
            "what is in force and what is owed may be other than said here: {reason}"
        ));
    }
    if let Some(reason) = state.unwritable() {
        report.messages.push(format!("this report is not kept, nor what is in force: {reason}"));
    }
    progress.phase("keep the report", keeping.elapsed());
    Ok(report)
}

/// Drops what is owed to resources that have left the catalog: nobody is left to be notified.
fn drop_orphaned(
    catalog: &Catalog,
    owed: &[OwedNotification],
    state: &mut State,
) -> Result<Vec<String>, StateError> {
    let mut messages = Vec::new();
    for owed in owed {
        let is_target = |resource: &steadfast_policies::Resource| {
            resource.reference.kind() == owed.target_kind
                && resource.reference.title() == owed.target_title
        };
        if !catalog.resources.iter().any(is_target) {
            if let Err(error) = state.settle(&owed.target_kind, &owed.target_title) {
                state.go_on_without(error)?;
                break;
            }
            messages.push(format!(
                "the notification owed to {} since {} is dropped: it is no longer declared",
                display_reference(&owed.target_kind, &owed.target_title),
                owed.since
            ));
        }
    }
    Ok(messages)
}

/// Whether anything is still owed to a resource of this catalog.
fn owed_here(catalog: &Catalog, owed: &[OwedNotification]) -> bool {
    owed.iter().any(|owed| {
        catalog.resources.iter().any(|resource| {
            resource.reference.kind() == owed.target_kind
                && resource.reference.title() == owed.target_title
        })
    })
}

fn record_in_force(
    request: &RunRequest<'_>,
    report: &Report,
    in_force: &InForce,
    states: &[ResourceState],
    state: &State,
) -> Result<(), StateError> {
    if request.audit {
        return Ok(());
    }
    // A run that did not reach everything must not forget what it did not look at.
    let whole_host = request.is_whole_host() && report.outcome != Outcome::Interrupted;
    state.put_in_force(request.catalog, in_force, whole_host, |index| {
        match states.get(index) {
            Some(ResourceState::InSync | ResourceState::Changed | ResourceState::Corrected) => true,
            // Nobody looked: what was in force before still is.
            Some(ResourceState::Skipped) => {
                request.catalog.resources.get(index).is_some_and(|resource| in_force.has(resource))
            }
            _ => false,
        }
    })
}

fn outcome(counts: &Counts, stopped: bool, owed: bool) -> Outcome {
    if counts.failed + counts.blocked > 0 {
        Outcome::Failed
    } else if counts.not_reached > 0 || stopped {
        Outcome::Interrupted
    } else if counts.drifted > 0 || owed {
        Outcome::Drifted
    } else if counts.corrected > 0 {
        Outcome::Corrected
    } else if counts.changed + counts.notified > 0 {
        Outcome::Changed
    } else {
        Outcome::Converged
    }
}
