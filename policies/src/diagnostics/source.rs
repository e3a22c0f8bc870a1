//! The texts that diagnostics point into, and the turning of byte offsets into lines and columns.

use std::cell::{Cell, OnceCell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::Location;
use crate::catalog::Place;
use crate::record::Extent;

/// A range of bytes in some source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// Offsets beyond 4 GiB cannot occur: larger files are refused before they are parsed.
    pub(crate) fn new(range: &Range<usize>) -> Self {
        Self { start: offset(range.start), end: offset(range.end) }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

fn line_breaks(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

/// The last boundary of a character that is not behind `at`.
fn boundary_before(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// One of the texts in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SourceId(u32);

/// A range of bytes in a certain source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Spot {
    pub(crate) source: SourceId,
    pub(crate) span: Span,
}

impl Spot {
    pub(crate) fn new(source: SourceId, span: Span) -> Self {
        Self { source, span }
    }
}

/// A text of the repository.
pub(crate) struct Source {
    pub(crate) path: Arc<str>,
    pub(crate) text: Arc<str>,
    /// The last answer of [`Self::line`]: questions mostly come in ascending order.
    cursor: Cell<(u32, u32)>,
    /// Where each line starts; made for the first diagnostic.
    lines: OnceCell<Vec<u32>>,
    /// The last answer of [`Self::column`]: where the line starts, the byte, its column.
    column: Cell<(u32, u32, u32)>,
}

/// Of a longer line only the part around the place is shown, in bytes.
const MAXIMUM_LINE: usize = 2000;

impl Source {
    /// The line (from 1) of the byte at `offset`.
    fn line(&self, offset: u32) -> u32 {
        let bytes = self.text.as_bytes();
        let (from, line) = match self.cursor.get() {
            (from, line) if from <= offset => (from, line),
            // A little way back.
            (from, line) if from - offset < offset => {
                let back = bytes.get(offset as usize..(from as usize).min(bytes.len()));
                let count = u32::try_from(line_breaks(back.unwrap_or_default()));
                (offset, line.saturating_sub(count.unwrap_or(u32::MAX)))
            }
            _ => (0, 1),
        };
        let end = (offset as usize).min(bytes.len());
        let between = bytes.get(from as usize..end).unwrap_or_default();
        let count = line_breaks(between);
        let line = line.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        self.cursor.set((offset, line));
        line
    }

    fn new(path: Arc<str>, text: Arc<str>) -> Self {
        Self {
            path,
            text,
            cursor: Cell::new((0, 1)),
            lines: OnceCell::new(),
            column: Cell::new((0, 0, 1)),
        }
    }

    /// The line (from 1) of the byte at `start`, and where that line starts and ends.
    fn line_of(&self, start: usize) -> (u32, Range<usize>) {
        let lines = self.lines.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(breaks.map(|at| offset(at + 1))).collect()
        });
        let line = lines.partition_point(|line| *line as usize <= start);
        let begin = lines.get(line.saturating_sub(1)).map_or(0, |begin| *begin as usize);
        let end = lines.get(line).map_or(self.text.len(), |next| *next as usize - 1);
        (offset(line), begin..end)
    }

    /// The column (from 1, in characters) of the byte at `at` in the line that starts at `begin`.
    fn column(&self, begin: usize, at: usize) -> u32 {
        let characters = |range: Range<usize>| {
            offset(self.text.get(range).map_or(0, |text| text.chars().count()))
        };
        let column = match self.column.get() {
            (line, before, column) if line as usize == begin => {
                let before = before as usize;
                if before <= at {
                    column.saturating_add(characters(before..at))
                } else {
                    column.saturating_sub(characters(at..before))
                }
            }
            _ => characters(begin..at).saturating_add(1),
        };
        self.column.set((offset(begin), offset(at), column));
        column
    }

    fn location(&self, span: Span) -> Location {
        let text = &*self.text;
        let start = boundary_before(text, span.start as usize);
        let mut end = (span.end as usize).clamp(start, text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let (line, mut shown) = self.line_of(start);
        let column = self.column(shown.start, start);
        if shown.len() > MAXIMUM_LINE {
            let begin = boundary_before(text, start.saturating_sub(MAXIMUM_LINE / 4));
            shown.start = shown.start.max(begin);
            shown.end = shown.end.min(boundary_before(text, begin + MAXIMUM_LINE)).max(start);
        }
        let source_line = text.get(shown.clone()).unwrap_or_default();
        let source_line = source_line.strip_suffix('\r').unwrap_or(source_line);
        Location {
            file: Arc::clone(&self.path),
            line,
            column,
            start: offset(start),
            end: offset(end),
            source_line: source_line.to_owned(),
            line_start: offset(start - shown.start),
        }
    }
}

/// All texts read so far.
#[derive(Default)]
pub(crate) struct Sources {
    list: RefCell<Vec<Rc<Source>>>,
}

impl Sources {
    /// Adds a text.
    pub(crate) fn add(&self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> SourceId {
        let mut list = self.list.borrow_mut();
        let id = SourceId(offset(list.len()));
        list.push(Rc::new(Source::new(path.into(), text.into())));
        id
    }

    /// The text that was added as `id`.
    pub(crate) fn get(&self, id: SourceId) -> Rc<Source> {
        let list = self.list.borrow();
        let source = list.get(id.0 as usize).cloned();
        source.unwrap_or_else(|| Rc::new(Source::new("".into(), "".into())))
    }

    /// The text of the file at `path`, if it was added.
    pub(crate) fn find(&self, path: &str) -> Option<SourceId> {
        let list = self.list.borrow();
        list.iter().position(|source| &*source.path == path).map(|at| SourceId(offset(at)))
    }

    /// The place of `spot` as a diagnostic shows it.
    pub(crate) fn locate(&self, spot: Spot) -> Location {
        self.get(spot.source).location(spot.span)
    }

    /// The stretch of its file that `spot` is.
    pub(crate) fn extent(&self, spot: Spot) -> Extent {
        let source = self.get(spot.source);
        let Span { start, end } = spot.span;
        let line = source.line(start);
        let last_line = source.line(end.saturating_sub(1).max(start));
        Extent { file: Arc::clone(&source.path), line, last_line, start, end }
    }

    /// The file and line of `spot`.
    pub(crate) fn place(&self, spot: Spot) -> Place {
        let source = self.get(spot.source);
        Place { file: Arc::clone(&source.path), line: source.line(spot.span.start) }
    }
}
