//! What the program prints against the schemas that it publishes, judged by a validator that knows
//! nothing of either.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use steadfast_tests::documents::program;

use crate::judges::{Editor, verdicts};

/// A host on which something of everything has happened.
struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        let host = Self(tempfile::tempdir().expect("a scratch directory"));
        for path in ["host/etc", "host/srv", "settings", "policy/policies"] {
            std::fs::create_dir_all(host.0.path().join(path)).expect("a directory");
        }
        host.write("host/etc/hostname", "web1\n");
        host.write("host/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        host.write("policy/site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n");
        host
    }

    fn write(&self, path: &str, content: &str) {
        std::fs::write(self.0.path().join(path), content).expect("a file");
    }

    fn policy(&self, text: &str) {
        self.write("policy/policies/web.toml", text);
    }

    fn json(&self, line: &str) -> Value {
        let output = Command::new(program())
            .args(line.split(' '))
            .args(["--root", "host", "--json", "--config-dir", "settings"])
            .current_dir(self.0.path())
            .output()
            .expect("the program runs");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{line}: {error}: {}", String::from_utf8_lossy(&output.stderr))
        })
    }
}

const POLICY: &str = r#"
[file."/srv/www"]
ensure = "directory"
[file."/srv/www/a \"b\" <script>"]
content = "hello\n"
mode = "0644"
[file."/srv/secret"]
content = "hidden"
sensitive = true
[file."/srv/watched"]
content = "x"
enforce = false
[file."/nowhere/at/all"]
content = "fails"
tags = ["broken"]
[file."/srv/after"]
content = "is blocked"
require = ["file./nowhere/at/all"]
"#;

/// The schema in which nothing may be that it does not name.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        if let Value::Object(map) = value {
            if map.contains_key("properties") {
                map.insert("additionalProperties".into(), json!(false));
            }
            map.values_mut().for_each(close);
        } else if let Value::Array(items) = value {
            items.iter_mut().for_each(close);
        }
    }
    close(&mut schema);
    schema
}

fn schema(directory: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(directory.join(name)).expect("a schema");
    closed(serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn what_is_printed_is_as_the_published_schemas_say() {
    let host = Host::new();
    host.policy(POLICY);
    let mut reports = vec![host.json("apply policy")];
    host.write("host/srv/www/a \"b\" <script>", "defaced\n");
    host.write("host/srv/secret", "found out\n");
    host.write("host/srv/watched", "y");
    reports.push(host.json("apply policy --audit"));
    reports.push(host.json("apply policy"));
    reports.push(host.json("apply policy --tags broken"));
    reports.push(host.json("report"));
    let states: Vec<&str> = reports
        .iter()
        .flat_map(|report| report["resources"].as_array().expect("resources"))
        .filter_map(|resource| resource["state"].as_str())
        .collect();
    for state in ["in_sync", "changed", "corrected", "drifted", "failed", "blocked", "skipped"] {
        assert!(states.contains(&state), "nothing is {state}: {states:?}");
    }
    let drift =
        [host.json("drift"), host.json("drift --open"), host.json("drift --since 2999-01-01")];
    assert!(drift[0]["open"].as_u64() > Some(0), "{}", drift[0]);
    assert!(drift[0]["episodes"].as_array().map(Vec::len) > Some(2), "{}", drift[0]);
    let runs = [host.json("report --list"), host.json("report --resource file./srv/secret")];
    let editor = Editor::new();
    let cases =
        [("report.json", &reports[..]), ("drift.json", &drift[..]), ("runs.json", &runs[..])];
    for (name, documents) in cases {
        let schema = schema(&editor.path("."), name);
        for (document, verdict) in documents.iter().zip(verdicts(&schema, documents)) {
            assert_eq!(verdict, "", "{name}: {document:#}");
        }
        // The judge would see something missing, something of another type, something unknown.
        let mut wrong = vec![documents[0].clone(), documents[0].clone(), documents[0].clone()];
        wrong[0].as_object_mut().expect("an object").remove("schema");
        wrong[1]["schema"] = json!(2);
        wrong[2]["invented"] = json!(true);
        for verdict in verdicts(&schema, &wrong) {
            assert_ne!(verdict, "", "{name} accepts anything");
        }
    }
}

/// The committed copy in the reference is the one that the program prints.
#[test]
fn the_published_schemas_are_the_programs_own() {
    let editor = Editor::new();
    for name in ["report.json", "drift.json", "runs.json"] {
        let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/schemas");
        let published = std::fs::read_to_string(published.join(name)).expect("a published schema");
        let own = std::fs::read_to_string(editor.path(name)).expect("a schema");
        assert_eq!(published, own, "{name}");
    }
}
