//! `[params]`: what a policy can be told.
//!
//! A value is the default and gives the type. A table is a *declaration* exactly when it has one of
//! the keys `type`, `default` or `required`; any other table is the default of a parameter of type
//! map. (A map whose default needs one of these keys is written
//! `{ type = "map", default = { … } }`.)

use regex::Regex;
use steadfast_resources::Text;

use super::super::node::{Entry, Item, Node, find};
use super::super::shape::Shape;
use crate::declaration::{IS_DECLARATION, PARAMETER};
use crate::diagnostics::suggest::or_list;
use crate::diagnostics::{Code, Context, SourceId, Span, Spot};

/// A parameter of a policy.
pub(crate) struct Parameter {
    pub(crate) name: Text,
    pub(crate) name_span: Span,
    pub(crate) kind: ParameterType,
    /// What a list's items must be.
    pub(crate) items: ParameterType,
    pub(crate) default: Option<Item>,
    /// Whether it must be given. An optional one without default is `none`.
    pub(crate) required: bool,
    pub(crate) pattern: Option<Regex>,
    /// The values allowed, if only some are.
    pub(crate) allowed: Option<Vec<Item>>,
    pub(crate) minimum: Option<i64>,
    pub(crate) maximum: Option<i64>,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterType {
    String,
    Integer,
    /// A float or an integer.
    Float,
    Boolean,
    List,
    Map,
    Any,
}

const TYPES: &[(&str, ParameterType)] = &[
    ("string", ParameterType::String),
    ("integer", ParameterType::Integer),
    ("float", ParameterType::Float),
    ("boolean", ParameterType::Boolean),
    ("list", ParameterType::List),
    ("map", ParameterType::Map),
    ("any", ParameterType::Any),
];

impl ParameterType {
    /// The type's name, as `type` takes it.
    pub(crate) fn name(self) -> &'static str {
        TYPES.iter().find(|(_, kind)| *kind == self).map_or("any", |(name, _)| name)
    }

    fn of(node: &Node) -> Self {
        match node {
            // What an interpolation yields is known only when it is evaluated.
            Node::Text(text) if crate::expression::is_interpolated(text) => Self::Any,
            Node::Text(_) | Node::Datetime(_) => Self::String,
            Node::Integer(_) => Self::Integer,
            Node::Float(_) => Self::Float,
            Node::Boolean(_) => Self::Boolean,
            Node::List(_) => Self::List,
            Node::Table(_) => Self::Map,
        }
    }
}

/// Reads the entries of `[params]`.
pub(super) fn read(context: &Context, source: SourceId, entries: &[Entry]) -> Vec<Parameter> {
    entries
        .iter()
        .filter_map(|entry| {
            let identifier = entry.key.chars().enumerate().all(|(index, letter)| {
                letter == '_'
                    || letter.is_ascii_alphabetic()
                    || index > 0 && letter.is_ascii_digit()
            });
            if !identifier || entry.key.is_empty() {
                let message = format!("{:?} cannot be a parameter's name", &*entry.key);
                context
                    .error(Code::InvalidValue, Spot::new(source, entry.key_span), message)
                    .hint("use letters, digits and `_`: it is read as `params.NAME`".to_owned())
                    .report();
                return None;
            }
            Some(match &entry.item.node {
                Node::Table(declaration) if is_declaration(declaration) => {
                    declared(context, source, entry, declaration)
                }
                node => plain(entry, ParameterType::of(node)),
            })
        })
        .collect()
}

fn is_declaration(entries: &[Entry]) -> bool {
    IS_DECLARATION.iter().any(|key| find(entries, key).is_some())
}

fn plain(entry: &Entry, kind: ParameterType) -> Parameter {
    Parameter {
        name: entry.key.clone(),
        name_span: entry.key_span,
        kind,
        items: ParameterType::Any,
        default: Some(entry.item.clone()),
        required: false,
        pattern: None,
        allowed: None,
        minimum: None,
        maximum: None,
    }
}

fn declared(
    context: &Context,
    source: SourceId,
    entry: &Entry,
    declaration: &[Entry],
) -> Parameter {
    let what = format!("parameter `{}`", entry.key);
    let shape = Shape::new(context, source, &what, declaration, &PARAMETER.names());
    let default = shape.get("default").map(|entry| entry.item.clone());
    let named_type = |key: &str| {
        let name = shape.text(key)?;
        let known = TYPES.iter().find(|(known, _)| *known == &**name).map(|(_, kind)| *kind);
        if known.is_none() {
            let span = shape.get(key).map_or(entry.key_span, |entry| entry.item.span);
            let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
            context
                .error(
                    Code::InvalidValue,
                    Spot::new(source, span),
                    format!("there is no type `{name}`"),
                )
                .hint(or_list(name, "the types are", &names))
                .report();
        }
        known
    };
    let kind = named_type("type").unwrap_or_else(|| {
        default.as_ref().map_or(ParameterType::Any, |item| ParameterType::of(&item.node))
    });
    let required = shape.boolean("required").unwrap_or(default.is_none());
    if required && let Some(item) = &default {
        let message = format!("{what} is required, so its default is never used");
        context
            .error(Code::InvalidValue, Spot::new(source, item.span), message)
            .hint("remove `required` or `default`".to_owned())
            .report();
    }
    let integer = |key: &str| match shape.get(key).map(|entry| (&entry.item.node, entry.item.span))
    {
        Some((Node::Integer(value), _)) => Some(*value),
        Some((other, span)) => {
            let message =
                format!("`{key}` of {what} must be an integer, not a {}", other.type_name());
            context.error(Code::WrongType, Spot::new(source, span), message).report();
            None
        }
        None => None,
    };
    // Only checked for its type: the reference prints it.
    shape.text("description");
    Parameter {
        name: entry.key.clone(),
        name_span: entry.key_span,
        kind,
        items: named_type("items").unwrap_or(ParameterType::Any),
        required,
        pattern: shape.text("pattern").and_then(|pattern| {
            Regex::new(pattern)
                .map_err(|error| {
                    let span = shape.get("pattern").map_or(entry.key_span, |entry| entry.item.span);
                    let message = format!("`pattern` of {what} is no regular expression");
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default().to_owned();
                    context
                        .error(Code::InvalidValue, Spot::new(source, span), message)
                        .hint(reason)
                        .report();
                })
                .ok()
        }),
        allowed: shape.list("enum").map(<[Item]>::to_vec),
        minimum: integer("minimum"),
        maximum: integer("maximum"),
        default,
    }
}
