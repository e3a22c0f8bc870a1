//! Every error that comes up on some host: the samples, the repository's own facts, its cases.
//!
//! What is an error, and what is not (see also [`Doubt`]):
//! - With a **sample** nothing is known about labels, custom facts, interfaces, mounts, disks and
//!   the host's name. What rests on them is taken as it comes out, and never blamed. Data that some
//!   layer gives may be given on a real host; a key that no layer has at all is an error.
//! - With a **fact set of `tests/facts/`** all facts are known, and the labels are not.
//! - With a **case of `tests/`** everything is known. One that expects an error is left to
//!   `steadfast test`.
//! - A policy is also tried **by itself**, unless it was with the site, or everything that uses it
//!   says that it is not for such hosts: the conditions of all assignments and modules that name it
//!   are certainly false. What its users may give it is not known then.
//! - Warnings are left to the check without a host and to `steadfast test`.
//!
//! An error is told once, with the fact sets that bring it up, and not at all where the check
//! without a host has something to say about the same place.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{FactSets, Host, Trial, Tried};
use crate::diagnostics::{Code, Diagnostic, Location, Severity, Span, Spot};
use crate::evaluate::{Assigned, Doubt};
use crate::parse::{Element, Entry, Item, Node, Policy};
use crate::samples::sample_names;
use crate::site::Site;
use crate::testing::Suites;

/// Where an error is, and of which class.
type Key = (Option<(String, u32, u32)>, Code);

/// Errors and the fact sets that bring them up.
#[derive(Default)]
struct Collected {
    errors: BTreeMap<Key, Diagnostic>,
    /// Whether something takes more than it may. It would on every other host, too, so that no more
    /// are tried.
    exhausted: bool,
}

impl Collected {
    /// Returns whether to go on.
    fn add(&mut self, name: &str, found: Vec<Diagnostic>) -> bool {
        for diagnostic in found {
            self.exhausted |= diagnostic.code == Code::Limit;
            if diagnostic.severity != Severity::Error {
                continue;
            }
            let key = key(&diagnostic);
            let limit = diagnostic.code == Code::Limit;
            let known = self.errors.entry(key).or_insert(diagnostic);
            // On every host, though only the first was tried.
            if !limit && known.facts.last().is_none_or(|last| last != name) {
                known.facts.push(name.to_owned());
            }
        }
        !self.exhausted
    }
}

fn key(diagnostic: &Diagnostic) -> Key {
    let place = |place: &Location| (place.file.to_string(), place.start, place.end);
    (diagnostic.place.as_ref().map(place), diagnostic.code)
}

/// Tries `trial` with every fact set there is and records the errors that come up. `all` are the
/// policies that could be read.
pub(crate) fn check_hosts(
    trial: &Trial<'_>,
    sets: &FactSets<'_>,
    suites: &Suites,
    all: &[Rc<Policy>],
) {
    let before = trial.context.take();
    let mut collected = Collected::default();
    let data = Rc::new(data_names(trial));
    let data = data_depends(trial).then_some(data);
    let begin = |path: &str| {
        let source = trial.context.sources.find(path);
        source.map(|source| Spot::new(source, Span::default()))
    };
    let anywhere = trial.site.as_ref().map(|site| Spot::new(site.source, Span::default()));
    let samples = sample_names().map(|name| (format!("sample {name}"), name, true));
    let own = sets.own();
    let own = own.iter().map(|(name, path)| ((*path).to_owned(), *name, false));
    let first = all.first().map(|policy| Spot::new(policy.source, Span::default()));
    for (shown, name, sample) in samples.chain(own) {
        let spot = begin(&shown).or(anywhere).or(first);
        let Some(spot) = spot else { continue };
        let Ok(facts) = sets.get(name, spot) else { continue };
        let doubt = |parameters| {
            Some(Rc::new(Doubt { labels: true, machine: sample, data: data.clone(), parameters }))
        };
        let host = |parameters| Host {
            facts: Rc::clone(&facts),
            doubt: doubt(parameters),
            ..Host::default()
        };
        everything(trial, all, &host, |found| collected.add(&shown, found));
        if collected.exhausted {
            break;
        }
    }
    for suite in &suites.list {
        if collected.exhausted {
            break;
        }
        for case in suite.cases.iter().filter(|case| !case.expects_errors() && !case.broken) {
            let Ok(host) = suite.host(sets, case, false) else { continue };
            let Some(tried) = case.tried(trial, &host) else { continue };
            if !collected.add(&format!("case {} of {}", case.name, suite.path), tried.found) {
                break;
            }
        }
    }
    let read = trial.context.take();
    trial.context.put(before.into_iter().chain(read));
    let again = trial.context.take();
    let start = |place: &Location| (place.file.to_string(), place.start);
    let told: BTreeSet<_> = again.iter().map(|told| told.place.as_ref().map(start)).collect();
    let errors = collected.errors.into_values();
    let fresh = errors.filter(|error| !told.contains(&error.place.as_ref().map(start)));
    trial.context.put(again.into_iter().chain(fresh));
}

