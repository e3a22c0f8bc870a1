//! `steadfast apply`: one run, now, without the service.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Args;
use steadfast_policies::Catalog;
use steadfast_resources::host::RealHost;

use super::input::{CopyPlace, Input};
use super::selection::SelectionArguments;
use super::timings::Timings;
use super::{CommandError, Exit, Locations};
use crate::engine::{self, Plan, Progress, RunRequest};
use crate::managed::ManagedHost;
use crate::output::{Output, PlanDocument, resource_text, summary_line};
use crate::report::{Outcome, Report, ResourceReport, ResourceState, Revision, Scope};
use crate::state::{Locks, Retention, State};

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A directory, a Git URL (#branch picks one) or a policy file [default: the configured repository]
    repository: Option<String>,
    /// Apply only if it does exactly what this saved plan says (`plan --out FILE`)
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    selection: SelectionArguments,
    /// Report drift and change nothing, whatever the policy says
    #[arg(long)]
    audit: bool,
    /// The root directory of the managed system, for images and chroots
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Print where the time went
    #[arg(long)]
    timings: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let mut timings = Timings::start();
    let saved = arguments.plan.as_deref().map(super::input::read_plan).transpose()?;
    let mut target = super::input::target(&arguments.root, locations, None)?;
    timings.mark("settings and facts");
    let mut state = State::open_for_run(&target.root, &target.state_directory)?;
    let locks =
        Locks::take(&mut state, &target.root)?.map_err(|other| CommandError::at_work(&other))?;
    target.messages.extend(locks.message.clone());
    timings.mark("open the state");
    let opened = Input::open(arguments.repository.as_deref(), &target, CopyPlace::Kept, output);
    timings.mark("open the repository");
    // What somebody types is answered on the terminal; the configured repository has a history.
    let configured = target.settings.repository.as_ref().filter(|_| arguments.repository.is_none());
    let input = opened.or_else(|error| match configured {
        Some(repository) => {
            let revision = Revision {
                source: repository.url.clone(),
                verification: "none: there is no revision".to_owned(),
                ..Revision::default()
            };
            refused(error, revision, arguments, &target, &state)
        }
        None => Err(error),
    })?;
    let evaluated = input.evaluate(&target, output);
    timings.mark("parse and evaluate");
    let catalog = evaluated.or_else(|error| match configured {
        Some(_) => refused(error, input.revision.clone(), arguments, &target, &state),
        None => Err(error),
    })?;

    let selection = arguments.selection.of(&catalog, saved.as_ref().map(|plan| &plan.selection))?;

    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let mut host = RealHost::new(&target.host_options());
    let audit = arguments.audit || target.audit();
    let request = RunRequest {
        catalog: &catalog,
        revision: input.revision.clone(),
        host_name: target.host_name(),
        trigger: "manual",
        audit,
        whole_host: input.whole_host,
        selection,
        timeout: target.settings.agent.run_timeout,
        stop: &stop,
        download: &crate::download::HttpsDownload::new(
            target.settings.repository.as_ref().and_then(|source| source.ca_file.clone()),
        ),
        messages: target.messages.iter().chain(&input.messages).cloned().collect(),
        keep_runs: target.settings.reports.keep_runs,
        keep_days: target.settings.reports.keep_days,
        circumstances: engine::Circumstances::default(),
    };
    let mut follower = Follower {
        output,
        quiet: arguments.json,
        saved,
        revision: &input.revision,
        host_name: target.host_name(),
        audit,
        refusal: None,
        in_force: (!audit && request.selection.is_all()).then_some(&input),
        timings: &mut timings,
    };
    let report = engine::run(&request, &mut host, &mut state, &mut follower)?;
    let refusal = follower.refusal;
    if target.root == Path::new("/") {
        crate::journal::tell(&report);
        crate::metrics::publish(&state, &target.settings, None);
    }
    print(&report, &catalog, arguments, output)?;
    if arguments.timings {
        timings.mark("print");
        output.message(&timings.table());
    }
    if let Some(refusal) = refusal {
        return Err(CommandError::new(format!("the saved plan no longer holds: {refusal}"))
            .with_hint("nothing was changed; make and read a new plan")
            .with_exit(Exit::Refused));
    }
    if let Some(reason) = state.unwritable() {
        output.message(&format!(
            "warning: the agent's state cannot be written: {reason}\n  help: make room in {}, and \
             check the file system's health\n",
            target.state_directory.display()
        ));
        return Ok(Exit::AppliedWithFailures);
    }
    Ok(match report.outcome {
        Outcome::Converged | Outcome::Changed | Outcome::Corrected => Exit::Done,
        Outcome::Drifted => Exit::Pending,
        Outcome::Failed | Outcome::Interrupted => Exit::AppliedWithFailures,
        Outcome::Refused => Exit::Refused,
    })
}

