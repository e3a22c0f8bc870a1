//! The files port: looking at files and changing them, safely and durably.
//!
//! What must stay true, on the real machine:
//! - nothing outside the managed root directory is reached; links are read as seen from inside it;
//! - a symbolic link is followed only where root alone can have planted it (see
//!   `real/resolve.rs`), and never as the last component of a path;
//! - FIFOs, devices and sockets are never opened;
//! - a reader sees the old or the new file, never a part of one; what a crash leaves behind has a
//!   name of ours and goes with the next change in that directory or with [`FileChanges::sweep`];
//! - the agent's umask never shows.
//!
//! Absent on purpose: following links on request, and any operation that takes a path the kernel
//! would resolve by itself.

mod candidate;
mod error;
mod fake;
mod memory;
mod path;
mod real;
mod status;

use std::ffi::{OsStr, OsString};

use serde::Serialize;

pub use error::FileError;
pub use fake::{FakeFiles, FakeNode, FakeNodeKind};
pub use memory::ContentMemory;
pub use path::{AbsolutePath, PathError};
pub use real::RealFiles;
pub(in crate::host) use real::Way;
pub use status::{DirectoryEntry, FileType, Inode, Mode, Status, Times};

use crate::bucket::Bucket;

/// Reads files. Nothing is remembered longer than a second, except open directories on the way.
pub trait FileView {
    /// What is at `path` (of a link, the link itself); `None` where nothing is, also when a
    /// directory of the path is missing or is no directory.
    fn look(&self, path: &AbsolutePath) -> Result<Option<Status>, FileError>;

    /// Whether `path` is a directory or leads to one over links that may be followed: something
    /// can be created in it.
    fn is_directory(&self, path: &AbsolutePath) -> Result<bool, FileError>;

    /// Whether the regular file that `status` describes holds exactly `content`. Reads nothing
    /// when the sizes differ.
    fn holds(
        &self,
        path: &AbsolutePath,
        status: &Status,
        content: &[u8],
    ) -> Result<bool, FileError>;

    /// The first `limit` bytes of the regular file that `status` describes.
    fn read(&self, path: &AbsolutePath, status: &Status, limit: u64) -> Result<Vec<u8>, FileError>;

    /// The SHA-256 of the regular file that `status` describes, in hexadecimal.
    fn digest(&self, path: &AbsolutePath, status: &Status) -> Result<String, FileError>;

    /// What the symbolic link at `path` says.
    fn link_target(&self, path: &AbsolutePath) -> Result<OsString, FileError>;

    /// The entries of the directory at `path`, sorted by name, without `.` and `..`. A link is not
    /// followed.
    fn list(&self, path: &AbsolutePath) -> Result<Vec<DirectoryEntry>, FileError>;

    /// The `SELinux` context; `None` where there is none.
    fn selinux(&self, path: &AbsolutePath) -> Result<Option<String>, FileError>;

    /// Whether what is at `path` has an ACL; a directory, also one for what is made in it.
    fn has_access_list(&self, path: &AbsolutePath) -> Result<bool, FileError>;

    /// Keeps the content of the regular file at `path`, or of every regular file below the
    /// directory at `path`, without crossing mount points. Returns path and digest of each; other
    /// things have no content to keep. Durable only after [`Bucket::flush`].
    fn keep(
        &self,
        path: &AbsolutePath,
        bucket: &mut dyn Bucket,
    ) -> Result<Vec<(String, String)>, FileError>;
}

/// Owner, group, permissions and context to set. `None` leaves what creation gives or what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Properties<'a> {
    /// The owner's number.
    pub owner: Option<u32>,
    /// The group's number.
    pub group: Option<u32>,
    /// The permission bits.
    pub mode: Option<Mode>,
    /// The `SELinux` context.
    pub selinux: Option<&'a str>,
}

