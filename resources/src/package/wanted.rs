//! What a policy asks of a package, checked.

use crate::attributes::AttributeReader;
use crate::host::packages::{Answer, ConfigFiles, PackageName, TransactionOptions};
use crate::value::{Text, Value};

use super::ensure::{Ensure, EnsureError};

/// What a policy asks of one package.
#[derive(Debug)]
pub struct Wanted {
    /// The package, or a name that packages provide.
    pub name: PackageName,
    /// Whether it is there, and in which version.
    pub ensure: Ensure,
    /// Whether it is held; `None` leaves that alone.
    pub hold: Option<bool>,
    /// How it is installed. Overriding holds is decided by the plan.
    pub options: TransactionOptions,
    /// What it is told when it asks.
    pub answers: Vec<Answer>,
    /// The file it comes from, instead of an index.
    pub source: Option<Source>,
}

/// A package file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// On the host.
    Local {
        /// The absolute path.
        path: String,
        /// The SHA-256 in lower case hexadecimal.
        sha256: Option<String>,
    },
    /// To be downloaded.
    Download {
        /// An https URL.
        url: String,
        /// The SHA-256 in lower case hexadecimal.
        sha256: String,
    },
}

pub(super) fn read(title: &str, attributes: &mut AttributeReader<'_>) -> Option<Wanted> {
    let name = match PackageName::parse(title) {
        Ok(name) => Some(name),
        Err(error) => {
            attributes.resource_error(format!("{title:?} is no package name: {error}"));
            None
        }
    };
    let ensure = ensure(attributes);
    let hold = attributes.boolean("hold");
    if hold == Some(true) && ensure.as_ref().is_some_and(Ensure::is_absence) {
        attributes.error("hold", "a package that is to be absent cannot be held");
    }
    let source = source(attributes, ensure.as_ref());
    let options = TransactionOptions {
        recommends: attributes.boolean("recommends").unwrap_or(false),
        config_files: match attributes.text("config_files").map(Text::as_str) {
            Some("replace") => ConfigFiles::Replace,
            _ => ConfigFiles::Keep,
        },
        allow_downgrade: attributes.boolean("allow_downgrade").unwrap_or(false),
        allow_held: false,
        install_options: install_options(attributes),
    };
    let answers = answers(name.as_ref(), attributes);
    if attributes.has_errors() {
        return None;
    }
    Some(Wanted { name: name?, ensure: ensure?, hold, options, answers, source })
}

fn ensure(attributes: &mut AttributeReader<'_>) -> Option<Ensure> {
    let Some(text) = attributes.text("ensure") else { return Some(Ensure::Present) };
    match Ensure::parse(text) {
        Ok(ensure) => Some(ensure),
        Err(error @ EnsureError::Bound(_)) => {
            let hint = "write bounds separated by commas, for instance \">=1.20, <1.25\"";
            attributes.error_with_hint("ensure", error.to_string(), hint);
            None
        }
        Err(EnsureError::Unknown(word)) if ["installed", "enabled", "true"].contains(&&*word) => {
            let message = EnsureError::Unknown(word).to_string();
            attributes.error_with_hint("ensure", message, "write \"present\"");
            None
        }
        Err(error) => {
            let hint = "present, absent, purged, latest, a version that starts with a digit, or a \
                        range such as \">=1.20, <1.25\"";
            attributes.error_with_hint("ensure", error.to_string(), hint);
            None
        }
    }
}

fn source(attributes: &mut AttributeReader<'_>, ensure: Option<&Ensure>) -> Option<Source> {
    let sha256 = sha256(attributes);
    let Some(text) = attributes.text("source") else {
        if attributes.has("sha256") {
            attributes.error("sha256", "there is no `source` that it could belong to");
        }
        return None;
    };
    if ensure == Some(&Ensure::Latest) {
        attributes.error("source", "a package file has no latest version; name the version");
    }
    let text = text.as_str();
    if text.contains(['\0', '\n']) {
        attributes.error("source", "a path or URL has no line breaks");
    } else if text.starts_with("https://") {
        let Some(sha256) = sha256 else {
            if !attributes.has("sha256") {
                attributes.error("source", "an https source needs `sha256`");
            }
            return None;
        };
        return Some(Source::Download { url: text.into(), sha256 });
    } else if text.starts_with('/') && text.split('/').all(|part| part != "..") {
        return Some(Source::Local { path: text.into(), sha256 });
    } else {
        let hint = "an absolute path on the host, or an https URL with `sha256`";
        attributes.error_with_hint("source", format!("{text:?} is neither path nor URL"), hint);
    }
    None
}

