//! What changed on the machine, and who did it: the only door to the kernel's and systemd's news.
//!
//! A [`Watcher`] lives in a thread of its own beside the one that changes the machine. It is told
//! what resources rest on ([`Interest`]), marks the directories that decide about them, and answers
//! [`Watcher::next`] with the resources to look at again.
//!
//! ```text
//! kernel ──events──▶ directories ──listeners──▶ resources ─┐
//! systemd ──signals──▶ units ────────────────────▶ resources ─┴▶ joined for some milliseconds ──▶ Event
//! ```
//!
//! What must stay true: an event says "look again", never what is the case, so that one too many is
//! harmless, and one that is lost is known to be lost ([`Event::Overflow`]); what this process and
//! those it started do is no event; a path is watched even where parts of it do not exist; nothing
//! happens while nothing happens.
//!
//! What cannot be seen: a file changed through another hard link or a writable memory map, and
//! changes on the other side of a network file system. Full passes find these, within a day.

mod fanotify;
mod gathering;
mod handle;
mod inotify;
mod interest;
mod listeners;
mod marker;
mod mounts;
mod occurrence;
mod places;
mod processes;
mod quiet;
mod redaction;
mod tables;
mod units;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::HostOptions;
use crate::actor::Actor;
use crate::failure::Failure;
use gathering::Gathering;
use listeners::{Meaning, Resource};
use marker::{Marker, Ways};
use mounts::Mounts;
use occurrence::{Occurrence, Raw};
use places::Places;
use processes::{Processes, Who};
use quiet::Bell;
use units::Units;

pub use interest::Interest;
pub use quiet::{Quiet, QuietGuard, Waker};

/// How many marks of lost directories are put up with before all are made anew.
const LOST: usize = 256;
/// The part of the time that may go into marking directories again and again.
const SHARE: u32 = 20;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// These resources may not be what they were.
    Changed {
        /// Their places in the catalog, ascending, each once.
        resources: Vec<usize>,
        /// Who did it, where the kernel tells.
        actor: Option<Actor>,
    },
    /// Events were lost: everything has to be looked at.
    Overflow,
}

/// How a watcher watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatcherDescription {
    /// How files are watched.
    pub files: FileWatch,
    /// Why fanotify is not used.
    pub refusal: Option<String>,
    /// How many directories are marked.
    pub directories: usize,
    /// How many of them inotify watches.
    pub without_names: usize,
    /// How units are watched.
    pub units: UnitWatch,
}

/// How files are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileWatch {
    /// By fanotify, which tells who did it.
    Fanotify,
    /// By inotify, which does not.
    Inotify,
}

/// How units are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitWatch {
    /// No unit is to be watched, or there is no systemd to ask.
    Off,
    /// By systemd's signals.
    Signals,
    /// Not now, because of this; it is tried again.
    Lost(String),
}

/// Watches the machine. See the module.
pub struct Watcher {
    root: PathBuf,
    ways: Ways,
    marker: Marker,
    places: Places,
    interests: Vec<(usize, Vec<Interest>)>,
    tables: tables::Tables,
    mounts: Option<Mounts>,
    units: Units,
    processes: Processes,
    gathering: Gathering,
    bell: Arc<Bell>,
    /// Resources whose directories have to be marked again.
    unmarked: BTreeSet<Resource>,
    /// Set where directories have to be marked again: not before then.
    remark: Option<Instant>,
    /// When directories were last marked, and how long that took.
    marked: (Instant, Duration),
}

impl Watcher {
    /// A watcher that watches nothing yet. Fails where the kernel offers no way at all.
    pub fn new(options: &HostOptions) -> Result<Self, Failure> {
        Self::in_ways(options, Ways::default())
    }

    fn in_ways(options: &HostOptions, ways: Ways) -> Result<Self, Failure> {
        let bell = Bell::new()
            .map_err(|error| Failure::new(format!("cannot wait for events: {error}")))?;
        Ok(Self {
            root: options.root.clone(),
            ways,
            marker: Marker::new(ways)?,
            places: Places::default(),
            interests: Vec::new(),
            tables: tables::Tables::default(),
            mounts: Mounts::new().ok(),
            units: Units::new(Arc::clone(&bell)),
            processes: Processes::new(&options.root),
            gathering: Gathering::default(),
            bell,
            unmarked: BTreeSet::new(),
            remark: None,
            marked: (Instant::now(), Duration::ZERO),
        })
    }

    /// Watches exactly this from now on: for each resource, by its place in the catalog, what it
    /// rests on. Directories that were watched stay so without a gap; events that were seen and not yet
    /// told are forgotten if this is another catalog, of which they do not speak: look at everything
    /// after this. Returns what cannot be watched, a sentence each.
    pub fn watch(&mut self, interests: Vec<(usize, Vec<Interest>)>) -> Vec<String> {
        let other = self.interests != interests;
        self.interests = interests;
        let complaints = self.mark();
        if other {
            self.gathering = Gathering::default();
            self.unmarked.clear();
        }
        complaints
    }

    /// Waits until something has happened, or `timeout` has passed, or somebody has woken us, and
    /// returns what has happened; nothing where nothing has. Joins what happens within a few
    /// milliseconds.
    pub fn next(&mut self, timeout: Duration) -> Result<Vec<Event>, Failure> {
        let end = Instant::now() + timeout;
        loop {
            let mounts = self.wait(end)?;
            if mounts {
                self.take_in_mounts();
            }
            self.read()?;
            let now = Instant::now();
            if self.remark.is_some_and(|due| due <= now) {
                for complaint in self.mark() {
                    log::warn!("{complaint}");
                }
                let unmarked = std::mem::take(&mut self.unmarked);
                self.gathering.add(&unmarked, Who::Unknown, false);
            }
            let quiet = self.bell.is_quiet();
            let due = self.gathering.due().is_some_and(|due| due <= now);
            if due && !quiet {
                return Ok(self.gathering.take());
            }
            if self.bell.was_woken() {
                return Ok(if quiet { Vec::new() } else { self.gathering.take() });
            }
            if now >= end {
                return Ok(Vec::new());
            }
        }
    }

