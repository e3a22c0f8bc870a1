//! What other resources manage below a tree that purges: it stays, and so do the directories on the
//! way to it. Pure, except that a tree is told its neighbours once.

use std::sync::OnceLock;

use super::wanted::{Shape, Wanted};
use crate::host::files::AbsolutePath;

/// Paths below a tree that other resources manage, sorted. Empty until it is told.
#[derive(Debug, Default)]
pub(super) struct Neighbours(OnceLock<Box<[String]>>);

impl Neighbours {
    fn paths(&self) -> &[String] {
        self.0.get().map_or(&[], AsRef::as_ref)
    }

    /// Whether another resource manages the entry at `path` below the tree's top.
    pub(super) fn include(&self, path: &str) -> bool {
        self.paths().binary_search_by(|neighbour| neighbour.as_str().cmp(path)).is_ok()
    }

    /// Whether there are any below the directory at `path`.
    pub(super) fn any_below(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        let first = self.paths().partition_point(|neighbour| *neighbour < prefix);
        self.paths().get(first).is_some_and(|neighbour| neighbour.starts_with(&prefix))
    }
}

/// Tells every tree that purges what the others manage below it.
pub(super) fn announce(wanted: &[&Wanted]) {
    let purging = |wanted: &&&Wanted| matches!(&wanted.shape, Shape::Tree(tree) if tree.purge);
    let mut trees = wanted.iter().filter(purging).peekable();
    if trees.peek().is_none() {
        return;
    }
    let mut paths: Vec<&AbsolutePath> = wanted.iter().map(|wanted| &wanted.path).collect();
    paths.sort_unstable();
    for tree in trees {
        let Shape::Tree(wish) = &tree.shape else { continue };
        let mut below: Vec<String> = paths
            .iter()
            .filter_map(|path| path.as_path().strip_prefix(&tree.path).ok())
            .filter(|below| !below.as_os_str().is_empty())
            .map(|below| below.to_string_lossy().into_owned())
            .collect();
        below.sort_unstable();
        // A tree is told once: the resources of a catalog do not change.
        let _ = wish.neighbours.0.set(below.into());
    }
}
