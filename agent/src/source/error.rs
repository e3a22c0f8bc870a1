//! What can go wrong between the server and a revision's blobs, each with what to do about it.
//!
//! [`SourceError`] is what callers see; what the conversation with a server can end in is
//! [`FetchFailure`]. Neither ever holds a credential.

use std::path::PathBuf;

use thiserror::Error;

use super::failure::FetchFailure;
use super::location::LocationError;
use super::names::Refusal;

/// Why a policy repository or a revision of it cannot be used. The last good revision is still in
/// place after every one of these.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The settings name something that cannot be a repository.
    #[error("cannot use {url} as a policy repository: {problem}")]
    Location {
        /// The URL or argument as given.
        url: String,
        /// What is wrong with it.
        #[source]
        problem: LocationError,
    },
    /// The settings contradict themselves.
    #[error("the setting {setting} {problem}")]
    Settings {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A file with a credential or a certificate cannot be read.
    #[error("cannot read {setting} {}", path.display())]
    ReadCredential {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A local repository belongs to somebody else, who could then rule this machine.
    #[error("{} belongs to user {owner}, not to root or to you", path.display())]
    Owner {
        /// The repository.
        path: PathBuf,
        /// The owner's number.
        owner: u32,
    },
    /// The conversation with the server failed.
    #[error("cannot fetch {url}: {failure}")]
    Fetch {
        /// Which repository.
        url: String,
        /// How it failed.
        #[source]
        failure: FetchFailure,
    },
    /// A mirror has another history than what was fetched before, or an older one.
    #[error(
        "the mirror {url} is at {revision}, which does not follow from {previous}, where the branch \
         was before"
    )]
    Mirror {
        /// Which mirror.
        url: String,
        /// The commit it has.
        revision: String,
        /// The commit that was fetched before.
        previous: String,
    },
    /// The agent's own copy cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Store {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The agent's own copy does not work as a Git repository.
    #[error("the copy of the policy repository in {} does not work: {reason}", path.display())]
    Repository {
        /// The copy.
        path: PathBuf,
        /// What Git's library says.
        reason: String,
    },
    /// Another process is fetching into the same copy and does not finish.
    #[error("another steadfast process is using {}", path.display())]
    StoreInUse {
        /// The copy.
        path: PathBuf,
    },
    /// The revision is not in the agent's copy.
    #[error("revision {id} is not in the copy of the policy repository")]
    UnknownRevision {
        /// The revision asked for.
        id: String,
    },
    /// An object is missing or does not have the content that its name promises.
    #[error("the copy of the policy repository is damaged: object {id} {problem}")]
    Damaged {
        /// The object.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The repository holds things that a policy repository must not hold.
    #[error("the policy repository cannot be used: {}", summary(.0))]
    Refused(Vec<Refusal>),
    /// The directory that should hold `site.toml` is not there.
    #[error("there is no directory {path} in {revision}")]
    NoDirectory {
        /// The directory asked for.
        path: String,
        /// Where it was looked for.
        revision: String,
    },
    /// A directory's files cannot be read.
    #[error("cannot read {}", path.display())]
    ReadDirectory {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

fn summary(refusals: &[Refusal]) -> String {
    const SHOWN: usize = 10;
    let shown = refusals.iter().take(SHOWN).map(Refusal::to_string).collect::<Vec<_>>().join("; ");
    match refusals.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown}; and {more} more"),
    }
}

impl SourceError {
    /// Whether the server is out of reach or broken, so that its mirrors are asked. A server that
    /// answers (no such branch, another certificate, a token refused) has the last word.
    pub(super) fn is_out_of_service(&self) -> bool {
        match self {
            Self::Fetch { failure, .. } => match failure {
                FetchFailure::UnknownHost { .. }
                | FetchFailure::Unreachable { .. }
                | FetchFailure::Stalled { .. }
                | FetchFailure::Truncated { .. }
                | FetchFailure::CorruptPack { .. }
                | FetchFailure::Ssh { .. } => true,
                FetchFailure::Status { status } => *status >= 500,
                _ => false,
            },
            _ => false,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Location {
                problem:
                    LocationError::Syntax(_) | LocationError::Scheme(_) | LocationError::Missing,
                ..
            } => "give https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH or an absolute path",
            Self::Location { .. } | Self::Settings { .. } | Self::Refused(_) => return None,
            Self::ReadCredential { .. } => "check the path and its permissions in agent.toml",
            Self::Owner { path, .. } => {
                return Some(format!(
                    "whoever owns it decides what root does here; if that is meant: chown -R root {}",
                    path.display()
                ));
            }
            Self::Fetch { failure, .. } => return failure.hint(),
            Self::Mirror { .. } => {
                "it may lag behind: a mirror only carries a host forward; wait until the repository \
                 itself answers, or bring the mirror up to date"
            }
            Self::Store { .. } => "check permissions and free space",
            Self::Repository { path, .. } => {
                return Some(format!(
                    "it is made anew by the next fetch; or remove {}",
                    path.display()
                ));
            }
            Self::StoreInUse { .. } => {
                "wait for it, or look what hangs: systemctl status steadfast"
            }
            Self::UnknownRevision { .. } => "fetch again, or raise `depth` in [repository]",
            Self::Damaged { .. } => "the next fetch makes a new copy",
            Self::NoDirectory { .. } => "check `path` in [repository] and the branch",
            Self::ReadDirectory { .. } => "check the path and its permissions",
        };
        Some(hint.to_owned())
    }

    /// Whether trying again later can help without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Fetch { failure, .. } => failure.is_transient(),
            Self::StoreInUse { .. } | Self::Damaged { .. } | Self::Repository { .. } => true,
            _ => false,
        }
    }
}
