//! Keeping how resources came to be, for those who ask; see [`crate::record`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use steadfast_resources::Value;

use super::expand::span_of;
use super::parameters::Argument;
use super::{Evaluator, Frame};
use crate::diagnostics::{Span, Spot};
use crate::expression::Compiled;
use crate::parse::{Declaration, Given, Policy};
use crate::record::{Record, RecordedAttribute};

/// The names that the expressions of the declaration at work use.
pub(crate) type Reads = RefCell<BTreeSet<String>>;

/// Where the values of a policy's parameters are written.
pub(crate) type Origins = Rc<[(String, Spot)]>;

impl Evaluator<'_> {
    /// From now on, records are kept.
    pub(crate) fn keep_records(&mut self) {
        self.reads = Some(Reads::default());
    }

    /// What is read from now on belongs to another declaration.
    pub(super) fn begin_reads(&self) {
        if let Some(reads) = &self.reads {
            reads.borrow_mut().clear();
        }
    }

    pub(super) fn note_reads(&self, compiled: &Compiled<'_>) {
        if let Some(reads) = &self.reads {
            reads.borrow_mut().extend(compiled.names(true));
        }
    }

    /// Where the values of `policy`'s parameters come from: its user, the data, the default.
    pub(super) fn origins(&self, policy: &Policy, arguments: &[Argument]) -> Origins {
        if self.reads.is_none() {
            return Origins::default();
        }
        let data = self.data.as_ref().and_then(|data| data.get(&policy.name));
        let origin = |name: &str| {
            let given = arguments.iter().rev().find(|given| given.name == name);
            given.map(|given| given.spot).or_else(|| Some(data?.get(name)?.spot))
        };
        policy
            .parameters
            .iter()
            .filter_map(|parameter| {
                let spot = origin(&parameter.name).or_else(|| {
                    let default = parameter.default.as_ref()?;
                    Some(Spot::new(policy.source, default.span))
                })?;
                Some((parameter.name.to_string(), spot))
            })
            .collect()
    }

    /// The record of a resource with `values`, where records are kept.
    pub(super) fn record(
        &self,
        frame: &Frame<'_>,
        declaration: &Declaration,
        defaults: &[Given],
        values: &[(&'static str, Value)],
    ) -> Option<Box<Record>> {
        let reads = self.reads.as_ref()?;
        let sources = &self.context.sources;
        let title = declaration.title_span;
        let whole = Span { start: title.start, end: declaration.end };
        let attribute = |(name, value): &(&'static str, Value)| {
            let own = span_of(&declaration.given, name);
            let span = own.or_else(|| span_of(defaults, name)).unwrap_or(title);
            RecordedAttribute {
                name,
                value: value.clone(),
                given: sources.extent(frame.spot(span)),
                default: own.is_none(),
            }
        };
        Some(Box::new(Record {
            policies: frame.chain.clone(),
            modules: Arc::clone(&frame.modules),
            declaration: sources.extent(frame.spot(whole)),
            title: declaration.title.clone(),
            attributes: values.iter().map(attribute).collect(),
            parameters: frame
                .origins
                .iter()
                .map(|(name, spot)| (name.clone(), sources.extent(*spot)))
                .collect(),
            reads: reads.borrow().iter().cloned().collect(),
        }))
    }
}
