//! Notes about the resource asked for, at the moment when it is made.

use serde_json::{Value as Json, json};
use steadfast_resources::{AttributeType, Text, Tree, Value};

use super::{Attribute, Expression, Form, Subject};
use crate::diagnostics::Span;
use crate::evaluate::{Evaluator, Frame, Locals};
use crate::expression::{Resolved, is_interpolated, resolve};
use crate::parse::{self, Declaration, Given, Item, Name, Node};
use crate::record::Extent;

/// What evaluation has made of a declaration.
pub(crate) struct Made<'a> {
    pub(crate) title: &'a str,
    /// The kind's own attributes with their values.
    pub(crate) values: &'a [(&'static str, Value)],
    /// The attributes given, those of the declaration first, then defaults of the policy.
    pub(crate) given: &'a [&'a Given],
    /// Names that `ignore` leaves out.
    pub(crate) ignored: &'a [Text],
    pub(crate) sensitive: bool,
}

impl Evaluator<'_> {
    /// Takes notes about `declaration`, if it has become the resource asked for. Secrets of all
    /// others are noted too, to be hidden wherever they show up.
    pub(crate) fn note_subject(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        declaration: &Declaration,
        made: &Made<'_>,
    ) {
        let Some(tracer) = &self.context.tracer else { return };
        let kind = declaration.kind.declaration();
        for (name, value) in made.values {
            if kind.attribute(name).is_some_and(|attribute| attribute.secret) {
                texts(value, &mut tracer.notes.borrow_mut().secrets);
            }
        }
        if !tracer.asks_for(kind.name, made.title) {
            self.note_other_title(frame, locals, declaration, made.title);
            return;
        }
        let own =
            |item: Option<&Item>, what| item.map(|item| self.expression(frame, locals, what, item));
        let each = common(declaration, parse::Common::ForEach);
        let lineage = locals.lineage.as_deref();
        let subject = Subject {
            declared: self.extent(frame, declaration),
            written: self.title_trace(frame, locals, declaration, made.title),
            policy: frame.policy.name.to_string(),
            way: lineage.map(|lineage| lineage.way.clone()).unwrap_or_default(),
            when: own(common(declaration, parse::Common::When), "when"),
            for_each: self.repetition_at(frame, locals, each),
            attributes: made
                .given
                .iter()
                .enumerate()
                .filter_map(|(index, given)| {
                    let inherited = index >= declaration.given.len();
                    self.attribute_trace(frame, locals, given, inherited, made)
                })
                .collect(),
        };
        tracer.notes.borrow_mut().subject.get_or_insert(subject);
    }

    /// The lines of `declaration`.
    pub(super) fn extent(&self, frame: &Frame<'_>, declaration: &Declaration) -> Extent {
        self.context.sources.extent(frame.spot(whole(declaration)))
    }

    pub(super) fn title_trace(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        declaration: &Declaration,
        title: &str,
    ) -> Option<Expression> {
        if !is_interpolated(&declaration.title) {
            return None;
        }
        let item =
            Item { node: Node::Text(declaration.title.clone()), span: declaration.title_span };
        let mut inputs = Vec::new();
        self.inputs(frame, locals, &item, false, &mut inputs);
        Some(self.as_expression(frame, &item, json!(title), inputs))
    }

    /// `None` for what is told elsewhere: conditions and references.
    fn attribute_trace(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        given: &Given,
        inherited: bool,
        made: &Made<'_>,
    ) -> Option<Attribute> {
        let place = self.context.sources.place(frame.spot(given.item.span));
        let mut inputs = Vec::new();
        let mut files = Vec::new();
        self.inputs(frame, locals, &given.item, false, &mut inputs);
        let computed = interpolated(&given.item);
        let written = || Form::Computed { text: self.text_of(frame, &given.item) };
        let literal = || if computed { written() } else { Form::Literal };
        let (name, ignored, secret, value, form) = match given.name {
            Name::Common(parse::Common::When | parse::Common::ForEach) => return None,
            Name::Common(name) if name.links() => return None,
            Name::Common(name) => {
                let value = self.attribute(frame, locals, &given.item).ok()?.value?;
                (name.name(), false, false, shown(&value), literal())
            }
            Name::Own(own) => {
                let ignored = made.ignored.iter().any(|name| **name == *own.name);
                let value = made.values.iter().find(|(name, _)| *name == own.name);
                let form = match own.kind {
                    AttributeType::TemplatePath => {
                        for path in self.paths(frame, locals, &given.item) {
                            self.template_inputs(frame, locals, &path, &mut inputs, &mut files);
                        }
                        Form::Template
                    }
                    AttributeType::RepositoryPath => {
                        let directory = &frame.policy.directory;
                        let paths = self.paths(frame, locals, &given.item).into_iter();
                        let used = paths.filter_map(|path| match resolve(directory, &path) {
                            Resolved::Path(path) => {
                                self.files.tree(&path).ok().flatten().map(|_| path)
                            }
                            _ => None,
                        });
                        files.extend(used.take(1));
                        Form::Source
                    }
                    _ => literal(),
                };
                let value = value.map(|(_, value)| shown(value)).unwrap_or_default();
                (own.name, ignored, own.secret || made.sensitive, value, form)
            }
        };
        let name = name.to_owned();
        Some(Attribute { name, place, inherited, ignored, secret, value, form, inputs, files })
    }

    /// The paths that `item`, a string or a list of them, gives.
    fn paths(&self, frame: &Frame<'_>, locals: &Locals, item: &Item) -> Vec<String> {
        let evaluated = self.attribute(frame, locals, item).ok();
        let mut found = Vec::new();
        if let Some(value) = evaluated.and_then(|evaluated| evaluated.value) {
            texts(&value, &mut found);
        }
        found
    }

    fn text_of(&self, frame: &Frame<'_>, item: &Item) -> String {
        match &item.node {
            Node::Text(text) => text.to_string(),
            _ => self.written(frame, item.span),
        }
    }
}

