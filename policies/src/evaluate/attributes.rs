//! Evaluating one attribute: literals, interpolations, templates, files of the repository.

use std::sync::Arc;

use steadfast_resources::{AttributeDeclaration, AttributeType, Text, Tree, Value};

use super::texts::{Locals, Outcome};
use super::types::{Mismatch, conform, shown};
use super::{Evaluator, Frame};
use crate::diagnostics::hidden::REFUSED;
use crate::diagnostics::{Code, Reported, Span, Spot};
use crate::expression::{Resolved, Unconvertible, is_interpolated, path_hint, resolve, to_value};
use crate::parse::{Given, Item, Node};

/// An evaluated value.
pub(crate) struct Evaluated {
    /// `None`: the attribute is left out, or nothing is known about it.
    pub(crate) value: Option<Value>,
    /// Whether it is this and nothing else, whatever the host.
    pub(crate) certain: bool,
}

impl Evaluated {
    fn certain(value: Value) -> Self {
        Self { value: Some(value), certain: true }
    }

    fn unknown() -> Self {
        Self { value: None, certain: false }
    }
}

impl Evaluator<'_> {
    /// Evaluates `item` with every string in it.
    pub(crate) fn attribute(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        item: &Item,
    ) -> Result<Evaluated, Reported> {
        match &item.node {
            Node::Text(text) if is_interpolated(text) => {
                let outcome = self.string(frame, locals, text, item.span)?;
                self.evaluated(frame, outcome, item.span)
            }
            Node::Text(text) => Ok(Evaluated::certain(Value::Text(text.clone()))),
            Node::Integer(integer) => Ok(Evaluated::certain(Value::Integer(*integer))),
            Node::Float(float) => Ok(Evaluated::certain(Value::Float(*float))),
            Node::Boolean(boolean) => Ok(Evaluated::certain(Value::Boolean(*boolean))),
            Node::Datetime(datetime) => Ok(Evaluated::certain(Value::text(&**datetime))),
            Node::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                let certain =
                    self.parts(frame, locals, items.iter(), |value| values.push(value))?;
                Ok(Evaluated { value: Some(Value::List(values)), certain })
            }
            Node::Table(entries) => {
                let mut values = Vec::with_capacity(entries.len());
                let mut names = entries.iter().map(|entry| entry.key.to_string());
                let items = entries.iter().map(|entry| &entry.item);
                let certain = self.parts(frame, locals, items, |value| {
                    values.push((names.next().unwrap_or_default(), value));
                })?;
                Ok(Evaluated { value: Some(Value::Table(values)), certain })
            }
        }
    }

    /// Evaluates the parts of a list or table. Whether all are certain.
    fn parts<'i>(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        items: impl Iterator<Item = &'i Item>,
        mut keep: impl FnMut(Value),
    ) -> Result<bool, Reported> {
        let mut certain = true;
        let mut failed = None;
        for item in items {
            match self.attribute(frame, locals, item) {
                Ok(Evaluated { value: Some(value), certain: known }) => {
                    certain &= known;
                    keep(value);
                }
                Ok(Evaluated { value: None, certain: true }) => {
                    failed = Some(self.unconvertible(frame, Unconvertible::None, item.span));
                }
                Ok(Evaluated { value: None, certain: false }) => {
                    certain = false;
                    keep(Value::text(PLACEHOLDER));
                }
                Err(reported) => failed = Some(reported),
            }
        }
        failed.map_or(Ok(certain), Err)
    }

    fn evaluated(
        &self,
        frame: &Frame<'_>,
        outcome: Outcome,
        span: Span,
    ) -> Result<Evaluated, Reported> {
        match outcome {
            Outcome::Known(value) => match to_value(&value) {
                Ok(value) => Ok(Evaluated { value, certain: true }),
                Err(problem) => Err(self.unconvertible(frame, problem, span)),
            },
            Outcome::Guess(value) => {
                Ok(Evaluated { value: to_value(&value).ok().flatten(), certain: false })
            }
            Outcome::Unknown => Ok(Evaluated::unknown()),
        }
    }

    fn unconvertible(&self, frame: &Frame<'_>, problem: Unconvertible, span: Span) -> Reported {
        let code =
            if problem == Unconvertible::Undefined { Code::Undefined } else { Code::WrongType };
        self.context.error(code, frame.spot(span), problem.in_words()).report()
    }

    /// Evaluates the attribute `declared` of a resource and checks its type.
    pub(crate) fn typed(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        declared: &'static AttributeDeclaration,
        given: &Given,
    ) -> Result<Evaluated, Reported> {
        let evaluated = self.attribute(frame, locals, &given.item)?;
        let Some(value) = evaluated.value else { return Ok(evaluated) };
        if !evaluated.certain {
            // What it is on a host is not known; what it seems to be only serves other checks.
            let path = matches!(
                declared.kind,
                AttributeType::TemplatePath | AttributeType::RepositoryPath
            );
            let value = conform(&declared.kind, value, &given.item).ok().filter(|_| !path);
            return Ok(Evaluated { value, certain: false });
        }
        match declared.kind {
            AttributeType::TemplatePath => self.rendered(frame, locals, declared, given, &value),
            AttributeType::RepositoryPath => {
                self.tree(frame, declared, given, &value).map(Evaluated::certain)
            }
            kind => match conform(&kind, value, &given.item) {
                Ok(value) => Ok(Evaluated::certain(value)),
                Err(mismatch) => {
                    let part = if mismatch.span == given.item.span { "" } else { "a part of " };
                    let spot = frame.spot(mismatch.span);
                    let secret = declared.secret || self.context.hides(spot);
                    let found = if secret { "this value" } else { &mismatch.found };
                    let message = format!(
                        "{part}`{}` must be {}, not {found}",
                        declared.name, mismatch.expected
                    );
                    let draft = self.context.error(Code::WrongType, spot, message);
                    let ensure = declared.name == "ensure" && mismatch.found == "false";
                    let mismatch = Mismatch {
                        hint: if ensure && declared.kind == AttributeType::String {
                            Some("write \"absent\"".to_owned())
                        } else {
                            mismatch.hint
                        },
                        ..*mismatch
                    };
                    Err(draft.hint(mismatch.hint.filter(|_| !secret)).report())
                }
            },
        }
    }

    fn rendered(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        declared: &'static AttributeDeclaration,
        given: &Given,
        value: &Value,
    ) -> Result<Evaluated, Reported> {
        let spot = frame.spot(given.item.span);
        let Value::Text(path) = value else {
            return Err(self.not_a_path(declared, value, spot));
        };
        if !self.is_last_template(frame, path) {
            let resolved = self.resolved(frame, path, spot)?;
            if !self.files.in_library(&resolved) {
                return Err(self.missing(frame, "template", path, spot));
            }
        }
        let outcome = self.template(frame, locals, path, spot)?;
        self.evaluated(frame, outcome, given.item.span)
    }

    fn tree(
        &self,
        frame: &Frame<'_>,
        declared: &'static AttributeDeclaration,
        given: &Given,
        value: &Value,
    ) -> Result<Value, Reported> {
        let spot = frame.spot(given.item.span);
        let candidates: Vec<&Text> = match value {
            Value::Text(text) => vec![text],
            Value::List(values) if !values.is_empty() => values
                .iter()
                .map(|value| match value {
                    Value::Text(text) => Ok(text),
                    other => Err(self.not_a_path(declared, other, spot)),
                })
                .collect::<Result<_, _>>()?,
            other => return Err(self.not_a_path(declared, other, spot)),
        };
        for candidate in &candidates {
            if candidate.starts_with("https://") {
                return Ok(Value::Text((*candidate).clone()));
            }
            if candidate.starts_with("http://") {
                let message = format!("`{}` is fetched without protection", declared.name);
                let draft = self.context.error(Code::InvalidPath, spot, message);
                return Err(draft.hint("use https".to_owned()).report());
            }
            let path = self.resolved(frame, candidate, spot)?;
            if let Some(tree) = self.files.tree(&path)? {
                return Ok(Value::Tree(tree));
            }
        }
        match candidates.as_slice() {
            [path] => Err(self.missing(frame, "file or directory", path, spot)),
            paths => {
                if self.context.discreet(spot) {
                    return Err(self.context.error(Code::MissingFile, spot, REFUSED).report());
                }
                let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
                let message = format!("none of {} exists", names.join(", "));
                Err(self.context.error(Code::MissingFile, spot, message).report())
            }
        }
    }

    fn not_a_path(
        &self,
        declared: &'static AttributeDeclaration,
        value: &Value,
        spot: Spot,
    ) -> Reported {
        let found = if self.context.hides(spot) { "this value".to_owned() } else { shown(value) };
        let message =
            format!("`{}` must be {}, not {found}", declared.name, declared.kind.in_words());
        self.context.error(Code::WrongType, spot, message).report()
    }

    /// The repository path of `path`, which is written at `spot`.
    fn resolved(&self, frame: &Frame<'_>, path: &str, spot: Spot) -> Result<String, Reported> {
        let (message, hint) = match resolve(&frame.policy.directory, path) {
            Resolved::Path(path) => return Ok(path),
            _ if self.context.discreet(spot) => {
                (REFUSED.to_owned(), "a policy uses only its own files")
            }
            Resolved::Absolute => (
                format!("{path:?} is an absolute path"),
                "paths are relative to the policy; files of the host cannot be a source",
            ),
            Resolved::Parent => {
                (format!("{path:?} leaves the policy"), "a policy uses only its own files")
            }
            Resolved::Empty => (format!("{path:?} names no file"), "write a path like \"files/x\""),
        };
        let draft = self.context.error(Code::InvalidPath, spot, message);
        Err(draft.hint(hint.to_owned()).report())
    }

    fn missing(&self, frame: &Frame<'_>, what: &str, path: &str, spot: Spot) -> Reported {
        if self.context.discreet(spot) {
            return self.context.error(Code::MissingFile, spot, REFUSED).report();
        }
        let directory = &frame.policy.directory;
        let hint = path_hint(self.files.paths(), directory, path);
        let message = format!("there is no {what} `{path}`");
        self.context.error(Code::MissingFile, spot, message).hint(hint).report()
    }
}

/// Stands for text that is not known.
pub(crate) const PLACEHOLDER: &str = "x";

/// A value of type `kind` that stands for one that is not known.
pub(crate) fn placeholder(kind: &AttributeType) -> Value {
    match kind {
        AttributeType::String | AttributeType::TemplatePath => Value::text(PLACEHOLDER),
        AttributeType::Integer => Value::Integer(1),
        AttributeType::Boolean => Value::Boolean(true),
        AttributeType::Enumeration(values) => {
            Value::text(values.first().copied().unwrap_or_default())
        }
        AttributeType::List(inner) => Value::List(vec![placeholder(inner)]),
        AttributeType::Table(_) => Value::Table(Vec::new()),
        AttributeType::AnyOf(kinds) => {
            kinds.first().map_or_else(|| Value::text(PLACEHOLDER), placeholder)
        }
        AttributeType::RepositoryPath => {
            Value::Tree(Arc::new(Tree::File { content: Arc::from([]), executable: false }))
        }
    }
}
