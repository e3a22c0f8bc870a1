//! Facts compared with values that no machine has: `facts.os.family == 'Debian'`. The answer is
//! always the same, and nothing else tells.
//!
//! Only what is nearly a value of the samples counts as a mistake: there are more distributions than
//! samples.

use std::ops::Range;

use super::blocks::expressions;
use super::tokens::{Token, TokenKind, tokens};
use crate::diagnostics::suggest::nearest;
use crate::samples::sample_values;

/// The facts whose values are few, and whether only the case of their letters is judged: ids of
/// distributions are many and alike.
const FACTS: &[(&[&str], bool)] = &[
    (&["os", "family"], false),
    (&["os", "id"], true),
    (&["package_manager"], false),
    (&["init_system"], false),
];

/// A fact compared with what is nearly one of its values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misspelt {
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) hint: String,
    /// Where the value is.
    pub(crate) range: Range<usize>,
}

/// The facts in `text` that are compared with what is nearly one of their values. `expression` tells
/// whether all of `text` is one expression; otherwise it is a template.
pub(crate) fn misspelt_facts(text: &str, expression: bool) -> Vec<Misspelt> {
    let mut found = Vec::new();
    if !text.contains("facts") {
        return found;
    }
    for range in expressions(text, expression) {
        let tokens = tokens(text, range);
        for (index, token) in tokens.iter().enumerate() {
            if token.text(text) != "facts" || token.kind != TokenKind::Name {
                continue;
            }
            for (path, case) in FACTS {
                let Some(end) = end_of(text, &tokens, index, path) else { continue };
                let fact = format!("facts.{}", path.join("."));
                let values = sample_values(path);
                for literal in compared(text, &tokens, index, end) {
                    found.extend(judge(text, literal, &fact, &values, *case));
                }
            }
        }
    }
    found
}

/// The index after `facts.PATH` at `index`, if that is there.
fn end_of(text: &str, tokens: &[Token], index: usize, path: &[&str]) -> Option<usize> {
    let mut at = index + 1;
    for name in path {
        let dot = tokens.get(at)?.text(text) == ".";
        if !dot || tokens.get(at + 1)?.text(text) != *name {
            return None;
        }
        at += 2;
    }
    let goes_on = tokens.get(at).is_some_and(|token| [".", "|", "["].contains(&token.text(text)));
    (!goes_on).then_some(at)
}

/// The literals that the fact from `start` to `end` is compared with.
fn compared<'t>(text: &str, tokens: &'t [Token], start: usize, end: usize) -> Vec<&'t Token> {
    let is = |index: usize, words: &[&str]| {
        tokens.get(index).is_some_and(|token| words.contains(&token.text(text)))
    };
    let literal = |index: usize| tokens.get(index).filter(|token| token.kind == TokenKind::Text);
    if is(end, &["==", "!="]) {
        return literal(end + 1).into_iter().collect();
    }
    if let Some(before) = start.checked_sub(2).filter(|_| is(start - 1, &["==", "!="])) {
        return literal(before).into_iter().collect();
    }
    let list = if is(end, &["not"]) { end + 1 } else { end };
    if !is(list, &["in"]) || !is(list + 1, &["[", "("]) {
        return Vec::new();
    }
    let inside = tokens.get(list + 2..).unwrap_or_default().iter();
    let inside =
        inside.take_while(|token| token.kind == TokenKind::Text || token.text(text) == ",");
    inside.filter(|token| token.kind == TokenKind::Text).collect()
}

fn judge(
    text: &str,
    literal: &Token,
    fact: &str,
    values: &[String],
    case: bool,
) -> Option<Misspelt> {
    let value = literal.text(text).trim_matches(['\'', '"']);
    if values.iter().any(|known| known == value) {
        return None;
    }
    let near = nearest(value, values.iter().map(String::as_str))?;
    if case && !near.eq_ignore_ascii_case(value) {
        return None;
    }
    Some(Misspelt {
        message: format!("`{fact}` is '{value}' in no sample"),
        hint: format!("did you mean '{near}'?"),
        range: literal.range.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_nearly_right() {
        for (text, hints) in [
            ("facts.os.family == 'Debian'", vec!["did you mean 'debian'?"]),
            ("'debain' != facts.os.family and true", vec!["did you mean 'debian'?"]),
            (
                "facts.os.family not in ['debian', 'Suse', 'rehdat']",
                vec!["did you mean 'suse'?", "did you mean 'redhat'?"],
            ),
            ("facts.package_manager == 'abt'", vec!["did you mean 'apt'?"]),
            ("facts.init_system == \"Systemd\"", vec!["did you mean 'systemd'?"]),
            ("facts.os.id == 'Ubuntu'", vec!["did you mean 'ubuntu'?"]),
            ("facts.os.id == 'xubuntu'", vec![]),
            ("facts.os.family == 'gentoo'", vec![]),
            ("facts.os.family == 'debian' or facts.os.name == 'Debian'", vec![]),
            ("facts.os.family | upper == 'DEBIAN'", vec![]),
            ("facts.os.family == labels.family", vec![]),
        ] {
            let found = misspelt_facts(text, true);
            let found: Vec<&str> = found.iter().map(|found| &*found.hint).collect();
            assert_eq!(found, hints, "{text}");
        }
        assert_eq!(
            misspelt_facts("{% if facts.os.family == 'Arch' %}x{% endif %}", false).len(),
            1
        );
    }
}
