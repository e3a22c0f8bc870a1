//! Checking evaluated values against the declared types.

use steadfast_resources::{AttributeType, Text, Value};

use crate::diagnostics::Span;
use crate::diagnostics::suggest::{did_you_mean, or_list};
use crate::parse::{Item, Node};

/// Where and how a value is not what was declared.
#[derive(Debug)]
pub(crate) struct Mismatch {
    /// The value, or the part of it, as it is written.
    pub(crate) span: Span,
    /// What was expected, in words.
    pub(crate) expected: String,
    /// What was found, in words.
    pub(crate) found: String,
    pub(crate) hint: Option<String>,
}

/// `value`, which `item` evaluated to, as `kind` takes it.
///
/// A number that an interpolated string yielded counts as text where only text is taken: its author
/// wrote quotes.
pub(crate) fn conform(
    kind: &AttributeType,
    value: Value,
    item: &Item,
) -> Result<Value, Box<Mismatch>> {
    match (kind, value) {
        (
            AttributeType::String
            | AttributeType::Enumeration(_)
            | AttributeType::TemplatePath
            | AttributeType::RepositoryPath,
            value @ (Value::Integer(_) | Value::Float(_)),
        ) if is_text(item) => conform(kind, Value::Text(written(&value)), item),
        (AttributeType::String | AttributeType::TemplatePath, value @ Value::Text(_))
        | (AttributeType::Integer, value @ Value::Integer(_))
        | (AttributeType::Boolean, value @ Value::Boolean(_))
        | (AttributeType::RepositoryPath, value @ (Value::Text(_) | Value::Tree(_))) => Ok(value),
        (AttributeType::Enumeration(allowed), Value::Text(text)) => {
            if allowed.contains(&&*text) {
                return Ok(Value::Text(text));
            }
            Err(Box::new(Mismatch {
                span: item.span,
                expected: kind.in_words(),
                found: shown(&Value::Text(text.clone())),
                hint: or_list(&text, "the values are", allowed)
                    .filter(|hint| hint.starts_with("did"))
                    .or_else(|| meant(&text, allowed)),
            }))
        }
        (AttributeType::List(inner), Value::List(values)) => values
            .into_iter()
            .enumerate()
            .map(|(index, value)| conform(inner, value, list_item(item, index)))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (AttributeType::Table(inner), Value::Table(values)) => values
            .into_iter()
            .enumerate()
            .map(|(index, (name, value))| {
                let value = conform(inner, value, table_item(item, index, &name))?;
                Ok((name, value))
            })
            .collect::<Result<_, _>>()
            .map(Value::Table),
        (AttributeType::AnyOf(kinds), value) => {
            if let Some(fit) = kinds.iter().find(|kind| fits(kind, &value)) {
                return conform(fit, value, item);
            }
            let fit = kinds.iter().find_map(|kind| conform(kind, value.clone(), item).ok());
            fit.ok_or_else(|| Box::new(mismatch(kind, &value, item)))
        }
        (kind, value) => Err(Box::new(mismatch(kind, &value, item))),
    }
}

/// Whether `value` is of the basic type that `kind` takes, without any conversion.
fn fits(kind: &AttributeType, value: &Value) -> bool {
    match (kind, value) {
        (AttributeType::String, Value::Text(_))
        | (AttributeType::Integer, Value::Integer(_))
        | (AttributeType::Boolean, Value::Boolean(_))
        | (AttributeType::List(_), Value::List(_))
        | (AttributeType::Table(_), Value::Table(_)) => true,
        (AttributeType::Enumeration(allowed), Value::Text(text)) => allowed.contains(&&**text),
        _ => false,
    }
}

