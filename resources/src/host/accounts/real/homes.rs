//! Homes: made, moved, removed, re-owned.
//!
//! What must stay true: every entry is reached through an open directory and never through a link;
//! a mount point below a home, bind mounts too, is never entered; a new home appears complete, with
//! its final owner and mode, or not at all, after a loss of power too; a file of someone else that has
//! further names is never given away.

use std::ffi::CStr;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, RenameFlags, ResolveFlags, StatxAttributes,
    StatxFlags, Uid, openat, openat2,
};
use rustix::io::Errno;

use super::super::AccountError;
use super::super::defaults::Defaults;
use super::super::model::{HomeFacts, Ownership, ShellFacts, User};
use super::paths::{DIRECTORY, PASSING, entry, look, status};

/// Directories may be nested this deep; one descriptor is open for each level.
const DEPTH: usize = 400;

/// What stands at `path`.
pub(super) fn facts(root: &Path, path: &str) -> Result<Option<HomeFacts>, AccountError> {
    let failed = |source: io::Error| home_error("look at", path, source);
    let place = match look(root, path, PASSING) {
        Ok(place) => place,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let found = rustix::fs::statx(&place, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)
        .map_err(|error| failed(error.into()))?;
    Ok(Some(HomeFacts {
        owner: rustix::process::geteuid().is_root().then_some(found.stx_uid),
        directory: FileType::from_raw_mode(found.stx_mode.into()) == FileType::Directory,
        mount_point: found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
        device: rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor),
    }))
}

/// Makes the home of `user`. Nothing happens where something stands there.
pub(super) fn create(root: &Path, user: &User, defaults: &Defaults) -> Result<(), AccountError> {
    let failed = |source: io::Error| home_error("create", &user.home, source);
    let place = entry(root, &user.home, true)?;
    if status(&place.parent, &place.name).map_err(|error| failed(error.into()))?.is_some() {
        return Ok(());
    }
    let candidate = format!(".{}.steadfast-new", user.name);
    let made = make(root, user, defaults, place.parent.as_fd(), &candidate).and_then(|()| {
        let flags = RenameFlags::NOREPLACE;
        rustix::fs::renameat_with(&place.parent, &*candidate, &place.parent, &*place.name, flags)?;
        rustix::fs::fsync(&place.parent)?;
        Ok(())
    });
    if made.is_err() {
        let _ = remove_entry(place.parent.as_fd(), &candidate, 0);
    }
    made.map_err(failed)
}

