//! Why accounts could not be read or changed.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::failure::Failure;
use crate::host::command::CommandError;

/// Why accounts could not be read or changed.
#[derive(Debug, Error)]
pub enum AccountError {
    /// An account database could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// An account database could not be replaced.
    #[error("cannot write {}", path.display())]
    Write {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The name service gave no answer.
    #[error("cannot look up {name} in the name service")]
    Lookup {
        /// The name or number asked for.
        name: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another process kept the account databases locked until the deadline.
    #[error("the account databases stayed locked by {holder}")]
    Locked {
        /// The process that holds the lock, as far as it can be told.
        holder: String,
    },
    /// The lock file could not be opened or locked.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A tool of the distribution could not be run to its end.
    #[error("cannot change accounts")]
    Run {
        /// The cause.
        #[source]
        source: CommandError,
    },
    /// A tool of the distribution refused.
    #[error("{program} failed with exit code {code}")]
    Tool {
        /// The tool.
        program: String,
        /// Its exit code.
        code: i32,
        /// What it printed.
        output: String,
    },
    /// There is no such local user.
    #[error("there is no local user {0}")]
    NoUser(String),
    /// There is no such local group.
    #[error("there is no local group {0}")]
    NoGroup(String),
    /// A name or number is in use.
    #[error("{what} is already in use by {holder}")]
    Taken {
        /// What is wanted.
        what: String,
        /// Who has it.
        holder: String,
    },
    /// No number of the distribution's range is free.
    #[error("no number between {0} and {1} is free")]
    RangeFull(u32, u32),
    /// A group is the primary group of a user.
    #[error("{group} is the primary group of {user}")]
    PrimaryGroup {
        /// The group.
        group: String,
        /// The user.
        user: String,
    },
    /// A user has running processes.
    #[error("{user} has running processes: {processes}")]
    Busy {
        /// The user.
        user: String,
        /// The processes.
        processes: String,
    },
    /// Something below a home could not be worked on.
    #[error("cannot {operation} {}", path.display())]
    Home {
        /// What was to be done.
        operation: &'static str,
        /// With what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A link that someone other than root could have planted is in the way.
    #[error("{} is a symbolic link that is not root's own", path.display())]
    PlantedLink {
        /// The link.
        path: PathBuf,
    },
    /// A link stands at or above a user's `authorized_keys`.
    #[error("{} or its directory is a symbolic link", path.display())]
    KeysLink {
        /// The file.
        path: PathBuf,
    },
    /// The mounted file systems could not be listed.
    #[error("cannot read /proc/self/mountinfo")]
    Mounts {
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// `/proc` could not be read.
    #[error("cannot list processes")]
    Processes {
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Processes outlived being killed.
    #[error("processes of {user} are still there after being killed: {processes}")]
    Unkillable {
        /// The user.
        user: String,
        /// The processes.
        processes: String,
    },
    /// A fake machine was told to fail.
    #[error("cannot change accounts")]
    Injected {
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        let failure = Self::from_error(&error);
        match error {
            AccountError::Tool { output, .. } => failure.with_output(output),
            AccountError::Locked { .. } => failure
                .with_hint("wait for that process to end, or give the resource more `timeout`"),
            AccountError::Busy { .. } => {
                failure.with_hint("end them, or set `force = true` to have them killed")
            }
            AccountError::PrimaryGroup { .. } => {
                failure.with_hint("remove that user first, or give it another primary group")
            }
            AccountError::KeysLink { .. } => failure.with_hint(
                "it is not followed; replace it by a directory and a file of the user's own",
            ),
            AccountError::Home { operation: "read" | "write", source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                failure.with_hint(
                    "keys are read and written as the user: give home, .ssh and file to the user",
                )
            }
            AccountError::Home { operation: "move", source, .. }
                if source.kind() == io::ErrorKind::CrossesDevices =>
            {
                failure.with_hint(
                    "the old and the new home are on different file systems: copy it by hand, \
                     then remove the old one",
                )
            }
            AccountError::PlantedLink { .. } => {
                failure.with_hint("replace it by a directory; it is not followed")
            }
            AccountError::Read { source, .. } | AccountError::Write { source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                failure.with_hint("run as root")
            }
            _ => failure,
        }
    }
}
