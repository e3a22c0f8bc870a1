//! The run lock: an flock that the kernel drops with the process, so that it is never stale.
//!
//! Nothing is written before the lock is held and the file is known to be a plain one with no
//! other name: what a link points to is never touched.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{CWD, FileType, FlockOperation, Mode, OFlags, fchmod, flock, fstat, openat};

use super::StateError;

/// Held while a run changes the machine.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Another process holds the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHeld {
    /// Who, as the holder wrote it: a process id, or `unknown`.
    pub holder: String,
}

impl RunLock {
    pub(super) fn take(path: &Path) -> Result<Result<Self, LockHeld>, StateError> {
        let failed = |source| StateError::File { action: "lock", path: path.to_owned(), source };
        match acquire(CWD, path)? {
            Ok(mut file) => {
                sign(&mut file).map_err(failed)?;
                Ok(Ok(Self { _file: file }))
            }
            Err(held) => Ok(Err(held)),
        }
    }
}

/// Opens and locks the file at `path`, which only its owner can open from then on: whoever can open
/// a file can lock it, and keep every run away.
pub(super) fn acquire(at: impl AsFd, path: &Path) -> Result<Result<File, LockHeld>, StateError> {
    let failed = |source| StateError::File { action: "lock", path: path.to_owned(), source };
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = match openat(at, path, flags, Mode::from_raw_mode(0o600)) {
        Ok(opened) => opened,
        Err(rustix::io::Errno::LOOP) => {
            return Err(StateError::Link { path: path.to_owned() });
        }
        Err(error) => return Err(failed(error.into())),
    };
    let status = fstat(&opened).map_err(|error| failed(error.into()))?;
    // None where another run has just ended and taken its file away.
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile || status.st_nlink > 1 {
        return Err(failed(io::Error::other("it is not a plain file with a single name")));
    }
    if status.st_uid != 0 && status.st_uid != rustix::process::geteuid().as_raw() {
        return Err(failed(io::Error::other(format!("it belongs to user {}", status.st_uid))));
    }
    if status.st_mode & 0o077 != 0 {
        fchmod(&opened, Mode::from_raw_mode(0o600)).map_err(|error| failed(error.into()))?;
    }
    let mut file = File::from(opened);
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Ok(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Ok(Err(LockHeld { holder: holder(&mut file).map_err(failed)? }))
        }
        Err(error) => Err(failed(error.into())),
    }
}

/// Writes down who holds the lock.
pub(super) fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}", std::process::id())
}

/// The process id in the file. The holder may not have written it yet.
fn holder(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(32).read_to_end(&mut bytes)?;
    let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse::<u32>().ok());
    Ok(number.map_or_else(|| "unknown".to_owned(), |number| number.to_string()))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.lock");
        let first = RunLock::take(&path).unwrap().unwrap();
        let held = RunLock::take(&path).unwrap().unwrap_err();
        assert_eq!(held.holder, std::process::id().to_string());
        File::options().write(true).truncate(true).open(&path).unwrap();
        assert_eq!(RunLock::take(&path).unwrap().unwrap_err().holder, "unknown");
        drop(first);
        assert!(RunLock::take(&path).unwrap().is_ok());
    }

    #[test]
    fn nobody_else_can_open_what_is_locked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.lock");
        File::create(&path).unwrap().set_permissions(Permissions::from_mode(0o644)).unwrap();
        let _lock = RunLock::take(&path).unwrap().unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_a_link_points_to_is_not_touched() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        File::create(&target).unwrap().write_all(b"precious").unwrap();
        let path = directory.path().join("run.lock");
        symlink(&target, &path).unwrap();
        assert!(matches!(RunLock::take(&path), Err(StateError::Link { .. })));
        std::fs::remove_file(&path).unwrap();
        std::fs::hard_link(&target, &path).unwrap();
        assert!(RunLock::take(&path).is_err());
        assert_eq!(std::fs::read(&target).unwrap(), b"precious");
    }
}
