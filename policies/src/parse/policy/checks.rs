//! `[check.NAME]`, in policies and in `site.toml`: which keys go together.

use steadfast_resources::{AttributeDeclaration, AttributeType, Text};

use super::{Given, Name};
use crate::declaration::{Form, KeyDeclaration, TableDeclaration};
use crate::diagnostics::suggest::or_list;
use crate::diagnostics::{Code, Context, Reported, SourceId, Span, Spot};
use crate::parse::node::{Entry, Item, Node, find};

const TEXTS: AttributeType =
    AttributeType::AnyOf(&[AttributeType::String, AttributeType::List(&AttributeType::String)]);

const STATUS: AttributeType =
    AttributeType::AnyOf(&[AttributeType::Integer, AttributeType::String]);

const TIME: &str = "^([0-9]+[smhd])+$";

/// The keys of `[check.NAME]`.
pub static CHECK: TableDeclaration = TableDeclaration {
    heading: "[check.NAME]",
    summary: "What must hold after a new revision was applied. A check has exactly one of `http`, \
              `tcp`, `command`, `unit` and `file`.",
    attributes: &[
        AttributeDeclaration::new(
            "http",
            AttributeType::String,
            "An address, http or https, that must answer `GET` with a good status.",
        ),
        AttributeDeclaration::new(
            "tcp",
            AttributeType::String,
            "`host:port` that must accept a connection; an IPv6 address is written in brackets.",
        ),
        AttributeDeclaration::new(
            "command",
            TEXTS,
            "A command that must exit with 0: a list of words, or a string that is split into \
             words. It is run without a shell.",
        ),
        AttributeDeclaration::new(
            "unit",
            AttributeType::String,
            "A systemd unit that must be active; without a suffix, a service.",
        ),
        AttributeDeclaration::new(
            "file",
            AttributeType::String,
            "The absolute path of a file that must exist.",
        )
        .with_pattern("^/"),
        AttributeDeclaration::new(
            "status",
            AttributeType::AnyOf(&[
                AttributeType::Integer,
                AttributeType::String,
                AttributeType::List(&STATUS),
            ]),
            "With `http`: the status that passes, a range such as `\"200..299\"`, or a list of \
             these.",
        )
        .with_default("\"200..399\""),
        AttributeDeclaration::new(
            "contains",
            AttributeType::String,
            "With `http` and `command`: a text that the answer or the output must contain.",
        ),
        AttributeDeclaration::new(
            "max_age",
            AttributeType::String,
            "With `file`: how long ago the file may have been written at most, such as `\"1h\"`.",
        )
        .with_pattern(TIME),
        AttributeDeclaration::new(
            "within",
            AttributeType::String,
            "How long it may take until the check passes.",
        )
        .with_pattern(TIME)
        .with_default("\"30s\""),
        AttributeDeclaration::new(
            "interval",
            AttributeType::String,
            "How long to wait before the check is tried again.",
        )
        .with_pattern(TIME)
        .with_default("\"1s\""),
    ],
    keys: &[
        KeyDeclaration::new("when", Form::Condition, "Whether there is this check at all."),
        KeyDeclaration::new(
            "for_each",
            Form::Items,
            "One check for each `item`. The names must differ then: \
             `[check.\"site {{ item.name }}\"]`.",
        ),
    ],
    exactly_one_of: PROBES,
    ..TableDeclaration::PLAIN
};

/// The keys that say what is looked at.
const PROBES: &[&str] = &["http", "tcp", "command", "unit", "file"];

/// A key that goes with certain probes only.
const DEPENDENT: &[(&str, &[&str])] =
    &[("status", &["http"]), ("contains", &["http", "command"]), ("max_age", &["file"])];

/// A check as it is written.
pub(crate) struct CheckDeclaration {
    pub(crate) name: Text,
    pub(crate) name_span: Span,
    pub(crate) when: Option<Item>,
    pub(crate) for_each: Option<Item>,
    /// The other keys; exactly one of them is a probe.
    pub(crate) given: Vec<Given>,
}

