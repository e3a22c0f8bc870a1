//! Who is to be told what: the resources that a directory's entries concern.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::occurrence::{Key, Occurrence};

/// A resource, by its place in the catalog.
pub(super) type Resource = u32;

/// A directory that is watched.
#[derive(Debug)]
pub(super) struct Directory {
    /// Where it really is; no component is a link.
    pub path: PathBuf,
    /// `None` where it could not be marked.
    pub key: Option<Key>,
    /// What the kernel was asked.
    pub asked: Occurrence,
    /// The entries that matter.
    pub names: HashMap<OsString, Listeners>,
    /// The resources for which entries that come and go matter whatever their name, at any depth.
    pub tree: Vec<Resource>,
    /// Where systemd's own links and files are: how many levels of directories below are so too.
    pub units: Option<u8>,
}

/// The resources that one entry concerns.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    /// Those whose content it is.
    pub content: Vec<Resource>,
    /// Those for which it matters that it is there, and its attributes.
    pub place: Vec<Resource>,
    /// Those to which it leads: a directory or a link above them.
    pub passage: Vec<Resource>,
}

/// What an event means.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    /// The resources it concerns.
    pub resources: BTreeSet<Resource>,
    /// Names of which some may be units that it concerns.
    pub units: Vec<String>,
    /// Whether directories are no longer where they were marked, or new ones are to be marked.
    pub moved: bool,
    /// Whether what it concerns will be finished by another event.
    pub unfinished: bool,
}

impl Listeners {
    /// Adds a resource once; those of one resource come one after another.
    pub(super) fn add(list: &mut Vec<Resource>, resource: Resource) {
        if list.last() != Some(&resource) {
            list.push(resource);
        }
    }
}

impl Directory {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            key: None,
            asked: Occurrence::PASSAGE,
            names: HashMap::new(),
            tree: Vec::new(),
            units: None,
        }
    }

    /// What has to be asked of the kernel for those who listen.
    pub(super) fn needed(&self) -> Occurrence {
        let listens = |some: fn(&Listeners) -> bool| self.names.values().any(some);
        if self.units.is_some() || listens(|listeners| !listeners.content.is_empty()) {
            Occurrence::CONTENTS
        } else if listens(|listeners| !listeners.place.is_empty()) {
            Occurrence::PLACES
        } else {
            Occurrence::PASSAGE
        }
    }

    /// Adds what it means that `what` happened to the entry called `name`.
    pub(super) fn tell(&self, name: &OsStr, what: Occurrence, meaning: &mut Meaning) {
        let names = what.intersects(Occurrence::NAMES);
        if let Some(listeners) = self.names.get(name) {
            let before = meaning.resources.len();
            if names || what.intersects(Occurrence::CONTENT | Occurrence::ATTRIBUTES) {
                meaning.resources.extend(&listeners.content);
            }
            if names || what.contains(Occurrence::ATTRIBUTES) {
                meaning.resources.extend(&listeners.place);
            }
            if names && !listeners.passage.is_empty() {
                meaning.resources.extend(&listeners.passage);
                meaning.moved = true;
            }
            meaning.unfinished |= meaning.resources.len() > before && !what.is_final();
        }
        if names {
            meaning.resources.extend(&self.tree);
            let inner = !self.tree.is_empty() || self.units.is_some_and(|levels| levels > 0);
            meaning.moved |= inner && what.contains(Occurrence::DIRECTORY);
        }
        if self.units.is_some() {
            // A link (`multi-user.target.wants/x.service`), a file, or what is in `x.service.d`.
            let above = self.path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.to_string_lossy();
            let unit = above.strip_suffix(".d").unwrap_or(name.strip_suffix(".d").unwrap_or(&name));
            meaning.units.push(unit.to_owned());
        }
    }
}
