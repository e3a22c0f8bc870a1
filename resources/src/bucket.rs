//! The file bucket as kinds see it: content that a change replaces is kept first.

use std::os::fd::BorrowedFd;
use std::path::Path;

use thiserror::Error;

/// Why replaced content could not be kept. The change does not happen then.
#[derive(Debug, Error)]
#[error("cannot keep the old content of {path} in the file bucket")]
pub struct BucketError {
    /// The file whose content was to be kept.
    pub path: String,
    /// What went wrong.
    #[source]
    pub source: std::io::Error,
}

/// Keeps replaced content by digest. The agent's state implements it.
pub trait Bucket {
    /// Keeps the content of `file` (open for reading, at its start), which is found at `path`, with
    /// its mode and owner. Returns the content's SHA-256 in hexadecimal. Durable only after
    /// [`Self::flush`].
    fn keep(&mut self, path: &Path, file: BorrowedFd<'_>) -> Result<String, BucketError>;

    /// Makes everything kept so far durable.
    fn flush(&mut self) -> Result<(), BucketError>;
}
