//! The run lock: an flock that the kernel drops with the process, so that it is never stale.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::StateError;

/// Held while a run changes the machine.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Another process holds the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHeld {
    /// Who, as the holder wrote it: a process id.
    pub holder: String,
}

impl RunLock {
    pub(super) fn take(path: &Path) -> Result<Result<Self, LockHeld>, StateError> {
        let failed = |source| StateError::File { action: "lock", path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                return Ok(Err(LockHeld { holder: holder.trim().to_owned() }));
            }
            Err(error) => return Err(failed(error.into())),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        write!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Ok(Self { _file: file }))
    }
}
