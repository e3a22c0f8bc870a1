//! Which part of a tree is meant: how deep, and what is left alone.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// How deep a tree is copied and purged, and what in it is neither.
#[derive(Debug)]
pub(super) struct Selection {
    limit: usize,
    /// Matched against names.
    names: GlobSet,
    /// Matched against paths below the tree's top.
    paths: GlobSet,
}

impl Selection {
    /// Reads the globs; the error is a sentence without a full stop.
    pub(super) fn new(globs: &[&str], limit: usize) -> Result<Self, String> {
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for glob in globs {
            let pattern = glob.trim_start_matches('/').trim_end_matches('/');
            let compiled = GlobBuilder::new(pattern)
                .literal_separator(true)
                .build()
                .map_err(|error| format!("{glob:?} is no glob: {}", error.kind()))?;
            let builder =
                if glob.trim_end_matches('/').contains('/') { &mut paths } else { &mut names };
            builder.add(compiled);
        }
        let build = |builder: GlobSetBuilder| builder.build().map_err(|error| error.to_string());
        Ok(Self { limit, names: build(names)?, paths: build(paths)? })
    }

    /// Whether anything is excluded at all.
    pub(super) fn excludes_something(&self) -> bool {
        !self.names.is_empty() || !self.paths.is_empty()
    }

    /// Whether the entry at `path` below the top is excluded itself; its parents are not asked.
    pub(super) fn excludes(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.names.is_match(name) || self.paths.is_match(path)
    }

    /// Whether entries so many levels below the top (1: directly in it) are meant.
    pub(super) fn reaches(&self, level: usize) -> bool {
        level <= self.limit
    }

    /// Whether the entry at `path` is meant: deep enough, and neither it nor a parent excluded.
    pub(super) fn includes(&self, path: &str) -> bool {
        self.reaches(level(path))
            && !(self.excludes_something()
                && path
                    .match_indices('/')
                    .map(|(end, _)| path.get(..end).unwrap_or_default())
                    .chain([path])
                    .any(|prefix| self.excludes(prefix)))
    }
}

/// How many levels below the top `path` is.
pub(super) fn level(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant() {
        let selection = Selection::new(&["*.bak", "cache/", "conf.d/local*", "/top"], 3).unwrap();
        for (path, included) in [
            ("a", true),
            ("a.bak", false),
            ("d/a.bak", false),
            ("cache", false),
            ("cache/a", false),
            ("x/cache/a", false),
            ("conf.d/local.conf", false),
            ("x/conf.d/local.conf", true),
            ("conf.d/other.conf", true),
            ("a/b/c", true),
            ("a/b/c/d", false),
        ] {
            assert_eq!(selection.includes(path), included, "{path}");
        }
        assert!(Selection::new(&["a[b"], 1).is_err());
    }
}
