//! Reading a resource's attributes into a kind's own typed form, collecting every error.
//!
//! Types named in the declaration were already checked; a kind checks what a type cannot say (a
//! path must be absolute, `content` and `template` exclude each other).

use std::sync::Arc;

use crate::value::{Text, Tree, Value};

/// What is wrong with a resource's attributes. Evaluation adds the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeError {
    /// The attribute at fault; `None` means the title or the resource as a whole.
    pub attribute: Option<&'static str>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write instead, if known.
    pub hint: Option<String>,
}

/// The evaluated attributes of one resource, and the errors found while reading them.
#[derive(Debug)]
pub struct AttributeReader<'a> {
    values: &'a [(&'static str, Value)],
    errors: Vec<AttributeError>,
}

impl<'a> AttributeReader<'a> {
    /// A reader over evaluated attributes; names are those of the kind's declaration.
    pub fn new(values: &'a [(&'static str, Value)]) -> Self {
        Self { values, errors: Vec::new() }
    }

    /// The raw value of an attribute.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.values.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Whether the attribute is given.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The attribute as a string.
    pub fn text(&self, name: &str) -> Option<&'a Text> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The attribute as a boolean.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.value(name) {
            Some(Value::Boolean(value)) => Some(*value),
            _ => None,
        }
    }

    /// The attribute as an integer.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Some(Value::Integer(value)) => Some(*value),
            _ => None,
        }
    }

    /// The attribute as a list of strings; a single string counts as a list of one.
    pub fn texts(&self, name: &str) -> Option<Vec<&'a Text>> {
        match self.value(name) {
            Some(Value::List(items)) => Some(
                items
                    .iter()
                    .filter_map(|item| match item {
                        Value::Text(text) => Some(text),
                        _ => None,
                    })
                    .collect(),
            ),
            Some(Value::Text(text)) => Some(vec![text]),
            _ => None,
        }
    }

    /// The attribute as files of the repository.
    pub fn tree(&self, name: &str) -> Option<&'a Arc<Tree>> {
        match self.value(name) {
            Some(Value::Tree(tree)) => Some(tree),
            _ => None,
        }
    }

    /// Records an error about `attribute`.
    pub fn error(&mut self, attribute: &'static str, message: impl Into<String>) {
        self.errors.push(AttributeError {
            attribute: Some(attribute),
            message: message.into(),
            hint: None,
        });
    }

    /// Records an error about `attribute` with what to write instead.
    pub fn error_with_hint(
        &mut self,
        attribute: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.errors.push(AttributeError {
            attribute: Some(attribute),
            message: message.into(),
            hint: Some(hint.into()),
        });
    }

    /// Records an error about the title or the resource as a whole.
    pub fn resource_error(&mut self, message: impl Into<String>) {
        self.errors.push(AttributeError { attribute: None, message: message.into(), hint: None });
    }

    /// Whether any error was recorded so far.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The errors recorded, in order.
    pub fn into_errors(self) -> Vec<AttributeError> {
        self.errors
    }
}