/// What is expected to stand where something new is to be put, and may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// Nothing.
    Nothing,
    /// Something that is no directory: it is replaced in one moment and never opened.
    NonDirectory,
    /// A directory, which must be empty.
    EmptyDirectory,
    /// A directory with all that is in it.
    FullDirectory,
}

/// A regular file to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// Its bytes.
    pub content: &'a [u8],
    /// What to set.
    pub properties: Properties<'a>,
    /// Whether the ACL, the `SELinux` context, capabilities and other extended attributes of the
    /// regular file it replaces are carried over. Never those of a file that belongs to neither
    /// root nor the owner to be: its access rights are a stranger's. An ACL that the directory
    /// gives to new files is never taken.
    pub inherit: bool,
}

/// A file that lies ready beside its target. Must be handed to [`FileChanges::commit`] or
/// [`FileChanges::discard`].
#[derive(Debug)]
#[must_use = "a candidate must be committed or discarded"]
pub struct Staged {
    target: AbsolutePath,
    temporary: String,
    directory: Inode,
}

impl Staged {
    /// The path the candidate is going to replace.
    pub fn target(&self) -> &AbsolutePath {
        &self.target
    }

    /// Where the candidate lies, as a program on the managed machine sees it.
    pub fn candidate(&self) -> AbsolutePath {
        self.target.parent().unwrap_or_else(AbsolutePath::root).join(&self.temporary)
    }
}

/// How a candidate came into place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In one moment, by rename.
    Atomic,
    /// Written in place, because the target is a mount point.
    InPlace,
}

/// Changes files. Every operation leaves either the old or the new state behind when it fails.
pub trait FileChanges: FileView {
    /// Writes a candidate beside `path` with all its properties. Not durable yet.
    fn stage(&mut self, path: &AbsolutePath, file: &NewFile<'_>) -> Result<Staged, FileError>;

    /// Makes candidates durable, together where they are many. One result for each.
    fn sync(&mut self, staged: &[&Staged]) -> Vec<Result<(), FileError>>;

    /// Puts a candidate in the place of what is there. A failure removes the candidate.
    fn commit(&mut self, staged: Staged, over: Obstacle) -> Result<Placement, FileError>;

    /// Removes a candidate.
    fn discard(&mut self, staged: Staged) -> Result<(), FileError>;

    /// Creates a directory in one moment, with its properties (0755 where no mode is given).
    fn make_directory(
        &mut self,
        path: &AbsolutePath,
        properties: &Properties<'_>,
        over: Obstacle,
    ) -> Result<(), FileError>;

    /// Creates a symbolic link in one moment. Its permissions cannot be set.
    fn make_link(
        &mut self,
        path: &AbsolutePath,
        target: &OsStr,
        properties: &Properties<'_>,
        over: Obstacle,
    ) -> Result<(), FileError>;

    /// Sets properties of what is at `path` and was seen to be `seen`; of a link, the link's own.
    /// Capabilities survive a change of owner, an ACL only if the old owner is root; set-id bits do only if `properties.mode` says so.
    fn adjust(
        &mut self,
        path: &AbsolutePath,
        seen: &Status,
        properties: &Properties<'_>,
    ) -> Result<(), FileError>;

    /// Removes what is at `path`; a directory only when `over` is [`Obstacle::EmptyDirectory`] or
    /// [`Obstacle::FullDirectory`]. Refuses, before anything is removed, when something is mounted
    /// there or below. Nothing there is no failure.
    fn remove(&mut self, path: &AbsolutePath, over: Obstacle) -> Result<(), FileError>;

    /// Makes all changes of names so far durable.
    fn settle(&mut self) -> Result<(), FileError>;

    /// Removes candidates that a crash left in these directories (not below them). To be called
    /// under the run lock, when the last run did not end, before the first change. Each directory
    /// is searched once in the port's life; missing ones are fine. Returns what was removed.
    fn sweep(&mut self, directories: &[AbsolutePath]) -> Result<Vec<AbsolutePath>, FileError>;
}
