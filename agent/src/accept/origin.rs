//! Where a value comes from that cannot be changed in the policy itself, as a hint says it.

use steadfast_policies::{Extent, Record, RecordedAttribute};

/// Where the value of `attribute` comes from, whose texts in the policy are `texts`.
pub(super) fn of_expression(
    record: &Record,
    attribute: &RecordedAttribute,
    texts: &[String],
) -> String {
    let text = texts.join(" ");
    let places = named_places(record, |name| text.contains(name));
    let mut hint = format!("it is an expression at {}", attribute.given);
    if places.is_empty() {
        hint += ": edit that";
    } else {
        hint.extend(["; edit ", &places.join(" or ")]);
    }
    hint
}

/// Where the text of the template `path` comes from.
pub(super) fn of_template(record: &Record, attribute: &RecordedAttribute, path: &str) -> String {
    let places = named_places(record, |_| true);
    let mut hint = format!("edit the template {path}, which {} names", attribute.given);
    if !places.is_empty() {
        hint.extend([", or what it reads: ", &places.join(", ")]);
    }
    hint
}

/// Where the items of `for_each` come from.
pub(super) fn of_items(record: &Record, each: &Extent) -> String {
    let places = named_places(record, |_| true);
    if places.is_empty() {
        format!("edit the declaration or its items at {each}")
    } else {
        format!(
            "edit the declaration at {}, or its items: {}",
            record.declaration,
            places.join(", ")
        )
    }
}

/// The parameters and data that the declaration reads, with their places, as far as `used` has
/// them.
fn named_places(record: &Record, used: impl Fn(&str) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    let parameter = |name: &str| {
        let first = name.strip_prefix("params.")?.split('.').next()?;
        record.parameters.iter().find(|(known, _)| known == first).map(|(_, place)| place)
    };
    for name in record.reads.iter().filter(|name| used(name)) {
        let datum = || record.data.iter().find(|(known, _)| known == name).map(|(_, place)| place);
        if let Some(place) = parameter(name).or_else(datum) {
            places.push(format!("{place} ({name})"));
        }
    }
    places
}
