//! The kernel's two ways of watching directories behind one face.
//!
//! What must stay true: fanotify is used wherever it works, because it alone tells who did it; where a
//! kernel, a sandbox or a single file system forbids it, inotify takes its place, for all
//! directories or for that one. Nothing is held open that would keep a file system from being
//! unmounted.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::fanotify::Fanotify;
use super::inotify::Inotify;
use super::occurrence::{Key, Occurrence, Raw};
use crate::failure::Failure;

/// How many events are read before they are looked at.
const AT_ONCE: usize = 20_000;

/// How a directory's descriptor is opened: it leads nowhere but to the directory itself.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Which of the two ways may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ways {
    /// fanotify, and inotify where that fails.
    #[default]
    Both,
    /// inotify only, for tests.
    #[cfg(test)]
    WithoutNames,
}

pub(super) struct Marker {
    fanotify: Option<Fanotify>,
    /// Opened when first needed.
    inotify: Option<Inotify>,
    /// Why fanotify is not used.
    refusal: Option<String>,
    /// Marks of directories that could no longer be found, which only a new group is rid of.
    lost: usize,
}

impl Marker {
    pub(super) fn new(ways: Ways) -> Result<Self, Failure> {
        let fanotify = match ways {
            Ways::Both => Fanotify::new(),
            #[cfg(test)]
            Ways::WithoutNames => Err(io::Error::from(io::ErrorKind::Unsupported)),
        };
        match fanotify {
            Ok(fanotify) => {
                Ok(Self { fanotify: Some(fanotify), inotify: None, refusal: None, lost: 0 })
            }
            Err(error) => {
                let inotify = Inotify::new().map_err(|second| {
                    Failure::new(format!(
                        "files cannot be watched: fanotify: {error}; inotify: {second}"
                    ))
                    .with_hint(
                        "allow fanotify_init(2) or inotify_init1(2), and raise \
                         fs.inotify.max_user_instances if it is used up",
                    )
                })?;
                let refusal = Some(format!("fanotify is not to be had here: {error}"));
                Ok(Self { fanotify: None, inotify: Some(inotify), refusal, lost: 0 })
            }
        }
    }

    /// Whether fanotify is used, and why not.
    pub(super) fn fanotify(&self) -> Result<(), &str> {
        match (&self.fanotify, &self.refusal) {
            (None, Some(refusal)) => Err(refusal),
            _ => Ok(()),
        }
    }

    /// Watches the open `directory` for what is `asked`, in addition to what already is.
    pub(super) fn mark(&mut self, directory: BorrowedFd<'_>, asked: Occurrence) -> io::Result<Key> {
        if let Some(fanotify) = &self.fanotify {
            match fanotify.mark(directory, asked) {
                // The directory has just gone.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
                Err(error) => log::debug!("fanotify cannot watch a directory: {error}"),
                Ok(key) => return Ok(key),
            }
        }
        if self.inotify.is_none() {
            self.inotify = Some(Inotify::new()?);
        }
        match &self.inotify {
            Some(inotify) => inotify.mark(directory, asked),
            None => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }

    /// Stops to watch the directory called `key`, which was at `path` when it was marked.
    pub(super) fn unmark(&mut self, key: &Key, path: &Path) {
        let result = match key {
            Key::Descriptor(descriptor) => {
                self.inotify.as_ref().map_or(Ok(()), |inotify| inotify.unmark(*descriptor))
            }
            Key::Handle(_) => self.unmark_handle(key, path),
        };
        if let Err(error) = result {
            log::debug!("{}: still watched: {error}", path.display());
            self.lost += 1;
        }
    }

    fn unmark_handle(&self, key: &Key, path: &Path) -> io::Result<()> {
        let Some(fanotify) = &self.fanotify else { return Ok(()) };
        let directory = rustix::fs::open(path, LOOK | OFlags::DIRECTORY, Mode::empty())?;
        if super::handle::key(&directory)? != *key {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        fanotify.unmark(directory.as_fd())
    }

    /// How many directories are marked that nobody asks about any more.
    pub(super) fn lost(&self) -> usize {
        self.lost
    }

    /// What has happened since the last call, oldest first.
    pub(super) fn read(&mut self) -> io::Result<Vec<Raw>> {
        let mut events = Vec::new();
        if let Some(fanotify) = &mut self.fanotify {
            while events.len() < AT_ONCE && !fanotify.read(&mut events)? {}
            fanotify.rest();
        }
        if let Some(inotify) = &self.inotify {
            inotify.read(&mut events, AT_ONCE)?;
        }
        Ok(events)
    }

    /// What to wait for.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let fanotify = self.fanotify.as_ref().map(AsFd::as_fd);
        fanotify.into_iter().chain(self.inotify.as_ref().map(AsFd::as_fd))
    }
}

/// Whether `error` says that the kernel watches as many directories as it may.
pub(super) fn is_limit(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOSPC)
}

/// Opens what is at `path`, without following it where it is a link, and without access to it.
pub(super) fn look(path: &Path) -> io::Result<std::os::fd::OwnedFd> {
    Ok(rustix::fs::open(path, LOOK, Mode::empty())?)
}

/// How many of `keys` are watched by inotify.
pub(super) fn without_names<'a>(keys: impl Iterator<Item = &'a Key>) -> usize {
    keys.filter(|key| matches!(key, Key::Descriptor(_))).collect::<BTreeSet<_>>().len()
}
