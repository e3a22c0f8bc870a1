//! Drift taken for what is wanted: what a declaration has to say instead. Pure, but for contents
//! that only the machine has.
//!
//! What must stay true: only attributes that are declared and differ are changed; what contradicts
//! the new values goes; a state that nobody would declare (a failed service, half a package) is a
//! failure that says so.

use std::sync::Arc;

use crate::export::Exported;
use crate::failure::Failure;
use crate::value::{Tree, Value};

/// A resource that is not as declared.
#[derive(Debug, Clone, Copy)]
pub struct Drift<'a> {
    /// Its title.
    pub title: &'a str,
    /// The attributes that are declared, after evaluation.
    pub declared: &'a [(&'static str, Value)],
    /// The properties that a plan would change, by its own names for them.
    pub properties: &'a [&'a str],
    /// What is there.
    pub found: Option<&'a Exported>,
}

/// A change of a declaration.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// The attribute gets this value. A [`Value::Tree`] is the content of the file that it names.
    Set(&'static str, Value),
    /// The attribute goes.
    Remove(&'static str),
    /// In the directory that `source` names, the file at this path gets this content, or goes.
    Below(String, Option<Arc<[u8]>>),
}

impl Drift<'_> {
    /// The declared value of `attribute`.
    pub fn declared(&self, attribute: &str) -> Option<&Value> {
        self.declared.iter().find(|(name, _)| *name == attribute).map(|(_, value)| value)
    }

    /// The declared text of `attribute`.
    pub fn declared_text(&self, attribute: &str) -> Option<&str> {
        match self.declared(attribute) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        }
    }

    /// Whether `property` differs.
    pub fn differs(&self, property: &str) -> bool {
        self.properties.contains(&property)
    }

    /// Nothing is there: `ensure = "absent"`, and nothing that would say how it is.
    pub fn gone(&self) -> Vec<Edit> {
        let others = self.declared.iter().filter(|(name, _)| *name != "ensure");
        let mut edits: Vec<Edit> = others.map(|(name, _)| Edit::Remove(name)).collect();
        edits.push(Edit::Set("ensure", Value::text("absent")));
        edits
    }

    /// Something is there that was to be absent: all that can be said about it.
    pub fn appeared(&self, found: &Exported) -> Vec<Edit> {
        let mut edits: Vec<Edit> =
            self.declared.iter().map(|(name, _)| Edit::Remove(name)).collect();
        edits.extend(found.attributes.iter().map(|(name, value)| Edit::Set(name, value.clone())));
        edits
    }

    /// `attribute` as it was found.
    pub fn as_found(&self, attribute: &'static str, found: &Exported) -> Result<Edit, Failure> {
        match found.value(attribute) {
            Some(value) => Ok(Edit::Set(attribute, value.clone())),
            None => Err(undeclarable(attribute, found)),
        }
    }

    /// Every declared attribute that differs, as it was found.
    pub fn plainly(&self) -> Result<Vec<Edit>, Failure> {
        let Some(found) = self.found else { return Ok(self.gone()) };
        if self.declared_text("ensure") == Some("absent") {
            return Ok(self.appeared(found));
        }
        let declared = self.declared.iter().map(|(name, _)| *name);
        declared.filter(|name| self.differs(name)).map(|name| self.as_found(name, found)).collect()
    }
}

/// A list of names as it was found: of those declared the ones that are there, unless the list is
/// to be exact.
pub(crate) fn names(declared: Option<&Value>, found: Option<&Value>, exact: bool) -> Value {
    let items = |value: Option<&Value>| match value {
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    let found = items(found);
    if exact {
        return Value::List(found);
    }
    Value::List(items(declared).into_iter().filter(|name| found.contains(name)).collect())
}

/// The content of a file that was found, as bytes.
pub(crate) fn content(found: &Exported) -> Option<Arc<[u8]>> {
    match (found.value("content"), found.value("source")) {
        (Some(Value::Text(text)), _) => Some(Arc::from(text.as_bytes())),
        (_, Some(Value::Tree(tree))) => match tree.as_ref() {
            Tree::File { content, .. } => Some(Arc::clone(content)),
            Tree::Directory(_) => None,
        },
        _ => None,
    }
}

fn undeclarable(attribute: &str, found: &Exported) -> Failure {
    let notes = match found.notes.as_slice() {
        [] => String::new(),
        notes => format!(": {}", notes.join("; ")),
    };
    Failure::new(format!("`{attribute}` is in a state that is not declared{notes}"))
        .with_hint("mend it on the host, or take the attribute out of the policy")
}
