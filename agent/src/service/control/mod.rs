//! The agent's socket: HTTP for those who may, on a Unix socket only.
//!
//! What must stay true: there is no TCP port; root and the members of the group `steadfast` get in,
//! nobody else, by what the kernel says of them; a thousand clients cost the agent a bounded amount
//! of memory and none of its attention.

mod client;
mod peer;
mod routes;
mod server;

use std::path::PathBuf;

use tokio::sync::oneshot;

pub use client::{Client, ClientError};
pub(super) use routes::frame;
pub(super) use server::{Listener, serve};

use super::live::Live;
use crate::config::Settings;
use crate::metrics::Resident;
use crate::report::{Override, OverrideKind};

/// Where the socket is unless told otherwise.
pub const SOCKET: &str = "/run/steadfast/agent.sock";

/// What somebody asks of the supervisor.
pub(super) struct Command {
    pub(super) request: Request,
    pub(super) answer: oneshot::Sender<Answered>,
}

/// What can be asked.
pub(super) enum Request {
    /// How things are.
    Status,
    /// What metrics are made of.
    Metrics,
    /// A run, now.
    Run,
    /// A pause or a rollback.
    Order(Box<Override>),
    /// The end of one.
    End(OverrideKind),
}

/// What the supervisor knows of what metrics are made of; the rest is in the state.
pub(super) struct Measured {
    pub(super) settings: Settings,
    pub(super) state_directory: PathBuf,
    pub(super) resident: Resident,
}

/// What comes of it.
pub(super) enum Answered {
    /// How things are.
    Status(Box<Live>),
    /// What metrics are made of.
    Metrics(Box<Measured>),
    /// The number of the run's job.
    Job(u64),
    /// It is done.
    Done,
    /// There was nothing to end.
    Nothing,
    /// It failed.
    Failed(String),
}
