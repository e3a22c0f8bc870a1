use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use steadfast_policies::Catalog;
use steadfast_resources::Reference;
use steadfast_resources::host::FakeHost;

use super::*;
use crate::engine::testing::{catalog as catalog_of, run};
use crate::engine::{Plan, Progress, Silent};
use crate::report::{Outcome, ResourceReport};

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    (directory, path)
}

fn owe(state: &State, target: &str) {
    let (source, target) = (Reference::new("file", "/etc/a"), Reference::new("service", target));
    state.owe([(&source, &target)], "2026-01-01T00:00:00Z", "1").unwrap();
}

fn full() -> StateError {
    let source = io::Error::from_raw_os_error(Errno::NOSPC.raw_os_error());
    StateError::File { action: "write", path: PathBuf::from("/s"), source }
}

/// Breaks the database once the first resource has been changed.
struct Breaking {
    database: Rc<Database>,
    statement: &'static str,
}

impl Progress for Breaking {
    fn planned(&mut self, _catalog: &Catalog, _plan: &Plan) -> bool {
        true
    }
    fn finished(&mut self, _resource: &ResourceReport) {
        self.database.connection.execute_batch(self.statement).unwrap();
    }
    fn phase(&mut self, _name: &'static str, _took: Duration) {}
}

#[test]
fn what_was_changed_is_reported_whatever_happens_to_the_database_meanwhile() {
    // A file system that fills up, and a database that is damaged.
    for (statement, outcome) in [
        ("PRAGMA query_only=1", Outcome::Changed),
        ("DROP TABLE meta; DROP TABLE runs; DROP TABLE owed", Outcome::Drifted),
    ] {
        let (_scratch, path) = scratch();
        let mut host = FakeHost::scene();
        let mut state = State::open(&path).unwrap();
        let mut breaking = Breaking { database: Rc::clone(&state.database), statement };
        let catalog = catalog_of("[file.\"/etc/new\"]\ncontent = \"new\"\n");
        let report = run(&catalog, &mut host, &mut state, &mut breaking).unwrap();
        assert_eq!((report.counts.changed, report.outcome), (1, outcome), "{statement}");
        assert!(report.messages.iter().any(|message| message.contains("is not kept")));
        assert!(state.unwritable().is_some());
    }
}

#[test]
fn what_is_owed_is_put_off_and_shown_until_the_state_can_be_written() {
    let (_scratch, path) = scratch();
    let mut host = FakeHost::scene();
    let catalog = catalog_of("[service.sf-web]\nensure = \"running\"\n");
    let mut state = State::open(&path).unwrap();
    run(&catalog, &mut host, &mut state, &mut Silent).unwrap();
    owe(&state, "sf-web");
    owe(&state, "no-longer-declared");
    drop(state);
    for _ in 0..2 {
        let mut state = State::in_memory(&path, &full()).unwrap();
        let report = run(&catalog, &mut host, &mut state, &mut Silent).unwrap();
        assert_eq!((report.counts.notified, report.outcome), (0, Outcome::Drifted));
        assert_eq!(report.owed.len(), 2);
        assert!(report.messages.iter().any(|message| message.contains("is put off")));
        assert!(!report.messages.iter().any(|message| message.contains("is dropped")));
    }
    let other = catalog_of("[file.\"/etc\"]\nensure = \"directory\"\n");
    let mut state = State::in_memory(&path, &full()).unwrap();
    let report = run(&other, &mut host, &mut state, &mut Silent).unwrap();
    assert_eq!(report.outcome, Outcome::Drifted, "nobody has dropped what is owed to others");
    let mut state = State::open(&path).unwrap();
    let report = run(&catalog, &mut host, &mut state, &mut Silent).unwrap();
    assert_eq!((report.counts.notified, report.owed.len()), (1, 0), "{report:?}");
}

#[test]
fn a_database_is_read_where_nothing_can_be_made_beside_it() {
    let (scratch, path) = scratch();
    let state = State::open(&path).unwrap();
    owe(&state, "one");
    let journaled = scratch.path().join("journaled");
    std::fs::create_dir(&journaled).unwrap();
    for name in ["state.sqlite", "state.sqlite-wal"] {
        std::fs::copy(path.join(name), journaled.join(name)).unwrap();
    }
    drop(state);
    // SQLite can then make no shared memory, as on a file system that is mounted read-only.
    for directory in [&path, &journaled] {
        symlink("/nonexistent/shm", directory.join("state.sqlite-shm")).unwrap();
    }
    let unfinished = scratch.path().join("unfinished");
    std::fs::create_dir(&unfinished).unwrap();
    std::fs::File::create(unfinished.join("state.sqlite")).unwrap();
    assert_eq!(State::in_memory(&unfinished, &full()).unwrap().unread(), None);
    let state = State::in_memory(&path, &full()).unwrap();
    assert_eq!((state.owed().unwrap().len(), state.unread()), (1, None));

    let mut state = State::in_memory(&journaled, &full()).unwrap();
    assert!(state.unread().is_some());
    let catalog = catalog_of("[file.\"/etc\"]\nensure = \"directory\"\n");
    let mut host = FakeHost::scene();
    let report = run(&catalog, &mut host, &mut state, &mut Silent).unwrap();
    assert_ne!(report.outcome, Outcome::Converged);
    assert!(report.messages.iter().any(|message| message.contains("journal")), "{report:?}");
}

#[test]
fn a_directory_in_the_place_of_the_database_is_set_aside() {
    for name in ["state.sqlite", "state.sqlite-wal"] {
        let (_scratch, path) = scratch();
        drop(State::open(&path).unwrap());
        let _ = std::fs::remove_file(path.join(name));
        std::fs::create_dir(path.join(name)).unwrap();
        assert!(State::open_read_only(Path::new("/"), &path).unwrap().is_none(), "{name}");
        let state = State::open_for_run(Path::new("/"), &path).unwrap();
        assert_eq!(state.unwritable(), None, "{name}");
        let aside = path.join(name.replace("sqlite", "sqlite.damaged"));
        assert!(aside.is_dir(), "{}", aside.display());
    }
}
