//! The suite itself.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde::Deserialize;
use steadfast::engine::{self, Circumstances, RunRequest, Selection, Silent, make_plan};
use steadfast::report::{Outcome, Report, Revision};
use steadfast::state::State;
use steadfast_policies::{Catalog, Inputs, Repository, RepositoryError};
use steadfast_resources::host::{FakeHost, Host};
use steadfast_resources::kind::Download;
use steadfast_resources::{Failure, Registry};

/// One case: policies that are applied one after the other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The kind it belongs to.
    #[serde(skip)]
    pub kind: &'static str,
    /// What it is about.
    pub name: String,
    /// Policy texts, applied in turn.
    pub policies: Vec<String>,
    /// Files of the policy repository, by path relative to the policy.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The case needs what a fake host cannot pretend (says what).
    #[serde(default)]
    pub booted_only: Option<String>,
    /// The case needs what a booted test host lacks (says what).
    #[serde(default)]
    pub fake_only: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// A case that does not hold.
#[derive(Debug)]
pub struct Failed {
    /// The kind.
    pub kind: &'static str,
    /// The case's name.
    pub case: String,
    /// What does not hold.
    pub what: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: {}", self.kind, self.case, self.what)
    }
}

/// The cases of every kind in the registry. A kind without cases is an error.
pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for kind in Registry::standard().kinds() {
        let declaration = kind.declaration();
        let parsed: Cases = toml::from_str(declaration.conformance)
            .unwrap_or_else(|error| panic!("conformance cases of {}: {error}", declaration.name));
        assert!(!parsed.case.is_empty(), "{} has no conformance cases", declaration.name);
        all.extend(parsed.case.into_iter().map(|case| Case { kind: declaration.name, ..case }));
    }
    all
}

/// The files of a case as a policy repository.
struct CaseFiles<'a>(&'a BTreeMap<String, String>);

impl Repository for CaseFiles<'_> {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(self.0.keys().cloned().collect())
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        Ok(self.0.get(path).map(|content| content.clone().into_bytes()))
    }
    fn executable(&self, _path: &str) -> Result<bool, RepositoryError> {
        Ok(false)
    }
}

struct NoDownloads;

impl Download for NoDownloads {
    fn download(&self, url: &str, _: &str, _: u64, _: Instant) -> Result<Vec<u8>, Failure> {
        Err(Failure::new(format!("the conformance suite downloads nothing, and not {url}")))
    }
}

/// A host with its state: what one run after another works on.
pub struct Bench<'a> {
    host: &'a mut dyn Host,
    /// The agent's state, in memory.
    pub state: State,
    _directory: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    /// A host with a fresh state.
    pub fn new(host: &'a mut dyn Host) -> Self {
        // Thousands of short runs, each with durable writes: in memory where there is a file
        // system for that.
        let memory = Path::new("/dev/shm");
        let directory =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
                .expect("a scratch directory for the state");
        let state = State::open(directory.path()).expect("a fresh state");
        Self { host, state, _directory: directory }
    }

    /// One run.
    pub fn run(&mut self, catalog: &Catalog) -> Report {
        self.run_selected(catalog, Selection::default())
    }

    /// One run that looks at some of the resources only.
    pub fn run_selected(&mut self, catalog: &Catalog, selection: Selection) -> Report {
        let stop = AtomicBool::new(false);
        let request = RunRequest {
            catalog,
            revision: Revision::default(),
            host_name: "conformance".into(),
            trigger: "manual",
            audit: false,
            whole_host: false,
            selection,
            timeout: Duration::from_secs(600),
            stop: &stop,
            download: &NoDownloads,
            messages: Vec::new(),
            keep_runs: 10,
            keep_days: 1,
            circumstances: Circumstances::default(),
        };
        engine::run(&request, self.host, &mut self.state, &mut Silent).expect("the state works")
    }

    /// What planning finds to do, in words.
    fn pending(&self, catalog: &Catalog) -> Vec<String> {
        let in_force = self.state.in_force(catalog).expect("the state works");
        let owed = self.state.owed().expect("the state works");
        let plan = make_plan(catalog, &self.host.view(), &in_force, &owed);
        plan.entries
            .iter()
            .zip(&catalog.resources)
            .filter(|(entry, _)| !matches!(entry, engine::Entry::InSync(_)))
            .map(|(entry, resource)| format!("{}: {entry:?}", resource.reference))
            .collect()
    }
}

