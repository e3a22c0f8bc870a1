//! Who judges a document: the editors' checker, an independent validator, and the program itself.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use steadfast_tests::documents::program;

use serde_json::json;
use steadfast_policies::{Repository, RepositoryError};
use steadfast_resources::Registry;

use crate::corpus::Document;

/// What sort of file a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Policy,
    Site,
    Tests,
    Agent,
}

impl Topic {
    fn schema(self) -> &'static str {
        match self {
            Self::Policy => "policy.json",
            Self::Site => "site.json",
            Self::Tests => "tests.json",
            Self::Agent => "agent.json",
        }
    }
}

/// A scratch directory with every schema in it.
pub(crate) struct Editor {
    directory: tempfile::TempDir,
}

impl Editor {
    pub(crate) fn new() -> Self {
        let editor = Self { directory: tempfile::tempdir().expect("a scratch directory") };
        editor.schemas_into(".");
        editor
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Has the program write its schemas.
    pub(crate) fn schemas_into(&self, directory: &str) {
        let output = Command::new(program())
            .args(["schema", "--all"])
            .arg(self.path(directory))
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }

    /// What the editors' checker says of files, by the schema that they or the directory name.
    pub(crate) fn check(&self, files: &[&str]) -> Result<(), String> {
        self.taplo(&[], files)
    }

    fn taplo(&self, arguments: &[String], files: &[&str]) -> Result<(), String> {
        let output = Command::new(taplo())
            .args(["check", "--colors", "never"])
            .args(arguments)
            .args(files)
            .current_dir(self.directory.path())
            .output()
            .expect("taplo runs");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => Ok(()),
            Some(1) => Err(complaint),
            other => panic!("taplo ended with {other:?}: {complaint}"),
        }
    }

    fn taplo_by_topic(&self, topic: Topic, files: &[&str]) -> Result<(), String> {
        let url = format!("file://{}", self.path(topic.schema()).display());
        self.taplo(&["--schema".to_owned(), url], files)
    }

    /// Every document must pass with the checker and the validator.
    pub(crate) fn accepts(&self, documents: &[Document]) {
        for topic in [Topic::Policy, Topic::Site, Topic::Tests, Topic::Agent] {
            let of_topic: Vec<&Document> =
                documents.iter().filter(|document| document.topic == topic).collect();
            for (document, verdict) in of_topic.iter().zip(self.validator(topic, &of_topic)) {
                assert_eq!(verdict, "", "{}\n{}", document.name, document.text);
            }
            let mut names = Vec::new();
            for (index, document) in of_topic.iter().enumerate() {
                let name = format!("files/{}/{index}.toml", topic.schema());
                self.write(&name, &document.text);
                names.push(name);
            }
            if !names.is_empty() {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                self.taplo_by_topic(topic, &names)
                    .unwrap_or_else(|complaint| panic!("{complaint}"));
            }
        }
    }

    /// Documents that neither checker nor validator takes: what the checker says of each.
    pub(crate) fn refuses(&self, documents: &[Document]) -> Vec<String> {
        for topic in [Topic::Policy, Topic::Site, Topic::Tests, Topic::Agent] {
            let of_topic: Vec<&Document> =
                documents.iter().filter(|document| document.topic == topic).collect();
            for (document, verdict) in of_topic.iter().zip(self.validator(topic, &of_topic)) {
                assert_ne!(verdict, "", "{}\nis accepted by the validator", document.text);
            }
        }
        let complaint = |document: &Document| {
            self.write("mistake.toml", &document.text);
            let complaint = self.taplo_by_topic(document.topic, &["mistake.toml"]);
            complaint.expect_err(&format!("{}\nis accepted by the editor", document.text))
        };
        documents.iter().map(complaint).collect()
    }

