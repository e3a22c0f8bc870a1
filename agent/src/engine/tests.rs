use std::path::Path;
use std::time::Duration;

use steadfast_policies::Catalog;
use steadfast_resources::host::{HostOptions, RealHost};

use super::{Plan, Progress, Silent, testing};
use crate::report::{Outcome, ResourceReport, ResourceState};
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

#[test]
fn what_drifts_after_the_plan_is_drift_all_the_same() {
    let root = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut state = State::open(&state.path().join("state")).unwrap();
    let options =
        HostOptions { root: root.path().canonicalize().unwrap(), ..HostOptions::default() };
    let policy = |first: &str| {
        testing::catalog(&format!(
            "[file.\"/a\"]\ncontent = \"{first}\"\n[file.\"/b\"]\ncontent = \"b\"\n"
        ))
    };
    let mut host = RealHost::new(&options);
    testing::run(&policy("one"), &mut host, &mut state, &mut Silent).unwrap();
    // Something has to be changed first: what is in order is looked at again only then.
    let mut host = RealHost::new(&options);
    let mut scribbler = Scribbler(&root.path().join("b"));
    let report = testing::run(&policy("two"), &mut host, &mut state, &mut scribbler).unwrap();
    let told: Vec<_> =
        report.resources.iter().map(|told| (told.title.as_str(), told.state)).collect();
    assert_eq!(told, [("/a", ResourceState::Changed), ("/b", ResourceState::Corrected)]);
    assert_eq!(report.outcome, Outcome::Corrected);
    let query = EpisodeQuery { since: None, open: false, resource: None, limit: None };
    let episodes = state.episodes(&query).unwrap();
    assert_eq!(episodes.len(), 1, "{episodes:?}");
    assert_eq!(episodes.first().unwrap().title, "/b");
}
