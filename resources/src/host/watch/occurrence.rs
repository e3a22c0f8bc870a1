//! What happened in a directory, in the words that inotify(7) and fanotify(7) share.

use std::ffi::OsString;
use std::ops::BitOr;

/// One or more things that happened. The two interfaces of the kernel give these the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Occurrence(u32);

impl Occurrence {
    pub(super) const MODIFY: Self = Self(0x2);
    pub(super) const ATTRIBUTES: Self = Self(0x4);
    pub(super) const CLOSE_WRITE: Self = Self(0x8);
    pub(super) const MOVED_FROM: Self = Self(0x40);
    pub(super) const MOVED_TO: Self = Self(0x80);
    pub(super) const CREATE: Self = Self(0x100);
    pub(super) const DELETE: Self = Self(0x200);
    pub(super) const DELETE_SELF: Self = Self(0x400);
    pub(super) const MOVE_SELF: Self = Self(0x800);
    /// inotify only: the file system was unmounted.
    pub(super) const UNMOUNT: Self = Self(0x2000);
    pub(super) const OVERFLOW: Self = Self(0x4000);
    /// inotify only: the watch is gone.
    pub(super) const IGNORED: Self = Self(0x8000);
    /// It happened to a directory.
    pub(super) const DIRECTORY: Self = Self(0x4000_0000);

    /// A name now means something, or nothing.
    pub(super) const COMES: Self = Self(Self::CREATE.0 | Self::MOVED_TO.0);
    /// A name means something else than before.
    pub(super) const NAMES: Self = Self(Self::COMES.0 | Self::DELETE.0 | Self::MOVED_FROM.0);
    /// A directory that is watched is not where it was.
    pub(super) const SELF: Self =
        Self(Self::DELETE_SELF.0 | Self::MOVE_SELF.0 | Self::UNMOUNT.0 | Self::IGNORED.0);
    /// What has changed a file's content.
    pub(super) const CONTENT: Self = Self(Self::MODIFY.0 | Self::CLOSE_WRITE.0);

    /// What is asked of a directory that only leads to others, or whose entries only come and go.
    pub(super) const PASSAGE: Self =
        Self(Self::NAMES.0 | Self::DELETE_SELF.0 | Self::MOVE_SELF.0 | Self::DIRECTORY.0);
    /// What is asked of a directory in which a resource's attributes matter.
    pub(super) const PLACES: Self = Self(Self::PASSAGE.0 | Self::ATTRIBUTES.0);
    /// What is asked of a directory in which a resource's content matters too.
    pub(super) const CONTENTS: Self = Self(Self::PLACES.0 | Self::CONTENT.0);

    pub(super) fn from_bits(bits: u64) -> Self {
        // The upper half holds flags that are never asked for.
        Self(u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default())
    }

    pub(super) fn bits(self) -> u32 {
        self.0
    }

    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether nothing more is to be expected of what is going on: what was written is closed, what
    /// was renamed has its new name.
    pub(super) fn is_final(self) -> bool {
        self.intersects(Self(Self::CLOSE_WRITE.0 | Self::MOVED_TO.0 | Self::ATTRIBUTES.0))
            || self.intersects(Self::SELF)
            || self.contains(Self(Self::CREATE.0 | Self::DIRECTORY.0))
    }
}

impl BitOr for Occurrence {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What the kernel calls a watched directory in its events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    /// fanotify: the file system's id, and the directory's file handle in it.
    Handle(Box<[u8]>),
    /// inotify: the watch descriptor.
    Descriptor(i32),
}

/// An event as it comes from the kernel.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub directory: Key,
    /// The entry; `.` for the directory itself.
    pub name: OsString,
    pub what: Occurrence,
    /// Who did it; `None` where the kernel does not tell.
    pub pid: Option<i32>,
}
