//! The documents that this repository ships: examples of kinds, cases of the conformance suite,
//! policy repositories, the documentation.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use steadfast_resources::Registry;
use steadfast_tests::documents::repositories;

use crate::judges::Topic;

/// A TOML document.
pub(crate) struct Document {
    pub(crate) topic: Topic,
    /// Where it is from.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn new(topic: Topic, name: &str, text: &str) -> Self {
        Self { topic, name: name.to_owned(), text: text.to_owned() }
    }
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    policies: Vec<String>,
}

/// Everything that must pass.
pub(crate) fn shipped() -> Vec<Document> {
    let mut documents = Vec::new();
    for kind in Registry::standard().kinds() {
        let declared = kind.declaration();
        documents.push(Document::new(Topic::Policy, declared.name, declared.example));
        let cases: Cases = toml::from_str(declared.conformance).expect("cases");
        for case in cases.case {
            for policy in &case.policies {
                documents.push(Document::new(Topic::Policy, &case.name, policy));
            }
        }
    }
    documents.push(Document::new(Topic::Agent, "agent.toml", &read("packaging/agent.toml")));
    let examples = root().join("policies/examples");
    walk(&examples, &mut |path| {
        let relative = path.strip_prefix(&examples).unwrap_or(path).to_string_lossy().into_owned();
        let inside = relative.split_once('/').map_or("", |(_, inside)| inside);
        if let Some(topic) = topic(inside) {
            let text = std::fs::read_to_string(path).expect("an example");
            documents.push(Document::new(topic, &relative, &text));
        }
    });
    walk(&root().join("docs"), &mut |path| {
        let page = std::fs::read_to_string(path).expect("a page");
        for shown in repositories(&page) {
            for (inside, text) in &shown.files {
                if let Some(topic) = topic(inside) {
                    let name = format!("{}, {}: {inside}", path.display(), shown.section);
                    documents.push(Document::new(topic, &name, text));
                }
            }
        }
    });
    documents
}

/// What sort of file the one at `path` in a policy repository is, if one that has a schema.
fn topic(path: &str) -> Option<Topic> {
    let directory = path.split('/').next().unwrap_or_default();
    match directory {
        _ if Path::new(path).extension().is_none_or(|suffix| suffix != "toml") => None,
        "site.toml" => Some(Topic::Site),
        "policies" => Some(Topic::Policy),
        "tests" if !path.starts_with("tests/facts/") => Some(Topic::Tests),
        _ => None,
    }
}

/// The text of a file of this repository.
pub(crate) fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn walk(directory: &Path, visit: &mut impl FnMut(&Path)) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}