    /// Wakes [`Self::next`] from another thread.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.bell))
    }

    /// Lets another thread ask for quiet while it changes the machine.
    pub fn quiet(&self) -> Quiet {
        Quiet(Arc::clone(&self.bell))
    }

    /// How this watcher watches.
    pub fn describe(&self) -> WatcherDescription {
        let without_names = marker::without_names(self.places.keys());
        let refusal = self.marker.fanotify().err().map(str::to_owned);
        WatcherDescription {
            files: if refusal.is_none() { FileWatch::Fanotify } else { FileWatch::Inotify },
            refusal,
            directories: self.places.keys().count(),
            without_names,
            units: self.units.describe(),
        }
    }

    /// Waits for something to do, at most until `end`; tells whether mounts changed.
    fn wait(&self, end: Instant) -> Result<bool, Failure> {
        let due = self.gathering.due().filter(|_| !self.bell.is_quiet());
        let until =
            [due, self.remark, self.units.due()].into_iter().flatten().fold(end, Instant::min);
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let mut descriptors: Vec<PollFd<'_>> = self
            .marker
            .descriptors()
            .chain([self.bell.descriptor()])
            .chain(self.units.descriptor())
            .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
            .collect();
        let mounts = descriptors.len();
        if let Some(table) = &self.mounts {
            // Always readable; a change is an exceptional condition.
            descriptors.push(PollFd::from_borrowed_fd(table.descriptor(), PollFlags::PRI));
        }
        match poll(&mut descriptors, timeout.as_ref()) {
            Ok(_) => Ok(descriptors.get(mounts).is_some_and(|table| !table.revents().is_empty())),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(Failure::new(format!("cannot wait for events: {error}"))),
        }
    }

    /// Takes in what has happened.
    fn read(&mut self) -> Result<(), Failure> {
        self.bell.answer();
        let events = self.marker.read().map_err(|error| {
            Failure::new(format!("cannot read what happened to files: {error}"))
        })?;
        for event in events {
            self.take_in(&event);
        }
        let news = self.units.news();
        self.gathering.add(&news.resources, Who::Unknown, news.unfinished);
        Ok(())
    }

    /// A mount point now means something else, as if it were another directory.
    fn take_in_mounts(&mut self) {
        let Some(mounts) = &mut self.mounts else { return };
        let points = mounts.changed().unwrap_or_else(|error| {
            log::warn!("mounts cannot be watched: {error}");
            self.mounts = None;
            BTreeSet::new()
        });
        for point in points {
            let (Some(above), Some(name)) = (point.parent(), point.file_name()) else {
                self.remark_soon();
                continue;
            };
            let mut meaning = Meaning::default();
            if let Some(directory) = self.places.at(above) {
                directory.tell(name, Occurrence::CREATE | Occurrence::DIRECTORY, &mut meaning);
            }
            if !meaning.resources.is_empty() {
                self.unmarked.extend(&meaning.resources);
                self.remark_soon();
                self.gathering.add(&meaning.resources, Who::Unknown, false);
            }
        }
    }

    fn take_in(&mut self, event: &Raw) {
        if event.what.contains(Occurrence::OVERFLOW) {
            self.gathering.overflow();
            self.remark_soon();
            return;
        }
        let mut meaning = Meaning::default();
        let mut known = false;
        for directory in self.places.called(&event.directory) {
            known = true;
            if event.what.intersects(Occurrence::SELF) {
                meaning.moved = true;
            }
            directory.tell(&event.name, event.what, &mut meaning);
        }
        if !known {
            return;
        }
        for name in std::mem::take(&mut meaning.units) {
            meaning.resources.extend(self.tables.unit(&name));
        }
        if meaning.resources.is_empty() {
            // Perhaps a temporary file that is about to take a watched one's place.
            if let Some(pid) = event.pid {
                self.processes.glance(pid);
            }
        }
        if meaning.moved {
            self.unmarked.extend(&meaning.resources);
            self.remark_soon();
        }
        if !meaning.resources.is_empty() {
            if self.tables.homes_move(&meaning.resources) {
                self.remark_soon();
            }
            let who = self.processes.who(event.pid);
            self.gathering.add(&meaning.resources, who, meaning.unfinished);
        }
    }

    /// Marks directories again as soon as that is not done too often.
    fn remark_soon(&mut self) {
        let (last, took) = self.marked;
        self.remark.get_or_insert(last + took * SHARE);
    }

    /// Marks all that has to be watched. Returns what cannot be.
    fn mark(&mut self) -> Vec<String> {
        let started = Instant::now();
        self.remark = None;
        let mut fresh = None;
        if self.marker.lost() > LOST {
            fresh = Marker::new(self.ways).ok();
        }
        let marker = fresh.as_mut().unwrap_or(&mut self.marker);
        let (tables, places, complaints) = tables::build(&self.root, &self.interests, marker);
        self.units.listen(&self.root, &tables.units);
        self.tables = tables;
        let old = std::mem::replace(&mut self.places, places);
        match fresh {
            // What the old marks still have to tell would not be understood.
            Some(fresh) => {
                self.marker = fresh;
                self.gathering.overflow();
            }
            None => old.retire(&self.places, &mut self.marker),
        }
        self.marked = (Instant::now(), started.elapsed());
        complaints
    }
}
