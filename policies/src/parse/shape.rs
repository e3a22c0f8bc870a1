//! Reading tables with a fixed set of keys (`[site]`, `[[assign]]`, parameter declarations), each
//! wrong key or type an error of its own.

use steadfast_resources::Text;

use super::node::{Entry, Item, Node, find};
use crate::diagnostics::suggest::or_list;
use crate::diagnostics::{Code, Context, Reported, SourceId, Span, Spot};

/// A table being read.
pub(crate) struct Shape<'a> {
    context: &'a Context,
    source: SourceId,
    /// What the table is, for messages: "an assignment", "`[site]`".
    what: &'a str,
    entries: &'a [Entry],
}

impl<'a> Shape<'a> {
    /// Reads `entries`; keys other than `known` are reported at once.
    pub(crate) fn new(
        context: &'a Context,
        source: SourceId,
        what: &'a str,
        entries: &'a [Entry],
        known: &[&str],
    ) -> Self {
        for entry in entries {
            if !known.contains(&&*entry.key) {
                let spot = Spot::new(source, entry.key_span);
                let message = format!("{what} has no key `{}`", entry.key);
                let several = |key: &&&str| {
                    let stem = entry.key.strip_suffix('y').map(|stem| format!("{stem}ies"));
                    stem.as_deref() == Some(**key) || key.strip_suffix('s') == Some(&entry.key)
                };
                let hint = match known.iter().find(several) {
                    _ if ["role", "roles", "groups"].contains(&&*entry.key) => {
                        Some("write `when = \"labels.role == '…'\"`".to_owned())
                    }
                    Some(key) => Some(format!("did you mean `{key}`?")),
                    None => or_list(&entry.key, "its keys are", known),
                };
                context.error(Code::UnknownKey, spot, message).hint(hint).report();
            }
        }
        Self { context, source, what, entries }
    }

    /// The entry called `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Entry> {
        find(self.entries, key)
    }

    /// The string at `key`.
    pub(crate) fn text(&self, key: &str) -> Option<&'a Text> {
        let entry = self.get(key)?;
        match &entry.item.node {
            Node::Text(text) => Some(text),
            other => {
                self.wrong_type(key, entry.item.span, "a string", other);
                None
            }
        }
    }

    /// The boolean at `key`.
    pub(crate) fn boolean(&self, key: &str) -> Option<bool> {
        let entry = self.get(key)?;
        match &entry.item.node {
            Node::Boolean(value) => Some(*value),
            other => {
                self.wrong_type(key, entry.item.span, "true or false", other);
                None
            }
        }
    }

    /// The table at `key`.
    pub(crate) fn table(&self, key: &str) -> Option<&'a [Entry]> {
        let entry = self.get(key)?;
        match &entry.item.node {
            Node::Table(entries) => Some(entries),
            other => {
                self.wrong_type(key, entry.item.span, "a table", other);
                None
            }
        }
    }

    /// The list at `key`. A single table is told of and read all the same.
    pub(crate) fn list(&self, key: &str) -> Option<&'a [Item]> {
        let entry = self.get(key)?;
        match &entry.item.node {
            Node::List(items) => Some(items),
            Node::Table(_) => {
                let spot = Spot::new(self.source, entry.item.span);
                let message = format!("`{key}` is a list of tables");
                let draft = self.context.error(Code::WrongType, spot, message);
                draft.hint(format!("write `[[{key}]]`, with two brackets")).report();
                Some(std::slice::from_ref(&entry.item))
            }
            other => {
                self.wrong_type(key, entry.item.span, "a list", other);
                None
            }
        }
    }

    /// The strings at `key`: a list of them, or a single one.
    pub(crate) fn strings(&self, key: &str) -> Option<Vec<(&'a Text, Span)>> {
        let entry = self.get(key)?;
        strings(self.context, self.source, &format!("`{key}` of {}", self.what), &entry.item).ok()
    }

    fn wrong_type(&self, key: &str, span: Span, wanted: &str, found: &Node) {
        let message = format!("`{key}` of {} must be {wanted}, not {}", self.what, name_of(found));
        self.context.error(Code::WrongType, Spot::new(self.source, span), message).report();
    }
}

/// The node's type, as messages print it: "an integer".
pub(crate) fn name_of(node: &Node) -> String {
    let name = node.type_name();
    if name == "integer" { format!("an {name}") } else { format!("a {name}") }
}

/// The strings of `item`: a list of them, or a single one. `what` names it in messages.
pub(crate) fn strings<'a>(
    context: &Context,
    source: SourceId,
    what: &str,
    item: &'a Item,
) -> Result<Vec<(&'a Text, Span)>, Reported> {
    let wrong = |item: &Item| {
        let found = name_of(&item.node);
        let message = format!("{what} must be a string or a list of strings, not {found}");
        context.error(Code::WrongType, Spot::new(source, item.span), message).report()
    };
    match &item.node {
        Node::Text(text) => Ok(vec![(text, item.span)]),
        Node::List(items) => {
            let mut texts = Vec::with_capacity(items.len());
            let mut failed = None;
            for item in items {
                match &item.node {
                    Node::Text(text) => texts.push((text, item.span)),
                    _ => failed = Some(wrong(item)),
                }
            }
            failed.map_or(Ok(texts), Err)
        }
        _ => Err(wrong(item)),
    }
}
