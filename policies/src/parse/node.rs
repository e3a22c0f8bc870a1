//! The tree of a TOML file: values and where they are.

use steadfast_resources::Text;

use crate::diagnostics::Span;

/// A value as it is written.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text(Text),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// A date or time, in TOML's own form. Nothing takes one; where a string is wanted it counts
    /// as its text (`expiry = 2027-01-31`).
    Datetime(Box<str>),
    List(Vec<Item>),
    /// In written order.
    Table(Vec<Entry>),
}

impl Node {
    /// The type's name, as messages print it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Boolean(_) => "boolean",
            Self::Datetime(_) => "date",
            Self::List(_) => "list",
            Self::Table(_) => "table",
        }
    }
}

/// A value and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) node: Node,
    pub(crate) span: Span,
}

impl Item {
    /// Gives `see` the place of every value in it that is no table.
    pub(crate) fn visit_literals(&self, see: &mut dyn FnMut(Span)) {
        match &self.node {
            Node::Table(entries) => {
                for entry in entries {
                    entry.item.visit_literals(see);
                }
            }
            _ => see(self.span),
        }
    }

    /// Gives `see` every string in it.
    pub(crate) fn visit_texts(&self, see: &mut dyn FnMut(&Text)) {
        match &self.node {
            Node::Text(text) => see(text),
            Node::List(items) => items.iter().for_each(|item| item.visit_texts(see)),
            Node::Table(entries) => entries.iter().for_each(|entry| entry.item.visit_texts(see)),
            _ => {}
        }
    }

    /// The byte after everything that belongs to it: a table's own span may end with its header.
    pub(crate) fn end(&self) -> u32 {
        let inner = match &self.node {
            Node::Table(entries) => entries.iter().map(|entry| entry.item.end()).max(),
            _ => None,
        };
        inner.unwrap_or(0).max(self.span.end)
    }

    /// The string, if it is one.
    pub(crate) fn as_text(&self) -> Option<&Text> {
        match &self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Text,
    pub(crate) key_span: Span,
    pub(crate) item: Item,
}

/// The entry called `key`.
pub(crate) fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| &*entry.key == key)
}
