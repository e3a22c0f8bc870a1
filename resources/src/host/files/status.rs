//! What is at a path, without opening it.

use std::fmt;

use serde::{Serialize, Serializer};

/// The twelve permission bits of `chmod(2)`; shown as four octal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mode(u16);

impl Mode {
    /// Set-user-ID on execution.
    pub const SET_USER: u16 = 0o4000;
    /// Set-group-ID on execution; inheritance of the group on directories.
    pub const SET_GROUP: u16 = 0o2000;

    /// The lower twelve bits of `bits`.
    pub const fn new(bits: u16) -> Self {
        Self(bits & 0o7777)
    }

    /// The bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The same without set-user-ID and set-group-ID, as `chown(2)` leaves it.
    #[must_use]
    pub const fn without_set_id(self) -> Self {
        Self(self.0 & !(Self::SET_USER | Self::SET_GROUP))
    }

    /// Whether the group or others may read.
    pub const fn is_readable_by_others(self) -> bool {
        self.0 & 0o044 != 0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04o}", self.0)
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The types of `stat(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileType {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A Unix socket.
    Socket,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
}

impl FileType {
    /// Whether reading or writing it would talk to someone instead of to a disk. Such a thing is
    /// never opened.
    pub const fn is_special(self) -> bool {
        !matches!(self, Self::File | Self::Directory | Self::Symlink)
    }
}

impl fmt::Display for FileType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "symlink",
            Self::Fifo => "FIFO",
            Self::Socket => "socket",
            Self::CharacterDevice => "character device",
            Self::BlockDevice => "block device",
        })
    }
}

/// What `statx(2)` says about the thing at a path; of a link, the link itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Its type.
    pub kind: FileType,
    /// Its permission bits; of a link meaningless.
    pub mode: Mode,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its size in bytes.
    pub size: u64,
    /// How many names it has.
    pub links: u32,
    /// Whether something is mounted right there (a bind-mounted file, a mount point).
    pub mount_point: bool,
    /// Device and inode number: two looks at the same thing agree in these.
    pub identity: Inode,
    /// When it was last changed.
    pub times: Times,
}

/// Times of `statx(2)`: seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// When its content was changed, as anybody may set it.
    pub modified: (i64, u32),
    /// When anything about it was changed, which nobody can set.
    pub changed: (i64, u32),
}

/// Device and inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inode {
    /// The device, as `makedev(3)` packs it.
    pub device: u64,
    /// The inode number.
    pub number: u64,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Its name.
    pub name: std::ffi::OsString,
    /// Its type.
    pub kind: FileType,
}
