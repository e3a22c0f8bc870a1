use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use steadfast_policies::Catalog;
use steadfast_resources::host::{HostOptions, RealHost};

use super::{Circumstances, Plan, Progress, Silent, testing};
use crate::drift::Episode;
use crate::report::{Outcome, Report, ResourceReport, ResourceState};
use crate::state::{EpisodeQuery, State};

/// Changes a file after the plan was made.
struct Scribbler<'a>(&'a Path);

impl Progress for Scribbler<'_> {
    fn planned(&mut self, _: &Catalog, _: &Plan) -> bool {
        std::fs::File::create(self.0)
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"drift\n"))
            .unwrap();
        true
    }
    fn finished(&mut self, _: &ResourceReport) {}
    fn phase(&mut self, _: &'static str, _: Duration) {}
}

/// A host with `/a` and `/b`, both in order; then `/a` is declared anew and `/b` drifts after the plan
/// was made. Something has to be changed first: what is in order is looked at again only then.
fn drift_after_the_plan(more: &str, held: bool) -> (Report, Vec<Episode>) {
    let root = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut state = State::open(&state.path().join("state")).unwrap();
    let options =
        HostOptions { root: root.path().canonicalize().unwrap(), ..HostOptions::default() };
    let policy = |first: &str| {
        testing::catalog(&format!(
            "[file.\"/a\"]\ncontent = \"{first}\"\n[file.\"/b\"]\ncontent = \"b\"\n{more}"
        ))
    };
    let mut host = RealHost::new(&options);
    testing::run(&policy("one"), &mut host, &mut state, &mut Silent).unwrap();
    let mut host = RealHost::new(&options);
    let mut scribbler = Scribbler(&root.path().join("b"));
    let held = if held { HashMap::from([(1, "a fight".to_owned())]) } else { HashMap::new() };
    let circumstances = Circumstances { held, ..Circumstances::default() };
    let asked = testing::Asked { circumstances, ..testing::Asked::default() };
    let report =
        testing::run_asked(&policy("two"), &mut host, &mut state, &mut scribbler, asked).unwrap();
    let query = EpisodeQuery { since: None, open: false, resource: None, limit: None };
    (report, state.episodes(&query).unwrap())
}

#[test]
fn what_drifts_after_the_plan_is_drift_all_the_same() {
    for more in ["", "sensitive = true\n"] {
        let (report, episodes) = drift_after_the_plan(more, false);
        let told: Vec<_> = report
            .resources
            .iter()
            .map(|told| (told.title.as_str(), told.state, told.drift))
            .collect();
        let expected =
            [("/a", ResourceState::Changed, false), ("/b", ResourceState::Corrected, true)];
        assert_eq!(told, expected, "{more}");
        assert_eq!(report.outcome, Outcome::Corrected);
        assert_eq!(episodes.len(), 1, "{episodes:?}");
        assert_eq!(episodes.first().unwrap().title, "/b");
    }
}

#[test]
fn what_is_left_alone_is_left_alone_also_where_it_drifts_after_the_plan() {
    let (report, _) = drift_after_the_plan("", true);
    let told: Vec<_> = report.resources.iter().map(|told| told.title.as_str()).collect();
    assert_eq!(told, ["/a"], "the fight's next run finds out about the other");
}