fn mismatch(kind: &AttributeType, value: &Value, item: &Item) -> Mismatch {
    let takes_text = |kind: &AttributeType| {
        matches!(kind, AttributeType::String | AttributeType::Enumeration(_))
    };
    let any = |test: &dyn Fn(&AttributeType) -> bool| match kind {
        AttributeType::AnyOf(kinds) => kinds.iter().any(test),
        kind => test(kind),
    };
    let words: Vec<&str> = match kind {
        AttributeType::AnyOf(kinds) => kinds
            .iter()
            .filter_map(|kind| match kind {
                AttributeType::Enumeration(values) => Some(*values),
                _ => None,
            })
            .flatten()
            .copied()
            .collect(),
        _ => Vec::new(),
    };
    let plain = any(&|kind| *kind == AttributeType::String);
    let allowed: &[&str] = match kind {
        AttributeType::Enumeration(allowed) => allowed,
        _ => &words,
    };
    let hint = match value {
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_)
            if any(&takes_text) && !plain && !allowed.contains(&&*written(value)) =>
        {
            meant(&written(value), allowed)
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) if any(&takes_text) => {
            let mut text = written(value).to_string();
            if let (Value::Integer(integer), true) = (value, item.span.end > item.span.start) {
                let width = (item.span.end - item.span.start) as usize;
                text = padded(*integer, width);
            }
            Some(format!("put it in quotes: \"{text}\""))
        }
        Value::Text(text)
            if any(&|kind| *kind == AttributeType::Boolean)
                && matches!(&**text, "true" | "false") =>
        {
            Some(format!("leave the quotes out: {text}"))
        }
        Value::Text(text)
            if any(&|kind| *kind == AttributeType::Integer) && text.parse::<i64>().is_ok() =>
        {
            Some(format!("leave the quotes out: {text}"))
        }
        Value::Text(text) if any(&|kind| matches!(kind, AttributeType::List(_))) => {
            let parts: Vec<String> =
                text.split(',').map(|part| format!("{:?}", part.trim())).collect();
            Some(format!("put it in brackets: [{}]", parts.join(", ")))
        }
        Value::Text(text)
            if any(&|kind| *kind == AttributeType::Boolean)
                && ["yes", "no", "on", "off"].contains(&&**text) =>
        {
            Some(format!("write {}", matches!(&**text, "yes" | "on")))
        }
        Value::Text(text) => did_you_mean(text, words),
        _ => None,
    };
    Mismatch { span: item.span, expected: kind.in_words(), found: shown(value), hint }
}

/// The one of the `allowed` words that other tools' word `other` stands for.
fn meant(other: &str, allowed: &[&str]) -> Option<String> {
    if let ("enabled" | "disabled", true) = (other, allowed.contains(&"running")) {
        return Some(format!("write `enable = {}`", other == "enabled"));
    }
    let candidates: &[&str] = match other {
        "true" | "yes" | "on" | "started" | "start" | "up" | "installed" | "exists" => {
            &["running", "present"]
        }
        "false" | "no" | "off" | "stopped" | "stop" | "down" | "removed" | "uninstalled"
        | "purged" => &["stopped", "absent"],
        "restarted" | "reloaded" => &["running"],
        _ => &[],
    };
    let word = candidates.iter().find(|word| allowed.contains(word))?;
    Some(format!("write \"{word}\""))
}

/// `0o644` and the like lose their form in TOML; plain digits keep theirs.
fn padded(integer: i64, width: usize) -> String {
    let text = integer.to_string();
    if text.len() == width { text } else { format!("0{integer:o}") }
}

/// A short description of a value.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) if text.chars().count() <= 40 => format!("the string {:?}", &**text),
        Value::Text(_) => "a string".to_owned(),
        Value::Integer(integer) => format!("the integer {integer}"),
        Value::Float(float) => format!("the float {float}"),
        Value::Boolean(boolean) => boolean.to_string(),
        other => format!("a {}", other.type_name()),
    }
}

fn written(value: &Value) -> Text {
    match value {
        Value::Integer(integer) => Text::from(integer.to_string()),
        Value::Float(float) => Text::from(format!("{float:?}")),
        Value::Boolean(boolean) => Text::from(boolean.to_string()),
        Value::Text(text) => text.clone(),
        _ => Text::from(""),
    }
}

