//! Reports of runs on a fake host, and what they mean for the ledger.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use steadfast_policies::{Catalog, Resource};
use steadfast_resources::Actor;
use steadfast_resources::host::FakeHost;
use steadfast_resources::host::files::FakeNodeKind;

use super::*;
use crate::engine::testing::{Asked, catalog, run_asked};
use crate::engine::{Circumstances, RefusedRevision, Silent};
use crate::state::{Retention, RunQuery};

/// A host, its state, and the runs on it.
struct Scene {
    _scratch: tempfile::TempDir,
    state: State,
    host: FakeHost,
}

impl Scene {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let state = State::open(&scratch.path().join("state")).unwrap();
        Self { _scratch: scratch, state, host: FakeHost::scene() }
    }

    fn write(&mut self, path: &str, content: &str) {
        let content = FakeNodeKind::File(content.as_bytes().to_vec());
        self.host.files.put(path, content, 0o644);
    }

    fn run(&mut self, catalog: &Catalog) -> Report {
        self.ask(catalog, Asked::default())
    }

    fn ask(&mut self, catalog: &Catalog, asked: Asked) -> Report {
        run_asked(catalog, &mut self.host, &mut self.state, &mut Silent, asked).unwrap()
    }

    /// One run because something happened to these resources.
    fn event(&mut self, catalog: &Catalog, titles: &[&str]) -> Report {
        let position = |title: &&str| {
            let is = |resource: &Resource| resource.reference.title() == *title;
            catalog.resources.iter().position(is).unwrap()
        };
        let focus: BTreeSet<usize> = titles.iter().map(position).collect();
        let circumstances = Circumstances { focus: Some(focus), ..Circumstances::default() };
        self.ask(catalog, Asked { trigger: "event", circumstances, ..Asked::default() })
    }

    fn episodes(&self) -> Vec<Episode> {
        let mut episodes = self.state.episodes(&EpisodeQuery::default()).unwrap();
        episodes.reverse();
        episodes
    }

    /// Each episode's title and how it ended, the oldest first.
    fn story(&self) -> Vec<(String, Option<Ending>)> {
        let told = |episode: Episode| (episode.title, episode.end.map(|end| end.how));
        self.episodes().into_iter().map(told).collect()
    }
}

fn file(title: &str, content: &str) -> String {
    format!("[file.\"{title}\"]\ncontent = \"{content}\"\n")
}

fn files(contents: &[(&str, &str)]) -> Catalog {
    catalog(&contents.iter().map(|(title, content)| file(title, content)).collect::<String>())
}

fn audit() -> Asked {
    Asked { audit: true, ..Asked::default() }
}

fn ended(title: &str, how: Ending) -> (String, Option<Ending>) {
    (title.to_owned(), Some(how))
}

fn open(title: &str) -> (String, Option<Ending>) {
    (title.to_owned(), None)
}

#[test]
fn an_intended_change_is_no_drift_and_a_correction_is_an_episode() {
    let mut scene = Scene::new();
    scene.run(&files(&[("/etc/a", "1")]));
    scene.run(&files(&[("/etc/a", "2")]));
    assert_eq!(scene.story(), []);
    scene.write("/etc/a", "defaced");
    let report = scene.run(&files(&[("/etc/a", "2")]));
    assert_eq!(scene.story(), [ended("/etc/a", Ending::Corrected)]);
    let episode = &scene.episodes()[0];
    assert_eq!((episode.seen, episode.recurrence), (1, 0));
    assert_eq!((&episode.first_run, &episode.last_run), (&report.id, &report.id));
    assert_eq!(episode.changes[0].property, "content");
    scene.run(&files(&[("/etc/a", "2")]));
    scene.write("/etc/a", "defaced again");
    scene.run(&files(&[("/etc/a", "2")]));
    assert_eq!(scene.story().len(), 2);
    assert_eq!(scene.episodes()[1].recurrence, 1);
}

