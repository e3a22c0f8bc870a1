//! One run on a fake host, for the tests of what happens around it.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use steadfast_policies::{Catalog, Inputs, Repository, RepositoryError};
use steadfast_resources::host::Host;
use steadfast_resources::kind::Download;
use steadfast_resources::{Failure, Registry};

use super::{Circumstances, Progress, RunRequest, Selection};
use crate::report::{Report, Revision};
use crate::state::{State, StateError};

struct NoFiles;

impl Repository for NoFiles {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(Vec::new())
    }
    fn read(&self, _path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        Ok(None)
    }
    fn executable(&self, _path: &str) -> Result<bool, RepositoryError> {
        Ok(false)
    }
}

struct NoDownloads;

impl Download for NoDownloads {
    fn download(&self, _: &str, _: &str, _: u64, _: Instant) -> Result<Vec<u8>, Failure> {
        Err(Failure::new("nothing is downloaded here"))
    }
}

/// The catalog of one policy text.
pub(crate) fn catalog(text: &str) -> Catalog {
    let inputs = Inputs { facts: serde_json::json!({}), ..Inputs::default() };
    steadfast_policies::evaluate_policy(&NoFiles, "p.toml", text, &inputs, &Registry::standard())
        .map_err(|diagnostics| diagnostics.render(false))
        .unwrap()
}

/// What is asked of a run on the fake host.
pub(crate) struct Asked {
    pub(crate) trigger: &'static str,
    pub(crate) audit: bool,
    pub(crate) whole_host: bool,
    pub(crate) circumstances: Circumstances,
}

impl Default for Asked {
    fn default() -> Self {
        let circumstances = Circumstances::default();
        Self { trigger: "manual", audit: false, whole_host: true, circumstances }
    }
}

/// One run of all that a host should be.
pub(crate) fn run(
    catalog: &Catalog,
    host: &mut dyn Host,
    state: &mut State,
    progress: &mut dyn Progress,
) -> Result<Report, StateError> {
    run_asked(catalog, host, state, progress, Asked::default())
}

/// One run as it is asked for.
pub(crate) fn run_asked(
    catalog: &Catalog,
    host: &mut dyn Host,
    state: &mut State,
    progress: &mut dyn Progress,
    asked: Asked,
) -> Result<Report, StateError> {
    let request = RunRequest {
        catalog,
        revision: Revision::default(),
        host_name: "host".into(),
        trigger: asked.trigger,
        audit: asked.audit,
        whole_host: asked.whole_host,
        selection: Selection::default(),
        timeout: Duration::from_secs(60),
        stop: &AtomicBool::new(false),
        download: &NoDownloads,
        messages: Vec::new(),
        keep_runs: 10,
        keep_days: 1,
        circumstances: asked.circumstances,
    };
    super::run(&request, host, state, progress)
}
