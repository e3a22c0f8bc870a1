//! Much at once.

use std::fs;

use super::*;

#[test]
fn ten_thousand_files_at_once_are_told_without_much_ado() {
    both(|mut trial| {
        let names: Vec<String> = (0..10_000).map(|i| format!("d{}/file{i}", i % 10)).collect();
        trial.other("for d in 0 1 2 3 4 5 6 7 8 9; do mkdir d$d; done");
        let started = Instant::now();
        trial.watch(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let watched = started.elapsed();
        trial.other("for i in $(seq 0 9999); do : > d$((i % 10))/file$i; done");
        let started = Instant::now();
        let mut seen = BTreeSet::new();
        let mut overflow = false;
        let mut calls = 0;
        while seen.len() < names.len() && !overflow {
            for event in trial.watcher.next(SOON).unwrap() {
                match event {
                    Event::Changed { resources, .. } => seen.extend(resources),
                    Event::Overflow => overflow = true,
                }
            }
            calls += 1;
            assert!(calls < 1000, "{} seen", seen.len());
        }
        let took = started.elapsed();
        eprintln!(
            "{:?}: marked for 10,000 files in {watched:?}, told of 10,000 changes in {took:?} \
             ({calls} calls, overflow: {overflow})",
            trial.watcher.describe().files
        );
        assert!(took < Duration::from_secs(5), "{took:?}");
    });
}

#[test]
fn events_that_were_lost_are_known_to_be_lost() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    both(|mut trial| {
        trial.other("mkdir a b");
        trial.watch(&["a/file", "b/file"]);
        // Ours are dropped when they are read, not before.
        for index in 0..=limit {
            fs::File::create(trial.place.path().join(format!("a/{index}"))).unwrap();
        }
        let mut events = Vec::new();
        while !events.contains(&Event::Overflow) {
            events = trial.watcher.next(SOON).unwrap();
            assert!(!events.is_empty(), "the loss is told");
        }
        trial.other("echo x > b/file");
        assert_eq!(trial.told(), [1], "and watching goes on");
    });
}

#[test]
fn what_is_over_the_kernels_limit_is_said() {
    let place = TempDir::with_prefix("steadfast-watch").unwrap();
    let top = AbsolutePath::parse(place.path().to_str().unwrap()).unwrap();
    let above = top.ancestors().count();
    let mut watcher = Watcher::in_ways(&HostOptions::default(), Ways::AtMost(above + 3)).unwrap();
    watcher.processes.childless = true;
    let mut trial = Trial { place, watcher };
    trial.other("for i in 0 1 2 3 4 5 6 7 8 9; do mkdir $i; done");
    let interests = (0..10).map(|i| (i, vec![Interest::Path(top.join(format!("{i}/file")))]));
    let complaints = trial.watcher.watch(interests.collect());
    let [complaint] = complaints.as_slice() else { panic!("{complaints:?}") };
    assert!(complaint.starts_with("8 directories are not watched"), "{complaint}");
    assert!(complaint.contains("fs.inotify.max_user_watches"), "{complaint}");
    trial.other("echo x > 0/file");
    assert_eq!(trial.told(), [0], "those within the limit are");
}
