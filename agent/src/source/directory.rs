//! A plain directory as a policy repository: what an author is working on.
//!
//! What must stay true: the same names and types are refused as in a revision, so that what works
//! here works after the commit; no link is followed below the directory, also not one that appears
//! while files are read; FIFOs and devices are never opened.

use std::ffi::CStr;
use std::fs::File as OpenFile;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use steadfast_policies::{Repository, RepositoryError};

use super::error::SourceError;
use super::names::{self, MAX_DEPTH, MAX_REFUSALS, Refusal, RefusalReason};
use super::revision::repository_error;
use super::settings::Limits;

/// The files below a directory.
pub struct WorkingDirectory {
    root: PathBuf,
    descriptor: OwnedFd,
    files: Vec<Entry>,
    limits: Limits,
}

/// A file of a working directory, as it was when the directory was opened.
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) executable: bool,
    pub(super) modified: (i64, u32),
}

impl WorkingDirectory {
    /// Lists the files below `root`.
    pub fn open(root: &Path, limits: &Limits) -> Result<Self, SourceError> {
        let failed =
            |source: std::io::Error| SourceError::ReadDirectory { path: root.to_owned(), source };
        let absolute = root.canonicalize().map_err(failed)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(&absolute, flags, Mode::empty())
            .map_err(|error| failed(error.into()))?;
        let mut walk = Walk {
            root: &absolute,
            limits,
            files: Vec::new(),
            refusals: Vec::new(),
            entries: 0,
            total: 0,
            over: false,
        };
        walk.directory(descriptor.as_fd(), "", 0)?;
        let Walk { mut files, refusals, .. } = walk;
        if !refusals.is_empty() {
            return Err(SourceError::Refused(refusals));
        }
        files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        Ok(Self { root: absolute, descriptor, files, limits: *limits })
    }

    /// The directory, absolute and without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many files there are.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    pub(super) fn files(&self) -> &[Entry] {
        &self.files
    }

    fn find(&self, path: &str) -> Option<&Entry> {
        let found = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(found)
    }

    pub(super) fn content(&self, entry: &Entry) -> Result<Vec<u8>, SourceError> {
        let failed = |source: std::io::Error| SourceError::ReadDirectory {
            path: self.root.join(&entry.path),
            source,
        };
        let descriptor = open_beneath(self.descriptor.as_fd(), &entry.path)
            .map_err(|error| failed(error.into()))?;
        let status = rustix::fs::fstat(&descriptor).map_err(|error| failed(error.into()))?;
        if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
            let refusal = Refusal::new(&entry.path, RefusalReason::SpecialFile);
            return Err(SourceError::Refused(vec![refusal]));
        }
        let limit = self.limits.max_blob_bytes;
        let mut content = Vec::new();
        let expected = u64::try_from(status.st_size).unwrap_or_default().min(limit);
        // One more than expected, so that the end is seen without growing.
        content.reserve_exact(usize::try_from(expected).unwrap_or_default().saturating_add(1));
        OpenFile::from(descriptor)
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(failed)?;
        let size = content.len() as u64;
        if size > limit {
            let reason = RefusalReason::TooLarge { size, limit };
            return Err(SourceError::Refused(vec![Refusal::new(&entry.path, reason)]));
        }
        Ok(content)
    }
}

impl Repository for WorkingDirectory {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(self.files.iter().map(|file| file.path.clone()).collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        let Some(entry) = self.find(path) else { return Ok(None) };
        self.content(entry).map(Some).map_err(|error| repository_error(path, &error))
    }

    fn executable(&self, path: &str) -> Result<bool, RepositoryError> {
        Ok(self.find(path).is_some_and(|entry| entry.executable))
    }
}

