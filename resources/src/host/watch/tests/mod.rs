//! A watcher on the real kernel, in directories of its own.

#![expect(
    clippy::disallowed_methods,
    reason = "changes behind the agent's back do not go through its own door"
)]
#![expect(
    clippy::print_stderr,
    reason = "measurements, and what cannot be tested here, are printed"
)]

mod echo;
mod files;
mod flood;

use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::host::files::AbsolutePath;

/// How long an event may take on a busy machine.
const SOON: Duration = Duration::from_secs(5);

struct Trial {
    place: TempDir,
    watcher: Watcher,
}

/// Runs a test with fanotify, where this machine lets us, and with inotify.
fn both(test: impl Fn(Trial)) {
    for ways in [Ways::Both, Ways::WithoutNames] {
        let place = TempDir::with_prefix("steadfast-watch").unwrap();
        let options = HostOptions::default();
        let mut watcher = Watcher::in_ways(&options, ways).unwrap();
        watcher.processes.childless = true;
        if ways == Ways::Both && watcher.describe().files == FileWatch::Inotify {
            eprintln!("fanotify is forbidden here: {:?}", watcher.describe().refusal);
            continue;
        }
        test(Trial { place, watcher });
    }
}

impl Trial {
    fn path(&self, below: &str) -> AbsolutePath {
        AbsolutePath::parse(self.place.path().join(below).to_str().unwrap()).unwrap()
    }

    fn watch(&mut self, below: &[&str]) {
        let interest = |(index, below): (usize, &&str)| {
            let interest = match below.strip_suffix("/**") {
                Some(top) => Interest::Tree(self.path(top)),
                None => match below.strip_suffix(" (place)") {
                    Some(path) => Interest::Place(self.path(path)),
                    None => Interest::Path(self.path(below)),
                },
            };
            (index, vec![interest])
        };
        let interests = below.iter().enumerate().map(interest).collect();
        let complaints = self.watcher.watch(interests);
        assert!(complaints.is_empty(), "{complaints:?}");
    }

    /// Runs a script as somebody else.
    fn other(&self, script: &str) {
        let status = Command::new("sh")
            .args(["-ec", script])
            .current_dir(self.place.path())
            .status()
            .unwrap();
        assert!(status.success(), "{script}");
    }

    /// All that is told of what has happened until now. Whatever that was is over: the kernel has its
    /// events ready, so the watcher only has to come to rest.
    fn events(&mut self) -> Vec<Event> {
        let deadline = Instant::now() + SOON;
        let mut events = Vec::new();
        let mut rests = 0;
        while rests < 2 {
            events.extend(self.watcher.next(Duration::from_millis(1)).unwrap());
            let waits = self.watcher.gathering.due().is_some() || self.watcher.remark.is_some();
            rests = if waits { 0 } else { rests + 1 };
            assert!(Instant::now() < deadline, "it does not come to rest: {events:?}");
        }
        events
    }

    /// The resources that changed.
    fn told(&mut self) -> Vec<usize> {
        let mut told = BTreeSet::new();
        for event in self.events() {
            match event {
                Event::Changed { resources, .. } => told.extend(resources),
                Event::Overflow => panic!("no event should have been lost"),
            }
        }
        told.into_iter().collect()
    }

    /// Who changed something.
    fn actors(&mut self) -> Vec<Actor> {
        let actor = |event| match event {
            Event::Changed { actor, .. } => actor,
            Event::Overflow => None,
        };
        self.events().into_iter().filter_map(actor).collect()
    }

    fn told_nothing(&mut self, why: &str) {
        let events = self.events();
        assert!(events.is_empty(), "{why}: {events:?}");
    }
}
