//! Files in memory: a tree with types, permissions, owners, contents, links and extended
//! attributes, that follows the same rules as the real port. Every changing operation can be made
//! to fail before it changes anything.
//!
//! Absent: mount points, devices with contents, access checks (the fake machine is changed by root).

mod changes;
mod tree;

use std::ffi::OsString;
use std::io;

use rustix::io::Errno;
use sha2::{Digest, Sha256};

pub use tree::{FakeFiles, FakeNode, FakeNodeKind};

use super::path::AbsolutePath;
use super::status::{DirectoryEntry, FileType, Status};
use super::{FileError, FileView};
use crate::bucket::Bucket;

const ACCESS_ACL: &str = "system.posix_acl_access";
const SELINUX: &str = "security.selinux";

impl FakeFiles {
    fn seen(&self, path: &AbsolutePath, status: &Status) -> Result<&[u8], FileError> {
        let changed = || FileError::ChangedMeanwhile { path: path.clone() };
        let place = self.place(path)?.ok_or_else(changed)?;
        match self.node(&place) {
            Some(FakeNode { kind: FakeNodeKind::File(content), inode, .. })
                if *inode == status.identity.number =>
            {
                Ok(content)
            }
            _ => Err(changed()),
        }
    }
}

impl FileView for FakeFiles {
    fn look(&self, path: &AbsolutePath) -> Result<Option<Status>, FileError> {
        Ok(self.place(path)?.and_then(|place| self.node(&place)).map(FakeNode::status))
    }

    fn is_directory(&self, path: &AbsolutePath) -> Result<bool, FileError> {
        Ok(self.directory(path)?.is_some())
    }

    fn holds(
        &self,
        path: &AbsolutePath,
        status: &Status,
        content: &[u8],
    ) -> Result<bool, FileError> {
        if status.kind != FileType::File {
            return Ok(false);
        }
        Ok(self.seen(path, status)? == content)
    }

    fn read(&self, path: &AbsolutePath, status: &Status, limit: u64) -> Result<Vec<u8>, FileError> {
        let content = self.seen(path, status)?;
        let end = content.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(content.get(..end).unwrap_or_default().to_vec())
    }

    fn digest(&self, path: &AbsolutePath, status: &Status) -> Result<String, FileError> {
        use std::fmt::Write as _;
        let mut text = String::new();
        for byte in Sha256::digest(self.seen(path, status)?) {
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }

    fn link_target(&self, path: &AbsolutePath) -> Result<OsString, FileError> {
        match self.place(path)?.and_then(|place| self.node(&place)).map(|node| &node.kind) {
            Some(FakeNodeKind::Symlink(target)) => Ok(target.clone()),
            _ => Err(FileError::ChangedMeanwhile { path: path.clone() }),
        }
    }

    fn list(&self, path: &AbsolutePath) -> Result<Vec<DirectoryEntry>, FileError> {
        let place = self.place(path)?.filter(|place| {
            self.node(place).is_some_and(|node| node.file_type() == FileType::Directory)
        });
        let Some(place) = place else {
            let source = io::Error::from(Errno::NOTDIR);
            return Err(FileError::List { path: path.clone(), source });
        };
        Ok(self.children(&place))
    }

    fn selinux(&self, path: &AbsolutePath) -> Result<Option<String>, FileError> {
        Ok(self
            .place(path)?
            .and_then(|place| self.node(&place))
            .and_then(|node| node.attributes.get(SELINUX))
            .map(|value| String::from_utf8_lossy(value).into_owned()))
    }

    fn has_access_list(&self, path: &AbsolutePath) -> Result<bool, FileError> {
        let node = self.place(path)?.and_then(|place| self.node(&place));
        Ok(node.is_some_and(|node| node.attributes.contains_key(ACCESS_ACL)))
    }

    fn keep(
        &self,
        path: &AbsolutePath,
        bucket: &mut dyn Bucket,
    ) -> Result<Vec<(String, String)>, FileError> {
        let Some(place) = self.place(path)? else { return Ok(Vec::new()) };
        let mut kept = Vec::new();
        for (path, node) in self.subtree(&place) {
            if let FakeNodeKind::File(content) = &node.kind {
                let file = content_descriptor(content)
                    .map_err(|source| FileError::Read { path: path.clone(), source })?;
                let digest = bucket.keep(path.as_path(), std::os::fd::AsFd::as_fd(&file))?;
                kept.push((path.to_string(), digest));
            }
        }
        Ok(kept)
    }
}

/// A descriptor that reads as `content`, for a bucket to read from.
fn content_descriptor(content: &[u8]) -> io::Result<std::os::fd::OwnedFd> {
    let fd = rustix::fs::memfd_create("fake", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut offset = 0;
    while let Some(rest) = content.get(offset..).filter(|rest| !rest.is_empty()) {
        offset += rustix::io::write(&fd, rest)?;
    }
    rustix::fs::seek(&fd, rustix::fs::SeekFrom::Start(0))?;
    Ok(fd)
}
