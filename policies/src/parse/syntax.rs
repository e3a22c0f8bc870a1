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
    let mut start = 0;
    for _ in 0..MAXIMUM_UNCLOSED {
        let found = unclosed(text, start);
        let until = found.as_ref().map_or(usize::MAX, |found| found.opened.start);
        let told = errors.iter().filter(|(range, _)| range.start < until);
        independent(text, told, |range, message| {
            let (message, hint) = words(message, text.get(range.start..));
            context.error(Code::Syntax, spot(range), message).hint(hint).report();
        });
        let Some(found) = found else { return };
        let opened = spot(found.opened.clone());
        let line = context.sources.place(opened).line;
        let sign = text.get(found.opened).unwrap_or_default();
        let message = format!("this is not TOML: the `{sign}` on line {line} is never closed");
        let hint = format!("close it with `{}`", found.closing);
        let mut draft = context.error(Code::Syntax, opened, message).hint(hint);
        if let Some(resumes) = found.resumes {
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

/// The parser's own words, and advice for the mistakes that are made most.
fn words(message: &str, rest: Option<&str>) -> (String, Option<String>) {
    let rest = rest.unwrap_or_default();
    let word: String =
        rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    let hint = match word.as_str() {
        "True" | "yes" | "on" | "TRUE" | "Yes" => Some("write `true`".to_owned()),
        "False" | "no" | "off" | "FALSE" | "No" => Some("write `false`".to_owned()),
        "null" | "None" | "nil" | "none" => Some("TOML has no null: leave the key out".to_owned()),
        _ if message.contains("leading zero") => Some("write modes in quotes: \"0644\"".to_owned()),
        "" if message.contains("must be quoted") && rest.starts_with(['\n', '\r', '#']) => {
            Some("a value is missing".to_owned())
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
