use steadfast_resources::{Actor, Change, Shown};

use super::*;
use crate::report::{
    Counts, Outcome, Report, ResourceReport, ResourceState, Revision, SCHEMA, Scope,
};

pub(crate) fn report(id: &str, started: &str, mode: &str) -> Report {
    Report {
        schema: SCHEMA,
        id: id.to_owned(),
        host: "web1".to_owned(),
        trigger: "interval".to_owned(),
        mode: mode.to_owned(),
        agent_version: String::new(),
        started: started.to_owned(),
        duration: 1.5,
        revision: Revision::default(),
        catalog: None,
        policies: Vec::new(),
        outcome: Outcome::Drifted,
        wanted: None,
        overrides: Vec::new(),
        scope: Scope::Host,
        focus: None,
        counts: Counts::default(),
        resources: Vec::new(),
        owed: Vec::new(),
        messages: Vec::new(),
        previous: None,
    }
}

pub(crate) fn resource(state: ResourceState, drift: bool) -> ResourceReport {
    let name = |text: &str| text.to_owned();
    let blank = ResourceReport::blank(name("file"), name("/etc/a"), name("p.toml"), 3, state);
    ResourceReport { drift, ..blank }
}

fn change(property: &'static str, before: &str) -> Change {
    Change::new(property, Shown::value(before), Shown::value("declared"))
}

#[test]
fn drift_is_told_from_what_is_still_to_be_changed() {
    use ResourceState::{
        Blocked, Changed, Corrected, Drifted, Failed, InSync, NotReached, Skipped,
    };
    for (mode, state, drift, expected) in [
        ("enforce", Corrected, true, Finding::Corrected),
        ("enforce", Drifted, true, Finding::Drifted),
        ("audit", Drifted, true, Finding::Drifted),
        // Nothing will ever apply it: the host is not as it is declared.
        ("audit", Drifted, false, Finding::Drifted),
        ("enforce", Drifted, false, Finding::Drifted),
        // A declaration that waits for the end of the pause is no drift; drift is.
        ("paused", Drifted, false, Finding::Nothing),
        ("paused", Drifted, true, Finding::Drifted),
        ("enforce", Failed, true, Finding::Drifted),
        ("enforce", Failed, false, Finding::Nothing),
        ("enforce", Blocked, true, Finding::Drifted),
        ("enforce", Blocked, false, Finding::Nothing),
        ("enforce", NotReached, false, Finding::Nothing),
        ("enforce", Skipped, false, Finding::Nothing),
        ("enforce", InSync, false, Finding::InOrder),
        ("enforce", Changed, false, Finding::InOrder),
    ] {
        let found = finding(&report("1", "", mode), &resource(state, drift));
        assert_eq!(found, expected, "{mode} {state:?} {drift}");
    }
}

#[test]
fn an_episode_gathers_what_its_runs_saw() {
    let alice = Actor { pid: 1, login_user: Some("alice".to_owned()), ..Actor::default() };
    let mut first = resource(ResourceState::Failed, true);
    first.actor = Some(alice.clone());
    first.reason = Some("no space left".to_owned());
    first.steps = vec!["write /etc/a".to_owned()];
    let begin = report("1", "2026-01-01T00:00:00.000Z", "enforce");
    let mut episode = Episode::begin(&begin, &first, Some("d1".to_owned()), None);
    assert!(episode.is_open() && episode.changes.is_empty());
    let mut second = resource(ResourceState::Drifted, true);
    second.actor = Some(alice.clone());
    second.changes = vec![change("mode", "0666"), change("owner", "bob")];
    episode.see(&report("2", "2026-01-01T00:05:00.000Z", "audit"), &second, Some("d1".to_owned()));
    let mut third = resource(ResourceState::Corrected, true);
    third.actor = Some(Actor { pid: 2, ..alice.clone() });
    third.changes = vec![change("mode", "0777")];
    let end = report("3", "2026-01-01T00:10:00.000Z", "enforce");
    episode.see(&end, &third, Some("d1".to_owned()));
    episode.end(&end, Ending::Corrected);
    assert_eq!((episode.seen, episode.actors.len(), episode.reason.as_deref()), (3, 2, None));
    assert_eq!(episode.changes, [change("owner", "bob"), change("mode", "0777")]);
    assert_eq!(episode.steps, ["write /etc/a"]);
    assert_eq!((episode.first_run.as_str(), episode.last_run.as_str()), ("1", "3"));
    let end = episode.end.unwrap();
    assert_eq!((end.at.as_str(), end.run.as_str()), ("2026-01-01T00:10:01.500Z", "3"));
}

#[test]
fn drift_that_comes_back_within_a_day_is_a_recurrence() {
    let seen = resource(ResourceState::Corrected, true);
    let mut last: Option<Episode> = None;
    for (started, recurrence) in [
        ("2026-01-01T00:00:00.000Z", 0),
        ("2026-01-01T12:00:00.000Z", 1),
        ("2026-01-02T11:00:00.000Z", 2),
        // More than a day of rest.
        ("2026-01-03T12:00:00.000Z", 0),
        // The clock was put back.
        ("2026-01-02T00:00:00.000Z", 1),
        ("no time at all", 0),
    ] {
        let run = report("1", started, "enforce");
        let mut episode = Episode::begin(&run, &seen, None, last.as_ref());
        assert_eq!(episode.recurrence, recurrence, "{started}");
        episode.end(&run, Ending::Corrected);
        last = Some(episode);
    }
}

#[test]
fn how_it_ended_rests_on_the_declaration_and_on_who_put_it_right() {
    let run = report("1", "2026-01-01T00:00:00.000Z", "enforce");
    let seen = resource(ResourceState::Drifted, true);
    let episode = Episode::begin(&run, &seen, Some("d1".to_owned()), None);
    for (declaration, changed_by_agent, expected) in [
        (Some("d1"), false, Ending::Resolved),
        (Some("d1"), true, Ending::Corrected),
        (Some("d2"), false, Ending::Redeclared),
        (Some("d2"), true, Ending::Redeclared),
        (None, false, Ending::Resolved),
    ] {
        assert_eq!(episode.ending_in_order(declaration, changed_by_agent), expected);
    }
    // Begun by a report that did not know the declaration.
    let episode = Episode::begin(&run, &seen, None, None);
    for (changed_by_agent, expected) in [(false, Ending::Resolved), (true, Ending::Corrected)] {
        assert_eq!(episode.ending_in_order(Some("d1"), changed_by_agent), expected);
    }
}
