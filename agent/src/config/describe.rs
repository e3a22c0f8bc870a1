//! The effective settings and where each came from, for `steadfast config`.

use std::fmt;

use serde::Serialize;

use super::document::Raw;
use super::merged::{Located, Merged};
use super::problem::{Origin, Place};
use super::schema::{LABELS, SETTINGS};

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Described {
    /// The table it is in.
    pub table: String,
    /// Its name in that table.
    pub name: String,
    /// The effective value; `None` when it is not set and has no default.
    value: Option<Raw>,
    /// Where the value came from.
    pub origin: Origin,
    /// Where earlier files set it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Place>,
}

impl Described {
    /// The effective value as TOML; `None` when it is not set and has no default.
    pub fn value(&self) -> Option<String> {
        self.value.as_ref().map(as_toml)
    }
}

/// Every setting, in the order of the schema. Prints as a configuration file that has the same
/// effect, each line with a comment that says where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Description {
    settings: Vec<Described>,
}

impl Description {
    /// The settings, in order.
    pub fn settings(&self) -> &[Described] {
        &self.settings
    }

    pub(super) fn of(merged: &Merged) -> Self {
        let described = |table: &str, name: &str, located: Option<&Located>| Described {
            table: table.to_owned(),
            name: name.to_owned(),
            value: located.map(|located| located.value.clone()),
            origin: located.map_or(Origin::Default, |located| located.origin.clone()),
            replaced: located.map(|located| located.replaced.clone()).unwrap_or_default(),
        };
        let declared = SETTINGS.iter().map(|setting| {
            described(setting.table, setting.name, merged.values.get(&setting.key()))
        });
        let labels = merged.values.iter().filter_map(|(key, located)| {
            let name = key.strip_prefix(LABELS)?.strip_prefix('.')?;
            Some(described(LABELS, name, Some(located)))
        });
        Self { settings: declared.chain(labels).collect() }
    }
}

impl fmt::Display for Description {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let assignments: Vec<String> = self.settings.iter().map(assignment).collect();
        let width = assignments.iter().map(|text| text.chars().count()).max().unwrap_or(0).min(60);
        let mut table = "";
        for (setting, text) in self.settings.iter().zip(&assignments) {
            if setting.table != table {
                let gap = if table.is_empty() { "" } else { "\n" };
                writeln!(formatter, "{gap}[{}]", setting.table)?;
                table = &setting.table;
            }
            if setting.value.is_none() {
                writeln!(formatter, "{text}")?;
                continue;
            }
            write!(formatter, "{text:<width$}  # {}", setting.origin)?;
            if let Some(last) = setting.replaced.last() {
                write!(formatter, ", instead of {last}")?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

fn assignment(setting: &Described) -> String {
    match setting.value() {
        Some(value) => format!("{} = {value}", setting.name),
        None => format!("# {} is not set", setting.name),
    }
}

fn as_toml(value: &Raw) -> String {
    match value {
        Raw::Text(text) => toml::Value::String(text.clone()).to_string(),
        Raw::Number(number) => number.to_string(),
        Raw::Boolean(flag) => flag.to_string(),
        Raw::Texts(texts) => {
            let items: Vec<toml::Value> = texts.iter().cloned().map(toml::Value::String).collect();
            toml::Value::Array(items).to_string()
        }
    }
}
