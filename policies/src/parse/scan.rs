//! One look over a file before it is parsed: keys of absurdly many parts are refused before they
//! become a tree whose freeing would overflow the stack, and large files are cut between tables, so
//! that the parser's tokens never exist for all of them at once. (The TOML parser itself bounds the
//! nesting of arrays and inline tables.)

use std::ops::Range;

/// How many parts a dotted key or a table header may have.
pub(crate) const MAXIMUM_PARTS: usize = 16;

/// How large a piece is at least, in bytes.
const PIECE: usize = 256 << 10;

/// How many values a file may have, counted by what separates them.
pub(crate) const MAXIMUM_VALUES: usize = 1_000_000;

/// How many signs, blanks and line breaks a file may have outside strings and comments.
pub(crate) const MAXIMUM_TOKENS: usize = 5_000_000;

/// What the look found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Here a key has more than [`MAXIMUM_PARTS`] parts.
    TooDeep(usize),
    /// Here the file has more than [`MAXIMUM_VALUES`] values, or more signs than that takes.
    TooMany(usize),
    /// Whole pieces: first what is before the first table, then tables. In a file that is TOML each
    /// is TOML.
    Pieces(Vec<Range<usize>>),
}

/// Looks over `text`. Strings and comments are skipped; the dots of numbers are few between
/// separators.
pub(crate) fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let mut piece_start = 0;
    let mut position = 0;
    let mut dots = 0;
    let mut open = 0_usize;
    let mut line_start = true;
    // The end of the line that `position` is in, or an earlier one.
    let mut line_end = 0;
    let mut values = 0;
    let mut tokens = 0;
    while let Some(byte) = bytes.get(position) {
        if line_start && *byte == b'[' && open == 0 {
            // The first table ends the part of the top-level keys, however short that is.
            if pieces.is_empty() || position - piece_start >= PIECE {
                pieces.push(piece_start..position);
                piece_start = position;
            }
        }
        line_start = *byte == b'\n' || line_start && matches!(byte, b' ' | b'\t' | b'\r');
        match byte {
            b'.' => {
                dots += 1;
                if dots >= MAXIMUM_PARTS {
                    return Scan::TooDeep(position);
                }
            }
            b'\n' => {
                dots = 0;
                tokens += 1;
            }
            b' ' => tokens += 1,
            b'=' | b',' => {
                dots = 0;
                values += 1;
                if values > MAXIMUM_VALUES {
                    return Scan::TooMany(position);
                }
            }
            b'[' | b'{' => {
                dots = 0;
                tokens += 1;
                open += 1;
            }
            b']' | b'}' => {
                tokens += 1;
                dots = 0;
                open = open.saturating_sub(1);
            }
            b'#' => {
                position = find(bytes, position, b'\n').unwrap_or(bytes.len());
                continue;
            }
            b'"' | b'\'' => {
                if line_end <= position {
                    line_end = find(bytes, position, b'\n').unwrap_or(bytes.len());
                }
                position = string_end(bytes, position, *byte, line_end);
                continue;
            }
            _ => {}
        }
        if tokens > MAXIMUM_TOKENS {
            return Scan::TooMany(position);
        }
        position += 1;
    }
    pieces.push(piece_start..text.len());
    Scan::Pieces(pieces)
}

/// The first `byte` from `from` on.
fn find(bytes: &[u8], from: usize, byte: u8) -> Option<usize> {
    memchr::memchr(byte, bytes.get(from..)?).map(|at| from + at)
}

/// The position after the string that starts at `start`, in a line that ends at `line_end`.
fn string_end(bytes: &[u8], start: usize, quote: u8, line_end: usize) -> usize {
    let triple = bytes.get(start..start + 3) == Some(&[quote; 3]);
    let width = if triple { 3 } else { 1 };
    let body = start + width;
    let line_end = if triple { bytes.len() } else { line_end };
    let mut from = body;
    while let Some(end) = find(bytes, from, quote).filter(|end| *end < line_end) {
        if triple && bytes.get(end..end + 3) != Some(&[quote; 3]) {
            from = end + 1;
            continue;
        }
        let before = bytes.get(body..end).unwrap_or_default();
        let escapes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
        if quote == b'\'' || escapes % 2 == 0 {
            // Up to two quotes before the closing three belong to the string.
            let extra = bytes.get(end + width..).unwrap_or_default();
            let extra = extra.iter().take(2).take_while(|byte| triple && **byte == quote).count();
            return end + width + extra;
        }
        from = end + 1;
    }
    // An unterminated string ends with its line, or with the file.
    line_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_count() {
        let deep = vec!["a"; 20].join(".");
        for (text, refused) in [
            (format!("{deep} = 1"), true),
            (format!("[{deep}]"), true),
            (format!("x = \"{deep}\""), false),
            (format!("x = '{deep}'"), false),
            (format!("x = \"\"\"\n{deep} \\\"\"\" {deep}\n\"\"\"\ny = 1"), false),
            (format!("x = \"\"\"{deep}\"\"\"\"\"\n[a]\ny = '{deep}'"), false),
            (format!("# {deep}"), false),
            (format!("x = '''{deep}'''\n{deep} = 1"), true),
            (format!("x = \"open\n{deep} = 1"), true),
            (format!("x = [{}]", vec!["1.5"; 40].join(", ")), false),
            ("a.b.c.\"d.e.f\" = 1".to_owned(), false),
        ] {
            assert_eq!(matches!(scan(&text), Scan::TooDeep(_)), refused, "{text}");
        }
    }

    #[test]
    fn pieces_are_cut_before_tables_only() {
        let filler = "x".repeat(PIECE);
        let text = format!(
            "k = [\n[1],\n[2]\n]\n[a]\nt = '''\n[no]\n{filler}\n[no]\n'''\nl = [\n  [1],\n[2]]\n# [no]\n  [b]\n{}[c]\n",
            "y = 1\n"
        );
        let Scan::Pieces(pieces) = scan(&text) else { panic!("not deep") };
        let starts: Vec<&str> = pieces.iter().map(|piece| &text[piece.clone()][..3]).collect();
        assert_eq!(starts, ["k =", "[a]", "[b]"]);
        assert_eq!(pieces.last().unwrap().end, text.len());
    }
}
