//! `~/.ssh/authorized_keys`, read and written as the user whose it is.
//!
//! What must stay true: no link below the home is followed, and nothing is opened with root's
//! rights there; no byte of the file is reinterpreted, for comments are in any encoding
//! (ansible.posix CVE-2026-11837 is what happens otherwise).

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use super::super::AccountError;
use super::super::model::{Ownership, User};
use super::identity::as_user;
use super::paths::{DIRECTORY, PASSING, entry};

const DIRECTORY_NAME: &str = ".ssh";
const FILE_NAME: &str = "authorized_keys";
const CANDIDATE: &str = ".authorized_keys.steadfast-new";
const PRIVATE: Mode = Mode::from_raw_mode(0o600);
const LIMIT: u64 = 1 << 20;

/// The file's bytes; `None` where it, its directory or the home is missing.
pub(super) fn read(root: &Path, user: &User) -> Result<Option<Vec<u8>>, AccountError> {
    let Some(home) = open_home(root, user)? else { return Ok(None) };
    let read = as_user(identity(user), || {
        let Some(directory) = missing_is_none(open_below(&home, DIRECTORY_NAME, DIRECTORY))? else {
            return Ok(None);
        };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let Some(file) = missing_is_none(open_below(&directory, FILE_NAME, flags))? else {
            return Ok(None);
        };
        if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut text = Vec::new();
        File::from(file).take(LIMIT + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LIMIT {
            return Err(io::Error::other("it is larger than 1 MiB"));
        }
        Ok(Some(text))
    });
    read.map_err(|source| failure("read", user, source))
}

/// Replaces the file's content atomically.
pub(super) fn write(root: &Path, user: &User, content: &[u8]) -> Result<(), AccountError> {
    let home = open_home(root, user)?.ok_or_else(|| AccountError::Home {
        operation: "open",
        path: PathBuf::from(&user.home),
        source: io::ErrorKind::NotFound.into(),
    })?;
    let written = as_user(identity(user), || {
        let directory = match open_below(&home, DIRECTORY_NAME, DIRECTORY) {
            Err(Errno::NOENT) => {
                rustix::fs::mkdirat(&home, DIRECTORY_NAME, Mode::from_raw_mode(0o700))?;
                let made = open_below(&home, DIRECTORY_NAME, DIRECTORY)?;
                rustix::fs::fchmod(&made, Mode::from_raw_mode(0o700))?;
                rustix::fs::fsync(openat(&home, ".", DIRECTORY, Mode::empty())?)?;
                made
            }
            other => other?,
        };
        match rustix::fs::unlinkat(&directory, CANDIDATE, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = mode_of_old(&directory)?;
        let mut file = File::from(openat(&directory, CANDIDATE, flags, PRIVATE)?);
        rustix::fs::fchmod(&file, mode)?;
        file.write_all(content)?;
        file.sync_all()?;
        rustix::fs::renameat(&directory, CANDIDATE, &directory, FILE_NAME)?;
        rustix::fs::fsync(&directory)?;
        Ok(())
    });
    written.map_err(|source| failure("write", user, source))
}

/// The mode that the file keeps: 0644 stays, anything else becomes 0600.
fn mode_of_old(directory: &OwnedFd) -> Result<Mode, Errno> {
    let public = Mode::from_raw_mode(0o644);
    match rustix::fs::statat(directory, FILE_NAME, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat)
            if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
                && stat.st_mode & 0o7777 == public.as_raw_mode() =>
        {
            Ok(public)
        }
        Ok(_) | Err(Errno::NOENT) => Ok(PRIVATE),
        Err(error) => Err(error),
    }
}

fn identity(user: &User) -> Ownership {
    Ownership { uid: user.uid, gid: user.gid }
}

fn open_home(root: &Path, user: &User) -> Result<Option<OwnedFd>, AccountError> {
    let place = match entry(root, &user.home, false) {
        Err(AccountError::Home { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(None);
        }
        other => other?,
    };
    let opened = openat(&place.parent, &place.name, PASSING | OFlags::DIRECTORY, Mode::empty());
    missing_is_none(opened).map_err(|source| AccountError::Home {
        operation: "open",
        path: PathBuf::from(&user.home),
        source,
    })
}

fn open_below(directory: impl AsFd, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    // Without NOFOLLOW a link is told from a file that is no directory.
    let flags = flags.difference(OFlags::NOFOLLOW);
    openat2(directory, name, flags, Mode::empty(), resolve)
}

fn missing_is_none(opened: Result<OwnedFd, Errno>) -> io::Result<Option<OwnedFd>> {
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn failure(operation: &'static str, user: &User, source: io::Error) -> AccountError {
    let path = Path::new(&user.home).join(DIRECTORY_NAME).join(FILE_NAME);
    if source.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return AccountError::KeysLink { path };
    }
    AccountError::Home { operation, path, source }
}
