//! Keeping how resources came to be, for those who ask; see [`crate::record`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use steadfast_resources::{Text, Value};

use super::expand::item_of;
use super::parameters::Argument;
use super::{Evaluator, Frame};
use crate::diagnostics::{Span, Spot};
use crate::expression::{Compiled, is_interpolated};
use crate::parse::{Common, Declaration, Given, Item, Name, Policy};
use crate::record::{Extent, Record, RecordedAttribute};

/// The names that expressions use.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// Those of the declaration at work.
    current: RefCell<BTreeSet<String>>,
    /// Those of what came before it.
    earlier: RefCell<BTreeSet<String>>,
}

/// Where the values of a policy's parameters are written.
pub(crate) type Origins = Rc<[(String, Spot)]>;

impl Evaluator<'_> {
    /// From now on, records are kept.
    pub(crate) fn keep_records(&mut self) {
        self.reads = Some(Reads::default());
    }

    /// What is read from now on belongs to another declaration.
    pub(super) fn begin_reads(&self) {
        if let Some(Reads { current, earlier }) = &self.reads {
            // Not `append`, which builds the larger set anew each time.
            earlier.borrow_mut().extend(std::mem::take(&mut *current.borrow_mut()));
        }
    }

    pub(super) fn note_reads(&self, compiled: &Compiled<'_>) {
        if let Some(reads) = &self.reads {
            reads.current.borrow_mut().extend(compiled.names(true));
        }
    }

    /// All names used since the last time that this was asked.
    pub(crate) fn take_reads(&self) -> BTreeSet<String> {
        self.begin_reads();
        self.reads.as_ref().map(|reads| reads.earlier.take()).unwrap_or_default()
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

    /// Where the data called `name` is written, or what it is part of.
    fn datum(&self, name: &str) -> Option<(String, Extent)> {
        let mut datum = self.data.as_ref()?;
        for key in name.strip_prefix("data.")?.split('.') {
            let Some(inner) = datum.get(key) else { break };
            datum = inner;
        }
        Some((name.to_owned(), self.context.sources.extent(datum.spot)))
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
            let own = item_of(&declaration.given, name);
            let item = own.or_else(|| item_of(defaults, name));
            let span = item.map_or(title, |item| item.span);
            RecordedAttribute {
                name,
                value: value.clone(),
                written: item.and_then(written),
                given: sources.extent(frame.spot(span)),
                default: own.is_none(),
            }
        };
        Some(Box::new(Record {
            policies: frame.origin.policies.clone(),
            directory: Arc::clone(&frame.policy.directory),
            for_each: declaration
                .given
                .iter()
                .find(|given| matches!(given.name, Name::Common(Common::ForEach)))
                .map(|given| sources.extent(frame.spot(given.item.span))),
            modules: frame.origin.modules.clone().into(),
            declaration: sources.extent(frame.spot(whole)),
            title: declaration.title.clone(),
            attributes: values.iter().map(attribute).collect(),
            parameters: frame
                .origins
                .iter()
                .map(|(name, spot)| (name.clone(), sources.extent(*spot)))
                .collect(),
            data: reads.current.borrow().iter().filter_map(|name| self.datum(name)).collect(),
            reads: reads.current.borrow().iter().cloned().collect(),
        }))
    }
}

/// The text of `item`, if it is text in which nothing is evaluated.
fn written(item: &Item) -> Option<Text> {
    item.as_text().filter(|text| !is_interpolated(text)).cloned()
}
