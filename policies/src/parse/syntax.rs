//! Syntax errors as their author made them: what is opened and never closed is told where it was
//! opened, an unresolved merge once, and what only follows from an error before it not at all.

use std::ops::Range;

use toml::de::DeTable;

use super::unclosed::{is_statement, unclosed};
use crate::diagnostics::{Code, Context, SourceId, Span, Spot};

/// After how many brackets that are never closed nothing more is told of a file: what follows each is
/// parsed anew.
const MAXIMUM_UNCLOSED: usize = 20;

/// An error of the parser: where, and in its own words.
type Wrong = (Range<usize>, String);

/// Reports the `errors` of `text`, or what led to them.
pub(super) fn report(context: &Context, source: SourceId, text: &str, mut errors: Vec<Wrong>) {
    let spot = |range: Range<usize>| Spot::new(source, Span::new(&range));
    if let Some(at) = conflict(text) {
        let message = "this is an unresolved merge conflict";
        let hint =
            "keep one side of it, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`";
        let draft = context.error(Code::Syntax, spot(at..at + 7), message);
        draft.hint(hint.to_owned()).report();
        return;
    }
    if let Some((at, message, hint)) = another_language(text) {
        let policy = context.sources.get(source).path.starts_with("policies/");
        let hint = if policy {
            hint
        } else {
            "write `key = value`, and `[table]` above what belongs together"
        };
        let end =
            text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| at + end);
        let draft = context.error(Code::Syntax, spot(at..end), message);
        draft.hint(hint.to_owned()).report();
        return;
    }
    let mut start = 0;
    for _ in 0..MAXIMUM_UNCLOSED {
        let found = unclosed(text, start);
        let until = found.as_ref().map_or(usize::MAX, |found| found.opened.start);
        let told = errors.iter().filter(|(range, _)| range.start < until);
        independent(text, told, |range, message| {
            let (message, hint) = words(message, text, range.start);
            context.error(Code::Syntax, spot(range), message).hint(hint).report();
        });
        let Some(found) = found else { return };
        let opened = spot(found.opened.clone());
        let line = context.sources.place(opened).line;
        let sign = text.get(found.opened).unwrap_or_default();
        let (message, hint) = if found.closing.len() > sign.len() {
            (
                format!("this is not TOML: a text in `{sign}` ends on the line it begins on"),
                format!("a text of several lines stands between `{0}` and `{0}`", found.closing),
            )
        } else {
            (
                format!("this is not TOML: the `{sign}` on line {line} is never closed"),
                format!("close it with `{}`", found.closing),
            )
        };
        let mut draft = context.error(Code::Syntax, opened, message).hint(hint);
        if let Some(resumes) = found.resumes.filter(|_| found.closing.len() <= 1) {
            draft = draft.related(spot(resumes..resumes + 1), "before what begins here");
        }
        draft.report();
        let Some(rest) = found.resumes.and_then(|at| text.get(at..)) else { return };
        start = text.len() - rest.len();
        let again = DeTable::parse_recoverable(rest).1;
        errors = again
            .iter()
            .filter(|error| error.message() != "duplicate key")
            .map(|error| {
                let span = error.span().unwrap_or(rest.len()..rest.len());
                (span.start + start..span.end + start, error.message().to_owned())
            })
            .collect();
    }
}

/// Where the first conflict of a merge that was left unresolved begins.
fn conflict(text: &str) -> Option<usize> {
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("<<<<<<< ") {
            return Some(position);
        }
        position += line.len();
    }
    None
}

/// Gives `tell` those of `errors` that do not follow from the one before: each in another statement.
fn independent<'e>(
    text: &str,
    errors: impl Iterator<Item = &'e Wrong>,
    mut tell: impl FnMut(Range<usize>, &str),
) {
    // What was looked at so far, up to the beginning of a line, and whether a statement began there
    // since the last error that was told.
    let (mut seen, mut fresh) = (0, true);
    for (range, message) in errors {
        while let Some(line) = text.get(seen..).and_then(|rest| rest.split_inclusive('\n').next()) {
            if seen > range.start {
                break;
            }
            fresh |= is_statement(line);
            seen += line.len();
        }
        if std::mem::take(&mut fresh) {
            tell(range.clone(), message);
        }
    }
}

