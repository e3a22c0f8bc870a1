//! Every error of a repository, without a host and with many.
//!
//! First comes what can be told without any host ([`check`]): facts, labels, data and given
//! parameters are not known, and what rests on them is not judged. Then the repository is tried with
//! the facts of samples, with its own, and with those of its cases: see [`crate::trial`] for what
//! is an error there. Last come warnings of what nothing reads.
//!
//! What is found promises, where it is nothing, that all files parse, all names exist, all
//! templates and expressions are Jinja, all sources exist and all values are right on hosts like
//! those tried; not that every host's catalog can be made.

mod unused;

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use steadfast_resources::Registry;

use crate::diagnostics::{Code, Context, Diagnostics, Span, Spot};
use crate::evaluate::{Evaluator, Files, Mode, Policies};
use crate::expression::{Budget, Engine, Library, Origin, Scope, Told, environment, tell};
use crate::graph::{self, World};
use crate::parse::{Element, Policy};
use crate::repository::Repository;
use crate::site;
use crate::testing::{self, Suites};
use crate::trial::{FactSets, Trial, check_hosts};

/// Every error and warning of `repository`: all policies, used or not, the site, the data, the
/// cases; with the facts of many hosts.
pub fn validate(repository: &dyn Repository, registry: &Registry) -> Diagnostics {
    with_trial(repository, registry, |trial| {
        let suites = testing::read(trial.context, trial.registry, trial.files);
        let all = check_with(trial, &suites);
        let sets = FactSets::new(trial.context, trial.files);
        check_hosts(trial, &sets, &suites, &all);
    })
}

/// Every error and warning of `repository` that can be told without a host.
pub(crate) fn validate_without_host(
    repository: &dyn Repository,
    registry: &Registry,
) -> Diagnostics {
    with_trial(repository, registry, |trial| drop(check(trial)))
}

