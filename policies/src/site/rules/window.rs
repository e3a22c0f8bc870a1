//! `[[window]]`: when something may be interrupted.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use steadfast_resources::Text;

use super::Reader;
use crate::declaration::{Form, KeyDeclaration, TableDeclaration};
use crate::diagnostics::suggest::nearest;
use crate::diagnostics::{Code, Span, Spot};
use crate::expression::is_interpolated;
use crate::parse::{Entry, Item, Node, Shape, place_in_literal};
use crate::rules::{TimeSpan, Window};

/// The keys of `[[window]]`.
pub static WINDOW: TableDeclaration = TableDeclaration {
    heading: "[[window]]",
    summary: "When disruptive steps (restarts, reboots, removals) may happen; always if there is \
              no window. Of several windows one must be open.",
    keys: &[
        KeyDeclaration::new(
            "allow",
            Form::Texts,
            "Days and a time of day, such as `\"Mon..Fri 22:00-04:00\"`, or a list of such. A \
             time without days, or with `*`, is every day; one that goes over midnight belongs to \
             the day on which it starts.",
        )
        .required(),
        KeyDeclaration::new(
            "timezone",
            Form::Text,
            "The time zone of these times by its IANA name, such as `\"Europe/Berlin\"` or \
             `\"UTC\"`.",
        )
        .required(),
    ],
    ..TableDeclaration::PLAIN
};

pub(super) fn read(reader: &Reader<'_>, item: &Item) -> Vec<Window> {
    let Node::List(items) = &item.node else {
        let hint = "write `[[window]]` with two brackets: there may be several".to_owned();
        reader.wrong("window", item, "a list of tables", hint);
        return Vec::new();
    };
    items.iter().filter_map(|item| window(reader, item)).collect()
}

fn window(reader: &Reader<'_>, item: &Item) -> Option<Window> {
    let Node::Table(entries) = &item.node else {
        let hint = "write `[[window]]` on a line of its own".to_owned();
        reader.wrong("window", item, "a list of tables", hint);
        return None;
    };
    let shape = Shape::new(reader.context, reader.source, "a window", entries, &WINDOW.names());
    let missing = |message: &str, hint: &str| {
        let draft = reader.context.error(Code::MissingParam, reader.spot(item.span), message);
        draft.hint(hint.to_owned()).report();
    };
    if shape.get("allow").is_none() {
        missing(
            "this window does not say when it is open",
            "add `allow = \"Mon..Fri 22:00-04:00\"`",
        );
    }
    if shape.get("timezone").is_none() {
        missing(
            "this window does not say in which time zone",
            "add `timezone = \"Europe/Berlin\"`, or `\"UTC\"`",
        );
    }
    if let Some(Node::List(items)) = shape.get("allow").map(|entry| &entry.item.node)
        && items.is_empty()
    {
        missing("this window is never open", "add a time to `allow`, or remove the window");
        return None;
    }
    let spans = shape.strings("allow").and_then(|texts| spans(reader, &texts));
    let timezone = shape.get("timezone").and_then(|entry| timezone(reader, entry));
    let place = reader.context.sources.place(reader.spot(item.span));
    Some(Window { spans: spans?, timezone: timezone?, place })
}

fn spans(reader: &Reader<'_>, texts: &[(&Text, Span)]) -> Option<Vec<TimeSpan>> {
    let source = reader.context.sources.get(reader.source);
    let mut spans = Vec::with_capacity(texts.len());
    for (text, span) in texts {
        if is_interpolated(text) {
            let item = Item { node: Node::Text((*text).clone()), span: *span };
            reader.wrong("allow", &item, "days and a time", None);
            continue;
        }
        match TimeSpan::parse(text) {
            Ok(span) => spans.push(span),
            Err(malformed) => {
                let place = place_in_literal(&source.text, *span, &malformed.range);
                let spot = Spot::new(reader.source, if text.is_empty() { *span } else { place });
                reader
                    .context
                    .error(Code::InvalidValue, spot, malformed.message)
                    .hint(malformed.hint)
                    .report();
            }
        }
    }
    (spans.len() == texts.len()).then_some(spans)
}

fn timezone(reader: &Reader<'_>, entry: &Entry) -> Option<TimeZone> {
    let item = &entry.item;
    let expected = "the name of a time zone such as \"Europe/Berlin\"";
    let Some(name) = item.as_text().filter(|text| !is_interpolated(text)) else {
        reader.wrong("timezone", item, expected, None);
        return None;
    };
    // The database that comes with the program: every host reads the same rules.
    let database = TimeZoneDatabase::bundled();
    if let Ok(timezone) = database.get(name) {
        return Some(timezone);
    }
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    let city = name.rsplit('/').next().unwrap_or(name).replace(' ', "_");
    let hint = nearest(name, names.iter().map(String::as_str))
        .or_else(|| {
            let last = |known: &&String| {
                known.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city))
            };
            names.iter().find(last).map(String::as_str)
        })
        .map_or_else(
            || "write its IANA name: \"Europe/Berlin\", \"America/New_York\", \"UTC\"".to_owned(),
            |name| format!("did you mean `{name}`?"),
        );
    let message = format!("there is no time zone `{name}`");
    let draft = reader.context.error(Code::InvalidValue, reader.spot(item.span), message);
    draft.hint(hint).report();
    None
}