    /// What the independent validator says of each document; empty if nothing.
    fn validator(&self, topic: Topic, documents: &[&Document]) -> Vec<String> {
        let schema = std::fs::read_to_string(self.path(topic.schema())).expect("a schema");
        let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
        let parsed: Vec<serde_json::Value> = documents
            .iter()
            .map(|document| {
                let table = toml::from_str(&document.text).unwrap_or_else(|error| {
                    panic!("{}: {error}\n{}", document.name, document.text)
                });
                as_json(&toml::Value::Table(table))
            })
            .collect();
        verdicts(&schema, &parsed)
    }
}

/// What the independent validator says of each of `documents`; empty if nothing.
pub(crate) fn verdicts(schema: &serde_json::Value, documents: &[serde_json::Value]) -> Vec<String> {
    const SCRIPT: &str = "import json, sys, jsonschema\n\
        given = json.load(sys.stdin)\n\
        jsonschema.Draft7Validator.check_schema(given['schema'])\n\
        validator = jsonschema.Draft7Validator(given['schema'])\n\
        messages = lambda document: [error.message for error in validator.iter_errors(document)]\n\
        json.dump(['\\n'.join(messages(each)) for each in given['documents']], sys.stdout)\n";
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let mut child = Command::new("/usr/bin/python3")
        .args(["-I", "-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let mut input = child.stdin.take().expect("standard input");
    let given = json!({ "schema": schema, "documents": documents });
    input.write_all(given.to_string().as_bytes()).expect("python3 listens");
    drop(input);
    let output = child.wait_with_output().expect("python3 ends");
    assert!(output.status.success(), "the validator failed: is python3-jsonschema installed?");
    let verdicts: Vec<String> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(verdicts.len(), documents.len());
    verdicts
}

/// A TOML value as schemas see it: dates are strings.
fn as_json(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(items) => items.iter().map(as_json).collect(),
        toml::Value::Table(table) => table
            .iter()
            .map(|(key, value)| (key.clone(), as_json(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// What the program says against a document on its own; `None` if nothing.
pub(crate) fn program_refuses(document: &Document) -> Option<String> {
    let registry = Registry::standard();
    match document.topic {
        Topic::Policy => {
            let files = Files::new(&[("policies/vhost.toml", "[params]\nport = 80\n")]);
            let found = steadfast_policies::validate_policy(
                &files,
                "policy.toml",
                &document.text,
                &registry,
            );
            found.has_errors().then(|| found.to_string())
        }
        Topic::Site => {
            let files = Files::new(&[
                ("site.toml", document.text.as_str()),
                ("policies/web.toml", "[params]\nport = 80\n"),
            ]);
            let found = steadfast_policies::validate(&files, &registry);
            found.has_errors().then(|| found.to_string())
        }
        Topic::Agent => {
            let directory = tempfile::tempdir().expect("a scratch directory");
            std::fs::write(directory.path().join("agent.toml"), &document.text).expect("a file");
            let settings = steadfast::config::Settings::load(directory.path());
            settings.err().map(|error| error.to_string())
        }
        Topic::Tests => {
            let files = Files::new(&[
                ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"base\"]\n"),
                ("policies/base.toml", ""),
                ("policies/nginx.toml", "[params]\nport = 80\n"),
                ("tests/cases.toml", document.text.as_str()),
            ]);
            let found = steadfast_policies::validate(&files, &registry);
            found.has_errors().then(|| found.to_string())
        }
    }
}

/// A repository in memory.
struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).into(), text.as_bytes().into())).collect())
    }
}

impl Repository for Files {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(self.0.keys().cloned().collect())
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        Ok(self.0.get(path).cloned())
    }
    fn executable(&self, _path: &str) -> Result<bool, RepositoryError> {
        Ok(false)
    }
}

/// The editors' TOML checker, where `tests/run` puts it.
fn taplo() -> PathBuf {
    let path = std::env::var_os("STEADFAST_TAPLO").map_or_else(
        || steadfast_tests::cache_directory().join("taplo-0.9.3/taplo"),
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "there is no taplo at {}: `tests/run editors` installs it",
        path.display()
    );
    path
}
