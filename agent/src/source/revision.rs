//! A revision: a commit's files, read straight from the object database.
//!
//! What must stay true: opening lists every file and refuses, by path, whatever a policy repository
//! must not hold; contents are read only when asked for, one copy each, and are what the commit's
//! name promises (every commit, tree and blob is hashed when it is read). There is no checkout.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;
use gix::objs::{CommitRef, Kind, TreeRefIter};
use serde::{Serialize, Serializer};
use steadfast_policies::{Repository, RepositoryError};

use super::error::SourceError;
use super::names::{self, MAX_DEPTH, MAX_REFUSALS, Refusal, RefusalReason};
use super::objects::{Objects, STRUCTURE_LIMIT, damaged};
use super::settings::Limits;
use super::store;

/// The name of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RevisionId(pub(super) ObjectId);

impl RevisionId {
    /// The first twelve hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.0.to_hex_with_len(12).to_string()
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl FromStr for RevisionId {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        ObjectId::from_hex(text.as_bytes())
            .map(Self)
            .map_err(|_| SourceError::UnknownRevision { id: text.escape_default().to_string() })
    }
}

impl Serialize for RevisionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a report says about a commit. Without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevisionInformation {
    /// The commit.
    pub id: RevisionId,
    /// Who wrote it: `Name <mail>`.
    pub author: String,
    /// When it was written, in seconds since 1970 (what the author's clock said).
    pub authored: i64,
    /// Who committed it: `Name <mail>`.
    pub committer: String,
    /// When it was committed, in seconds since 1970 (what the committer's clock said).
    pub committed: i64,
    /// The first line of its message.
    pub subject: String,
}

impl RevisionInformation {
    /// The commit as reports name it, got from `source`.
    pub fn described(&self, source: &str) -> crate::report::Revision {
        crate::report::Revision {
            source: source.to_owned(),
            commit: Some(self.id.to_string()),
            author: Some(self.author.clone()),
            committed: jiff::Timestamp::from_second(self.committed)
                .ok()
                .map(|time| time.to_string()),
            subject: Some(self.subject.clone()),
            verification: "none: signatures are not checked".to_owned(),
        }
    }
}

/// A commit's files below one directory.
pub struct Revision {
    objects: Objects,
    information: RevisionInformation,
    files: Vec<File>,
    limits: Limits,
    /// The file to make when an object turns out to be damaged.
    marker: Option<PathBuf>,
}

/// A file of a revision.
pub(super) struct File {
    pub(super) path: String,
    pub(super) id: ObjectId,
    pub(super) size: u64,
    pub(super) executable: bool,
}

impl Revision {
    /// Lists the files of commit `id` below the directory `path` (`.` for all).
    pub(super) fn open(
        objects: Objects,
        id: RevisionId,
        path: &str,
        limits: &Limits,
    ) -> Result<Self, SourceError> {
        let (information, root) = commit(&objects, id)?;
        let directory = descend(&objects, root, path, id)?;
        let mut walk = Walk::new(&objects, limits);
        walk.directory(&directory, "", 0)?;
        let Walk { mut files, refusals, .. } = walk;
        if !refusals.is_empty() {
            return Err(SourceError::Refused(refusals));
        }
        // Git's order of trees is this order already; what somebody else wrote may not be.
        files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        Ok(Self { objects, information, files, limits: *limits, marker: None })
    }

    /// The same revision, which makes the file `marker` when it meets a damaged object.
    pub(super) fn with_marker(self, marker: PathBuf) -> Self {
        Self { marker: Some(marker), ..self }
    }

    /// What a report says about this revision.
    pub fn information(&self) -> &RevisionInformation {
        &self.information
    }

    /// How many files there are.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    fn find(&self, path: &str) -> Option<&File> {
        let found = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(found)
    }
}

impl Repository for Revision {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(self.files.iter().map(|file| file.path.clone()).collect())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        let Some(file) = self.find(path) else { return Ok(None) };
        let read = self.objects.read(&file.id, Kind::Blob, self.limits.max_blob_bytes);
        read.map(Some).map_err(|error| {
            if let (SourceError::Damaged { .. }, Some(marker)) = (&error, &self.marker) {
                store::note_damage(marker);
            }
            repository_error(path, &error)
        })
    }

    fn executable(&self, path: &str) -> Result<bool, RepositoryError> {
        Ok(self.find(path).is_some_and(|file| file.executable))
    }
}

/// An error with its advice, as evaluation sees it.
pub(super) fn repository_error(path: &str, error: &SourceError) -> RepositoryError {
    let mut reason = steadfast_resources::Failure::from_error(error).reason;
    if let Some(hint) = error.hint() {
        reason.push_str(" (");
        reason.push_str(&hint);
        reason.push(')');
    }
    RepositoryError { path: path.to_owned(), reason }
}

