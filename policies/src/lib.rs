//! The policy language: from the blobs of a revision to a catalog.
//!
//! `Repository ──parse──▶ site and policies ──evaluate (facts, labels)──▶ Catalog`
//!
//! - [`declaration`]: what the language says about itself, for schema and reference;
//! - [`diagnostics`]: what is wrong and where, for people and programs;
//! - `parse`: TOML with places, and what a policy declares;
//! - `expression`: Jinja, strict and pure;
//! - `site`: which hosts get which policies and data;
//! - `evaluate`: `when`, `for_each`, modules, parameters, attributes;
//! - `graph`: references, edges, order;
//! - [`trace`]: where one resource comes from, for whoever asks;
//! - [`write`]: resources as policies would have them;
//! - `validate`: every error that can be told without a host.
//!
//! What must stay true: a catalog is a pure function of the repository's blobs and the
//! [`Inputs`]; there is no I/O (the caller hands in a [`Repository`]), no clock, no randomness, no
//! network, no async. Every error has a place, and all errors of a repository come in one go.
//!
//! # Decisions that the language's page leaves open
//!
//! - A string of a policy is evaluated when it contains `{{` or `{%`; a lone `{#` is text.
//! - An expression whose value is `none` leaves its attribute out.
//! - A number that an interpolated string yields counts as text where only text is taken.
//! - `when` is asked before `for_each` where it does not look at `item`, and for each item
//!   otherwise.
//! - A reference to a resource that the policies have and this host does not (its `when` is false,
//!   its `for_each` empty) means nothing here and is no error. A glob may match nothing; that is a
//!   warning. `*` in references matches `/` too.
//! - `include` brings a policy in once for the host, with the parameters that assignments and data give
//!   it; its resources come before those of the policy that includes it. Policies may include each
//!   other.
//! - A policy's `tags`, and those of an assignment and of a module, are inherited by every resource
//!   below; its kind, policies and modules are tags of a resource too.
//! - `module.NAME` refers to every resource that the module makes.
//! - `ignore` leaves the named attributes out altogether.
//! - An assignment gives parameters by policy: `[assign.params.nginx]`. A policy that several
//!   assignments name is applied once, where it is named first; later parameters win.
//! - In `[params]` a table with `type`, `default` or `required` is a declaration; any other table is
//!   the default of a map.

pub mod catalog;
pub mod check;
pub mod declaration;
pub mod diagnostics;
pub mod record;
pub mod repository;
pub mod rules;
pub mod write;

mod evaluate;
mod expression;
mod graph;
mod map;
mod parse;
mod samples;
mod site;
mod testing;
pub mod trace;
mod trial;
mod validate;

#[cfg(test)]
mod tests;

use std::rc::Rc;

use minijinja::Value as Jinja;
use minijinja::value::Serde;
use steadfast_resources::Registry;

pub use catalog::{Catalog, Common, Edge, EdgeReason, Inputs, OnRemove, Origin, Place, Resource};
pub use check::{Check, Probe};
pub use diagnostics::{Code, Diagnostic, Diagnostics, Location, Severity};
pub use record::{Extent, Record, RecordedAttribute};
pub use repository::{Repository, RepositoryError};
pub use rules::SiteRules;
pub use samples::{sample_facts, sample_names};
pub use testing::{CaseFailure, CaseResult, Coverage, TestResults, Unseen, test};
pub use trace::{evaluate_policy_tracing, evaluate_tracing};
pub use validate::{validate, validate_policy};

use diagnostics::{Context, Reported};
use evaluate::{Evaluator, Files, Mode, Policies};
use expression::{Budget, Engine, Scope, environment};

/// The catalog of the host that `inputs` describe, by the site and policies of `repository`.
///
/// Only the policies assigned to the host (and those that they use) are read. A catalog may come
/// with warnings. Where there is none, the error holds every error of the repository, also of what
/// this host does not use: they are mended in one go.
pub fn evaluate(
    repository: &dyn Repository,
    inputs: &Inputs,
    registry: &Registry,
) -> Result<Catalog, Diagnostics> {
    let context = Context::default();
    let catalog = evaluate_site(&context, repository, inputs, registry, false);
    finish(context, catalog)
        .map_err(|errors| errors.and(&validate::validate_without_host(repository, registry)))
}