#[test]
fn an_episode_stays_open_until_the_resource_is_in_order() {
    let mut scene = Scene::new();
    let policy = files(&[("/etc/a", "1"), ("/etc/b", "1")]);
    scene.run(&policy);
    scene.write("/etc/a", "x");
    scene.write("/etc/b", "x");
    scene.ask(&policy, audit());
    scene.ask(&policy, audit());
    assert_eq!(scene.story(), [open("/etc/a"), open("/etc/b")]);
    assert_eq!(scene.episodes()[0].seen, 2);
    assert_eq!(scene.state.open_episodes().unwrap(), 2);
    // Somebody mends one of them.
    scene.write("/etc/a", "1");
    scene.ask(&policy, audit());
    assert_eq!(scene.story(), [ended("/etc/a", Ending::Resolved), open("/etc/b")]);
    scene.run(&policy);
    assert_eq!(
        scene.story(),
        [ended("/etc/a", Ending::Resolved), ended("/etc/b", Ending::Corrected)]
    );
    assert_eq!(scene.episodes()[1].seen, 4);
    assert_eq!(scene.state.open_episodes().unwrap(), 0);
}

#[test]
fn drift_that_git_takes_over_or_no_longer_declares_has_ended() {
    let mut scene = Scene::new();
    scene.run(&files(&[("/etc/a", "1"), ("/etc/b", "1")]));
    scene.write("/etc/a", "2");
    scene.write("/etc/b", "2");
    scene.ask(&files(&[("/etc/a", "1"), ("/etc/b", "1")]), audit());
    scene.run(&files(&[("/etc/a", "2")]));
    let mut story = scene.story();
    story.sort_by(|left, right| left.0.cmp(&right.0));
    assert_eq!(story, [ended("/etc/a", Ending::Redeclared), ended("/etc/b", Ending::Undeclared)]);
}

#[test]
fn a_run_ends_no_episode_of_what_it_did_not_look_at() {
    let mut scene = Scene::new();
    let policy = files(&[("/etc/a", "1"), ("/etc/b", "1")]);
    scene.run(&policy);
    scene.write("/etc/a", "x");
    scene.write("/etc/b", "x");
    scene.ask(&policy, audit());
    scene.write("/etc/a", "1");
    scene.write("/etc/b", "1");
    scene.event(&policy, &["/etc/b"]);
    assert_eq!(scene.story(), [open("/etc/a"), ended("/etc/b", Ending::Resolved)]);
    // A single policy that somebody tries out knows nothing of the rest.
    let single = Asked { whole_host: false, ..Asked::default() };
    scene.ask(&files(&[("/etc/c", "1")]), single);
    assert_eq!(scene.story()[0], open("/etc/a"));
    scene.run(&policy);
    assert_eq!(scene.story()[0], ended("/etc/a", Ending::Resolved));
}

#[test]
fn what_cannot_be_corrected_is_an_open_episode() {
    let mut scene = Scene::new();
    let policy = files(&[("/etc/a", "1")]);
    scene.run(&policy);
    scene.write("/etc/a", "x");
    // The host fails at its first change.
    scene.host.faults.fail_from(0);
    let report = scene.run(&policy);
    assert_eq!(report.outcome, Outcome::Failed, "{report:?}");
    assert_eq!(scene.story(), [open("/etc/a")]);
    let episode = &scene.episodes()[0];
    assert!(episode.reason.is_some() && !episode.steps.is_empty(), "{episode:?}");
    scene.host.faults.relent();
    scene.run(&policy);
    assert_eq!(scene.story(), [ended("/etc/a", Ending::Corrected)]);
    assert_eq!(scene.episodes()[0].seen, 2);
}

#[test]
fn who_did_it_is_written_down() {
    let mut scene = Scene::new();
    let policy = files(&[("/etc/a", "1")]);
    scene.run(&policy);
    scene.write("/etc/a", "x");
    let actor = Actor { pid: 4312, login_user: Some("alice".into()), ..Actor::default() };
    let circumstances =
        Circumstances { actors: [(0, actor.clone())].into(), ..Circumstances::default() };
    scene.ask(&policy, Asked { circumstances, ..Asked::default() });
    assert_eq!(scene.episodes()[0].actors, [actor]);
}

