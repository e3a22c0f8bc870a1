//! From a path to an open directory, without ever following a link that someone other than root
//! can have planted.
//!
//! The kernel resolves a path without links in one call (`openat2(2)`, `RESOLVE_NO_SYMLINKS`). A
//! path with links is walked here, one component at a time, each opened without following; a link
//! is read and its text walked in turn, so the walk cannot leave the root directory and cannot be
//! led elsewhere between a check and its use. A link counts only if
//! - it belongs to root (or to ourselves, when we are not root),
//! - the directory it lies in belongs to root (or us) and nobody else may write there, and
//! - the same holds for every directory passed on the way, except that a sticky directory such as
//!   /tmp may be passed: in it nobody can rename what is root's.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::RealFiles;
use crate::host::files::{AbsolutePath, FileError};

/// How long an open directory is taken for the one at its path.
const REMEMBERED: Duration = Duration::from_secs(1);
/// How many directories are kept open.
const OPEN_DIRECTORIES: usize = 200;
/// How many links one path may lead over, as in the kernel (`path_resolution(7)`).
const LINK_LIMIT: usize = 40;
const STICKY: u32 = 0o1000;
const WRITABLE_BY_OTHERS: u32 = 0o022;

const PASS: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// What is asked of the way to a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::host) enum Way {
    /// No link on it can have been planted.
    WithoutPlantedLinks,
    /// Nobody but root (or we) can change what any name on it means, now or later: a program that
    /// lets the kernel resolve the path gets there too, unless a link leads it out of the root.
    RootsAlone,
}

/// A directory on the way, and whether root alone decides what its names mean.
struct Passed {
    fd: Arc<OwnedFd>,
    /// Links in it may be followed.
    links_trusted: bool,
    /// What is root's in it stays what it is.
    way_trusted: bool,
}

impl RealFiles {
    /// The managed root directory.
    pub(super) fn root(&self) -> Result<Arc<OwnedFd>, FileError> {
        if let Some(root) = self.root.get() {
            return Ok(Arc::clone(root));
        }
        let flags = PASS | OFlags::DIRECTORY;
        let root = rustix::fs::open(&self.root_path, flags, Mode::empty()).map_err(|error| {
            FileError::OpenRoot { path: self.root_path.display().to_string(), source: error.into() }
        })?;
        Ok(Arc::clone(self.root.get_or_init(|| Arc::new(root))))
    }

    /// The directory at `path` (`/…`), opened with `O_PATH`; `None` where there is none.
    pub(super) fn directory(&self, path: &OsStr) -> Result<Option<Arc<OwnedFd>>, FileError> {
        let now = Instant::now();
        if let Some((fd, opened)) = self.directories.borrow().get(path)
            && now.duration_since(*opened) < REMEMBERED
        {
            return Ok(Some(Arc::clone(fd)));
        }
        let Some(fd) = self.open_directory(path)? else { return Ok(None) };
        let mut directories = self.directories.borrow_mut();
        if directories.len() >= OPEN_DIRECTORIES {
            directories.clear();
        }
        directories.insert(path.into(), (Arc::clone(&fd), now));
        Ok(Some(fd))
    }

    /// The directory that holds `path`'s last component. None there is an error.
    pub(super) fn holding_directory(&self, path: &AbsolutePath) -> Result<Arc<OwnedFd>, FileError> {
        let (parent, _) = path.split();
        self.directory(parent)?
            .ok_or_else(|| FileError::NoDirectory { path: parent.to_string_lossy().into_owned() })
    }

    /// Forgets which directories lie where: a name of a directory or link has changed.
    pub(super) fn forget_directories(&self) {
        self.directories.borrow_mut().clear();
    }

