//! `[rollout]`: which hosts get a new revision when.

use std::time::Duration;

use super::Reader;
use crate::declaration::{Form, KeyDeclaration, TableDeclaration};
use crate::diagnostics::Code;
use crate::parse::{Item, Node, Shape, seconds};
use crate::rules::Wave;

/// The keys of `[rollout]`.
pub static ROLLOUT: TableDeclaration = TableDeclaration {
    heading: "[rollout]",
    summary: "Which hosts get a new revision when. Each host decides alone, from a stable hash of \
              its machine id.",
    keys: &[KeyDeclaration::new(
        "waves",
        Form::Tables(&WAVE),
        "The waves, one after the other; the last one is 100 percent.",
    )
    .required()],
    ..TableDeclaration::PLAIN
};

/// The keys of one wave.
pub static WAVE: TableDeclaration = TableDeclaration {
    heading: "[[rollout.waves]]",
    summary: "One wave of a rollout. Both `percent` and `after` grow from wave to wave.",
    keys: &[
        KeyDeclaration::new(
            "percent",
            Form::Integer(1, 100),
            "How many of a hundred hosts get the revision in this wave or before it.",
        )
        .required(),
        KeyDeclaration::new(
            "after",
            Form::Matching("a time such as \"30m\", \"4h\" or \"2d\"", "^([0-9]+[smhd])+$"),
            "How long after the commit's committer time the wave begins, 90 days at most; at once \
             if left out, which only the first wave may.",
        )
        .with_default("at once"),
    ],
    ..TableDeclaration::PLAIN
};

/// The longest a rollout may take, in seconds.
const MAXIMUM: u64 = 90 * 24 * 3600;

const EXAMPLE: &str = "write `waves = [{ percent = 5 }, { percent = 100, after = \"1h\" }]`";

pub(super) fn read(reader: &Reader<'_>, item: &Item) -> Option<Vec<Wave>> {
    let Node::Table(entries) = &item.node else {
        reader.wrong(
            "rollout",
            item,
            "a table",
            "write `[rollout]` on a line of its own".to_owned(),
        );
        return None;
    };
    let shape = Shape::new(reader.context, reader.source, "`[rollout]`", entries, &ROLLOUT.names());
    let Some(entry) = shape.get("waves") else {
        let message = "`[rollout]` has no `waves`";
        let draft = reader.context.error(Code::MissingParam, reader.spot(item.span), message);
        draft.hint(EXAMPLE.to_owned()).report();
        return None;
    };
    let items = match &entry.item.node {
        Node::List(items) if !items.is_empty() => items,
        Node::List(_) => {
            let message = "a rollout without waves reaches no host";
            let spot = reader.spot(entry.item.span);
            let draft = reader.context.error(Code::InvalidValue, spot, message);
            draft
                .hint("remove `[rollout]`: every host then gets a revision at once".to_owned())
                .report();
            return None;
        }
        _ => {
            reader.wrong("waves", &entry.item, "a list of tables", EXAMPLE.to_owned());
            return None;
        }
    };
    // Each wave is judged, also where one before it is wrong.
    let waves: Vec<Option<Wave>> =
        items.iter().enumerate().map(|(index, item)| wave(reader, item, index == 0)).collect();
    let waves: Vec<Wave> = waves.into_iter().collect::<Option<_>>()?;
    ascending(reader, items, &waves)?;
    Some(waves)
}

fn wave(reader: &Reader<'_>, item: &Item, first: bool) -> Option<Wave> {
    let Node::Table(entries) = &item.node else {
        reader.wrong("waves", item, "a list of tables", EXAMPLE.to_owned());
        return None;
    };
    let shape = Shape::new(reader.context, reader.source, "a wave", entries, &WAVE.names());
    let missing = |message: &str, hint: &str| {
        let draft = reader.context.error(Code::MissingParam, reader.spot(item.span), message);
        draft.hint(hint.to_owned()).report();
    };
    let Some(percent) = shape.get("percent") else {
        missing("this wave does not say how many hosts it is for", "add `percent = 100`");
        return None;
    };
    let hosts = match percent.item.node {
        Node::Integer(value) => u8::try_from(value).ok().filter(|value| (1..=100).contains(value)),
        _ => None,
    };
    let Some(hosts) = hosts else {
        reader.wrong("percent", &percent.item, "a whole number from 1 to 100", None);
        return None;
    };
    let after = match shape.get("after") {
        Some(entry) => {
            let time = entry.item.as_text().and_then(|text| seconds(text));
            let Some(time) = time.filter(|time| *time <= MAXIMUM) else {
                let expected = "a time such as \"30m\", \"4h\" or \"2d\", of 90 days at most";
                reader.wrong("after", &entry.item, expected, None);
                return None;
            };
            Duration::from_secs(time)
        }
        None if first => Duration::ZERO,
        None => {
            missing(
                "this wave does not say when it begins",
                "add `after = \"1h\"`: only the first wave begins at once",
            );
            return None;
        }
    };
    let place = reader.context.sources.place(reader.spot(item.span));
    Some(Wave { percent: hosts, after, place })
}

/// Reports waves that go back, and a last one that is not all hosts.
fn ascending(reader: &Reader<'_>, items: &[Item], waves: &[Wave]) -> Option<()> {
    for (index, pair) in waves.windows(2).enumerate() {
        let [before, next] = pair else { continue };
        let (Some(earlier), Some(later)) = (items.get(index), items.get(index + 1)) else {
            continue;
        };
        let message = if next.percent <= before.percent {
            format!(
                "this wave of {} percent adds no host to the one of {} percent before it",
                next.percent, before.percent
            )
        } else if next.after <= before.after {
            "this wave does not begin after the one before it".to_owned()
        } else {
            continue;
        };
        let draft = reader.context.error(Code::InvalidValue, reader.spot(later.span), message);
        draft
            .related(reader.spot(earlier.span), "the wave before it")
            .hint("both `percent` and `after` must grow from wave to wave".to_owned())
            .report();
        return None;
    }
    let (last, item) = (waves.last()?, items.last()?);
    if last.percent != 100 {
        let message = format!(
            "the last wave is {} percent: the other hosts would never get a revision",
            last.percent
        );
        let draft = reader.context.error(Code::InvalidValue, reader.spot(item.span), message);
        draft.hint("add a wave with `percent = 100`".to_owned()).report();
        return None;
    }
    Some(())
}