/// All of `declaration`, from its title to its last value.
pub(super) fn whole(declaration: &Declaration) -> Span {
    Span { start: declaration.title_span.start, end: declaration.end }
}

/// The common attribute `name` of `declaration`.
pub(super) fn common(declaration: &Declaration, name: parse::Common) -> Option<&Item> {
    let is = |given: &&Given| matches!(given.name, Name::Common(found) if found == name);
    declaration.given.iter().find(is).map(|given| &given.item)
}

fn interpolated(item: &Item) -> bool {
    match &item.node {
        Node::Text(text) => is_interpolated(text),
        Node::List(items) => items.iter().any(interpolated),
        Node::Table(entries) => entries.iter().any(|entry| interpolated(&entry.item)),
        _ => false,
    }
}

/// Every text in `value`.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Text(text) => found.push(text.to_string()),
        Value::List(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Table(pairs) => pairs.iter().for_each(|(_, value)| texts(value, found)),
        _ => {}
    }
}

/// A value as programs see it.
fn shown(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text.as_str()),
        Value::Integer(integer) => json!(integer),
        Value::Float(float) => json!(float),
        Value::Boolean(boolean) => json!(boolean),
        Value::List(values) => Json::Array(values.iter().map(shown).collect()),
        Value::Table(pairs) => {
            Json::Object(pairs.iter().map(|(name, value)| (name.clone(), shown(value))).collect())
        }
        Value::Tree(tree) => match &**tree {
            Tree::File { content, .. } => match std::str::from_utf8(content) {
                Ok(text) => json!(text),
                Err(_) => json!(format!("({} bytes that are no text)", content.len())),
            },
            Tree::Directory(entries) => json!(format!("(a directory of {} files)", entries.len())),
        },
    }
}
