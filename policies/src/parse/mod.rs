//! From the text of one TOML file to a tree that knows where everything is.
//!
//! Every syntax error of a file is told at once. Strings without escapes are slices of the file's
//! own text. What must stay true: no text, however odd, makes this panic or overflow the stack.

mod convert;
mod direct;
mod duplicate;
mod duration;
mod literal;
mod merge;
mod node;
mod policy;
mod scan;
mod shape;
mod syntax;
mod unclosed;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use toml::de::DeTable;

use crate::diagnostics::{Code, Context, SourceId, Span, Spot};

use scan::{MAXIMUM_PARTS, MAXIMUM_VALUES, Scan, scan};

pub(crate) use duration::seconds;
pub(crate) use literal::place_in_literal;
pub(crate) use node::{Entry, Item, Node, find};
pub use policy::{CHECK, common_attributes};
pub(crate) use policy::{
    CheckDeclaration, Common, Declaration, Element, Given, Module, Name, Parameter, ParameterType,
    Policy, checks, classify,
};
pub(crate) use shape::{Shape, name_of, strings};

/// The largest policy, site or data file, in bytes.
const MAXIMUM_SIZE: usize = 256 << 20;

/// Of larger files with syntax errors only the first is told: a file of nothing else has millions.
const MAXIMUM_RECOVERED: usize = 1 << 20;

/// A parsed file.
#[derive(Debug)]
pub(crate) struct Document {
    /// The top-level keys, in written order.
    pub(crate) entries: Vec<Entry>,
    /// Whether the file was understood as a whole. What an unsound file seems to lack may be in
    /// the part that was not understood.
    pub(crate) sound: bool,
}

/// Parses the text of `source`.
pub(crate) fn parse(context: &Context, source: SourceId) -> Document {
    let text = Arc::clone(&context.sources.get(source).text);
    if text.len() > MAXIMUM_SIZE {
        let message = format!("the file is larger than {} MiB", MAXIMUM_SIZE >> 20);
        context.error(Code::Limit, Spot::new(source, Span::default()), message).report();
        return Document { entries: Vec::new(), sound: false };
    }
    let pieces = match scan(&text) {
        Scan::TooDeep(at) => {
            let spot = Spot::new(source, Span::new(&(at..at + 1)));
            let message = format!("a key has more than {MAXIMUM_PARTS} parts");
            context.error(Code::Limit, spot, message).report();
            return Document { entries: Vec::new(), sound: false };
        }
        Scan::TooMany(at) => {
            let spot = Spot::new(source, Span::new(&(at..at + 1)));
            let message = format!(
                "the file has too many parts: none may have more than {MAXIMUM_VALUES} values"
            );
            context.error(Code::Limit, spot, message).report();
            return Document { entries: Vec::new(), sound: false };
        }
        Scan::Pieces(pieces) => pieces,
    };
    let whole = convert::Converter { context, source, text: &text, base: 0, sound: true };
    if let Some(entries) = direct::entries(&whole, &pieces) {
        return Document { entries, sound: true };
    }
    if pieces.len() > 2
        && let Some(entries) = in_pieces(context, source, &text, &pieces)
    {
        return Document { entries, sound: true };
    }
    let (table, errors) = if text.len() > MAXIMUM_RECOVERED {
        match DeTable::parse(&text) {
            Ok(table) => (table, Vec::new()),
            Err(error) => (toml::Spanned::new(0..0, DeTable::new()), vec![error]),
        }
    } else {
        DeTable::parse_recoverable(&text)
    };
    let mut wrong = Vec::new();
    let mut duplicates = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        if error.message() == "duplicate key" {
            duplicates.push(Spot::new(source, Span::new(&span)));
        } else {
            wrong.push((span, error.message().to_owned()));
        }
    }
    let sound = wrong.is_empty();
    if !sound {
        // What looks like a key given twice may be in a part that belongs elsewhere.
        duplicates.clear();
        syntax::report(context, source, &text, wrong);
    }
    let converter = convert::Converter { context, source, text: &text, base: 0, sound };
    let entries = converter.table(table.into_inner());
    duplicate::report(context, &duplicates, &text, &entries);
    Document { entries, sound }
}

/// The entries of a large file, parsed piece by piece; `None` where anything at all is wrong with it
/// or doubtful, so that the parser sees it as a whole.
fn in_pieces(
    context: &Context,
    source: SourceId,
    text: &Arc<str>,
    pieces: &[Range<usize>],
) -> Option<Vec<Entry>> {
    let before = context.count();
    let mut entries = Vec::new();
    let mut rigid = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let table = DeTable::parse(text.get(piece.clone())?).ok()?;
        let converter =
            convert::Converter { context, source, text, base: piece.start, sound: true };
        entries.extend(converter.table(table.into_inner()));
        if index == 0 {
            rigid = entries.len();
        }
    }
    let mut joined = merge::join(entries, rigid).ok().filter(|_| context.count() == before)?;
    joined.sort_by_key(|entry| entry.key_span);
    Some(joined)
}
