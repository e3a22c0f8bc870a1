use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior, params};

use super::VERSION_1;
use crate::report::{
    Counts, Outcome, Report, ResourceReport, ResourceState, Revision, SCHEMA, Scope,
    document_digest,
};
use crate::state::{EpisodeQuery, Places, Retention, RunQuery, State, StateError};

/// A report as the program of version 1 wrote it, without what came later.
fn document(number: usize, previous: Option<&str>, resources: Vec<ResourceReport>) -> String {
    let report = Report {
        schema: SCHEMA,
        id: format!("20260101T00000{number}Z-00000000"),
        host: "web1".to_owned(),
        trigger: "manual".to_owned(),
        mode: "enforce".to_owned(),
        agent_version: "0.1.0".to_owned(),
        started: format!("2026-01-01T00:00:0{number}.000Z"),
        duration: 0.5,
        revision: Revision { commit: Some("c0ffee".to_owned()), ..Revision::default() },
        catalog: Some("catalog".to_owned()),
        policies: vec!["web".to_owned()],
        outcome: Outcome::Changed,
        wanted: None,
        overrides: Vec::new(),
        scope: Scope::Host,
        focus: None,
        counts: Counts { total: 2, changed: 1, ..Counts::default() },
        resources,
        owed: Vec::new(),
        messages: Vec::new(),
        previous: previous.map(str::to_owned),
    };
    let mut document = serde_json::to_value(report).unwrap();
    document.as_object_mut().unwrap().remove("scope");
    document.to_string()
}

fn changed(title: &str) -> ResourceReport {
    let file = "policies/web.toml".to_owned();
    ResourceReport::blank("file".to_owned(), title.to_owned(), file, 1, ResourceState::Changed)
}

