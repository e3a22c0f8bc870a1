//! Debian hosts with a real systemd, booted in about a second and thrown away after the test.
//!
//! A host is a cached root ([`Suite`]) under an overlay of its own, run by systemd-nspawn in its own
//! mount, process, network and control-group namespaces. What must stay true: no host outlives its
//! [`TestHost`], nor the test process, however that ends; a host reaches nothing but its own loopback;
//! what one test does to its host no other test sees.
//!
//! The overlay survives [`TestHost::reboot`] and [`TestHost::cut_power`]. It is on the disk of the
//! machine, so `cut_power` shows what a killed system leaves, not what an unwritten page cache loses.

mod command;
mod groups;
mod life;
mod options;
mod place;
mod suite;

use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use nix::unistd::Pid;

pub use command::{HostCommand, RunningCommand};
pub use options::HostOptions;
pub use suite::Suite;
pub(crate) use suite::mirror;

use crate::Output;
use place::Place;

/// A booted host. It is powered off and forgotten when dropped.
pub struct TestHost {
    options: HostOptions,
    launcher: Child,
    init: Pid,
    place: Place,
}

impl TestHost {
    /// Boots a host with nothing special about it.
    #[track_caller]
    #[must_use]
    pub fn boot(suite: Suite) -> Self {
        Self::options(suite).boot()
    }

    /// A host to be booted with more than the ordinary.
    #[must_use]
    pub fn options(suite: Suite) -> HostOptions {
        HostOptions::new(suite)
    }

    /// The release it was booted from.
    pub fn suite(&self) -> Suite {
        self.options.suite
    }

    /// The process id that the host's init has on the outer machine. Changes with a reboot.
    pub fn container_init_pid(&self) -> i32 {
        self.init.as_raw()
    }

    /// The outer machine's view of the host's `/srv/apt`.
    pub(crate) fn apt_directory(&self) -> PathBuf {
        self.place.apt()
    }

    /// A command to be run inside, with more than the ordinary.
    pub fn command(&self, words: &[&str]) -> HostCommand {
        HostCommand::new(self.init, words)
    }

    /// Runs a command inside to its end, whatever its exit code.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).run()
    }

    /// Runs a shell script inside to its end, whatever its exit code. It stops at the first failing command.
    #[track_caller]
    pub fn sh(&self, script: &str) -> Output {
        self.run(&["sh", "-euc", script])
    }

    /// Runs a shell script inside that has to succeed; its standard output without the last newline.
    #[track_caller]
    pub fn must(&self, script: &str) -> String {
        self.sh(script).success().stdout.trim_end_matches('\n').to_owned()
    }

    /// Writes a file inside, and makes the directories above it.
    #[track_caller]
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let script = r#"mkdir -p "$(dirname "$1")" && cat >"$1""#;
        let command = self.command(&["sh", "-euc", script, "sh", path]);
        command.input(bytes.as_ref()).run().success();
    }

    /// The content of a file inside.
    #[track_caller]
    pub fn read(&self, path: &str) -> Vec<u8> {
        self.run(&["cat", "--", path]).success().bytes
    }

    /// The content of a text file inside.
    #[track_caller]
    pub fn read_text(&self, path: &str) -> String {
        String::from_utf8(self.read(path)).expect("the file is text")
    }

    /// Looks at `condition` until it holds; panics, naming `what`, when it does not within `deadline`.
    #[track_caller]
    pub fn wait_until(&self, what: &str, deadline: Duration, condition: impl FnMut() -> bool) {
        crate::wait_until(what, deadline, condition);
    }
}
