//! What an expression reads, and where that comes from.

use std::collections::HashMap;
use std::rc::Rc;

use minijinja::Value as Jinja;
use serde_json::Value;

use super::{Effect, Expression, Input, Layer, Origin, Repetition, Use};
use crate::diagnostics::{Span, Spot};
use crate::evaluate::{Argument, Evaluator, Frame, Locals, Outcome, key};
use crate::expression::{Compiled, Library, ROOTS, Resolved, is_interpolated};
use crate::parse::{Item, Node, Parameter, Policy};

/// Where the names of a scope come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lineage {
    /// The origin of each parameter.
    params: HashMap<String, Origin>,
    /// How the policy came to be used.
    pub(super) way: Vec<Use>,
    /// Which item of which `for_each` `item` is.
    pub(super) item: Option<(usize, Jinja)>,
}

/// A value as programs see it.
pub(super) fn json(value: &Jinja) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

impl Evaluator<'_> {
    /// Where the names of `frame` come from: what `way` led to it and what was given on the way.
    pub(crate) fn lineage(
        &self,
        policy: &Policy,
        arguments: &[Argument],
        way: Vec<Use>,
    ) -> Option<Rc<Lineage>> {
        self.context.tracer.as_ref()?;
        let params = policy.parameters.iter().map(|parameter| {
            (parameter.name.to_string(), self.parameter_origin(policy, parameter, arguments))
        });
        Some(Rc::new(Lineage { params: params.collect(), way, item: None }))
    }

    /// In the order in which values are looked up when parameters are bound.
    fn parameter_origin(
        &self,
        policy: &Policy,
        parameter: &Parameter,
        arguments: &[Argument],
    ) -> Origin {
        let place = |span| self.context.sources.place(Spot::new(policy.source, span));
        if let Some(given) = arguments.iter().rev().find(|given| *given.name == *parameter.name) {
            return given.origin.as_deref().cloned().unwrap_or(Origin::Other);
        }
        let data = self.data.as_ref().and_then(|data| data.get(&policy.name)?.get(&parameter.name));
        if data.is_some()
            && let Some(origin) = self.data_origin(&[&policy.name, &parameter.name])
        {
            return origin;
        }
        let Some(default) = &parameter.default else {
            return Origin::NotGiven { place: place(parameter.name_span) };
        };
        let frame = Frame::of_site(policy, self.base.clone());
        let mut inputs = Vec::new();
        self.inputs(&frame, &frame.locals, default, false, &mut inputs);
        Origin::Default { place: place(default.span), inputs }
    }

    /// What the layers of data say about the key with these parts.
    fn data_origin(&self, parts: &[&str]) -> Option<Origin> {
        let mut datum = self.data.as_ref()?;
        let mut known = Vec::new();
        for part in parts {
            match datum.get(part) {
                Some(next) => {
                    datum = next;
                    known.push(*part);
                }
                None if known.is_empty() => return None,
                None => break,
            }
        }
        let key = known.join(".");
        let trail = datum.trail();
        let layers = trail.iter().enumerate().map(|(index, (way, said))| {
            let replaced =
                trail.iter().skip(index + 1).any(|(other, later)| other == way && !later.appends);
            let effect = match (replaced, said.appends) {
                (true, _) => Effect::Overridden,
                (false, true) => Effect::Appends,
                (false, false) => Effect::Wins,
            };
            Layer {
                key: if way.is_empty() { key.clone() } else { format!("{key}.{way}") },
                place: self.context.sources.place(said.spot),
                value: json(&said.value),
                effect,
            }
        });
        Some(Origin::Data { key: key.clone(), layers: layers.collect() })
    }

    /// The origin of a value that the user of a policy gives.
    pub(crate) fn argument_origin(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        item: &Item,
    ) -> Option<Rc<Origin>> {
        self.context.tracer.as_ref()?;
        let spot = frame.spot(item.span);
        let mut inputs = Vec::new();
        self.inputs(frame, locals, item, false, &mut inputs);
        let text = match &item.node {
            Node::Text(text) if is_interpolated(text) => Some(text.to_string()),
            _ => None,
        };
        Some(Rc::new(Origin::Given { place: self.context.sources.place(spot), text, inputs }))
    }

    /// The bare expression or literal `item` (`when`, `for_each`) with its value.
    pub(super) fn expression(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        what: &str,
        item: &Item,
    ) -> Expression {
        let mut inputs = Vec::new();
        let value = match &item.node {
            Node::Text(_) => {
                self.inputs(frame, locals, item, true, &mut inputs);
                match self.bare(frame, locals, what, item) {
                    Ok(Outcome::Known(value)) => json(&value),
                    _ => Value::Null,
                }
            }
            _ => json(&crate::expression::from_item(item)),
        };
        self.as_expression(frame, item, value, inputs)
    }

    pub(super) fn as_expression(
        &self,
        frame: &Frame<'_>,
        item: &Item,
        value: Value,
        inputs: Vec<Input>,
    ) -> Expression {
        let text = match &item.node {
            Node::Text(text) => text.to_string(),
            _ => self.written(frame, item.span),
        };
        let place = self.context.sources.place(frame.spot(item.span));
        Expression { place, text, value, inputs }
    }

    /// What is written at `span`.
    pub(super) fn written(&self, frame: &Frame<'_>, span: Span) -> String {
        let source = self.context.sources.get(frame.policy.source);
        source.text.get(span.range()).unwrap_or_default().to_owned()
    }

    /// The item that `locals` have, of the `for_each` in `each`.
    pub(super) fn repetition_at(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        each: Option<&Item>,
    ) -> Option<Repetition> {
        let (position, item) = locals.lineage.as_ref()?.item.clone()?;
        let mut over = self.expression(frame, &frame.locals, "for_each", each?);
        over.value = Value::Null;
        let place = self.item_spot(&over, position).map(|spot| self.context.sources.place(spot));
        Some(Repetition { over, position, place, item: json(&item) })
    }

    /// Where item number `position` of the list `over` is written, where that is a list of the
    /// data and nothing else.
    fn item_spot(&self, over: &Expression, position: usize) -> Option<Spot> {
        let [input] = over.inputs.as_slice() else { return None };
        let Origin::Data { key, .. } = &input.origin else { return None };
        if over.text.trim() != input.name {
            return None;
        }
        let datum = key.split('.').try_fold(self.data.as_ref()?, |datum, part| datum.get(part))?;
        let trail = datum.trail();
        let start = trail.iter().rposition(|(_, said)| !said.appends)?;
        let mut items = trail.iter().skip(start).flat_map(|(_, said)| &said.items);
        items.nth(position.checked_sub(1)?).copied()
    }

    /// Adds what the strings in `item` read; a `bare` one is an expression without braces.
    pub(super) fn inputs(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        item: &Item,
        bare: bool,
        found: &mut Vec<Input>,
    ) {
        match &item.node {
            Node::Text(text) if bare || is_interpolated(text) => {
                let key = key(frame.policy.source, item.span);
                let compiled = if bare {
                    self.engine.expression(key, text)
                } else {
                    self.engine.string(key, &frame.policy.directory, text)
                };
                if let Ok(compiled) = compiled {
                    self.reads(&compiled, text, None, locals, found);
                }
            }
            Node::List(items) => {
                for item in items {
                    self.inputs(frame, locals, item, bare, found);
                }
            }
            Node::Table(entries) => {
                for entry in entries {
                    self.inputs(frame, locals, &entry.item, bare, found);
                }
            }
            _ => {}
        }
    }

    /// Adds what the template file at `path` of the policy reads, and what it includes. `files`
    /// gets the repository paths.
    pub(super) fn template_inputs(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        path: &str,
        found: &mut Vec<Input>,
        files: &mut Vec<String>,
    ) {
        let name = Library::file_name(&frame.policy.directory, path);
        let Some(Resolved::Path(resolved)) = Library::path(&name) else { return };
        if files.contains(&resolved) || !self.files.in_library(&resolved) {
            return;
        }
        let Ok(compiled) = self.engine.template(&name) else { return };
        let Some((_, text)) = compiled.template_file() else { return };
        files.push(resolved.clone());
        self.reads(&compiled, &text, Some(&resolved), locals, found);
        for included in super::scan::included(&text) {
            self.template_inputs(frame, locals, included, found, files);
        }
    }

    /// Adds what `compiled` reads; `file` is the template's path, where it is one.
    fn reads(
        &self,
        compiled: &Compiled<'_>,
        text: &str,
        file: Option<&str>,
        locals: &Locals,
        found: &mut Vec<Input>,
    ) {
        let mut names: Vec<(usize, String)> = compiled
            .names(true)
            .into_iter()
            .filter(|name| ROOTS.contains(&name.split('.').next().unwrap_or_default()))
            .map(|name| (super::scan::word(text, &name).unwrap_or(text.len()), name))
            .collect();
        names.sort();
        for (at, name) in names {
            if found.iter().any(|known| known.name == name) {
                continue;
            }
            let place = file.map(|path| {
                let sources = &self.context.sources;
                let source = sources.find(path).unwrap_or_else(|| sources.add(path, text));
                sources.place(Spot::new(source, Span::new(&(at..at))))
            });
            found.push(self.input(name, place, locals));
        }
    }

    fn input(&self, name: String, place: Option<crate::catalog::Place>, locals: &Locals) -> Input {
        let value = locals.scope.follow(&name).map(|value| json(&value)).unwrap_or_default();
        let mut parts = name.split('.');
        let root = parts.next().unwrap_or_default();
        let rest: Vec<&str> = parts.collect();
        let param = |name: &str| Some(locals.lineage.as_ref()?.params.get(name)?.clone());
        let origin = match (root, rest.as_slice()) {
            ("facts", _) => Some(Origin::Fact),
            ("labels", _) => Some(Origin::Label),
            ("data", rest) => self.data_origin(rest),
            ("params", [name, further @ ..]) => param(name).map(|origin| match origin {
                // The same data, as far as the name leads.
                Origin::Data { ref key, .. } if !further.is_empty() => {
                    let parts: Vec<&str> = key.split('.').chain(further.iter().copied()).collect();
                    self.data_origin(&parts).unwrap_or(origin)
                }
                other => other,
            }),
            ("item", _) => Some(Origin::Item),
            _ => None,
        };
        Input { name, place, value, origin: origin.unwrap_or(Origin::Other) }
    }
}

impl Locals {
    /// The same names; `item` is number `position` (from 1) of a `for_each`.
    pub(crate) fn at_item(mut self, position: usize, item: &Jinja) -> Self {
        self.lineage = self.lineage.map(|lineage| {
            Rc::new(Lineage { item: Some((position, item.clone())), ..(*lineage).clone() })
        });
        self
    }
}
