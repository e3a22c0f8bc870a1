//! One declaration in a policy's text, edited in place: comments, order and formatting of
//! everything else stay.

use steadfast_policies::write::{is_evaluated, value_like, value_text};
use steadfast_resources::Value;
use toml_edit::{Array, DocumentMut, Item, TableLike, Value as Written};

/// Why a declaration cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum EditError {
    /// The file is not what was evaluated.
    #[error("the policy {0} cannot be edited: {1}")]
    Policy(String, String),
    /// The table is not where it should be.
    #[error("there is no table [{0}] to edit")]
    NoTable(String),
    /// It is no value.
    #[error("`{0}` is written as a table of its own")]
    NotAValue(String),
}

/// A policy's text being edited.
pub(super) struct PolicyText {
    document: DocumentMut,
    /// As it was before.
    original: String,
    /// Comments above attributes that were taken out, for what takes their place.
    comments: String,
}

impl PolicyText {
    pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Self, EditError> {
        let failed = |reason: String| EditError::Policy(file.to_owned(), reason);
        let text = std::str::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
        let document = text
            .parse()
            .map_err(|error: toml_edit::TomlError| failed(error.message().to_owned()))?;
        Ok(Self { document, original: text.to_owned(), comments: String::new() })
    }

    /// The text with all edits.
    pub(super) fn text(&self) -> String {
        super::lines::restored(&self.original, &self.document.to_string())
    }

    fn table(&mut self, kind: &str, title: &str) -> Result<&mut dyn TableLike, EditError> {
        let none = || EditError::NoTable(format!("{kind}.{title:?}"));
        let of_kind = self.document.get_mut(kind).ok_or_else(none)?;
        let table = of_kind.as_table_like_mut().ok_or_else(none)?.get_mut(title);
        table.and_then(Item::as_table_like_mut).ok_or_else(none)
    }

    /// The texts that stand in the value of `attribute`; `None` where it is not given here.
    pub(super) fn texts(
        &mut self,
        kind: &str,
        title: &str,
        attribute: &str,
    ) -> Option<Vec<String>> {
        let item = self.table(kind, title).ok()?.get(attribute)?;
        let mut texts = Vec::new();
        match item {
            Item::Value(value) => collect(value, &mut texts),
            other => texts.push(other.to_string()),
        }
        Some(texts)
    }

    /// Whether the language evaluates some of what stands in `attribute`.
    pub(super) fn is_evaluated(&mut self, kind: &str, title: &str, attribute: &str) -> bool {
        let texts = self.texts(kind, title, attribute).unwrap_or_default();
        texts.iter().any(|text| is_evaluated(text))
    }

    /// Gives `attribute` this value, in place where it is given.
    pub(super) fn set(
        &mut self,
        (kind, title): (&str, &str),
        attribute: &str,
        value: &Value,
    ) -> Result<(), EditError> {
        let comments = std::mem::take(&mut self.comments);
        let table = self.table(kind, title)?;
        let parsed = |text: &str| {
            text.parse::<Written>()
                .map_err(|error| EditError::Policy(attribute.to_owned(), error.to_string()))
        };
        match table.get_mut(attribute) {
            None => {
                let written = parsed(&value_text(value, attribute.len() + 3))?;
                table.insert(attribute, Item::Value(written));
                if let Some(mut key) = table.key_mut(attribute).filter(|_| !comments.is_empty()) {
                    key.leaf_decor_mut().set_prefix(comments);
                }
            }
            Some(Item::Value(Written::Array(array))) if is_list_of_texts(value) => {
                adapt(array, value, parsed)?;
            }
            Some(Item::Value(old)) => {
                let mut written = parsed(&value_like(value, &old.to_string()))?;
                *written.decor_mut() = old.decor().clone();
                *old = written;
            }
            Some(_) => return Err(EditError::NotAValue(attribute.to_owned())),
        }
        Ok(())
    }

    /// Takes `attribute` out; a comment above it goes to the next one that is added. Nothing to take out is no error.
    pub(super) fn remove(
        &mut self,
        (kind, title): (&str, &str),
        attribute: &str,
    ) -> Result<(), EditError> {
        let table = self.table(kind, title)?;
        let prefix = table.key(attribute).and_then(|key| key.leaf_decor().prefix()?.as_str());
        let comment = prefix.filter(|prefix| prefix.contains('#')).unwrap_or_default().to_owned();
        table.remove(attribute);
        self.comments += &comment;
        Ok(())
    }
}

fn collect(value: &Written, texts: &mut Vec<String>) {
    match value {
        Written::String(text) => texts.push(text.value().clone()),
        Written::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Written::InlineTable(table) => table.iter().for_each(|(_, item)| collect(item, texts)),
        _ => {}
    }
}

fn is_list_of_texts(value: &Value) -> bool {
    matches!(value, Value::List(items) if items.iter().all(|item| matches!(item, Value::Text(_))))
}

/// Brings a list to `value` by taking out and adding items; those that stay keep their place and
/// their comments.
fn adapt(
    array: &mut Array,
    value: &Value,
    parsed: impl Fn(&str) -> Result<Written, EditError>,
) -> Result<(), EditError> {
    let Value::List(items) = value else { return Ok(()) };
    let wanted: Vec<&str> = items
        .iter()
        .filter_map(|item| match item {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let several_lines = array.to_string().contains('\n');
    take_out(array, &wanted);
    for text in wanted {
        if array.iter().any(|item| item.as_str() == Some(text)) {
            continue;
        }
        let item = parsed(&value_text(&Value::text(text), 0))?;
        if several_lines {
            push_line(array, item);
        } else {
            array.push(item);
        }
    }
    if !several_lines {
        array.fmt();
    }
    Ok(())
}

/// Takes out the items that are not `wanted`. A comment behind an item belongs to it, although it
/// stands after the comma, in what TOML counts to the next one.
fn take_out(array: &mut Array, wanted: &[&str]) {
    let (mut kept, mut behind) = (Vec::new(), None);
    for item in array.iter() {
        let prefix = item.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
        let (comment, own) = own_part(prefix);
        if item.as_str().is_some_and(|text| wanted.contains(&text)) {
            let mut item = item.clone();
            if let Some(comment) = behind.take() {
                item.decor_mut().set_prefix(format!("{comment}{own}"));
            }
            kept.push(item);
        } else {
            behind.get_or_insert_with(|| comment.to_owned());
        }
    }
    if let Some(comment) = behind {
        let trailing = array.trailing().as_str().unwrap_or_default();
        let trailing = format!("{comment}{}", own_part(trailing).1);
        array.set_trailing(trailing);
    }
    array.clear();
    for item in kept {
        array.push_formatted(item);
    }
}

/// Adds an item on a line of its own, indented like the last one, behind the last one's comment.
fn push_line(array: &mut Array, mut item: Written) {
    let last = array.iter().last();
    let prefix = last.and_then(|last| last.decor().prefix()?.as_str()).unwrap_or("\n  ");
    let indent = prefix.rsplit('\n').next().unwrap_or_default().to_owned();
    let trailing = array.trailing().as_str().unwrap_or_default().to_owned();
    let (comment, rest) = own_part(&trailing);
    item.decor_mut().set_prefix(format!("{comment}\n{indent}"));
    array.push_formatted(item);
    array.set_trailing(rest);
}

/// What stands before an item: the rest of the line of the one before it, and its own.
fn own_part(prefix: &str) -> (&str, &str) {
    prefix.split_at(prefix.find('\n').unwrap_or_default())
}

#[cfg(test)]
mod tests;
