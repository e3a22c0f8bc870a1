//! Ways to a directory that nobody but root could have bent.
//!
//! What must stay true: while something is to be changed, a symbolic link is followed only if root
//! owns it and only root can write the directory it stands in (`/home` as a link to `/srv/home`);
//! every other link on the way is an error.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::super::AccountError;

const LINKS: usize = 40;

/// Flags for a directory that is only passed through.
pub(super) const PASSING: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Flags for a directory whose entries are read.
pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An entry of a directory to be changed.
#[derive(Debug)]
pub(super) struct Entry {
    /// The directory, open for reading.
    pub(super) parent: OwnedFd,
    /// The entry's name in it.
    pub(super) name: String,
}

/// The entry at the absolute `path` below `root`; `make` makes missing parents as 0755.
pub(super) fn entry(root: &Path, path: &str, make: bool) -> Result<Entry, AccountError> {
    let failed = |source: Errno| AccountError::Home {
        operation: "find",
        path: PathBuf::from(path),
        source: source.into(),
    };
    let mut components: VecDeque<String> = components(path);
    let name = components.pop_back().ok_or_else(|| failed(Errno::INVAL))?;
    let passed = walk(root, components, make).map_err(|stop| match stop {
        Stop::Failed(source) => failed(source),
        Stop::Planted(link) => AccountError::PlantedLink { path: link },
    })?;
    let parent = rustix::fs::openat(&passed, ".", DIRECTORY, Mode::empty()).map_err(failed)?;
    Ok(Entry { parent, name })
}

enum Stop {
    Failed(Errno),
    Planted(PathBuf),
}

impl From<Errno> for Stop {
    fn from(error: Errno) -> Self {
        Self::Failed(error)
    }
}

fn components(path: &str) -> VecDeque<String> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
}

fn walk(root: &Path, mut todo: VecDeque<String>, make: bool) -> Result<OwnedFd, Stop> {
    let top = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut stack = vec![rustix::fs::open(root, top, Mode::empty())?];
    let mut passed = PathBuf::from("/");
    let mut links = 0;
    while let Some(component) = todo.pop_front() {
        if component == ".." {
            if stack.len() > 1 {
                stack.pop();
                passed.pop();
            }
            continue;
        }
        let Some(directory) = stack.last() else { return Err(Errno::NOENT.into()) };
        let next = match rustix::fs::openat(directory, &component, PASSING, Mode::empty()) {
            Err(Errno::NOENT) if make => make_directory(directory.as_fd(), &component)?,
            other => other?,
        };
        let found = rustix::fs::fstat(&next)?;
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => {
                stack.push(next);
                passed.push(component);
            }
            FileType::Symlink => {
                links += 1;
                let around = rustix::fs::fstat(directory)?;
                if links > LINKS {
                    return Err(Errno::LOOP.into());
                }
                if !is_ours(&found) || !is_ours(&around) || around.st_mode & 0o022 != 0 {
                    return Err(Stop::Planted(passed.join(component)));
                }
                let target = rustix::fs::readlinkat(&next, "", Vec::new())?;
                let target = target.to_str().map_err(|_| Errno::ILSEQ)?;
                if target.starts_with('/') {
                    stack.truncate(1);
                    passed = PathBuf::from("/");
                }
                for part in components(target).into_iter().rev() {
                    todo.push_front(part);
                }
            }
            _ => return Err(Errno::NOTDIR.into()),
        }
    }
    stack.pop().ok_or(Stop::Failed(Errno::NOENT))
}

fn make_directory(parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o700))?;
    let made = rustix::fs::openat(parent, name, DIRECTORY, Mode::empty())?;
    rustix::fs::fchmod(&made, Mode::from_raw_mode(0o755))?;
    rustix::fs::fsync(&made)?;
    rustix::fs::fsync(rustix::fs::openat(parent, ".", DIRECTORY, Mode::empty())?)?;
    Ok(made)
}

/// Whether root owns it, or this process where it is not root.
fn is_ours(stat: &Stat) -> bool {
    stat.st_uid == 0 || stat.st_uid == rustix::process::geteuid().as_raw()
}

/// Opens `path` below `root` to look at it: links are followed, but never out of `root`.
pub(super) fn look(root: &Path, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let top = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(root, top, Mode::empty())?;
    let inside = path.trim_start_matches('/');
    let inside = if inside.is_empty() { "." } else { inside };
    let flags = flags | OFlags::CLOEXEC;
    Ok(rustix::fs::openat2(root, inside, flags, Mode::empty(), ResolveFlags::IN_ROOT)?)
}

/// The text of a small file below `root`; empty where it does not exist.
pub(super) fn read(root: &Path, path: &str) -> io::Result<Vec<u8>> {
    let file = match look(root, path, OFlags::RDONLY | OFlags::NONBLOCK) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut text = Vec::new();
    io::Read::read_to_end(&mut std::fs::File::from(file), &mut text)?;
    Ok(text)
}

/// The status of `name` in `parent`, a link itself; `None` where there is nothing.
pub(super) fn status(parent: impl AsFd, name: &str) -> Result<Option<Stat>, Errno> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}
