//! Watching what templates bind to names.
//!
//! A text grows without end only where a name is set from itself (`{% set a = a ~ a %}`), and the
//! engine has no limit for that. So every `{% set x = … %}` and `{% with x = … %}` of a template is
//! compiled as `{% set x = (…)|bounded__ %}`; the filter refuses what is too large. Errors are told
//! in terms of the text as it is written: [`written`] and [`written_range`] undo the change.

use std::ops::Range;

/// The filter that refuses what is too large.
pub(super) const FILTER: &str = "bounded__";

/// What is written before and behind each expression. The form feeds, which the engine takes for
/// blanks, make both easy to find again.
const OPEN: &str = "(\u{c}";
const CLOSE: &str = ")|bounded__\u{c}";

/// `text` as it is compiled.
pub(super) fn guarded(text: &str) -> String {
    let mut result = String::new();
    let mut copied = 0;
    for range in bound_expressions(text) {
        result.push_str(text.get(copied..range.start).unwrap_or_default());
        result.push_str(OPEN);
        result.push_str(text.get(range.clone()).unwrap_or_default());
        result.push_str(CLOSE);
        copied = range.end;
    }
    result.push_str(text.get(copied..).unwrap_or_default());
    result
}

/// The text that was compiled as `compiled`.
pub(super) fn written(compiled: &str) -> String {
    if compiled.contains(OPEN) {
        compiled.replace(OPEN, "").replace(CLOSE, "")
    } else {
        compiled.to_owned()
    }
}

/// The range of the written text that `range` of `compiled` is.
pub(super) fn written_range(compiled: &str, range: &Range<usize>) -> Range<usize> {
    let place = |at: usize| {
        let removed = |mark: &str| {
            let marks = compiled.match_indices(mark).take_while(|(start, _)| *start < at);
            marks.map(|(start, _)| mark.len().min(at - start)).sum::<usize>()
        };
        at.saturating_sub(removed(OPEN) + removed(CLOSE))
    };
    let start = place(range.start);
    start..place(range.end).max(start)
}

/// The expressions whose values get a name, in order.
fn bound_expressions(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for block in blocks(text) {
        match block.word {
            "set" => found.extend(bindings(text, block.code, false)),
            "with" => found.extend(bindings(text, block.code, true)),
            _ => {}
        }
    }
    found
}

/// A `{{ … }}` or `{% … %}` of a template.
pub(super) struct Block<'t> {
    /// What is between the braces.
    pub(super) inside: Range<usize>,
    /// The word that a statement starts with; empty for an expression.
    pub(super) word: &'t str,
    /// What follows that word.
    pub(super) code: Range<usize>,
}

/// The blocks of `text`, in order; comments and raw text left out.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
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
                found.push(Block { code: inside.clone(), inside, word: "" });
                end
            }
            Some(b'%') => {
                let end = block_end(text, start + 2, "%}");
                let inside = start + 2..end;
                let (word, from) = word(text, &inside);
                if word == "raw" {
                    let tail = text.get(end..).unwrap_or_default();
                    end + end_of_raw(tail)
                } else {
                    found.push(Block { inside, word, code: from..end });
                    end
                }
            }
            _ => start + 1,
        };
    }
    found
}

/// Where the tag that ends raw text starts in `tail`.
pub(super) fn end_of_raw(tail: &str) -> usize {
    let ends = |at: &usize| {
        let inside = tail.get(at + 2..).unwrap_or_default();
        let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside).trim_start();
        let rest = inside.strip_prefix("endraw").map(str::trim_start);
        rest.is_some_and(|rest| rest.trim_start_matches(['-', '+']).starts_with("%}"))
    };
    tail.match_indices("{%").map(|(at, _)| at).find(ends).unwrap_or(tail.len())
}

/// The first word of a block, and where it ends.
fn word<'t>(text: &'t str, inside: &Range<usize>) -> (&'t str, usize) {
    let block = text.get(inside.clone()).unwrap_or_default();
    let head = block.trim_start_matches(['-', '+']).trim_start();
    let length = head.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(head.len());
    (head.get(..length).unwrap_or_default(), inside.end - head.len() + length)
}

/// Walks over the code in `range`, strings left out, with how many brackets are open. Ends where
/// `visit` says so.
pub(super) fn walk(
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

/// The expressions behind the `=` in `range`; `several` of them are separated by commas.
fn bindings(text: &str, range: Range<usize>, several: bool) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut start = None;
    walk(text, range.clone(), |position, byte, open| {
        let compares = bytes.get(position + 1) == Some(&b'=')
            || bytes.get(position.wrapping_sub(1)).is_some_and(|other| b"=!<>".contains(other));
        match (byte, start) {
            (b'=', None) if open == 0 && !compares => start = Some(position + 1),
            (b',', Some(from)) if several && open == 0 => {
                found.push(from..position);
                start = None;
            }
            _ => {}
        }
        false
    });
    if let Some(from) = start {
        let body = text.get(from..range.end).unwrap_or_default();
        let trimmed = body.strip_suffix(['-', '+']).unwrap_or(body);
        found.push(from..from + trimmed.len());
    }
    found.retain(|range| text.get(range.clone()).is_some_and(|body| !body.trim().is_empty()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_expressions_are_found() {
        for (text, expected) in [
            ("{% set a = b ~ 'x' %}", &[" b ~ 'x' "][..]),
            ("{%- set a=1 -%}{% set a, b = 1, 2 +%}", &["1 ", " 1, 2 "]),
            ("{% set ns.a = {'k': '%}'} %}x", &[" {'k': '%}'} "]),
            ("{% with a = 1, b = [2, 3] %}{{ a == b }}{% endwith %}", &[" 1", " [2, 3] "]),
            ("{% set a %}{{ x = 1 }}{% endset %}", &[]),
            ("{% if a == b %}{% for a in b %}{# set a = 1 #}", &[]),
            ("{% raw %}{% set a = 1 %}{% endraw %}{% set b = 2 %}", &[" 2 "]),
            ("{% raw %}endraw {% set a = 1 %}{% endraw %}{% set b = 2 %}", &[" 2 "]),
            ("{% raw %}{% endraw{% set a = 1 %}{%-endraw+%}{% set b = 2 %}", &[" 2 "]),
            ("{% set a = b == c %}", &[" b == c "]),
            ("{% set a =", &[]),
            ("{% set", &[]),
            ("é{% set é = 'ü' %}", &[" 'ü' "]),
        ] {
            let found: Vec<&str> =
                bound_expressions(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn the_written_text_comes_back() {
        let text = "a {% set a = b %} c {% with x = 1, y = 2 %} d";
        let compiled = guarded(text);
        assert_ne!(compiled, text);
        assert_eq!(written(&compiled), text);
        for word in ["a {", " b ", " c ", " 2 ", " d"] {
            let at = compiled.find(word).unwrap();
            let range = written_range(&compiled, &(at..at + word.len()));
            assert_eq!(&text[range], word);
        }
    }
}
