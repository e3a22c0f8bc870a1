//! JSON, TOML, YAML, base64, digests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Error, ErrorKind, Value};
use serde::Serialize;
use sha2::{Digest, Sha256, Sha512};

use super::limits::Limited;
use super::{brief, indentation, plain, yaml};
use crate::expression::budget::Budget;

fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

pub(super) fn install(environment: &mut Limited<'_>, budget: &Budget) {
    let own = budget.clone();
    environment.add_filter("to_json", move |value: Value, arguments: Kwargs| {
        json(&plain(&value, &own)?, indentation(&arguments, 0)?)
    });
    let own = budget.clone();
    environment.add_filter("to_nice_json", move |value: Value, arguments: Kwargs| {
        json(&plain(&value, &own)?, indentation(&arguments, 4)?)
    });
    environment.add_filter("from_json", |text: &str| {
        serde_json::from_str::<serde_json::Value>(text)
            .map(|data| Value::from(Serde(data)))
            .map_err(|error| failed(format!("this is not JSON: {error}")))
    });
    environment.add_filter("from_toml", |text: &str| {
        toml::from_str::<toml::Table>(text)
            .map(|table| Value::from(Serde(from_toml(toml::Value::Table(table)))))
            .map_err(|error| failed(format!("this is not TOML: {}", error.message())))
    });
    let own = budget.clone();
    environment.add_filter("to_toml", move |value: Value| {
        let value = plain(&value, &own)?;
        let toml = toml::Value::try_from(&value)
            .map_err(|error| failed(format!("this cannot be TOML: {error}")))?;
        match toml {
            toml::Value::Table(table) => toml::to_string(&table)
                .map_err(|error| failed(format!("this cannot be TOML: {error}"))),
            other => Ok(other.to_string()),
        }
    });
    for name in ["to_yaml", "to_nice_yaml"] {
        let own = budget.clone();
        environment.add_filter(name, move |value: Value, arguments: Kwargs| {
            Ok::<_, Error>(yaml::block(&plain(&value, &own)?, indentation(&arguments, 2)?.max(1)))
        });
    }
    environment
        .add_filter("b64encode", |text: Value| bytes(&text).map(|bytes| STANDARD.encode(bytes)));
    environment.add_filter("b64decode", |text: &str| {
        let bytes = STANDARD
            .decode(text.trim())
            .map_err(|error| failed(format!("this is not base64: {error}")))?;
        String::from_utf8(bytes).map_err(|_| failed("the decoded bytes are not UTF-8 text"))
    });
    environment.add_filter("sha256", |text: Value| bytes(&text).map(|bytes| sha256(&bytes)));
    environment.add_filter("sha512", |text: Value| bytes(&text).map(|bytes| sha512(&bytes)));
    environment.add_filter("hash", |text: Value, name: &str| match name {
        "sha256" => bytes(&text).map(|bytes| sha256(&bytes)),
        "sha512" => bytes(&text).map(|bytes| sha512(&bytes)),
        _ => Err(failed(format!("there is no hash {}: use sha256 or sha512", brief(name)))),
    });
}

/// Plain data; a date is its text.
fn from_toml(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(integer) => integer.into(),
        toml::Value::Float(float) => float.into(),
        toml::Value::Boolean(boolean) => boolean.into(),
        toml::Value::Datetime(datetime) => datetime.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(from_toml).collect(),
        toml::Value::Table(table) => {
            table.into_iter().map(|(key, value)| (key, from_toml(value))).collect()
        }
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>, Error> {
    match value.as_bytes() {
        Some(bytes) => Ok(bytes.to_vec()),
        None if value.is_undefined() => Err(ErrorKind::UndefinedError.into()),
        None if value.is_number() => Ok(value.to_string().into_bytes()),
        None => Err(failed("this filter takes a string")),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        text
    })
}

fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn sha512(bytes: &[u8]) -> String {
    hexadecimal(&Sha512::digest(bytes))
}

fn json(value: &serde_json::Value, indent: usize) -> Result<String, Error> {
    if indent == 0 {
        return serde_json::to_string(value).map_err(|error| failed(error.to_string()));
    }
    let spaces = " ".repeat(indent);
    let mut output = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut output, formatter);
    value.serialize(&mut serializer).map_err(|error| failed(error.to_string()))?;
    String::from_utf8(output).map_err(|_| failed("the output is not UTF-8"))
}
