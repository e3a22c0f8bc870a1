//! From lines of a file back to the commits that brought them.
//!
//! The way of git-blame(1): a commit passes every line that one of its parents has too to that
//! parent, and answers for the rest. A file that a parent has under another name, with the same
//! content, is followed there; a file that was renamed and changed in one commit is new in it.

use std::collections::{BinaryHeap, HashMap};

use gix::ObjectId;
use gix::objs::{CommitRef, Kind, TreeRefIter};

use super::super::error::SourceError;
use super::super::objects::{STRUCTURE_LIMIT, damaged};
use super::super::revision::RevisionId;
use super::lines::origins;
use super::{History, Touch};

/// How many commits are looked at; what is older is told to be at or before the last of them.
const ENOUGH: usize = 100_000;

/// A commit as far as it matters here.
pub(super) struct Version {
    tree: ObjectId,
    /// Those whose objects are here.
    parents: Vec<ObjectId>,
    time: i64,
    /// Whether it has parents that are not kept here.
    cut: bool,
}

/// What is still to be looked at: newest first.
type Queue = BinaryHeap<(i64, ObjectId)>;

/// Lines asked for: where the answer goes, and the line's number (from 0) in the version at hand.
type Open = Vec<(usize, u32)>;

impl History {
    /// Who brought each of `lines` (from 0) of the file at `path` of the start commit.
    pub(super) fn trace(&self, path: &str, lines: &[u32]) -> Result<Vec<Touch>, SourceError> {
        let mut answers: Vec<Option<Touch>> = Vec::new();
        answers.resize_with(lines.len(), || None);
        let first: Open = lines.iter().copied().enumerate().collect();
        let mut open: HashMap<ObjectId, HashMap<String, Open>> = HashMap::new();
        open.entry(self.start).or_default().insert(path.to_owned(), first);
        let mut queue = Queue::from([(0, self.start)]);
        let mut seen = 0;
        while let Some((_, id)) = queue.pop() {
            let Some(files) = open.remove(&id) else { continue };
            seen += 1;
            let version = self.version(&id)?;
            for (path, asked) in files {
                let rest = if seen > ENOUGH {
                    asked
                } else {
                    self.pass_on(&version, &path, asked, &mut |parent, path, passed| {
                        queue.push((parent.1, parent.0));
                        let files = open.entry(parent.0).or_default();
                        files.entry(path).or_default().extend(passed);
                    })?
                };
                if rest.is_empty() {
                    continue;
                }
                let touch = self.touch(&id, version.cut || seen > ENOUGH)?;
                for (answer, _) in rest {
                    if let Some(slot) = answers.get_mut(answer) {
                        *slot = Some(touch.clone());
                    }
                }
            }
        }
        Ok(answers.into_iter().map(|answer| answer.unwrap_or(Touch::Uncommitted)).collect())
    }

    /// Gives the lines that a parent has too to `pass`; the others.
    fn pass_on(
        &self,
        version: &Version,
        path: &str,
        mut asked: Open,
        pass: &mut dyn FnMut((ObjectId, i64), String, Open),
    ) -> Result<Open, SourceError> {
        let Some(own) = self.entry(&version.tree, path)? else { return Ok(asked) };
        let mut older = Vec::with_capacity(version.parents.len());
        for parent in &version.parents {
            let known = self.version(parent)?;
            let entry = self.entry(&known.tree, path)?;
            if entry == Some(own) {
                pass((*parent, known.time), path.to_owned(), asked);
                return Ok(Vec::new());
            }
            older.push((*parent, known, entry));
        }
        if older.iter().all(|(_, _, entry)| entry.is_none()) {
            for (parent, known, _) in older {
                if let Some(path) = self.renamed(&known.tree, &version.tree, &own)? {
                    pass((parent, known.time), path, asked);
                    return Ok(Vec::new());
                }
            }
            return Ok(asked);
        }
        let new = self.content(&own)?;
        for (parent, known, entry) in older {
            let Some(entry) = entry else { continue };
            let origins = origins(&self.content(&entry)?, &new);
            let mut passed = Open::new();
            asked.retain(|(answer, line)| {
                let origin = origins.get(*line as usize).copied().flatten();
                passed.extend(origin.map(|origin| (*answer, origin)));
                origin.is_none()
            });
            if !passed.is_empty() {
                pass((parent, known.time), path.to_owned(), passed);
            }
        }
        Ok(asked)
    }