#[test]
fn small_runs_do_not_push_out_the_great_ones_and_empty_ones_are_not_kept() {
    let mut scene = Scene::new();
    let policy = files(&[("/etc/a", "1"), ("/etc/b", "1")]);
    let whole = scene.run(&policy);
    for _ in 0..5 {
        let report = scene.event(&policy, &["/etc/a"]);
        assert_eq!((report.outcome, report.counts.total), (Outcome::Converged, 1));
    }
    assert_eq!(scene.state.run_summaries(&RunQuery::default()).unwrap().len(), 1);
    // The engine's tests keep ten runs of each sort.
    for round in 0..15 {
        scene.write("/etc/a", &format!("x{round}"));
        let report = scene.event(&policy, &["/etc/a"]);
        assert_eq!(report.outcome, Outcome::Corrected);
    }
    let kept = scene.state.run_summaries(&RunQuery::default()).unwrap();
    assert_eq!(kept.len(), 11);
    assert_eq!(kept[10].id, whole.id);
    let chain = scene.state.verify_chain().unwrap();
    assert_eq!((chain.checked, chain.broken), (11, None), "what retention takes is no break");
    for _ in 0..10 {
        scene.run(&policy);
    }
    let chain = scene.state.verify_chain().unwrap();
    assert_eq!((chain.checked, chain.broken), (20, None));
    let stored = scene.state.stored_run(Some(&kept[0].id)).unwrap().unwrap();
    let listing = stored.listing.clone();
    let whole = stored.report.completed(&listing);
    assert_eq!((listing.len(), whole.resources.len()), (2, 1), "only what it looked at");
    assert_eq!(scene.story().len(), 15, "the ledger outlives the runs");
}

#[test]
fn a_report_that_is_changed_or_missing_breaks_the_chain_at_its_place() {
    let scene_of = |runs: usize| {
        let mut scene = Scene::new();
        let policy = files(&[("/etc/a", "1")]);
        let ids: Vec<String> = (0..runs).map(|_| scene.run(&policy).id).collect();
        (scene, ids)
    };
    for (statement, broken_at, problem) in [
        (
            "UPDATE runs SET document = replace(document, 'host', 'hose') WHERE number = 2",
            Some(1),
            "is not what was written",
        ),
        ("DELETE FROM runs WHERE number = 2", Some(2), "does not name the report before it"),
        ("DELETE FROM runs WHERE number = 1", Some(1), "reports before it are missing"),
        ("DELETE FROM runs WHERE number = 4", None, "the newest reports are missing"),
        ("DELETE FROM runs", None, "the newest reports are missing"),
    ] {
        let (scene, ids) = scene_of(4);
        assert_eq!(scene.state.verify_chain().unwrap().broken, None);
        scene.state.database.connection.execute_batch(statement).unwrap();
        let broken = scene.state.verify_chain().unwrap().broken.expect(statement);
        assert_eq!(broken.run, broken_at.map(|index: usize| ids[index].clone()), "{statement}");
        assert!(broken.problem.contains(problem), "{statement}: {}", broken.problem);
    }
    // What is taken off the end shows even after more runs.
    let (mut scene, _) = scene_of(3);
    scene.state.database.connection.execute_batch("DELETE FROM runs WHERE number = 3").unwrap();
    let next = scene.run(&files(&[("/etc/a", "1")]));
    let broken = scene.state.verify_chain().unwrap().broken.unwrap();
    assert_eq!(broken.run, Some(next.id));
}

#[test]
fn a_quiet_run_writes_three_rows_however_much_there_is() {
    let mut scene = Scene::new();
    let policy = files(&[("/etc/a", "1")]);
    scene.run(&policy);
    scene.write("/etc/a", "x");
    scene.run(&policy);
    let changes = |scene: &Scene| -> i64 {
        scene
            .state
            .database
            .connection
            .query_row("SELECT total_changes()", [], |row| row.get(0))
            .unwrap()
    };
    let before = changes(&scene);
    scene.run(&policy);
    // The run itself, the end of the chain, and the counts of everything.
    assert_eq!(changes(&scene) - before, 3);
}

