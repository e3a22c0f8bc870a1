//! The machine's own files, through directory file descriptors.

mod attributes;
mod create;
mod read;
mod remove;
mod resolve;
mod stage;

#[cfg(test)]
mod tests;

pub(in crate::host) use resolve::Way;

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rustix::fs::{AtFlags, Statx, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use super::error::FileError;
use super::memory::ContentMemory;
use super::path::AbsolutePath;
use super::status::{DirectoryEntry, FileType, Inode, Mode, Status, Times};
use super::{FileChanges, FileView, NewFile, Obstacle, Placement, Properties, Staged};
use crate::bucket::Bucket;
use crate::host::HostOptions;

/// A directory opened with `O_PATH`, and when.
type Remembered = (Arc<OwnedFd>, Instant);

/// The machine's own files.
pub struct RealFiles {
    root_path: PathBuf,
    root: OnceCell<Arc<OwnedFd>>,
    /// Directories opened within the last second, by path. Cleared when a directory or link is
    /// changed through this port.
    directories: RefCell<HashMap<Box<OsStr>, Remembered>>,
    /// What files are compared in.
    buffer: RefCell<Vec<u8>>,
    /// What was seen in earlier runs of this process.
    memory: Option<Arc<ContentMemory>>,
    /// The user whose links are followed besides root's: ourselves.
    own_uid: u32,
    /// Directories with changed names that are not yet durable.
    unsettled: HashMap<Inode, OsString>,
    /// Directories already searched for what an earlier run left behind.
    swept: HashSet<Inode>,
}

impl RealFiles {
    /// Opens nothing yet.
    pub fn new(options: &HostOptions) -> Self {
        Self {
            root_path: options.root.clone(),
            root: OnceCell::new(),
            directories: RefCell::new(HashMap::new()),
            buffer: RefCell::new(Vec::new()),
            memory: options.memory.clone(),
            own_uid: rustix::process::geteuid().as_raw(),
            unsettled: HashMap::new(),
            swept: HashSet::new(),
        }
    }
}

/// The type that `mode` (`st_mode`) names; an unknown one counts as a device, which is never opened.
fn file_type(mode: u32) -> FileType {
    use rustix::fs::FileType as Raw;
    match Raw::from_raw_mode(mode) {
        Raw::RegularFile => FileType::File,
        Raw::Directory => FileType::Directory,
        Raw::Symlink => FileType::Symlink,
        Raw::Fifo => FileType::Fifo,
        Raw::Socket => FileType::Socket,
        Raw::BlockDevice => FileType::BlockDevice,
        _ => FileType::CharacterDevice,
    }
}

fn permission_bits(mode: u32) -> Mode {
    Mode::new((mode & 0o7777) as u16)
}

fn status_of(raw: &Statx) -> Status {
    Status {
        kind: file_type(u32::from(raw.stx_mode)),
        mode: permission_bits(u32::from(raw.stx_mode)),
        uid: raw.stx_uid,
        gid: raw.stx_gid,
        size: raw.stx_size,
        links: raw.stx_nlink,
        mount_point: raw.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
        identity: Inode {
            device: rustix::fs::makedev(raw.stx_dev_major, raw.stx_dev_minor),
            number: raw.stx_ino,
        },
        times: Times {
            modified: (raw.stx_mtime.tv_sec, raw.stx_mtime.tv_nsec),
            changed: (raw.stx_ctime.tv_sec, raw.stx_ctime.tv_nsec),
        },
    }
}

/// What `name` in `directory` is, without opening it; an empty name means `directory` itself.
fn look_at(directory: &OwnedFd, name: &OsStr) -> Result<Status, Errno> {
    let empty = if name.is_empty() { AtFlags::EMPTY_PATH } else { AtFlags::empty() };
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | empty;
    rustix::fs::statx(directory, name, flags, StatxFlags::BASIC_STATS).map(|raw| status_of(&raw))
}

impl FileView for RealFiles {
    fn look(&self, path: &AbsolutePath) -> Result<Option<Status>, FileError> {
        let (parent, name) = path.split();
        let Some(directory) = self.directory(parent)? else { return Ok(None) };
        match look_at(&directory, name) {
            Ok(status) => Ok(Some(status)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(FileError::Look { path: path.clone(), source: error.into() }),
        }
    }

    fn is_directory(&self, path: &AbsolutePath) -> Result<bool, FileError> {
        Ok(self.directory(path.as_path().as_os_str())?.is_some())
    }

    fn holds(
        &self,
        path: &AbsolutePath,
        status: &Status,
        content: &[u8],
    ) -> Result<bool, FileError> {
        self.compare(path, status, content)
    }

    fn read(&self, path: &AbsolutePath, status: &Status, limit: u64) -> Result<Vec<u8>, FileError> {
        self.read_start(path, status, limit)
    }

    fn digest(&self, path: &AbsolutePath, status: &Status) -> Result<String, FileError> {
        self.digest_of(path, status)
    }

    fn link_target(&self, path: &AbsolutePath) -> Result<OsString, FileError> {
        self.read_link(path)
    }

    fn list(&self, path: &AbsolutePath) -> Result<Vec<DirectoryEntry>, FileError> {
        self.entries(path)
    }

    fn selinux(&self, path: &AbsolutePath) -> Result<Option<String>, FileError> {
        self.selinux_context(path)
    }

    fn has_access_list(&self, path: &AbsolutePath) -> Result<bool, FileError> {
        RealFiles::has_access_list(self, path)
    }

    fn keep(
        &self,
        path: &AbsolutePath,
        bucket: &mut dyn Bucket,
    ) -> Result<Vec<(String, String)>, FileError> {
        self.keep_contents(path, bucket)
    }
}

impl FileChanges for RealFiles {
    fn stage(&mut self, path: &AbsolutePath, file: &NewFile<'_>) -> Result<Staged, FileError> {
        self.write_candidate(path, file)
    }

    fn sync(&mut self, staged: &[&Staged]) -> Vec<Result<(), FileError>> {
        self.sync_candidates(staged)
    }

    fn commit(&mut self, staged: Staged, over: Obstacle) -> Result<Placement, FileError> {
        self.commit_candidate(&staged, over)
    }

    fn discard(&mut self, staged: Staged) -> Result<(), FileError> {
        self.discard_candidate(&staged)
    }

    fn make_directory(
        &mut self,
        path: &AbsolutePath,
        properties: &Properties<'_>,
        over: Obstacle,
    ) -> Result<(), FileError> {
        self.create_directory(path, properties, over)
    }

    fn make_link(
        &mut self,
        path: &AbsolutePath,
        target: &OsStr,
        properties: &Properties<'_>,
        over: Obstacle,
    ) -> Result<(), FileError> {
        self.create_link(path, target, properties, over)
    }

    fn adjust(
        &mut self,
        path: &AbsolutePath,
        seen: &Status,
        properties: &Properties<'_>,
    ) -> Result<(), FileError> {
        self.adjust_in_place(path, seen, properties)
    }

    fn remove(&mut self, path: &AbsolutePath, over: Obstacle) -> Result<(), FileError> {
        self.remove_path(path, over)
    }

    fn settle(&mut self) -> Result<(), FileError> {
        self.settle_names()
    }

    fn sweep(&mut self, directories: &[AbsolutePath]) -> Result<Vec<AbsolutePath>, FileError> {
        self.sweep_directories(directories)
    }
}
