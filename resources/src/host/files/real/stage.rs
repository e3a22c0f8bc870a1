//! Candidates: written beside their target, made durable one by one or together, and put in place
//! by one rename.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode as RawMode, OFlags};
use rustix::io::Errno;

use super::attributes::{Attributes, describe, dress};
use super::read::{open_subdirectory, unlink};
use super::{FileView as _, RealFiles, look_at};
use crate::host::files::candidate::candidate_name;
use crate::host::files::status::{Inode, Mode};
use crate::host::files::{AbsolutePath, FileError, FileType, NewFile, Obstacle, Placement, Staged};

/// Up to so many files or directories are brought to the disk one by one (`fsync(2)`); more of
/// them, with everything else on their file system (`syncfs(2)`).
const ONE_BY_ONE: usize = 16;
/// What a new file has when nothing else is asked for.
const NEW_FILE: Mode = Mode::new(0o644);
/// Old content up to this size can be put back when writing in place fails half way.
const PUT_BACK_LIMIT: u64 = 64 << 20;

impl RealFiles {
    pub(super) fn write_candidate(
        &mut self,
        path: &AbsolutePath,
        file: &NewFile<'_>,
    ) -> Result<Staged, FileError> {
        let directory = self.holding_directory(path)?;
        let identity = self.sweep_once(&directory, path)?;
        let temporary = candidate_name();
        let flags = OFlags::WRONLY
            | OFlags::CREATE
            | OFlags::EXCL
            | OFlags::NOFOLLOW
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&directory, &temporary, flags, RawMode::RUSR | RawMode::WUSR)
            .map_err(|error| write(path, error))?;
        if let Err(error) = self.fill(path, &fd, file) {
            let _ = unlink(&directory, OsStr::new(&temporary), false);
            return Err(error);
        }
        Ok(Staged { target: path.clone(), temporary, directory: identity })
    }

    fn fill(&self, path: &AbsolutePath, fd: &OwnedFd, file: &NewFile<'_>) -> Result<(), FileError> {
        write_all(fd, file.content).map_err(|error| write(path, error))?;
        let found = if file.inherit { self.look(path)? } else { None };
        // The access rights that a stranger gave to a file of their own are not carried over.
        let old = match found.filter(|found| {
            found.kind == FileType::File && !self.is_strangers(found.uid, file.properties.owner)
        }) {
            Some(found) => Some(self.open_seen(path, &found, OFlags::RDONLY)?),
            None => None,
        };
        let mode = file.properties.mode.unwrap_or(NEW_FILE);
        let attributes = old.as_ref().map_or(Attributes::WithoutAccessList, Attributes::Of);
        dress(path, fd, attributes, &file.properties, mode)
    }

    pub(super) fn sync_candidates(&mut self, staged: &[&Staged]) -> Vec<Result<(), FileError>> {
        if staged.len() > ONE_BY_ONE && self.sync_file_systems(staged).is_ok() {
            return staged.iter().map(|_| Ok(())).collect();
        }
        // Together something went wrong: one by one tells with which.
        staged.iter().map(|staged| self.sync_candidate(staged)).collect()
    }

    fn sync_candidate(&self, staged: &Staged) -> Result<(), FileError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let directory = self.staging_directory(staged)?;
        let synced =
            match rustix::fs::openat(&directory, &staged.temporary, flags, RawMode::empty()) {
                Ok(fd) => rustix::fs::fsync(fd),
                // Nobody but root may open it with its final permissions; all of its file system
                // takes longer and does as well.
                Err(Errno::ACCESS) => {
                    open_subdirectory(&directory, OsStr::new(".")).and_then(rustix::fs::syncfs)
                }
                Err(error) => Err(error),
            };
        synced.map_err(|error| sync(staged.target.to_string(), error))
    }

    fn sync_file_systems(&self, staged: &[&Staged]) -> Result<(), FileError> {
        let mut devices: HashMap<u64, &Staged> = HashMap::new();
        for staged in staged {
            devices.entry(staged.directory.device).or_insert(staged);
        }
        for staged in devices.into_values() {
            let directory = self.staging_directory(staged)?;
            open_subdirectory(&directory, OsStr::new("."))
                .and_then(rustix::fs::syncfs)
                .map_err(|error| sync(staged.target.to_string(), error))?;
        }
        Ok(())
    }

    /// The directory a candidate lies in, if its path still leads there.
    fn staging_directory(&self, staged: &Staged) -> Result<std::sync::Arc<OwnedFd>, FileError> {
        let directory = self.holding_directory(&staged.target)?;
        let identity = inode_of(&directory).map_err(|error| write(&staged.target, error))?;
        if identity == staged.directory {
            Ok(directory)
        } else {
            Err(FileError::ChangedMeanwhile { path: staged.target.clone() })
        }
    }

    pub(super) fn commit_candidate(
        &mut self,
        staged: &Staged,
        over: Obstacle,
    ) -> Result<Placement, FileError> {
        let directory = self.staging_directory(staged)?;
        let temporary = OsStr::new(&staged.temporary);
        let installed = self.install(&staged.target, &directory, temporary, FileType::File, over);
        let outcome = match installed {
            Ok(()) => Ok(Placement::Atomic),
            Err(FileError::Replace { source, .. })
                if over == Obstacle::NonDirectory && needs_writing_in_place(&source) =>
            {
                self.write_in_place(staged, &directory).map(|()| Placement::InPlace)
            }
            Err(error) => Err(error),
        };
        if !matches!(outcome, Ok(Placement::Atomic)) {
            let _ = unlink(&directory, temporary, false);
        }
        outcome
    }

    pub(super) fn discard_candidate(&mut self, staged: &Staged) -> Result<(), FileError> {
        let directory = self.staging_directory(staged)?;
        match unlink(&directory, OsStr::new(&staged.temporary), false) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(FileError::Remove { path: staged.candidate(), source: error.into() }),
        }
    }

    /// Gives the file at the target the candidate's content and properties without changing which
    /// file it is: something is mounted there. The old content is put back when that fails.
    fn write_in_place(&mut self, staged: &Staged, directory: &OwnedFd) -> Result<(), FileError> {
        let path = &staged.target;
        let candidate_path = staged.candidate();
        let candidate = look_at(directory, OsStr::new(&staged.temporary))
            .map_err(|error| write(path, error))?;
        let content = self.read_start(&candidate_path, &candidate, u64::MAX)?;
        let target =
            self.look(path)?.ok_or_else(|| FileError::ChangedMeanwhile { path: path.clone() })?;
        let old = self.read_start(path, &target, PUT_BACK_LIMIT + 1)?;
        let fd = self.open_seen(path, &target, OFlags::WRONLY)?;
        if let Err(error) = overwrite(&fd, &content) {
            if target.size <= PUT_BACK_LIMIT
                && let Err(error) = overwrite(&fd, &old)
            {
                log::error!("cannot put the old content of {path} back: {error}");
            }
            return Err(write(path, error));
        }
        let attributes = if self.is_strangers(target.uid, Some(candidate.uid)) {
            Attributes::WithoutAccessList
        } else {
            Attributes::Own
        };
        dress(path, &fd, attributes, &describe(&candidate), candidate.mode)
    }

    pub(super) fn settle_names(&mut self) -> Result<(), FileError> {
        let unsettled = std::mem::take(&mut self.unsettled);
        let together = unsettled.len() > ONE_BY_ONE;
        let mut synced_devices: Vec<u64> = Vec::new();
        for (inode, path) in &unsettled {
            if together && synced_devices.contains(&inode.device) {
                continue;
            }
            // A directory that is gone needs nothing more.
            let Some(directory) = self.directory(path)? else { continue };
            let fd = match open_subdirectory(&directory, OsStr::new(".")) {
                Ok(fd) => fd,
                // Unreadable, and not ours to make readable: the next run sees what became of it.
                Err(Errno::ACCESS) => continue,
                Err(error) => return Err(sync(path.to_string_lossy().into_owned(), error)),
            };
            let synced = if together {
                synced_devices.push(inode.device);
                rustix::fs::syncfs(&fd)
            } else {
                rustix::fs::fsync(&fd)
            };
            match synced {
                // Some network and FUSE file systems cannot sync a directory.
                Ok(()) | Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                Err(error) => return Err(sync(path.to_string_lossy().into_owned(), error)),
            }
        }
        Ok(())
    }

    /// Remembers that a name in the directory of `path` has changed.
    pub(super) fn unsettle(&mut self, path: &AbsolutePath, directory: &OwnedFd) {
        if let Ok(inode) = inode_of(directory) {
            self.unsettled.entry(inode).or_insert_with(|| path.split().0.to_owned());
        }
    }
}

pub(super) fn inode_of(fd: &OwnedFd) -> Result<Inode, Errno> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(Inode { device: stat.st_dev, number: stat.st_ino })
}

fn needs_writing_in_place(error: &std::io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::BUSY | Errno::XDEV))
}

fn overwrite(fd: &OwnedFd, content: &[u8]) -> Result<(), Errno> {
    let mut offset = 0;
    let mut rest = content;
    while !rest.is_empty() {
        let written = rustix::io::pwrite(fd, rest, offset)?;
        offset += written as u64;
        rest = rest.get(written..).unwrap_or_default();
    }
    rustix::fs::ftruncate(fd, content.len() as u64)?;
    rustix::fs::fsync(fd)
}

fn write_all(fd: &OwnedFd, content: &[u8]) -> Result<(), Errno> {
    let mut rest = content;
    while !rest.is_empty() {
        match rustix::io::write(fd, rest) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn write(path: &AbsolutePath, error: Errno) -> FileError {
    FileError::Write { path: path.clone(), source: error.into() }
}

fn sync(path: String, error: Errno) -> FileError {
    FileError::Sync { path, source: error.into() }
}
