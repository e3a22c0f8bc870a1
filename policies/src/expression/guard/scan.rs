//! Where the blocks of a template are, as the engine sees them, without parsing what is in them.

use std::ops::Range;

/// A `{{ … }}` or `{% … %}` of a template.
pub(in crate::expression) struct Block<'t> {
    /// What is between the braces.
    pub(in crate::expression) inside: Range<usize>,
    /// The word that a statement starts with; empty for an expression.
    pub(in crate::expression) word: &'t str,
    /// Whether it is a `{% … %}`.
    pub(in crate::expression) is_statement: bool,
}

/// The blocks of `text`, in order; comments and raw text left out.
pub(in crate::expression) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut position = 0;
    while let Some(at) = text.get(position..).and_then(|rest| rest.find('{')) {
        let start = position + at;
        let rest = text.get(start..).unwrap_or_default();
        position = match rest.as_bytes().get(1) {
            Some(b'#') => start + rest.find("#}").unwrap_or(rest.len()),
            Some(b'{') => {
                let end = block_end(text, start + 2, "}}");
                let inside = start + 2..end;
                found.push(Block { inside, word: "", is_statement: false });
                end
            }
            Some(b'%') => {
                let end = block_end(text, start + 2, "%}");
                let inside = start + 2..end;
                let word = word(text, &inside);
                if word == "raw" {
                    let tail = text.get(end..).unwrap_or_default();
                    end + end_of_raw(tail)
                } else {
                    found.push(Block { inside, word, is_statement: true });
                    end
                }
            }
            _ => start + 1,
        };
    }
    found
}

/// Where the tag that ends raw text starts in `tail`.
pub(in crate::expression) fn end_of_raw(tail: &str) -> usize {
    let ends = |at: &usize| {
        let inside = tail.get(at + 2..).unwrap_or_default();
        let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside).trim_start();
        let rest = inside.strip_prefix("endraw").map(str::trim_start);
        rest.is_some_and(|rest| rest.trim_start_matches(['-', '+']).starts_with("%}"))
    };
    tail.match_indices("{%").map(|(at, _)| at).find(ends).unwrap_or(tail.len())
}

/// The first word of a block.
fn word<'t>(text: &'t str, inside: &Range<usize>) -> &'t str {
    let block = text.get(inside.clone()).unwrap_or_default();
    let head = block.trim_start_matches(['-', '+']).trim_start();
    let length = head.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(head.len());
    head.get(..length).unwrap_or_default()
}

/// Walks over the code in `range`, strings left out, with how many brackets are open. Ends where
/// `visit` says so.
pub(in crate::expression) fn walk(
    text: &str,
    range: Range<usize>,
    mut visit: impl FnMut(usize, u8, usize) -> bool,
) {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut open = 0_usize;
    let mut position = range.start;
    while position < range.end {
        let Some(byte) = bytes.get(position).copied() else { return };
        match (quote, byte) {
            (Some(_), b'\\') => position += 1,
            (Some(mark), _) if mark == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) => {
                if visit(position, byte, open) {
                    return;
                }
                match byte {
                    b'(' | b'[' | b'{' => open += 1,
                    b')' | b']' | b'}' => open = open.saturating_sub(1),
                    _ => {}
                }
            }
        }
        position += 1;
    }
}

/// Where the block whose code starts at `from` is closed by `close`.
fn block_end(text: &str, from: usize, close: &str) -> usize {
    let mut end = text.len();
    walk(text, from..text.len(), |position, _, open| {
        let closed = (open == 0 || close == "%}")
            && text
                .as_bytes()
                .get(position..)
                .is_some_and(|rest| rest.starts_with(close.as_bytes()));
        if closed {
            end = position;
        }
        closed
    });
    end
}
