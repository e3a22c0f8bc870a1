//! The lock that everything which changes accounts takes: a record lock on `/etc/.pwd.lock`
//! (lckpwdf(3); shadow, systemd-sysusers and vipw use it).

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollTimeout, poll};
use rustix::fs::{Mode, OFlags};

use super::super::AccountError;

const LOCK: &str = ".pwd.lock";

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct DatabaseLock {
    _file: OwnedFd,
}

impl DatabaseLock {
    /// Takes the lock in the open directory `etc`, waiting for it until `deadline`. `path` is what
    /// errors call the directory.
    pub(super) fn acquire(
        etc: impl AsFd,
        path: &Path,
        deadline: Instant,
    ) -> Result<Self, AccountError> {
        let failed = |source: std::io::Error| AccountError::Lock { path: path.join(LOCK), source };
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(etc, LOCK, flags, Mode::from_raw_mode(0o600))
            .map_err(|error| failed(error.into()))?;
        loop {
            match fcntl(&file, FcntlArg::F_OFD_SETLK(&whole_file())) {
                Ok(_) => return Ok(Self { _file: file }),
                Err(Errno::EAGAIN | Errno::EACCES) => {}
                Err(error) => return Err(failed(error.into())),
            }
            if !pause(deadline) {
                return Err(AccountError::Locked { holder: holder(&file) });
            }
        }
    }
}

/// Waits until nobody holds the lock of the running machine, so that a tool started next need not
/// give up; shadow's own patience is 15 seconds.
pub(super) fn wait_until_free(deadline: Instant) -> Result<(), AccountError> {
    let path = Path::new("/etc").join(LOCK);
    let Ok(file) = File::open(&path) else { return Ok(()) };
    while held(&file).is_some() {
        if !pause(deadline) {
            return Err(AccountError::Locked { holder: holder(&file) });
        }
    }
    Ok(())
}

/// Waits a moment. False when `deadline` has come.
pub(super) fn pause(deadline: Instant) -> bool {
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() {
        return false;
    }
    let moment = remaining.min(Duration::from_millis(50));
    let _ = poll(&mut [], PollTimeout::try_from(moment).unwrap_or(PollTimeout::ZERO));
    true
}

/// The process that holds the lock, in words.
fn holder(file: impl AsFd) -> String {
    match held(file) {
        Some(pid) if pid > 0 => {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("{} (process {pid})", name.trim_end())
        }
        _ => "another process".into(),
    }
}

/// The number of a process that holds the lock; not positive where the kernel does not tell.
fn held(file: impl AsFd) -> Option<i32> {
    let mut lock = whole_file();
    match fcntl(file, FcntlArg::F_GETLK(&mut lock)) {
        Ok(_) if i32::from(lock.l_type) != libc::F_UNLCK => Some(lock.l_pid),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the constants are 0 and 1")]
fn whole_file() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}
