use std::path::PathBuf;

use rusqlite::Connection;
use steadfast_policies::Catalog;
use steadfast_resources::host::FakeHost;
use steadfast_resources::host::files::FakeNodeKind;

use super::*;
use crate::drift::Ending;
use crate::engine::Silent;
use crate::engine::testing::{catalog, run};
use crate::report::{Counts, Outcome, Scope};
use crate::state::{EpisodeQuery, RunQuery};

/// A process that stays, on a host with one file.
struct Resident {
    _scratch: tempfile::TempDir,
    path: PathBuf,
    state: Option<State>,
    host: FakeHost,
    catalog: Catalog,
}

impl Resident {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("state");
        let state = State::open(&path).unwrap();
        let catalog = catalog("[file.\"/etc/a\"]\ncontent = \"1\"\n");
        let mut resident =
            Self { _scratch: scratch, path, state: Some(state), host: FakeHost::scene(), catalog };
        resident.cycle();
        resident
    }

    fn database(&self) -> PathBuf {
        self.path.join("state.sqlite")
    }

    /// Makes sure of the state and runs, as the loop does.
    fn cycle(&mut self) -> Report {
        let mut state = self.state.take().unwrap().for_next_run(Path::new("/")).unwrap();
        let report = run(&self.catalog, &mut self.host, &mut state, &mut Silent).unwrap();
        self.state = Some(state);
        report
    }

    fn drift(&mut self) {
        let content = FakeNodeKind::File(b"defaced".to_vec());
        self.host.files.put("/etc/a", content, 0o644);
    }

    /// What another process reads.
    fn kept(&self) -> (usize, usize) {
        let state = State::open_read_only(Path::new("/"), &self.path).unwrap().unwrap();
        assert_eq!(state.verify_chain().unwrap().broken, None);
        (
            state.run_summaries(&RunQuery::default()).unwrap().len(),
            state.episodes(&EpisodeQuery::default()).unwrap().len(),
        )
    }

    fn state(&self) -> &State {
        self.state.as_ref().unwrap()
    }
}

fn says(report: &Report, words: &str) -> bool {
    report.messages.iter().any(|message| message.contains(words))
}

#[test]
fn a_state_that_is_well_is_not_opened_again() {
    let mut resident = Resident::new();
    let before: *const Database = &raw const *resident.state().database;
    for _ in 0..3 {
        resident.cycle();
    }
    let after: *const Database = &raw const *resident.state().database;
    assert_eq!(before, after);
    assert_eq!(resident.kept(), (4, 0));
}

#[test]
fn a_database_that_is_deleted_in_use_is_written_anew() {
    let everything = |path: &Path| std::fs::rename(path, path.with_extension("gone")).unwrap();
    let only_the_database = |path: &Path| std::fs::remove_file(path.join("state.sqlite")).unwrap();
    let with_its_journal = |path: &Path| {
        for name in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
            std::fs::remove_file(path.join(name)).unwrap();
        }
    };
    let ways: [&dyn Fn(&Path); 3] = [&everything, &only_the_database, &with_its_journal];
    for delete in ways {
        let mut resident = Resident::new();
        resident.drift();
        resident.cycle();
        delete(&resident.path);
        resident.drift();
        let report = resident.cycle();
        assert!(says(&report, "was deleted while it was in use"), "{:?}", report.messages);
        assert_eq!(report.outcome, Outcome::Corrected, "what was in force is still known");
        assert_eq!(resident.kept(), (3, 2), "nothing is lost");
        let report = resident.cycle();
        assert!(!says(&report, "deleted"), "it is said once");
        assert_eq!(resident.kept(), (4, 2));
    }
}

#[test]
fn a_journal_that_is_deleted_in_use_is_noticed() {
    let mut resident = Resident::new();
    std::fs::remove_file(resident.path.join("state.sqlite-wal")).unwrap();
    let report = resident.cycle();
    assert!(says(&report, "was replaced while it was in use"), "{:?}", report.messages);
    resident.cycle();
    assert!(State::open_read_only(Path::new("/"), &resident.path).unwrap().is_some());
}

#[test]
fn a_database_that_is_replaced_in_use_is_the_one_used() {
    let mut resident = Resident::new();
    let other = Resident::new();
    let copy = other.path.join("copy");
    other.state().database.connection.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(with_suffix(&resident.database(), suffix)).unwrap();
    }
    std::fs::rename(copy, resident.database()).unwrap();
    let report = resident.cycle();
    assert!(says(&report, "was replaced while it was in use"), "{:?}", report.messages);
    assert_eq!(resident.kept(), (2, 0), "the other's run and this one");
}