fn is_text(item: &Item) -> bool {
    matches!(item.node, Node::Text(_))
}

/// The item that the value at `index` of a list came from, as near as it can be told.
fn list_item(item: &Item, index: usize) -> &Item {
    match &item.node {
        Node::List(items) => items.get(index).unwrap_or(item),
        _ => item,
    }
}

fn table_item<'i>(item: &'i Item, index: usize, name: &str) -> &'i Item {
    match &item.node {
        // In written order, as the value's.
        Node::Table(entries) => match entries.get(index) {
            Some(entry) if &*entry.key == name => &entry.item,
            _ => item,
        },
        _ => item,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODE: AttributeType = AttributeType::String;
    const ENABLE: AttributeType =
        AttributeType::AnyOf(&[AttributeType::Boolean, AttributeType::Enumeration(&["masked"])]);
    const SERVICE: AttributeType = AttributeType::Enumeration(&["running", "stopped"]);
    const PACKAGE: AttributeType = AttributeType::Enumeration(&["present", "absent", "latest"]);
    const ID: AttributeType =
        AttributeType::AnyOf(&[AttributeType::String, AttributeType::Integer]);

    fn literal(value: &Value) -> Item {
        let node = match value {
            Value::Text(text) => Node::Text(text.clone()),
            Value::Integer(integer) => Node::Integer(*integer),
            Value::Boolean(boolean) => Node::Boolean(*boolean),
            _ => Node::List(vec![]),
        };
        Item { node, span: Span::default() }
    }

    #[test]
    fn values_against_types() {
        for (kind, value, fits) in [
            (MODE, Value::text("0644"), true),
            (MODE, Value::Integer(644), false),
            (ENABLE, Value::Boolean(true), true),
            (ENABLE, Value::text("masked"), true),
            (ENABLE, Value::text("maskd"), false),
            (ID, Value::Integer(0), true),
            (ID, Value::text("root"), true),
            (ID, Value::Boolean(true), false),
            (AttributeType::List(&MODE), Value::List(vec![Value::text("a")]), true),
            (AttributeType::List(&MODE), Value::List(vec![Value::Integer(1)]), false),
            (AttributeType::List(&MODE), Value::text("a"), false),
            (AttributeType::Table(&MODE), Value::Table(vec![("a".into(), Value::text("b"))]), true),
            (AttributeType::Integer, Value::Float(1.0), false),
        ] {
            let item = literal(&value);
            assert_eq!(conform(&kind, value.clone(), &item).is_ok(), fits, "{kind:?} {value:?}");
        }
    }

    #[test]
    fn interpolated_numbers_count_as_text() {
        let item = Item { node: Node::Text("{{ params.port }}".into()), span: Span::default() };
        let value = conform(&MODE, Value::Integer(80), &item).unwrap();
        assert_eq!(value, Value::text("80"));
        let value = conform(&ID, Value::Integer(80), &item).unwrap();
        assert_eq!(value, Value::Integer(80));
    }

    #[test]
    fn hints() {
        for (kind, value, hint) in [
            (MODE, Value::Integer(644), "put it in quotes: \"0"),
            (AttributeType::Boolean, Value::text("true"), "leave the quotes out: true"),
            (AttributeType::Integer, Value::text("80"), "leave the quotes out: 80"),
            (AttributeType::List(&MODE), Value::text("a"), "put it in brackets: [\"a\"]"),
            (ENABLE, Value::text("maskd"), "did you mean `masked`?"),
            (SERVICE, Value::Boolean(true), "write \"running\""),
            (SERVICE, Value::text("started"), "write \"running\""),
            (PACKAGE, Value::Boolean(false), "write \"absent\""),
        ] {
            let mut item = literal(&value);
            item.span = Span { start: 0, end: 5 };
            let mismatch = conform(&kind, value, &item).unwrap_err();
            assert!(mismatch.hint.unwrap_or_default().starts_with(hint));
        }
    }
}
