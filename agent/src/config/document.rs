//! One configuration file: from its text to entries with places. Knows which keys exist and which
//! type each has, and nothing of other files.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem};
use super::schema::{self, Form, LABELS};

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Raw {
    Text(String),
    Number(i64),
    Boolean(bool),
    Texts(Vec<String>),
}

/// One key of one file.
#[derive(Debug)]
pub(super) struct Entry {
    /// The full name; of a label, `labels.` and its name.
    pub(super) key: String,
    pub(super) value: Raw,
    pub(super) place: Place,
}

/// Reads the text of `file`. Everything that is wrong goes to `problems`, by line.
pub(super) fn entries(file: &Path, text: &str, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader =
        Reader { file: file.into(), text, entries: Vec::new(), problems: Vec::new(), broken: 0 };
    for error in &errors {
        let start = error.span().map_or(0, |span| span.start);
        reader.problem(start, error.message().to_owned(), None);
        reader.broken = reader.problems.len();
    }
    reader.table("", document.get_ref());
    let Reader { entries, problems: mut found, .. } = reader;
    found.sort_by_key(|problem| problem.place.line);
    problems.extend(found);
    entries
}

struct Reader<'a> {
    file: Arc<Path>,
    text: &'a str,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
    /// How many of the problems, from the first, are errors of syntax.
    broken: usize,
}

impl Reader<'_> {
    fn place(&self, start: usize) -> Place {
        let before = self.text.as_bytes().get(..start).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        Place { file: Arc::clone(&self.file), line: u32::try_from(line).unwrap_or(u32::MAX) }
    }

    fn problem(&mut self, start: usize, message: String, hint: Option<String>) {
        let place = self.place(start);
        // One message for a line that does not parse is enough: what recovery made of the rest of
        // it is of no interest.
        if !self.problems.iter().take(self.broken).any(|earlier| earlier.place == place) {
            self.problems.push(Problem { place, message, hint });
        }
    }

    fn table(&mut self, table: &str, content: &DeTable<'_>) {
        for (key, value) in content {
            let start = key.span().start;
            let name = key.get_ref().as_ref();
            let full = if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") };
            if table == LABELS {
                self.label(start, name, full, value);
            } else if schema::tables().contains(&full.as_str()) {
                match value.get_ref() {
                    DeValue::Table(inner) => self.table(&full, inner),
                    other => {
                        let found = type_name(other);
                        let message = format!("`{full}` must be a table, not {found}");
                        self.problem(start, message, Some(format!("write [{full}]")));
                    }
                }
            } else if let Some(setting) = schema::setting(&full) {
                self.setting(start, full, setting.form, value);
            } else {
                let what =
                    if matches!(value.get_ref(), DeValue::Table(_)) { "table" } else { "key" };
                let inside =
                    if table.is_empty() { String::new() } else { format!(" in [{table}]") };
                let message = format!("unknown {what} `{name}`{inside}");
                self.problem(start, message, schema::suggestion(table, name));
            }
        }
    }

    fn label(&mut self, start: usize, name: &str, key: String, value: &Spanned<DeValue<'_>>) {
        let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !begins || !name.bytes().all(goes_on) {
            let rule = "letters, digits, _ and -, beginning with a letter or _";
            self.problem(
                start,
                format!("{name:?} cannot be a label's name"),
                Some(rule.to_owned()),
            );
            return;
        }
        match value.get_ref() {
            DeValue::String(text) => {
                let place = self.place(start);
                self.entries.push(Entry { key, value: Raw::Text(text.to_string()), place });
            }
            other => {
                let hint = match other {
                    DeValue::Integer(number) => Some(format!("write \"{number}\"")),
                    DeValue::Float(number) => Some(format!("write \"{number}\"")),
                    DeValue::Boolean(flag) => Some(format!("write \"{flag}\"")),
                    _ => None,
                };
                let found = type_name(other);
                self.problem(
                    start,
                    format!("the label `{name}` must be a string, not {found}"),
                    hint,
                );
            }
        }
    }

    fn setting(&mut self, start: usize, key: String, form: Form, value: &Spanned<DeValue<'_>>) {
        let (wanted, raw) = match form {
            Form::Boolean => ("true or false", boolean(value.get_ref())),
            Form::Number(_) => ("a whole number", number(value.get_ref())),
            Form::Urls => ("a list of strings", texts(value.get_ref())),
            Form::Duration(_) => {
                ("a string like \"90s\", \"5m\" or \"2h\"", string(value.get_ref()))
            }
            Form::Url | Form::Branch | Form::RepositoryPath | Form::Path(_) | Form::Word(_) => {
                ("a string", string(value.get_ref()))
            }
        };
        if let Some(value) = raw {
            let place = self.place(start);
            self.entries.push(Entry { key, value, place });
            return;
        }
        let found = type_name(value.get_ref());
        let hint = match (form, value.get_ref()) {
            (Form::Duration(_), DeValue::Integer(number)) => {
                Some(format!("for seconds write \"{number}s\""))
            }
            (Form::Urls, DeValue::String(_)) => Some("put it between brackets".to_owned()),
            (Form::Boolean | Form::Number(_), DeValue::String(text)) => {
                let plain = text.parse::<i64>().is_ok() || matches!(&**text, "true" | "false");
                plain.then(|| format!("write {text} without quotes"))
            }
            _ => None,
        };
        self.problem(start, format!("`{key}` must be {wanted}, not {found}"), hint);
    }
}

fn string(value: &DeValue<'_>) -> Option<Raw> {
    match value {
        DeValue::String(text) => Some(Raw::Text(text.to_string())),
        _ => None,
    }
}

fn boolean(value: &DeValue<'_>) -> Option<Raw> {
    match value {
        DeValue::Boolean(flag) => Some(Raw::Boolean(*flag)),
        _ => None,
    }
}

fn number(value: &DeValue<'_>) -> Option<Raw> {
    match value {
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(Raw::Number)
        }
        _ => None,
    }
}

fn texts(value: &DeValue<'_>) -> Option<Raw> {
    let DeValue::Array(items) = value else { return None };
    let texts: Option<Vec<String>> = items
        .iter()
        .map(|item| match item.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => None,
        })
        .collect();
    texts.map(Raw::Texts)
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