    fn open_directory(&self, path: &OsStr) -> Result<Option<Arc<OwnedFd>>, FileError> {
        let root = self.root()?;
        let relative = path.as_bytes().strip_prefix(b"/").unwrap_or(path.as_bytes());
        if relative.is_empty() {
            return Ok(Some(root));
        }
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let flags = PASS | OFlags::DIRECTORY;
        match rustix::fs::openat2(&root, OsStr::from_bytes(relative), flags, Mode::empty(), resolve)
        {
            Ok(fd) => Ok(Some(Arc::new(fd))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            // ELOOP: there is a link. ENOSYS and EPERM: an old kernel or a container that hides
            // the call. EAGAIN: the tree is being changed.
            Err(Errno::LOOP | Errno::NOSYS | Errno::PERM | Errno::AGAIN) => {
                self.walk(root, relative, path, Way::WithoutPlantedLinks)
            }
            Err(error) => Err(reach(path, error)),
        }
    }

    /// The directory at `path` as [`Self::directory`] finds it, over a way on which `rule` holds;
    /// the directory itself is a part of the way.
    pub(in crate::host) fn directory_over(
        &self,
        path: &OsStr,
        rule: Way,
    ) -> Result<Option<Arc<OwnedFd>>, FileError> {
        let relative = path.as_bytes().strip_prefix(b"/").unwrap_or(path.as_bytes());
        self.walk(self.root()?, relative, path, rule)
    }

    pub(super) fn is_trusted_owner(&self, uid: u32) -> bool {
        uid == 0 || uid == self.own_uid
    }

    fn passed(&self, fd: Arc<OwnedFd>, stat: &Stat, way_trusted: bool) -> Passed {
        let own = self.is_trusted_owner(stat.st_uid);
        let open_to_others = stat.st_mode & WRITABLE_BY_OTHERS != 0;
        Passed {
            fd,
            links_trusted: way_trusted && own && !open_to_others,
            way_trusted: way_trusted && own && (!open_to_others || stat.st_mode & STICKY != 0),
        }
    }

    fn walk(
        &self,
        root: Arc<OwnedFd>,
        relative: &[u8],
        path: &OsStr,
        rule: Way,
    ) -> Result<Option<Arc<OwnedFd>>, FileError> {
        let stat = rustix::fs::fstat(&root).map_err(|error| reach(path, error))?;
        let first = self.passed(root, &stat, true);
        check_directory(rule, &first, &stat, &[])?;
        let mut way = vec![first];
        // The names walked so far, to say in errors which link is meant.
        let mut names: Vec<OsString> = Vec::new();
        let mut rest: VecDeque<Vec<u8>> = components(relative).collect();
        let mut links = 0;
        while let Some(component) = rest.pop_front() {
            if component == b".." {
                if way.len() > 1 {
                    way.pop();
                    names.pop();
                }
                continue;
            }
            let Some(here) = way.last() else { return Ok(None) };
            let name = OsStr::from_bytes(&component);
            let flags = PASS | OFlags::NOFOLLOW;
            let fd = match rustix::fs::openat(&here.fd, name, flags, Mode::empty()) {
                Ok(fd) => Arc::new(fd),
                Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
                Err(error) => return Err(reach(path, error)),
            };
            let stat = rustix::fs::fstat(&fd).map_err(|error| reach(path, error))?;
            match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
                rustix::fs::FileType::Directory => {
                    let next = self.passed(fd, &stat, here.way_trusted);
                    names.push(name.to_owned());
                    check_directory(rule, &next, &stat, &names)?;
                    way.push(next);
                }
                rustix::fs::FileType::Symlink => {
                    self.check_link(here, &stat, &names, name)?;
                    links += 1;
                    if links > LINK_LIMIT {
                        return Err(reach(path, Errno::LOOP));
                    }
                    let target = rustix::fs::readlinkat(&fd, "", Vec::new())
                        .map_err(|error| reach(path, error))?
                        .into_bytes();
                    if target.first() == Some(&b'/') {
                        way.truncate(1);
                        names.clear();
                    }
                    for component in components(&target).collect::<Vec<_>>().into_iter().rev() {
                        rest.push_front(component);
                    }
                }
                _ => return Ok(None),
            }
        }
        Ok(way.pop().map(|passed| passed.fd))
    }

    fn check_link(
        &self,
        directory: &Passed,
        link: &Stat,
        names: &[OsString],
        name: &OsStr,
    ) -> Result<(), FileError> {
        let reason = if !self.is_trusted_owner(link.st_uid) {
            "a link in a path is followed only if it belongs to root"
        } else if !directory.links_trusted {
            "someone other than root can change names in the directory it lies in, or above"
        } else {
            return Ok(());
        };
        Err(FileError::UntrustedLink {
            link: full_name(names.iter().map(OsString::as_os_str).chain([name])),
            owner: link.st_uid,
            reason: reason.into(),
        })
    }

    /// Whether only root, we or `owner` can create names in this directory.
    pub(super) fn names_made_only_by(
        &self,
        directory: &OwnedFd,
        owner: u32,
    ) -> Result<bool, Errno> {
        let stat = rustix::fs::fstat(directory)?;
        Ok((self.is_trusted_owner(stat.st_uid) || stat.st_uid == owner)
            && stat.st_mode & WRITABLE_BY_OTHERS == 0)
    }
}

fn check_directory(
    rule: Way,
    directory: &Passed,
    stat: &Stat,
    names: &[OsString],
) -> Result<(), FileError> {
    if rule == Way::WithoutPlantedLinks || directory.links_trusted {
        return Ok(());
    }
    Err(FileError::OpenToOthers {
        path: full_name(names.iter().map(OsString::as_os_str)),
        owner: stat.st_uid,
        mode: super::permission_bits(stat.st_mode),
    })
}

fn full_name<'a>(names: impl Iterator<Item = &'a OsStr>) -> String {
    let mut full = Vec::new();
    for name in names {
        full.push(b'/');
        full.extend_from_slice(name.as_bytes());
    }
    if full.is_empty() {
        full.push(b'/');
    }
    OsString::from_vec(full).to_string_lossy().into_owned()
}

fn components(path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(<[u8]>::to_vec)
}

fn reach(path: &OsStr, error: Errno) -> FileError {
    FileError::Reach { path: path.to_string_lossy().into_owned(), source: error.into() }
}
