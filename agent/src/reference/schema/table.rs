//! Tables with a fixed set of keys.

use serde_json::{Map, Value, json};
use steadfast_policies::declaration::{KeyDeclaration, TableDeclaration};

use super::attribute::attribute;
use super::{described, form};

/// What may be written for `table`.
pub(super) fn schema(table: &TableDeclaration) -> Value {
    let attributes = table.attributes.iter();
    let attributes = attributes.map(|own| (own.name.to_owned(), attribute(own)));
    let mut whole = closed(attributes.chain(properties(table.keys)).collect());
    if let Value::Object(whole) = &mut whole {
        let required: Vec<&str> =
            table.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
        if !required.is_empty() {
            whole.insert("required".into(), json!(required));
        }
        for (rule, names) in [("anyOf", table.some_of), ("oneOf", table.exactly_one_of)] {
            if !names.is_empty() {
                let each = names.iter().map(|name| json!({ "required": [name] }));
                whole.insert(rule.into(), each.collect());
            }
        }
        if let Some(others) = &table.others {
            whole.insert("additionalProperties".into(), key(others));
        }
    }
    described(whole, table.summary, None)
}

/// A table with these keys and no others.
pub(super) fn closed(properties: Map<String, Value>) -> Value {
    let mut whole = Map::new();
    whole.insert("type".into(), json!("object"));
    whole.insert("properties".into(), Value::Object(properties));
    whole.insert("additionalProperties".into(), json!(false));
    Value::Object(whole)
}

/// What may be written for each of `keys`.
pub(super) fn properties(keys: &[KeyDeclaration]) -> Map<String, Value> {
    keys.iter().map(|declared| (declared.name.to_owned(), key(declared))).collect()
}

/// What may be written for `declared`.
pub(super) fn key(declared: &KeyDeclaration) -> Value {
    described(form::schema(&declared.form), declared.documentation, declared.default)
}

/// Any value; one that is a table of the sort `table` (it has a key of its `marks`) must be one in
/// full. The descriptions stand outside as well, where editors look for them.
pub(super) fn hints(table: &TableDeclaration) -> Value {
    let marks: Vec<Value> = table.marks.iter().map(|name| json!({ "required": [name] })).collect();
    let known: Map<String, Value> = table
        .keys
        .iter()
        .map(|declared| {
            (declared.name.to_owned(), described(json!({}), declared.documentation, None))
        })
        .collect();
    json!({
        "properties": known,
        "if": { "type": "object", "anyOf": marks },
        "then": closed(properties(table.keys)),
    })
}
