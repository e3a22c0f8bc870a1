//! The files that templates include and `file()` reads.
//!
//! The engine may not hold on to the repository (its functions outlive any borrow), so a file that
//! is asked for first is noted as wanted, the evaluation fails, the file is fetched, and the
//! evaluation is tried again. Evaluation is pure, so trying again is harmless.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::map::Map;

/// What is known about a file of the repository.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Text(Arc<str>),
    /// It exists and is not UTF-8.
    Binary,
    Missing,
}

/// The files fetched so far.
#[derive(Debug, Default)]
pub(crate) struct Library {
    state: Mutex<State>,
    /// Whether anything is wanted: asked after every evaluation.
    any_wanted: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    files: Map<String, Known>,
    inline: Map<String, String>,
    wanted: BTreeSet<String>,
}

/// What stands between a policy's directory and the rest of a template's name. Directories of
/// policies cannot contain it.
const SEPARATOR: char = ':';

/// How the names of strings in policies start, after the separator; no path does.
const INLINE: &str = "\0";

impl Library {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of the template for the file at `path`, relative to `directory`.
    pub(crate) fn file_name(directory: &str, path: &str) -> String {
        format!("{directory}{SEPARATOR}{path}")
    }

    /// Keeps an interpolated string under a name that includes resolve against.
    pub(crate) fn keep_inline(&self, directory: &str, key: &str, text: &str) -> String {
        let name = format!("{directory}{SEPARATOR}{INLINE}{key}");
        self.state().inline.insert(name.clone(), text.to_owned());
        name
    }

    /// The name that an include of `name` within the template `parent` has.
    pub(crate) fn join(name: &str, parent: &str) -> String {
        let directory = parent.split(SEPARATOR).next().unwrap_or_default();
        Self::file_name(directory, name)
    }

    /// The repository path of a template's name; `None` for a string in a policy.
    pub(crate) fn path(name: &str) -> Option<Resolved> {
        let (directory, path) = name.split_once(SEPARATOR)?;
        (!path.starts_with(INLINE)).then(|| resolve(directory, path))
    }

    /// What a template's name, complete or as an include writes it, says within `directory`.
    pub(crate) fn within<'n>(name: &'n str, directory: &str) -> &'n str {
        let rest = name.strip_prefix(directory).and_then(|rest| rest.strip_prefix(SEPARATOR));
        rest.unwrap_or(name)
    }

    /// The text of a template, for the engine's loader.
    pub(crate) fn template(&self, name: &str) -> Option<String> {
        match Self::path(name) {
            None => self.state().inline.get(name).cloned(),
            Some(Resolved::Path(path)) => match self.file(&path) {
                Some(Known::Text(text)) => Some(text.as_ref().to_owned()),
                _ => None,
            },
            Some(_) => None,
        }
    }

    /// How many bytes the template called `name` has, as far as that is known.
    pub(crate) fn template_length(&self, name: &str) -> usize {
        let state = self.state();
        match Self::path(name) {
            None => state.inline.get(name).map_or(0, String::len),
            Some(Resolved::Path(path)) => match state.files.get(&path) {
                Some(Known::Text(text)) => text.len(),
                _ => 0,
            },
            Some(_) => 0,
        }
    }

    /// The file at `path`; `None` (and noted as wanted) while it is not fetched.
    pub(crate) fn file(&self, path: &str) -> Option<Known> {
        let mut state = self.state();
        let known = state.files.get(path).cloned();
        if known.is_none() {
            state.wanted.insert(path.to_owned());
            self.any_wanted.store(true, Ordering::Relaxed);
        }
        known
    }

    /// What was asked for and not fetched, to be fetched now.
    pub(crate) fn take_wanted(&self) -> BTreeSet<String> {
        if !self.any_wanted.load(Ordering::Relaxed) {
            return BTreeSet::new();
        }
        let mut state = self.state();
        self.any_wanted.store(false, Ordering::Relaxed);
        std::mem::take(&mut state.wanted)
    }

    /// Keeps what was fetched.
    pub(crate) fn keep(&self, path: String, known: Known) {
        self.state().files.insert(path, known);
    }
}

/// What a path written in a policy means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// A path of the repository.
    Path(String),
    /// It starts with `/`.
    Absolute,
    /// It contains `..`.
    Parent,
    /// It names nothing.
    Empty,
}

/// The repository path of `path`, which is relative to `directory`.
pub(crate) fn resolve(directory: &str, path: &str) -> Resolved {
    if path.starts_with('/') {
        return Resolved::Absolute;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return Resolved::Parent,
            part => parts.push(part),
        }
    }
    if parts.is_empty() || path.contains('\0') {
        return Resolved::Empty;
    }
    let path = parts.join("/");
    Resolved::Path(if directory.is_empty() { path } else { format!("{directory}/{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_policy() {
        let path = |text: &str| Resolved::Path(text.to_owned());
        for (directory, written, expected) in [
            ("policies/web", "templates/a", path("policies/web/templates/a")),
            ("policies/web", "./templates//a", path("policies/web/templates/a")),
            ("", "a", path("a")),
            ("policies/web", "../ssh/key", Resolved::Parent),
            ("policies/web", "a/../../key", Resolved::Parent),
            ("policies/web", "/etc/shadow", Resolved::Absolute),
            ("policies/web", "", Resolved::Empty),
            ("policies/web", "./", Resolved::Empty),
            ("policies/web", "..a", path("policies/web/..a")),
        ] {
            assert_eq!(resolve(directory, written), expected, "{written}");
        }
    }
}