fn make(
    root: &Path,
    user: &User,
    defaults: &Defaults,
    parent: BorrowedFd<'_>,
    candidate: &str,
) -> io::Result<()> {
    remove_entry(parent, candidate, 0)?;
    rustix::fs::mkdirat(parent, candidate, Mode::from_raw_mode(0o700))?;
    let home = openat(parent, candidate, DIRECTORY, Mode::empty())?;
    let owner =
        rustix::process::geteuid().is_root().then_some(Ownership { uid: user.uid, gid: user.gid });
    match look(root, &defaults.skeleton, DIRECTORY.difference(OFlags::NOFOLLOW)) {
        Ok(skeleton) => copy(skeleton.as_fd(), home.as_fd(), owner, 0)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    give(home.as_fd(), owner)?;
    rustix::fs::fchmod(&home, Mode::from_raw_mode(defaults.home_mode))?;
    rustix::fs::fsync(&home)?;
    Ok(())
}

/// Copies files, directories and links; anything else in a skeleton is left out.
fn copy(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    owner: Option<Ownership>,
    depth: usize,
) -> io::Result<()> {
    for name in names(from, depth)? {
        let name = name.as_c_str();
        let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let mode = Mode::from_raw_mode(stat.st_mode & 0o777);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                rustix::fs::mkdirat(to, name, Mode::from_raw_mode(0o700))?;
                let source = openat(from, name, DIRECTORY, Mode::empty())?;
                let target = openat(to, name, DIRECTORY, Mode::empty())?;
                copy(source.as_fd(), target.as_fd(), owner, depth + 1)?;
                give(target.as_fd(), owner)?;
                rustix::fs::fchmod(&target, mode)?;
                rustix::fs::fsync(&target)?;
            }
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let mut content = Vec::new();
                std::fs::File::from(openat(from, name, flags, Mode::empty())?)
                    .read_to_end(&mut content)?;
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let mut file =
                    std::fs::File::from(openat(to, name, flags, Mode::from_raw_mode(0o600))?);
                file.write_all(&content)?;
                give(file.as_fd(), owner)?;
                rustix::fs::fchmod(&file, mode)?;
                file.sync_all()?;
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(from, name, Vec::new())?;
                rustix::fs::symlinkat(target, to, name)?;
                if let Some(owner) = owner {
                    let (uid, gid) = ids(owner);
                    rustix::fs::chownat(to, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Renames a home. Done already where only the new one exists.
pub(super) fn rename(root: &Path, from: &str, to: &str) -> Result<(), AccountError> {
    let failed = |source: Errno| home_error("move", from, source.into());
    let source = entry(root, from, false)?;
    if status(&source.parent, &source.name).map_err(failed)?.is_none() {
        return Ok(());
    }
    let target = entry(root, to, true)?;
    let flags = RenameFlags::NOREPLACE;
    rustix::fs::renameat_with(&source.parent, &*source.name, &target.parent, &*target.name, flags)
        .map_err(failed)?;
    rustix::fs::fsync(&target.parent).map_err(failed)?;
    rustix::fs::fsync(&source.parent).map_err(failed)
}

/// Removes the home of `user` if it belongs to the user, and a mail spool of that name.
pub(super) fn remove(root: &Path, user: &User) -> Result<(), AccountError> {
    for path in [user.home.clone(), format!("/var/mail/{}", user.name)] {
        let place = match entry(root, &path, false) {
            Ok(place) => place,
            Err(AccountError::Home { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                continue;
            }
            Err(error) => return Err(error),
        };
        let failed = |source: io::Error| home_error("remove", &path, source);
        let found = status(&place.parent, &place.name).map_err(|error| failed(error.into()))?;
        let own = rustix::process::geteuid();
        let removable = found.is_some_and(|found| {
            found.st_uid == user.uid || (!own.is_root() && found.st_uid == own.as_raw())
        });
        if removable {
            remove_entry(place.parent.as_fd(), &place.name, 0).map_err(failed)?;
            rustix::fs::fsync(&place.parent).map_err(|error| failed(error.into()))?;
        }
    }
    Ok(())
}

/// Removes `name` with all below it; fails at a mount point.
fn remove_entry(
    parent: BorrowedFd<'_>,
    name: impl rustix::path::Arg + Copy,
    depth: usize,
) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let directory = openat2(parent, name, DIRECTORY, Mode::empty(), same_mount())?;
    for inner in names(directory.as_fd(), depth)? {
        remove_entry(directory.as_fd(), inner.as_c_str(), depth + 1)?;
    }
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Gives what belongs to `from` at and below `path` to `to`.
pub(super) fn reown(
    root: &Path,
    path: &str,
    from: Ownership,
    to: Ownership,
    deadline: Instant,
) -> Result<(), AccountError> {
    let failed = |source: io::Error| home_error("re-own", path, source);
    let place = entry(root, path, false)?;
    let home = match openat(&place.parent, &place.name, PASSING, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        other => other.map_err(|error| failed(error.into()))?,
    };
    reown_entry(&home, from, to, 0, deadline).map_err(failed)
}

fn reown_entry(
    entry: &OwnedFd,
    from: Ownership,
    to: Ownership,
    depth: usize,
    deadline: Instant,
) -> io::Result<()> {
    let stat = rustix::fs::fstat(entry)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let directory = openat(entry, ".", DIRECTORY, Mode::empty())?;
        for name in names(directory.as_fd(), depth)? {
            match openat2(&directory, &*name, PASSING, Mode::empty(), same_mount()) {
                Ok(inner) => reown_entry(&inner, from, to, depth + 1, deadline)?,
                // Gone meanwhile, or a mount point.
                Err(Errno::NOENT | Errno::XDEV) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    // A user may have linked a stranger's file into the home.
    let foreign = stat.st_uid != from.uid && stat.st_nlink > 1;
    if foreign && FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Ok(());
    }
    let uid = (stat.st_uid == from.uid && from.uid != to.uid).then_some(to.uid);
    let gid = (stat.st_gid == from.gid && from.gid != to.gid).then_some(to.gid);
    if uid.is_some() || gid.is_some() {
        let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
        rustix::fs::chownat(entry, "", uid, gid, AtFlags::EMPTY_PATH)?;
    }
    Ok(())
}

fn same_mount() -> ResolveFlags {
    ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS
}

/// The names in a directory, all read before anything is changed.
fn names(directory: BorrowedFd<'_>, depth: usize) -> io::Result<Vec<std::ffi::CString>> {
    if depth >= DEPTH {
        return Err(io::Error::other(format!("directories are nested deeper than {DEPTH} levels")));
    }
    let mut names = Vec::new();
    for item in Dir::read_from(directory)? {
        let item = item?;
        let name: &CStr = item.file_name();
        if name != c"." && name != c".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn give(file: BorrowedFd<'_>, owner: Option<Ownership>) -> io::Result<()> {
    if let Some(owner) = owner {
        let (uid, gid) = ids(owner);
        rustix::fs::fchown(file, uid, gid)?;
    }
    Ok(())
}

fn ids(owner: Ownership) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)))
}

fn home_error(operation: &'static str, path: &str, source: io::Error) -> AccountError {
    AccountError::Home { operation, path: PathBuf::from(path), source }
}

/// What stands at the shell's `path`, links followed within `root`.
pub(super) fn shell(root: &Path, path: &str) -> Result<ShellFacts, AccountError> {
    use io::ErrorKind::{NotADirectory, NotFound};
    let place = match look(root, path, OFlags::PATH) {
        Ok(place) => place,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => {
            return Ok(ShellFacts::Missing);
        }
        Err(error) => return Err(home_error("look at", path, error)),
    };
    let stat =
        rustix::fs::fstat(&place).map_err(|error| home_error("look at", path, error.into()))?;
    let file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let executable = file && stat.st_mode & 0o111 != 0;
    Ok(if executable { ShellFacts::Executable } else { ShellFacts::NotExecutable })
}
