//! Watches the machine it runs on and does things to it. For booted test hosts only.
//!
//! What is done is done by transient units, so by processes that are no descendants of this one; only
//! the watcher's own events say whether it was seen.

#![expect(clippy::print_stdout, reason = "a test program that reports what it saw")]
#![expect(clippy::disallowed_methods, reason = "what is done here is done behind the agent's back")]

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use steadfast_resources::Actor;
use steadfast_resources::host::files::{AbsolutePath, NewFile, Obstacle, Properties};
use steadfast_resources::host::services::UnitName;
use steadfast_resources::host::watch::{Event, FileWatch, Interest, UnitWatch, Watcher};
use steadfast_resources::host::{Host, HostOptions, RealHost};

const SOON: Duration = Duration::from_secs(20);
const CALM: Duration = Duration::from_millis(300);
const WRITES: usize = 200;

const FILE: usize = 0;
const UNIT: usize = 1;
const ACCOUNTS: usize = 2;
const PACKAGES: usize = 3;
const REPLACED: usize = 4;
const MOUNTED: usize = 5;
const ALIAS: usize = 6;
const PROGRAM: usize = 7;
const KEYS: usize = 8;
const UNITS: &[usize] = &[UNIT, ALIAS];

/// What is done, what has to be told, and what may be told too.
type Story = (&'static str, &'static str, &'static [usize], &'static [usize]);

const STORIES: &[Story] = &[
    ("written in place", "echo x > /etc/watched/file", &[FILE], &[]),
    ("a writer that stays", "echo x > /etc/watched/file; sleep 0.5", &[FILE], &[]),
    (
        "an editor with a backup",
        "cd /etc/watched; mv file file~; echo y > file; chmod 0644 file; rm file~",
        &[FILE],
        &[],
    ),
    ("sed -i", "sed -i s/y/z/ /etc/watched/file", &[FILE], &[]),
    ("rotated", "cd /etc/watched; mv file file.1; touch file", &[FILE], &[]),
    ("a bystander", "touch /etc/watched/other; touch /opt/other; rm /opt/other", &[], &[]),
    ("a directory replaced", "cd /opt; cp -a app new; mv app old; mv new app", &[REPLACED], &[]),
    ("written in the new directory", "echo x > /opt/app/conf/file", &[REPLACED], &[]),
    ("written in the old directory", "echo x > /opt/old/conf/file", &[], &[]),
    ("a mount over it", "mount -t tmpfs none /srv/data", &[MOUNTED], &[]),
    ("written in the mount", "echo x > /srv/data/file", &[MOUNTED], &[]),
    ("unmounted", "umount /srv/data", &[MOUNTED], &[]),
    ("written below", "echo x > /srv/data/file", &[MOUNTED], &[]),
    ("a unit stopped", "systemctl stop sf-sleeper", UNITS, &[]),
    ("a unit started", "systemctl start sf-sleeper", UNITS, &[]),
    ("a unit killed", "systemctl kill -s KILL sf-sleeper", UNITS, &[]),
    ("a unit enabled", "systemctl enable sf-sleeper", UNITS, &[]),
    (
        "a unit disabled by hand",
        "rm /etc/systemd/system/multi-user.target.wants/sf-sleeper.service",
        &[UNIT],
        UNITS,
    ),
    (
        "a drop-in made",
        "mkdir -p /etc/systemd/system/sf-sleeper.service.d; \
         echo '[Unit]' > /etc/systemd/system/sf-sleeper.service.d/a.conf",
        &[UNIT],
        UNITS,
    ),
    ("units read again", "systemctl daemon-reload", UNITS, UNITS),
    ("a user made", "useradd -m intruder", &[ACCOUNTS, KEYS], &[]),
    (
        "a key given",
        "mkdir ~intruder/.ssh; echo key > ~intruder/.ssh/authorized_keys",
        &[KEYS],
        &[],
    ),
    ("a user removed", "userdel -r intruder", &[ACCOUNTS, KEYS], &[]),
    // What is installed may bring accounts and units with it.
    (
        "a package upgraded",
        "apt-get -qq install sf-tool >/dev/null 2>&1",
        &[PACKAGES, PROGRAM],
        UNITS,
    ),
    ("systemd started anew", "systemctl daemon-reexec", &[], UNITS),
    ("a unit started after that", "systemctl start sf-sleeper", UNITS, UNITS),
    (
        "the message bus killed",
        "systemctl kill -s KILL dbus; systemctl restart systemd-logind",
        UNITS,
        UNITS,
    ),
    ("a unit stopped after that", "systemctl stop sf-sleeper", UNITS, UNITS),
];

