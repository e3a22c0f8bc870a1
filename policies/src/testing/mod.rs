//! A repository's own tests: `tests/*.toml` says of example hosts what their catalogs must have.
//!
//! A case has the facts of a sample (`debian-12` unless it says otherwise) or of `tests/facts/`, with
//! its own on top, and no labels but its own. It is evaluated as a host is; everything about it is
//! known. What the files may contain is in [`crate::declaration`].
//!
//! - A `policy` is evaluated with what it includes, without the site and its data.
//! - `content` is what a template renders or a source holds, whichever is given; `template` and
//!   `source` given as text are compared with the path that is written.
//! - `require` and `before` hold whatever the edge is due to, also where a kind knows it by itself;
//!   `notify` and `subscribe` are the same edge seen from its two ends.
//! - What is secret is compared and never shown.
//! - Coverage counts declarations, not resources: a `for_each` that makes one is seen.
//!
//! What must stay true: nothing here looks at the machine.

mod attribute;
mod judge;
mod names;
mod suite;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use steadfast_resources::{Reference, Registry};

use crate::catalog::Catalog;
use crate::diagnostics::{Context, Diagnostic, Diagnostics, Spot};
use crate::evaluate::{Files, Policies};
use crate::expression::{Budget, Engine, environment};
use crate::parse::Element;
use crate::repository::Repository;
use crate::site;
use crate::trial::{FactSets, Trial};
use crate::validate;

pub(crate) use suite::{Suites, read};