/// A commit's facts and its tree.
pub(super) fn commit(
    objects: &Objects,
    id: RevisionId,
) -> Result<(RevisionInformation, ObjectId), SourceError> {
    if let Ok(None) = objects.repository().try_find_header(id.0) {
        return Err(SourceError::UnknownRevision { id: id.to_string() });
    }
    let content = objects.read(&id.0, Kind::Commit, STRUCTURE_LIMIT)?;
    let parsed = CommitRef::from_bytes(&content, id.0.kind())
        .map_err(|error| damaged(&id.0, format!("is not a sound commit: {error}")))?;
    let tree = ObjectId::from_hex(parsed.tree)
        .map_err(|error| damaged(&id.0, format!("is not a sound commit: {error}")))?;
    let committer = parsed.committer().ok();
    let author = parsed.author().ok();
    let information = RevisionInformation {
        id,
        authored: author.and_then(|who| who.time().ok()).map_or(0, |time| time.seconds),
        author: author.map(|who| person(who.name, who.email)).unwrap_or_default(),
        committer: committer.map(|who| person(who.name, who.email)).unwrap_or_default(),
        committed: committer.and_then(|who| who.time().ok()).map_or(0, |time| time.seconds),
        subject: harmless(parsed.message.lines().next().unwrap_or_default()),
    };
    Ok((information, tree))
}

fn person(name: &[u8], email: &[u8]) -> String {
    format!("{} <{}>", harmless(name), harmless(email))
}

/// Text that cannot steer a terminal.
fn harmless(text: &[u8]) -> String {
    text.to_str_lossy().chars().filter(|c| !c.is_control()).collect()
}

/// The tree of the directory `path` below `root`.
fn descend(
    objects: &Objects,
    root: ObjectId,
    path: &str,
    id: RevisionId,
) -> Result<ObjectId, SourceError> {
    let mut directory = root;
    for component in
        names::components(path).map_err(|refusal| SourceError::Refused(vec![refusal]))?
    {
        let content = objects.read(&directory, Kind::Tree, STRUCTURE_LIMIT)?;
        let entry = TreeRefIter::from_bytes(&content, directory.kind())
            .filter_map(Result::ok)
            .find(|entry| entry.filename == component && entry.mode.is_tree());
        let Some(entry) = entry else {
            return Err(SourceError::NoDirectory {
                path: path.to_owned(),
                revision: id.to_string(),
            });
        };
        directory = entry.oid.to_owned();
    }
    Ok(directory)
}

/// The collection of a revision's files.
struct Walk<'a> {
    objects: &'a Objects,
    limits: &'a Limits,
    files: Vec<File>,
    refusals: Vec<Refusal>,
    entries: u32,
    total: u64,
    over: bool,
}

impl<'a> Walk<'a> {
    fn new(objects: &'a Objects, limits: &'a Limits) -> Self {
        let (files, refusals) = (Vec::new(), Vec::new());
        Self { objects, limits, files, refusals, entries: 0, total: 0, over: false }
    }

    fn refuse(&mut self, path: &str, reason: RefusalReason) {
        self.refusals.push(Refusal::new(path, reason));
        self.over |= self.refusals.len() >= MAX_REFUSALS;
    }

    fn directory(&mut self, id: &ObjectId, prefix: &str, depth: usize) -> Result<(), SourceError> {
        if depth > MAX_DEPTH {
            self.refuse(prefix, RefusalReason::Depth);
            return Ok(());
        }
        let content = self.objects.read(id, Kind::Tree, STRUCTURE_LIMIT)?;
        let mut seen: Vec<&[u8]> = Vec::new();
        for entry in TreeRefIter::from_bytes(&content, id.kind()) {
            if self.over {
                return Ok(());
            }
            let entry =
                entry.map_err(|error| damaged(id, format!("is not a sound tree: {error}")))?;
            seen.push(entry.filename);
            let path = joined(prefix, &entry.filename.to_str_lossy());
            self.entries += 1;
            if self.entries > self.limits.max_files {
                self.refuse(&path, RefusalReason::TooMany { limit: self.limits.max_files });
                self.over = true;
                return Ok(());
            }
            if let Err(reason) = names::check_component(entry.filename) {
                self.refuse(&path, reason);
                continue;
            }
            match entry.mode.kind() {
                EntryKind::Tree => self.directory(&entry.oid.to_owned(), &path, depth + 1)?,
                EntryKind::Link => self.refuse(&path, RefusalReason::SymbolicLink),
                EntryKind::Commit => self.refuse(&path, RefusalReason::Submodule),
                kind @ (EntryKind::Blob | EntryKind::BlobExecutable) => {
                    // Git itself writes these three; the last comes from its first years.
                    if matches!(entry.mode.value(), 0o100_644 | 0o100_755 | 0o100_664) {
                        let executable = kind == EntryKind::BlobExecutable;
                        self.file(path, entry.oid.to_owned(), executable)?;
                    } else {
                        self.refuse(&path, RefusalReason::Mode);
                    }
                }
            }
        }
        seen.sort_unstable();
        for pair in seen.windows(2) {
            if let [first, second] = pair
                && first == second
            {
                self.refuse(&joined(prefix, &first.to_str_lossy()), RefusalReason::Duplicate);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: String, id: ObjectId, executable: bool) -> Result<(), SourceError> {
        let (kind, size) = self.objects.header(&id)?;
        if kind != Kind::Blob {
            return Err(damaged(&id, format!("is a {kind} instead of a blob")));
        }
        if size > self.limits.max_blob_bytes {
            let limit = self.limits.max_blob_bytes;
            self.refuse(&path, RefusalReason::TooLarge { size, limit });
            return Ok(());
        }
        self.total = self.total.saturating_add(size);
        if self.total > self.limits.max_total_bytes {
            let limit = self.limits.max_total_bytes;
            self.refuse(&path, RefusalReason::TotalTooLarge { limit });
            self.over = true;
            return Ok(());
        }
        self.files.push(File { path, id, size, executable });
        Ok(())
    }
}

fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") }
}
