//! Attributes of kinds. A value may be written as it is, or come from an expression: a string that
//! is exactly one `{{ … }}` can yield any type, and a string with an expression in it any text.

use serde_json::{Value, json};
use steadfast_resources::{AttributeDeclaration, AttributeType};

use super::described;

/// A string that is one expression and nothing else.
pub(super) const EXPRESSION: &str = r"^\{\{[\s\S]*\}\}$";
/// A string with an expression or a block in it.
pub(super) const INTERPOLATED: &str = r"\{\{|\{%";

/// What may be written for an attribute.
pub(super) fn attribute(declared: &AttributeDeclaration) -> Value {
    let schema = match declared.pattern {
        Some(pattern) => json!({ "type": "string", "pattern": or_interpolated(pattern) }),
        None => value(&declared.kind),
    };
    described(schema, declared.documentation, declared.default)
}

/// A pattern for what is written as it is, or an expression somewhere in it.
pub(super) fn or_interpolated(pattern: &str) -> String {
    format!("{pattern}|{INTERPOLATED}")
}

/// What may be written for a value of type `kind`.
pub(super) fn value(kind: &AttributeType) -> Value {
    match kind {
        AttributeType::String | AttributeType::TemplatePath => json!({ "type": "string" }),
        AttributeType::Integer => json!({ "type": ["integer", "string"], "pattern": EXPRESSION }),
        AttributeType::Boolean => json!({ "type": ["boolean", "string"], "pattern": EXPRESSION }),
        AttributeType::Enumeration(words) => {
            json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": INTERPOLATED }] })
        }
        AttributeType::List(item) => json!({
            "type": ["array", "string"],
            "items": value(item),
            "pattern": EXPRESSION,
        }),
        AttributeType::Table(inner) => json!({
            "type": ["object", "string"],
            "additionalProperties": value(inner),
            "pattern": EXPRESSION,
        }),
        AttributeType::AnyOf(kinds) => any_of(kinds),
        AttributeType::RepositoryPath => json!({
            "type": ["string", "array"],
            "items": { "type": "string" },
            "minItems": 1,
        }),
    }
}

fn any_of(kinds: &[AttributeType]) -> Value {
    let plain: Option<Vec<&str>> = kinds
        .iter()
        .map(|kind| match kind {
            AttributeType::String => Some("string"),
            AttributeType::Integer => Some("integer"),
            AttributeType::Boolean => Some("boolean"),
            _ => None,
        })
        .collect();
    match plain {
        // One short list reads better in an editor's message. An expression is a string.
        Some(types) if types.contains(&"string") => json!({ "type": types }),
        _ => json!({ "anyOf": kinds.iter().map(value).collect::<Vec<_>>() }),
    }
}