/// Reads the entries of `[check]`. Wrong ones are reported and left out.
pub(crate) fn checks(context: &Context, source: SourceId, entry: Entry) -> Vec<CheckDeclaration> {
    let form = "write `[check.NAME]` on a line of its own, and below it what is looked at: \
                `http = \"http://127.0.0.1/\"`";
    let wrong = |item: &Item, what: &str| {
        let message = format!("{what} must be a table, not a {}", item.node.type_name());
        let spot = Spot::new(source, item.span);
        context.error(Code::WrongType, spot, message).hint(form.to_owned()).report();
    };
    let Node::Table(entries) = entry.item.node else {
        wrong(&entry.item, "`check`");
        return Vec::new();
    };
    let mut checks = Vec::with_capacity(entries.len());
    for entry in entries {
        match entry.item.node {
            Node::Table(keys) => {
                checks.extend(check(context, source, entry.key, entry.key_span, keys).ok());
            }
            // `[check]` with its keys right below it.
            _ if CHECK.names().contains(&&*entry.key) => {
                let message = "this check has no name";
                let spot = Spot::new(source, entry.key_span);
                context.error(Code::WrongType, spot, message).hint(form.to_owned()).report();
                break;
            }
            _ => wrong(&entry.item, &format!("check `{}`", entry.key)),
        }
    }
    checks
}

fn check(
    context: &Context,
    source: SourceId,
    name: Text,
    name_span: Span,
    entries: Vec<Entry>,
) -> Result<CheckDeclaration, Reported> {
    let mut outcome = together(context, source, (&name, name_span), &entries);
    let mut check =
        CheckDeclaration { name, name_span, when: None, for_each: None, given: Vec::new() };
    for entry in entries {
        match (&*entry.key, CHECK.attribute(&entry.key)) {
            ("when", _) => check.when = Some(entry.item),
            ("for_each", _) => check.for_each = Some(entry.item),
            (_, Some(declared)) => {
                check.given.push(Given { name: Name::Own(declared), item: entry.item });
            }
            (key, None) => {
                let message = format!("a check has no key `{key}`");
                let spot = Spot::new(source, entry.key_span);
                let draft = context.error(Code::UnknownKey, spot, message);
                outcome = Err(draft.hint(or_list(key, "its keys are", &CHECK.names())).report());
            }
        }
    }
    outcome.map(|()| check)
}

/// Whether exactly one thing is looked at, and every other key goes with it.
fn together(
    context: &Context,
    source: SourceId,
    (name, name_span): (&str, Span),
    entries: &[Entry],
) -> Result<(), Reported> {
    let mut probes = entries.iter().filter(|entry| PROBES.contains(&&*entry.key));
    let Some(probe) = probes.next() else {
        // A probe that is misspelt is told as an unknown key.
        if entries.iter().any(|entry| !CHECK.names().contains(&&*entry.key)) {
            return Ok(());
        }
        let message = format!("check `{name}` does not say what is looked at");
        let draft = context.error(Code::MissingParam, Spot::new(source, name_span), message);
        let hint = "add one of: `http`, `tcp`, `command`, `unit`, `file`".to_owned();
        return Err(draft.hint(hint).report());
    };
    if let Some(second) = probes.next() {
        let message = format!("check `{name}` looks at two things");
        let draft = context.error(Code::InvalidValue, Spot::new(source, second.key_span), message);
        return Err(draft
            .related(Spot::new(source, probe.key_span), "the first one")
            .hint("write two checks: each has a name, a place and a result of its own".to_owned())
            .report());
    }
    let mut outcome = Ok(());
    for (key, allowed) in DEPENDENT {
        let Some(entry) = find(entries, key) else { continue };
        if allowed.contains(&&*probe.key) {
            continue;
        }
        let message = format!("`{key}` means nothing for a check of `{}`", probe.key);
        let names: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
        let draft = context.error(Code::InvalidValue, Spot::new(source, entry.key_span), message);
        outcome = Err(draft.hint(format!("it goes with {}", names.join(" and "))).report());
    }
    outcome
}
