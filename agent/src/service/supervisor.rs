//! The supervisor: what is due when, in one task. It never touches the resources of the machine, and
//! waits for nothing but its timers, its threads, signals and those who ask.

mod commands;
mod jobs;
mod timers;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use steadfast_resources::Actor;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender};

use super::control::Command;
use super::event::Event;
use super::fetching::{Answer, Question};
use super::job::{Job, News};
use super::live::{Live, Polling, SCHEMA};
use super::replacement::Program;
use super::schedule::Schedule;
use super::systemd;
use super::watching::Observed;
use super::worker::Order;
use super::{End, Options, ServiceError};
use crate::clock;
use crate::config::{Mode, Settings};
use crate::managed::ManagedHost;
use crate::report::Outcome;

/// How long the agent waits for the resource at hand when it is asked to stop: systemd kills it
/// after 30 s.
const STOP_PATIENCE: Duration = Duration::from_secs(25);

/// How much later than the repository is asked everything is looked at, should it not answer.
const GRACE: Duration = Duration::from_secs(10);

/// The channels to and from the supervisor.
pub(super) struct Channels {
    pub(super) orders: Sender<Order>,
    pub(super) news: UnboundedReceiver<News>,
    pub(super) questions: Sender<Question>,
    pub(super) answers: UnboundedReceiver<Answer>,
    pub(super) observed: UnboundedReceiver<Observed>,
    /// Keeps [`Self::observed`] open where there is no watcher.
    pub(super) _observing: UnboundedSender<Observed>,
    pub(super) commands: Receiver<Command>,
    pub(super) events: broadcast::Sender<Arc<Event>>,
}

/// The supervisor.
pub(super) struct Supervisor {
    options: Options,
    host: ManagedHost,
    channels: Channels,
    stop: Arc<AtomicBool>,
    program: Program,
    schedule: Schedule,
    /// When the server is asked next; `None` while it is.
    poll_at: Option<Instant>,
    /// When everything is looked at next.
    pass_at: Instant,
    /// When the next truce with something else ends.
    truce_at: Option<Instant>,
    watchdog: Option<Duration>,
    /// The job at work, and when it must have ended.
    current: Option<(u64, Instant)>,
    /// Whether it is about some resources only.
    focused: bool,
    /// The next job about everything.
    whole: Option<Job>,
    /// What events concern, for the next job that is about them alone.
    focus: BTreeSet<Arc<str>>,
    truce_ended: bool,
    actors: HashMap<Arc<str>, Actor>,
    numbers: u64,
    /// Whether the program may have been replaced since somebody looked.
    look_for_program: bool,
    live: Live,
    /// The line of status that systemd has.
    said: String,
    /// How the agent is to end, and until when the run at hand is waited for.
    ending: Option<(End, Option<Instant>)>,
}

