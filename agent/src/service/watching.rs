//! The thread that notices drift when it happens, and tells the supervisor which resources to look
//! at again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

use steadfast_resources::Actor;
use steadfast_resources::host::HostOptions;
use steadfast_resources::host::watch::{
    Event, FileWatch, Interest, Quiet, QuietGuard, UnitWatch, Waker, Watcher, WatcherDescription,
};
use tokio::sync::mpsc::UnboundedSender;

/// How long the watcher waits for events before it looks whether it has been given up.
const TURN: Duration = Duration::from_secs(10 * 60);

/// How long a run waits for the watcher to have marked what it is about.
const MARKING: Duration = Duration::from_secs(10);

/// How long a watcher that fails is left alone.
const REST: Duration = Duration::from_secs(5);

/// What was noticed.
pub(super) enum Observed {
    /// These resources may not be what they were.
    Changed {
        /// Their names.
        resources: BTreeSet<Arc<str>>,
        /// Who did it.
        actor: Option<Actor>,
    },
    /// Nobody knows what has changed.
    Anything,
    /// How drift is noticed from now on, in words.
    Description(String),
}

/// What is to be watched.
pub(super) struct Watch {
    names: Arc<[Arc<str>]>,
    interests: Vec<(usize, Vec<Interest>)>,
    marked: SyncSender<()>,
}

/// The worker's hold on the watcher.
pub(super) struct Watching {
    orders: Sender<Watch>,
    waker: Waker,
    quiet: Quiet,
}

impl Watching {
    /// From now on these resources are watched: each one's name and what it rests on. Returns when
    /// they are, so that nothing is missed that happens after the run has looked.
    pub(super) fn watch(&self, names: Arc<[Arc<str>]>, interests: Vec<(usize, Vec<Interest>)>) {
        let (marked, done) = std::sync::mpsc::sync_channel(1);
        if self.orders.send(Watch { names, interests, marked }).is_ok() {
            self.waker.wake();
            if done.recv_timeout(MARKING).is_err() {
                log::warn!("the watcher is slow: drift of the next seconds may be noticed late");
            }
        }
    }

    /// What happens while the guard lives is told when it goes, unless the agent did it.
    pub(super) fn begin_quiet(&self) -> QuietGuard {
        self.quiet.begin()
    }
}

/// A watcher, and the worker's hold on it.
pub(super) fn start(
    options: &HostOptions,
    told: UnboundedSender<Observed>,
) -> Result<(impl FnOnce() + Send + use<>, Watching), String> {
    let watcher = Watcher::new(options).map_err(|failure| failure.reason)?;
    let (orders, received) = std::sync::mpsc::channel();
    let watching = Watching { orders, waker: watcher.waker(), quiet: watcher.quiet() };
    let work = move || {
        let _last_words = LastWords(told.clone());
        work(watcher, &received, &told);
    };
    Ok((work, watching))
}

/// Says that nobody watches any more, however the thread ends.
struct LastWords(UnboundedSender<Observed>);

impl Drop for LastWords {
    fn drop(&mut self) {
        let text = "at every interval only: the watcher has died".to_owned();
        // While the agent ends nobody listens.
        let _ = self.0.send(Observed::Description(text));
        let _ = self.0.send(Observed::Anything);
    }
}

/// Watches until the worker is gone.
fn work(mut watcher: Watcher, orders: &Receiver<Watch>, told: &UnboundedSender<Observed>) {
    let mut names: Arc<[Arc<str>]> = Arc::from([]);
    let mut described = String::new();
    let mut tired: Option<Instant> = None;
    loop {
        match orders.try_recv() {
            Ok(watch) => {
                names = watch.names;
                for complaint in watcher.watch(watch.interests) {
                    log::warn!("{complaint}");
                }
                // The worker may have stopped waiting.
                let _ = watch.marked.try_send(());
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        let description = describe(&watcher.describe());
        if description != described {
            described.clone_from(&description);
            if told.send(Observed::Description(description)).is_err() {
                return;
            }
        }
        match watcher.next(TURN) {
            Ok(events) => {
                for event in events {
                    let observed = match event {
                        Event::Overflow => Observed::Anything,
                        Event::Changed { resources, actor } => Observed::Changed {
                            resources: resources
                                .iter()
                                .filter_map(|index| names.get(*index).cloned())
                                .collect(),
                            actor,
                        },
                    };
                    if told.send(observed).is_err() {
                        return;
                    }
                }
            }
            Err(failure) => {
                if tired.is_none_or(|since| since.elapsed() > TURN) {
                    log::error!("events cannot be read: {}", failure.reason);
                    tired = Some(Instant::now());
                }
                // Full passes go on meanwhile.
                std::thread::park_timeout(REST);
            }
        }
    }
}

/// The watcher in a line.
fn describe(watcher: &WatcherDescription) -> String {
    let files = match (watcher.files, &watcher.refusal) {
        (FileWatch::Fanotify, _) => "fanotify".to_owned(),
        (FileWatch::Inotify, Some(refusal)) => format!("inotify (no fanotify: {refusal})"),
        (FileWatch::Inotify, None) => "inotify".to_owned(),
    };
    let noun = if watcher.directories == 1 { "directory" } else { "directories" };
    let units = match &watcher.units {
        UnitWatch::Off => String::new(),
        UnitWatch::Signals => ", units by systemd's signals".to_owned(),
        UnitWatch::Lost(reason) => format!(", units at every interval only ({reason})"),
    };
    format!("{} {noun} by {files}{units}", watcher.directories)
}