#[test]
fn an_event_that_found_nothing_is_nothing_also_while_a_revision_is_refused() {
    let mut scene = Scene::new();
    let policy = files(&[("/etc/a", "1")]);
    scene.run(&policy);
    let runs = |scene: &Scene| scene.state.run_summaries(&RunQuery::default()).unwrap().len();
    let refused = || {
        let revision = crate::report::Revision::default();
        Some(RefusedRevision { revision, reasons: vec!["a typo".to_owned()] })
    };
    let event = |scene: &mut Scene| {
        let focus = Some(BTreeSet::from([0]));
        let circumstances = Circumstances { focus, refused: refused(), ..Circumstances::default() };
        scene.ask(&policy, Asked { trigger: "event", circumstances, ..Asked::default() })
    };
    let report = event(&mut scene);
    assert_eq!((report.outcome, report.wanted.is_some()), (Outcome::Converged, true));
    assert_eq!(runs(&scene), 1);
    scene.write("/etc/a", "defaced");
    assert_eq!(event(&mut scene).outcome, Outcome::Corrected);
    assert_eq!(runs(&scene), 2);
    let circumstances = Circumstances { refused: refused(), ..Circumstances::default() };
    let report = scene.ask(&policy, Asked { circumstances, ..Asked::default() });
    assert_eq!(report.outcome, Outcome::Failed, "the host is not what was asked for");
}

#[test]
fn a_clock_that_jumps_ahead_does_not_take_the_history_along() {
    let mut scene = Scene::new();
    let policy = files(&[("/etc/a", "1")]);
    let first = scene.run(&policy);
    let runs = |scene: &Scene| scene.state.run_summaries(&RunQuery::default()).unwrap().len();
    for number in 0..100 {
        let report = Report { id: format!("run{number}"), ..first.clone() };
        scene.state.keep_report(&report, None, &Retention::new(1000, 90)).unwrap();
    }
    let before = runs(&scene);
    // As a clock says it that is years ahead: everything is older than anything that is kept.
    let ahead =
        Report { id: "ahead".to_owned(), started: "2099-01-01T00:00:00.000Z".into(), ..first };
    scene.state.keep_report(&ahead, None, &Retention::new(1000, 0)).unwrap();
    assert!(runs(&scene) > before - 10, "a few go, of {before}: {} are left", runs(&scene));
    assert!(runs(&scene) < before, "what is old goes, a few with each run");
    for number in 100..200 {
        let report = Report { id: format!("run{number}"), ..ahead.clone() };
        scene.state.keep_report(&report, None, &Retention::new(1000, 0)).unwrap();
    }
    assert_eq!(runs(&scene), 101, "in the end all of it has gone");
}

#[test]
fn a_report_from_the_future_is_in_nobodys_way() {
    let mut scene = Scene::new();
    let first = scene.run(&files(&[("/etc/a", "1")]));
    let ids = |scene: &Scene| -> Vec<String> {
        let runs = scene.state.run_summaries(&RunQuery::default()).unwrap();
        runs.into_iter().map(|run| run.id).collect()
    };
    let keep = |name: &str, started: &str, retention: &Retention| {
        let previous = scene.state.newest_report_digest().unwrap();
        let started = started.to_owned();
        let report = Report { id: name.to_owned(), started, previous, ..first.clone() };
        scene.state.keep_report(&report, None, retention).unwrap();
    };
    let by_age = Retention::new(1000, 90);
    keep("old1", "2020-01-01T00:00:00.000Z", &Retention::new(1000, 100_000));
    keep("old2", "2020-01-02T00:00:00.000Z", &Retention::new(1000, 100_000));
    keep("ahead", "2999-01-01T00:00:00.000Z", &Retention::new(1000, 100_000));
    // The clock is right again.
    keep("now1", &first.started, &by_age);
    assert_eq!(ids(&scene), ["now1", "ahead", first.id.as_str()], "what is old goes, by age");
    keep("now2", &first.started, &Retention::new(2, 90));
    assert_eq!(ids(&scene), ["now2", "now1"], "what was ahead goes, by count");
    assert_eq!(scene.state.last_whole_run().unwrap().unwrap().id, "now2");
    assert_eq!(scene.state.verify_chain().unwrap().broken, None);
}

