//! Running external commands: argv without a shell, a clean environment, a deadline, and the whole
//! process group gone when the deadline has passed.
//!
//! What must stay true: no string is ever given to a shell; a secret goes through standard input,
//! never through argv or the environment; the output kept is bounded.

mod lasting;
mod offspring;
mod real;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use thiserror::Error;

pub use lasting::{Ending, run_lasting};
pub(in crate::host) use offspring::is_started_by_us;
pub use real::{RealCommands, run};

/// A command to run.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Program (looked up in the fixed PATH below if it has no slash) and its arguments.
    pub argv: Vec<String>,
    /// Variables on top of the fixed ones (PATH, LANG=C.UTF-8, LC_ALL=C.UTF-8, HOME=/root).
    pub environment: BTreeMap<String, String>,
    /// What the command reads; empty means /dev/null.
    pub input: Vec<u8>,
    /// The working directory; `/` if unset.
    pub directory: Option<PathBuf>,
    /// Run as this user and group with no supplementary groups (uid, gid).
    pub identity: Option<(u32, u32)>,
}

impl Request {
    /// The command `argv` with the fixed environment and no input.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The same command with something to read.
    #[must_use]
    pub fn with_input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// The same command with one more variable.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }
}

/// What a finished command left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit code; 128 + signal where a signal ended it.
    pub code: i32,
    /// Standard output, at most [`OUTPUT_LIMIT`] bytes (the first half and the last).
    pub stdout: Vec<u8>,
    /// Standard error, bounded likewise.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether the command exited with 0.
    pub fn success(&self) -> bool {
        self.code == 0
    }

    /// Both outputs as text for a report: standard error first, at most the last 40 lines.
    pub fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.stderr).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&String::from_utf8_lossy(&self.stdout));
        let lines: Vec<&str> = text.trim_end().lines().collect();
        lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n")
    }
}

/// How much of each output stream is kept, in bytes.
pub const OUTPUT_LIMIT: usize = 1 << 20;

/// The PATH every command gets.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why a command could not be run to its end.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The program does not exist or may not be executed.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The deadline passed; the command and its children were killed.
    #[error("{program} did not finish within {} s and was killed", whole_seconds(*after))]
    Deadline {
        /// The program.
        program: String,
        /// How long it had run.
        after: Duration,
        /// What it had printed until then.
        output: Box<Output>,
    },
    /// Reading or writing its pipes failed.
    #[error("cannot talk to {program}")]
    Pipe {
        /// The program.
        program: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// To the nearest: what is killed after a second has run a little less or more.
fn whole_seconds(duration: Duration) -> u128 {
    (duration.as_millis() + 500) / 1000
}

/// Runs commands that a policy names.
pub trait Commands {
    /// Runs `request` to its end or to `deadline`.
    fn run(&mut self, request: &Request, deadline: Instant) -> Result<Output, CommandError>;
}

/// Scripted commands: what each argv answers, and what was asked.
#[derive(Debug, Default)]
pub struct FakeCommands {
    /// Answers by the argv joined with spaces; anything else exits with 0.
    pub answers: BTreeMap<String, Output>,
    /// Every request so far.
    pub requests: Vec<Request>,
}

impl Commands for FakeCommands {
    fn run(&mut self, request: &Request, _deadline: Instant) -> Result<Output, CommandError> {
        self.requests.push(request.clone());
        Ok(self.answers.get(&request.argv.join(" ")).cloned().unwrap_or_default())
    }
}
