//! The agent's own copy of the policy repository: one bare repository in a directory of its own.
//!
//! ```text
//! DIRECTORY/lock             held (flock) while somebody writes
//! DIRECTORY/repository.git   the copy
//! DIRECTORY/fresh.git        a new copy being made; swapped in when it is complete
//! DIRECTORY/damaged          present when a reader met a damaged object: make a new copy
//! ```
//!
//! What must stay true: whatever instant a process dies at, the next one finds a usable copy with
//! the last good revision in it, or makes one. Readers need no lock: a copy is only ever added to,
//! or replaced by one that holds the same good and current revisions.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gix::Repository;
use rustix::fs::{FlockOperation, RenameFlags};

use super::error::SourceError;
use super::leftovers::{names_in, remove_directory, remove_file};
use super::local;
use super::references::{open_options, reference, set_reference};
use super::revision::RevisionId;
use super::settings::Limits;

/// After this many packs a new copy is made: the library never tidies up.
const MAX_PACKS: usize = 50;

/// The reference that keeps the last good revision.
const GOOD: &str = "refs/steadfast/good";

/// The reference that keeps the last fetched revision.
const CURRENT: &str = "refs/steadfast/current";

/// The directory with the copy.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    limits: Limits,
}

/// Held while writing. Given back when dropped, or when the process ends in whatever way.
pub(super) struct Lock {
    _file: File,
}

