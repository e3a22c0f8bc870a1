//! What `validate --format sarif` writes, before the schema that OASIS publishes with SARIF 2.1.0 and a
//! validator that knows nothing of us.

use std::path::PathBuf;
use std::process::Command;
use steadfast_tests::documents::program;

/// Complains of the file, given after the schema, on standard output.
const VALIDATOR: &str = r"
import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
for error in kind(schema).iter_errors(json.load(open(sys.argv[2]))):
    print('/'.join(str(part) for part in error.path), error.message[:300])
";

fn schema() -> PathBuf {
    let path = std::env::var_os("STEADFAST_SARIF_SCHEMA");
    path.map(PathBuf::from).expect("tests/run says in STEADFAST_SARIF_SCHEMA where the schema is")
}

fn complaints(log: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a scratch file");
    std::fs::write(file.path(), log).expect("a file");
    let output = Command::new("/usr/bin/python3")
        .args(["-c", VALIDATOR])
        .arg(schema())
        .arg(file.path())
        .output()
        .expect("the validator runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn log(files: &[(&str, &str)]) -> String {
    let repository = tempfile::tempdir().expect("a scratch directory");
    for (path, text) in files {
        let path = repository.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    let output = Command::new(program())
        .args(["validate", "--format", "sarif"])
        .arg(repository.path())
        .output()
        .expect("the program runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn findings_are_sarif() {
    let site = "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";
    for (files, found) in [
        (vec![("site.toml", site), ("policies/web.toml", "")], 0),
        // Without a place.
        (vec![("policies/web.toml", "")], 1),
        // With related places and facts, a place at the end of a file, odd names.
        (
            vec![
                ("site.toml", site),
                (
                    "policies/web.toml",
                    "[package.nginx]\n[package.nginx]\n[file.\"/ü\"]\ncontent = \"{{ facts.os.codename }}\"\nmode = 1",
                ),
                ("policies/a b.toml", "x = ["),
                ("data/ü:1.toml", "x = \"\u{1f600}\"\n= 1\n"),
            ],
            2,
        ),
    ] {
        let log = log(&files);
        assert_eq!(complaints(&log), "", "{log}");
        let value: serde_json::Value = serde_json::from_str(&log).expect("JSON");
        let results = value["runs"][0]["results"].as_array().expect("results").len();
        assert!(results >= found, "{results} results in {log}");
        let without = log.replace("\"version\": \"2.1.0\"", "\"version\": \"2.1\"");
        let without = without.replace("\"version\":\"2.1.0\"", "\"version\":\"2.1\"");
        assert_ne!(complaints(&without), "", "the validator refuses nothing");
    }
}