fn sha256(attributes: &mut AttributeReader<'_>) -> Option<String> {
    let text = attributes.text("sha256")?;
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(text.to_ascii_lowercase());
    }
    attributes.error("sha256", "a SHA-256 has 64 hexadecimal digits");
    None
}

fn install_options(attributes: &mut AttributeReader<'_>) -> Vec<String> {
    let options: Vec<String> = attributes
        .texts("install_options")
        .unwrap_or_default()
        .into_iter()
        .map(|text| text.as_str().to_owned())
        .collect();
    if options.iter().any(|option| option.is_empty() || option.contains(['\0', '\n'])) {
        attributes.error("install_options", "an option is neither empty nor has line breaks");
    }
    if options.first().is_some_and(|option| !option.starts_with('-')) {
        let message = "the first item has to be an option, starting with \"-\"";
        attributes.error("install_options", message);
    }
    if options.iter().any(|option| option == "--") {
        attributes.error("install_options", "\"--\" would end the options");
    }
    options
}

fn answers(package: Option<&PackageName>, attributes: &mut AttributeReader<'_>) -> Vec<Answer> {
    let Some(Value::Table(table)) = attributes.value("responses") else { return Vec::new() };
    let mut answers = Vec::with_capacity(table.len());
    for (question, value) in table {
        match answer(question, value) {
            Ok((kind, value)) => answers.push(Answer {
                package: package.map(|it| it.name().to_owned()).unwrap_or_default(),
                question: question.clone(),
                kind,
                value,
            }),
            Err(problem) => attributes.error("responses", format!("{question:?}: {problem}")),
        }
    }
    answers
}

/// The type and value of an answer. What debconf-set-selections(1) reads is a line of words, so
/// nothing may hold a line break and only the value spaces.
fn answer(question: &str, value: &Value) -> Result<(String, String), &'static str> {
    if question.is_empty() || question.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("a question's name has no spaces, for instance \"postfix/mailname\"");
    }
    if question.starts_with('#') {
        return Err("a question's name does not start with \"#\"");
    }
    let last = question.rsplit('/').next().unwrap_or(question);
    let by_name =
        if last.to_ascii_lowercase().contains("password") { "password" } else { "string" };
    let (kind, value) = match value {
        Value::Text(text) => (by_name.to_owned(), text.as_str().to_owned()),
        Value::Boolean(value) => ("boolean".to_owned(), value.to_string()),
        Value::Integer(value) => (by_name.to_owned(), value.to_string()),
        Value::Table(parts) => typed_answer(parts)?,
        _ => return Err("an answer is a string, a number, true or false"),
    };
    if value.contains(['\n', '\r', '\0']) {
        return Err("an answer has no line breaks");
    }
    Ok((kind, value))
}

/// `{ type = "select", value = "…" }`.
fn typed_answer(parts: &[(String, Value)]) -> Result<(String, String), &'static str> {
    const SHAPE: &str = "a table has exactly `type` and `value`, both strings";
    const TYPES: &[&str] =
        &["string", "boolean", "select", "multiselect", "note", "text", "password", "title"];
    let part = |wanted: &str| {
        let (_, value) = parts.iter().find(|(name, _)| name == wanted)?;
        if let Value::Text(text) = value { Some(text.as_str().to_owned()) } else { None }
    };
    match (part("type"), part("value"), parts.len()) {
        (Some(kind), Some(value), 2) if TYPES.contains(&kind.as_str()) => Ok((kind, value)),
        (Some(_), Some(_), 2) => Err(
            "`type` is one of string, boolean, select, multiselect, note, text, password, title",
        ),
        _ => Err(SHAPE),
    }
}
