//! Workflow commands of GitHub Actions: each finding becomes an annotation of the change.

use std::fmt::Write;

use steadfast_policies::{Diagnostic, Diagnostics, Severity};

use super::below;

/// A workflow command for each finding. `prefix` is where the policy repository is in the Git
/// repository.
pub fn github(findings: &Diagnostics, prefix: &str) -> String {
    let mut text = String::new();
    for finding in findings {
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let _ = write!(text, "::{level} ");
        if let Some(place) = &finding.place {
            let file = property(&below(prefix, &place.file));
            let _ = write!(text, "file={file},line={},col={},", place.line, place.column);
            // Without an `endLine` the annotation is on one line, as columns demand.
            let _ = write!(text, "endColumn={},", place.end_column());
        }
        let title = property(finding.code.as_str());
        let _ = writeln!(text, "title={title}::{}", data(&message(finding)));
    }
    text
}

fn message(finding: &Diagnostic) -> String {
    let mut text = finding.message.clone();
    for line in finding.facts_in_words().iter().chain(&finding.hint) {
        let _ = write!(text, "\n{line}");
    }
    for related in &finding.related {
        let _ = write!(text, "\n{}: {}", related.place, related.message);
    }
    text
}

/// The message of a command. What would end or begin a command is escaped, as the toolkit of
/// GitHub Actions does.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a colon or comma would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_from_a_command() {
        for (text, expected_data, expected_property) in [
            ("plain", "plain", "plain"),
            ("100%\r\n::error::x", "100%25%0D%0A::error::x", "100%25%0D%0A%3A%3Aerror%3A%3Ax"),
            ("%0A", "%250A", "%250A"),
            ("a,b", "a,b", "a%2Cb"),
        ] {
            assert_eq!(data(text), expected_data);
            assert_eq!(property(text), expected_property);
        }
    }
}
