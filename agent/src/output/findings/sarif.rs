//! SARIF 2.1.0 (OASIS): what code hosts and editors read findings from.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use steadfast_policies::{Code, Diagnostic, Diagnostics, Location, Severity};

use super::below;

/// The findings as one run of a SARIF log. `prefix` is where the policy repository is in the Git
/// repository.
pub fn sarif(findings: &Diagnostics, prefix: &str) -> Value {
    let rules: Vec<Value> = Code::ALL.iter().map(|code| rule(*code)).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, prefix)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "steadfast",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            // Columns count characters, as the places of findings do.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    let words = code.as_str().split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    json!({
        "id": code.as_str(),
        "name": words.collect::<String>(),
        "shortDescription": { "text": format!("{}.", code.summary()) },
        "defaultConfiguration": {
            "level": if code == Code::Unused { "warning" } else { "error" },
        },
    })
}

fn result(finding: &Diagnostic, prefix: &str) -> Value {
    let index = Code::ALL.iter().position(|code| *code == finding.code).unwrap_or_default();
    let mut text = format!("{}.", finding.message);
    for more in finding.facts_in_words().iter().chain(&finding.hint) {
        text.push('\n');
        text.push_str(more);
    }
    let mut result = Map::new();
    result.insert("ruleId".into(), finding.code.as_str().into());
    result.insert("ruleIndex".into(), index.into());
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    result.insert("level".into(), level.into());
    result.insert("message".into(), json!({ "text": text }));
    if let Some(place) = &finding.place {
        let location = json!({ "physicalLocation": physical(place, prefix) });
        result.insert("locations".into(), json!([location]));
    }
    if !finding.related.is_empty() {
        let related: Vec<Value> = finding
            .related
            .iter()
            .enumerate()
            .map(|(id, related)| {
                json!({
                    "id": id,
                    "message": { "text": related.message },
                    "physicalLocation": physical(&related.place, prefix),
                })
            })
            .collect();
        result.insert("relatedLocations".into(), related.into());
    }
    if !finding.facts.is_empty() {
        result.insert("properties".into(), json!({ "facts": finding.facts }));
    }
    Value::Object(result)
}

fn physical(place: &Location, prefix: &str) -> Value {
    json!({
        "artifactLocation": {
            "uri": uri(&below(prefix, &place.file)),
            "uriBaseId": "%SRCROOT%",
        },
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.line,
            "endColumn": place.end_column(),
        },
    })
}

/// A path as a relative reference (RFC 3986): everything but unreserved characters and `/` is
/// escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_references() {
        for (path, expected) in [
            ("policies/web.toml", "policies/web.toml"),
            ("a b/ü:1%.toml", "a%20b/%C3%BC%3A1%25.toml"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
