//! Comparing versions of software.
//!
//! A version is a row of numbers and words. Numbers compare as numbers, words as text, a number is
//! later than a word, and zeros at the end say nothing (`1.2` is `1.2.0`). A word for something that
//! is not finished (`rc`, `beta`, …) and whatever follows `~` come before the end; any other word
//! comes after it (`1.0.2k` is later than `1.0.2`). Versions of packages have their distribution's
//! own rules; for those `package` attributes are right.

use std::borrow::Cow;
use std::cmp::Ordering;

use minijinja::{Error, ErrorKind, Value};

use super::brief;
use super::limits::Limited;

/// Words for what comes before the version they belong to.
const UNFINISHED: &[&str] = &["alpha", "beta", "dev", "pre", "preview", "rc", "snapshot"];

/// A part of a version, in ascending order of what a missing part is compared with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Tilde,
    Unfinished(String),
    /// What is after the last part; a zero is the same.
    End,
    Word(String),
    /// Without leading zeros, shorter ones first.
    Number(usize, String),
}

pub(super) fn install(environment: &mut Limited<'_>) {
    environment.add_filter("version_compare", holds);
    for name in ["version", "version_compare"] {
        environment.add_test(name, holds);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the engine hands over its arguments")]
fn holds(
    version: Cow<'_, str>,
    other: Cow<'_, str>,
    operator: Option<Cow<'_, str>>,
) -> Result<Value, Error> {
    let ordering = compare(&version, &other);
    let holds = match operator.as_deref().unwrap_or("==") {
        "==" | "=" | "eq" => ordering.is_eq(),
        "!=" | "<>" | "ne" => ordering.is_ne(),
        "<" | "lt" => ordering.is_lt(),
        "<=" | "le" => ordering.is_le(),
        ">" | "gt" => ordering.is_gt(),
        ">=" | "ge" => ordering.is_ge(),
        other => {
            let message = format!(
                "{} compares nothing: write version('1.2', '>='), with one of ==, !=, <, \
                 <=, >, >=",
                brief(other)
            );
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
    };
    Ok(Value::from(holds))
}

fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (parts(left), parts(right));
    let count = left.len().max(right.len());
    (0..count)
        .map(|index| {
            let at = |parts: &[Part]| parts.get(index).cloned().unwrap_or(Part::End);
            at(&left).cmp(&at(&right))
        })
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn parts(version: &str) -> Vec<Part> {
    let version = version.trim();
    // `v1.2` is how tags write 1.2.
    let version = match version.strip_prefix(['v', 'V']) {
        Some(rest) if rest.starts_with(|letter: char| letter.is_ascii_digit()) => rest,
        _ => version,
    };
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let same: fn(char) -> bool = match first {
            first if first.is_ascii_digit() => |letter| letter.is_ascii_digit(),
            first if first.is_alphabetic() => char::is_alphabetic,
            _ => |_| false,
        };
        let end = rest.find(|letter| !same(letter)).unwrap_or(rest.len());
        let length = if end == 0 { first.len_utf8() } else { end };
        let (part, tail) = rest.split_at(length);
        rest = tail;
        if first == '~' {
            parts.push(Part::Tilde);
        } else if first.is_ascii_digit() {
            let digits = part.trim_start_matches('0');
            parts.push(match digits {
                "" => Part::End,
                digits => Part::Number(digits.len(), digits.to_owned()),
            });
        } else if first.is_alphabetic() {
            let word = part.to_lowercase();
            let unfinished = UNFINISHED.contains(&word.as_str());
            parts.push(if unfinished { Part::Unfinished(word) } else { Part::Word(word) });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn earlier_and_later() {
        for (left, right, expected) in [
            ("1.2", "1.2", Ordering::Equal),
            ("1.2", "1.2.0", Ordering::Equal),
            ("1.02", "1.2", Ordering::Equal),
            ("v1.2", "1.2", Ordering::Equal),
            ("1.9", "1.10", Ordering::Less),
            ("1.10", "1.9", Ordering::Greater),
            ("2", "10", Ordering::Less),
            ("1.2", "1.2.1", Ordering::Less),
            ("1.2rc1", "1.2", Ordering::Less),
            ("1.2-rc.1", "1.2-rc.2", Ordering::Less),
            ("1.2-alpha", "1.2-beta", Ordering::Less),
            ("1.2~1", "1.2", Ordering::Less),
            ("1.0.2k", "1.0.2", Ordering::Greater),
            ("1.0.2k", "1.0.3", Ordering::Less),
            ("99999999999999999999", "100000000000000000000", Ordering::Less),
            ("", "0", Ordering::Equal),
            ("6.1.0-13-amd64", "6.1.0-9-amd64", Ordering::Greater),
        ] {
            assert_eq!(compare(left, right), expected, "{left} {right}");
        }
    }

    proptest! {
        #[test]
        fn an_order_has_two_sides(left in "[0-9a-z.~-]{0,12}", right in "[0-9a-z.~-]{0,12}") {
            prop_assert_eq!(compare(&left, &right), compare(&right, &left).reverse());
            prop_assert_eq!(compare(&left, &left), Ordering::Equal);
        }
    }
}
