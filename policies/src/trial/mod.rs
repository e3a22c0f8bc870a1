//! One repository evaluated for many hosts, real and imagined: every file is parsed once, every
//! expression compiled once.

mod hosts;
mod known;

use std::collections::BTreeMap;
use std::rc::Rc;

use minijinja::Value as Jinja;
use minijinja::value::Serde;
use steadfast_resources::Registry;

use crate::catalog::Catalog;
use crate::diagnostics::{Context, Diagnostic, SourceId, Span, Spot};
use crate::evaluate::{Assigned, Doubt, Evaluator, Files, Met, Mode, Policies};
use crate::expression::{Engine, Scope};
use crate::graph;
use crate::parse::Entry;
use crate::site::{self, Datum, Site};

pub(crate) use hosts::check_hosts;
pub(crate) use known::{FactSets, of_entries};

/// A repository being tried.
pub(crate) struct Trial<'a> {
    pub(crate) context: &'a Context,
    pub(crate) registry: &'a Registry,
    pub(crate) files: &'a Files<'a>,
    pub(crate) policies: Policies<'a>,
    pub(crate) engine: Engine<'a>,
    /// `None` where there is none, or none that can be understood.
    pub(crate) site: Option<Site>,
}

/// A host, as far as it is known.
#[derive(Default)]
pub(crate) struct Host<'h> {
    pub(crate) facts: Rc<serde_json::Value>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Layers on top of the repository's own data.
    pub(crate) data: Vec<(SourceId, &'h [Entry])>,
    /// What is not known.
    pub(crate) doubt: Option<Rc<Doubt>>,
    /// Whether of every resource is kept how it came to be.
    pub(crate) recorded: bool,
}

/// What came of evaluating a host.
pub(crate) struct Tried {
    /// `None` where there are errors, or where not everything about the host is known.
    pub(crate) catalog: Option<Catalog>,
    /// Errors and warnings, as they were found.
    pub(crate) found: Vec<Diagnostic>,
    pub(crate) met: Met,
    /// The policies that a host like this may get.
    pub(crate) possible: Vec<Assigned>,
}

impl<'a> Trial<'a> {
    fn evaluator(&self, host: &Host<'_>) -> Evaluator<'a> {
        let base = Scope {
            facts: Some(Jinja::from(Serde(&*host.facts))),
            labels: Some(Jinja::from(Serde(&host.labels))),
            data: Some(Jinja::from_pairs(std::iter::empty::<(Jinja, Jinja)>())),
            ..Scope::default()
        };
        let (context, registry, files) = (self.context, self.registry, self.files);
        let mut evaluator =
            Evaluator::new(context, registry, files, self.engine.clone(), Mode::Host, base);
        evaluator.doubt.clone_from(&host.doubt);
        if host.recorded {
            evaluator.keep_records();
        }
        evaluator
    }

    /// Gives `evaluator` the data of `host`: the site's layers if `site` is there, and its own.
    fn lay_data(&self, evaluator: &mut Evaluator<'_>, host: &Host<'_>, site: Option<&Site>) {
        let data = if let Some(site) = site {
            site::layers(evaluator, self.files, site)
        } else {
            let Some((source, _)) = host.data.first() else { return };
            Ok(Datum::empty(Spot::new(*source, Span::default())))
        };
        let Ok(mut data) = data else {
            evaluator.unsound = true;
            return;
        };
        for (source, entries) in &host.data {
            data = data.merged(self.context, *source, entries);
        }
        evaluator.base.data = Some(data.value());
        evaluator.data = Some(data);
    }

    /// Evaluates the site for `host`.
    pub(crate) fn whole(&self, host: &Host<'_>, site: &Site) -> Tried {
        self.tried(host, |evaluator| {
            self.lay_data(evaluator, host, Some(site));
            site::checks(evaluator, site);
            let assigned = site::assigned(evaluator, &self.policies, site);
            evaluator.bring_in_assigned(&self.policies, assigned);
            let names = brought_in(evaluator);
            if names.is_empty() && !self.context.has_errors() {
                let spot = Spot::new(site.source, Span::default());
                let message = "no assignment is for this host: it gets no policies";
                self.context.warning(crate::diagnostics::Code::Unused, spot, message).report();
            }
            names
        })
    }

    /// Evaluates the policy of `user` for `host`, with what that gives it and with the data that
    /// `site` gives if it is there.
    pub(crate) fn alone(&self, host: &Host<'_>, user: Assigned, site: Option<&Site>) -> Tried {
        self.tried(host, |evaluator| {
            self.lay_data(evaluator, host, site);
            // What it refers to may be in other policies.
            evaluator.unsound |= host.doubt.is_some();
            evaluator.bring_in_assigned(&self.policies, vec![user]);
            brought_in(evaluator)
        })
    }

    fn tried(
        &self,
        host: &Host<'_>,
        expand: impl FnOnce(&mut Evaluator<'a>) -> Vec<String>,
    ) -> Tried {
        let before = self.context.take();
        let mut evaluator = self.evaluator(host);
        let names = expand(&mut evaluator);
        let met = evaluator.met.take();
        let possible = std::mem::take(&mut evaluator.possible);
        let catalog = graph::catalog(self.context, evaluator, names).ok();
        let found = self.context.take();
        self.context.put(before);
        Tried { catalog, found, met, possible }
    }
}

fn brought_in(evaluator: &Evaluator<'_>) -> Vec<String> {
    evaluator.brought_in.iter().map(ToString::to_string).collect()
}