impl Store {
    /// The store in `directory`, which is made if it is missing (mode 0700).
    pub(super) fn open(directory: &Path, limits: Limits) -> Result<Self, SourceError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed("create", directory))?;
        let directory = directory.canonicalize().map_err(failed("find", directory))?;
        let store = Self { directory, limits };
        // Somebody who is writing has cleaned already.
        if let Ok(lock) = store.lock(Duration::ZERO) {
            store.clean(&lock)?;
            store.ensure(&lock, gix::hash::Kind::Sha1)?;
        }
        Ok(store)
    }

    /// The copy.
    pub(super) fn path(&self) -> PathBuf {
        self.directory.join("repository.git")
    }

    /// Where the old copy is for an instant, on file systems without an atomic exchange.
    pub(super) fn old_path(&self) -> PathBuf {
        self.directory.join("old.git")
    }

    pub(super) fn fresh_path(&self) -> PathBuf {
        self.directory.join("fresh.git")
    }

    pub(super) fn marker(&self) -> PathBuf {
        self.directory.join("damaged")
    }

    /// Waits until nobody else writes, at most `patience`.
    pub(super) fn lock(&self, patience: Duration) -> Result<Lock, SourceError> {
        let path = self.directory.join("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        let end = Instant::now() + patience;
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {}
                Err(error) => return Err(failed("lock", &path)(error.into())),
            }
            if Instant::now() >= end {
                return Err(SourceError::StoreInUse { path: self.directory.clone() });
            }
            // Nothing to wait on: flock has no descriptor that becomes ready.
            let timeout = rustix::event::Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
            let _ = rustix::event::poll(&mut [], Some(&timeout));
        }
    }

    /// Makes sure that there is a copy that opens. A copy that does not is replaced by one that
    /// takes over its objects and references.
    pub(super) fn ensure(&self, _lock: &Lock, kind: gix::hash::Kind) -> Result<(), SourceError> {
        let path = self.path();
        if !path.exists() {
            // Made beside and renamed, so that a half-made one is never met.
            self.create(&self.fresh_path(), kind)?;
            return std::fs::rename(self.fresh_path(), &path).map_err(failed("create", &path));
        }
        let Err(error) = self.repository() else { return Ok(()) };
        log::warn!(
            "the copy of the policy repository in {} is damaged and is repaired: {error}",
            path.display()
        );
        let fresh = self.fresh_path();
        self.create(&fresh, kind)?;
        for name in ["objects", "refs", "shallow", "packed-refs"] {
            let (from, to) = (path.join(name), fresh.join(name));
            if !from.exists() {
                continue;
            }
            remove_directory(&to)?;
            std::fs::rename(&from, &to).map_err(failed("repair", &path))?;
        }
        for needed in ["objects/pack", "objects/info", "refs/heads"] {
            let needed = fresh.join(needed);
            std::fs::create_dir_all(&needed).map_err(failed("repair", &needed))?;
        }
        remove_directory(&path)?;
        std::fs::rename(&fresh, &path).map_err(failed("repair", &path))?;
        self.mark_damaged();
        self.repository().map(|_| ())
    }

    fn create(&self, path: &Path, kind: gix::hash::Kind) -> Result<Repository, SourceError> {
        let options =
            gix::create::Options { object_hash: Some(kind), ..gix::create::Options::default() };
        gix::ThreadSafeRepository::init_opts(
            path,
            gix::create::Kind::Bare,
            options,
            open_options(&self.limits),
        )
        .map(Into::into)
        .map_err(broken(path))
    }

    /// The copy, opened anew: a handle that lives long runs out of places for packs.
    pub(super) fn repository(&self) -> Result<Repository, SourceError> {
        let path = self.path();
        let options = open_options(&self.limits).open_path_as_is(true);
        gix::open_opts(&path, options).map_err(broken(&path))
    }

    /// The last good revision.
    pub(super) fn good(&self) -> Result<Option<RevisionId>, SourceError> {
        Ok(reference(&self.repository()?, GOOD).map(RevisionId))
    }

    /// The last fetched revision.
    pub(super) fn current(&self) -> Result<Option<RevisionId>, SourceError> {
        Ok(reference(&self.repository()?, CURRENT).map(RevisionId))
    }

    /// Remembers the last fetched revision and makes it survive a power loss.
    pub(super) fn mark_current(&self, id: RevisionId) -> Result<(), SourceError> {
        let repository = self.repository()?;
        if reference(&repository, CURRENT) != Some(id.0) {
            set_reference(&repository, CURRENT, id.0).map_err(broken(&self.path()))?;
            self.sync()?;
        }
        Ok(())
    }

    /// Remembers the last good revision, durably.
    pub(super) fn mark_good(&self, id: RevisionId) -> Result<(), SourceError> {
        // Or it could be written to a copy that is just being replaced.
        let _lock = self.lock(self.limits.deadline)?;
        let repository = self.repository()?;
        if !repository.has_object(id.0) {
            return Err(SourceError::UnknownRevision { id: id.to_string() });
        }
        if reference(&repository, GOOD) != Some(id.0) {
            set_reference(&repository, GOOD, id.0).map_err(broken(&self.path()))?;
            self.sync()?;
        }
        Ok(())
    }

    /// Why a new copy should be made, if it should.
    pub(super) fn renewal(&self) -> Result<Option<&'static str>, SourceError> {
        if self.marker().exists() {
            return Ok(Some("it is damaged"));
        }
        let packs = names_in(&self.path().join("objects/pack"))?;
        let count = packs.iter().filter(|name| name.strip_suffix(".pack").is_some()).count();
        Ok((count >= MAX_PACKS).then_some("it has many packs"))
    }

    /// Notes that a new copy must be made.
    pub(super) fn mark_damaged(&self) {
        note_damage(&self.marker());
    }

    /// An empty repository in which a new copy can be made.
    pub(super) fn begin_fresh(
        &self,
        _lock: &Lock,
        kind: gix::hash::Kind,
    ) -> Result<PathBuf, SourceError> {
        let path = self.fresh_path();
        remove_directory(&path)?;
        self.create(&path, kind)?;
        Ok(path)
    }

    /// Replaces the copy by the fresh one, which takes over the last good revision.
    pub(super) fn adopt_fresh(&self, _lock: &Lock) -> Result<(), SourceError> {
        let (current, fresh) = (self.path(), self.fresh_path());
        self.carry_good_over(&fresh)?;
        self.sync()?;
        let exchanged = rustix::fs::renameat_with(
            rustix::fs::CWD,
            &fresh,
            rustix::fs::CWD,
            &current,
            RenameFlags::EXCHANGE,
        );
        if exchanged.is_err() {
            // Some file systems cannot; `clean` knows what half of this means.
            let old = self.old_path();
            std::fs::rename(&current, &old).map_err(failed("replace", &current))?;
            std::fs::rename(&fresh, &current).map_err(failed("replace", &current))?;
            std::fs::rename(&old, &fresh).map_err(failed("replace", &current))?;
        }
        self.sync()?;
        remove_file(&self.marker())?;
        remove_directory(&fresh)
    }

    /// The last good revision of the old copy, as far as it is readable, into the new one.
    fn carry_good_over(&self, fresh: &Path) -> Result<(), SourceError> {
        let Ok(old) = self.repository() else { return Ok(()) };
        let Some(good) = reference(&old, GOOD) else { return Ok(()) };
        let options = open_options(&self.limits).open_path_as_is(true);
        let new = gix::open_opts(fresh, options).map_err(broken(fresh))?;
        let kept = if old.object_hash() == new.object_hash() {
            local::copy_commit(old, &new, good, &self.limits).map_err(|error| error.to_string())
        } else {
            Err("its objects have other names now".to_owned())
        };
        match kept {
            Ok(()) => set_reference(&new, GOOD, good).map_err(broken(fresh)),
            Err(reason) => {
                log::warn!("the last good revision {good} cannot be kept: {reason}");
                Ok(())
            }
        }
    }

    /// Makes what was written survive a power loss.
    pub(super) fn sync(&self) -> Result<(), SourceError> {
        let directory = File::open(&self.directory).map_err(failed("open", &self.directory))?;
        rustix::fs::syncfs(&directory)
            .map_err(|error| failed("write", &self.directory)(error.into()))
    }
}

/// Makes the file `marker`; in vain where the store cannot be written, and then the next reader
/// says the same again.
pub(super) fn note_damage(marker: &Path) {
    if let Err(error) = OpenOptions::new().write(true).create(true).truncate(true).open(marker) {
        log::warn!("cannot make {}: {error}", marker.display());
    }
}

pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::Store { action, path, source }
}

fn broken(path: &Path) -> impl FnOnce(gix::Error) -> SourceError {
    let path = path.to_owned();
    move |error| SourceError::Repository { path, reason: error.to_string() }
}
