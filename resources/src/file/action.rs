//! The steps of the kind, as data.

use std::fmt;

use serde::Serialize;

use crate::host::files::{AbsolutePath, FileType, Mode, Obstacle, Status};
use crate::step::Action;

/// What one step does.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum FileAction {
    /// Puts a file with the wanted content in place, with all its properties.
    Write {
        /// Where.
        path: AbsolutePath,
        /// Which file of a tree; empty for the resource's own path.
        #[serde(skip_serializing_if = "String::is_empty")]
        below: String,
        /// How many bytes; unknown for an https source.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        /// What it replaces.
        over: Obstacle,
        /// Whether extended attributes are carried over from the file it replaces.
        inherit: bool,
        /// Its owner, if not whoever creates it.
        owner: Option<u32>,
        /// Its group, if not what creation gives.
        group: Option<u32>,
        /// Its permissions.
        mode: Mode,
    },
    /// Creates a directory.
    MakeDirectory {
        /// Where.
        path: AbsolutePath,
        /// What it replaces.
        over: Obstacle,
        /// Its owner, if not whoever creates it.
        owner: Option<u32>,
        /// Its group, if not what creation gives.
        group: Option<u32>,
        /// Its permissions, if not 0755.
        mode: Option<Mode>,
    },
    /// Creates a symbolic link.
    MakeLink {
        /// Where.
        path: AbsolutePath,
        /// What it says.
        target: String,
        /// What it replaces.
        over: Obstacle,
        /// Its owner, if not whoever creates it.
        owner: Option<u32>,
        /// Its group, if not what creation gives.
        group: Option<u32>,
    },
    /// Changes owner, group, permissions or context of what is there.
    Adjust {
        /// Where.
        path: AbsolutePath,
        /// What was seen there.
        #[serde(skip)]
        seen: Status,
        /// The new owner.
        owner: Option<u32>,
        /// The new group.
        group: Option<u32>,
        /// The new permissions.
        mode: Option<Mode>,
        /// Whether the `SELinux` context is set.
        selinux: bool,
    },
    /// Removes what is there.
    Remove {
        /// Where.
        path: AbsolutePath,
        /// What is there.
        what: FileType,
        /// How much goes.
        over: Obstacle,
    },
}

impl Action for FileAction {}

impl FileAction {
    /// Where the step acts.
    pub(super) fn path(&self) -> &AbsolutePath {
        match self {
            Self::Write { path, .. }
            | Self::MakeDirectory { path, .. }
            | Self::MakeLink { path, .. }
            | Self::Adjust { path, .. }
            | Self::Remove { path, .. } => path,
        }
    }

    /// What gives way to the step.
    pub(super) fn over(&self) -> Obstacle {
        match self {
            Self::Write { over, .. }
            | Self::MakeDirectory { over, .. }
            | Self::MakeLink { over, .. }
            | Self::Remove { over, .. } => *over,
            Self::Adjust { .. } => Obstacle::Nothing,
        }
    }
}

impl fmt::Display for FileAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path, bytes, over, .. } => {
                let verb = if *over == Obstacle::Nothing { "create" } else { "replace" };
                write!(formatter, "{verb} {path}")?;
                match bytes {
                    Some(1) => formatter.write_str(" (1 byte)"),
                    Some(bytes) => write!(formatter, " ({bytes} bytes)"),
                    None => formatter.write_str(" (fetched)"),
                }
            }
            Self::MakeDirectory { path, .. } => write!(formatter, "create the directory {path}"),
            Self::MakeLink { path, target, .. } => {
                write!(formatter, "create the symlink {path} -> {}", target.escape_debug())
            }
            Self::Adjust { path, owner, group, mode, selinux, .. } => {
                let mut parts = Vec::new();
                if owner.is_some() {
                    parts.push("owner".to_owned());
                }
                if group.is_some() {
                    parts.push("group".to_owned());
                }
                if let Some(mode) = mode {
                    parts.push(format!("mode {mode}"));
                }
                if *selinux {
                    parts.push("SELinux context".to_owned());
                }
                write!(formatter, "set {} of {path}", parts.join(", "))
            }
            Self::Remove { path, over: Obstacle::FullDirectory, .. } => {
                write!(formatter, "remove the directory {path} and all that is in it")
            }
            Self::Remove { path, what, .. } => write!(formatter, "remove the {what} {path}"),
        }
    }
}
