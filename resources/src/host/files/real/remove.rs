//! Removing: by directory descriptors, following nothing, never across a mount point.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::read::{directory_entries, open_subdirectory, unlink};
use super::stage::inode_of;
use super::{RealFiles, look_at};
use crate::host::files::candidate::is_candidate_name;
use crate::host::files::status::Inode;
use crate::host::files::{AbsolutePath, FileError, FileType, Obstacle};

/// How deep a tree that is removed may be; each level holds a descriptor.
const DEPTH_LIMIT: usize = 300;

impl RealFiles {
    pub(super) fn remove_path(
        &mut self,
        path: &AbsolutePath,
        over: Obstacle,
    ) -> Result<(), FileError> {
        let (parent, name) = path.split();
        if path.is_root() {
            return Err(remove(path, Errno::BUSY));
        }
        let Some(directory) = self.directory(parent)? else { return Ok(()) };
        let status = match look_at(&directory, name) {
            Ok(status) => status,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(remove(path, error)),
        };
        if status.mount_point {
            return Err(FileError::MountPoint { path: path.clone() });
        }
        if over == Obstacle::FullDirectory && status.kind == FileType::Directory {
            refuse_mounts(path, &directory, name)?;
        }
        self.forget_directories();
        remove_name(path, &directory, name, over)?;
        self.unsettle(path, &directory);
        Ok(())
    }

    /// On the first change in a directory, removes what a crash of an earlier run left there.
    /// Returns which directory that is.
    pub(super) fn sweep_once(
        &mut self,
        directory: &OwnedFd,
        path: &AbsolutePath,
    ) -> Result<Inode, FileError> {
        let inode = inode_of(directory)
            .map_err(|error| FileError::Look { path: path.clone(), source: error.into() })?;
        if self.swept.insert(inode) {
            let parent = path.parent().unwrap_or_else(AbsolutePath::root);
            // What cannot be listed or removed now does not stand in the way of the change.
            if let Err(error) = sweep_directory(&parent, directory) {
                log::warn!("cannot look for leftovers of an earlier run: {error}");
            }
        }
        Ok(inode)
    }

    pub(super) fn sweep_directories(
        &mut self,
        directories: &[AbsolutePath],
    ) -> Result<Vec<AbsolutePath>, FileError> {
        let mut gone = Vec::new();
        for path in directories {
            // A planted link in the way of a managed directory is that resource's failure, not
            // that of the sweep.
            let Ok(Some(directory)) = self.directory(path.as_path().as_os_str()) else { continue };
            let inode = inode_of(&directory)
                .map_err(|error| FileError::Look { path: path.clone(), source: error.into() })?;
            if !self.swept.insert(inode) {
                continue;
            }
            let removed = sweep_directory(path, &directory)?;
            if !removed.is_empty() {
                self.unsettle(&path.join("."), &directory);
            }
            gone.extend(removed);
        }
        self.settle_names()?;
        Ok(gone)
    }
}

/// Removes `name` from `directory`, if it is what `over` says. `path` is for errors.
pub(super) fn remove_name(
    path: &AbsolutePath,
    directory: &OwnedFd,
    name: &OsStr,
    over: Obstacle,
) -> Result<(), FileError> {
    let removed = match over {
        Obstacle::Nothing => Ok(()),
        Obstacle::NonDirectory => unlink(directory, name, false),
        Obstacle::EmptyDirectory => unlink(directory, name, true),
        Obstacle::FullDirectory => match open_subdirectory(directory, name) {
            Ok(fd) => {
                let top = inode_of(&fd).map_err(|error| remove(path, error))?;
                empty(path, &fd, top, 0)?;
                unlink(directory, name, true)
            }
            Err(error) => Err(error),
        },
    };
    match removed {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR | Errno::NOTDIR | Errno::LOOP) => {
            Err(FileError::ChangedMeanwhile { path: path.clone() })
        }
        Err(error) => Err(remove(path, error)),
    }
}

/// Fails when something is mounted below the directory `name`.
pub(super) fn refuse_mounts(
    path: &AbsolutePath,
    directory: &OwnedFd,
    name: &OsStr,
) -> Result<(), FileError> {
    let fd = open_subdirectory(directory, name).map_err(|error| remove(path, error))?;
    let top = inode_of(&fd).map_err(|error| remove(path, error))?;
    search_mounts(path, &fd, top, 0)
}

fn sweep_directory(
    path: &AbsolutePath,
    directory: &OwnedFd,
) -> Result<Vec<AbsolutePath>, FileError> {
    let list = |error: Errno| FileError::List { path: path.clone(), source: error.into() };
    let fd = open_subdirectory(directory, OsStr::new(".")).map_err(list)?;
    let mut gone = Vec::new();
    for entry in directory_entries(&fd).map_err(list)? {
        if !is_candidate_name(&entry.name) {
            continue;
        }
        let leftover = path.join(&entry.name);
        let over = match entry.kind {
            FileType::Directory => {
                refuse_mounts(&leftover, &fd, &entry.name)?;
                Obstacle::FullDirectory
            }
            _ => Obstacle::NonDirectory,
        };
        remove_name(&leftover, &fd, &entry.name, over)?;
        log::info!("removed {leftover}, left behind by a run that was interrupted");
        gone.push(leftover);
    }
    Ok(gone)
}

fn search_mounts(
    path: &AbsolutePath,
    fd: &OwnedFd,
    top: Inode,
    depth: usize,
) -> Result<(), FileError> {
    refuse_depth(path, depth)?;
    for entry in directory_entries(fd).map_err(|error| remove(path, error))? {
        let below = path.join(&entry.name);
        let status = match look_at(fd, &entry.name) {
            Ok(status) => status,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(remove(&below, error)),
        };
        if status.mount_point {
            return Err(FileError::MountPoint { path: below });
        }
        if status.kind == FileType::Directory {
            let inner =
                open_subdirectory(fd, &entry.name).map_err(|error| remove(&below, error))?;
            refuse_other_device(&below, &inner, top)?;
            search_mounts(&below, &inner, top, depth + 1)?;
        }
    }
    Ok(())
}

/// Removes everything in the directory that `fd` is open on.
fn empty(path: &AbsolutePath, fd: &OwnedFd, top: Inode, depth: usize) -> Result<(), FileError> {
    refuse_depth(path, depth)?;
    for entry in directory_entries(fd).map_err(|error| remove(path, error))? {
        let below = path.join(&entry.name);
        let is_directory = entry.kind == FileType::Directory;
        if is_directory {
            let inner =
                open_subdirectory(fd, &entry.name).map_err(|error| remove(&below, error))?;
            refuse_other_device(&below, &inner, top)?;
            empty(&below, &inner, top, depth + 1)?;
        }
        match unlink(fd, &entry.name, is_directory) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(remove(&below, error)),
        }
    }
    Ok(())
}

fn refuse_depth(path: &AbsolutePath, depth: usize) -> Result<(), FileError> {
    if depth < DEPTH_LIMIT { Ok(()) } else { Err(remove(path, Errno::NAMETOOLONG)) }
}

fn refuse_other_device(path: &AbsolutePath, fd: &OwnedFd, top: Inode) -> Result<(), FileError> {
    let inode = inode_of(fd).map_err(|error| remove(path, error))?;
    if inode.device == top.device {
        Ok(())
    } else {
        Err(FileError::MountPoint { path: path.clone() })
    }
}

fn remove(path: &AbsolutePath, error: Errno) -> FileError {
    FileError::Remove { path: path.clone(), source: error.into() }
}
