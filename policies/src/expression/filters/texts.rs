//! Texts: comments, widths, sizes, parts of paths.

use std::borrow::Cow;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use super::brief;
use super::limits::Limited;
use crate::expression::MAXIMUM_OUTPUT;
use crate::expression::budget::too_large;

/// The widest text that is made wider.
const MAXIMUM_WIDTH: usize = 10_000;

fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

pub(super) fn install(environment: &mut Limited<'_>) {
    environment.add_filter(
        "comment",
        |text: Cow<'_, str>, style: Option<&str>, arguments: Kwargs| {
            comment(&text, style.unwrap_or("plain"), &arguments)
        },
    );
    environment.add_filter("bool", |value: Value| boolean(&value));
    environment.add_filter("center", |text: Cow<'_, str>, width: Option<usize>| {
        let room = width.unwrap_or(80).min(MAXIMUM_WIDTH).saturating_sub(text.chars().count());
        format!("{}{text}{}", " ".repeat(room / 2), " ".repeat(room - room / 2))
    });
    environment.add_filter("wordcount", |text: Cow<'_, str>| text.split_whitespace().count());
    environment.add_filter("wordwrap", |text: Cow<'_, str>, width: Option<usize>| {
        wrapped(&text, width.unwrap_or(79).max(1))
    });
    environment.add_filter(
        "truncate",
        |text: Cow<'_, str>, length: Option<usize>, killwords: Option<bool>, end: Option<&str>| {
            truncated(
                &text,
                length.unwrap_or(255),
                killwords.unwrap_or(false),
                end.unwrap_or("..."),
            )
        },
    );
    environment.add_filter("human_readable", |bytes: Value| human_readable(&bytes));
    environment.add_filter("human_to_bytes", |text: Cow<'_, str>| bytes(&text));
    environment
        .add_filter("path_join", |parts: Value, more: Rest<String>| path_join(&parts, &more));
    environment.add_filter("splitext", |path: Cow<'_, str>| {
        let start = path.rfind('/').map_or(0, |at| at + 1);
        let name = path.get(start..).unwrap_or_default();
        // The dot of a hidden file starts no extension.
        let dot = name.rfind('.').filter(|at| !name[..*at].trim_start_matches('.').is_empty());
        let (stem, extension) = path.split_at(dot.map_or(path.len(), |at| start + at));
        vec![stem.to_owned(), extension.to_owned()]
    });
    environment.add_filter("type_debug", |value: Value| match value.kind() {
        ValueKind::Number if value.is_integer() => "integer".to_owned(),
        ValueKind::Number => "float".to_owned(),
        ValueKind::Bool => "boolean".to_owned(),
        ValueKind::Seq | ValueKind::Iterable => "list".to_owned(),
        kind => kind.to_string(),
    });
    environment.add_test("abs", |path: &str| path.starts_with('/'));
}

/// What a word that people write for true and false means; anything else is no boolean.
fn boolean(value: &Value) -> Result<bool, Error> {
    let wrong = || Err(failed(format!("{} is neither true nor false", brief(value))));
    match value.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::Bool => Ok(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => wrong(),
        },
        ValueKind::String => match value.as_str().unwrap_or_default().to_lowercase().as_str() {
            "yes" | "on" | "1" | "true" | "t" | "y" => Ok(true),
            "no" | "off" | "0" | "false" | "f" | "n" | "" => Ok(false),
            _ => wrong(),
        },
        _ => wrong(),
    }
}

/// The signs of a style: what begins the whole, each line, and ends it.
const STYLES: &[(&str, [&str; 3])] = &[
    ("plain", ["", "# ", ""]),
    ("erlang", ["", "% ", ""]),
    ("c", ["", "// ", ""]),
    ("cblock", ["/*", " * ", " */"]),
    ("xml", ["<!--", " - ", "-->"]),
];

