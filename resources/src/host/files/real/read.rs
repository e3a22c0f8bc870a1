//! Reading: only regular files are opened, and only after a look said that they are.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, SeekFrom};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::{RealFiles, file_type, look_at};
use crate::bucket::Bucket;
use crate::host::files::status::Inode;
use crate::host::files::{AbsolutePath, DirectoryEntry, FileError, FileType, Status};

const BUFFER: usize = 64 * 1024;
const SELINUX: &str = "security.selinux";

impl RealFiles {
    /// Opens the regular file at `path` that was seen as `seen`. Never blocks, never follows a
    /// link, never becomes our terminal, and notices when the path has come to mean another thing.
    pub(super) fn open_seen(
        &self,
        path: &AbsolutePath,
        seen: &Status,
        flags: OFlags,
    ) -> Result<OwnedFd, FileError> {
        if seen.kind != FileType::File {
            return Err(FileError::ChangedMeanwhile { path: path.clone() });
        }
        let directory = self.holding_directory(path)?;
        let (_, name) = path.split();
        let safe = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&directory, name, flags | safe, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::LOOP | Errno::NOENT | Errno::NXIO) => {
                return Err(FileError::ChangedMeanwhile { path: path.clone() });
            }
            Err(error) => {
                return Err(FileError::Read { path: path.clone(), source: error.into() });
            }
        };
        let stat = rustix::fs::fstat(&fd).map_err(|error| read(path, error))?;
        let unchanged = file_type(stat.st_mode) == FileType::File
            && Inode { device: stat.st_dev, number: stat.st_ino } == seen.identity;
        if unchanged { Ok(fd) } else { Err(FileError::ChangedMeanwhile { path: path.clone() }) }
    }

    pub(super) fn compare(
        &self,
        path: &AbsolutePath,
        seen: &Status,
        content: &[u8],
    ) -> Result<bool, FileError> {
        if seen.kind != FileType::File || seen.size != content.len() as u64 {
            return Ok(false);
        }
        if content.is_empty() {
            return Ok(true);
        }
        if self.memory.as_ref().is_some_and(|memory| memory.knows(seen, content)) {
            return Ok(true);
        }
        let fd = self.open_seen(path, seen, OFlags::RDONLY)?;
        let mut buffer = self.buffer.borrow_mut();
        buffer.resize(BUFFER, 0);
        let mut rest = content;
        loop {
            let read_now =
                rustix::io::read(&fd, buffer.as_mut_slice()).map_err(|error| read(path, error))?;
            let got = buffer.get(..read_now).unwrap_or_default();
            match rest.strip_prefix(got) {
                Some(left) if !got.is_empty() => rest = left,
                _ => return Ok(false),
            }
            // A short read of a regular file is its end.
            let ends = rest.is_empty()
                && (read_now < BUFFER
                    || rustix::io::read(&fd, buffer.as_mut_slice())
                        .map_err(|error| read(path, error))?
                        == 0);
            if ends {
                self.learn(seen, content, &fd);
                return Ok(true);
            }
            if rest.is_empty() {
                return Ok(false);
            }
        }
    }

    /// Remembers that the file holds `content`, if it is still what it was when it was looked at.
    fn learn(&self, seen: &Status, content: &[u8], fd: &OwnedFd) {
        let Some(memory) = &self.memory else { return };
        let now = look_at(fd, OsStr::new(""));
        if now.is_ok_and(|now| now.times == seen.times && now.size == seen.size) {
            memory.learn(seen, content, || Some(rustix::fs::fstatfs(fd).ok()?.f_type));
        }
    }

    pub(super) fn read_start(
        &self,
        path: &AbsolutePath,
        seen: &Status,
        limit: u64,
    ) -> Result<Vec<u8>, FileError> {
        let fd = self.open_seen(path, seen, OFlags::RDONLY)?;
        let wanted = usize::try_from(limit.min(seen.size)).unwrap_or(usize::MAX);
        let mut content = vec![0; wanted];
        let mut filled = 0;
        while let Some(space) = content.get_mut(filled..).filter(|space| !space.is_empty()) {
            match rustix::io::read(&fd, space).map_err(|error| read(path, error))? {
                0 => break,
                more => filled += more,
            }
        }
        content.truncate(filled);
        Ok(content)
    }

    pub(super) fn digest_of(
        &self,
        path: &AbsolutePath,
        seen: &Status,
    ) -> Result<String, FileError> {
        let fd = self.open_seen(path, seen, OFlags::RDONLY)?;
        let mut buffer = self.buffer.borrow_mut();
        buffer.resize(BUFFER, 0);
        let mut hash = Sha256::new();
        loop {
            let count =
                rustix::io::read(&fd, buffer.as_mut_slice()).map_err(|error| read(path, error))?;
            if count == 0 {
                break;
            }
            hash.update(buffer.get(..count).unwrap_or_default());
        }
        let mut text = String::with_capacity(64);
        for byte in hash.finalize() {
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }

    pub(super) fn read_link(&self, path: &AbsolutePath) -> Result<OsString, FileError> {
        let directory = self.holding_directory(path)?;
        let (_, name) = path.split();
        match rustix::fs::readlinkat(&directory, name, Vec::new()) {
            Ok(target) => Ok(OsString::from_vec(target.into_bytes())),
            Err(Errno::INVAL | Errno::NOENT) => {
                Err(FileError::ChangedMeanwhile { path: path.clone() })
            }
            Err(error) => Err(read(path, error)),
        }
    }

    /// The directory at `path` itself, opened for listing; a link is not followed.
    pub(super) fn open_listing(&self, path: &AbsolutePath) -> Result<OwnedFd, FileError> {
        let directory = self.holding_directory(path)?;
        let (_, name) = path.split();
        open_subdirectory(&directory, name).map_err(|error| list(path, error))
    }

    pub(super) fn entries(&self, path: &AbsolutePath) -> Result<Vec<DirectoryEntry>, FileError> {
        let fd = self.open_listing(path)?;
        directory_entries(&fd).map_err(|error| list(path, error))
    }

    pub(super) fn selinux_context(&self, path: &AbsolutePath) -> Result<Option<String>, FileError> {
        let directory = self.holding_directory(path)?;
        let (_, name) = path.split();
        let thing = rustix::fs::openat(
            &directory,
            name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|error| FileError::Look { path: path.clone(), source: error.into() })?;
        let mut value = vec![0; 4096];
        // Through /proc nothing is opened, and a link is not followed further.
        let got = rustix::fs::getxattr(proc_path(&thing), SELINUX, value.as_mut_slice());
        match got {
            Ok(length) => {
                value.truncate(length);
                let text = String::from_utf8_lossy(&value);
                Ok(Some(text.trim_end_matches('\0').to_owned()))
            }
            Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
            Err(error) => Err(FileError::SetAttribute {
                path: path.clone(),
                attribute: SELINUX.into(),
                source: error.into(),
            }),
        }
    }

    pub(super) fn keep_contents(
        &self,
        path: &AbsolutePath,
        bucket: &mut dyn Bucket,
    ) -> Result<Vec<(String, String)>, FileError> {
        let mut kept = Vec::new();
        let Some(top) = super::FileView::look(self, path)? else { return Ok(kept) };
        let mut waiting = vec![(path.clone(), top)];
        while let Some((path, status)) = waiting.pop() {
            match status.kind {
                FileType::File => {
                    let fd = self.open_seen(&path, &status, OFlags::RDONLY)?;
                    let digest = bucket.keep(path.as_path(), fd.as_fd())?;
                    kept.push((path.to_string(), digest));
                }
                FileType::Directory => {
                    for entry in self.entries(&path)?.into_iter().rev() {
                        let below = path.join(&entry.name);
                        // What is mounted below belongs to another tree and is not removed either.
                        match super::FileView::look(self, &below)? {
                            Some(status) if !status.mount_point => waiting.push((below, status)),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(kept)
    }
}

/// A path through which the kernel reaches exactly the thing that `fd` is open on, also a link
/// opened with `O_PATH | O_NOFOLLOW` (`proc_pid_fd(5)`).
pub(super) fn proc_path(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

pub(super) fn open_subdirectory(directory: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(
        directory,
        name,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// The entries of a directory opened for reading, sorted.
pub(super) fn directory_entries(fd: &OwnedFd) -> Result<Vec<DirectoryEntry>, Errno> {
    rustix::fs::seek(fd, SeekFrom::Start(0))?;
    let mut entries = Vec::new();
    for entry in Dir::read_from(fd)? {
        let entry = entry?;
        let bytes = entry.file_name().to_bytes();
        if bytes == b"." || bytes == b".." {
            continue;
        }
        let name = OsString::from_vec(bytes.to_vec());
        let kind = match entry.file_type() {
            rustix::fs::FileType::RegularFile => FileType::File,
            rustix::fs::FileType::Directory => FileType::Directory,
            rustix::fs::FileType::Symlink => FileType::Symlink,
            rustix::fs::FileType::Fifo => FileType::Fifo,
            rustix::fs::FileType::Socket => FileType::Socket,
            rustix::fs::FileType::CharacterDevice => FileType::CharacterDevice,
            rustix::fs::FileType::BlockDevice => FileType::BlockDevice,
            // Some file systems do not say; an entry gone meanwhile is none.
            rustix::fs::FileType::Unknown => match look_at(fd, &name) {
                Ok(status) => status.kind,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error),
            },
        };
        entries.push(DirectoryEntry { name, kind });
    }
    entries.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    Ok(entries)
}

/// Removes `name` from `directory`, as a directory or as anything else.
pub(super) fn unlink(directory: &OwnedFd, name: &OsStr, is_directory: bool) -> Result<(), Errno> {
    let flags = if is_directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    rustix::fs::unlinkat(directory, name, flags)
}

fn read(path: &AbsolutePath, error: Errno) -> FileError {
    FileError::Read { path: path.clone(), source: error.into() }
}

fn list(path: &AbsolutePath, error: Errno) -> FileError {
    FileError::List { path: path.clone(), source: error.into() }
}
