//! Putting a candidate of any type in place, and candidates that are directories or links.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode as RawMode, RenameFlags};
use rustix::io::Errno;

use super::attributes::{Attributes, dress, dress_link};
use super::read::{open_subdirectory, unlink};
use super::remove::{refuse_mounts, remove_name};
use super::{RealFiles, look_at};
use crate::host::files::candidate::candidate_name;
use crate::host::files::status::Mode;
use crate::host::files::{AbsolutePath, FileError, FileType, Obstacle, Properties};

/// What a new directory has when nothing else is asked for.
const NEW_DIRECTORY: Mode = Mode::new(0o755);

impl RealFiles {
    pub(super) fn create_directory(
        &mut self,
        path: &AbsolutePath,
        properties: &Properties<'_>,
        over: Obstacle,
    ) -> Result<(), FileError> {
        let kind = FileType::Directory;
        let directory = self.holding_directory(path)?;
        self.sweep_once(&directory, path)?;
        let temporary = candidate_name();
        let temporary = OsStr::new(&temporary);
        rustix::fs::mkdirat(&directory, temporary, RawMode::RWXU)
            .map_err(|error| create(path, kind, error))?;
        let made = self
            .dress_directory(path, &directory, temporary, properties)
            .and_then(|()| self.install(path, &directory, temporary, kind, over));
        if made.is_err() {
            let _ = unlink(&directory, temporary, true);
        }
        made
    }

    fn dress_directory(
        &self,
        path: &AbsolutePath,
        directory: &OwnedFd,
        temporary: &OsStr,
        properties: &Properties<'_>,
    ) -> Result<(), FileError> {
        let fd = open_subdirectory(directory, temporary)
            .map_err(|error| create(path, FileType::Directory, error))?;
        // In a directory that a user can write, the user may have put another directory under our
        // name: it would not be ours, or not as closed as ours is.
        let stat =
            rustix::fs::fstat(&fd).map_err(|error| create(path, FileType::Directory, error))?;
        if stat.st_uid != self.own_uid || stat.st_mode & 0o077 != 0 {
            return Err(FileError::ChangedMeanwhile { path: path.clone() });
        }
        // A directory made in a set-group-ID directory inherits that bit (`mkdir(2)`); without a
        // declared mode it stays.
        let inherited = u16::try_from(stat.st_mode & 0o2000).unwrap_or(0);
        let mode = properties.mode.unwrap_or(Mode::new(NEW_DIRECTORY.bits() | inherited));
        // Whoever else may change the directory may have set what it gives to those made in it.
        let owner = properties.owner.unwrap_or(self.own_uid);
        let trusted = self
            .names_made_only_by(directory, owner)
            .map_err(|error| create(path, FileType::Directory, error))?;
        let attributes = if trusted { Attributes::Own } else { Attributes::WithoutAccessList };
        dress(path, &fd, attributes, properties, mode)
    }

    pub(super) fn create_link(
        &mut self,
        path: &AbsolutePath,
        target: &OsStr,
        properties: &Properties<'_>,
        over: Obstacle,
    ) -> Result<(), FileError> {
        let kind = FileType::Symlink;
        let directory = self.holding_directory(path)?;
        self.sweep_once(&directory, path)?;
        let temporary = candidate_name();
        let temporary = OsStr::new(&temporary);
        rustix::fs::symlinkat(target, &directory, temporary)
            .map_err(|error| create(path, kind, error))?;
        let made = dress_link(path, &directory, temporary, properties)
            .and_then(|()| self.install(path, &directory, temporary, kind, over));
        if made.is_err() {
            let _ = unlink(&directory, temporary, false);
        }
        made
    }

    /// Puts `temporary` in `directory` in the place of what is at `path`, in one moment. What was
    /// there is gone afterwards; if it is not what `over` says, or cannot be removed, it stays (a
    /// directory without what could be removed) and this fails.
    pub(super) fn install(
        &mut self,
        path: &AbsolutePath,
        directory: &OwnedFd,
        temporary: &OsStr,
        kind: FileType,
        over: Obstacle,
    ) -> Result<(), FileError> {
        let (_, name) = path.split();
        let is_directory = kind == FileType::Directory;
        let replace =
            |error: Errno| FileError::Replace { path: path.clone(), kind, source: error.into() };
        match over {
            Obstacle::Nothing => {
                let flags = RenameFlags::NOREPLACE;
                match rustix::fs::renameat_with(directory, temporary, directory, name, flags) {
                    Err(Errno::EXIST) => {
                        return Err(FileError::ChangedMeanwhile { path: path.clone() });
                    }
                    // The file system does not know the flag.
                    Err(Errno::INVAL | Errno::NOSYS) => {
                        rustix::fs::renameat(directory, temporary, directory, name)
                    }
                    other => other,
                }
                .map_err(replace)?;
            }
            Obstacle::NonDirectory if !is_directory => {
                rustix::fs::renameat(directory, temporary, directory, name).map_err(replace)?;
            }
            _ => {
                if let Err(error) = swap(path, directory, temporary, kind, over) {
                    // Names may have changed and changed back.
                    self.forget_directories();
                    self.unsettle(path, directory);
                    return Err(error);
                }
            }
        }
        if kind != FileType::File || over != Obstacle::Nothing {
            self.forget_directories();
        }
        self.unsettle(path, directory);
        Ok(())
    }
}

/// As [`RealFiles::install`], where a directory is involved: rename cannot put one over another
/// thing, so the two change places, and the old one is removed under our name.
fn swap(
    path: &AbsolutePath,
    directory: &OwnedFd,
    temporary: &OsStr,
    kind: FileType,
    over: Obstacle,
) -> Result<(), FileError> {
    let (_, name) = path.split();
    let replace =
        |error: Errno| FileError::Replace { path: path.clone(), kind, source: error.into() };
    let old = look_at(directory, name).map_err(replace)?;
    let was_directory = old.kind == FileType::Directory;
    if was_directory != (over != Obstacle::NonDirectory) {
        return Err(FileError::ChangedMeanwhile { path: path.clone() });
    }
    if over == Obstacle::FullDirectory {
        refuse_mounts(path, directory, name)?;
    }
    let flags = RenameFlags::EXCHANGE;
    let exchange = || rustix::fs::renameat_with(directory, temporary, directory, name, flags);
    match exchange() {
        Ok(()) => {}
        Err(Errno::BUSY) => return Err(FileError::MountPoint { path: path.clone() }),
        // The file system cannot exchange, or not this directory (a lower layer's, in an
        // overlay): there is a moment with nothing at the path.
        Err(Errno::INVAL | Errno::NOSYS | Errno::XDEV) => {
            remove_name(path, directory, name, over)?;
            return rustix::fs::renameat(directory, temporary, directory, name).map_err(replace);
        }
        Err(error) => return Err(replace(error)),
    }
    let gone = remove_name(path, directory, temporary, over);
    let Err(error) = gone else { return Ok(()) };
    // Not what was expected to be there, or not removable: it gets its place back.
    exchange().map_err(|source| FileError::Remove {
        path: path.parent().unwrap_or_else(AbsolutePath::root).join(temporary),
        source: std::io::Error::new(
            std::io::Error::from(source).kind(),
            format!(
                "{error}; what was at {path} is left here, for it cannot be put back: {source}"
            ),
        ),
    })?;
    Err(error)
}

fn create(path: &AbsolutePath, kind: FileType, error: Errno) -> FileError {
    FileError::Create { path: path.clone(), kind, source: error.into() }
}