/// Gives `use_it` what evaluates `repository`, site and all.
fn with_trial(
    repository: &dyn Repository,
    registry: &Registry,
    use_it: impl FnOnce(&Trial<'_>),
) -> Diagnostics {
    let context = Context::default();
    {
        let files = Files::new(&context, repository);
        files.keep_documents();
        let library = files.library();
        let budget = Budget::default();
        let environment = environment(&library, &budget);
        use_it(&Trial {
            context: &context,
            registry,
            files: &files,
            policies: Policies::new(&context, registry, &files),
            engine: Engine::new(&environment, &library, budget),
            site: site::read(&context, &files),
        });
    }
    context.finish()
}

/// Every error and warning of a single policy file, without a host and with the samples; see
/// [`evaluate_policy`](crate::evaluate_policy).
pub fn validate_policy(
    repository: &dyn Repository,
    file_name: &str,
    text: &str,
    registry: &Registry,
) -> Diagnostics {
    single(repository, file_name, text, registry, true)
}

/// [`validate_policy`] without the samples.
pub(crate) fn validate_policy_without_host(
    repository: &dyn Repository,
    file_name: &str,
    text: &str,
    registry: &Registry,
) -> Diagnostics {
    single(repository, file_name, text, registry, false)
}

fn single(
    repository: &dyn Repository,
    file_name: &str,
    text: &str,
    registry: &Registry,
    hosts: bool,
) -> Diagnostics {
    let context = Context::default();
    {
        let files = Files::new(&context, repository);
        files.keep_documents();
        let library = files.library();
        let budget = Budget::default();
        let environment = environment(&library, &budget);
        let policies = Policies::new(&context, registry, &files);
        let source = context.sources.add(file_name, text);
        let policy = Rc::new(policies.parse(crate::policy_name(file_name), "", source));
        let engine = Engine::new(&environment, &library, budget);
        let trial =
            Trial { context: &context, registry, files: &files, policies, engine, site: None };
        check_policies(&trial, std::slice::from_ref(&policy), &Suites::default());
        if hosts {
            let sets = FactSets::new(&context, &files);
            check_hosts(&trial, &sets, &Suites::default(), &[policy]);
        }
    }
    context.finish()
}

/// Records everything that can be told without a host. The policies that could be read.
pub(crate) fn check(trial: &Trial<'_>) -> Vec<Rc<Policy>> {
    check_with(trial, &Suites::default())
}

fn check_with(trial: &Trial<'_>, suites: &Suites) -> Vec<Rc<Policy>> {
    let mut all = Vec::new();
    for name in trial.policies.names() {
        match trial.policies.load(&name) {
            Ok(Some(policy)) => all.push(policy),
            Ok(None) => bad_name(trial.context, &name),
            Err(_) => {}
        }
    }
    check_policies(trial, &all, suites);
    all
}

fn check_policies(trial: &Trial<'_>, all: &[Rc<Policy>], suites: &Suites) {
    let Trial { context, registry, files, policies, engine, site } = trial;
    let mut evaluator =
        Evaluator::new(context, registry, files, engine.clone(), Mode::Check, Scope::default());
    evaluator.keep_records();
    if let Some(site) = site {
        // A data layer's name may rest on facts; that is no error here.
        let _ = site::layers(&evaluator, files, site);
        site::checks(&mut evaluator, site);
        for assigned in site::assigned(&mut evaluator, policies, site) {
            let _ = evaluator.check_arguments(&assigned.policy, &assigned.arguments, assigned.spot);
        }
    }
    site::check_all(context, files);
    let site_uses = evaluator.take_reads();
    let mut uses = Vec::with_capacity(all.len());
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for policy in all {
        let start = evaluator.instances.len();
        evaluator.includes(policies, policy);
        evaluator.policy(policies, policy, &[], &[], None);
        ranges.push(start..evaluator.instances.len());
        let mut read = evaluator.take_reads();
        let directory = templates(policy);
        compile_templates(context, files, &evaluator, policy, &directory);
        unused::of_defaults(policy, &mut read);
        unused::of_templates(trial, &evaluator, policy, &directory, &mut read);
        uses.push(read);
    }
    module_cycles(context, policies, all);
    let world = World {
        context,
        registry,
        instances: &evaluator.instances,
        skipped: &evaluator.skipped,
        modules: &evaluator.modules,
        broken_titles: &evaluator.broken_titles,
        unsound: evaluator.unsound,
    };
    graph::check(&world, &ranges);
    let cases = suites.list.iter().flat_map(|suite| &suite.cases);
    graph::warn_of_impossible(&world, cases.flat_map(|case| &case.lacks));
    unused::report(trial, all, &uses, &site_uses);
}

/// Where the templates of `policy` are.
fn templates(policy: &Policy) -> String {
    if policy.directory.is_empty() {
        "templates".to_owned()
    } else {
        format!("{}/templates", policy.directory)
    }
}

fn bad_name(context: &Context, name: &str) {
    context
        .error_without_place(Code::InvalidValue, format!("{name:?} cannot be a policy's name"))
        .hint("use letters, digits, `-` and `_`".to_owned())
        .report();
}

/// Compiles every file below the policy's `templates/`, used or not.
fn compile_templates(
    context: &Context,
    files: &Files<'_>,
    evaluator: &Evaluator<'_>,
    policy: &Policy,
    directory: &str,
) {
    for path in files.below(directory) {
        let relative =
            path.strip_prefix(&*policy.directory).unwrap_or(path).trim_start_matches('/');
        if !files.in_library(path) {
            continue;
        }
        let name = Library::file_name(&policy.directory, relative);
        if let Err(error) = evaluator.engine.template(&name) {
            let scope = Scope::default();
            let start = Spot::new(policy.source, Span::default());
            let told = Told {
                context,
                scope: &scope,
                origin: Origin { spot: start, text: "", offset: 0 },
                paths: files.paths(),
                directory: &policy.directory,
                used: false,
            };
            if error.kind() == minijinja::ErrorKind::SyntaxError {
                tell(&told, &error);
            }
        }
    }
}

/// How many uses of policies are followed in search of cycles.
const MAXIMUM_FOLLOWED: usize = 1_000_000;

/// A use of a policy: which, and where it is written.
type Use = (Rc<Policy>, Spot);

/// Reports policies that use each other without end.
fn module_cycles(context: &Context, policies: &Policies<'_>, all: &[Rc<Policy>]) {
    let mut known: HashMap<Arc<str>, Vec<Use>> = HashMap::new();
    let mut followed = 0;
    for policy in all {
        let mut chain = vec![Arc::clone(&policy.name)];
        let mut at = Rc::clone(policy);
        loop {
            let name = Arc::clone(&at.name);
            let used = known.entry(name).or_insert_with(|| uses(policies, &at));
            followed += used.len();
            let wanted = used.iter().find(|(next, _)| next.name == policy.name);
            let Some((next, spot)) = wanted.or(used.first()).cloned() else { break };
            chain.push(Arc::clone(&next.name));
            if next.name == policy.name {
                let names: Vec<&str> = chain.iter().map(|name| &**name).collect();
                let message = format!("policies use each other without end: {}", names.join(" → "));
                context.error(Code::Cycle, spot, message).report();
                break;
            }
            if chain.len() > all.len() || followed > MAXIMUM_FOLLOWED {
                break;
            }
            at = next;
        }
    }
}

/// The policies that `policy` uses, in written order.
fn uses(policies: &Policies<'_>, policy: &Policy) -> Vec<Use> {
    let used = policy.elements.iter().filter_map(|element| match element {
        Element::Module(module) => {
            let (name, span) = module.source.as_ref()?;
            let next = policies.load(name).ok().flatten()?;
            Some((next, Spot::new(policy.source, *span)))
        }
        Element::Resource(_) => None,
    });
    used.collect()
}
