//! Writing policies: resources as the TOML that a person would have written.
//!
//! What must stay true: reading what is written here gives the same titles and values; nothing in a
//! value is evaluated (`{{` and `{%` are written as expressions that yield them); the same input is
//! always the same text.

mod escape;
mod text;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use steadfast_resources::Value;

pub use escape::{escaped, is_evaluated};
use text::{key, string};

/// Lists up to this width, in characters, are written on one line.
const LINE: usize = 100;

/// A resource to be written.
#[derive(Debug)]
pub struct Written<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What a reader should know, a line each, without `#`.
    pub comments: &'a [String],
    /// Its attributes. A tree cannot be written; its path is to be given as text.
    pub attributes: &'a [(&'static str, Value)],
}

/// The resource as a table of its own, ending in a line break.
pub fn resource(resource: &Written<'_>) -> String {
    let mut text = format!("[{}.{}]\n", resource.kind, key(&escaped(resource.title)));
    for comment in resource.comments {
        text.push_str(&comment_lines(comment));
    }
    for (name, value) in resource.attributes {
        let _ = writeln!(text, "{} = {}", key(name), value_text(value, name.len() + 3));
    }
    text
}

/// `comment` as lines that begin with `# `.
pub fn comment_lines(comment: &str) -> String {
    let printable = |line: &str| {
        line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
    };
    comment
        .lines()
        .map(|line| -> String { printable(line) })
        .fold(String::new(), |text, line| text + format!("# {line}").trim_end() + "\n")
}

/// `text` as a TOML string, as it is.
pub fn plain_string(text: &str) -> String {
    string(text)
}

/// `value` written in the style of what it replaces, which stands in the policy as `old`.
pub fn value_like(value: &Value, old: &str) -> String {
    match value {
        Value::Text(text) => text::string_like(&escaped(text), old.trim()),
        other => value_text(other, LINE / 2),
    }
}

/// `value` as it stands after an equals sign, `indent` characters into its line.
pub fn value_text(value: &Value, indent: usize) -> String {
    match value {
        Value::Text(text) => string(&escaped(text)),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => float(*number),
        Value::Boolean(value) => value.to_string(),
        Value::List(items) => list(items, indent),
        Value::Table(entries) => {
            let written: Vec<String> = entries
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), value_text(value, LINE)))
                .collect();
            if written.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", written.join(", "))
            }
        }
        Value::Tree(_) => string(""),
    }
}

/// A float always has a point or a word, so that it stays one.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    format!("{number:?}")
}

fn list(items: &[Value], indent: usize) -> String {
    let written: Vec<String> = items.iter().map(|item| value_text(item, LINE)).collect();
    let line = format!("[{}]", written.join(", "));
    if line.chars().count() + indent <= LINE && !line.contains('\n') {
        return line;
    }
    let mut text = String::from("[\n");
    for item in &written {
        let _ = writeln!(text, "  {item},");
    }
    text + "]"
}
