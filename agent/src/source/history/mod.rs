//! Who last touched what: which commit brought each line of a file, and which last changed a file.
//!
//! What must stay true: objects are read by the same door as everywhere (hashed when read), and no
//! program, filter or attribute of Git has a say. Where the history that is kept ends, the answer
//! says so ([`Touch::AtOrBefore`]) instead of naming the oldest commit as the author of everything.

mod lines;
mod walk;

use std::collections::HashSet;
use std::path::Path;

use gix::ObjectId;
use gix::objs::Kind;
use serde::Serialize;

use super::error::SourceError;
use super::location::Location;
use super::objects::Objects;
use super::revision::{RevisionId, RevisionInformation};
use super::settings::Limits;
use super::{Source, identity, names, references};

/// The largest file whose lines are followed, in bytes.
const MAXIMUM_FILE: u64 = 16 << 20;

/// A commit that something was last touched by, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Touch {
    /// This one.
    Commit(RevisionInformation),
    /// This one or an older one: the history that is kept ends with it.
    AtOrBefore(RevisionInformation),
    /// None yet: it is only in the working directory.
    Uncommitted,
}

/// Why there is no history to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoHistory {
    /// The directory is in no Git work tree.
    Unversioned,
    /// The work tree has no commit yet.
    NoCommit,
    /// The repository cannot be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// The history of a policy repository up to one commit.
pub struct History {
    objects: Objects,
    start: ObjectId,
    /// The directory within the repository that holds `site.toml`; empty for its root.
    prefix: String,
    /// Commits whose parents are not kept.
    shallow: HashSet<ObjectId>,
}

impl History {
    fn new(repository: gix::Repository, start: ObjectId, prefix: String) -> Self {
        let shallow = repository.shallow_commits().ok().flatten();
        let shallow = shallow.map(|commits| commits.iter().copied().collect()).unwrap_or_default();
        Self { objects: Objects::new(repository), start, prefix, shallow }
    }

    /// Who touched each of `lines` (from 1) of the file at `path`, whose content is `content` now:
    /// what differs from the commit is uncommitted.
    pub fn lines(
        &self,
        path: &str,
        content: &[u8],
        lines: &[u32],
    ) -> Result<Vec<Touch>, SourceError> {
        let path = self.full(path);
        let tree = *self.version(&self.start)?.tree();
        let mut touches = vec![Touch::Uncommitted; lines.len()];
        let Some(blob) = self.entry(&tree, &path)? else { return Ok(touches) };
        let origins = lines::origins(&self.content(&blob)?, content);
        let committed: Vec<(usize, u32)> = lines
            .iter()
            .enumerate()
            .filter_map(|(index, line)| {
                let at = usize::try_from(line.checked_sub(1)?).ok()?;
                Some((index, origins.get(at).copied().flatten()?))
            })
            .collect();
        let asked: Vec<u32> = committed.iter().map(|(_, line)| *line).collect();
        for ((index, _), touch) in committed.iter().zip(self.trace(&path, &asked)?) {
            if let Some(slot) = touches.get_mut(*index) {
                *slot = touch;
            }
        }
        Ok(touches)
    }

    /// The commit that last changed the file or directory at `path`; `None` where the commit at
    /// hand has none there.
    pub fn last_change(&self, path: &str) -> Result<Option<Touch>, SourceError> {
        self.last(&self.full(path))
    }

    /// Whether the file at `path` is committed with exactly this content.
    pub fn has(&self, path: &str, content: &[u8]) -> Result<bool, SourceError> {
        let tree = *self.version(&self.start)?.tree();
        let Some(blob) = self.entry(&tree, &self.full(path))? else { return Ok(false) };
        let computed = gix::objs::compute_hash(blob.kind(), Kind::Blob, content);
        Ok(computed.is_ok_and(|computed| computed == blob))
    }

    fn full(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    fn content(&self, id: &ObjectId) -> Result<Vec<u8>, SourceError> {
        self.objects.read(id, Kind::Blob, MAXIMUM_FILE)
    }
}

impl Source {
    /// The history up to `id`. A repository on this machine is asked itself; of every other one,
    /// the copy knows as many commits as the setting `depth` keeps.
    pub fn history(&self, id: RevisionId) -> Result<History, SourceError> {
        let components = names::components(&self.settings.path)
            .map_err(|refusal| SourceError::Refused(vec![refusal]))?;
        let prefix = components.join("/");
        if let Location::Local { path } = &self.location
            && let Ok(origin) =
                gix::open_opts(path, references::open_options(&self.settings.limits))
            && origin.has_object(id.0)
        {
            return Ok(History::new(origin, id.0, prefix));
        }
        Ok(History::new(self.store.repository()?, id.0, prefix))
    }
}

impl History {
    /// The history up to the commit that is checked out in `directory`, an absolute path.
    pub fn of_directory(directory: &Path) -> Result<Self, NoHistory> {
        let unreadable = |reason: String| NoHistory::Unreadable { reason };
        let Some((top, prefix)) = identity::top_of(directory) else {
            return Err(NoHistory::Unversioned);
        };
        let repository = gix::open_opts(&top, references::open_options(&Limits::default()))
            .map_err(|error| unreadable(error.to_string()))?;
        let head = repository.head().map_err(|error| unreadable(error.to_string()))?;
        if head.is_unborn() {
            return Err(NoHistory::NoCommit);
        }
        let start = repository.head_id().map_err(|error| unreadable(error.to_string()))?.detach();
        Ok(Self::new(repository, start, prefix))
    }
}
