//! Which commit a working directory is at, and whether it still is, for reports.
//!
//! Nothing here decides anything; so whatever cannot be found out is said to be unknown.

use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::objs::Kind;
use serde::Serialize;

use super::directory::{Entry, WorkingDirectory};
use super::objects::Objects;
use super::references;
use super::revision::{Revision, RevisionId, RevisionInformation};
use super::settings::Limits;

/// What a working directory is a version of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryIdentity {
    /// It belongs to a Git work tree.
    Git {
        /// The commit that is checked out; `None` before the first commit.
        head: Option<RevisionInformation>,
        /// Whether the files differ from that commit; `None` where that cannot be told.
        modified: Option<bool>,
    },
    /// It is not under version control.
    Unversioned,
}

impl std::fmt::Display for DirectoryIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unversioned => formatter.write_str("not under version control"),
            Self::Git { head: None, .. } => formatter.write_str("a work tree without a commit"),
            Self::Git { head: Some(head), modified } => {
                write!(formatter, "{}", head.id.short())?;
                match modified {
                    Some(true) => formatter.write_str(" with uncommitted changes"),
                    Some(false) => Ok(()),
                    None => formatter.write_str(", possibly changed since"),
                }
            }
        }
    }
}

impl WorkingDirectory {
    /// Finds out what this directory is a version of. Costs a look into Git's index, and hashes
    /// the files that changed since Git wrote it.
    pub fn identity(&self) -> DirectoryIdentity {
        let Some((repository, prefix)) = work_tree(self.root()) else {
            return DirectoryIdentity::Unversioned;
        };
        let Some(head) = repository.head_id().ok().map(gix::Id::detach) else {
            return DirectoryIdentity::Git { head: None, modified: Some(true) };
        };
        let index = repository.open_index().ok();
        let information =
            super::revision::commit(&Objects::new(repository.clone()), RevisionId(head))
                .ok()
                .map(|(information, _)| information);
        let objects = Objects::new(repository);
        let modified = Revision::open(objects, RevisionId(head), &prefix, &Limits::default())
            .ok()
            .map(|committed| differs(self, &committed, index.as_ref(), &prefix));
        DirectoryIdentity::Git { head: information, modified }
    }
}

/// The first of `files` (paths from the top of the Git work tree, and contents) that is not so in
/// the commit that is checked out in `directory`; `None` also where there is no Git work tree.
pub fn uncommitted<'a>(
    directory: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Option<&'a str> {
    let (repository, _) = work_tree(directory)?;
    let tree = repository.head_commit().ok().and_then(|commit| commit.tree().ok());
    let committed = |path: &str, content: &[u8]| {
        let entry = tree.as_ref()?.lookup_entry_by_path(path).ok()??;
        let id = gix::objs::compute_hash(repository.object_hash(), Kind::Blob, content).ok()?;
        (entry.object_id() == id).then_some(())
    };
    let mut files = files.into_iter();
    files.find(|(path, content)| committed(path, content).is_none()).map(|(path, _)| path)
}

/// The work tree that `directory` is in, and where.
fn work_tree(directory: &Path) -> Option<(gix::Repository, String)> {
    let (top, prefix) = top_of(directory)?;
    let repository = gix::open_opts(&top, references::open_options(&Limits::default())).ok()?;
    Some((repository, prefix))
}

/// The top of the work tree that `directory` is in, and the way from there.
pub(super) fn top_of(directory: &Path) -> Option<(PathBuf, String)> {
    let top = directory.ancestors().find(|ancestor| ancestor.join(".git").exists())?;
    let prefix = directory.strip_prefix(top).ok()?.to_str()?.to_owned();
    Some((top.to_owned(), prefix))
}

fn differs(
    directory: &WorkingDirectory,
    committed: &Revision,
    index: Option<&gix::index::File>,
    prefix: &str,
) -> bool {
    let (here, there) = (directory.files(), committed.files());
    here.len() != there.len()
        || here.iter().zip(there).any(|(entry, file)| {
            entry.path != file.path
                || entry.size != file.size
                || entry.executable != file.executable
                || !(index.is_some_and(|index| unchanged(entry, &file.id, index, prefix))
                    || same_content(directory, entry, &file.id))
        })
}

/// Whether Git's index vouches for a file: same time and size, older than the index itself (so not
/// changed in the same instant), and the same content name.
fn unchanged(entry: &Entry, id: &ObjectId, index: &gix::index::File, prefix: &str) -> bool {
    let path =
        if prefix.is_empty() { entry.path.clone() } else { format!("{prefix}/{}", entry.path) };
    let Some(known) = index.entry_by_path(path.as_str().into()) else { return false };
    let time = known.stat.mtime;
    let written = index.timestamp();
    known.id == *id
        && u64::from(known.stat.size) == entry.size
        && (i64::from(time.secs), time.nsecs) == entry.modified
        && (entry.modified.0, entry.modified.1) < (written.unix_seconds(), 0)
}

fn same_content(directory: &WorkingDirectory, entry: &Entry, id: &ObjectId) -> bool {
    directory
        .content(entry)
        .ok()
        .and_then(|content| gix::objs::compute_hash(id.kind(), Kind::Blob, &content).ok())
        .is_some_and(|computed| computed == *id)
}
