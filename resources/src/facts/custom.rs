//! Custom facts: what the operator of a host puts into `/etc/steadfast/facts.d/`.
//!
//! - `NAME.toml` and `NAME.json` are read; any other file that may be executed is run and prints
//!   JSON. The value becomes `facts.custom.NAME`.
//! - Only what root alone (or the user who runs this) can change is trusted: the file and every
//!   directory above it, up to the root directory. Everything else is refused.
//! - Whatever is not used is named in a warning, with the reason: no file is ever ignored silently.
//! - A fact that cannot be gathered is absent, so that a policy that needs it is an error instead
//!   of evaluating to something else.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Number, Value};
use thiserror::Error;

use super::machine::{Machine, READ_LIMIT, Tree};
use crate::failure::Failure;
use crate::host::command::{CommandError, OUTPUT_LIMIT, Request, run};

/// Where custom facts are, below the root directory.
pub(super) const DIRECTORY: &str = "/etc/steadfast/facts.d";

/// How long one executable may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a file gives no fact.
#[derive(Debug, Error)]
enum CustomError {
    #[error("cannot be read")]
    Read(#[source] std::io::Error),
    #[error("not trusted: {path} belongs to user {owner}; make it root's (chown root {path})")]
    Owner { path: String, owner: u32 },
    #[error("not trusted: {path} can be written by others; run chmod go-w {path}")]
    Writable { path: String },
    #[error("not trusted: it is a link to {path}, outside the root directory")]
    Outside { path: String },
    #[error("is larger than {} KiB", READ_LIMIT >> 10)]
    Large,
    #[error("is not UTF-8 text")]
    Text,
    #[error("is not JSON: {0}")]
    Json(serde_json::Error),
    #[error("is not TOML: {0}")]
    Toml(String),
    #[error("{path} is {value}, which JSON has no number for")]
    Float { path: String, value: f64 },
    #[error("the name must consist of letters, digits, _ and -, and begin with a letter or _")]
    Name,
    #[error("another file already gives custom.{0}")]
    Duplicate(String),
    #[error(
        "neither *.toml nor *.json nor executable; rename it, make it executable (chmod +x), or \
         take it away"
    )]
    Unknown,
    #[error("not a regular file")]
    Special,
    #[error("is executable, and programs of an image are not run")]
    Image,
    #[error("there was no time left to run it")]
    NoTime,
    #[error(transparent)]
    Run(#[from] CommandError),
    #[error("ended with exit code {code}{}", said(.output))]
    Exit { code: i32, output: String },
    #[error("printed more than {} KiB", OUTPUT_LIMIT >> 10)]
    Flood,
    #[error("printed no JSON: {0}")]
    Printed(serde_json::Error),
}

fn said(output: &str) -> String {
    if output.is_empty() { String::new() } else { format!(": {output}") }
}

/// All custom facts, and a warning for each file that gives none.
pub(super) fn custom(
    machine: &Machine,
    timeout: Duration,
    deadline: Instant,
    warnings: &mut Vec<String>,
) -> Map<String, Value> {
    let mut facts = Map::new();
    let names = match machine.tree.names(DIRECTORY) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return facts,
        Err(error) => {
            warnings.push(warning(DIRECTORY, &CustomError::Read(error)));
            return facts;
        }
    };
    if let Err(error) = trust(&machine.tree, DIRECTORY) {
        warnings.push(warning(DIRECTORY, &error));
        return facts;
    }
    for name in names {
        let path = format!("{DIRECTORY}/{name}");
        match fact(machine, &path, &name, &facts, timeout, deadline) {
            Ok((key, value)) => {
                facts.insert(key, value);
            }
            Err(error) => warnings.push(warning(&path, &error)),
        }
    }
    facts
}

fn warning(path: &str, error: &CustomError) -> String {
    format!("custom fact {path}: {}", Failure::from_error(error).reason)
}

