//! A watcher on the real kernel, in directories of its own.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::host::files::AbsolutePath;

/// How long an event may take on a busy machine.
const SOON: Duration = Duration::from_secs(5);
/// How long it takes to be sure that none comes.
const NEVER: Duration = Duration::from_millis(120);

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

    /// The next resources that changed, in all events until nothing more comes.
    fn told(&mut self) -> Vec<usize> {
        let mut told = BTreeSet::new();
        let mut wait = SOON;
        loop {
            let events = self.watcher.next(wait).unwrap();
            if events.is_empty() {
                return told.into_iter().collect();
            }
            for event in events {
                match event {
                    Event::Changed { resources, .. } => told.extend(resources),
                    Event::Overflow => panic!("no event should have been lost"),
                }
            }
            wait = NEVER;
        }
    }

    fn told_nothing(&mut self, why: &str) {
        let events = self.watcher.next(NEVER).unwrap();
        assert!(events.is_empty(), "{why}: {events:?}");
    }
}

/// The dances of editors and tools: what is there before, what is done to `watched`, and what else lies
/// there that nobody watches.
const DANCES: &[(&str, &str, &str)] = &[
    ("written in place", "echo a > watched", "echo b > watched"),
    ("appended to", "echo a > watched", "echo b >> watched"),
    ("made", "true", "echo b > watched"),
    ("removed", "echo a > watched", "rm watched"),
    ("sed -i", "echo a > watched", "sed -i s/a/b/ watched"),
    (
        "an editor with a backup",
        "echo a > watched",
        "mv watched watched~; echo b > watched; chmod 0640 watched; rm watched~",
    ),
    ("renamed over", "echo a > watched", "echo b > .new; mv .new watched"),
    ("rotated", "echo a > watched", "mv watched watched.1; touch watched"),
    ("moved away", "echo a > watched; mkdir -p away", "mv watched away/"),
    ("another mode", "echo a > watched", "chmod 0600 watched"),
    ("another owner", "echo a > watched", "chown 12 watched"),
    ("a link in its place", "echo a > watched", "ln -sf other watched"),
    ("a directory in its place", "echo a > watched", "rm watched; mkdir watched"),
    ("truncated", "echo a > watched", "truncate -s 0 watched"),
    ("a mode of a directory", "mkdir watched", "chmod 0700 watched"),
];

#[test]
fn whatever_is_done_to_a_file_is_told_once_it_is_over() {
    both(|mut trial| {
        for (what, before, act) in DANCES {
            trial.other("rm -rf watched* .new away");
            trial.other(before);
            trial.watch(&["unwatched", "watched"]);
            trial.other(act);
            assert_eq!(trial.told(), [1], "{what}");
            trial.other("echo x > bystander; mkdir -p d; rm -rf bystander d");
            trial.told_nothing(what);
        }
    });
}
