//! Documents that the program prints: their schemas come from the types that are printed.
//!
//! A schema has the version that its documents name. It says what is always there, and leaves room
//! for more: what is added does not make a new version, what is taken away or changed does.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::document;

/// The schema of the documents of this type, in this version.
pub(super) fn schema<T: JsonSchema>(what: &str, version: u32) -> Value {
    let settings = SchemaSettings::draft07().for_serialize();
    let mut content = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Value::Object(content) = &mut content {
        content.remove("$schema");
        content.remove("title");
    }
    content["properties"]["schema"] = json!({
        "description": "The version of this document's schema.",
        "const": version,
    });
    unwrapped(&mut content);
    document(&format!("{what} (version {version})"), content)
}

/// Descriptions as they are read: their lines are broken for the source code, not for readers.
fn unwrapped(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get_mut("description") {
                let paragraphs: Vec<String> =
                    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
                *text = paragraphs.join("\n\n");
            }
            map.values_mut().for_each(unwrapped);
        }
        Value::Array(items) => items.iter_mut().for_each(unwrapped),
        _ => {}
    }
}