impl Supervisor {
    pub(super) fn new(
        options: Options,
        settings: Settings,
        channels: Channels,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, ServiceError> {
        let host = ManagedHost::new(PathBuf::from("/"), options.state_directory.clone(), settings);
        let agent = &host.settings.agent;
        let schedule = Schedule::new(agent.interval, agent.splay);
        let now = Instant::now();
        let live = Live {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started: clock::now(),
            mode: String::new(),
            repository: String::new(),
            branch: None,
            running: None,
            last_run: None,
            last_event: None,
            messages: Vec::new(),
            polling: Polling::default(),
            overrides: Vec::new(),
            left_alone: Vec::new(),
            watching: "at every interval".to_owned(),
            configuration: None,
            problem: None,
        };
        let mut supervisor = Self {
            poll_at: Some(now + schedule.first(clock::chance())),
            pass_at: now + agent.interval,
            schedule,
            program: Program::running().map_err(ServiceError::Program)?,
            options,
            host,
            channels,
            stop,
            truce_at: None,
            watchdog: systemd::watchdog(),
            current: None,
            focused: false,
            whole: None,
            focus: BTreeSet::new(),
            truce_ended: false,
            actors: HashMap::new(),
            numbers: 0,
            look_for_program: false,
            live,
            said: String::new(),
            ending: None,
        };
        supervisor.describe_settings();
        Ok(supervisor)
    }

    /// Runs until the agent is to end.
    pub(super) async fn run(mut self) -> Result<End, ServiceError> {
        let listen = |kind| signal(kind).map_err(ServiceError::Signals);
        let mut hang_up = listen(SignalKind::hangup())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        self.boot();
        systemd::ready();
        loop {
            self.dispatch();
            if let Some(end) = self.over() {
                self.drain().await;
                return Ok(end);
            }
            self.say();
            // Here, and not only when a timer is due: whoever asks or tells often puts timers off.
            systemd::alive();
            let wake = tokio::time::Instant::from_std(self.next_timer());
            tokio::select! {
                news = self.channels.news.recv() => match news {
                    Some(news) => self.news(news),
                    None => return Err(ServiceError::Broken),
                },
                answer = self.channels.answers.recv() => match answer {
                    Some(answer) => self.answered(answer),
                    None => return Err(ServiceError::Broken),
                },
                Some(observed) = self.channels.observed.recv() => self.observed(observed),
                Some(command) = self.channels.commands.recv() => self.command(command),
                () = received(&mut hang_up) => self.reload(),
                () = received(&mut terminate) => self.end(End::Stop),
                () = received(&mut interrupt) => self.end(End::Stop),
                () = tokio::time::sleep_until(wake) => self.timers()?,
            }
        }
    }

    /// What was in force is enforced at once, network or not.
    fn boot(&mut self) {
        self.load_orders();
        let Some(source) = self.host.source() else { return };
        let store = self.host.store_directory(&source.url, true);
        let known = crate::source::Source::open(source, &store)
            .is_ok_and(|source| matches!(source.good(), Ok(Some(_))));
        if known {
            self.want_run("boot");
        }
    }

    fn answered(&mut self, answer: Answer) {
        let now = Instant::now();
        let polling = &mut self.live.polling;
        polling.asked = Some(clock::now());
        match answer.result {
            Ok((head, moved)) => {
                polling.answered.clone_from(&polling.asked);
                polling.head = Some(head.to_string());
                polling.failure = None;
                let next = now + self.schedule.answered(clock::chance());
                self.poll_at = Some(next);
                let first = self.numbers == 0;
                let due = now + GRACE >= self.pass_at;
                if moved || first {
                    self.want_run(if first { "boot" } else { "push" });
                } else if due {
                    self.want_run("interval");
                }
                self.pass_at = next + GRACE;
            }
            Err(failure) => {
                log::warn!("{failure}");
                polling.failure = Some(failure);
                self.poll_at = Some(now + self.schedule.failed(clock::chance()));
                if now + GRACE >= self.pass_at || (self.numbers == 0 && !answer.has_revision) {
                    self.want_run("interval");
                }
            }
        }
        self.live.polling.failures = self.schedule.failures();
    }

    fn tell(&self, event: Event) {
        // Nobody follows most of the time.
        let _ = self.channels.events.send(Arc::new(event));
    }

    /// Asks the agent to end, after the resource at hand.
    fn end(&mut self, end: End) {
        // Who asks it to stop is not answered with a new one.
        let pending = self.ending.as_ref().map(|(pending, _)| *pending);
        if pending.is_none() || (pending == Some(End::Replaced) && end != End::Replaced) {
            if end == End::Replaced {
                // Not "stopping": systemd would kill the process that is to stay. The new program
                // says that it is ready.
                systemd::reloading();
            } else {
                systemd::stopping();
                self.stop.store(true, Ordering::Relaxed);
            }
            // A new program has time; nobody kills this one meanwhile.
            let patience = (end != End::Replaced).then(|| Instant::now() + STOP_PATIENCE);
            self.ending = Some((end, patience));
        }
    }

    /// Lets those who follow a run that has just ended hear of that, for a moment.
    async fn drain(&self) {
        for _ in 0..100 {
            if self.channels.events.receiver_count() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn over(&self) -> Option<End> {
        let (end, patience) = self.ending.as_ref()?;
        if self.current.is_some() && patience.is_none_or(|patience| Instant::now() < patience) {
            return None;
        }
        if self.current.is_some() {
            log::warn!("the resource at hand has not ended; the next run finishes its work");
        }
        Some(*end)
    }

    /// The line of status for `systemctl status`.
    fn say(&mut self) {
        let line = match (&self.live.running, &self.live.last_run) {
            (Some(running), _) => {
                format!("{} run: {} of {} open", running.trigger, running.open, running.total)
            }
            (None, Some(run)) => {
                let commit = run.revision.commit.as_deref().unwrap_or_default();
                let commit = commit.get(..12).unwrap_or(commit);
                let outcome = match run.outcome {
                    Outcome::Failed if run.wanted.is_some() => "refused the wanted revision",
                    outcome => outcome.as_str(),
                };
                format!("{outcome} at {commit}; {} resources", run.counts.total)
            }
            (None, None) => "waiting for the repository".to_owned(),
        };
        let pause = if self.live.overrides.is_empty() { "" } else { " (overridden: see status)" };
        let line = format!("{line}{pause}");
        if line != self.said {
            systemd::status(&line);
            self.said = line;
        }
    }

    fn describe_settings(&mut self) {
        let settings = &self.host.settings;
        let mode = match settings.agent.mode {
            Mode::Enforce => "enforce",
            Mode::Audit => "audit",
        };
        mode.clone_into(&mut self.live.mode);
        if let Some(repository) = &settings.repository {
            self.live.repository.clone_from(&repository.url);
            self.live.branch.clone_from(&repository.branch);
        }
    }
}

async fn received(signal: &mut Signal) {
    if signal.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}