/// What came of a repository's tests.
#[derive(Debug, Clone, Serialize)]
pub struct TestResults {
    /// Errors of the repository itself, and of its cases.
    pub diagnostics: Diagnostics,
    /// Every case, in the order of the files and in written order.
    pub cases: Vec<CaseResult>,
    /// What the cases saw; absent where not all cases ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

impl TestResults {
    /// Whether the repository has no errors and every case passed.
    pub fn passed(&self) -> bool {
        !self.diagnostics.has_errors() && self.cases.iter().all(CaseResult::passed)
    }
}

/// What came of one case.
#[derive(Debug, Clone, Serialize)]
pub struct CaseResult {
    /// The file, relative to the repository's root.
    pub file: Arc<str>,
    /// The line that the case starts on, from 1.
    pub line: u32,
    /// The case's name.
    pub name: String,
    /// Whatever is not as expected; empty where all is.
    pub failures: Vec<CaseFailure>,
}

impl CaseResult {
    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// An expectation that was not met.
#[derive(Debug, Clone, Serialize)]
pub struct CaseFailure {
    /// The file of the expectation, relative to the repository's root.
    pub file: Arc<str>,
    /// Its line, from 1.
    pub line: u32,
    /// What is otherwise than expected.
    pub message: String,
    /// What else helps, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// From what is expected (`-`) to what was found (`+`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// Which declarations of resources the cases saw.
#[derive(Debug, Clone, Serialize)]
pub struct Coverage {
    /// How many there are.
    pub declarations: usize,
    /// How many of them were in the catalog of some case.
    pub seen: usize,
    /// The others, by file and line.
    pub unseen: Vec<Unseen>,
}

impl Coverage {
    /// How many of a hundred declarations were seen, rounded down; 100 where there are none.
    pub fn percent(&self) -> usize {
        (self.seen * 100).checked_div(self.declarations).unwrap_or(100)
    }
}

/// A declaration that no case saw.
#[derive(Debug, Clone, Serialize)]
pub struct Unseen {
    /// Kind and title as they are written.
    pub resource: String,
    /// The policy that declares it.
    pub policy: Arc<str>,
    /// The file, relative to the repository's root.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

/// What evaluation of a case had to say.
struct Seen<'a> {
    catalog: Option<&'a Catalog>,
    found: &'a [Diagnostic],
    /// The repository's own errors, whatever the host.
    others: &'a [Diagnostic],
}

/// Runs the cases of `repository` whose name or file contains `filter`, or all.
pub fn test(repository: &dyn Repository, registry: &Registry, filter: Option<&str>) -> TestResults {
    let context = Context::default();
    let (cases, coverage) = {
        let files = Files::new(&context, repository);
        files.keep_documents();
        let library = files.library();
        let budget = Budget::default();
        let environment = environment(&library, &budget);
        let trial = Trial {
            context: &context,
            registry,
            files: &files,
            policies: Policies::new(&context, registry, &files),
            engine: Engine::new(&environment, &library, budget),
            site: site::read(&context, &files),
        };
        let suites = read(&context, registry, &files);
        validate::check(&trial);
        run(&trial, &suites, filter)
    };
    TestResults { diagnostics: context.finish().errors(), cases, coverage }
}

fn run(
    trial: &Trial<'_>,
    suites: &Suites,
    filter: Option<&str>,
) -> (Vec<CaseResult>, Option<Coverage>) {
    let others = trial.context.take();
    trial.context.put(others.iter().cloned());
    let sets = FactSets::new(trial.context, trial.files);
    let mut cases = Vec::new();
    let mut seen = BTreeSet::new();
    for suite in &suites.list {
        for case in &suite.cases {
            let place = trial.context.sources.place(case.spot);
            let fits = |word: &str| case.name.contains(word) || suite.path.contains(word);
            if !filter.is_none_or(fits) {
                continue;
            }
            let mut judge = judge::Judge::new(trial.context);
            let before = trial.context.take();
            let tried =
                suite.host(&sets, case, true).ok().and_then(|host| case.tried(trial, &host));
            let unready = trial.context.take();
            trial.context.put(before);
            match tried {
                Some(tried) => {
                    let catalog = tried.catalog.as_ref();
                    let told = Seen { catalog, found: &tried.found, others: &others };
                    judge.diagnostics(case, &told);
                    if let Some(catalog) = catalog {
                        judge.catalog(case, catalog);
                        note(catalog, &mut seen);
                    }
                }
                None if case.broken => {}
                None => judge.fail(case.spot, "there is nothing to evaluate".to_owned()),
            }
            if case.broken {
                judge.fail(case.spot, "the case itself has errors".to_owned());
            }
            trial.context.put(unready);
            cases.push(CaseResult {
                file: place.file,
                line: place.line,
                name: case.name.to_string(),
                failures: judge.into_failures(),
            });
        }
    }
    let coverage = filter.is_none().then(|| coverage(trial, &seen));
    (cases, coverage)
}

/// The declarations that are in `catalog`, by file and first byte.
fn note(catalog: &Catalog, seen: &mut BTreeSet<(Arc<str>, u32)>) {
    let records = catalog.resources.iter().filter_map(|resource| resource.record.as_ref());
    seen.extend(
        records.map(|record| (Arc::clone(&record.declaration.file), record.declaration.start)),
    );
}

fn coverage(trial: &Trial<'_>, seen: &BTreeSet<(Arc<str>, u32)>) -> Coverage {
    let mut coverage = Coverage { declarations: 0, seen: 0, unseen: Vec::new() };
    for name in trial.policies.names() {
        let Ok(Some(policy)) = trial.policies.load(&name) else { continue };
        for element in &policy.elements {
            let Element::Resource(declaration) = element else { continue };
            coverage.declarations += 1;
            let spot = Spot::new(policy.source, declaration.title_span);
            let place = trial.context.sources.place(spot);
            if seen.contains(&(Arc::clone(&place.file), spot.span.start)) {
                coverage.seen += 1;
                continue;
            }
            let kind = declaration.kind.declaration().name;
            coverage.unseen.push(Unseen {
                resource: Reference::new(kind, declaration.title.as_str()).to_string(),
                policy: Arc::clone(&policy.name),
                file: place.file,
                line: place.line,
            });
        }
    }
    coverage
}
