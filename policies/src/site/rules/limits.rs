//! `[limits]`: how much one run may change.

use super::Reader;
use crate::declaration::{Form, KeyDeclaration, TableDeclaration};
use crate::parse::{Item, Node, Shape};
use crate::rules::{ChangeLimit, Limits};

/// The keys of `[limits]`.
pub static LIMITS: TableDeclaration = TableDeclaration {
    heading: "[limits]",
    summary: "How much one run may change; a run that would exceed it changes nothing and says so.",
    keys: &[
        KeyDeclaration::new(
            "deletions",
            Form::Integer(0, u32::MAX as i64),
            "The most resources that one run may remove.",
        ),
        KeyDeclaration::new(
            "restarts",
            Form::Integer(0, u32::MAX as i64),
            "The most services that one run may restart.",
        ),
        KeyDeclaration::new(
            "changes",
            Form::AnyOf(&[
                Form::Integer(1, u32::MAX as i64),
                Form::Matching("a percentage", "^0*(100|[1-9][0-9]?)%$"),
            ]),
            "The most resources that one run may change: a count, or a share of the catalog such \
             as `\"50%\"`.",
        ),
    ],
    ..TableDeclaration::PLAIN
};

pub(super) fn read(reader: &Reader<'_>, item: &Item) -> Option<Limits> {
    let Node::Table(entries) = &item.node else {
        let hint = "write `[limits]` on a line of its own".to_owned();
        reader.wrong("limits", item, "a table", hint);
        return None;
    };
    let shape = Shape::new(reader.context, reader.source, "`[limits]`", entries, &LIMITS.names());
    let count = |key: &str| {
        let item = &shape.get(key)?.item;
        let count = count_of(item);
        if count.is_none() {
            reader.wrong(key, item, "a whole number from 0 on", None);
        }
        count
    };
    Some(Limits {
        deletions: count("deletions"),
        restarts: count("restarts"),
        changes: shape.get("changes").and_then(|entry| changes(reader, &entry.item)),
        place: Some(reader.context.sources.place(reader.spot(item.span))),
    })
}

fn count_of(item: &Item) -> Option<u32> {
    match item.node {
        Node::Integer(value) => u32::try_from(value).ok(),
        _ => None,
    }
}

fn changes(reader: &Reader<'_>, item: &Item) -> Option<ChangeLimit> {
    let limit = match &item.node {
        Node::Text(text) => {
            let digits = |number: &&str| number.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.strip_suffix('%').filter(digits);
            let percent = number.and_then(|number| number.parse::<u8>().ok());
            percent.filter(|percent| *percent <= 100).map(ChangeLimit::Percent)
        }
        _ => count_of(item).map(ChangeLimit::Count),
    };
    match limit {
        Some(ChangeLimit::Count(0) | ChangeLimit::Percent(0)) => {
            let hint = "for hosts that are only to be looked at, set `mode = \"audit\"` in their \
                        agent.toml"
                .to_owned();
            reader.wrong("changes", item, "more than nothing", hint);
            None
        }
        None => {
            let hint = match &item.node {
                Node::Text(text) if text.parse::<u32>().is_ok() => {
                    Some(format!("leave the quotes out: {text}"))
                }
                Node::Float(_) => Some("write a share as a percentage: \"50%\"".to_owned()),
                _ => None,
            };
            let expected = "a whole number or a percentage such as \"50%\"";
            reader.wrong("changes", item, expected, hint);
            None
        }
        limit => limit,
    }
}
