//! A resource as a list of goals, one for each path: a single file is one goal, a tree has one for
//! its top and one for everything below. Pure.

use std::collections::BTreeSet;

use super::mode::ModeWish;
use super::wanted::{Content, Download, Shape, TreeWish, Wanted};
use crate::host::files::{AbsolutePath, Mode};
use crate::value::Tree;

/// What is wanted at one path.
#[derive(Debug, Clone)]
pub(super) struct Goal<'a> {
    /// The path below the tree's top; empty for the resource's own path.
    pub(super) below: &'a str,
    pub(super) shape: GoalShape<'a>,
    pub(super) mode: Option<&'a ModeWish>,
}

/// What there should be at one path.
#[derive(Debug, Clone, Copy)]
pub(super) enum GoalShape<'a> {
    Unspecified,
    Present,
    Absent,
    /// A regular file; without content, with whatever content.
    File {
        content: Option<Bytes<'a>>,
        executable: bool,
    },
    Directory,
    Symlink(&'a str),
}

/// The bytes of a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bytes<'a> {
    /// These.
    Here(&'a [u8]),
    /// Those that have this digest.
    Remote(&'a Download),
}

impl Goal<'_> {
    pub(super) fn path(&self, top: &AbsolutePath) -> AbsolutePath {
        top.join(self.below)
    }

    /// The permissions of what is newly created.
    pub(super) fn created_mode(&self) -> Mode {
        let (bits, is_directory) = match self.shape {
            GoalShape::Directory => (0o755, true),
            GoalShape::File { executable: true, .. } => (0o755, false),
            _ => (0o644, false),
        };
        let default = Mode::new(bits);
        self.mode.map_or(default, |mode| mode.applied(default, is_directory))
    }
}

impl Wanted {
    /// The goal at the resource's own path.
    pub(super) fn top(&self) -> Goal<'_> {
        let shape = match &self.shape {
            Shape::Unspecified => GoalShape::Unspecified,
            Shape::Present => GoalShape::Present,
            Shape::Absent => GoalShape::Absent,
            Shape::File(None) => GoalShape::File { content: None, executable: false },
            Shape::File(Some(content)) => {
                let executable = matches!(content, Content::Blob { executable: true, .. });
                GoalShape::File { content: Some(content.bytes()), executable }
            }
            Shape::Directory | Shape::Tree(_) => GoalShape::Directory,
            Shape::Symlink(target) => GoalShape::Symlink(target),
        };
        let mode = match &self.shape {
            Shape::Tree(tree) => tree.directory_mode.as_ref(),
            _ => self.mode.as_ref(),
        };
        Goal { below: "", shape, mode }
    }

    /// The goals below it, every directory before what is in it.
    pub(super) fn members(&self) -> Vec<Goal<'_>> {
        let Shape::Tree(wish) = &self.shape else { return Vec::new() };
        let Tree::Directory(entries) = wish.tree.as_ref() else { return Vec::new() };
        let mut goals: Vec<Goal<'_>> = wish
            .directories()
            .into_iter()
            .map(|below| Goal {
                below,
                shape: GoalShape::Directory,
                mode: wish.directory_mode.as_ref(),
            })
            .collect();
        let files = entries.iter().filter(|entry| wish.selection.includes(&entry.path));
        goals.extend(files.map(|entry| Goal {
            below: &entry.path,
            shape: GoalShape::File {
                content: Some(Bytes::Here(&entry.content)),
                executable: entry.executable,
            },
            mode: self.mode.as_ref(),
        }));
        goals.sort_by(|left, right| left.below.cmp(right.below));
        goals
    }

    /// The bytes wanted at `below` the resource's own path, if it is to be a file with content.
    pub(super) fn content_at(&self, below: &str) -> Option<Bytes<'_>> {
        match &self.shape {
            Shape::File(Some(content)) if below.is_empty() => Some(content.bytes()),
            Shape::File(None) | Shape::Present if below.is_empty() => Some(Bytes::Here(&[])),
            Shape::Tree(wish) => match wish.tree.as_ref() {
                Tree::Directory(entries) => entries
                    .iter()
                    .find(|entry| entry.path == below)
                    .map(|entry| Bytes::Here(&entry.content)),
                Tree::File { .. } => None,
            },
            _ => None,
        }
    }
}

impl TreeWish {
    /// The directories below the top that are copied, by path below it, sorted.
    pub(super) fn directories(&self) -> BTreeSet<&str> {
        let Tree::Directory(entries) = self.tree.as_ref() else { return BTreeSet::new() };
        entries
            .iter()
            .flat_map(|entry| {
                entry
                    .path
                    .match_indices('/')
                    .map(|(end, _)| entry.path.get(..end).unwrap_or_default())
            })
            .filter(|directory| self.selection.includes(directory))
            .collect()
    }
}

impl Content {
    fn bytes(&self) -> Bytes<'_> {
        match self {
            Self::Text(text) => Bytes::Here(text.as_bytes()),
            Self::Blob { content, .. } => Bytes::Here(content),
            Self::Download(download) => Bytes::Remote(download),
        }
    }
}