const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// Opens a file below `root` without following any link.
fn open_beneath(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, path, READ, Mode::empty(), how) {
        Err(Errno::NOSYS | Errno::PERM) => {}
        opened => return opened,
    }
    // Linux before 5.6, or a sandbox that forbids openat2: step by step.
    let mut directory: Option<OwnedFd> = None;
    let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
    for component in parents.split('/').filter(|component| !component.is_empty()) {
        let from = directory.as_ref().map_or(root, AsFd::as_fd);
        directory = Some(open_directory(from, component)?);
    }
    let from = directory.as_ref().map_or(root, AsFd::as_fd);
    rustix::fs::openat(from, name, READ, Mode::empty())
}

fn open_directory<P: rustix::path::Arg>(from: BorrowedFd<'_>, name: P) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::fs::openat(from, name, flags, Mode::empty())
}

/// The collection of a directory's files.
struct Walk<'a> {
    root: &'a Path,
    limits: &'a Limits,
    files: Vec<Entry>,
    refusals: Vec<Refusal>,
    entries: u32,
    total: u64,
    over: bool,
}

impl Walk<'_> {
    fn refuse(&mut self, path: &str, reason: RefusalReason) {
        self.refusals.push(Refusal::new(path, reason));
        self.over |= self.refusals.len() >= MAX_REFUSALS;
    }

    fn failed(&self, path: &str, error: Errno) -> SourceError {
        SourceError::ReadDirectory { path: self.root.join(path), source: error.into() }
    }

    fn directory(
        &mut self,
        descriptor: BorrowedFd<'_>,
        prefix: &str,
        depth: usize,
    ) -> Result<(), SourceError> {
        if depth > MAX_DEPTH {
            self.refuse(prefix, RefusalReason::Depth);
            return Ok(());
        }
        let entries = Dir::read_from(descriptor).map_err(|error| self.failed(prefix, error))?;
        for entry in entries {
            if self.over {
                return Ok(());
            }
            let entry = entry.map_err(|error| self.failed(prefix, error))?;
            let name = entry.file_name();
            let own_git = prefix.is_empty() && name == c".git";
            if !own_git && name != c"." && name != c".." {
                self.entry(descriptor, name, prefix, depth)?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &CStr,
        prefix: &str,
        depth: usize,
    ) -> Result<(), SourceError> {
        let shown = name.to_string_lossy();
        let path = if prefix.is_empty() { shown.into_owned() } else { format!("{prefix}/{shown}") };
        self.entries += 1;
        if self.entries > self.limits.max_files {
            self.refuse(&path, RefusalReason::TooMany { limit: self.limits.max_files });
            self.over = true;
            return Ok(());
        }
        if let Err(reason) = names::check_component(name.to_bytes()) {
            self.refuse(&path, reason);
            return Ok(());
        }
        let status = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| self.failed(&path, error))?;
        match FileType::from_raw_mode(status.st_mode) {
            FileType::Directory => {
                let below =
                    open_directory(directory, name).map_err(|error| self.failed(&path, error))?;
                self.directory(below.as_fd(), &path, depth + 1)?;
            }
            FileType::Symlink => self.refuse(&path, RefusalReason::SymbolicLink),
            FileType::RegularFile => self.file(path, &status),
            _ => self.refuse(&path, RefusalReason::SpecialFile),
        }
        Ok(())
    }

    fn file(&mut self, path: String, status: &rustix::fs::Stat) {
        let size = u64::try_from(status.st_size).unwrap_or_default();
        if size > self.limits.max_blob_bytes {
            let limit = self.limits.max_blob_bytes;
            self.refuse(&path, RefusalReason::TooLarge { size, limit });
            return;
        }
        self.total = self.total.saturating_add(size);
        if self.total > self.limits.max_total_bytes {
            let limit = self.limits.max_total_bytes;
            self.refuse(&path, RefusalReason::TotalTooLarge { limit });
            self.over = true;
            return;
        }
        let executable = status.st_mode & 0o100 != 0;
        let nanoseconds = u32::try_from(status.st_mtime_nsec).unwrap_or_default();
        self.files.push(Entry { path, size, executable, modified: (status.st_mtime, nanoseconds) });
    }
}
