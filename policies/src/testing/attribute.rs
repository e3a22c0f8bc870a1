//! What a case says of one attribute: a value, or what is in it.

use std::time::Duration;

use regex::Regex;
use steadfast_resources::{Text, Value};

use super::suite::ExpectedName;
use crate::declaration::MATCHER;
use crate::diagnostics::{Code, Context, Reported, SourceId, Spot};
use crate::evaluate::conform;
use crate::parse::{self, Common, Entry, Item, Node, Shape, strings};

/// What an attribute must be.
pub(crate) enum Wanted {
    /// Exactly this.
    Equal(Value),
    /// A time that is this long.
    Time(Duration),
    /// Each of these is true of it.
    Matching(Vec<Matcher>),
    /// It has edges to all of these.
    Edges(Vec<(Text, Spot)>),
}

/// Something that is true of a text or a list.
pub(crate) enum Matcher {
    Contains(Text, Spot),
    Lacks(Text, Spot),
    Matches(Regex, Spot),
}

/// What `entry` wants of the attribute `name`.
pub(crate) fn wanted(
    context: &Context,
    source: SourceId,
    name: ExpectedName,
    entry: &Entry,
) -> Result<Wanted, Reported> {
    let item = &entry.item;
    let spot = Spot::new(source, item.span);
    if let Node::Table(entries) = &item.node
        && !entries.is_empty()
        && entries.iter().any(|entry| MATCHER.marks.contains(&&*entry.key))
    {
        return matchers(context, source, entries);
    }
    let wrong = |expected: &str| {
        let message = format!("`{}` must be {expected}", entry.key);
        Err(context.error(Code::WrongType, spot, message).report())
    };
    match name {
        ExpectedName::Own(declared) => match conform(&declared.kind, literal(item), item) {
            Ok(value) => Ok(Wanted::Equal(value)),
            Err(mismatch) => {
                let message = format!(
                    "`{}` must be {}, not {}",
                    declared.name, mismatch.expected, mismatch.found
                );
                let draft =
                    context.error(Code::WrongType, Spot::new(source, mismatch.span), message);
                let hint = mismatch
                    .hint
                    .or_else(|| Some("to look for a part write `{ contains = \"…\" }`".to_owned()));
                Err(draft.hint(hint).report())
            }
        },
        ExpectedName::Common(common) if common.links() => {
            let what = format!("`{}`", common.name());
            let edges = strings(context, source, &what, item)?;
            let spot = |(text, span): (&Text, _)| (text.clone(), Spot::new(source, span));
            Ok(Wanted::Edges(edges.into_iter().map(spot).collect()))
        }
        ExpectedName::Common(Common::Timeout) => match seconds(item) {
            Some(time) => Ok(Wanted::Time(Duration::from_secs(time))),
            None => wrong("seconds or a time such as \"90s\" or \"5m\""),
        },
        ExpectedName::Common(Common::Tags) => {
            let mut tags: Vec<String> = strings(context, source, "`tags`", item)?
                .into_iter()
                .map(|(text, _)| text.to_string())
                .collect();
            tags.sort_unstable();
            Ok(Wanted::Equal(Value::List(tags.into_iter().map(Value::text).collect())))
        }
        ExpectedName::Common(common) => {
            let fits = match common {
                Common::Enforce | Common::Sensitive => matches!(item.node, Node::Boolean(_)),
                Common::Retries => matches!(item.node, Node::Integer(_)),
                _ => matches!(item.node, Node::Text(_)),
            };
            match common {
                _ if fits => Ok(Wanted::Equal(literal(item))),
                Common::Enforce | Common::Sensitive => wrong("true or false"),
                Common::Retries => wrong("a count"),
                _ => wrong("a string"),
            }
        }
    }
}

