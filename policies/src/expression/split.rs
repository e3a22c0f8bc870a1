//! Telling plain strings, single expressions and mixed text apart.

use std::ops::Range;

/// Whether Jinja would do anything with this string.
pub(crate) fn is_interpolated(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        rest = rest.get(at + 1..).unwrap_or_default();
        if rest.starts_with(['{', '%']) {
            return true;
        }
    }
    false
}

/// The expression within a string that is exactly one `{{ expression }}`.
pub(crate) fn only_expression(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if !text.starts_with("{{") || !text.ends_with("}}") {
        return None;
    }
    let start = 2 + usize::from(matches!(bytes.get(2), Some(b'-' | b'+')));
    let mut position = start;
    let mut open = 0_usize;
    let mut quote = None;
    while let Some(byte) = bytes.get(position).copied() {
        match (quote, byte) {
            (Some(_), b'\\') => position += 1,
            (Some(mark), _) if mark == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{' | b'[' | b'(') => open += 1,
            (None, b'}') if open == 0 => {
                let ends = text.get(position..) == Some("}}");
                let end = position
                    - usize::from(
                        position > start && matches!(bytes.get(position - 1), Some(b'-' | b'+')),
                    );
                return ends.then_some(start..end.max(start));
            }
            (None, b'}' | b']' | b')') => open = open.saturating_sub(1),
            _ => {}
        }
        position += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_expression_and_nothing_else() {
        for (text, expected) in [
            ("{{ a }}", Some(" a ")),
            ("{{a}}", Some("a")),
            ("{{- a -}}", Some(" a ")),
            ("{{ '}}' }}", Some(" '}}' ")),
            ("{{ {'a': {'b': 1}} }}", Some(" {'a': {'b': 1}} ")),
            (r"{{ 'it\'s }}' }}", Some(r" 'it\'s }}' ")),
            ("{{ a }} ", None),
            ("{{ a }}{{ b }}", None),
            ("x{{ a }}", None),
            ("{{ a", None),
            ("{{}}", Some("")),
            ("{% if a %}{{ b }}", None),
            ("é{{ a }}", None),
        ] {
            let found = only_expression(text).map(|range| &text[range]);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn braces_alone_are_text() {
        for (text, expected) in [
            ("server { listen 80; }", false),
            ("${#list[@]}", false),
            ("a {{ b }}", true),
            ("{% if a %}", true),
            ("{ {", false),
            ("{", false),
            ("{é{{", true),
        ] {
            assert_eq!(is_interpolated(text), expected, "{text}");
        }
    }
}
