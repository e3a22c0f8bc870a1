//! Bounds on what expressions make.
//!
//! The engine counts instructions, and one instruction may make a text of any length or look at every
//! item of a list. So a text is compiled with filters around what may be large or costly:
//! `{% set a = a ~ a %}` as `{% set a = ((a ~ a)|bounded__) %}`. [`statements`] and [`values`] say where and why; text
//! that a loop repeats is announced by [`raw`]. What the filters do is in `filters/limits.rs`.
//!
//! What must stay true: every value that has a name, is an argument or is part of another value is at
//! most as large as [`MAXIMUM_OUTPUT`](super::MAXIMUM_OUTPUT), and no lazy view of another; whatever
//! takes longer with larger values is charged for it. Errors are told in terms of the text as it is
//! written: [`written`] and [`written_range`] undo the change.

mod known;
mod place;
mod raw;
mod scan;
mod statements;
mod values;

#[cfg(test)]
mod tests;

use std::ops::Range;

use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

pub(super) use scan::{Block, blocks, end_of_raw, walk};

/// The filters that are written around expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// Refuses what is too large in all, and makes a list of a view.
    Bounded,
    /// Bounded, and refuses a namespace: one that holds itself has no end.
    Stored,
    /// Refuses a text that is too long, and charges for it.
    Made,
    /// Charges for looking at all of a value.
    Weighed,
    /// Charges for looking for something in a value.
    Searched,
    /// Charges for going over a value once.
    Sliced,
    /// Charges for what has no quick way to its parts.
    Indexed,
    /// Charges for that many bytes of text.
    Raw,
}

impl Filter {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bounded => "bounded__",
            Self::Stored => "stored__",
            Self::Made => "made__",
            Self::Weighed => "weighed__",
            Self::Searched => "searched__",
            Self::Sliced => "sliced__",
            Self::Indexed => "indexed__",
            Self::Raw => "raw__",
        }
    }
}

/// What marks everything that is not as it was written; the engine takes it for a blank.
const MARK: char = '\u{c}';

/// A text to be put in, and where.
type Insertion = (usize, String);

/// The template `text` as it is compiled.
pub(super) fn template(text: &str, syntax: &SyntaxConfig) -> String {
    if !text.contains("{%") && !may_grow(text) {
        return text.to_owned();
    }
    // What cannot be parsed cannot be compiled: the engine says why.
    let Ok(parsed) = parse(text, "", syntax.clone()) else { return text.to_owned() };
    let mut insertions = statements::of_template(text, &parsed);
    insertions.extend(raw::charges(text));
    inserted(text, insertions)
}

/// The bare expression `text` as it is compiled.
pub(super) fn expression(text: String) -> String {
    if !may_grow(&text) {
        return text;
    }
    let insertions = match parse_expr(&text) {
        Ok(parsed) => statements::of_expression(&text, &parsed),
        Err(_) => Vec::new(),
    };
    if insertions.is_empty() { text } else { inserted(&text, insertions) }
}

/// Whether anything in `text` may be more than a name and its filters.
fn may_grow(text: &str) -> bool {
    text.bytes().any(|byte| b"~+*[({<>=!".contains(&byte)) || text.contains("in")
}

fn inserted(text: &str, mut insertions: Vec<Insertion>) -> String {
    insertions.sort_by_key(|(at, _)| *at);
    let mut result = String::with_capacity(text.len() + 16 * insertions.len());
    let mut copied = 0;
    for (at, insertion) in insertions {
        result.push_str(text.get(copied..at).unwrap_or_default());
        result.push_str(&insertion);
        copied = at.max(copied);
    }
    result.push_str(text.get(copied..).unwrap_or_default());
    result
}

/// The text that was compiled as `compiled`.
pub(super) fn written(compiled: &str) -> String {
    let mut result = String::new();
    let mut copied = 0;
    for range in insertions(compiled) {
        result.push_str(compiled.get(copied..range.start).unwrap_or_default());
        copied = range.end;
    }
    result.push_str(compiled.get(copied..).unwrap_or_default());
    result
}

/// The range of the written text that `range` of `compiled` is.
pub(super) fn written_range(compiled: &str, range: &Range<usize>) -> Range<usize> {
    let insertions = insertions(compiled);
    let place = |at: usize| {
        let before = insertions.iter().take_while(|inserted| inserted.start < at);
        let removed: usize = before.map(|inserted| inserted.end.min(at) - inserted.start).sum();
        at.saturating_sub(removed)
    };
    let inside = insertions.iter().position(|inserted| inserted.contains(&range.start));
    if let Some(opening) = inside.and_then(|closing| opening(compiled, &insertions, closing)) {
        // A filter refuses what it stands around.
        return place(opening)..place(range.start);
    }
    let start = place(range.start);
    start..place(range.end).max(start)
}

/// Where the expression begins that ends with the insertion `closing`.
fn opening(compiled: &str, insertions: &[Range<usize>], closing: usize) -> Option<usize> {
    let mut open = 0_usize;
    for inserted in insertions.get(..=closing)?.iter().rev() {
        match compiled.as_bytes().get(inserted.start)? {
            b')' => open += 1,
            b'(' if open <= 1 => return (open == 1).then_some(inserted.end),
            b'(' => open -= 1,
            _ => {}
        }
    }
    None
}

/// What was put into `compiled`.
fn insertions(compiled: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut position = 0;
    while let Some(at) = compiled.get(position..).and_then(|rest| rest.find(MARK)) {
        let at = position + at;
        let before = compiled.get(position..at).unwrap_or_default();
        position = at + MARK.len_utf8();
        if before.ends_with("((") {
            found.push(at - 2..position);
        } else if before.ends_with("__)") {
            if let Some(from) = before.rfind(")|") {
                found.push(at - (before.len() - from)..position);
            }
        } else if before.ends_with("{%") || before.ends_with("{{") {
            let rest = compiled.get(position..).unwrap_or_default();
            let close = rest
                .find(MARK)
                .and_then(|close| rest.get(close..)?.find('}').map(|end| close + end));
            if let Some(close) = close {
                // Both braces of `}}`, and the one of `%}`.
                let braces = 1 + usize::from(before.ends_with("{{"));
                found.push(at - 2..position + close + braces);
                position += close + braces;
            }
        }
    }
    found
}
