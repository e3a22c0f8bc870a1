//! systemd's signals, kept coming: connected in a thread of its own, because that may take seconds,
//! and connected again after the message bus or systemd itself was restarted.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use super::UnitWatch;
use super::listeners::Resource;
use super::quiet::Bell;
use crate::failure::Failure;
use crate::host::services::{ServicesError, UnitSignal, UnitSignals};

/// How long the first pause after a lost connection is; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub(super) struct Units {
    state: State,
    /// By full name, as resources name it.
    asked: HashMap<String, Vec<Resource>>,
    /// By full name, other names of the same unit included.
    listeners: HashMap<String, Vec<Resource>>,
    /// What was last told of the units that somebody listens to.
    states: HashMap<String, String>,
    pause: Duration,
    bell: Arc<Bell>,
}

enum State {
    /// There is no systemd to ask, or nobody to tell.
    Off,
    Connecting(Receiver<Result<UnitSignals, ServicesError>>),
    Connected(UnitSignals),
    /// Not before then.
    Pausing(Instant, String),
}

/// What happened to units.
#[derive(Debug, Default)]
pub(super) struct UnitNews {
    pub resources: BTreeSet<Resource>,
    /// Whether more is to follow by itself.
    pub unfinished: bool,
}

impl Units {
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        Self {
            state: State::Off,
            asked: HashMap::new(),
            listeners: HashMap::new(),
            states: HashMap::new(),
            pause: FIRST_PAUSE,
            bell,
        }
    }

    /// From now on these resources listen, by the unit's full name.
    pub(super) fn listen(&mut self, root: &Path, asked: &HashMap<String, Vec<Resource>>) {
        if self.asked == *asked {
            return;
        }
        let possible = root == Path::new("/") && Path::new("/run/systemd/system").is_dir();
        self.asked.clone_from(asked);
        self.listeners.clone_from(asked);
        self.states.retain(|unit, _| self.listeners.contains_key(unit));
        if self.listeners.is_empty() || !possible {
            self.state = State::Off;
        } else if matches!(self.state, State::Off) {
            self.connect();
        } else {
            self.name_all();
        }
    }

    /// What is known of the connection.
    pub(super) fn describe(&self) -> UnitWatch {
        match &self.state {
            State::Off => UnitWatch::Off,
            State::Connected(_) => UnitWatch::Signals,
            State::Connecting(_) => UnitWatch::Lost("connecting".to_owned()),
            State::Pausing(_, reason) => UnitWatch::Lost(reason.clone()),
        }
    }

    /// What to wait for.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Connected(signals) => Some(signals.descriptor()),
            _ => None,
        }
    }

    /// When there is something to do even if nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Pausing(until, _) => Some(*until),
            // They arrived while an answer was awaited: the descriptor does not tell.
            State::Connected(signals) if signals.has_kept() => Some(Instant::now()),
            _ => None,
        }
    }

    /// What has happened. Never waits.
    pub(super) fn news(&mut self) -> UnitNews {
        let mut news = UnitNews::default();
        match &mut self.state {
            State::Pausing(until, _) if *until <= Instant::now() => self.connect(),
            State::Off | State::Pausing(..) => {}
            State::Connecting(answer) => match answer.try_recv() {
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.fail("no answer".to_owned()),
                Ok(Err(error)) => self.fail(Failure::from_error(&error).reason),
                Ok(Ok(signals)) => {
                    self.state = State::Connected(signals);
                    self.pause = FIRST_PAUSE;
                    self.states.clear();
                    self.name_all();
                    // Nobody knows what happened meanwhile.
                    news.resources = self.all();
                }
            },
            State::Connected(signals) => match signals.arrived() {
                Ok(arrived) => {
                    for signal in arrived {
                        self.take_in(signal, &mut news);
                    }
                }
                Err(error) => {
                    self.fail(Failure::from_error(&error).reason);
                    news.resources = self.all();
                }
            },
        }
        news
    }

    fn take_in(&mut self, signal: UnitSignal, news: &mut UnitNews) {
        match signal {
            UnitSignal::State { unit, state, passing } => {
                let Some(listeners) = self.listeners.get(&unit) else { return };
                // Much that changes is of no interest, such as a service's status text.
                if self.states.get(&unit) != Some(&state) {
                    news.resources.extend(listeners);
                    news.unfinished |= passing;
                    self.states.insert(unit, state);
                }
            }
            UnitSignal::JobEnded(unit) => {
                news.resources.extend(self.listeners.get(&unit).into_iter().flatten());
            }
            UnitSignal::All => {
                self.name_all();
                news.resources.extend(self.all());
            }
        }
    }

    fn all(&self) -> BTreeSet<Resource> {
        self.listeners.values().flatten().copied().collect()
    }

    /// Finds out which of the names are other names of units that systemd calls differently.
    fn name_all(&mut self) {
        let State::Connected(signals) = &mut self.state else { return };
        let names: Vec<String> = self.listeners.keys().cloned().collect();
        for name in names {
            match signals.real_name(&name) {
                Ok(Some(real)) => {
                    let resources = self.listeners.get(&name).cloned().unwrap_or_default();
                    let known = self.listeners.entry(real).or_default();
                    known.extend(resources);
                    known.sort_unstable();
                    known.dedup();
                }
                Ok(None) => {}
                Err(error) => {
                    log::info!("{error}");
                    return;
                }
            }
        }
    }

    fn connect(&mut self) {
        let (send, receive) = channel();
        let bell = Arc::clone(&self.bell);
        let started = std::thread::Builder::new().name("units".to_owned()).spawn(move || {
            // Nobody may be there to take it any more.
            let _ = send.send(UnitSignals::open());
            bell.ring();
        });
        match started {
            Ok(_) => self.state = State::Connecting(receive),
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn fail(&mut self, reason: String) {
        log::info!("systemd's signals: {reason}; trying again in {:?}", self.pause);
        self.state = State::Pausing(Instant::now() + self.pause, reason);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}
