//! What may be written for the keys of the language's own tables.

use serde_json::{Map, Value, json};
use steadfast_policies::declaration::Form;

use super::attribute::{EXPRESSION, INTERPOLATED, or_interpolated};
use super::table;

/// Times as policies write them.
const DURATION: &str = "^([0-9]+[smhd])+$";

/// What may be written for `form`.
pub(super) fn schema(form: &Form) -> Value {
    match form {
        Form::Text => json!({ "type": "string" }),
        Form::Integer(least, most) => integer(*least, *most, false),
        Form::Boolean => json!({ "type": "boolean" }),
        Form::Choice(words) => json!({ "enum": words }),
        Form::Pattern => json!({ "type": "string", "format": "regex" }),
        Form::Condition => json!({ "type": ["string", "boolean"] }),
        Form::Items => json!({ "type": ["string", "array", "object"] }),
        Form::Duration => duration(DURATION),
        Form::Matching(_, pattern) => json!({ "type": "string", "pattern": pattern }),
        Form::Texts => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
        Form::List(item) => json!({ "type": "array", "items": schema(item) }),
        Form::Anything => json!({}),
        Form::Map(inner) => json!({ "type": "object", "additionalProperties": schema(inner) }),
        Form::AnyOf(forms) => match forms {
            [Form::Anything, Form::Table(inner)] => table::hints(inner),
            forms => json!({ "anyOf": forms.iter().map(schema).collect::<Vec<_>>() }),
        },
        Form::Evaluated(inner) => evaluated(inner),
        Form::Table(inner) => table::schema(inner),
        Form::Tables(inner) => json!({ "type": "array", "items": table::schema(inner) }),
        Form::Named(inner) => {
            json!({ "type": "object", "additionalProperties": table::schema(inner) })
        }
    }
}

/// As [`schema`], or an expression.
fn evaluated(form: &Form) -> Value {
    match form {
        Form::Integer(least, most) => integer(*least, *most, true),
        Form::Boolean => json!({ "type": ["boolean", "string"], "pattern": EXPRESSION }),
        Form::Choice(words) => {
            json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": INTERPOLATED }] })
        }
        Form::Duration => duration(&or_interpolated(DURATION)),
        Form::List(item) => json!({
            "type": ["array", "string"],
            "items": evaluated(item),
            "pattern": EXPRESSION,
        }),
        Form::Matching(_, pattern) => {
            json!({ "type": "string", "pattern": or_interpolated(pattern) })
        }
        // The rest takes strings anyway, or is no value of its own.
        other => schema(other),
    }
}

fn duration(pattern: &str) -> Value {
    json!({ "type": ["integer", "string"], "minimum": 0, "pattern": pattern })
}

fn integer(least: i64, most: i64, expression: bool) -> Value {
    let mut schema = Map::new();
    if expression {
        schema.insert("type".into(), json!(["integer", "string"]));
        schema.insert("pattern".into(), json!(EXPRESSION));
    } else {
        schema.insert("type".into(), json!("integer"));
    }
    if least != i64::MIN {
        schema.insert("minimum".into(), json!(least));
    }
    if most != i64::MAX {
        schema.insert("maximum".into(), json!(most));
    }
    Value::Object(schema)
}
