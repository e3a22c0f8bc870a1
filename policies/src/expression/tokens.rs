//! The words and signs of an expression, as far as looking at it without running it needs them.

use std::ops::Range;

/// The signs that compare.
pub(super) const COMPARISONS: &[&str] = &["==", "!=", "<", "<=", ">", ">="];

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Text,
    Number,
    Boolean,
    Name,
    Sign,
}

/// A token and where it is.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) range: Range<usize>,
}

impl Token {
    pub(super) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range.clone()).unwrap_or_default()
    }
}

/// The tokens within `range` of `text`. No text is refused: a string that does not end goes to the
/// end.
pub(super) fn tokens(text: &str, range: Range<usize>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut position = range.start;
    let body = text.get(..range.end).unwrap_or_default();
    while let Some(rest) = body.get(position..)
        && let Some(first) = rest.chars().next()
    {
        let word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let (kind, length) = if first.is_whitespace() {
            position += first.len_utf8();
            continue;
        } else if matches!(first, '"' | '\'') {
            (TokenKind::Text, string_length(rest))
        } else if first.is_ascii_digit() {
            let number = |letter: char| word(letter) || letter == '.';
            (TokenKind::Number, rest.find(|letter| !number(letter)).unwrap_or(rest.len()))
        } else if word(first) {
            let length = rest.find(|letter| !word(letter)).unwrap_or(rest.len());
            let boolean = matches!(rest.get(..length), Some("true" | "false" | "True" | "False"));
            (if boolean { TokenKind::Boolean } else { TokenKind::Name }, length)
        } else {
            let double = rest
                .get(..2)
                .is_some_and(|pair| COMPARISONS.contains(&pair) || pair == "//" || pair == "**");
            (TokenKind::Sign, if double { 2 } else { first.len_utf8() })
        };
        tokens.push(Token { kind, range: position..position + length });
        position += length;
    }
    tokens
}

/// The length of the string literal at the start of `rest`.
fn string_length(rest: &str) -> usize {
    let mut letters = rest.char_indices();
    let quote = letters.next().map(|(_, quote)| quote);
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if Some(letter) == quote {
            return at + letter.len_utf8();
        }
    }
    rest.len()
}