    /// The commit that last changed the file or directory at `path` of the start commit.
    pub(super) fn last(&self, path: &str) -> Result<Option<Touch>, SourceError> {
        let mut id = self.start;
        for _ in 0..ENOUGH {
            let version = self.version(&id)?;
            let Some(own) = self.entry(&version.tree, path)? else { return Ok(None) };
            let mut same = None;
            for parent in &version.parents {
                let older = self.version(parent)?;
                if self.entry(&older.tree, path)? == Some(own) {
                    same = Some(*parent);
                    break;
                }
            }
            match same {
                Some(parent) => id = parent,
                None => return self.touch(&id, version.cut).map(Some),
            }
        }
        self.touch(&id, true).map(Some)
    }

    /// The blob or tree at `path`, whose components are separated by `/`, below `tree`.
    pub(super) fn entry(
        &self,
        tree: &ObjectId,
        path: &str,
    ) -> Result<Option<ObjectId>, SourceError> {
        let mut at = *tree;
        let mut names = path.split('/').peekable();
        while let Some(name) = names.next() {
            let content = self.objects.read(&at, Kind::Tree, STRUCTURE_LIMIT)?;
            let found = TreeRefIter::from_bytes(&content, at.kind())
                .filter_map(Result::ok)
                .find(|entry| entry.filename == name);
            let Some(found) = found else { return Ok(None) };
            if names.peek().is_some() && !found.mode.is_tree() {
                return Ok(None);
            }
            at = found.oid.to_owned();
        }
        Ok(Some(at))
    }

    /// The path of the blob `id` below `older` that `newer` has nothing at any more.
    fn renamed(
        &self,
        older: &ObjectId,
        newer: &ObjectId,
        id: &ObjectId,
    ) -> Result<Option<String>, SourceError> {
        let mut open = vec![(*older, String::new())];
        while let Some((tree, prefix)) = open.pop() {
            let content = self.objects.read(&tree, Kind::Tree, STRUCTURE_LIMIT)?;
            for entry in TreeRefIter::from_bytes(&content, tree.kind()).filter_map(Result::ok) {
                let Ok(name) = std::str::from_utf8(entry.filename) else { continue };
                let path = format!("{prefix}{name}");
                if entry.mode.is_tree() {
                    open.push((entry.oid.to_owned(), format!("{path}/")));
                } else if entry.oid == *id && self.entry(newer, &path)?.is_none() {
                    return Ok(Some(path));
                }
            }
        }
        Ok(None)
    }

    /// The commit `id`.
    pub(super) fn version(&self, id: &ObjectId) -> Result<Version, SourceError> {
        let content = self.objects.read(id, Kind::Commit, STRUCTURE_LIMIT)?;
        let unsound = || damaged(id, "is not a sound commit".to_owned());
        let commit = CommitRef::from_bytes(&content, id.kind()).map_err(|_| unsound())?;
        let tree = ObjectId::from_hex(commit.tree).map_err(|_| unsound())?;
        let mut parents: Vec<ObjectId> =
            commit.parents.iter().filter_map(|parent| ObjectId::from_hex(parent).ok()).collect();
        let count = parents.len();
        if self.shallow.contains(id) {
            parents.clear();
        }
        parents.retain(|parent| self.objects.repository().has_object(*parent));
        let time = commit.committer().ok().and_then(|who| who.time().ok());
        let cut = parents.len() < count;
        Ok(Version { tree, parents, time: time.map_or(0, |time| time.seconds), cut })
    }

    fn touch(&self, id: &ObjectId, cut: bool) -> Result<Touch, SourceError> {
        let (information, _) = super::super::revision::commit(&self.objects, RevisionId(*id))?;
        Ok(if cut { Touch::AtOrBefore(information) } else { Touch::Commit(information) })
    }
}

impl Version {
    pub(super) fn tree(&self) -> &ObjectId {
        &self.tree
    }
}
