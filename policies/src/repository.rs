//! The read-only view of a revision that evaluation is handed.

use thiserror::Error;

/// A revision's files. Paths are relative to the directory that holds `site.toml`, with `/`
/// between components, never absolute, never with `..`.
pub trait Repository {
    /// Every file's path, sorted.
    fn paths(&self) -> Result<Vec<String>, RepositoryError>;

    /// The content of the file at `path`; `None` where there is none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError>;

    /// Whether the file at `path` is executable (Git's mode 100755).
    fn executable(&self, path: &str) -> Result<bool, RepositoryError>;
}

/// A repository without files.
pub(crate) struct Nothing;

impl Repository for Nothing {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(Vec::new())
    }

    fn read(&self, _: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        Ok(None)
    }

    fn executable(&self, _: &str) -> Result<bool, RepositoryError> {
        Ok(false)
    }
}

/// Why a revision's file could not be read: the object database or the directory is at fault, not
/// the policy.
#[derive(Debug, Error)]
#[error("cannot read {path} of the policy repository: {reason}")]
pub struct RepositoryError {
    /// The path asked for.
    pub path: String,
    /// What went wrong and what to do.
    pub reason: String,
}