/// [`evaluate`], and of every resource how it came to be ([`Resource::record`]).
pub fn evaluate_recorded(
    repository: &dyn Repository,
    inputs: &Inputs,
    registry: &Registry,
) -> Result<Catalog, Diagnostics> {
    let context = Context::default();
    let catalog = evaluate_site(&context, repository, inputs, registry, true);
    finish(context, catalog)
        .map_err(|errors| errors.and(&validate::validate_without_host(repository, registry)))
}

/// The catalog of a single policy file, applied without a site. `text` is the file's content,
/// `file_name` its name within `repository`, the directory that its templates and sources are
/// relative to.
pub fn evaluate_policy(
    repository: &dyn Repository,
    file_name: &str,
    text: &str,
    inputs: &Inputs,
    registry: &Registry,
) -> Result<Catalog, Diagnostics> {
    let context = Context::default();
    let catalog = evaluate_file(&context, repository, (file_name, text), inputs, registry);
    finish(context, catalog).map_err(|errors| {
        let others = validate::validate_policy_without_host(repository, file_name, text, registry);
        errors.and(&others)
    })
}

fn finish(context: Context, catalog: Result<Catalog, Reported>) -> Result<Catalog, Diagnostics> {
    let diagnostics = context.finish();
    match catalog {
        Ok(mut catalog) if !diagnostics.has_errors() => {
            catalog.warnings = diagnostics;
            Ok(catalog)
        }
        _ => Err(diagnostics),
    }
}

fn scope(inputs: &Inputs) -> Scope {
    Scope {
        facts: Some(Jinja::from(Serde(&inputs.facts))),
        labels: Some(Jinja::from(Serde(&inputs.labels))),
        data: Some(Jinja::from_pairs(std::iter::empty::<(Jinja, Jinja)>())),
        ..Scope::default()
    }
}

fn evaluate_site(
    context: &Context,
    repository: &dyn Repository,
    inputs: &Inputs,
    registry: &Registry,
    recorded: bool,
) -> Result<Catalog, Reported> {
    let files = Files::new(context, repository);
    let site = site::read(context, &files).ok_or(Reported)?;
    let library = files.library();
    let budget = Budget::default();
    let environment = environment(&library, &budget);
    let engine = Engine::new(&environment, &library, budget);
    let mut evaluator =
        Evaluator::new(context, registry, &files, engine, Mode::Host, scope(inputs));
    if recorded {
        evaluator.keep_records();
    }
    match site::layers(&evaluator, &files, &site) {
        Ok(data) => {
            evaluator.base.data = Some(data.value());
            evaluator.data = Some(data);
        }
        Err(Reported) => evaluator.unsound = true,
    }
    let policies = Policies::new(context, registry, &files);
    site::checks(&mut evaluator, &site);
    let assigned = site::assigned(&mut evaluator, &policies, &site);
    evaluator.bring_in_assigned(&policies, assigned);
    evaluator.assigned.clear();
    let names: Vec<String> = evaluator.brought_in.iter().map(ToString::to_string).collect();
    // What the policies take is not needed any more; the graph takes as much again.
    policies.clear();
    if names.is_empty() && !context.has_errors() {
        let spot = diagnostics::Spot::new(site.source, diagnostics::Span::default());
        let message = "no assignment is for this host: it gets no policies";
        context.warning(Code::Unused, spot, message).report();
    }
    let mut catalog = graph::catalog(context, evaluator, names)?;
    catalog.rules = site.rules;
    Ok(catalog)
}

fn evaluate_file(
    context: &Context,
    repository: &dyn Repository,
    (file_name, text): (&str, &str),
    inputs: &Inputs,
    registry: &Registry,
) -> Result<Catalog, Reported> {
    let files = Files::new(context, repository);
    let library = files.library();
    let budget = Budget::default();
    let environment = environment(&library, &budget);
    let engine = Engine::new(&environment, &library, budget);
    let mut evaluator =
        Evaluator::new(context, registry, &files, engine, Mode::Host, scope(inputs));
    let policies = Policies::new(context, registry, &files);
    let source = context.sources.add(file_name, text);
    let name = policy_name(file_name);
    let policy = Rc::new(policies.parse(name, "", source));
    evaluator.bring_in(&policies, &policy, None);
    drop(policy);
    let names = evaluator.brought_in.iter().map(ToString::to_string).collect();
    graph::catalog(context, evaluator, names)
}

/// The name of the policy in the file `file_name`.
fn policy_name(file_name: &str) -> &str {
    let name = file_name.rsplit('/').next().unwrap_or(file_name);
    name.strip_suffix(".toml").unwrap_or(name)
}
