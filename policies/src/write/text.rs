//! Strings and keys of TOML (toml.io, "String" and "Keys").

use std::fmt::Write as _;

/// A key, bare where it can be.
pub(super) fn key(text: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !text.is_empty() && text.bytes().all(bare) { text.to_owned() } else { basic(text) }
}

/// A string in the form that needs the fewest escapes: `"…"`, or for several lines `"""` and
/// `'''`.
pub(super) fn string(text: &str) -> String {
    let lines = text.contains('\n');
    if lines && text.contains('\\') && is_literal(text) {
        return format!("'''\n{text}'''");
    }
    if lines { multi_line(text) } else { one_line(text) }
}

/// A string in the form that `old` has, as far as that can hold it.
pub(super) fn string_like(text: &str, old: &str) -> String {
    let lines = text.contains('\n');
    if lines && old.starts_with("'''") && is_literal(text) {
        format!("'''\n{text}'''")
    } else if lines && old.starts_with("\"\"\"") {
        multi_line(text)
    } else if lines && !old.contains('\n') && text.len() <= super::LINE {
        basic(text)
    } else if !lines && old.starts_with('\'') && !text.contains('\'') && is_literal(text) {
        format!("'{text}'")
    } else {
        string(text)
    }
}

/// Quotes and backslashes read better without escapes.
fn one_line(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains('\'') && is_literal(text) {
        format!("'{text}'")
    } else {
        basic(text)
    }
}

/// Whether `'''` can hold the text as it is.
fn is_literal(text: &str) -> bool {
    !text.contains("'''")
        && !text.ends_with('\'')
        && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
}

fn basic(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for character in text.chars() {
        match character {
            '"' => written.push_str("\\\""),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            other => push_escaped(&mut written, other),
        }
    }
    written.push('"');
    written
}

fn multi_line(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 8);
    written.push_str("\"\"\"\n");
    let mut quotes = 0;
    for character in text.chars() {
        quotes = if character == '"' { quotes + 1 } else { 0 };
        match character {
            // Three would end the string.
            '"' if quotes == 3 => {
                written.push_str("\\\"");
                quotes = 0;
            }
            '"' | '\n' | '\t' => written.push(character),
            other => push_escaped(&mut written, other),
        }
    }
    if quotes > 0 {
        written.pop();
        written.push_str("\\\"");
    }
    written.push_str("\"\"\"");
    written
}

fn push_escaped(written: &mut String, character: char) {
    match character {
        '\\' => written.push_str("\\\\"),
        '\r' => written.push_str("\\r"),
        '\u{8}' => written.push_str("\\b"),
        '\u{c}' => written.push_str("\\f"),
        control if control.is_control() => {
            let _ = write!(written, "\\u{:04X}", u32::from(control));
        }
        other => written.push(other),
    }
}