/// Records a run that ended before there was a catalog, so that a bad commit shows in the reports.
fn refused<T>(
    error: CommandError,
    revision: Revision,
    arguments: &Arguments,
    target: &ManagedHost,
    state: &State,
) -> Result<T, CommandError> {
    let refusal = engine::Refusal {
        reasons: &error.plain(),
        revision,
        host: target.host_name(),
        trigger: "manual",
        scope: if arguments.selection.is_all() { Scope::Host } else { Scope::Selection },
        audit: arguments.audit || target.audit(),
        overrides: Vec::new(),
    };
    let report = refusal.report(state);
    let keep = &target.settings.reports;
    let retention = Retention::new(keep.keep_runs, keep.keep_days);
    if let Err(unkept) = state.keep_report(&report, None, &retention) {
        // What the command was refused for matters more than that nobody can read it up later.
        log::warn!("the report of this run is not kept: {unkept}");
    }
    if target.root == Path::new("/") {
        crate::journal::tell(&report);
        crate::metrics::publish(state, &target.settings, None);
    }
    Err(error)
}

fn print(
    report: &Report,
    catalog: &Catalog,
    arguments: &Arguments,
    output: &Output,
) -> Result<(), CommandError> {
    if arguments.json {
        let whole = report.clone().completed(&crate::report::listing(catalog));
        output.data(&(serde_json::to_string_pretty(&whole)? + "\n"))?;
    } else {
        for message in &report.messages {
            output.message(&format!("note: {message}\n"));
        }
        output.data(&summary_line(report, output.style))?;
    }
    Ok(())
}

/// Prints each resource as its turn ends, and holds the run to a saved plan.
struct Follower<'a> {
    output: &'a Output,
    quiet: bool,
    saved: Option<PlanDocument>,
    revision: &'a Revision,
    host_name: String,
    audit: bool,
    refusal: Option<String>,
    /// Whose revision is in force from the moment the run goes on.
    in_force: Option<&'a Input>,
    timings: &'a mut Timings,
}

impl Progress for Follower<'_> {
    fn planned(&mut self, catalog: &Catalog, plan: &Plan) -> bool {
        if let Some(saved) = &self.saved {
            let now = PlanDocument::new(catalog, plan, self.revision, &self.host_name, self.audit);
            self.refusal = now.difference(saved);
        }
        let goes_on = self.refusal.is_none();
        if let Some(input) = self.in_force.filter(|_| goes_on)
            && let Err(error) = input.accepted()
        {
            self.output.message(&error.text(self.output.message_style));
        }
        goes_on
    }

    fn finished(&mut self, resource: &ResourceReport) {
        // What nobody looks at is counted, not listed.
        let told = resource.state != ResourceState::Skipped;
        if told && !self.quiet && self.refusal.is_none() {
            // The report is kept in any case; a closed standard output does not end a run.
            let _ = self.output.data(&resource_text(resource, self.output.style));
        }
    }

    fn phase(&mut self, name: &'static str, took: Duration) {
        self.timings.add(name, took);
    }
}