fn matchers(context: &Context, source: SourceId, entries: &[Entry]) -> Result<Wanted, Reported> {
    let before = context.count();
    let names = MATCHER.names();
    let shape = Shape::new(context, source, "a matcher", entries, &names);
    let texts = |key: &str| {
        let texts = shape.strings(key).unwrap_or_default();
        if let Some(entry) = shape.get(key)
            && says_nothing(&entry.item)
        {
            let spot = Spot::new(source, entry.item.span);
            let message = format!("`{key}` is empty: whatever the value is, it says the same");
            let hint = format!("say what is looked for, or leave `{key}` out");
            context.error(Code::InvalidValue, spot, message).hint(hint).report();
        }
        texts.into_iter().map(|(text, span)| (text.clone(), Spot::new(source, span)))
    };
    let mut all: Vec<Matcher> = Vec::new();
    all.extend(texts("contains").map(|(text, spot)| Matcher::Contains(text, spot)));
    all.extend(texts("lacks").map(|(text, spot)| Matcher::Lacks(text, spot)));
    for (text, spot) in texts("matches") {
        match Regex::new(&text) {
            Ok(regex) => all.push(Matcher::Matches(regex, spot)),
            Err(error) => {
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default();
                let reason = reason.trim_start_matches("error: ");
                let message = format!("this is no regular expression: {reason}");
                context.error(Code::InvalidValue, spot, message).report();
            }
        }
    }
    if context.count() > before { Err(Reported) } else { Ok(Wanted::Matching(all)) }
}

/// Whether a matcher is given nothing, or nothing among other things, to look for.
fn says_nothing(item: &Item) -> bool {
    match &item.node {
        Node::Text(text) => text.is_empty(),
        Node::List(items) => items.is_empty() || items.iter().any(says_nothing),
        _ => false,
    }
}

impl Matcher {
    /// Whether it is true of `value`.
    pub(crate) fn holds(&self, value: &Value) -> bool {
        match value {
            Value::List(items) => {
                let texts = || items.iter().map(plain);
                match self {
                    Self::Contains(text, _) => texts().any(|item| item == **text),
                    Self::Lacks(text, _) => !texts().any(|item| item == **text),
                    Self::Matches(regex, _) => texts().any(|item| regex.is_match(&item)),
                }
            }
            other => {
                let found = plain(other);
                match self {
                    Self::Contains(text, _) => found.contains(&**text),
                    Self::Lacks(text, _) => !found.contains(&**text),
                    Self::Matches(regex, _) => regex.is_match(&found),
                }
            }
        }
    }

    /// Where it is written.
    pub(crate) fn spot(&self) -> Spot {
        match self {
            Self::Contains(_, spot) | Self::Lacks(_, spot) | Self::Matches(_, spot) => *spot,
        }
    }

    /// What it demands, in words that follow the attribute's name.
    pub(crate) fn in_words(&self, list: bool) -> String {
        match self {
            Self::Contains(text, _) if list => format!("has no item {:?}", &**text),
            Self::Lacks(text, _) if list => format!("has the item {:?}", &**text),
            Self::Matches(regex, _) if list => {
                format!("has no item that matches {:?}", regex.as_str())
            }
            Self::Contains(text, _) => format!("does not contain {:?}", &**text),
            Self::Lacks(text, _) => format!("contains {:?}", &**text),
            Self::Matches(regex, _) => format!("does not match {:?}", regex.as_str()),
        }
    }
}

/// A value as text: strings as they are, everything else as TOML writes it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => toml_of(other),
    }
}

/// A value as TOML writes it.
pub(crate) fn toml_of(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{:?}", &**text),
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::List(items) => {
            format!("[{}]", items.iter().map(toml_of).collect::<Vec<_>>().join(", "))
        }
        Value::Table(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| format!("{key} = {}", toml_of(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Tree(_) => "files of the repository".to_owned(),
    }
}

/// Whether two values are equal; tables in whatever order.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Table(left), Value::Table(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right.iter().any(|(other, found)| key == other && same(value, found))
                })
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        _ => left == right,
    }
}

/// The value that is written; nothing in it is evaluated.
fn literal(item: &Item) -> Value {
    match &item.node {
        Node::Text(text) => Value::Text(text.clone()),
        Node::Integer(integer) => Value::Integer(*integer),
        Node::Float(float) => Value::Float(*float),
        Node::Boolean(boolean) => Value::Boolean(*boolean),
        Node::Datetime(datetime) => Value::text(&**datetime),
        Node::List(items) => Value::List(items.iter().map(literal).collect()),
        Node::Table(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.to_string(), literal(&entry.item)));
            Value::Table(pairs.collect())
        }
    }
}

fn seconds(item: &Item) -> Option<u64> {
    match &item.node {
        Node::Integer(seconds) => u64::try_from(*seconds).ok(),
        Node::Text(text) => parse::seconds(text),
        _ => None,
    }
}
