//! Keys and tables that are defined twice in one file, told with the place of the first definition.

use toml::de::{DeTable, DeValue};

use super::node::{Entry, Item, Node};
use crate::diagnostics::{Code, Context, Span, Spot};

/// Of how many second definitions the first one is looked for.
const MAXIMUM_SEARCHES: usize = 100;

/// Reports the second definitions at `spots`, in written order.
pub(super) fn report(context: &Context, spots: &[Spot], text: &str, entries: &[Entry]) {
    let mut repeated_table = None;
    for (index, spot) in spots.iter().enumerate() {
        if index >= MAXIMUM_SEARCHES {
            let message = "there are more keys and tables that are defined twice in this file";
            context.error(Code::Duplicate, *spot, message).report();
            break;
        }
        let span = spot.span;
        if let Some((line_start, path)) = header(text, span) {
            repeated_table = Some(span.end as usize);
            table(context, *spot, text, line_start, &path);
            continue;
        }
        // The keys below a repeated header are repeated because the header is.
        let between = repeated_table.and_then(|start| text.get(start..span.start as usize));
        if between.is_some_and(|between| !between.contains("\n[")) {
            continue;
        }
        key(context, *spot, text, entries);
    }
}

fn key(context: &Context, spot: Spot, text: &str, entries: &[Entry]) {
    let written = text.get(spot.span.range()).unwrap_or_default();
    let name = written.trim_matches(['"', '\'']);
    let message = format!("`{name}` is defined twice in this file");
    let mut draft = context.error(Code::Duplicate, spot, message);
    if let Some(span) = nearest_before(entries, name, spot.span.start) {
        draft = draft.related(Spot::new(spot.source, span), "first defined here");
    }
    draft.hint("remove one of the two".to_owned()).report();
}

fn table(context: &Context, spot: Spot, text: &str, line_start: usize, path: &[String]) {
    let message = format!("`[{}]` is defined twice in this file", written_path(path));
    let mut draft = context.error(Code::Duplicate, spot, message);
    if let Some(span) = first_header(text, line_start, path) {
        draft = draft.related(Spot::new(spot.source, span), "first defined here");
    }
    // Tables of a list, which look like it with one bracket too few.
    let hint = match path {
        [one] if ["assign", "window"].contains(&&**one) => {
            format!("write `[[{one}]]`, with two brackets, each time")
        }
        _ => "merge the two tables into one".to_owned(),
    };
    draft.hint(hint).report();
}

/// The header before `end` that names the table `path`.
fn first_header(text: &str, end: usize, path: &[String]) -> Option<Span> {
    let mut start = 0;
    for line in text.get(..end)?.split_inclusive('\n') {
        let head = line.trim_start();
        let close = head.rfind(']').unwrap_or(0);
        if head.starts_with('[') {
            let indent = start + (line.len() - head.len());
            let span = Span::new(&(indent..indent + close));
            if header(text, span).is_some_and(|(_, found)| found == path) {
                return Some(Span::new(&(indent..indent + close + 1)));
            }
        }
        start += line.len();
    }
    None
}

fn written_path(path: &[String]) -> String {
    let bare = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let parts: Vec<String> = path
        .iter()
        .map(|part| if bare(part) { part.clone() } else { format!("{part:?}") })
        .collect();
    parts.join(".")
}

/// Where the line of the table header that `span` is in starts, and the header's key parts up to
/// the one that ends with `span`.
fn header(text: &str, span: Span) -> Option<(usize, Vec<String>)> {
    let line_start = text.get(..span.start as usize)?.rfind('\n').map_or(0, |at| at + 1);
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
    Some((line_start, path))
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
