//! From paths to marked directories: which directories have to be watched so that no change to what
//! a path means is missed.
//!
//! A path means something else when any of its components does. So every directory on its way is
//! watched for the name that is passed in it: a directory that is replaced, moved away or not
//! there yet is an entry of the one above it. Links that root owns are passed as the kernel
//! passes them, and are watched themselves; others lead nowhere, as for the files port. A
//! directory is marked before anything in it is looked at, so that nothing can happen unseen in
//! between.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::FileType;

use super::listeners::{Directory, Listeners, Resource};
use super::marker::{Marker, is_limit, look};
use super::occurrence::{Key, Occurrence};
use crate::host::files::AbsolutePath;

/// How many links one path may lead over, as in the kernel (path_resolution(7)).
const LINK_LIMIT: usize = 40;
/// How many directories one tree may have.
const TREE_LIMIT: usize = 20_000;

/// Everything that is watched.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub directories: Vec<Directory>,
    by_path: HashMap<PathBuf, usize>,
    by_key: HashMap<Key, Vec<usize>>,
}

/// What of a path matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Content,
    Place,
}

impl Places {
    /// The directories that the kernel calls `key`: one, or one for each place it is mounted at.
    pub(super) fn called(&self, key: &Key) -> impl Iterator<Item = &Directory> {
        let indexes = self.by_key.get(key).map(Vec::as_slice).unwrap_or_default();
        indexes.iter().filter_map(|index| self.directories.get(*index))
    }

    /// What the kernel calls the directories.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.by_key.keys()
    }

    /// Takes away the marks of `self` that `newer` has no more.
    pub(super) fn retire(self, newer: &Self, marker: &mut Marker) {
        for directory in self.directories {
            if let Some(key) = directory.key
                && !newer.by_key.contains_key(&key)
            {
                marker.unmark(&key, &directory.path);
            }
        }
    }
}

/// The way to a directory.
#[derive(Debug, Clone, Default)]
struct Way {
    /// The directory; `None` where there is none.
    end: Option<usize>,
    /// The directories passed, and the names passed in them.
    steps: Vec<(usize, OsString)>,
    links: usize,
}

/// Marks directories and notes who listens in them.
pub(super) struct Builder<'a> {
    root: &'a Path,
    marker: &'a mut Marker,
    places: Places,
    /// By the path that policies know.
    ways: HashMap<PathBuf, Way>,
    complaints: Vec<String>,
    /// Directories that could not be marked because the kernel's limit is reached.
    over_limit: usize,
}

impl<'a> Builder<'a> {
    /// `root` is the managed root directory.
    pub(super) fn new(root: &'a Path, marker: &'a mut Marker) -> Self {
        let places = Places::default();
        let (ways, complaints) = (HashMap::new(), Vec::new());
        Self { root, marker, places, ways, complaints, over_limit: 0 }
    }

    /// `resource` listens to what is at `path`.
    pub(super) fn path(&mut self, resource: Resource, path: &AbsolutePath, depth: Depth) {
        let (directory, name) = path.split();
        if let Some(end) = self.pass(resource, Path::new(directory))
            && let Some(directory) = self.places.directories.get_mut(end)
        {
            let listeners = directory.names.entry(name.to_owned()).or_default();
            let list = match depth {
                Depth::Content => &mut listeners.content,
                Depth::Place => &mut listeners.place,
            };
            Listeners::add(list, resource);
        }
    }

    /// `resource` listens to entries that come and go below `path`.
    pub(super) fn tree(&mut self, resource: Resource, path: &AbsolutePath) {
        if let Some(top) = self.pass(resource, path.as_path()) {
            let listen = |directory: &mut Directory, _| {
                Listeners::add(&mut directory.tree, resource);
            };
            self.descend(top, u8::MAX, &listen);
        }
    }

    /// Entries below `path`, at most `levels` directories deep, are told by their names; the way
    /// there matters to all `resources`.
    pub(super) fn units(&mut self, resources: &[Resource], path: &Path, levels: u8) {
        let ends = resources.iter().map(|resource| self.pass(*resource, path));
        if let Some(top) = ends.fold(None, |_, end| end) {
            let listen = |directory: &mut Directory, levels| directory.units = Some(levels);
            self.descend(top, levels, &listen);
        }
    }

    /// What was built, what could not be watched and why.
    pub(super) fn finish(mut self) -> (Places, Vec<String>) {
        for index in 0..self.places.directories.len() {
            let Some(directory) = self.places.directories.get_mut(index) else { continue };
            let needed = directory.needed();
            if directory.key.is_none() || directory.asked.contains(needed) {
                continue;
            }
            directory.asked = needed;
            let path = directory.path.clone();
            let marked = look(&path).and_then(|fd| self.marker.mark(fd.as_fd(), needed));
            match marked {
                // Replaced since: the directory above tells.
                Ok(key) => self.places.by_key.entry(key).or_default().push_unique(index),
                Err(error) => self.complain(&path, &error),
            }
        }
        if self.over_limit > 0 {
            self.complaints.push(format!(
                "{} directories are not watched because the kernel watches no more; drift there \
                 waits for the next full pass; raise fs.inotify.max_user_watches or \
                 fs.fanotify.max_user_marks with sysctl",
                self.over_limit
            ));
        }
        (self.places, self.complaints)
    }