/// Garbage over the file, under the process's feet.
#[test]
fn a_database_that_is_damaged_in_use_is_set_aside_by_the_next_run() {
    let mut resident = Resident::new();
    // All pages come from the disk again, and there is nothing in the journal.
    let connection = &resident.state().database.connection;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    connection.execute_batch("PRAGMA shrink_memory").unwrap();
    let length = std::fs::metadata(resident.database()).unwrap().len();
    let garbage = vec![0xa5_u8; usize::try_from(length).unwrap()];
    let file = std::fs::OpenOptions::new().write(true).open(resident.database()).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &garbage, 0).unwrap();
    Connection::open(resident.database()).unwrap();
    resident.drift();
    let mut reports = vec![];
    for _ in 0..3 {
        let mut state = match resident.state.take().map(|state| state.for_next_run(Path::new("/")))
        {
            Some(Ok(state)) => state,
            Some(Err(error)) => panic!("{error}"),
            None => State::open(&resident.path).unwrap(),
        };
        match run(&resident.catalog, &mut resident.host, &mut state, &mut Silent) {
            Ok(report) => {
                reports.push(report);
                resident.state = Some(state);
            }
            // The loop opens the state again after a run that ended with an error.
            Err(error) => {
                state.suspect_after(&error);
                resident.state = Some(state);
            }
        }
    }
    assert!(reports.len() >= 2, "it recovers by itself");
    assert!(resident.path.join("state.sqlite.damaged").exists());
    assert!(resident.kept().0 >= 1);
    assert_eq!(resident.state().unwritable(), None);
}

/// A disk that is full for two runs: their reports are kept once there is room.
#[test]
fn reports_that_could_not_be_kept_are_kept_later() {
    let mut resident = Resident::new();
    resident.drift();
    resident.state().database.connection.execute_batch("PRAGMA query_only=1").unwrap();
    let report = resident.cycle();
    assert!(says(&report, "this report is not kept"), "{:?}", report.messages);
    assert!(resident.state().unwritable().is_some());
    assert_eq!(resident.kept(), (1, 0));
    // There is room again.
    let report = resident.cycle();
    assert!(says(&report, "1 report that waited for that is kept"), "{:?}", report.messages);
    assert_eq!(resident.state().unwritable(), None);
    assert_eq!(resident.kept(), (3, 1), "the drift that was corrected meanwhile is in the ledger");
    let runs = resident.state().run_summaries(&RunQuery::default()).unwrap();
    let late = resident.state().stored_run(Some(&runs[1].id)).unwrap().unwrap();
    assert!(says(&late.report, "kept late"));
}

/// A disk that is full for longer than reports can wait: what is said is what became of them.
#[test]
fn what_is_said_of_late_reports_is_what_became_of_them() {
    let mut resident = Resident::new();
    let retention = Retention::new(1000, 10);
    let mut state = resident.state.take().unwrap();
    let report = state.stored_run(None).unwrap().unwrap().report;
    let counts = Counts::default();
    let nothing = Report { trigger: "event".into(), scope: Scope::Focus, counts, ..report.clone() };
    let put_off = |state: &mut State, name: &str, number: usize, report: &Report| {
        state.put_off(
            &Report { id: format!("{name}{number}"), ..report.clone() },
            None,
            &retention,
        );
    };
    // Events that found nothing take no places.
    (0..200).for_each(|number| put_off(&mut state, "nothing", number, &nothing));
    // One that was written after all, as it turns out, is in nobody's way.
    state.put_off(&report, None, &retention);
    (0..MOST_PUT_OFF + 2).for_each(|number| put_off(&mut state, "late", number, &report));
    // There is room for some of them only, at first.
    state
        .database
        .connection
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON runs WHEN NEW.id = 'late40'
             BEGIN SELECT RAISE(FAIL, 'full'); END",
        )
        .unwrap();
    let mut state = state.for_next_run(Path::new("/")).unwrap();
    assert_eq!(state.take_notes(), Vec::<String>::new(), "not yet");
    state.database.connection.execute_batch("DROP TRIGGER full").unwrap();
    let mut state = state.for_next_run(Path::new("/")).unwrap();
    let note = "the agent's state can be written again: 100 reports that waited for that are \
                kept, and 3 for which there was no room are lost";
    assert_eq!(state.take_notes(), [note]);
    let late = state.stored_run(Some("late40")).unwrap().unwrap().report;
    assert_eq!(late.messages.len(), 1, "{:?}", late.messages);
    resident.state = Some(state);
    assert_eq!(resident.kept(), (100, 0));
}

/// Drift that nothing corrected is put off, and then what was found is declared.
#[test]
fn a_late_report_knows_what_was_declared_when_it_was_made() {
    let mut resident = Resident::new();
    let content = |text: &str| catalog(&format!("[file.\"/etc/a\"]\nenforce = false\n{text}"));
    resident.catalog = content("content = \"1\"\n");
    resident.cycle();
    resident.drift();
    resident.state().database.connection.execute_batch("PRAGMA query_only=1").unwrap();
    assert_eq!(resident.cycle().outcome, Outcome::Drifted);
    resident.catalog = content("content = \"defaced\"\n");
    resident.cycle();
    let episodes = resident.state().episodes(&EpisodeQuery::default()).unwrap();
    let ends: Vec<_> = episodes.iter().map(|episode| episode.end.as_ref().unwrap().how).collect();
    assert_eq!(ends, [Ending::Redeclared]);
}
