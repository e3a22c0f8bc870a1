//! From a position in a decoded TOML string back to the position in the file.

use std::ops::Range;

use crate::diagnostics::Span;

/// The span in the file of `range` of the decoded string whose literal, quotes included, is at
/// `literal` in `text`.
pub(crate) fn place_in_literal(text: &str, literal: Span, range: &Range<usize>) -> Span {
    let raw = text.get(literal.range()).unwrap_or_default();
    let base = literal.start as usize;
    let start = base + raw_offset(raw, range.start);
    let end = base + raw_offset(raw, range.end);
    Span::new(&(start..end.max(start)))
}

/// The offset in the literal `raw` of the character that is at `wanted` after decoding.
fn raw_offset(raw: &str, wanted: usize) -> usize {
    let (delimiter, escapes) = if raw.starts_with("\"\"\"") {
        (3, true)
    } else if raw.starts_with("'''") {
        (3, false)
    } else if raw.starts_with('"') {
        (1, true)
    } else if raw.starts_with('\'') {
        (1, false)
    } else {
        (0, false)
    };
    let mut position = delimiter;
    if delimiter == 3 {
        // The first line break of a multi-line string is not part of it.
        let rest = raw.get(position..).unwrap_or_default();
        position += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }
    let mut decoded = 0;
    while decoded < wanted {
        let Some(rest) = raw.get(position..) else { break };
        let Some(letter) = rest.chars().next() else { break };
        if letter == '\\' && escapes {
            let (length, value) = escape(rest);
            position += length;
            decoded += value;
        } else {
            position += letter.len_utf8();
            decoded += letter.len_utf8();
        }
    }
    position.min(raw.len())
}

/// How many bytes an escape at the start of `rest` takes in the file and in the decoded string.
fn escape(rest: &str) -> (usize, usize) {
    let digits = |count: usize| {
        let value = rest.get(2..2 + count).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        (2 + count, value.and_then(char::from_u32).map_or(1, char::len_utf8))
    };
    match rest.as_bytes().get(1) {
        Some(b'x') => digits(2),
        Some(b'u') => digits(4),
        Some(b'U') => digits(8),
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            // A backslash at the end of a line swallows all white space up to the next text.
            let body = rest.get(1..).unwrap_or_default();
            (1 + body.len() - body.trim_start().len(), 0)
        }
        Some(_) => (2, 1),
        None => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_found_again() {
        for literal in [
            r#""plain {{ x }}""#,
            r#""tab\t quote\" uni\u00e9 \U0001F600 x\x41 {{ x }}""#,
            "\"\"\"\nfirst\\\n   joined {{ x }}\n\"\"\"",
            "'''\nraw \\t {{ x }}'''",
            "'raw \\ {{ x }}'",
            "\"\"\"é {{ x }}\"\"\"",
        ] {
            let text = format!("key = {literal}\n");
            let decoded = toml::from_str::<toml::Table>(&text).unwrap()["key"].to_string();
            let decoded: toml::Table = toml::from_str(&format!("key = {decoded}")).unwrap();
            let decoded = decoded["key"].as_str().unwrap();
            let at = decoded.find("{{ x }}").unwrap();
            let span = Span::new(&(6..6 + literal.len()));
            let found = place_in_literal(&text, span, &(at..at + 7));
            assert_eq!(&text[found.range()], "{{ x }}", "{literal}");
        }
    }
}
