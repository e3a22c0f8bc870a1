//! What can go wrong with packages, and what a person can do about it.

use std::path::PathBuf;

use thiserror::Error;

use crate::failure::Failure;
use crate::host::command::CommandError;

/// Why packages could not be read or changed.
#[derive(Debug, Error)]
pub enum PackageError {
    /// The root directory has no package database that a backend reads.
    #[error("{} is not managed by apt and dpkg{}", .root.display(), other_manager(*.found))]
    Unsupported {
        /// The root directory.
        root: PathBuf,
        /// The package manager that is there, if it was recognised.
        found: Option<&'static str>,
    },
    /// A file of the package database cannot be read.
    #[error("cannot read {}", path.display())]
    ReadDatabase {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file of the package database does not say what it should.
    #[error("{} is damaged at line {line}: {problem}", path.display())]
    DamagedDatabase {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A program of the package manager cannot be run, or did not end in time.
    #[error("cannot ask the package manager")]
    Run(#[source] CommandError),
    /// A question to the package manager failed.
    #[error("{program} failed: {complaint}")]
    Query {
        /// The program.
        program: String,
        /// Its own error lines.
        complaint: String,
    },
    /// Only root can change packages, or enter a root directory to ask there.
    #[error("only root can use the package manager of {}", root.display())]
    NeedsRoot {
        /// The root directory.
        root: PathBuf,
    },
    /// Another process held a lock until the deadline.
    #[error("the package manager's lock is held by {holder}, waited {waited} s")]
    Locked {
        /// The process that holds it, for instance `apt-get (pid 4312)`.
        holder: String,
        /// How long this waited, in seconds.
        waited: u64,
    },
    /// An earlier run of dpkg was cut off.
    #[error("dpkg was interrupted: its last run left unfinished work in {}", path.display())]
    Interrupted {
        /// Where that is noted.
        path: PathBuf,
    },
    /// More would change than was asked for.
    #[error("refused: {}", refusal(removals, downgrades, held))]
    Refused {
        /// Packages that would be removed.
        removals: Vec<String>,
        /// Packages whose version would go down.
        downgrades: Vec<String>,
        /// Packages that others hold and whose version would change.
        held: Vec<String>,
    },
    /// The package manager failed.
    #[error("{complaint}")]
    Transaction {
        /// Its own error lines, the telling ones.
        complaint: String,
        /// What to do, if known.
        hint: Option<&'static str>,
        /// The end of its output.
        output: String,
    },
    /// The transaction did not end before the deadline.
    #[error("the package manager did not finish within {seconds} s{}", waiting(.during.as_deref()))]
    Deadline {
        /// How long it ran, in seconds.
        seconds: u64,
        /// What it was waiting for, if that was seen.
        during: Option<String>,
        /// The end of its output.
        output: String,
    },
    /// The deadline had passed before the package manager was started.
    #[error("there was no time left to run the package manager")]
    NoTime,
    /// A package file could not be put in place.
    #[error("cannot stage {path}")]
    Stage {
        /// The file.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A package file is not the one that the policy means.
    #[error("{path} has the SHA-256 {actual}, not {wanted}")]
    Digest {
        /// The file.
        path: String,
        /// The digest found.
        actual: String,
        /// The digest wanted.
        wanted: String,
    },
    /// A package file without digest that others than root could have written.
    #[error("{path} can be written by others than root and no sha256 vouches for it")]
    Untrusted {
        /// The file.
        path: String,
    },
    /// A package file contains another package.
    #[error("the file is the package {actual}, not {wanted}")]
    OtherPackage {
        /// The package found, with its architecture.
        actual: String,
        /// The package wanted.
        wanted: String,
    },
    /// An injected failure of the fake machine.
    #[error("the package manager failed")]
    Injected(#[source] std::io::Error),
}

impl PackageError {
    /// Whether every other transaction would fail in the same way now, so that there is no point
    /// in trying its packages one by one.
    pub fn concerns_all(&self) -> bool {
        !matches!(
            self,
            Self::Refused { .. }
                | Self::Transaction { .. }
                | Self::Injected(_)
                | Self::OtherPackage { .. }
        )
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unsupported { .. } => {
                Some("packages are supported on Debian and its descendants (apt and dpkg)".into())
            }
            Self::DamagedDatabase { .. } => Some(
                "compare with the daily copies dpkg.status.*.gz in /var/backups and repair it"
                    .into(),
            ),
            Self::NeedsRoot { .. } => Some("run as root".into()),
            Self::Locked { .. } => {
                Some("wait for it to end or look what it does; `timeout` says how long".into())
            }
            Self::Interrupted { .. } => Some(
                "run `dpkg --configure -a`, or let `repair = true` in the agent's configuration \
                 do that"
                    .into(),
            ),
            Self::Refused { .. } => Some(
                "declare these packages as well (`ensure = \"absent\"`) if they are meant to go"
                    .into(),
            ),
            Self::Transaction { hint, .. } => hint.map(Into::into),
            Self::NoTime => Some("give the resource a longer `timeout`".into()),
            Self::Deadline { .. } => {
                Some("look at what it was doing, or give the resource a longer `timeout`".into())
            }
            Self::Untrusted { .. } => Some("give the file's `sha256`".into()),
            Self::OtherPackage { .. } => Some("the title must be the package's own name".into()),
            _ => None,
        }
    }

    fn output(&self) -> Option<&str> {
        match self {
            Self::Transaction { output, .. } | Self::Deadline { output, .. } => Some(output),
            _ => None,
        }
    }
}

impl From<PackageError> for Failure {
    fn from(error: PackageError) -> Self {
        let mut failure = Self::from_error(&error);
        if let Some(hint) = error.hint() {
            failure = failure.with_hint(hint);
        }
        if let Some(output) = error.output().filter(|output| !output.is_empty()) {
            failure = failure.with_output(output);
        }
        failure
    }
}

fn other_manager(other: Option<&str>) -> String {
    other.map(|name| format!(" (found {name})")).unwrap_or_default()
}

fn waiting(during: Option<&str>) -> String {
    during.map(|during| format!(", waiting for {during}")).unwrap_or_default()
}

fn refusal(removals: &[String], downgrades: &[String], held: &[String]) -> String {
    let mut parts = Vec::new();
    for (verb, names) in
        [("remove", removals), ("downgrade", downgrades), ("change the held", held)]
    {
        if !names.is_empty() {
            parts.push(format!("{verb} {}", names.join(", ")));
        }
    }
    format!("it would {}, which was not asked for", parts.join(" and "))
}
