//! What is wrong with a policy repository, and where.
//!
//! A [`Diagnostic`] is complete in itself: it carries the offending line, so that it can be shown,
//! stored or sent without the repository at hand. What must stay true: every error that evaluation
//! can find is collected, sorted by file and position, and told once.

mod code;
pub(crate) mod hidden;
mod render;
mod sink;
pub(crate) mod source;
pub(crate) mod suggest;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

pub use code::Code;
pub(crate) use sink::{Context, Reported};
pub(crate) use source::{SourceId, Sources, Span, Spot};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is applied while this stands.
    Error,
    /// The author should know, nothing more.
    Warning,
}

/// A range of bytes in a file of the repository, and the line it starts on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The file, relative to the repository's root.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
    /// The whole line, without its end; of a very long one the part around `start`.
    pub source_line: String,
    /// Where `start` is in `source_line`, in bytes.
    #[serde(skip)]
    pub(crate) line_start: u32,
}

impl Location {
    /// The column after the last character that is on the first line, from 1.
    pub fn end_column(&self) -> u32 {
        let start = self.line_start as usize;
        let end = start + self.end.saturating_sub(self.start) as usize;
        let text = self.source_line.as_str();
        let marked = text.get(start..end).or_else(|| text.get(start..)).unwrap_or_default();
        self.column + u32::try_from(marked.chars().count()).unwrap_or_default()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Another place that has to do with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// What is there.
    pub message: String,
    /// Where.
    pub place: Location,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What class of problem it is.
    pub code: Code,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where; `None` only where no file is at fault (the repository cannot be read).
    pub place: Option<Location>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The fact sets with which it comes up, where it does not with all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// Other places that have to do with it, in the order in which they matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// `text` with its control characters as TOML escapes them: what a repository's author writes
/// begins no line of the output.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            other if other.is_control() => {
                let _ =
                    fmt::Write::write_fmt(&mut line, format_args!("\\u{:04X}", u32::from(other)));
            }
            other => line.push(other),
        }
    }
    Cow::Owned(line)
}

/// File, first and last byte, and the class.
type Subject<'d> = (Option<(&'d str, u32, u32)>, Code);

impl Diagnostic {
    /// What it is about: the place and the class.
    fn subject(&self) -> Subject<'_> {
        let place = self.place.as_ref();
        (place.map(|place| (&*place.file, place.start, place.end)), self.code)
    }

    fn escape(&mut self) {
        let related = self.related.iter_mut().map(|related| &mut related.message);
        for text in [&mut self.message].into_iter().chain(&mut self.hint).chain(related) {
            if let Cow::Owned(line) = one_line(text) {
                *text = line;
            }
        }
    }

    fn sort_key(&self) -> (Option<&str>, u32, u32, Severity, Code) {
        let place = self.place.as_ref();
        (
            place.map(|place| &*place.file),
            place.map_or(0, |place| place.start),
            place.map_or(0, |place| place.end),
            self.severity,
            self.code,
        )
    }
}

/// Everything that is wrong with a repository, sorted by file and position.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts by file and position and drops what was told twice. Whatever is told is one line.
    pub(crate) fn new(mut list: Vec<Diagnostic>) -> Self {
        for diagnostic in &mut list {
            diagnostic.escape();
        }
        list.sort_by(|left, right| {
            left.sort_key()
                .cmp(&right.sort_key())
                .then_with(|| left.message.cmp(&right.message))
                .then_with(|| right.related.len().cmp(&left.related.len()))
        });
        // One mistake in a template that several resources use is one mistake.
        list.dedup_by(|later, earlier| {
            later.place == earlier.place
                && later.code == earlier.code
                && later.message == earlier.message
        });
        Self { list }
    }

    /// These, and the errors among `others` that are about other places or of another class.
    pub(crate) fn and(self, others: &Self) -> Self {
        let known: HashSet<Subject<'_>> = self.list.iter().map(Diagnostic::subject).collect();
        let told = |other: &&Diagnostic| {
            other.severity == Severity::Error && !known.contains(&other.subject())
        };
        let more: Vec<Diagnostic> = others.list.iter().filter(told).cloned().collect();
        Self::new(self.list.into_iter().chain(more).collect())
    }

    /// The same with all places in files below `directory`, as whoever looks from elsewhere names
    /// them.
    #[must_use]
    pub fn below(mut self, directory: &str) -> Self {
        for diagnostic in &mut self.list {
            let related = diagnostic.related.iter_mut().map(|related| &mut related.place);
            for place in diagnostic.place.iter_mut().chain(related) {
                place.file = format!("{directory}/{}", place.file).into();
            }
        }
        self
    }

    /// The errors among them.
    pub(crate) fn errors(mut self) -> Self {
        self.list.retain(|diagnostic| diagnostic.severity == Severity::Error);
        self
    }

    /// The diagnostics, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// How many there are, errors and warnings.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// How many errors there are.
    pub fn error_count(&self) -> usize {
        self.list.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