const PREPARE: &str = "
    mkdir -p /etc/watched /opt/app/conf /srv/data
    echo a > /etc/watched/file; echo a > /opt/app/conf/file
    printf '[Unit]\nDescription=sleeps\n[Service]\nExecStart=/bin/sleep infinity\n\
[Install]\nWantedBy=multi-user.target\nAlias=sf-alias.service\n' > /etc/systemd/system/sf-sleeper.service
    ln -s sf-sleeper.service /etc/systemd/system/sf-alias.service
    systemctl daemon-reload
    systemctl start sf-sleeper
    apt-get -qq update; apt-get -qq install sf-tool=1.0-1 >/dev/null 2>&1
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["writer", path, answers] => writer(path, answers),
        ["--change-this-machine", files] => trial(files),
        _ => {
            println!(
                "this changes the machine it runs on; say --change-this-machine on a test host"
            );
            ExitCode::from(64)
        }
    }
}

fn trial(files: &str) -> ExitCode {
    shell(PREPARE);
    let mut watcher = Watcher::new(&HostOptions::default()).expect("a watcher");
    let path = |path: &str| AbsolutePath::parse(path).expect("a path");
    let unit = |name: &str| UnitName::from_title(name).expect("a unit");
    let complaints = watcher.watch(vec![
        (FILE, vec![Interest::Path(path("/etc/watched/file"))]),
        (UNIT, vec![Interest::Unit(unit("sf-sleeper"))]),
        (ACCOUNTS, vec![Interest::Accounts]),
        (PACKAGES, vec![Interest::Packages]),
        (REPLACED, vec![Interest::Path(path("/opt/app/conf/file"))]),
        (MOUNTED, vec![Interest::Path(path("/srv/data/file"))]),
        (ALIAS, vec![Interest::Unit(unit("sf-alias"))]),
        (PROGRAM, vec![Interest::Path(path("/usr/bin/sf-tool"))]),
        (
            KEYS,
            vec![
                Interest::Accounts,
                Interest::Home { user: "intruder".to_owned(), below: ".ssh/authorized_keys" },
            ],
        ),
    ]);
    assert!(complaints.is_empty(), "{complaints:?}");
    // The connection to systemd comes in the background, and is told as a change of all units.
    let (seen, _) = watch_until(&mut watcher, UNITS, || true);
    assert_eq!(seen, UNITS.iter().copied().collect());
    let description = watcher.describe();
    println!("{description:?}");
    let expected = if files == "fanotify" { FileWatch::Fanotify } else { FileWatch::Inotify };
    assert_eq!((description.files, &description.units), (expected, &UnitWatch::Signals));
    let mut failed = 0;
    for story in STORIES {
        failed += usize::from(!told(&mut watcher, story));
    }
    if files == "fanotify" {
        failed += usize::from(!is_silent_about_itself(&mut watcher));
    }
    latencies(&mut watcher);
    latency_of_units(&mut watcher);
    println!("{failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Takes in events until all of `wanted` were seen, `over` is true, and nothing more comes.
fn watch_until(
    watcher: &mut Watcher,
    wanted: &[usize],
    over: impl Fn() -> bool,
) -> (BTreeSet<usize>, Vec<Actor>) {
    let deadline = Instant::now() + SOON;
    let (mut seen, mut actors) = (BTreeSet::new(), Vec::new());
    let mut last = Instant::now();
    loop {
        for event in watcher.next(Duration::from_millis(20)).expect("events") {
            last = Instant::now();
            match event {
                Event::Overflow => println!("overflow"),
                Event::Changed { resources, actor } => {
                    seen.extend(resources);
                    actors.extend(actor);
                }
            }
        }
        let all = wanted.iter().all(|one| seen.contains(one));
        if (over() && all && last.elapsed() > CALM) || Instant::now() > deadline {
            return (seen, actors);
        }
    }
}

fn told(watcher: &mut Watcher, (what, script, must, may): &Story) -> bool {
    let over = AtomicBool::new(false);
    let (seen, actors) = thread::scope(|scope| {
        scope.spawn(|| {
            intrude(script);
            over.store(true, Ordering::Release);
        });
        watch_until(watcher, must, || over.load(Ordering::Acquire))
    });
    let must: BTreeSet<usize> = must.iter().copied().collect();
    let may: BTreeSet<usize> = may.iter().copied().chain(must.iter().copied()).collect();
    let good = must.is_subset(&seen) && seen.is_subset(&may);
    let mut by: Vec<String> = actors.iter().map(Actor::to_string).collect();
    by.dedup();
    println!("{} {what}: {seen:?} by {}", if good { "ok     " } else { "FAILED " }, by.join(", "));
    good
}

/// Runs a script as a transient unit.
fn intrude(script: &str) {
    let status = Command::new("systemd-run")
        .args(["--quiet", "--wait", "--collect", "sh", "-ec", script])
        .status()
        .expect("systemd-run");
    if !status.success() {
        println!("{script}: {status}");
    }
}

fn shell(script: &str) {
    let status = Command::new("sh").args(["-ec", script]).status().expect("sh");
    assert!(status.success(), "{script}");
}

fn is_silent_about_itself(watcher: &mut Watcher) -> bool {
    let mut host = RealHost::new(&HostOptions::default());
    let path = AbsolutePath::parse("/etc/watched/file").expect("a path");
    let file = NewFile { content: b"ours", properties: Properties::default(), inherit: true };
    let staged = host.files().stage(&path, &file).expect("staged");
    host.files().commit(staged, Obstacle::NonDirectory).expect("committed");
    let (seen, _) = watch_until(watcher, &[], || true);
    println!("{} our own write: {seen:?}", if seen.is_empty() { "ok     " } else { "FAILED " });
    seen.is_empty()
}

fn now() -> u128 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock");
    Duration::from(time).as_nanos()
}

/// Writes the time into a file, again and again, each time when it was seen.
fn writer(path: &str, answers: &str) -> ExitCode {
    let mut answers = OpenOptions::new().read(true).open(answers).expect("answers");
    for _ in 0..WRITES {
        fs::write(path, format!("{}\n", now())).expect("written");
        let mut answer = [0; 1];
        answers.read_exact(&mut answer).expect("an answer");
    }
    ExitCode::SUCCESS
}

/// From a write to its event.
fn latencies(watcher: &mut Watcher) {
    shell("rm -f /run/answers; mkfifo /run/answers");
    let running =
        thread::spawn(|| intrude("exec watch-trial writer /etc/watched/file /run/answers"));
    let mut answers = OpenOptions::new().write(true).open("/run/answers").expect("answers");
    let mut took = Vec::new();
    let mut last = String::new();
    let deadline = Instant::now() + SOON;
    while took.len() < WRITES {
        assert!(Instant::now() < deadline, "{} writes were seen", took.len());
        if watcher.next(Duration::from_secs(1)).expect("events").is_empty() {
            continue;
        }
        let seen = now();
        let text = fs::read_to_string("/etc/watched/file").expect("read");
        if text.ends_with('\n') && text != last {
            took.push(seen - text.trim().parse::<u128>().expect("a time"));
            last = text;
            answers.write_all(b".").expect("answered");
        }
    }
    running.join().expect("the writer");
    report("from a write to its event", took);
}

/// From a signal of systemd to its event: the time after `systemctl stop` has come back is not ours.
fn latency_of_units(watcher: &mut Watcher) {
    let mut took = Vec::new();
    for job in ["start", "stop"].iter().cycle().take(40) {
        // Whatever is still to come of the last one.
        watch_until(watcher, &[], || true);
        let started = now();
        let running = thread::spawn(move || shell(&format!("systemctl {job} sf-sleeper")));
        let (mut seen, deadline) = (false, Instant::now() + SOON);
        while !seen {
            assert!(Instant::now() < deadline, "no event of a unit");
            seen = !watcher.next(Duration::from_secs(1)).expect("events").is_empty();
        }
        took.push(now() - started);
        running.join().expect("systemctl");
    }
    report("from `systemctl start` or `stop` being run to its first event", took);
}

fn report(what: &str, mut nanoseconds: Vec<u128>) {
    nanoseconds.sort_unstable();
    let at = |share: usize| {
        let index = (nanoseconds.len() * share / 100).min(nanoseconds.len() - 1);
        nanoseconds.get(index).copied().unwrap_or_default() / 1000
    };
    let count = nanoseconds.len();
    println!("{what}: median {} µs, p99 {} µs, worst {} µs of {count}", at(50), at(99), at(100));
}
