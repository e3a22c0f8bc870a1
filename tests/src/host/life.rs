//! A host's life: boot, reboot, power cut, power off.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::command::children;
use super::{HostOptions, Place, TestHost};
use crate::cache::log;
use crate::outer;
use crate::waiting::became_true;

/// Half a second is usual; a busy machine may take much longer.
const BOOT_DEADLINE: Duration = Duration::from_secs(60);

/// How long an orderly power off may take before the host is killed.
const POWER_OFF_DEADLINE: Duration = Duration::from_secs(15);

/// How long the kernel may take to end a killed host's processes.
const KILL_DEADLINE: Duration = Duration::from_secs(10);

impl TestHost {
    #[track_caller]
    pub(super) fn boot_with(options: HostOptions) -> Self {
        outer::insist_on_root();
        let place = Place::new();
        let launcher = launch(&options, &place);
        let mut host = Self { options, launcher, init: Pid::from_raw(0), place };
        host.wait_for_boot();
        host
    }

    /// Reboots in an orderly way and waits until the host is running again. What was written stays;
    /// what was running inside its network namespace from outside (a Git server) has to be moved in again.
    #[track_caller]
    pub fn reboot(&mut self) {
        let before = self.init;
        // The command may be killed with the host before it can answer.
        self.command(&["systemctl", "reboot"]).run();
        let gone = became_true(BOOT_DEADLINE, || !is_init_of_host(before));
        assert!(gone, "the host does not go down: {}", self.console());
        self.wait_for_boot();
    }

    /// Kills everything inside at one instant, as a power cut would, and boots again from what was written.
    #[track_caller]
    pub fn cut_power(&mut self) {
        self.kill();
        self.launcher = launch(&self.options, &self.place);
        self.wait_for_boot();
    }

    #[track_caller]
    fn wait_for_boot(&mut self) {
        let mut init = None;
        let started = became_true(BOOT_DEADLINE, || {
            init = init_below(outer::process_id(&self.launcher));
            init.is_some() || self.has_ended()
        });
        self.init = init.filter(|_| started).unwrap_or_else(|| {
            panic!("the host did not boot: {}", self.console());
        });
        let mut state = String::new();
        let settled = became_true(BOOT_DEADLINE, || {
            let answer = self.run(&["systemctl", "is-system-running"]);
            answer.stdout.trim().clone_into(&mut state);
            matches!(state.as_str(), "running" | "degraded" | "maintenance") || self.has_ended()
        });
        if !settled || state != "running" {
            let failed = self.run(&["systemctl", "--failed", "--plain", "--no-legend"]);
            panic!("the host is `{state}`, not `running`: {failed}\n{}", self.console());
        }
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.launcher.try_wait(), Ok(None))
    }

    fn console(&self) -> String {
        fs::read_to_string(self.place.console()).unwrap_or_default()
    }

    /// Ends the launcher, which is the parent of the first process of the host's process namespace:
    /// the kernel ends everything in it.
    fn kill(&mut self) {
        if !self.has_ended() {
            outer::send(outer::process_id(&self.launcher), Signal::SIGKILL);
        }
        let ended = became_true(KILL_DEADLINE, || self.has_ended() && !is_init_of_host(self.init));
        if !ended {
            log(&format!("a killed host is still there: process {}", self.init));
        }
    }

    fn power_off(&mut self) {
        if self.has_ended() || self.init.as_raw() == 0 {
            return;
        }
        self.command(&["systemctl", "poweroff"]).deadline(POWER_OFF_DEADLINE).run();
        became_true(POWER_OFF_DEADLINE, || self.has_ended());
    }

    fn show_last_words(&self) {
        if self.init.as_raw() != 0 {
            let journal = self.run(&["journalctl", "--no-pager", "--lines=60", "--output=short"]);
            log(&format!("the host's last journal lines:\n{}", journal.stdout));
        }
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        let panicking = std::thread::panicking();
        // What a test has broken may make this panic: a second panic would abort the whole process,
        // and a first one would keep the host from being killed.
        let parting = catch_unwind(AssertUnwindSafe(|| {
            if panicking { self.show_last_words() } else { self.power_off() }
        }));
        if parting.is_err() {
            log("the host did not answer any more");
        }
        self.kill();
    }
}

fn launch(options: &HostOptions, place: &Place) -> Child {
    let root = options.suite.root();
    let console = File::create(place.console()).expect("the host's own directory can be written");
    let errors = console.try_clone().expect("a file can be opened twice");
    let mut command = outer::command("unshare");
    command.args(["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=KILL"]);
    command.args(["sh", "-c", include_str!("launch.sh"), "launch"]);
    command.arg(root).arg(place.path()).arg(place.groups()).arg(&options.hostname);
    command.arg(format!("--machine={}", place.name()));
    command.arg(format!("--bind={}:/srv/apt", place.apt().display()));
    if let Some(program) = &options.program {
        command.arg(format!("--bind-ro={}:/usr/bin/steadfast", program.display()));
    }
    command.args(&options.settings);
    command.stdout(Stdio::from(console)).stderr(Stdio::from(errors));
    outer::start(command)
}

/// The descendant of the launcher that is the first process of a namespace within the launcher's own.
fn init_below(launcher: Pid) -> Option<Pid> {
    let found = children(launcher)
        .into_iter()
        .find_map(|child| if is_init_of_host(child) { Some(child) } else { init_below(child) })?;
    // Until it has become systemd it is nspawn, still at work on the mounts.
    let name = fs::read_to_string(format!("/proc/{found}/comm")).ok()?;
    (name.trim() == "systemd").then_some(found)
}

/// Whether a process is number 1 two process namespaces down; see `NSpid` in proc(5).
fn is_init_of_host(process: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    let numbers: Vec<_> = numbers.split_whitespace().collect();
    numbers.len() >= 3 && numbers.last() == Some(&"1")
}