    /// Notes that `resource` rests on every component of `path`, a directory that policies know;
    /// gives the directory.
    fn pass(&mut self, resource: Resource, path: &Path) -> Option<usize> {
        let way = self.way(path);
        for (index, name) in &way.steps {
            if let Some(directory) = self.places.directories.get_mut(*index) {
                match directory.names.get_mut(name) {
                    Some(listeners) => Listeners::add(&mut listeners.passage, resource),
                    None => {
                        let passage = vec![resource];
                        let listeners = Listeners { passage, ..Listeners::default() };
                        directory.names.insert(name.clone(), listeners);
                    }
                }
            }
        }
        way.end
    }

    fn way(&mut self, path: &Path) -> Way {
        if let Some(way) = self.ways.get(path) {
            return way.clone();
        }
        let way = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => {
                let mut way = self.way(parent);
                self.step(&mut way, name);
                way
            }
            _ => Way { end: self.directory(self.root.to_owned()), ..Way::default() },
        };
        self.ways.insert(path.to_owned(), way.clone());
        way
    }

    /// Goes on from the end of `way` to what is called `name` there.
    fn step(&mut self, way: &mut Way, name: &OsStr) {
        let Some(end) = way.end.take() else { return };
        let Some(directory) = self.places.directories.get(end) else { return };
        let path = directory.path.join(name);
        way.steps.push((end, name.to_owned()));
        if let Some(known) = self.places.by_path.get(&path) {
            way.end = Some(*known);
            return;
        }
        let Ok(there) = look(&path) else { return };
        let Ok(status) = rustix::fs::fstat(&there) else { return };
        match FileType::from_raw_mode(status.st_mode) {
            FileType::Directory => way.end = self.directory(path),
            FileType::Symlink if is_trusted(status.st_uid) => {
                let Ok(target) = rustix::fs::readlinkat(&there, "", Vec::new()) else { return };
                way.links += 1;
                if way.links > LINK_LIMIT {
                    return;
                }
                way.end = Some(end);
                self.follow(way, OsString::from_vec(target.into_bytes()).as_ref());
            }
            _ => {}
        }
    }

    fn follow(&mut self, way: &mut Way, target: &Path) {
        for component in target.components() {
            match component {
                Component::RootDir => way.end = self.directory(self.root.to_owned()),
                Component::ParentDir => {
                    let end = way.end.take().and_then(|end| self.places.directories.get(end));
                    let above = end.map(|end| match end.path.parent() {
                        Some(above) if end.path != self.root => above.to_owned(),
                        _ => self.root.to_owned(),
                    });
                    way.end = above.and_then(|above| self.directory(above));
                }
                Component::Normal(name) => self.step(way, name),
                Component::CurDir | Component::Prefix(_) => {}
            }
        }
    }

    /// The directory at `path`, which has no link in it; marked, if it is not yet.
    fn directory(&mut self, path: PathBuf) -> Option<usize> {
        if let Some(index) = self.places.by_path.get(&path) {
            return Some(*index);
        }
        let marked = look(&path).and_then(|fd| self.marker.mark(fd.as_fd(), Occurrence::PASSAGE));
        let mut directory = Directory::new(path.clone());
        let index = self.places.directories.len();
        match marked {
            Ok(key) => {
                self.places.by_key.entry(key.clone()).or_default().push(index);
                directory.key = Some(key);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => self.complain(&path, &error),
        }
        self.places.directories.push(directory);
        self.places.by_path.insert(path, index);
        Some(index)
    }

    /// Does `listen` with the directory at `top` and those below it, down to so many levels.
    fn descend(&mut self, top: usize, levels: u8, listen: &dyn Fn(&mut Directory, u8)) {
        let mut left = vec![(top, levels)];
        let mut seen = 0;
        while let Some((index, levels)) = left.pop() {
            let Some(directory) = self.places.directories.get_mut(index) else { continue };
            listen(directory, levels);
            let path = directory.path.clone();
            seen += 1;
            if seen > TREE_LIMIT {
                self.complaints.push(format!(
                    "{}: has more than {TREE_LIMIT} directories; the rest is not watched, and \
                     drift there waits for the next full pass",
                    path.display()
                ));
                return;
            }
            if levels == 0 {
                continue;
            }
            for name in directories_in(&path) {
                if let Some(below) = self.directory(path.join(name)) {
                    left.push((below, levels.saturating_sub(u8::from(levels < u8::MAX))));
                }
            }
        }
    }

    fn complain(&mut self, path: &Path, error: &io::Error) {
        if is_limit(error) {
            self.over_limit += 1;
        } else {
            self.complaints.push(format!("{}: cannot be watched: {error}", path.display()));
        }
    }
}

/// A list without repetitions.
trait PushUnique {
    fn push_unique(&mut self, index: usize);
}

impl PushUnique for Vec<usize> {
    fn push_unique(&mut self, index: usize) {
        if !self.contains(&index) {
            self.push(index);
        }
    }
}

/// Whether a link of this owner is followed.
fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == nix::unistd::geteuid().as_raw()
}

/// The names of the directories in a directory, links not counted.
fn directories_in(path: &Path) -> Vec<OsString> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.file_name())
        .collect()
}
