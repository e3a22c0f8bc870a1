//! Commands run inside a host: as root, with a clean environment, in all of its namespaces.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::outer::{self, Output};
use crate::waiting::became_true;

/// How long a command may take unless told.
const ORDINARY_DEADLINE: Duration = Duration::from_secs(120);

const ENVIRONMENT: [(&str, &str); 4] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/root"),
    ("LC_ALL", "C.UTF-8"),
    ("TERM", "dumb"),
];

/// A command about to be run inside a host.
#[must_use = "nothing runs before `run` or `start`"]
pub struct HostCommand {
    init: Pid,
    user: Option<String>,
    words: Vec<String>,
    environment: Vec<(String, String)>,
    input: Vec<u8>,
    deadline: Duration,
}

impl HostCommand {
    pub(super) fn new(init: Pid, words: &[&str]) -> Self {
        Self {
            init,
            user: None,
            words: words.iter().map(|&word| word.to_owned()).collect(),
            environment: Vec::new(),
            input: Vec::new(),
            deadline: ORDINARY_DEADLINE,
        }
    }

    /// Runs as this user, with its groups.
    pub fn user(mut self, name: &str) -> Self {
        self.user = Some(name.to_owned());
        self
    }

    /// Sets an environment variable.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What the command reads from its standard input; nothing unless told.
    pub fn input(mut self, bytes: &[u8]) -> Self {
        self.input = bytes.to_vec();
        self
    }

    /// How long the command may take; two minutes unless told. Past it, it is killed and the test fails.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs it to its end, whatever its exit code.
    #[track_caller]
    pub fn run(self) -> Output {
        let deadline = self.deadline;
        self.start().wait(deadline)
    }

    /// Starts it and comes back at once.
    #[track_caller]
    pub fn start(self) -> RunningCommand {
        let text = self.words.join(" ");
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        RunningCommand { running: outer::Running::new(outer::start(command), text, &self.input) }
    }

    /// nsenter(1) forks for the host's process namespace; the inner setpriv(1) makes what it started
    /// die with it.
    fn command(&self) -> Command {
        let mut command = outer::command("nsenter");
        command.env_clear().envs(ENVIRONMENT);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(["-t", &self.init.to_string(), "-a", "setpriv", "--pdeathsig", "KILL"]);
        if let Some(user) = &self.user {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        command.arg("--").args(&self.words);
        command
    }
}

/// A command that was started inside a host and may still be running.
pub struct RunningCommand {
    running: outer::Running,
}

impl RunningCommand {
    /// Kills the command itself with `SIGKILL`, and not what it started. Does nothing when it has ended.
    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// Sends the command a signal. Does nothing when it has ended.
    pub fn signal(&self, signal: Signal) {
        if let Some(inner) = self.inner() {
            outer::send(inner, signal);
        }
    }

    /// Waits for the end; panics, after killing it, when that takes longer than `deadline`.
    #[track_caller]
    pub fn wait(self, deadline: Duration) -> Output {
        self.running.wait(deadline)
    }

    /// The process id, on the outer machine, of the command itself: the only child of nsenter.
    fn inner(&self) -> Option<Pid> {
        let mut inner = None;
        became_true(Duration::from_secs(2), || {
            inner = children(self.running.pid).first().copied();
            inner.is_some()
                || !std::path::Path::new(&format!("/proc/{}", self.running.pid)).exists()
        });
        inner
    }
}

/// The children of a process, by `/proc/PID/task/TID/children` of proc(5).
pub(super) fn children(parent: Pid) -> Vec<Pid> {
    let text = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let text = text.unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).map(Pid::from_raw).collect()
}
