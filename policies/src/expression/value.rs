//! Between the three forms of a value: as written, as Jinja sees it, as a kind sees it.

use minijinja::Value as Jinja;
use minijinja::value::ValueKind;
use steadfast_resources::Value;

use crate::parse::{Item, Node};

/// The literal `item` as Jinja sees it; strings in it are not evaluated.
pub(crate) fn from_item(item: &Item) -> Jinja {
    match &item.node {
        Node::Text(text) => Jinja::from(text.as_str()),
        Node::Integer(integer) => Jinja::from(*integer),
        Node::Float(float) => Jinja::from(*float),
        Node::Boolean(boolean) => Jinja::from(*boolean),
        Node::Datetime(datetime) => Jinja::from(&**datetime),
        Node::List(items) => Jinja::from(items.iter().map(from_item).collect::<Vec<_>>()),
        Node::Table(entries) => Jinja::from_pairs(
            entries.iter().map(|entry| (Jinja::from(entry.key.as_str()), from_item(&entry.item))),
        ),
    }
}

/// Why a Jinja value cannot be an attribute's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unconvertible {
    /// It, or a part of it, is undefined.
    Undefined,
    /// An integer that does not fit 64 bits.
    Integer,
    /// `none` within a list or map.
    None,
    /// A key that is not a string.
    Key,
    /// A function or the like.
    Kind(&'static str),
}

impl Unconvertible {
    /// What is wrong, in words.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Undefined => "a part of this value is undefined".into(),
            Self::Integer => "this integer does not fit 64 bits".into(),
            Self::None => "a list or map cannot contain `none`".into(),
            Self::Key => "a map's keys must be strings".into(),
            Self::Kind(kind) => format!("a {kind} is not a value"),
        }
    }
}

/// The value as a kind sees it; `None` for Jinja's `none`, which leaves the attribute out.
pub(crate) fn to_value(value: &Jinja) -> Result<Option<Value>, Unconvertible> {
    Ok(Some(match value.kind() {
        ValueKind::None => return Ok(None),
        ValueKind::Undefined => return Err(Unconvertible::Undefined),
        ValueKind::Bool => Value::Boolean(value.is_true()),
        ValueKind::Number if value.is_integer() => {
            Value::Integer(value.as_i64().ok_or(Unconvertible::Integer)?)
        }
        ValueKind::Number => {
            let float = f64::try_from(value.clone());
            Value::Float(float.map_err(|_| Unconvertible::Kind("number"))?)
        }
        ValueKind::String => Value::Text(value.to_str().unwrap_or_default().into()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|_| Unconvertible::Kind("iterator"))?;
            Value::List(items.map(|item| inner(&item)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let keys = value.try_iter().map_err(|_| Unconvertible::Kind("map"))?;
            let mut pairs = Vec::new();
            for key in keys {
                let name = key.as_str().ok_or(Unconvertible::Key)?.to_owned();
                let item = value.get_item(&key).map_err(|_| Unconvertible::Undefined)?;
                pairs.push((name, inner(&item)?));
            }
            Value::Table(pairs)
        }
        ValueKind::Bytes => return Err(Unconvertible::Kind("byte string")),
        _ => return Err(Unconvertible::Kind("function")),
    }))
}

fn inner(value: &Jinja) -> Result<Value, Unconvertible> {
    to_value(value)?.ok_or(Unconvertible::None)
}
