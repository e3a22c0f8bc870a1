//! A policy repository as it will be once a patch is applied.

use std::collections::BTreeMap;

use steadfast_policies::{Repository, RepositoryError};

/// A repository with some files changed. Nothing is written.
pub(super) struct Overlay<'a> {
    base: &'a dyn Repository,
    /// The new contents; `None` where the file goes.
    changed: BTreeMap<String, Option<Vec<u8>>>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(base: &'a dyn Repository) -> Self {
        Self { base, changed: BTreeMap::new() }
    }

    /// Gives the file at `path` this content, or takes it away.
    pub(super) fn put(&mut self, path: &str, content: Option<Vec<u8>>) {
        self.changed.insert(path.to_owned(), content);
    }

    /// Forgets the changes that `keep` does not want.
    pub(super) fn back_to(&mut self, changed: BTreeMap<String, Option<Vec<u8>>>) {
        self.changed = changed;
    }

    /// The changes so far.
    pub(super) fn changes(&self) -> &BTreeMap<String, Option<Vec<u8>>> {
        &self.changed
    }
}

impl Repository for Overlay<'_> {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        let mut paths = self.base.paths()?;
        paths.retain(|path| !matches!(self.changed.get(path), Some(None)));
        Ok(paths)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        match self.changed.get(path) {
            Some(content) => Ok(content.clone()),
            None => self.base.read(path),
        }
    }

    fn executable(&self, path: &str) -> Result<bool, RepositoryError> {
        self.base.executable(path)
    }
}