/// A database of version 1, as that version's own tables are.
fn version_1(directory: &Path) -> PathBuf {
    let path = directory.join("state.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let mut previous: Option<String> = Some("of a report long gone".to_owned());
    for number in 1..=3 {
        let resources = if number == 2 { vec![changed("/etc/motd")] } else { Vec::new() };
        let document = document(number, previous.as_deref(), resources);
        let digest = document_digest(&document);
        let id = format!("20260101T00000{number}Z-00000000");
        let started = format!("2026-01-01T00:00:0{number}.000Z");
        connection
            .execute(
                "INSERT INTO runs (id, started, outcome, catalog, digest, document)
                 VALUES (?1, ?2, 'changed', 'catalog', ?3, ?4)",
                params![id, started, digest, document],
            )
            .unwrap();
        previous = Some(digest);
    }
    connection
        .execute_batch(
            "INSERT INTO catalogs VALUES ('catalog', '[]');
             INSERT INTO meta VALUES ('running', 'cut off');
             INSERT INTO in_force VALUES ('file', '/etc/motd', x'00');
             INSERT INTO owed VALUES ('service', 'web', 'file', '/etc/motd', 'since', 'run');
             INSERT INTO kept (path, digest, mode, uid, gid, size, kept_at)
             VALUES ('/etc/motd', 'd', 420, 0, 0, 1, 'then');",
        )
        .unwrap();
    path
}

fn private() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn has_everything(state: &State) {
    let summaries = state.run_summaries(&RunQuery::default()).unwrap();
    assert_eq!(summaries.len(), 3);
    assert_eq!(summaries[0].id, "20260101T000003Z-00000000");
    assert_eq!(summaries[0].commit.as_deref(), Some("c0ffee"));
    assert_eq!((summaries[0].scope, summaries[0].counts.changed), (Scope::Host, 1));
    let history = state.runs_with("file", "/etc/motd", 10).unwrap();
    assert_eq!((history.kept, history.runs.len()), (3, 1));
    assert_eq!(history.runs[0].run, "20260101T000002Z-00000000");
    assert_eq!(state.owed().unwrap().len(), 1);
    assert_eq!(state.kept(None).unwrap().len(), 1);
    assert_eq!(state.interrupted_run().unwrap().as_deref(), Some("cut off"));
    assert!(state.episodes(&EpisodeQuery::default()).unwrap().is_empty());
    let chain = state.verify_chain().unwrap();
    assert_eq!((chain.checked, chain.broken), (3, None));
}

#[test]
fn a_database_of_version_1_is_brought_up_to_date_and_loses_nothing() {
    let directory = private();
    let path = version_1(directory.path());
    // Reading changes nothing, and sees all the same.
    let before = std::fs::read(&path).unwrap();
    let reader = State::open_read_only(Path::new("/"), directory.path()).unwrap().unwrap();
    has_everything(&reader);
    drop(reader);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // Opening for a run brings it up to date, once.
    for _ in 0..2 {
        let state = State::open(directory.path()).unwrap();
        has_everything(&state);
        assert!(!directory.path().join("state.sqlite.damaged").exists());
    }
    let state = State::open(directory.path()).unwrap();
    let newest = state.newest_report_digest().unwrap();
    let report: Report =
        serde_json::from_str(&document(4, newest.as_deref(), vec![changed("/etc/motd")])).unwrap();
    assert!(state.keep_report(&report, None, &Retention::new(2, 100_000)).unwrap());
    assert_eq!(state.runs_with("file", "/etc/motd", 10).unwrap().runs.len(), 1);
    let chain = state.verify_chain().unwrap();
    assert_eq!((chain.checked, chain.broken), (2, None));
}

#[test]
fn a_damaged_database_of_version_1_is_set_aside() {
    let directory = private();
    let path = version_1(directory.path());
    Connection::open(&path).unwrap().execute_batch("DROP TABLE runs").unwrap();
    let state = State::open(directory.path()).unwrap();
    assert!(directory.path().join("state.sqlite.damaged").exists());
    assert_eq!(state.owed().unwrap().len(), 1, "what is owed is taken over");
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let directory = private();
    drop(State::open(directory.path()).unwrap());
    let path = directory.path().join("state.sqlite");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let before = std::fs::read(&path).unwrap();
    let told = |error: StateError| steadfast_resources::Failure::from_error(&error).reason;
    let opened = told(State::open(directory.path()).err().unwrap());
    assert!(opened.contains("schema 3, this program knows 2"), "{opened}");
    let read = told(State::open_read_only(Path::new("/"), directory.path()).err().unwrap());
    assert!(read.contains("schema 3"), "{read}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// A process that dies in the middle of the migration leaves version 1, whole.
#[test]
fn a_migration_that_is_cut_off_has_not_happened() {
    let directory = private();
    let path = version_1(directory.path());
    {
        let mut connection = Connection::open(&path).unwrap();
        let transaction = connection.transaction().unwrap();
        super::migrate(&transaction).unwrap();
        drop(transaction);
    }
    let state = State::open(directory.path()).unwrap();
    has_everything(&state);
    state.run_begins("4", &Places::new()).unwrap();
}

/// Two processes that open it at the same time: each brings it up to date, or finds that done.
#[test]
fn openings_at_the_same_time_do_not_meet() {
    for old in [false, true] {
        for _ in 0..20 {
            let directory = private();
            if old {
                version_1(directory.path());
            }
            let begin = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                let open = || {
                    begin.wait();
                    State::open(directory.path()).map(drop)
                };
                let all: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
                for opened in all {
                    opened.join().unwrap().unwrap();
                }
            });
            let state = State::open(directory.path()).unwrap();
            if old {
                has_everything(&state);
            }
            assert!(!directory.path().join("state.sqlite.damaged").exists());
        }
    }
}

/// One that has read the version while another is at work, and comes to write only then.
#[test]
fn what_another_has_brought_up_to_date_meanwhile_stays_so() {
    let directory = private();
    let path = version_1(directory.path());
    let mut other = Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA journal_mode=WAL").unwrap();
    let transaction = other.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    super::migrate(&transaction).unwrap();
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| State::open(directory.path()).map(drop));
        let deadline = Instant::now() + Duration::from_millis(300);
        while !opened.is_finished() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(!opened.is_finished(), "it waits for the other");
        transaction.commit().unwrap();
        opened.join().unwrap().unwrap();
    });
    has_everything(&State::open(directory.path()).unwrap());
}
