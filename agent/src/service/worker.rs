//! The one thread that changes the machine. It keeps the catalog in memory and does one job after
//! another; what it tells goes to the supervisor.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use steadfast_resources::Failure;
use steadfast_resources::host::RealHost;
use tokio::sync::mpsc::UnboundedSender;

use super::event::Event;
use super::fights::Fights;
use super::follower::Follower;
use super::job::{Ended, Job, News};
use super::live::Polling;
use super::loading::{Loaded, Loading, Nothing};
use super::noise::Noise;
use super::watching::Watching;
use crate::config::Settings;
use crate::download::HttpsDownload;
use crate::engine::{self, Circumstances, RefusedRevision, RunRequest, Selection, with_notified};
use crate::managed::ManagedHost;
use crate::metrics::Resident;
use crate::report::{Outcome, OverrideKind, Report, ResourceState, Revision, Scope};
use crate::source::Source;
use crate::state::{Locks, Retention, State};

/// How long a job waits for a run that somebody has started by hand.
const PATIENCE: Duration = Duration::from_secs(2 * 60);

/// How often it looks whether that has ended.
const LOOK: Duration = Duration::from_millis(50);

/// What reaches the worker.
pub(super) enum Order {
    /// A run.
    Run(Box<Job>),
    /// The configuration has changed.
    Settings(Box<Settings>),
}

/// The worker.
pub(super) struct Worker {
    host: ManagedHost,
    state: Option<State>,
    loading: Loading,
    fights: Fights,
    noise: Noise,
    /// When truces were last looked at.
    looked: Instant,
    watching: Option<Watching>,
    /// The digest of the catalog that the watcher knows.
    watched: Option<String>,
    stop: Arc<AtomicBool>,
    news: UnboundedSender<News>,
}

impl Worker {
    pub(super) fn new(
        state_directory: PathBuf,
        settings: Settings,
        watching: Option<Watching>,
        stop: Arc<AtomicBool>,
        news: UnboundedSender<News>,
    ) -> Self {
        let mut host = ManagedHost::new(PathBuf::from("/"), state_directory, settings);
        host.memory = Some(Arc::default());
        Self {
            host,
            state: None,
            loading: Loading::default(),
            fights: Fights::default(),
            noise: Noise::default(),
            looked: Instant::now(),
            watching,
            watched: None,
            stop,
            news,
        }
    }

    /// Works until nobody gives orders any more.
    pub(super) fn work(mut self, orders: &Receiver<Order>) {
        for order in orders {
            match order {
                Order::Settings(settings) => {
                    self.host.messages.clone_from(&settings.warnings);
                    self.host.settings = *settings;
                    if self.host.demands_signatures() {
                        // What was believed without one is not enforced any longer, by no event.
                        self.loading = Loading::default();
                        self.watched = None;
                    }
                }
                Order::Run(job) => {
                    let (number, whole) =
                        (job.number, job.focus.is_none() && job.trigger != "truce");
                    let result = self.run(*job);
                    let now = Instant::now();
                    let (report, refused) = match result {
                        Ok(report) => (report, None),
                        Err(reason) => {
                            log::error!("{reason}");
                            (None, Some(reason))
                        }
                    };
                    let _ = self.news.send(News::Ended(Box::new(Ended {
                        number,
                        whole,
                        report,
                        refused,
                        left_alone: self.fights.left_alone(now),
                        next_end: self
                            .fights
                            .next_end(now)
                            .into_iter()
                            .chain(self.noise.next_end(now))
                            .min(),
                    })));
                }
            }
        }
    }

