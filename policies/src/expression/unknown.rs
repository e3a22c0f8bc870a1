//! Filters and tests that do not exist, found without running anything: a branch that is not taken here may be
//! taken on a host.

use std::ops::Range;

use super::blocks::expressions;
use super::filters;
use super::tokens::{TokenKind, tokens};

/// The filters used in `text` that do not exist, and where. `expression` tells whether all of
/// `text` is one expression; otherwise it is a template.
pub(crate) fn unknown_filters(text: &str, expression: bool) -> Vec<(&str, Range<usize>)> {
    let mut found = Vec::new();
    for range in expressions(text, expression) {
        scan(text, range, &mut found);
    }
    found
}

/// The tests used in `text` that do not exist, and where.
pub(crate) fn unknown_tests(text: &str, expression: bool) -> Vec<(&str, Range<usize>)> {
    let mut found = Vec::new();
    for range in expressions(text, expression) {
        let tokens = tokens(text, range);
        for (index, token) in tokens.iter().enumerate() {
            let word = |index: usize| tokens.get(index).map_or("", |token| token.text(text));
            let part_of_path = index > 0 && word(index - 1) == ".";
            if token.kind != TokenKind::Name || token.text(text) != "is" || part_of_path {
                continue;
            }
            let named = if word(index + 1) == "not" { index + 2 } else { index + 1 };
            let Some(named) = tokens.get(named) else { continue };
            let name = named.text(text);
            if named.kind == TokenKind::Name && !filters::test_exists(name) {
                found.push((name, named.range.clone()));
            }
        }
    }
    found
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
    fn only_unknown_tests_are_found() {
        for (text, expression, expected) in [
            ("a is defined and b is not verson('1') or c is strng", true, vec!["verson", "strng"]),
            ("a.is.b == 'x is nope'", true, vec![]),
            ("a is true and b is none and c is version('1', '<')", true, vec![]),
            ("{{ a is nope }} b is nope {% if c is evn %}", false, vec!["nope", "evn"]),
            ("a is", true, vec![]),
        ] {
            let names: Vec<&str> =
                unknown_tests(text, expression).into_iter().map(|(name, _)| name).collect();
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
