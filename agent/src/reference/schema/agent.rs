//! The agent's configuration. Nothing is required: a drop-in has only some of the keys.

use serde_json::{Map, Value, json};

use super::{described, document};
use crate::config::schema::{Default, Form, LABEL_NAME, LABELS, SETTINGS, Setting};

/// The schema of `agent.toml` and its drop-ins.
pub(super) fn schema() -> Value {
    let mut whole = json!({
        "description": "What the agent on this host does. Drop-ins, agent.toml.d/*.toml, have the \
                        same keys; later files win.",
        "type": "object",
        "properties": {},
        "additionalProperties": false,
    });
    for setting in SETTINGS {
        let table = setting.table.split('.').fold(&mut whole, |place, part| {
            let inside = &mut place["properties"];
            if inside[part].is_null() {
                inside[part] =
                    json!({ "type": "object", "properties": {}, "additionalProperties": false });
            }
            &mut inside[part]
        });
        table["properties"][setting.name] = described(value(setting), setting.summary, None);
    }
    let labels = json!({
        "description": "What policies see as `labels.NAME`.",
        "type": "object",
        "patternProperties": { LABEL_NAME: { "type": "string" } },
        "additionalProperties": false,
    });
    whole["properties"][LABELS] = labels;
    document("agent.toml", whole)
}

fn value(setting: &Setting) -> Value {
    let mut schema = match form(setting.form) {
        Value::Object(schema) => schema,
        _ => Map::new(),
    };
    if let Some(default) = setting.default {
        schema.insert(
            "default".into(),
            match default {
                Default::Text(text) => json!(text),
                Default::Number(number) => json!(number),
                Default::Boolean(flag) => json!(flag),
            },
        );
    }
    Value::Object(schema)
}

fn form(form: Form) -> Value {
    // A rule of its own behind each of these: what they refuse, the program refuses.
    const URL: &str = r"^(/|https://(?![^/]*@)|ssh://|file:///|http://(localhost|127\.|\[)|[^-/:\s][^/:\s]*:(?!//)[^:])\S*$";
    const INSIDE: &str = r"^(?!/)(?!(.*/)?\.\.(/|$))[\s\S]";
    const DURATION: &str = "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$";
    match form {
        Form::Url => json!({ "type": "string", "pattern": URL }),
        Form::Urls => {
            json!({ "type": "array", "items": { "type": "string", "pattern": URL } })
        }
        Form::Branch => json!({ "type": "string", "pattern": r"^[^\s~^:?*\[\\]+$" }),
        Form::RepositoryPath => json!({ "type": "string", "pattern": INSIDE }),
        Form::Path(_) => json!({ "type": "string", "pattern": "^/" }),
        Form::Word(words) => json!({ "enum": words }),
        Form::Duration(_) => json!({ "type": "string", "pattern": DURATION }),
        Form::Boolean => json!({ "type": "boolean" }),
        Form::Number(least) => json!({ "type": "integer", "minimum": least }),
    }
}
