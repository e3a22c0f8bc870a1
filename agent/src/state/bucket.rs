//! The file bucket: contents that a change replaced, by SHA-256, so that they can be restored.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rusqlite::params;
use sha2::{Digest, Sha256};
use steadfast_resources::{Bucket, BucketError};

use super::directory::refuse_link;
use super::{Database, State, StateError};

/// What the names of contents begin with that are still being written.
const CANDIDATE: &str = ".keeping.";

/// One kept content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptContent {
    /// Counts up with every content kept.
    pub number: i64,
    /// Where it was found.
    pub path: String,
    /// SHA-256 in hexadecimal.
    pub digest: String,
    /// The permission bits it had.
    pub mode: u32,
    /// The owner it had.
    pub uid: u32,
    /// The group it had.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// When it was kept (RFC 3339).
    pub kept_at: String,
}

/// The bucket's directory and what was put there since the last flush.
pub struct FileBucket {
    directory: PathBuf,
    database: Rc<Database>,
    unflushed: Vec<KeptContent>,
}

impl FileBucket {
    pub(super) fn new(directory: PathBuf, database: Rc<Database>) -> Self {
        Self { directory, database, unflushed: Vec::new() }
    }

    fn content_path(&self, digest: &str) -> PathBuf {
        self.directory.join(digest.get(..2).unwrap_or("00")).join(digest)
    }

    fn store(&self, original: &mut File) -> io::Result<(String, u64)> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let mut candidate =
            tempfile::Builder::new().prefix(CANDIDATE).tempfile_in(&self.directory)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0_u8; 64 * 1024];
        let mut size = 0_u64;
        loop {
            let read = original.read(&mut buffer)?;
            let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
            hasher.update(chunk);
            candidate.write_all(chunk)?;
            size += read as u64;
        }
        let digest = hexadecimal(&hasher.finalize());
        let target = self.content_path(&digest);
        if let Some(parent) = target.parent() {
            refuse_link(parent).map_err(io::Error::other)?;
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        candidate.persist(&target).map_err(|error| error.error)?;
        Ok((digest, size))
    }

    /// Removes half-written contents that a run left when it was cut off. The caller holds the run
    /// lock: nobody is writing one.
    pub fn sweep(&self) -> io::Result<()> {
        let entries = match self.directory.read_dir() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let half = entry.file_name().as_encoded_bytes().starts_with(CANDIDATE.as_bytes());
            if half && entry.file_type()?.is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Opens a kept content for reading.
    pub fn open(&self, digest: &str) -> Result<File, StateError> {
        let path = self.content_path(digest);
        if let Some(parent) = path.parent() {
            refuse_link(parent)?;
        }
        OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(&path)
            .map_err(|source| StateError::File { action: "read", path, source })
    }
}

impl Bucket for FileBucket {
    fn keep(&mut self, path: &Path, file: BorrowedFd<'_>) -> Result<String, BucketError> {
        let failed = |source| BucketError { path: path.display().to_string(), source };
        self.database.durable().map_err(|error| failed(io::Error::other(error)))?;
        let mut original = File::from(file.try_clone_to_owned().map_err(failed)?);
        let metadata = original.metadata().map_err(failed)?;
        let (digest, size) = self.store(&mut original).map_err(failed)?;
        self.unflushed.push(KeptContent {
            number: 0,
            path: path.display().to_string(),
            digest: digest.clone(),
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            size,
            kept_at: crate::clock::now(),
        });
        Ok(digest)
    }

    fn flush(&mut self) -> Result<(), BucketError> {
        let Some(first) = self.unflushed.first() else { return Ok(()) };
        let first_path = first.path.clone();
        let failed = |source| BucketError { path: first_path.clone(), source };
        let directory = File::open(&self.directory).map_err(failed)?;
        rustix::fs::syncfs(&directory).map_err(|error| failed(error.into()))?;
        self.database
            .write("indexing the file bucket", |transaction| {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO kept (path, digest, mode, uid, gid, size, kept_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?;
                for kept in &self.unflushed {
                    insert.execute(params![
                        kept.path,
                        kept.digest,
                        kept.mode,
                        kept.uid,
                        kept.gid,
                        i64::try_from(kept.size).unwrap_or(i64::MAX),
                        kept.kept_at
                    ])?;
                }
                Ok(())
            })
            .map_err(|error| failed(io::Error::other(error)))?;
        self.unflushed.clear();
        Ok(())
    }
}

impl State {
    /// The contents kept for `path`, newest first; for every path without one.
    pub fn kept(&self, path: Option<&str>) -> Result<Vec<KeptContent>, StateError> {
        let failed = || self.database.failed("reading the file bucket's index");
        let mut statement = self
            .database
            .connection
            .prepare_cached(
                "SELECT number, path, digest, mode, uid, gid, size, kept_at FROM kept
                 WHERE ?1 IS NULL OR path = ?1 ORDER BY number DESC",
            )
            .map_err(failed())?;
        let rows = statement
            .query_map([path], |row| {
                Ok(KeptContent {
                    number: row.get(0)?,
                    path: row.get(1)?,
                    digest: row.get(2)?,
                    mode: row.get(3)?,
                    uid: row.get(4)?,
                    gid: row.get(5)?,
                    size: row.get::<_, i64>(6)?.unsigned_abs(),
                    kept_at: row.get(7)?,
                })
            })
            .map_err(failed())?;
        rows.collect::<Result<_, _>>().map_err(failed())
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
