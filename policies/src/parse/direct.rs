//! The tree of a TOML file straight from the parser's events, for what nearly all files consist of:
//! keys with values, lists, inline tables, tables with headers.
//!
//! What must stay true: the tree is the one that the TOML library makes. Whatever is not plainly right
//! (an error, a key of several parts, a list of tables, a table that is met again) is left to the
//! library, which knows all the rules and how to say what is wrong.

use std::borrow::Cow;
use std::mem::take;
use std::ops::Range;

use steadfast_resources::Text;
use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::parser::{EventReceiver, RecursionGuard, ValidateWhitespace};
use toml_parser::{ErrorSink, ParseError, Raw, Source};

use super::convert::Converter;
use super::merge::Key;
use super::node::{Entry, Item, Node};
use crate::diagnostics::Span;
use crate::map::Map;

/// How deep values may nest; the library allows as much.
const MAXIMUM_DEPTH: u32 = 80;

/// How many keys a table has before they are looked up in a map; inline tables have no more.
const FEW: usize = 16;

/// The entries of the file that `converter` is for, which is cut into `pieces`; `None` where the
/// library is to be asked.
pub(super) fn entries(converter: &Converter<'_>, pieces: &[Range<usize>]) -> Option<Vec<Entry>> {
    let mut builder = Builder {
        converter,
        piece: "",
        base: 0,
        tables: vec![Table::default()],
        current: 0,
        header: None,
        key: None,
        open: Vec::new(),
        doubtful: false,
    };
    for piece in pieces {
        builder.piece = converter.text.get(piece.clone())?;
        builder.base = piece.start;
        let source = Source::new(builder.piece);
        let tokens = source.lex().into_vec();
        let mut error: Option<ParseError> = None;
        let mut events = ValidateWhitespace::new(&mut builder, source);
        let mut events = RecursionGuard::new(&mut events, MAXIMUM_DEPTH);
        toml_parser::parser::parse_document(&tokens, &mut events, &mut error);
        if error.is_some() || builder.doubtful || !builder.open.is_empty() {
            return None;
        }
    }
    Some(builder.finish())
}

/// A key and where it is.
type Named = (Text, Span);

/// A table with a header, one that a header goes through, or the file itself.
#[derive(Default)]
struct Table {
    entries: Vec<Entry>,
    /// For each entry the table that it is, or zero. Shorter where the rest are none.
    tables: Vec<usize>,
    /// Where each key is; empty while there are few.
    places: Map<Key, usize>,
}

impl Table {
    fn place(&self, key: &Text) -> Option<usize> {
        if self.entries.len() <= FEW {
            return self.entries.iter().position(|entry| entry.key == *key);
        }
        self.places.get(key.as_str()).copied()
    }

    /// Adds an entry that is not there yet; `table` is the one that it is, or zero.
    fn add(&mut self, entry: Entry, table: usize) {
        let place = self.entries.len();
        if place == FEW {
            let known = self.entries.iter().enumerate();
            self.places = known.map(|(place, entry)| (Key(entry.key.clone()), place)).collect();
        }
        if place >= FEW {
            self.places.insert(Key(entry.key.clone()), place);
        }
        if table != 0 {
            self.tables.resize(place, 0);
            self.tables.push(table);
        }
        self.entries.push(entry);
    }
}

/// A list or an inline table that is not closed yet.
enum Open {
    List(usize, Vec<Item>),
    Table(usize, Vec<Entry>, Option<Named>),
}

/// A header of which the end is not seen yet.
struct Header {
    start: usize,
    parts: Vec<Named>,
}

struct Builder<'a> {
    converter: &'a Converter<'a>,
    /// What is being parsed, and where it starts.
    piece: &'a str,
    base: usize,
    /// The first is the file itself.
    tables: Vec<Table>,
    /// The table that keys belong to.
    current: usize,
    header: Option<Header>,
    /// The key whose value comes next.
    key: Option<Named>,
    open: Vec<Open>,
    doubtful: bool,
}

