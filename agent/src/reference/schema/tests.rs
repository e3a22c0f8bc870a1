//! Meta-tests: every schema stands alone, and everything in it is described.

use serde_json::Value;
use steadfast_resources::Registry;

use super::{Topic, schema};

/// Calls `visit` for `value` and everything in it.
fn walk(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, value);
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| walk(value, &format!("{path}/{key}"), visit));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| walk(item, &format!("{path}/{index}"), visit));
        }
        _ => {}
    }
}

#[test]
fn references_lead_to_something_in_the_same_schema() {
    let mut references = 0;
    for topic in Topic::ALL {
        let whole = schema(topic, &Registry::standard());
        walk(&whole, "", &mut |path, value| {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference}"));
                assert!(whole.pointer(pointer).is_some(), "{path}: {reference}");
                references += 1;
            }
        });
    }
    assert!(references > 50, "{references}");
}

#[test]
fn every_property_says_what_it_is() {
    for topic in Topic::ALL {
        let whole = schema(topic, &Registry::standard());
        walk(&whole, "", &mut |path, value| {
            let Some(properties) = value.get("properties").and_then(Value::as_object) else {
                return;
            };
            for (name, property) in properties {
                let property = property["$ref"]
                    .as_str()
                    .and_then(|reference| whole.pointer(reference.trim_start_matches('#')))
                    .unwrap_or(property);
                let described = property["description"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.') && text.len() > "A sentence.".len());
                // Tables of agent.toml are only there for what is in them, as are the kinds in
                // `[defaults]`.
                // So are the objects that only say which of several things a value is.
                let tag = properties.len() == 1 && value["description"].is_string();
                let group = tag
                    || topic == Topic::Agent && property["type"] == "object"
                    || path.ends_with("/defaults");
                assert!(described || group, "{topic:?} {path}/{name}: {property}");
            }
        });
    }
}
