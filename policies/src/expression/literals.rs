//! Comparisons that cannot be meant: a string with a number, as `'12' < 13` or `x | int == '3'`.
//! The engine compares them without a word, and the answer says nothing.
//!
//! Only what is certain from the text alone is told: a literal, or the outcome of a filter that
//! always gives one type, on both sides of the comparison.

use std::ops::Range;

use super::blocks::expressions;
use super::tokens::{COMPARISONS, Token, TokenKind, tokens};

/// A comparison of two different types.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mixed {
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) hint: String,
    /// Where: the comparison as far as it is literal.
    pub(crate) range: Range<usize>,
}

/// The comparisons in `text` whose sides are of different types. `expression` tells whether all of
/// `text` is one expression; otherwise it is a template.
pub(crate) fn mixed_comparisons(text: &str, expression: bool) -> Vec<Mixed> {
    let mut found = Vec::new();
    for range in expressions(text, expression) {
        let tokens = tokens(text, range);
        for (index, token) in tokens.iter().enumerate() {
            if COMPARISONS.contains(&token.text(text)) && token.kind == TokenKind::Sign {
                found.extend(mixed(text, &tokens, index));
            }
        }
    }
    found
}

/// Words that end or begin an operand of a comparison.
const BORDERS: &[&str] =
    &["and", "or", "not", "if", "elif", "else", "(", ")", "[", "]", "{", "}", ",", ":", "=", "%"];

/// What is wrong with the comparison at `index`, if anything is.
fn mixed(text: &str, tokens: &[Token], index: usize) -> Option<Mixed> {
    let (left, right) = (tokens.get(index.checked_sub(1)?)?, tokens.get(index + 1)?);
    let border = |token: Option<&Token>| {
        token.is_none_or(|token| {
            token.kind != TokenKind::Text && BORDERS.contains(&token.text(text))
        })
    };
    if !border(tokens.get(index + 2)) {
        return None;
    }
    let before = index.checked_sub(2).and_then(|index| tokens.get(index));
    let left_type = match left.kind {
        TokenKind::Name if before.is_some_and(|token| token.text(text) == "|") => {
            filtered(left.text(text))?
        }
        TokenKind::Name | TokenKind::Sign => return None,
        literal => border(before).then_some(literal)?,
    };
    let right_type = match right.kind {
        TokenKind::Name | TokenKind::Sign => return None,
        literal => literal,
    };
    if left_type == right_type {
        return None;
    }
    let words = |kind| match kind {
        TokenKind::Text => "a string",
        TokenKind::Number => "a number",
        _ => "true or false",
    };
    let sign = tokens.get(index)?.text(text);
    let outcome = match sign {
        "==" => ": they are never equal",
        "!=" => ": they always differ",
        _ => ", which have no order",
    };
    let quoted = [left, right].into_iter().find(|token| token.kind == TokenKind::Text);
    let inner = quoted.map(|token| token.text(text).trim_matches(['\'', '"']));
    let hint = match inner {
        Some(inner) if inner.parse::<f64>().is_ok() || matches!(inner, "true" | "false") => {
            format!("leave the quotes out: `{inner}`")
        }
        _ => "compare values of one type; `| int` makes a number of a string".to_owned(),
    };
    Some(Mixed {
        message: format!("this compares {} with {}{outcome}", words(left_type), words(right_type)),
        hint,
        range: left.range.start..right.range.end,
    })
}

/// The type that the filter called `name` always gives, without arguments.
fn filtered(name: &str) -> Option<TokenKind> {
    match name {
        "int" | "float" | "length" | "count" | "abs" | "round" | "sum" | "wordcount"
        | "ip_prefix" | "ip_version" | "ip_size" => Some(TokenKind::Number),
        "string" | "lower" | "upper" | "trim" | "title" | "capitalize" | "basename" | "dirname"
        | "sha256" | "sha512" | "b64encode" | "b64decode" | "to_json" => Some(TokenKind::Text),
        "bool" => Some(TokenKind::Boolean),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_told() {
        for (text, expression, expected) in [
            ("'12' < 13", true, vec!["'12' < 13"]),
            ("a and ('3' == 3 or b)", true, vec!["'3' == 3"]),
            ("facts.os.version | int >= '12'", true, vec!["int >= '12'"]),
            ("facts.x | length == \"0\" and y", true, vec!["length == \"0\""]),
            ("facts.x | lower == 5", true, vec!["lower == 5"]),
            ("true == 'true'", true, vec!["true == 'true'"]),
            ("{{ 1 == '1' }} and 1 == '1' {% if 2 > '1' %}", false, vec!["1 == '1'", "2 > '1'"]),
            ("'12' < '13' and 1 < 2", true, vec![]),
            ("facts.x == '3'", true, vec![]),
            ("1 + 1 == '2' | int", true, vec![]),
            ("a[1] == '1'", true, vec![]),
            ("x == 1 ~ '1'", true, vec![]),
            ("'a' ~ 1 == 'a1'", true, vec![]),
            ("1 == '1' | int", true, vec![]),
            ("x.int == '1'", true, vec![]),
            ("'1 == \\'1\\'' in x", true, vec![]),
            ("a | join(',') == 1", true, vec![]),
            ("'a' == none", true, vec![]),
            ("{# 1 == '1' #}{% raw %}{{ 1 == '1' }}{% endraw %}", false, vec![]),
            ("'unclosed == 1", true, vec![]),
        ] {
            let found = mixed_comparisons(text, expression);
            let found: Vec<&str> = found.iter().map(|mixed| &text[mixed.range.clone()]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[ -~é]{0,40}") {
            let _ = (mixed_comparisons(&text, true), mixed_comparisons(&text, false));
        }
    }
}
