//! The filters and functions on top of Jinja's own, named as Ansible and Salt authors know them.
//!
//! All are pure. An undefined value is an error in each of them except `default` and `mandatory`'s
//! like.

mod addresses;
mod collections;
mod declarations;
mod encodings;
mod expressions;
mod limited;
mod limits;
mod methods;
mod texts;
mod versions;
mod yaml;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

use limits::Limited;

use super::budget::Budget;
use super::library::{Known, Library, Resolved, resolve};
use crate::diagnostics::suggest::did_you_mean;

pub use declarations::{Declarations, FilterDeclaration, declarations, example};
pub(crate) use declarations::{names, tests};

/// How the message of a missing file begins.
pub(crate) const NO_FILE: &str = "there is no file ";

/// Filters of others that are called otherwise here, or are left out, and what to write.
const ELSEWHERE: &[(&str, &str)] = &[
    ("base64_decode", "write `b64decode`"),
    ("base64_encode", "write `b64encode`"),
    ("checksum", "write `sha256`"),
    ("community.general.json_query", "write `map`, `selectattr` and the like"),
    ("from_yaml", "YAML is not read here: write it as TOML or JSON, `from_toml` or `from_json`"),
    ("from_yaml_all", "YAML is not read here: write it as TOML or JSON"),
    ("ipsubnet", "write `ipaddr('subnet')`, `nthhost(n)`"),
    ("json", "write `to_json`"),
    ("json_query", "write `map`, `selectattr` and the like"),
    ("md5", "MD5 protects nothing: write `sha256`"),
    ("password_hash", "give the hash itself, made once with `mkpasswd`: a salt is random"),
    ("sha1", "SHA-1 protects nothing: write `sha256`"),
    ("to_bool", "write `bool`"),
    ("yaml", "write `to_yaml`"),
    ("yaml_dquote", "write `to_json`: it is YAML, too"),
    ("yaml_encode", "write `to_json`: it is YAML, too"),
];

/// Adds ours to `environment`; all of them count against `budget`.
pub(crate) fn install(environment: &mut Environment<'static>, budget: &Budget) {
    let own = budget.clone();
    environment.set_unknown_method_callback(move |state, value, method, arguments| {
        methods::call(&own, state, value, method, arguments)
    });
    let environment = &mut Limited { environment, budget: budget.clone() };
    limited::install(environment);
    encodings::install(environment, budget);
    expressions::install(environment, budget);
    collections::install(environment, budget);
    addresses::install(environment);
    texts::install(environment);
    versions::install(environment);
    environment.add_filter("basename", |path: Cow<'_, str>| {
        path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
    });
    environment.add_filter("dirname", |path: Cow<'_, str>| {
        match path.trim_end_matches('/').rfind('/') {
            Some(0) => "/".to_owned(),
            Some(at) => path.get(..at).unwrap_or_default().trim_end_matches('/').to_owned(),
            None => String::new(),
        }
    });
    // The most used of all: charged here, which is quicker.
    let own = budget.clone();
    environment.environment.add_filter("quote", move |text: Cow<'_, str>| {
        let quoted = quote(&text);
        own.make(quoted.len()).map(|()| quoted)
    });
    environment.add_filter("mandatory", |value: Value| match value.kind() {
        ValueKind::Undefined => {
            Err(Error::new(ErrorKind::UndefinedError, "a mandatory value is undefined"))
        }
        _ => Ok(value),
    });
    environment.add_filter(
        "ternary",
        |condition: Value, yes: Value, no: Value| {
            if condition.is_true() { yes } else { no }
        },
    );
}

/// Whether there is a filter called `name`.
pub(crate) fn exists(name: &str) -> bool {
    names().any(|known| known == name)
}

/// Which filter `name` was probably meant to be.
pub(crate) fn hint(name: &str) -> Option<String> {
    if matches!(name, "now" | "random" | "shuffle" | "strftime" | "uuid" | "lookup" | "env") {
        return Some(
            "policies cannot read the clock, randomness, the environment or the network".to_owned(),
        );
    }
    let elsewhere = ELSEWHERE.iter().find(|(known, _)| *known == name);
    elsewhere.map(|(_, hint)| (*hint).to_owned()).or_else(|| did_you_mean(name, names())).or_else(
        || test_exists(name).then(|| format!("`{name}` is a test: write `value is {name}`")),
    )
}