impl<'a> Builder<'a> {
    fn raw(&self, span: toml_parser::Span, encoding: Option<Encoding>) -> Raw<'a> {
        let text = self.piece.get(span.start()..span.end()).unwrap_or_default();
        Raw::new_unchecked(text, encoding, span)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(&(self.base + start..self.base + end))
    }

    /// Takes a whole value.
    fn value(&mut self, node: Node, span: Span) {
        if self.doubtful {
            return;
        }
        let item = Item { node, span };
        match self.open.last_mut() {
            Some(Open::List(_, items)) => items.push(item),
            Some(Open::Table(_, entries, key)) => {
                let Some((key, key_span)) = key.take() else { return self.doubtful = true };
                // Many keys would take long to compare with each other.
                self.doubtful |= entries.len() >= FEW || entries.iter().any(|it| it.key == key);
                entries.push(Entry { key, key_span, item });
            }
            None => {
                let (Some(key), Some(table)) = (self.key.take(), self.tables.get_mut(self.current))
                else {
                    return self.doubtful = true;
                };
                let (key, key_span) = key;
                self.doubtful |= table.place(&key).is_some();
                table.add(Entry { key, key_span, item }, 0);
            }
        }
    }

    /// From here on keys belong to the table that `header` names.
    fn enter(&mut self, mut header: Header, end: usize) {
        if self.doubtful {
            return;
        }
        let Some((last, last_span)) = header.parts.pop() else { return self.doubtful = true };
        let mut at = 0;
        for (key, span) in header.parts {
            let Some(table) = self.tables.get(at) else { return self.doubtful = true };
            at = match table.place(&key) {
                None => self.table(at, (key, span), span),
                Some(place) => match table.tables.get(place) {
                    None | Some(0) => return self.doubtful = true,
                    Some(known) => *known,
                },
            };
        }
        self.doubtful |= self.tables.get(at).is_none_or(|table| table.place(&last).is_some());
        let span = self.span(header.start, end);
        self.current = self.table(at, (last, last_span), span);
    }

    /// A new table called `key` within the one at `parent`.
    fn table(&mut self, parent: usize, (key, key_span): Named, span: Span) -> usize {
        let new = self.tables.len();
        if let Some(parent) = self.tables.get_mut(parent) {
            let item = Item { node: Node::Table(Vec::new()), span };
            parent.add(Entry { key, key_span, item }, new);
        }
        self.tables.push(Table::default());
        new
    }

    /// The finished tree: every table moves into its entry, what is within it first. (A table is made
    /// after the one that it is in.)
    fn finish(mut self) -> Vec<Entry> {
        for index in (0..self.tables.len()).rev() {
            let table = self.tables.get_mut(index).map(take).unwrap_or_default();
            let mut entries = table.entries;
            for (entry, inner) in entries.iter_mut().zip(table.tables) {
                if let Some(inner) = self.tables.get_mut(inner).filter(|_| inner != 0) {
                    entry.item.node = Node::Table(take(&mut inner.entries));
                }
            }
            if let Some(table) = self.tables.get_mut(index) {
                table.entries = entries;
            }
        }
        self.tables.into_iter().next().unwrap_or_default().entries
    }
}

