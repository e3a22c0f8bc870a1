//! The documents that this repository ships: examples of kinds, cases of the conformance suite,
//! policy repositories, the documentation.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use steadfast_resources::Registry;

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
        let topic = match inside.split('/').next() {
            Some("site.toml") => Topic::Site,
            Some("policies") => Topic::Policy,
            Some("tests") if !inside.starts_with("tests/facts/") => Topic::Tests,
            _ => return,
        };
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(path).expect("an example");
            documents.push(Document::new(topic, &relative, &text));
        }
    });
    let guide = read("docs/language.md");
    for (mark, topic) in
        [("toml policy", Topic::Policy), ("toml site", Topic::Site), ("toml tests", Topic::Tests)]
    {
        for block in blocks(&guide, mark) {
            documents.push(Document::new(
                topic,
                &format!("docs, line {}", block.line),
                &block.text,
            ));
        }
    }
    documents
}

/// A fenced block of a page.
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The blocks of `page` that begin with a fence and `mark`.
pub(crate) fn blocks(page: &str, mark: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match &mut open {
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => block.text.extend([line, "\n"]),
            None if line.strip_prefix("```") == Some(mark) => {
                open = Some(Block { line: index + 1, text: String::new() });
            }
            None => {}
        }
    }
    blocks
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
