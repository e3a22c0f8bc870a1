//! The locks of dpkg and apt, and who holds them.
//!
//! All are whole-file POSIX record locks (fcntl(2), `F_SETLK`), so the kernel tells the holder's
//! process id. apt(8) since 1.9 takes `lock-frontend` before everything else.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollTimeout, poll};

use crate::host::packages::PackageError;

/// Locks of a change to packages, relative to the root directory.
pub(super) const CHANGE: &[&str] =
    &["var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock", "var/cache/apt/archives/lock"];

/// Locks of a refresh of the indexes.
pub(super) const REFRESH: &[&str] = &["var/lib/apt/lists/lock"];

/// How long a wait sleeps before it looks again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A wait for locks; keeps the time it has waited.
pub(super) struct Wait<'a> {
    root: &'a Path,
    locks: &'static [&'static str],
    started: Instant,
    deadline: Instant,
    pause: Duration,
    /// Who held them last, as far as that was seen.
    holder: Option<String>,
}

impl<'a> Wait<'a> {
    pub(super) fn new(root: &'a Path, locks: &'static [&'static str], deadline: Instant) -> Self {
        let started = Instant::now();
        Self { root, locks, started, deadline, pause: FIRST_PAUSE, holder: None }
    }

    /// Waits until nobody holds any of the locks.
    pub(super) fn until_free(&mut self) -> Result<(), PackageError> {
        while let Some(holder) = self.locks.iter().find_map(|lock| holder(&self.root.join(lock))) {
            if self.holder.as_ref() != Some(&holder) {
                log::info!("waiting for the package manager's lock, held by {holder}");
            }
            self.holder = Some(holder);
            self.rest()?;
        }
        Ok(())
    }

    /// Waits a moment, because a program said that `holder` was faster.
    pub(super) fn again(&mut self, holder: Option<String>) -> Result<(), PackageError> {
        if holder.is_some() {
            self.holder = holder;
        }
        self.rest()
    }

    fn rest(&mut self) -> Result<(), PackageError> {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(PackageError::Locked {
                holder: self.holder.clone().unwrap_or_else(|| "another process".into()),
                waited: self.started.elapsed().as_secs(),
            });
        }
        let pause = PollTimeout::try_from(self.pause.min(remaining)).unwrap_or(PollTimeout::ZERO);
        let _ = poll(&mut [], pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// The process that holds the lock at `path`, for instance `apt-get (pid 4312)`.
fn holder(path: &PathBuf) -> Option<String> {
    let file = File::open(path).ok()?;
    let mut lock = libc::flock {
        l_type: i16::try_from(libc::F_WRLCK).ok()?,
        l_whence: i16::try_from(libc::SEEK_SET).ok()?,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_GETLK(&mut lock)).ok()?;
    if i32::from(lock.l_type) == libc::F_UNLCK {
        return None;
    }
    Some(match lock.l_pid {
        // The kernel shows 0 for a process of another pid namespace, -1 for an open file's lock.
        ..=0 => "a process that cannot be seen from here".into(),
        pid => process(pid),
    })
}

fn process(pid: i32) -> String {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("{} (pid {pid})", name.trim_end()),
        Err(_) => format!("pid {pid}"),
    }
}

/// A failed apt or dpkg said that a lock was taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contention {
    /// By whom, if it said so.
    pub(super) holder: Option<String>,
}

/// Whether the output of a failed apt or dpkg says that a lock was taken.
pub(super) fn contention(output: &str) -> Option<Contention> {
    const SIGNS: &[&str] = &[
        "Could not get lock ",
        "frontend lock was locked by ",
        "database lock was locked by ",
        "is locked by another process",
    ];
    let line = output.lines().find(|line| SIGNS.iter().any(|sign| line.contains(sign)))?;
    if line.contains("Permission denied") || line.contains("Read-only file system") {
        return None;
    }
    // "It is held by process 4312 (apt-get)", "… by another process with pid 4312"
    let pid = ["held by process ", "with pid "].iter().find_map(|sign| {
        let rest = line.split_once(sign)?.1;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    });
    Some(Contention { holder: pid.map(process) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command::{Request, run};

    #[test]
    fn contention_is_told_from_other_failures() {
        let own = std::process::id();
        let line = format!(
            "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process {own} (x)\n"
        );
        let holder = contention(&line).unwrap().holder.unwrap();
        assert!(holder.ends_with(&format!("(pid {own})")), "{holder}");
        let dpkg = "dpkg: error: dpkg frontend lock was locked by another process with pid 4194305";
        assert_eq!(contention(dpkg).unwrap().holder.as_deref(), Some("pid 4194305"));
        let area = "dpkg: error: dpkg status database area is locked by another process";
        assert_eq!(contention(area), Some(Contention { holder: None }));
        for other in [
            "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)",
            "E: Could not get lock /x - open (13: Permission denied)",
            "E: Unable to locate package x",
        ] {
            assert_eq!(contention(other), None, "{other}");
        }
    }

    #[test]
    fn a_held_lock_is_named_and_waited_for() {
        let root = tempfile::tempdir_in("/var/tmp").unwrap();
        let path = root.path().join(REFRESH[0]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(&path).unwrap();
        assert_eq!(holder(&path), None);
        // Another process takes the lock and keeps it until it is told to end.
        let script = "my $lock = pack 'ssx4l!l!i', 1, 0, 0, 0, 0; open F, '+<', shift; \
                      fcntl(F, 6, $lock) or die; sleep shift";
        let held = |seconds: &str| {
            let request = Request::new([
                "perl".to_owned(),
                "-e".to_owned(),
                script.to_owned(),
                path.to_string_lossy().into_owned(),
                seconds.to_owned(),
            ]);
            std::thread::spawn(move || run(&request, Instant::now() + Duration::from_secs(30)))
        };
        let locker = held("2");
        let limit = Instant::now() + Duration::from_secs(20);
        while holder(&path).is_none() {
            assert!(Instant::now() < limit, "the lock was never taken");
            let _ = poll(&mut [], 10_u8);
        }
        let mut impatient =
            Wait::new(root.path(), REFRESH, Instant::now() + Duration::from_millis(100));
        let error = impatient.until_free().unwrap_err();
        assert!(error.to_string().contains("held by perl (pid "), "{error}");
        Wait::new(root.path(), REFRESH, limit).until_free().unwrap();
        assert!(locker.join().unwrap().unwrap().success());
    }
}
