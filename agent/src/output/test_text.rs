//! What came of a repository's own tests, for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};
use steadfast_policies::{CaseFailure, CaseResult, Coverage, TestResults};

use super::style::{Style, printable, printable_lines};

/// A line per case, what failed below it, and what no case saw. The repository's own errors are not
/// part of it.
pub fn test_text(results: &TestResults, style: Style) -> String {
    let mut text = String::new();
    for case in &results.cases {
        case_text(case, style, &mut text);
    }
    if !results.cases.is_empty() {
        text.push('\n');
    }
    let failed = results.cases.iter().filter(|case| !case.passed()).count();
    let passed = results.cases.len() - failed;
    let cases = count(results.cases.len(), "case");
    let failed = format!("{failed} failed");
    let failed = if passed == results.cases.len() { failed } else { style.bad(failed) };
    let _ = writeln!(text, "{cases}: {passed} passed, {failed}");
    // Without cases the list would be all there is.
    if let Some(coverage) = results.coverage.as_ref().filter(|_| !results.cases.is_empty()) {
        coverage_text(coverage, style, &mut text);
    }
    text
}

fn case_text(case: &CaseResult, style: Style, text: &mut String) {
    let place = style.faint(format!("{}:{}", case.file, case.line));
    let word = if case.passed() { style.good("ok    ") } else { style.bad("FAILED") };
    let _ = writeln!(text, "{word}  {}  {place}", printable(&case.name));
    for failure in &case.failures {
        failure_text(failure, style, text);
    }
}

fn failure_text(failure: &CaseFailure, style: Style, text: &mut String) {
    let place = style.strong(format!("{}:{}", failure.file, failure.line));
    let _ = writeln!(text, "    {place}: {}", printable(&failure.message));
    for note in &failure.notes {
        let _ = writeln!(text, "        {}", printable(note));
    }
    if let Some(diff) = &failure.diff {
        text.push_str(&style.diff(&printable_lines(diff), "        "));
    }
}

fn coverage_text(coverage: &Coverage, style: Style, text: &mut String) {
    let _ = write!(
        text,
        "{} of {} seen by a case ({} %)",
        coverage.seen,
        count(coverage.declarations, "declared resource"),
        coverage.percent()
    );
    if coverage.unseen.is_empty() {
        text.push('\n');
        return;
    }
    text.push_str("; not seen:\n");
    for unseen in &coverage.unseen {
        let place = style.faint(format!("{}:{}", unseen.file, unseen.line));
        let _ = writeln!(text, "    {}  {place}", printable(&unseen.resource));
    }
}

fn count(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// The same as a JSON document.
pub fn test_document(results: &TestResults) -> Value {
    let case = |case: &CaseResult| {
        json!({
            "file": case.file,
            "line": case.line,
            "name": case.name,
            "passed": case.passed(),
            "failures": case.failures,
        })
    };
    let mut document = json!({
        "passed": results.passed(),
        "diagnostics": results.diagnostics,
        "cases": results.cases.iter().map(case).collect::<Vec<_>>(),
    });
    if let (Some(coverage), Value::Object(entries)) = (&results.coverage, &mut document) {
        let coverage = json!({
            "declarations": coverage.declarations,
            "seen": coverage.seen,
            "percent": coverage.percent(),
            "unseen": coverage.unseen,
        });
        entries.insert("coverage".into(), coverage);
    }
    document
}