fn comment(text: &str, style: &str, arguments: &Kwargs) -> Result<String, Error> {
    let known = STYLES.iter().find(|(name, _)| *name == style);
    let Some((_, [beginning, decoration, end])) = known else {
        let names: Vec<&str> = STYLES.iter().map(|(name, _)| *name).collect();
        let message =
            format!("there is no comment style {}: use {}", brief(style), names.join(", "));
        return Err(failed(message));
    };
    let given = |name: &str, default: &str| {
        let value = arguments.get::<Option<String>>(name)?;
        Ok::<_, Error>(value.unwrap_or_else(|| default.to_owned()))
    };
    let count =
        |name: &str| Ok::<_, Error>(arguments.get::<Option<usize>>(name)?.unwrap_or(1).min(100));
    let decoration = given("decoration", decoration)?;
    let bare = decoration.trim_end().to_owned();
    let (beginning, end) = (given("beginning", beginning)?, given("end", end)?);
    let (prefix, postfix) = (given("prefix", &bare)?, given("postfix", &bare)?);
    let (before, after) = (count("prefix_count")?, count("postfix_count")?);
    arguments.assert_all_used()?;
    let decorations = decoration.len().saturating_mul(text.lines().count());
    let around = 100_usize.saturating_mul(prefix.len() + postfix.len());
    if text.len().saturating_add(decorations).saturating_add(around) > MAXIMUM_OUTPUT {
        return Err(too_large());
    }
    let mut lines: Vec<String> = Vec::new();
    lines.extend(Some(beginning).filter(|text| !text.is_empty()));
    lines.extend(std::iter::repeat_n(prefix, before));
    lines.extend(text.lines().map(|line| format!("{decoration}{line}").trim_end().to_owned()));
    lines.extend(std::iter::repeat_n(postfix, after));
    lines.extend(Some(end).filter(|text| !text.is_empty()));
    Ok(lines.join("\n"))
}

/// The lines broken between words so that none is wider than `width`, if words allow it.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let wide = line.chars().count() + 1 + word.chars().count() > width;
            if !line.is_empty() && wide {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// At most `length` characters, `end` included; broken between words unless `killwords`.
fn truncated(text: &str, length: usize, killwords: bool, end: &str) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let room = length.saturating_sub(end.chars().count());
    let mut kept: String = text.chars().take(room).collect();
    if !killwords && let Some(at) = kept.rfind(' ') {
        kept.truncate(at);
    }
    kept + end
}

const UNITS: &[&str] = &["", "K", "M", "G", "T", "P", "E"];

fn human_readable(bytes: &Value) -> Result<String, Error> {
    let Some(bytes) = bytes.as_i64().and_then(|bytes| u64::try_from(bytes).ok()) else {
        return Err(failed(format!("{} is no number of bytes", brief(&bytes))));
    };
    let mut unit = 0;
    while bytes >> (10 * (unit + 1)) > 0 && unit + 1 < UNITS.len() {
        unit += 1;
    }
    if unit == 0 {
        return Ok(format!("{bytes} Bytes"));
    }
    // Hundredths, rounded to the nearest.
    let hundredths = (u128::from(bytes) * 100 + (1 << (10 * unit - 1))) >> (10 * unit);
    let name = UNITS.get(unit).copied().unwrap_or_default();
    Ok(format!("{}.{:02} {name}B", hundredths / 100, hundredths % 100))
}

/// Bytes: `10M`, `1.5 GB`, `512`; units are powers of 1024.
fn bytes(text: &str) -> Result<i64, Error> {
    let wrong = || failed(format!("{} is no size: write `512`, `10M` or `1.5 GB`", brief(text)));
    let trimmed = text.trim();
    let end = trimmed.find(|letter: char| letter.is_alphabetic() || letter == ' ');
    let (number, unit) = trimmed.split_at(end.unwrap_or(trimmed.len()));
    let unit = unit.trim().to_uppercase();
    let unit = unit.trim_end_matches("BYTES").trim_end_matches("IB").trim_end_matches('B');
    let power = UNITS.iter().position(|known| *known == unit).ok_or_else(wrong)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or_default());
    let value = format!("{whole}{fraction}").parse::<u128>().map_err(|_| wrong())?;
    let bytes = (value << (10 * power)) / scale;
    i64::try_from(bytes).map_err(|_| failed(format!("{} does not fit 64 bits", brief(text))))
}

/// The parts as one path; an absolute one starts anew.
fn path_join(parts: &Value, more: &[String]) -> Result<String, Error> {
    let mut all: Vec<String> = Vec::new();
    match parts.as_str() {
        Some(text) => all.push(text.to_owned()),
        None => {
            for part in parts.try_iter()? {
                let text = part.as_str().ok_or_else(|| failed("a path's parts are strings"))?;
                all.push(text.to_owned());
            }
        }
    }
    all.extend(more.iter().cloned());
    Ok(all.into_iter().fold(String::new(), |path, part| {
        if part.starts_with('/') || path.is_empty() {
            return part;
        }
        format!("{}/{part}", path.trim_end_matches('/'))
    }))
}