/// Every query of the ledger finds its rows by an index, however many runs are kept.
#[test]
fn no_query_reads_everything() {
    let scene = Scene::new();
    let query = |text: &str| -> String {
        let connection = &scene.state.database.connection;
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
        let nulls = params_from_iter(vec![None::<String>; statement.parameter_count()]);
        let rows = statement.query_map(nulls, |row| row.get::<_, String>(3)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap().join("\n")
    };
    let resource = Some(("file".to_owned(), "/etc/a".to_owned()));
    let since = Some("2026-01-01T00:00:00Z".to_owned());
    for text in [
        "SELECT document, number FROM episodes WHERE ended IS NULL".to_owned(),
        "SELECT document FROM episodes WHERE kind = 'a' AND title = 'b' ORDER BY number DESC LIMIT 1".to_owned(),
        "SELECT max(ordinal) FROM runs WHERE part = 1".to_owned(),
        crate::state::keeping::DOOMED.to_owned(),
        "SELECT document FROM runs WHERE number = (SELECT max(number) FROM runs WHERE id BETWEEN 'a' AND 'b')".to_owned(),
        FORGOTTEN.to_owned(),
        "DELETE FROM results WHERE run = 1".to_owned(),
        EpisodeQuery { resource: resource.clone(), ..EpisodeQuery::default() }.conditions().query("SELECT document FROM episodes", None).0,
        EpisodeQuery { since: since.clone(), ..EpisodeQuery::default() }.conditions().query("SELECT document FROM episodes", None).0,
        EpisodeQuery { open: true, ..EpisodeQuery::default() }.conditions().query("SELECT document FROM episodes", None).0,
        RunQuery { resource, ..RunQuery::default() }.conditions().query("SELECT summary FROM runs", None).0,
    ] {
        let plan = query(&text);
        assert!(!plan.is_empty());
        for line in plan.lines() {
            assert!(!line.starts_with("SCAN") || line.contains("INDEX episodes_open"), "{text}\n{plan}");
        }
    }
}

/// Deadlines are generous; a query that reads everything, or one transaction for each resource,
/// would miss them by far. `--nocapture` prints the figures.
#[test]
fn a_hundred_thousand_runs_and_ten_thousand_drifted_resources_are_no_burden() {
    let mut scene = Scene::new();
    let policy = files(&[("/etc/a", "1")]);
    let first = scene.run(&policy);
    scene
        .state
        .database
        .connection
        .execute_batch(
            "WITH RECURSIVE many (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM many WHERE n < 100000)
             INSERT INTO runs (id, started, outcome, catalog, digest, document, part, ordinal, summary)
             SELECT 'old-' || n, started, outcome, catalog, digest, document, 0, n, summary
             FROM runs, many WHERE number = 1;",
        )
        .unwrap();
    let retention = Retention::new(100_001, 1);
    let keep = |scene: &Scene, name: &str, resources: Vec<ResourceReport>| {
        let report = Report { id: name.to_owned(), resources, ..first.clone() };
        let begun = Instant::now();
        assert!(scene.state.keep_report(&report, None, &retention).unwrap());
        begun.elapsed()
    };
    let quiet =
        (0..5).map(|number| keep(&scene, &format!("quiet-{number}"), vec![])).min().unwrap();
    let drifted = |state| {
        let resource = |number| {
            let (kind, title) = ("file".to_owned(), format!("/etc/{number}"));
            let mut blank = ResourceReport::blank(kind, title, "p.toml".to_owned(), 1, state);
            blank.drift = true;
            blank
        };
        (0..10_000).map(resource).collect::<Vec<_>>()
    };
    let begin = keep(&scene, "many", drifted(ResourceState::Drifted));
    assert_eq!(scene.state.open_episodes().unwrap(), 10_000);
    let end = keep(&scene, "mended", drifted(ResourceState::Corrected));
    assert_eq!(scene.state.open_episodes().unwrap(), 0);
    let asked = Instant::now();
    assert_eq!(scene.state.runs_with("file", "/etc/7", 10).unwrap().runs.len(), 2);
    let resource = Some(("file".to_owned(), "/etc/7".to_owned()));
    let query = EpisodeQuery { resource, ..EpisodeQuery::default() };
    assert_eq!(scene.state.episodes(&query).unwrap().len(), 1);
    let asked = asked.elapsed();
    #[expect(clippy::print_stdout, reason = "what was measured, for who asks with --nocapture")]
    let () = println!(
        "100,000 runs kept: a quiet report {quiet:.1?}; 10,000 episodes begin {begin:.1?}, end \
         {end:.1?}; a resource's history {asked:.1?}"
    );
    let limits = [(quiet, 500), (begin, 20_000), (end, 20_000), (asked, 2_000)];
    for (took, limit) in limits {
        assert!(took < Duration::from_millis(limit), "{took:?} > {limit} ms");
    }
}