/// Tries the site, and by itself every policy that hosts like this may use.
fn everything<'h>(
    trial: &Trial<'_>,
    all: &[Rc<Policy>],
    host: &dyn Fn(bool) -> Host<'h>,
    mut add: impl FnMut(Vec<Diagnostic>) -> bool,
) {
    let mut evaluated = BTreeSet::new();
    let mut possible = BTreeSet::new();
    let site = trial.site.as_ref();
    let mut note = |tried: Tried, evaluated: &mut BTreeSet<_>, possible: &mut BTreeSet<_>| {
        evaluated.extend(tried.met.evaluated);
        possible.extend(tried.met.possible);
        add(tried.found).then_some(tried.possible)
    };
    let mut users = Vec::new();
    if let Some(site) = site {
        let tried = trial.whole(&host(false), site);
        let Some(found) = note(tried, &mut evaluated, &mut possible) else { return };
        users = found;
    }
    // With what an assignment that may be for such hosts gives them; others may give the rest.
    for user in users {
        let several = site.is_some_and(|site| assignments(site, &user.policy.name) > 1);
        let tried = trial.alone(&host(several), user, site);
        if note(tried, &mut evaluated, &mut possible).is_none() {
            return;
        }
    }
    let named = named(all, site);
    loop {
        let next = all.iter().find(|policy| {
            let name = &*policy.name;
            !evaluated.contains(name) && (possible.contains(name) || !named.contains(name))
        });
        let Some(policy) = next else { break };
        evaluated.insert(policy.name.to_string());
        let spot = Spot::new(policy.source, Span::default());
        let (arguments, tags) = (Vec::new(), Vec::new());
        let user = Assigned { policy: Rc::clone(policy), spot, arguments, tags };
        let tried = trial.alone(&host(true), user, site);
        if note(tried, &mut evaluated, &mut possible).is_none() {
            return;
        }
    }
}

/// How many assignments name the policy `name`.
fn assignments(site: &Site, name: &str) -> usize {
    let names_it = |item: &Item| {
        let mut found = false;
        item.visit_texts(&mut |text| found |= **text == *name);
        found
    };
    site.assignments.iter().filter(|assignment| names_it(&assignment.policies)).count()
}

/// The names of the policies that some assignment, include or module names.
fn named(all: &[Rc<Policy>], site: Option<&Site>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let includes = all.iter().flat_map(|policy| &policy.includes);
    names.extend(includes.map(|(name, _)| name.to_string()));
    for element in all.iter().flat_map(|policy| &policy.elements) {
        if let Element::Module(module) = element {
            names.extend(module.source.iter().map(|(name, _)| name.to_string()));
        }
    }
    for assignment in site.into_iter().flat_map(|site| &site.assignments) {
        assignment.policies.visit_texts(&mut |text| {
            names.insert(text.to_string());
        });
    }
    names
}

/// Whether the data differs between hosts of one kind: a layer's name is more than text and facts
/// about the distribution.
fn data_depends(trial: &Trial<'_>) -> bool {
    let layers = trial.site.iter().flat_map(|site| &site.data);
    layers.filter_map(|item| item.as_text()).any(|text| {
        crate::expression::is_interpolated(text) && {
            let mut rest = text.as_str();
            let mut fixed = true;
            while let Some((_, tail)) = rest.split_once("{{") {
                let (inner, tail) = tail.split_once("}}").unwrap_or((tail, ""));
                fixed &= ["facts.os.", "facts.architecture", "facts.init_system"]
                    .iter()
                    .any(|start| inner.trim().starts_with(start));
                fixed &= !inner.contains("labels") && inner.matches("facts.").count() == 1;
                rest = tail;
            }
            !fixed || text.contains("{%")
        }
    })
}

/// The dotted names that the files below `data/` give.
fn data_names(trial: &Trial<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in trial.files.below("data") {
        if let Ok(Some((_, document))) = trial.files.document(path) {
            collect("", &document.entries, &mut names);
        }
    }
    names
}

fn collect(prefix: &str, entries: &[Entry], names: &mut BTreeSet<String>) {
    for entry in entries {
        let key = entry.key.trim_end_matches('+');
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        if let Node::Table(entries) = &entry.item.node {
            collect(&name, entries, names);
        }
        names.insert(name);
    }
}
