//! The commands that this process has started lately, by their process ids.
//!
//! For who watches the machine ([`crate::host::watch`]): what these do is no change behind our back,
//! even when they are gone by the time somebody asks. One list for the whole process, as process
//! ids are.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the id of a command that has ended is taken for it; the kernel does not give an id again
/// so soon.
const REMEMBERED: Duration = Duration::from_secs(2);

static STARTED: Mutex<Vec<Command>> = Mutex::new(Vec::new());

struct Command {
    pid: i32,
    ended: Option<Instant>,
}

impl Command {
    fn counts(&self) -> bool {
        self.ended.is_none_or(|ended| ended.elapsed() < REMEMBERED)
    }
}

fn with<R>(act: impl FnOnce(&mut Vec<Command>) -> R) -> R {
    act(&mut STARTED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A command that runs, for as long as this lives.
pub(super) struct Running(i32);

impl Running {
    pub(super) fn new(pid: u32) -> Self {
        let pid = pid.cast_signed();
        with(|started| {
            started.retain(Command::counts);
            started.push(Command { pid, ended: None });
        });
        Self(pid)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        with(|started| {
            let mut own = started.iter_mut().filter(|command| command.pid == self.0);
            if let Some(command) = own.find(|command| command.ended.is_none()) {
                command.ended = Some(Instant::now());
            }
        });
    }
}

/// Whether `pid` is, or was a moment ago, a command that this process started.
pub(in crate::host) fn is_started_by_us(pid: i32) -> bool {
    with(|started| started.iter().any(|command| command.pid == pid && command.counts()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_while_it_runs_and_a_moment_longer() {
        let pid = u32::MAX >> 2;
        assert!(!is_started_by_us(pid.cast_signed()));
        let running = Running::new(pid);
        assert!(is_started_by_us(pid.cast_signed()));
        drop(running);
        assert!(is_started_by_us(pid.cast_signed()));
    }
}