/// Whether there is a test called `name`.
pub(crate) fn test_exists(name: &str) -> bool {
    tests().any(|known| known == name)
}

/// Which test `name` was probably meant to be.
pub(crate) fn test_hint(name: &str) -> Option<String> {
    if matches!(name, "file" | "exists" | "directory" | "link" | "mount") {
        return Some("an expression cannot look at the host; facts can".to_owned());
    }
    did_you_mean(name, tests())
        .or_else(|| exists(name).then(|| format!("`{name}` is a filter: write `value | {name}`")))
}

/// The function `file(path)` of a policy in `directory`.
pub(crate) fn file_function(library: &Arc<Library>, directory: &str) -> Value {
    let library = Arc::clone(library);
    let directory = directory.to_owned();
    Value::from_function(move |path: &str| {
        let Resolved::Path(resolved) = resolve(&directory, path) else {
            let message = format!("{} is not a path within the policy", brief(path));
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        };
        match library.file(&resolved) {
            Some(Known::Text(text)) => Ok(Value::from(text)),
            Some(Known::Binary) => {
                let message = format!("`{path}` is not UTF-8 text; use `source` to copy it");
                Err(Error::new(ErrorKind::InvalidOperation, message))
            }
            Some(Known::Missing) | None => {
                Err(Error::new(ErrorKind::InvalidOperation, format!("{NO_FILE}`{path}`")))
            }
        }
    })
}

/// How many letters of a value an error quotes.
const MAXIMUM_QUOTED: usize = 40;

/// `value` as an error quotes it: as it would be written, the rest of a long one left out.
fn brief(value: &(impl fmt::Debug + ?Sized)) -> String {
    let mut quoted = Quoted(String::new());
    if write!(quoted, "{value:?}").is_err() {
        quoted.0.push('…');
    }
    quoted.0
}

/// Takes the first letters that are written to it.
struct Quoted(String);

impl fmt::Write for Quoted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAXIMUM_QUOTED.saturating_sub(self.0.chars().count());
        let end = text.char_indices().nth(room).map_or(text.len(), |(end, _)| end);
        self.0.push_str(text.get(..end).unwrap_or_default());
        if end < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The value as plain data; an error where a part of it is undefined or no data at all, or where
/// it is too large.
fn plain(value: &Value, budget: &Budget) -> Result<serde_json::Value, Error> {
    // Making the data and writing it costs several times as much as looking at it.
    const MAKING: usize = 6;
    budget.charge(MAKING * budget.bounded(value)?)?;
    plain_data(value)
}

fn plain_data(value: &Value) -> Result<serde_json::Value, Error> {
    let broken = |what: &str| Error::new(ErrorKind::InvalidOperation, what.to_owned());
    match value.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()?
            .map(|item| plain_data(&item))
            .collect::<Result<_, _>>()
            .map(serde_json::Value::Array),
        ValueKind::Map => {
            let mut map = serde_json::Map::new();
            for key in value.try_iter()? {
                let item = plain_data(&value.get_item(&key)?)?;
                map.insert(key.to_string(), item);
            }
            Ok(serde_json::Value::Object(map))
        }
        ValueKind::Plain | ValueKind::Bytes | ValueKind::Invalid => {
            Err(broken("this is no plain data"))
        }
        _ => serde_json::to_value(value).map_err(|error| broken(&error.to_string())),
    }
}

fn indentation(arguments: &Kwargs, default: usize) -> Result<usize, Error> {
    let indent = arguments.get::<Option<usize>>("indent")?.unwrap_or(default);
    arguments.assert_all_used()?;
    Ok(indent.min(16))
}

/// One word for a POSIX shell.
fn quote(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./-_".contains(&byte);
    if !text.is_empty() && text.bytes().all(safe) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r#"'"'"'"#))
    }
}
