//! What the agent reads back as JSON: reports, listings, plans, facts.

use serde::Serialize;
use serde::de::DeserializeOwned;
use steadfast::output::{PlanDocument, Style, plan_text, report_text, resource_text, summary_line};
use steadfast::report::{ListedResource, Report};
use steadfast_policies::{Inputs, evaluate_policy};
use steadfast_resources::Registry;

use super::Memory;

/// Uses facts in all the ways there are.
const POLICY: &str = r#"
[file."/a"]
content = "{{ facts | to_json }}{{ facts | to_yaml }}{{ facts.hostname | default('none') }}"
[file."/b"]
content = "{% for name in facts %}{{ name }}={{ facts[name] }}\n{% endfor %}"
when = "facts.os is defined"
[file."/c/{{ item.key }}"]
for_each = "facts"
content = "{{ item.value }}"
"#;

/// Reads `bytes` as each of the documents.
pub fn report(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(report) = serde_json::from_str::<Report>(text) {
        show_report(&report);
        let listing: Vec<ListedResource> = report
            .resources
            .iter()
            .map(|resource| ListedResource {
                kind: resource.kind.clone(),
                title: resource.title.clone(),
                file: resource.file.clone(),
                line: resource.line,
            })
            .collect();
        read_again(&report);
        let count = report.resources.len();
        let completed = report.completed(&listing);
        assert_eq!(completed.resources.len(), count, "completing loses or adds resources");
        show_report(&completed);
    }
    if let Ok(listing) = serde_json::from_str::<Vec<ListedResource>>(text) {
        read_again(&listing);
    }
    if let Ok(plan) = serde_json::from_str::<PlanDocument>(text) {
        for coloured in [false, true] {
            assert!(plan_text(&plan, Style::new(coloured)).ends_with('\n'));
        }
        assert_eq!(plan.difference(&plan.clone()), None, "a plan differs from itself");
        let again = read_again(&plan);
        assert_eq!(plan.difference(&again), None, "a plan differs from what was written of it");
    }
    if let Ok(facts) = serde_json::from_str::<serde_json::Value>(text) {
        let inputs = Inputs { facts, ..Inputs::default() };
        let repository = Memory::split(b"");
        let registry = Registry::standard();
        let evaluate = || evaluate_policy(&repository, "p.toml", POLICY, &inputs, &registry);
        let digest = evaluate().map(|catalog| catalog.digest);
        assert_eq!(digest, evaluate().map(|catalog| catalog.digest), "two evaluations differ");
    }
}

fn show_report(report: &Report) {
    for coloured in [false, true] {
        let style = Style::new(coloured);
        let text = report_text(report, style);
        assert!(text.ends_with(&summary_line(report, style)), "the totals are missing");
        for resource in &report.resources {
            assert!(!resource_text(resource, style).is_empty());
        }
        let control =
            |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t' | '\u{1b}');
        assert!(!text.contains(control), "a control character reaches the terminal");
        assert!(coloured || !text.contains('\u{1b}'), "an escape sequence reaches the terminal");
    }
}

/// What is written of `document` can be read, and is the same written again.
fn read_again<T: Serialize + DeserializeOwned>(document: &T) -> T {
    let written = serde_json::to_string(document).expect("a document can be written");
    let again: T = serde_json::from_str(&written).expect("what was written can be read");
    let twice = serde_json::to_string(&again).expect("a document can be written");
    assert_eq!(written, twice, "a document changes when it is written and read");
    again
}
