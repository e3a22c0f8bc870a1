//! Filters that do not exist, found without running anything: a branch that is not taken here may be
//! taken on a host.

use std::ops::Range;

use super::filters;

/// The filters used in `text` that do not exist, and where. `expression` tells whether all of
/// `text` is one expression; otherwise it is a template.
pub(crate) fn unknown_filters(text: &str, expression: bool) -> Vec<(&str, Range<usize>)> {
    let mut found = Vec::new();
    if expression && !text.starts_with("{{") {
        scan(text, 0..text.len(), &mut found);
        return found;
    }
    let mut position = 0;
    while let Some((start, close)) = next_block(text, position) {
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find(close).map_or(text.len(), |at| start + at);
        if close == "%}" && raw(text.get(start..end).unwrap_or_default()) {
            let tail = text.get(end..).unwrap_or_default();
            position = tail.find("endraw").map_or(text.len(), |at| end + at);
            continue;
        }
        if close != "#}" {
            scan(text, start..end, &mut found);
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

fn scan<'t>(text: &'t str, range: Range<usize>, found: &mut Vec<(&'t str, Range<usize>)>) {
    let bytes = text.as_bytes();
    let mut position = range.start;
    let mut quote = None;
    while position < range.end {
        let Some(byte) = bytes.get(position).copied() else { break };
        match (quote, byte) {
            (Some(_), b'\\') => position += 1,
            (Some(mark), _) if mark == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'|') => {
                let rest = text.get(position + 1..range.end).unwrap_or_default();
                let name = rest.trim_start();
                let start = position + 1 + rest.len() - name.len();
                let length = name
                    .find(|letter: char| letter != '_' && !letter.is_ascii_alphanumeric())
                    .unwrap_or(name.len());
                let name = name.get(..length).unwrap_or_default();
                if !name.is_empty() && !filters::exists(name) {
                    found.push((name, start..start + length));
                }
            }
            _ => {}
        }
        position += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unknown_ones_are_found() {
        for (text, expression, expected) in [
            ("a | upper | uper", true, vec!["uper"]),
            ("'x | nope' ~ a|lower", true, vec![]),
            ("{{ a | nope }}", true, vec!["nope"]),
            ("x | nope {{ a | uper }} | no {% if b|nope %}", false, vec!["uper", "nope"]),
            ("{# a | nope #}{% raw %}{{ a | nope }}{% endraw %}", false, vec![]),
            ("{{ a |", false, vec![]),
        ] {
            let names: Vec<&str> =
                unknown_filters(text, expression).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, expected, "{text}");
        }
    }

    #[test]
    fn every_filter_that_we_name_exists() {
        let library = std::sync::Arc::default();
        let environment =
            crate::expression::environment(&library, &crate::expression::Budget::default());
        for name in filters::names() {
            let rendered = environment.compile_expression_owned(format!("none | {name}"));
            let error = rendered.unwrap().eval(()).err();
            let unknown =
                error.is_some_and(|error| error.kind() == minijinja::ErrorKind::UnknownFilter);
            assert!(!unknown, "{name}");
        }
    }
}
