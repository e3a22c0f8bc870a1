//! From the TOML library's tree to ours. The library's tree is consumed on the way, so that the two
//! are never both whole in memory.

use std::borrow::Cow;
use std::sync::Arc;

use steadfast_resources::Text;
use toml::de::{DeTable, DeValue};

use super::node::{Entry, Item, Node, find};
use crate::diagnostics::{Code, Context, SourceId, Span, Spot};

pub(super) struct Converter<'a> {
    pub(super) context: &'a Context,
    pub(super) source: SourceId,
    pub(super) text: &'a Arc<str>,
}

impl Converter<'_> {
    /// The entries of `table` in written order.
    pub(super) fn table(&self, table: DeTable<'_>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = table
            .into_iter()
            .map(|(key, value)| {
                let key_span = Span::new(&key.span());
                let span = Span::new(&value.span());
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
                        let span = Span::new(&item.span());
                        Item { node: self.node(item.into_inner(), span), span }
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Node::Table(self.table(table)),
        }
    }

    /// A slice of the file where the string is written as it is, else a copy.
    fn text(&self, text: Cow<'_, str>) -> Text {
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

/// Reports a key that is defined twice, with the place of the first definition.
pub(super) fn report_duplicate(context: &Context, spot: Spot, text: &str, entries: &[Entry]) {
    let written = text.get(spot.span.range()).unwrap_or_default();
    let name = written.trim_matches(['"', '\'']);
    let draft = |what: &str| {
        context.error(Code::Duplicate, spot, format!("{what} is defined twice in this file"))
    };
    let Some(path) = header_path(text, spot.span) else {
        // A key within a table: the nearest one of the same name that is written before.
        let first = nearest_before(entries, name, spot.span.start);
        let draft = draft(&format!("`{name}`"));
        match first {
            Some(span) => draft
                .related(Spot::new(spot.source, span), "first defined here")
                .hint("remove one of the two".to_owned())
                .report(),
            None => draft.report(),
        };
        return;
    };
    let mut level = entries;
    let mut first = None;
    for part in &path {
        first = find(level, part);
        level = match first.map(|entry| &entry.item.node) {
            Some(Node::Table(entries)) => entries,
            _ => &[],
        };
    }
    let draft = draft(&format!("`[{}]`", written_path(&path)));
    match first {
        Some(entry) => draft
            .related(Spot::new(spot.source, entry.key_span), "first defined here")
            .hint("merge the two tables into one".to_owned())
            .report(),
        None => draft.report(),
    };
}

fn written_path(path: &[String]) -> String {
    let bare = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let parts: Vec<String> = path
        .iter()
        .map(|part| if bare(part) { part.clone() } else { format!("{part:?}") })
        .collect();
    parts.join(".")
}

/// The key parts of the table header that `span` is in, up to the one at `span`.
fn header_path(text: &str, span: Span) -> Option<Vec<String>> {
    let start = span.start as usize;
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let head = text.get(line_start..span.end as usize)?.trim_start();
    let keys = head.strip_prefix('[')?.trim_start_matches('[');
    let document = format!("[{keys}]");
    let mut level = DeTable::parse(&document).ok()?.into_inner();
    let mut path = Vec::new();
    while let Some((key, value)) = level.into_iter().next() {
        path.push(key.into_inner().into_owned());
        level = match value.into_inner() {
            DeValue::Table(table) => table,
            _ => break,
        };
    }
    Some(path)
}

fn nearest_before(entries: &[Entry], name: &str, before: u32) -> Option<Span> {
    let mut best: Option<Span> = None;
    let mut levels = vec![entries];
    while let Some(level) = levels.pop() {
        for entry in level {
            let nearer = best.is_none_or(|span| span.start < entry.key_span.start);
            if &*entry.key == name && entry.key_span.start < before && nearer {
                best = Some(entry.key_span);
            }
            push_levels(&entry.item, &mut levels);
        }
    }
    best
}

fn push_levels<'a>(item: &'a Item, levels: &mut Vec<&'a [Entry]>) {
    match &item.node {
        Node::Table(entries) => levels.push(entries),
        Node::List(items) => {
            for item in items {
                push_levels(item, levels);
            }
        }
        _ => {}
    }
}
