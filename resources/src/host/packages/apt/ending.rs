//! How an overdue `apt-get` is brought to its end.
//!
//! Killing dpkg in the middle leaves its database with a journal that somebody has to replay. What
//! hangs is nearly always a maintainer script, so that is what is ended: dpkg then notes the
//! package as half configured and leaves in order, and a rerun can finish it. Only if that does
//! not help are apt and dpkg asked to end, and only after that is everything killed.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::host::command::Ending;

/// From when on scripts that ignore SIGTERM are killed.
const KILL_SCRIPTS: Duration = Duration::from_secs(5);
/// From when on apt and dpkg themselves are asked to end.
const END_MANAGER: Duration = Duration::from_secs(20);
/// When everything that is left is killed.
const GRACE: Duration = Duration::from_secs(30);

/// Ends what dpkg waits for, then dpkg and apt.
#[derive(Debug, Default)]
pub(super) struct Orderly {
    /// What was running when the deadline passed, in words.
    pub(super) during: Option<String>,
}

impl Ending for Orderly {
    fn grace(&self) -> Duration {
        GRACE
    }

    fn press(&mut self, command: Pid, overdue: Duration) {
        let processes = Processes::read();
        let family = processes.below(command.as_raw());
        let dpkgs: Vec<i32> =
            family.iter().copied().filter(|pid| processes.is_named(*pid, "dpkg")).collect();
        let scripts: Vec<i32> = dpkgs
            .iter()
            .flat_map(|dpkg| processes.below(*dpkg))
            .filter(|pid| !dpkgs.contains(pid))
            .collect();
        if self.during.is_none() {
            self.during = scripts.iter().find_map(|pid| script_in_words(*pid));
        }
        let signal = if overdue < KILL_SCRIPTS { Signal::SIGTERM } else { Signal::SIGKILL };
        for script in &scripts {
            send(*script, signal);
        }
        // Without dpkg nothing is being changed: apt is downloading or thinking.
        if dpkgs.is_empty() || overdue >= END_MANAGER {
            for process in [command.as_raw()].iter().chain(&family) {
                send(*process, Signal::SIGTERM);
            }
        }
    }
}

fn send(process: i32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(process), signal)
        && error != nix::errno::Errno::ESRCH
    {
        log::warn!("cannot send {signal} to process {process}: {error}");
    }
}

/// "the postinst script of sf-slow", from `/bin/sh /var/lib/dpkg/info/sf-slow.postinst configure`.
fn script_in_words(process: i32) -> Option<String> {
    let line = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    line.split(|byte| *byte == 0).find_map(|word| script_name(std::str::from_utf8(word).ok()?))
}

fn script_name(word: &str) -> Option<String> {
    let file = word.rsplit('/').next()?;
    if let Some(script) = word.strip_prefix("/var/lib/dpkg/tmp.ci/") {
        return Some(format!("a package's {script} script"));
    }
    let (package, script) = file.rsplit_once('.')?;
    let known = ["preinst", "postinst", "prerm", "postrm", "config"].contains(&script);
    known.then(|| format!("the {script} script of {package}"))
}

/// The machine's processes: name and parent of each.
struct Processes(HashMap<i32, (String, i32)>);

impl Processes {
    fn read() -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let processes = entries.filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, name_and_parent(&stat)?))
        });
        Self(processes.collect())
    }

    fn is_named(&self, process: i32, name: &str) -> bool {
        self.0.get(&process).is_some_and(|(known, _)| known == name)
    }

    /// All descendants of `ancestor`.
    fn below(&self, ancestor: i32) -> Vec<i32> {
        let mut found = Vec::new();
        let mut parents = vec![ancestor];
        while let Some(parent) = parents.pop() {
            for (pid, (_, above)) in &self.0 {
                if *above == parent && !found.contains(pid) {
                    found.push(*pid);
                    parents.push(*pid);
                }
            }
        }
        found
    }
}

/// From `proc_pid_stat(5)`: `pid (name) state ppid …`, where the name may contain anything.
fn name_and_parent(stat: &str) -> Option<(String, i32)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let parent = after.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((name.into(), parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_read() {
        let stat = "12 (a) b) S) S 34 12 12 0 -1";
        assert_eq!(name_and_parent(stat), Some(("a) b) S".into(), 34)));
        assert_eq!(name_and_parent("nonsense"), None);
        let own = i32::try_from(std::process::id()).unwrap();
        let parent = i32::try_from(std::os::unix::process::parent_id()).unwrap();
        assert!(Processes::read().below(parent).contains(&own));
    }

    #[test]
    fn scripts_are_named() {
        let cases = [
            ("/var/lib/dpkg/info/sf-slow.postinst", Some("the postinst script of sf-slow")),
            ("/var/lib/dpkg/info/libc6:amd64.prerm", Some("the prerm script of libc6:amd64")),
            ("/var/lib/dpkg/tmp.ci/preinst", Some("a package's preinst script")),
            ("/bin/sh", None),
            ("configure", None),
            ("/usr/lib/x.so", None),
        ];
        for (word, wanted) in cases {
            assert_eq!(script_name(word).as_deref(), wanted, "{word}");
        }
    }
}
