//! JSON Schema (draft 07, which TOML editors understand best) of the files that people write, and
//! of the documents that the program prints.
//!
//! Absent: what rests on a host, on other files, or on what an expression yields. A schema refers
//! to nothing outside itself.

mod agent;
mod attribute;
mod cases;
mod form;
mod policy;
mod reported;
mod table;

#[cfg(test)]
mod tests;

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use steadfast_policies::declaration::SITE_FILE;
use steadfast_resources::Registry;

use crate::output::{DriftDocument, HISTORY_SCHEMA, RunsDocument};
use crate::report::{Report, SCHEMA};

/// A sort of file that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topic {
    /// A policy: policies/NAME.toml or policies/NAME/policy.toml
    Policy,
    /// The site: site.toml
    Site,
    /// Cases: tests/*.toml
    Tests,
    /// The agent's configuration: agent.toml and agent.toml.d/*.toml
    Agent,
    /// A run's report: `report --json`, `apply --json`
    Report,
    /// A list of runs: `report --list --json`
    Runs,
    /// Drift: `drift --json`
    Drift,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Policy, Self::Site, Self::Tests, Self::Agent, Self::Report, Self::Runs, Self::Drift];

    /// Those of what the program prints, not of what people write.
    pub const PRINTED: [Self; 3] = [Self::Report, Self::Runs, Self::Drift];

    /// The name of the file that holds its schema.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Policy => "policy.json",
            Self::Site => "site.json",
            Self::Tests => "tests.json",
            Self::Agent => "agent.json",
            Self::Report => "report.json",
            Self::Runs => "runs.json",
            Self::Drift => "drift.json",
        }
    }
}

/// The schema of `topic`, with the kinds of `registry`.
pub fn schema(topic: Topic, registry: &Registry) -> Value {
    match topic {
        Topic::Policy => policy::schema(registry),
        Topic::Site => document("site.toml", table::schema(&SITE_FILE)),
        Topic::Tests => cases::schema(registry),
        Topic::Agent => agent::schema(),
        Topic::Report => reported::schema::<Report>("a run's report", SCHEMA),
        Topic::Runs => reported::schema::<RunsDocument>("a list of runs", HISTORY_SCHEMA),
        Topic::Drift => reported::schema::<DriftDocument>("episodes of drift", HISTORY_SCHEMA),
    }
}

/// The schema of `topic` as text.
pub fn text(topic: Topic, registry: &Registry) -> String {
    format!("{:#}\n", schema(topic, registry))
}

/// A whole schema: `content`, said to be one.
fn document(what: &str, content: Value) -> Value {
    let mut whole = Map::new();
    whole.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    whole.insert("title".into(), json!(format!("Steadfast: {what}")));
    if let Value::Object(content) = content {
        whole.extend(content);
    }
    Value::Object(whole)
}

/// `schema` with a description (and a default) for people.
fn described(schema: Value, documentation: &str, default: Option<&str>) -> Value {
    let mut whole = Map::new();
    let text = match default {
        Some(default) => format!("{documentation}\n\nDefault: {default}."),
        None => documentation.to_owned(),
    };
    whole.insert("description".into(), json!(text));
    if let Value::Object(schema) = schema {
        whole.extend(schema);
    }
    Value::Object(whole)
}