    /// One run, from choosing the revision to the kept report. `None` where there was nothing to do.
    fn run(&mut self, mut job: Job) -> Result<Option<Report>, String> {
        let plainly = |error: &dyn std::error::Error| Failure::from_error(error).reason;
        let mut state = self.state()?;
        let locks = self.lock(&mut state)?;
        self.tell(Event::Begun { job: job.number, trigger: job.trigger.to_owned() });
        let now = Instant::now();
        if job.trigger == "manual" {
            self.fights.forget();
        }
        if job.trigger == "truce" {
            let mut ended = self.fights.ended(self.looked, now);
            ended.extend(self.noise.ended(now));
            self.looked = now;
            job.focus = Some(ended.into_iter().map(Arc::from).collect());
            job.trigger = "interval";
        } else if let Some(focus) = &mut job.focus {
            focus.retain(|name| {
                self.noise.allows(name, now) && self.fights.is_news(name, job.actors.get(name), now)
            });
            for name in &*focus {
                self.noise.looked(name, now);
            }
        }
        if job.focus.as_ref().is_some_and(BTreeSet::is_empty) {
            self.state = Some(state);
            return Ok(None);
        }
        if self.loading.loaded().is_none() {
            job.focus = None;
        }
        let audit = self.host.audit()
            || job.overrides.iter().any(|order| order.kind == OverrideKind::Pause);
        let mut messages = std::mem::take(&mut job.messages);
        messages.extend(locks.message.clone());
        let (source, chosen) = if job.focus.is_some() {
            (None, Ok(self.loading.refused()))
        } else {
            self.choose(&job)
        };
        messages.extend(self.host.messages.iter().cloned());
        let _quiet = self.watching.as_ref().map(Watching::begin_quiet);
        self.watch();
        let report = match (chosen, self.loading.loaded()) {
            (Ok(refused), Some(loaded)) => {
                let circumstances = Circumstances {
                    refused,
                    overrides: std::mem::take(&mut job.overrides),
                    ..circumstances(&job, loaded, &self.fights, now)
                };
                let authority = self.host.settings.repository.as_ref();
                let authority = authority.and_then(|source| source.ca_file.clone());
                let download = HttpsDownload::new(authority);
                let request = self.request(&job, loaded, circumstances, audit, messages, &download);
                let mut host = RealHost::new(&self.host.host_options());
                let in_force = source.as_ref().filter(|_| !audit).map(|source| (source, loaded.id));
                let mut follower = Follower::new(job.number, &self.news, in_force);
                engine::run(&request, &mut host, &mut state, &mut follower)
                    .map_err(|error| plainly(&error))?
            }
            (Ok(_), None) => return Err("there is no catalog in memory".to_owned()),
            (Err(nothing), _) => self.nothing(&job, *nothing, messages, &mut state),
        };
        self.remember(&report, now);
        tell_journal(&report);
        if job.focus.is_none() || !report.is_nothing() {
            self.publish(&state, job.polling, now);
        }
        if job.focus.is_none() {
            crate::allocator::give_back();
            crate::allocator::unmap_text();
        }
        self.state = Some(state);
        drop(locks);
        Ok(Some(Report { resources: Vec::new(), ..report }))
    }

    /// The state, opened anew where it is gone, or could not be written before.
    fn state(&mut self) -> Result<State, String> {
        let root = &self.host.root;
        let state = match self.state.take() {
            Some(state) => state.for_next_run(root),
            None => State::open_for_run(root, &self.host.state_directory),
        };
        state.map_err(|error| Failure::from_error(&error).reason)
    }

