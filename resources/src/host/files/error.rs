//! Why an operation on files failed, and what a person can do about it.

use std::io;

use thiserror::Error;

use super::path::AbsolutePath;
use super::status::{FileType, Mode};
use crate::failure::Failure;

/// Why an operation on files failed.
#[derive(Debug, Error)]
pub enum FileError {
    /// The managed root directory cannot be opened.
    #[error("cannot open the root directory {path}")]
    OpenRoot {
        /// The root directory.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A directory of the path cannot be passed.
    #[error("cannot reach {path}")]
    Reach {
        /// The directory.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A link in the path that someone other than root may have planted.
    #[error("refusing to follow the symbolic link {link} (owned by uid {owner}): {reason}")]
    UntrustedLink {
        /// The link.
        link: String,
        /// Its owner.
        owner: u32,
        /// Why it is not trusted.
        reason: String,
    },
    /// A directory on the way that root cannot let a program change names in.
    #[error(
        "someone other than root can change names in {path}, below the root directory (owner uid \
         {owner}, mode {mode}), or above"
    )]
    OpenToOthers {
        /// The directory.
        path: String,
        /// Its owner.
        owner: u32,
        /// Its permissions.
        mode: Mode,
    },
    /// The directory that should hold the file is not there.
    #[error("there is no directory {path}")]
    NoDirectory {
        /// The directory.
        path: String,
    },
    /// The thing at the path cannot be looked at.
    #[error("cannot look at {path}")]
    Look {
        /// The path.
        path: AbsolutePath,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The path.
        path: AbsolutePath,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The directory cannot be listed.
    #[error("cannot list {path}")]
    List {
        /// The path.
        path: AbsolutePath,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The path names something else than a moment ago.
    #[error("{path} changed while it was being looked at")]
    ChangedMeanwhile {
        /// The path.
        path: AbsolutePath,
    },
    /// The file has further names, and one of them may have been planted.
    #[error(
        "refusing to change owner or permissions of {path}: it has {links} names (hard links), is \
         owned by uid {owner}, and lies in a directory in which others can create names"
    )]
    PlantedHardLink {
        /// The path.
        path: AbsolutePath,
        /// How many names it has.
        links: u64,
        /// Its owner.
        owner: u32,
    },
    /// The candidate beside the file cannot be written.
    #[error("cannot write the new content of {path}")]
    Write {
        /// The path.
        path: AbsolutePath,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The new content cannot be made durable.
    #[error("cannot bring {path} to the disk")]
    Sync {
        /// The path.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The candidate cannot take the file's place.
    #[error("cannot put the new {kind} at {path} in place")]
    Replace {
        /// The path.
        path: AbsolutePath,
        /// What was to be put there.
        kind: FileType,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A directory or link cannot be created.
    #[error("cannot create the {kind} {path}")]
    Create {
        /// The path.
        path: AbsolutePath,
        /// What was to be created.
        kind: FileType,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Owner or group cannot be set.
    #[error("cannot set owner or group of {path}")]
    SetOwner {
        /// The path.
        path: AbsolutePath,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The permissions cannot be set.
    #[error("cannot set the permissions of {path}")]
    SetMode {
        /// The path.
        path: AbsolutePath,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// An extended attribute (ACL, `SELinux` context, capability, …) cannot be read or set.
    #[error("cannot carry over the extended attribute {attribute} of {path}")]
    SetAttribute {
        /// The path.
        path: AbsolutePath,
        /// The attribute's name.
        attribute: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The thing cannot be removed.
    #[error("cannot remove {path}")]
    Remove {
        /// The path.
        path: AbsolutePath,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Something is mounted there.
    #[error("{path} is a mount point")]
    MountPoint {
        /// The path.
        path: AbsolutePath,
    },
    /// The replaced content cannot be kept; nothing was changed.
    #[error(transparent)]
    Keep(#[from] crate::bucket::BucketError),
}

impl FileError {
    fn cause(&self) -> Option<io::ErrorKind> {
        use std::error::Error;
        self.source()?.downcast_ref::<io::Error>().map(io::Error::kind)
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UntrustedLink { .. } => {
                return Some(
                    "manage the path that the link leads to, or make the link root's and its \
                     directory writable by root alone",
                );
            }
            Self::OpenToOthers { .. } => {
                return Some("make it root's, and writable by root alone");
            }
            Self::PlantedHardLink { .. } => {
                return Some(
                    "find the other names (`find / -xdev -samefile PATH`); if this one does not \
                     belong there remove it, else copy the file over itself to break the link",
                );
            }
            Self::NoDirectory { .. } => {
                return Some(
                    "declare the directory as a file resource with ensure = \"directory\"",
                );
            }
            Self::MountPoint { .. } => return Some("unmount it first"),
            Self::ChangedMeanwhile { .. } => return Some("something else writes there; run again"),
            Self::Keep(_) => {
                return Some(
                    "nothing was changed: make room on the file system of the agent's state and \
                     check its health, or declare `backup = false` where the old content may go",
                );
            }
            _ => {}
        }
        match self.cause()? {
            io::ErrorKind::StorageFull => {
                Some("the file system is full: free space (or inodes, `df -i`)")
            }
            io::ErrorKind::QuotaExceeded => Some("the owner's disk quota is used up"),
            io::ErrorKind::ReadOnlyFilesystem => Some("the file system is mounted read-only"),
            io::ErrorKind::PermissionDenied => Some(
                "run as root; as root, look for the immutable or append-only flag (`lsattr`) or a \
                 security module's denial",
            ),
            io::ErrorKind::ResourceBusy => Some("something is mounted there or uses it"),
            io::ErrorKind::InvalidFilename => Some("the name is too long for this file system"),
            _ => None,
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let failure = Self::from_error(&error);
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
