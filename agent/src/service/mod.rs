//! The service: the resident agent that fetches, enforces, watches and answers.
//!
//! ```text
//!            timers, signals
//!                  │
//! socket ──▶ supervisor (one async task) ──orders──▶ worker (a thread: the machine)
//!   ▲           │   ▲                                  │
//!   └──events───┘   └──────────news, answers───────────┴── fetching (a thread: the server)
//! ```
//!
//! What must stay true: only this folder is async; the supervisor never waits for the resources of the
//! machine or for the network (it keeps what operators order in the local database), so that it
//! answers and notices a run that hangs; one thread changes
//! the machine; a server that does not answer keeps nobody from enforcing what is in force.

mod control;
mod event;
mod fetching;
mod fights;
mod follower;
mod job;
mod live;
mod loading;
mod noise;
mod replacement;
mod schedule;
mod stream;
mod supervisor;
mod systemd;
mod watching;
mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};

use thiserror::Error;
use tokio::sync::broadcast;
use tokio::sync::mpsc as tokio_mpsc;

pub use control::{Client, ClientError, SOCKET};
pub use event::Event;
pub use live::{LastRun, Live, Polling, Running};

use crate::config::{ConfigError, Settings};
use crate::managed::ManagedHost;
use control::Listener;
use replacement::Program;
use supervisor::{Channels, Supervisor};
use worker::Worker;

/// How many events a follower may be behind.
const EVENTS: usize = 4096;

/// How many requests wait for the supervisor.
const COMMANDS: usize = 64;

/// The worker's stack, as large as a main thread's: policies are evaluated on it.
const STACK: usize = 8 * 1024 * 1024;

/// Where the agent's things are.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory with agent.toml.
    pub config_directory: PathBuf,
    /// The agent's own state.
    pub state_directory: PathBuf,
    /// The socket.
    pub socket: PathBuf,
}

/// Why the agent ended, or did not begin.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// It names no repository.
    #[error("no policy repository is configured")]
    NoRepository,
    /// The socket cannot be used.
    #[error("cannot listen on {path}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A thread or the runtime cannot be started.
    #[error("cannot start the agent's threads")]
    Threads(#[source] io::Error),
    /// Signals cannot be received.
    #[error("cannot receive signals")]
    Signals(#[source] io::Error),
    /// The program does not know what it is.
    #[error("cannot find out which program this is")]
    Program(#[source] io::Error),
    /// A run hung.
    #[error("{0}")]
    Hung(String),
    /// One of the agent's threads died.
    #[error("a thread of the agent has died")]
    Broken,
    /// The program was replaced, and the new one does not start.
    #[error("the program was replaced, and the new one does not start")]
    Replacement(#[source] io::Error),
}

/// How the supervisor ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Somebody asked for it.
    Stop,
    /// There is a new program.
    Replaced,
    /// A thread is gone.
    Broken,
}

/// Runs the agent until it is asked to stop.
pub fn run(options: &Options) -> Result<(), ServiceError> {
    let settings = Settings::load(&options.config_directory)?;
    if settings.repository.is_none() {
        return Err(ServiceError::NoRepository);
    }
    let program = Program::running().map_err(ServiceError::Program)?;
    let listener = Listener::bind(&options.socket)
        .map_err(|source| ServiceError::Socket { path: options.socket.clone(), source })?;
    let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let stop = Arc::new(AtomicBool::new(false));
    let (orders, worker_orders) = mpsc::channel();
    let (worker_news, news) = tokio_mpsc::unbounded_channel();
    let (questions, fetcher_questions) = mpsc::channel();
    let (fetcher_answers, answers) = tokio_mpsc::unbounded_channel();
    let (commands, supervisor_commands) = tokio_mpsc::channel(COMMANDS);
    let (events, _) = broadcast::channel(EVENTS);
    let (watcher_told, observed) = tokio_mpsc::unbounded_channel();
    let host_options =
        ManagedHost::new(PathBuf::from("/"), options.state_directory.clone(), settings.clone())
            .host_options();
    let mut watching = None;
    if settings.agent.watch {
        match watching::start(&host_options, watcher_told.clone()) {
            Ok((work, started)) => {
                thread("watching").spawn(work).map_err(ServiceError::Threads)?;
                watching = Some(started);
            }
            Err(reason) => log::warn!("drift is noticed at every interval only: {reason}"),
        }
    }
    let worker = {
        let (directory, settings) = (options.state_directory.clone(), settings.clone());
        let stop = Arc::clone(&stop);
        move || Worker::new(directory, settings, watching, stop, worker_news).work(&worker_orders)
    };
    thread("worker").stack_size(STACK).spawn(worker).map_err(ServiceError::Threads)?;
    thread("fetching")
        .spawn(move || fetching::work(&fetcher_questions, &fetcher_answers))
        .map_err(ServiceError::Threads)?;
    let channels = Channels {
        orders,
        news,
        questions,
        answers,
        observed,
        _observing: watcher_told,
        commands: supervisor_commands,
        events: events.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServiceError::Threads)?;
    let end = runtime.block_on(async {
        let supervisor = Supervisor::new(options.clone(), settings, channels, stop)?;
        let serving = control::serve(&listener, commands, events);
        tokio::pin!(serving);
        let supervising = supervisor.run();
        tokio::pin!(supervising);
        tokio::select! {
            end = &mut supervising => end,
            served = &mut serving => {
                let source = served.err().unwrap_or_else(|| io::Error::other("it was closed"));
                Err(ServiceError::Socket { path: options.socket.clone(), source })
            }
        }
    });
    // A thread that hangs must not keep the process from ending.
    runtime.shutdown_background();
    match end? {
        End::Stop => Ok(()),
        End::Broken => Err(ServiceError::Broken),
        End::Replaced => {
            drop(listener);
            Err(ServiceError::Replacement(program.replace()))
        }
    }
}