/// Whether the file is written in the language of another tool: where that is seen, what to say, and
/// what to do.
fn another_language(text: &str) -> Option<(usize, &'static str, &'static str)> {
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim();
        let start = at + (whole.len() - whole.trim_start().len());
        at += whole.len();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let word = line.find(|letter: char| !(letter.is_alphanumeric() || "_-.:".contains(letter)));
        let (word, rest) = line.split_at(word.unwrap_or(line.len()));
        if line == "---" || line.starts_with("- ") || (word.ends_with(':') && !rest.contains('=')) {
            let hint = "a resource is `[kind.\"title\"]` with `attribute = value` below it";
            return Some((start, "this is not TOML, and looks like YAML", hint));
        }
        let block = rest.trim_start().starts_with('{') && !word.is_empty();
        if block && (line.ends_with(':') || ["class", "node", "define"].contains(&word)) {
            let hint = "a resource is `[kind.\"title\"]` with `attribute = value` below it";
            return Some((start, "this is not TOML, and looks like Puppet's language", hint));
        }
        if ["class", "node", "define"].contains(&word) && line.ends_with('{') {
            let hint =
                "a policy is a file: its name is the file's, its parameters are in `[params]`";
            return Some((start, "this is not TOML, and looks like Puppet's language", hint));
        }
        return None;
    }
    None
}

/// The parser's own words, and advice for the mistakes that are made most.
fn words(message: &str, text: &str, at: usize) -> (String, Option<String>) {
    let rest = text.get(at..).unwrap_or_default();
    let head = text.get(..at).unwrap_or_default();
    let before = head.rsplit('\n').next().unwrap_or_default();
    let word: String =
        rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    if before.trim().is_empty() && (rest.starts_with("{{") || rest.starts_with("{%")) {
        let hint = "names are fixed, and `when` and `for_each` take the place of statements";
        return ("this is not TOML: Jinja belongs into values".to_owned(), Some(hint.to_owned()));
    }
    let hint = match word.as_str() {
        "True" | "yes" | "on" | "TRUE" | "Yes" => Some("write `true`".to_owned()),
        "False" | "no" | "off" | "FALSE" | "No" => Some("write `false`".to_owned()),
        "null" | "None" | "nil" | "none" => Some("TOML has no null: leave the key out".to_owned()),
        _ if message.contains("leading zero") => Some("write modes in quotes: \"0644\"".to_owned()),
        "" if message.contains("must be quoted") && rest.starts_with(['\n', '\r', '#']) => {
            Some("a value is missing".to_owned())
        }
        _ if message.contains("escaped value") || message.contains("unicode 4-digit") => {
            Some("write `\\\\` for a backslash, or put the text in single quotes".to_owned())
        }
        "" if rest.starts_with(|sign: char| !sign.is_ascii() && sign.is_whitespace()) => {
            Some("a blank that does not break stands here: write a plain one".to_owned())
        }
        "" if rest.starts_with(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']) => {
            Some("write straight quotes: \"…\"".to_owned())
        }
        _ if before.ends_with('"') && before.matches('"').count() > 1 && !word.is_empty() => {
            Some("within a text in double quotes write single ones".to_owned())
        }
        _ if message.contains("string values must be quoted") => {
            Some("put the text in double quotes".to_owned())
        }
        _ if rest.starts_with('/') => Some("put the path in double quotes".to_owned()),
        _ => None,
    };
    let message = message.strip_suffix(", expected nothing").unwrap_or(message);
    (format!("this is not TOML: {message}"), hint)
}