impl EventReceiver for Builder<'_> {
    fn std_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.header = Some(Header { start: span.start(), parts: Vec::new() });
    }

    fn std_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        match self.header.take() {
            Some(header) => self.enter(header, span.end()),
            None => self.doubtful = true,
        }
    }

    fn array_table_open(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.doubtful = true;
    }

    fn inline_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.open.push(Open::Table(span.start(), Vec::new(), None));
        !self.doubtful
    }

    fn inline_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        match self.open.pop() {
            Some(Open::Table(start, entries, None)) => {
                let span = self.span(start, span.end());
                self.value(Node::Table(entries), span);
            }
            _ => self.doubtful = true,
        }
    }

    fn array_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.open.push(Open::List(span.start(), Vec::new()));
        !self.doubtful
    }

    fn array_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        match self.open.pop() {
            Some(Open::List(start, items)) => {
                let span = self.span(start, span.end());
                self.value(Node::List(items), span);
            }
            _ => self.doubtful = true,
        }
    }

    fn simple_key(
        &mut self,
        span: toml_parser::Span,
        encoding: Option<Encoding>,
        error: &mut dyn ErrorSink,
    ) {
        if self.doubtful {
            return;
        }
        let mut decoded = Cow::Borrowed("");
        self.raw(span, encoding).decode_key(&mut decoded, error);
        let named = (self.converter.text(decoded), self.span(span.start(), span.end()));
        match (&mut self.header, self.open.last_mut()) {
            (Some(header), _) => header.parts.push(named),
            (None, Some(Open::Table(_, _, key))) => *key = Some(named),
            (None, Some(Open::List(..))) => self.doubtful = true,
            (None, None) => self.key = Some(named),
        }
    }

    fn key_sep(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.doubtful |= self.header.is_none();
    }

    fn scalar(
        &mut self,
        span: toml_parser::Span,
        encoding: Option<Encoding>,
        error: &mut dyn ErrorSink,
    ) {
        if self.doubtful {
            return;
        }
        let mut decoded = Cow::Borrowed("");
        let node = match self.raw(span, encoding).decode_scalar(&mut decoded, error) {
            ScalarKind::String => Node::Text(self.converter.text(decoded)),
            ScalarKind::Boolean(boolean) => Node::Boolean(boolean),
            ScalarKind::Integer(radix) => match i64::from_str_radix(&decoded, radix.value()) {
                Ok(integer) => Node::Integer(integer),
                Err(_) => return self.doubtful = true,
            },
            ScalarKind::Float => Node::Float(decoded.parse().unwrap_or(f64::NAN)),
            ScalarKind::DateTime => return self.doubtful = true,
        };
        let span = self.span(span.start(), span.end());
        self.value(node, span);
    }

    fn error(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.doubtful = true;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use toml::de::DeTable;

    use super::*;
    use crate::diagnostics::Context;

    /// The tree made here, cut before each table, and the one of the library, as text.
    fn both(text: &str) -> (Option<String>, Option<String>) {
        let context = Context::default();
        let source = context.sources.add("x.toml", text);
        let text: &Arc<str> = &Arc::from(text);
        let converter = Converter { context: &context, source, text, base: 0, sound: true };
        let mut cuts: Vec<usize> = text.match_indices("\n[").map(|(at, _)| at + 1).collect();
        cuts.insert(0, 0);
        let ends = cuts.iter().skip(1).copied().chain([text.len()]);
        let pieces: Vec<Range<usize>> = cuts.iter().zip(ends).map(|(from, to)| *from..to).collect();
        let here = entries(&converter, &pieces).map(|entries| format!("{entries:#?}"));
        let library = DeTable::parse(text).ok().map(|table| converter.table(table.into_inner()));
        (here, library.map(|entries| format!("{entries:#?}")))
    }

    fn line() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec!["a", "b", "c", "\"a\"", "'b'", "\"\\u0061\"", "a.b"]);
        let scalar = prop::sample::select(vec![
            "1",
            "-0x1f",
            "0x1f",
            "1_000",
            "1.5",
            "nan",
            "true",
            "\"x\"",
            "'y'",
            "\"\\n\"",
            "'''\nz'''",
            "\"\"\"\n\\\n  z\"\"\"",
            "1979-05-27",
            "99999999999999999999",
            "x",
        ]);
        let value = scalar.prop_map(str::to_owned).prop_recursive(3, 12, 4, move |inner| {
            let key = prop::sample::select(vec!["a", "b", "c", "\"a\"", "a.b"]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|values| format!("[ # c\n{} ]", values.join(" , \n"))),
                prop::collection::vec((key, inner), 0..4).prop_map(|pairs| {
                    let pairs = pairs.iter().map(|(key, value)| format!("{key} = {value}"));
                    format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
                }),
            ]
        });
        let header = prop::sample::select(vec![
            "[a]",
            "[b]",
            "[a.b]",
            "[ a . 'b' ] # c",
            "[a.b.c]",
            "[a.\"d e\"]",
            "[b.c]",
            "[[a]]",
            "[[d]]",
            "[d.a]",
            "[]",
            "[e",
            "",
        ]);
        prop_oneof![
            3 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
            2 => header.prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_library_makes_the_same_tree(lines in prop::collection::vec(line(), 0..7)) {
            let (here, library) = both(&lines.join("\n"));
            if here.is_some() {
                prop_assert_eq!(here, library);
            }
        }
    }

    #[test]
    fn what_files_consist_of_needs_no_library() {
        let many: Vec<String> =
            (0..40).map(|number| format!("[file.\"/{number}\"]\nx = 1\n")).collect();
        let many = many.concat();
        for text in [
            "",
            "a = 1\nb = [1, { c = 'x' }, [2.5]]\n",
            "# c\n[a]\nx = \"1\"\n[a.b]\ny = true\n[c]\n[a.d]\n",
            "[a.b.c]\nx = 1\n[a.b.d]\n[a.e]\n",
            &many,
        ] {
            let (here, library) = both(text);
            assert!(here.is_some(), "{text}");
            assert_eq!(here, library, "{text}");
        }
        for text in ["a.b = 1", "[[a]]", "[a]\n[a]", "[a.b]\n[a]", "a = 1\na = 2", "a = 1\n[a.b]"] {
            assert_eq!(both(text).0, None, "{text}");
        }
        assert_eq!(both(&format!("{many}{many}")).0, None);
    }
}