fn catalog(case: &Case, text: &str) -> Result<Catalog, String> {
    policy_catalog(&case.files, text)
}

/// The catalog of one policy text, with files of its repository.
pub fn policy_catalog(files: &BTreeMap<String, String>, text: &str) -> Result<Catalog, String> {
    let inputs = Inputs { facts: serde_json::json!({}), ..Inputs::default() };
    steadfast_policies::evaluate_policy(
        &CaseFiles(files),
        "case.toml",
        text,
        &inputs,
        &Registry::standard(),
    )
    .map_err(|diagnostics| diagnostics.render(false))
}

fn failures(report: &Report) -> String {
    report
        .resources
        .iter()
        .filter_map(|resource| {
            let reason = resource.reason.as_ref()?;
            let output = resource.output.as_deref().unwrap_or_default();
            Some(format!("{}: {reason} {output}", resource.reference()))
        })
        .collect::<Vec<_>>()
        .join("; ")
}

/// Applies the case's policies in turn on `host` and checks each.
pub fn prove(case: &Case, host: &mut dyn Host) -> Result<(), Failed> {
    let failed = |what| Failed { kind: case.kind, case: case.name.clone(), what };
    let mut bench = Bench::new(host);
    for (number, policy) in case.policies.iter().enumerate() {
        let catalog = catalog(case, policy).map_err(failed)?;
        let before = bench.pending(&catalog);
        if bench.pending(&catalog) != before {
            return Err(failed(format!("policy {number}: planning twice gives different plans")));
        }
        let report = bench.run(&catalog);
        if report.outcome == Outcome::Failed {
            return Err(failed(format!("policy {number} fails: {}", failures(&report))));
        }
        let after = bench.pending(&catalog);
        if !after.is_empty() {
            return Err(failed(format!("policy {number} is not idempotent: {}", after.join("; "))));
        }
        let again = bench.run(&catalog);
        if again.outcome != Outcome::Converged {
            return Err(failed(format!(
                "policy {number}: a second run is not quiet: {:?} {}",
                again.outcome,
                failures(&again)
            )));
        }
    }
    Ok(())
}

/// On fresh fake hosts: the case as it is, then once for each changing operation of each of its
/// policies with that operation failing. Returns how many failures were injected.
pub fn prove_with_faults(case: &Case) -> Result<usize, Failed> {
    let failed = |what| Failed { kind: case.kind, case: case.name.clone(), what };
    prove(case, &mut FakeHost::scene())?;
    let mut injected = 0;
    for number in 0..case.policies.len() {
        for operation in 0.. {
            let mut host = FakeHost::scene();
            let faults = host.faults.clone();
            let mut bench = Bench::new(&mut host);
            let mut last = None;
            for (earlier, policy) in case.policies.iter().enumerate().take(number + 1) {
                let catalog = catalog(case, policy).map_err(failed)?;
                if earlier == number {
                    let before = faults.operations().len();
                    let _ = bench.pending(&catalog);
                    if faults.operations().len() != before {
                        return Err(failed(format!("policy {number}: planning changes the host")));
                    }
                    faults.fail_at(operation);
                }
                bench.run(&catalog);
                last = Some(catalog);
            }
            let Some(catalog) = last else { break };
            if faults.operations().len() <= operation {
                break;
            }
            injected += 1;
            let name = faults.operations().get(operation).cloned().unwrap_or_default();
            let report = bench.run(&catalog);
            let pending = bench.pending(&catalog);
            if report.outcome == Outcome::Failed || !pending.is_empty() {
                return Err(failed(format!(
                    "policy {number}: after a failure of operation {operation} ({name}) a rerun \
                     does not converge: {} {}",
                    failures(&report),
                    pending.join("; ")
                )));
            }
        }
    }
    Ok(injected)
}
