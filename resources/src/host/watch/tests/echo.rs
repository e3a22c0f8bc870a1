//! Our own doings are no events, and nobody else's are lost among them.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use super::*;
use crate::host::command::{Request, run};
use crate::host::files::{FileError, NewFile, Obstacle, Properties};
use crate::host::{Host, RealHost};

/// Writes as the file kind does.
fn write(host: &mut RealHost, path: &AbsolutePath, content: &str) {
    try_write(host, path, content).unwrap();
}

fn try_write(host: &mut RealHost, path: &AbsolutePath, content: &str) -> Result<(), FileError> {
    let over = match host.view().files.look(path)? {
        Some(_) => Obstacle::NonDirectory,
        None => Obstacle::Nothing,
    };
    let properties = Properties::default();
    let file = NewFile { content: content.as_bytes(), properties, inherit: true };
    let staged = host.files().stage(path, &file)?;
    host.files().sync(&[&staged]).pop().unwrap()?;
    host.files().commit(staged, over)?;
    host.files().settle()
}

impl Trial {
    /// From now on those who we start are ours, as outside of tests.
    fn with_children(mut self) -> Self {
        self.watcher.processes.childless = false;
        self
    }

    fn stranger(&self, script: &str) {
        stranger(self.place.path(), script);
    }
}

/// Runs a script in a process that is no descendant of ours, to its end.
fn stranger(place: &Path, script: &str) {
    // Its parent ends, and is waited for, before the script begins.
    let script = format!("p=$$; (while kill -0 $p 2>/dev/null; do :; done; {script}) &");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(place).stdout(Stdio::piped());
    let mut parent = command.spawn().unwrap();
    assert!(parent.wait().unwrap().success());
    let mut output = String::new();
    parent.stdout.take().unwrap().read_to_string(&mut output).unwrap();
}

/// Only with fanotify: inotify names nobody.
fn named(test: impl Fn(Trial)) {
    both(|trial| {
        if trial.watcher.describe().files == FileWatch::Fanotify {
            test(trial.with_children());
        }
    });
}

#[test]
fn what_we_write_ourselves_is_no_event() {
    named(|mut trial| {
        let mut host = RealHost::new(&HostOptions::default());
        trial.watch(&["file", "d/file"]);
        let (file, inner) = (trial.path("file"), trial.path("d/file"));
        for round in 0..20 {
            write(&mut host, &file, &format!("{round}"));
            trial.told_nothing("written");
        }
        host.files().remove(&file, Obstacle::NonDirectory).unwrap();
        trial.told_nothing("removed");
        let made = trial.path("d");
        host.files().make_directory(&made, &Properties::default(), Obstacle::Nothing).unwrap();
        assert_eq!(trial.told(), [1], "what may have happened in it before it was marked");
        write(&mut host, &inner, "x");
        trial.told_nothing("written in a new directory");
        trial.stranger("echo y > d/file");
        assert_eq!(trial.told(), [1]);
    });
}

#[test]
fn what_our_commands_write_is_no_event() {
    named(|mut trial| {
        trial.watch(&["file"]);
        let soon = Instant::now() + SOON;
        let request = |script: &str| {
            let request = Request::new(["sh", "-c", script]);
            Request { directory: Some(trial.place.path().to_owned()), ..request }
        };
        // Over before anybody can ask who it was.
        run(&request("echo a > file"), soon).unwrap();
        // A command of a command, at work while we look.
        let inner = request("sh -c 'echo b > file; until test -e go; do :; done'; true");
        let running = thread::spawn(move || run(&inner, soon).unwrap());
        while fs::read_to_string(trial.place.path().join("file")).unwrap() != "b\n" {
            trial.told_nothing("a command");
        }
        trial.told_nothing("a command of a command");
        fs::File::create(trial.place.path().join("go")).unwrap();
        assert_eq!(running.join().unwrap().code, 0);
        trial.told_nothing("a command of a command");
    });
}

#[test]
fn what_somebody_else_writes_among_our_own_writes_is_not_lost() {
    named(|mut trial| {
        trial.watch(&["file"]);
        let quiet = trial.watcher.quiet();
        let path = trial.path("file");
        for round in 0..10 {
            let guard = quiet.begin();
            thread::scope(|scope| {
                scope.spawn(|| {
                    let mut host = RealHost::new(&HostOptions::default());
                    for number in 0..20 {
                        // Refused where the other was faster: what stands there is not what was seen.
                        let _ = try_write(&mut host, &path, &format!("{number}"));
                    }
                });
                trial.stranger("echo other > file");
            });
            assert!(trial.watcher.next(Duration::ZERO).unwrap().is_empty(), "quiet was asked for");
            drop(guard);
            let actors = trial.actors();
            assert_eq!(actors.len(), 1, "round {round}: {actors:?}");
            assert_ne!(actors[0].pid, i32::try_from(std::process::id()).unwrap());
        }
    });
}

