//! Where the expressions of a text are.

use std::ops::Range;

/// The insides of the blocks of `text` that hold expressions or statements, comments and raw text
/// left out. `expression` tells whether all of `text` is one expression; otherwise it is a template.
pub(super) fn expressions(text: &str, expression: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if expression && !text.starts_with("{{") {
        found.push(0..text.len());
        return found;
    }
    let mut position = 0;
    while let Some((start, close)) = next_block(text, position) {
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find(close).map_or(text.len(), |at| start + at);
        if close == "%}" && raw(text.get(start..end).unwrap_or_default()) {
            let tail = text.get(end..).unwrap_or_default();
            position = end + super::guard::end_of_raw(tail);
            continue;
        }
        if close != "#}" {
            found.push(start..end);
        }
        position = end;
    }
    found
}

/// Where the next block's inside starts, and what closes it.
fn next_block(text: &str, from: usize) -> Option<(usize, &'static str)> {
    let mut position = from;
    loop {
        position += text.get(position..)?.find('{')? + 1;
        match text.as_bytes().get(position) {
            Some(b'{') => return Some((position + 1, "}}")),
            Some(b'%') => return Some((position + 1, "%}")),
            Some(b'#') => return Some((position + 1, "#}")),
            _ => {}
        }
    }
}

fn raw(block: &str) -> bool {
    block.trim_matches(['-', '+', ' ']) == "raw"
}
