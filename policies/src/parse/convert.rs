//! From the TOML library's tree to ours. The library's tree is consumed on the way, so that the two
//! are never both whole in memory.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use steadfast_resources::Text;
use toml::de::{DeTable, DeValue};

use super::node::{Entry, Item, Node};
use crate::diagnostics::{Code, Context, SourceId, Span, Spot};

pub(super) struct Converter<'a> {
    pub(super) context: &'a Context,
    pub(super) source: SourceId,
    pub(super) text: &'a Arc<str>,
    /// Where the piece that is converted starts in the file.
    pub(super) base: usize,
    /// Whether the file is TOML: what a repaired tree seems to have wrong is told as a syntax error.
    pub(super) sound: bool,
}

impl Converter<'_> {
    fn span(&self, range: &Range<usize>) -> Span {
        Span::new(&(self.base + range.start..self.base + range.end))
    }

    /// The entries of `table` in written order.
    pub(super) fn table(&self, table: DeTable<'_>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = table
            .into_iter()
            .map(|(key, value)| {
                let key_span = self.span(&key.span());
                let span = self.span(&value.span());
                let node = self.node(value.into_inner(), span);
                Entry { key: self.text(key.into_inner()), key_span, item: Item { node, span } }
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_span);
        entries
    }

    fn node(&self, value: DeValue<'_>, span: Span) -> Node {
        match value {
            DeValue::String(text) => Node::Text(self.text(text)),
            DeValue::Integer(integer) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(integer) => Node::Integer(integer),
                    Err(_) if !self.sound => Node::Integer(0),
                    Err(_) => {
                        let spot = Spot::new(self.source, span);
                        let message = "this integer does not fit 64 bits";
                        self.context.error(Code::WrongType, spot, message).report();
                        Node::Integer(0)
                    }
                }
            }
            DeValue::Float(float) => Node::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(boolean) => Node::Boolean(boolean),
            DeValue::Datetime(datetime) => Node::Datetime(datetime.to_string().into()),
            DeValue::Array(array) => Node::List(
                array
                    .into_iter()
                    .map(|item| {
                        let span = self.span(&item.span());
                        Item { node: self.node(item.into_inner(), span), span }
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Node::Table(self.table(table)),
        }
    }

    /// A slice of the file where the string is written as it is, else a copy.
    pub(super) fn text(&self, text: Cow<'_, str>) -> Text {
        match text {
            Cow::Owned(text) => Text::from(text),
            Cow::Borrowed(text) => {
                let base = self.text.as_ptr() as usize;
                let start = (text.as_ptr() as usize).wrapping_sub(base);
                let end = start.wrapping_add(text.len());
                match self.text.get(start..end) {
                    Some(_) => Text::slice(self.text, start..end),
                    None => Text::from(text),
                }
            }
        }
    }
}