fn fact(
    machine: &Machine,
    path: &str,
    name: &str,
    facts: &Map<String, Value>,
    timeout: Duration,
    deadline: Instant,
) -> Result<(String, Value), CustomError> {
    let (stem, suffix) = match name.rsplit_once('.') {
        Some((stem, suffix)) if !stem.is_empty() => (stem, suffix),
        _ => (name, ""),
    };
    let real = trust(&machine.tree, path)?;
    let metadata = std::fs::metadata(&real).map_err(CustomError::Read)?;
    if !metadata.is_file() {
        return Err(CustomError::Special);
    }
    let data = matches!(suffix, "toml" | "json");
    if !data && metadata.mode() & 0o111 == 0 {
        return Err(CustomError::Unknown);
    }
    let key = checked_name(stem)?;
    if facts.contains_key(key) {
        return Err(CustomError::Duplicate(key.to_owned()));
    }
    let value = match suffix {
        "toml" => toml_value(&read(&machine.tree, path)?)?,
        "json" => serde_json::from_str(&read(&machine.tree, path)?).map_err(CustomError::Json)?,
        _ if machine.live.is_none() => return Err(CustomError::Image),
        _ => printed(&real, timeout, deadline)?,
    };
    Ok((key.to_owned(), value))
}

fn checked_name(stem: &str) -> Result<&str, CustomError> {
    let begins = stem.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if begins && stem.bytes().all(goes_on) { Ok(stem) } else { Err(CustomError::Name) }
}

/// Makes sure that nobody but root and the running user could have put something else at `path`.
/// Returns where it really is.
fn trust(tree: &Tree, path: &str) -> Result<std::path::PathBuf, CustomError> {
    let real = tree.real_path(path).map_err(CustomError::Read)?;
    if !real.starts_with(tree.root()) {
        return Err(CustomError::Outside { path: real.display().to_string() });
    }
    let own = nix::unistd::geteuid().as_raw();
    let mut part: Option<&Path> = Some(&real);
    while let Some(path) = part {
        let metadata = std::fs::symlink_metadata(path).map_err(CustomError::Read)?;
        if metadata.uid() != 0 && metadata.uid() != own {
            return Err(CustomError::Owner {
                path: path.display().to_string(),
                owner: metadata.uid(),
            });
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(CustomError::Writable { path: path.display().to_string() });
        }
        part = if path == tree.root() { None } else { path.parent() };
    }
    Ok(real)
}

fn read(tree: &Tree, path: &str) -> Result<String, CustomError> {
    let content = tree.bytes(path, READ_LIMIT + 1).map_err(CustomError::Read)?;
    if content.len() as u64 > READ_LIMIT {
        return Err(CustomError::Large);
    }
    String::from_utf8(content).map_err(|_| CustomError::Text)
}

fn printed(program: &Path, timeout: Duration, deadline: Instant) -> Result<Value, CustomError> {
    let now = Instant::now();
    if now >= deadline {
        return Err(CustomError::NoTime);
    }
    let request = Request::new([program.to_string_lossy()]);
    let output = run(&request, deadline.min(now + timeout))?;
    if !output.success() {
        return Err(CustomError::Exit { code: output.code, output: output.text() });
    }
    if output.stdout.len() >= OUTPUT_LIMIT {
        return Err(CustomError::Flood);
    }
    serde_json::from_slice(&output.stdout).map_err(CustomError::Printed)
}

fn toml_value(text: &str) -> Result<Value, CustomError> {
    let table: toml::Table =
        toml::from_str(text).map_err(|error| CustomError::Toml(toml_message(text, &error)))?;
    json_value(toml::Value::Table(table), &mut String::new())
}

/// The error in one line, with the line it is on.
fn toml_message(text: &str, error: &toml::de::Error) -> String {
    let place = error.span().and_then(|span| text.get(..span.start));
    match place {
        Some(before) => {
            let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
            format!("line {line}: {}", error.message())
        }
        None => error.message().to_owned(),
    }
}

/// The same value in JSON. A date or time becomes its text.
fn json_value(value: toml::Value, path: &mut String) -> Result<Value, CustomError> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Float(number) => Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| CustomError::Float { path: path.clone(), value: number })?,
        toml::Value::Array(items) => {
            let items: Result<Vec<Value>, CustomError> =
                items.into_iter().map(|item| json_value(item, path)).collect();
            Value::Array(items?)
        }
        toml::Value::Table(table) => {
            let mut object = Map::new();
            for (key, value) in table {
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(&key);
                object.insert(key, json_value(value, path)?);
                path.truncate(length);
            }
            Value::Object(object)
        }
    })
}