    /// Waits for a run by hand to end.
    fn lock(&self, state: &mut State) -> Result<Locks, String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let taken = Locks::take(state, &self.host.root)
                .map_err(|error| Failure::from_error(&error).reason)?;
            match taken {
                Ok(locks) => return Ok(locks),
                Err(other) if Instant::now() >= end || self.stop.load(Ordering::Relaxed) => {
                    return Err(other.to_string());
                }
                // A lock has no descriptor that becomes ready.
                Err(_) => std::thread::park_timeout(LOOK),
            }
        }
    }

    /// Looks at the host and chooses what is to be applied to it: the repository's copy, and the
    /// revision that is refused where an older one is applied. Whatever is amiss with the copy, a
    /// catalog in memory goes on to be enforced; the report says so.
    fn choose(
        &mut self,
        job: &Job,
    ) -> (Option<Source>, Result<Option<RefusedRevision>, Box<Nothing>>) {
        let without = |host: &ManagedHost, reason: String| {
            let url = host.settings.repository.as_ref().map(|repository| repository.url.clone());
            let verification = "none: there is no revision".to_owned();
            let source = url.unwrap_or_default();
            let revision = Revision { source, verification, ..Revision::default() };
            Box::new(Nothing { revision, reasons: vec![reason] })
        };
        if self.host.demands_signatures() {
            let reason = "the configuration demands signed commits, and this version cannot verify \
                          them: nothing is enforced; set repository.verify.mode = \"none\" to \
                          believe whatever the server says";
            return (None, Err(without(&self.host, reason.to_owned())));
        }
        if let Err(error) = self.host.gather_facts() {
            return (None, Err(without(&self.host, Failure::from_error(&error).reason)));
        }
        let pinned = job.overrides.iter().find(|order| order.kind == OverrideKind::Rollback);
        let pinned = pinned.and_then(|order| order.revision.as_deref());
        let (source, chosen) = match self.source() {
            Ok(source) => {
                let chosen = self.loading.choose(&source, &self.host, pinned);
                (Some(source), chosen)
            }
            Err(reason) => (None, Err(without(&self.host, reason))),
        };
        (source, chosen.or_else(|nothing| self.loading.instead_of(*nothing).map(Some)))
    }

    fn source(&self) -> Result<Source, String> {
        let settings = self.host.source().ok_or("no policy repository is configured")?;
        let directory = self.host.store_directory(&settings.url, true);
        Source::open(settings, &directory).map_err(|error| Failure::from_error(&error).reason)
    }

    fn request<'a>(
        &'a self,
        job: &Job,
        loaded: &'a Loaded,
        circumstances: Circumstances,
        audit: bool,
        messages: Vec<String>,
        download: &'a HttpsDownload,
    ) -> RunRequest<'a> {
        let settings = &self.host.settings;
        RunRequest {
            catalog: &loaded.catalog,
            revision: loaded.revision.clone(),
            host_name: self.host.host_name(),
            trigger: job.trigger,
            audit,
            whole_host: true,
            selection: Selection::default(),
            timeout: settings.agent.run_timeout,
            stop: &self.stop,
            download,
            messages,
            keep_runs: settings.reports.keep_runs,
            keep_days: settings.reports.keep_days,
            circumstances,
        }
    }

    /// The report of a run that had nothing to apply.
    fn nothing(
        &self,
        job: &Job,
        nothing: Nothing,
        mut messages: Vec<String>,
        state: &mut State,
    ) -> Report {
        messages.extend(nothing.reasons);
        let refusal = engine::Refusal {
            reasons: &messages,
            revision: nothing.revision,
            host: self.host.host_name(),
            trigger: job.trigger,
            scope: Scope::Host,
            audit: self.host.audit(),
            overrides: job.overrides.clone(),
        };
        let report = refusal.report(state);
        let reports = &self.host.settings.reports;
        let retention = Retention::new(reports.keep_runs, reports.keep_days);
        if let Err(error) = state.keep_report(&report, None, &retention) {
            log::warn!("the report of this run is kept later: {error}");
            state.put_off(&report, None, &retention);
        }
        report
    }

    /// Writes the metrics.
    fn publish(&self, state: &State, polling: Polling, now: Instant) {
        let left_alone = self.fights.left_alone(now).len();
        let left_alone = u32::try_from(left_alone).unwrap_or(u32::MAX);
        let resident = Resident { polling, left_alone };
        crate::metrics::publish(state, &self.host.settings, Some(&resident));
    }

    /// Remembers who keeps changing what.
    fn remember(&mut self, report: &Report, now: Instant) {
        for resource in &report.resources {
            if resource.state == ResourceState::Corrected {
                self.fights.corrected(&resource.reference(), resource.actor.as_ref(), now);
            }
        }
    }

    /// Tells the watcher about another catalog.
    fn watch(&mut self) {
        let (Some(loaded), Some(watching)) = (self.loading.loaded(), &self.watching) else {
            return;
        };
        if self.watched.as_deref() == Some(loaded.catalog.digest.as_str()) {
            return;
        }
        self.watched = Some(loaded.catalog.digest.clone());
        let resources = loaded.catalog.resources.iter().enumerate();
        let interests = resources
            .map(|(index, resource)| (index, resource.kind.interests(&resource.wanted)))
            .collect();
        watching.watch(Arc::clone(&loaded.names), interests);
    }

    fn tell(&self, event: Event) {
        // Nobody listens only while the agent ends.
        let _ = self.news.send(News::Event(event));
    }
}

/// The job's circumstances in terms of the catalog.
fn circumstances(job: &Job, loaded: &Loaded, fights: &Fights, now: Instant) -> Circumstances {
    let index = |name: &str| loaded.index.get(name).copied();
    let actors = job.actors.iter();
    let held = fights
        .left_alone(now)
        .into_iter()
        .filter_map(|name| Some((index(&name)?, fights.reason_to_leave(&name, now)?)));
    let focus = job.focus.as_ref();
    Circumstances {
        actors: actors.filter_map(|(name, actor)| Some((index(name)?, actor.clone()))).collect(),
        held: held.collect(),
        focus: focus.map(|focus| {
            with_notified(&loaded.catalog, focus.iter().filter_map(|name| index(name)))
        }),
        ..Circumstances::default()
    }
}

/// An interval's run that found everything in order is no news.
fn tell_journal(report: &Report) {
    let quiet = report.outcome == Outcome::Converged && report.trigger == "interval";
    if !quiet && !report.is_nothing() {
        crate::journal::tell(report);
    }
}