#[test]
fn while_quiet_is_asked_for_everything_is_kept_and_told_afterwards() {
    both(|mut trial| {
        trial.watch(&["a", "b", "c"]);
        let quiet = trial.watcher.quiet();
        let outer = quiet.begin();
        let inner = quiet.clone().begin();
        trial.other("echo x > a");
        assert!(trial.watcher.next(Duration::from_millis(20)).unwrap().is_empty());
        drop(outer);
        trial.other("echo x > c");
        assert!(trial.watcher.next(Duration::from_millis(20)).unwrap().is_empty());
        let ended = thread::spawn(move || drop(inner));
        let mut told = BTreeSet::new();
        while told.len() < 2 {
            let events = trial.watcher.next(SOON).unwrap();
            assert!(!events.is_empty(), "the end of quiet wakes the watcher");
            for event in events {
                let Event::Changed { resources, .. } = event else { panic!("{event:?}") };
                told.extend(resources);
            }
        }
        ended.join().unwrap();
        assert_eq!(told, BTreeSet::from([0, 2]));
    });
}

#[test]
fn a_watcher_can_be_woken_and_moved_to_another_thread() {
    both(|mut trial| {
        trial.watch(&["a"]);
        let waker = trial.watcher.waker();
        let (ready, readiness) = std::sync::mpsc::channel();
        waker.wake();
        let watching = thread::spawn(move || {
            let started = Instant::now();
            // What was asked for before it waits counts, and so does what is asked for while it does.
            assert!(trial.watcher.next(SOON * 10).unwrap().is_empty());
            ready.send(()).unwrap();
            assert!(trial.watcher.next(SOON * 10).unwrap().is_empty());
            assert!(started.elapsed() < SOON * 10);
        });
        readiness.recv().unwrap();
        waker.wake();
        watching.join().unwrap();
    });
}

#[test]
fn who_did_it_is_told_without_secrets() {
    named(|mut trial| {
        trial.watch(&["file"]);
        // Ends only when it was looked at.
        let script = "p=$$; (while kill -0 $p 2>/dev/null; do :; done; \
                      exec sh -c 'echo x > file; while test -e file && ! test -e go; do :; done' \
                      editor --password=hunter2 /etc/x) &";
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(trial.place.path());
        assert!(command.status().unwrap().success());
        let mut actors = Vec::new();
        let deadline = Instant::now() + SOON;
        while actors.is_empty() {
            assert!(Instant::now() < deadline);
            actors = trial.actors();
        }
        fs::File::create(trial.place.path().join("go")).unwrap();
        let [actor] = actors.as_slice() else { panic!("{actors:?}") };
        let shell = fs::canonicalize("/bin/sh").unwrap();
        assert_eq!(actor.executable.as_deref(), shell.to_str());
        assert_eq!(actor.uid, Some(nix::unistd::geteuid().as_raw()));
        assert!(actor.user.is_some(), "{actor:?}");
        let command = actor.command.join(" ");
        assert!(command.ends_with("editor --password=(redacted) /etc/x"), "{command}");
    });
}

/// How often a program that is over in a moment is known by more than its number. Nothing is promised
/// of it, so it is printed and not judged.
#[test]
fn who_did_it_is_often_known_even_of_those_who_are_gone() {
    named(|mut trial| {
        trial.other("echo a > file");
        trial.watch(&["file"]);
        for script in ["exec sed -i s/a/a/ file", "exec cp other file", "exec chmod 0600 file"] {
            let (mut named, mut told) = (0, 0);
            trial.other("echo b > other");
            for _ in 0..50 {
                let place = trial.place.path().to_owned();
                let early = thread::scope(|scope| {
                    let running = scope.spawn(|| stranger(&place, script));
                    let mut actors = Vec::new();
                    while !running.is_finished() {
                        actors.extend(trial.actors());
                    }
                    running.join().unwrap();
                    actors
                });
                let all: Vec<Actor> = early.into_iter().chain(trial.actors()).collect();
                told += usize::from(!all.is_empty());
                named += usize::from(all.iter().any(|actor| actor.executable.is_some()));
            }
            eprintln!("{script}: told {told} of 50 times, with its name {named} times");
            assert_eq!(told, 50, "{script}");
        }
    });
}
