//! A plan as a person reads it.

use std::fmt::Write;

use steadfast_resources::{Change, Shown};

use super::plan_document::{PlanDocument, PlannedResource};
use super::style::{Style, printable, printable_lines};
use crate::report::display_reference;

/// The whole plan as text.
pub fn plan_text(plan: &PlanDocument, style: Style) -> String {
    let mut text = String::new();
    let commit = plan.commit.as_deref().map(|id| format!(" at {}", short(id))).unwrap_or_default();
    let _ = writeln!(
        text,
        "{} for {} from {}{commit}\n",
        style.strong("Plan"),
        printable(&plan.host),
        printable(&plan.source)
    );
    // What nobody looks at is counted, not listed.
    for resource in plan.resources.iter().filter(|resource| resource.intent != "skip") {
        text.push_str(&resource_text(resource, style));
    }
    for warning in &plan.warnings {
        let _ = writeln!(text, "{} {}", style.change("warning:"), printable(warning));
    }
    for note in &plan.notes {
        let _ = writeln!(text, "{} {}", style.change("note:"), printable(note));
    }
    text.push_str(&totals(plan, style));
    if !plan.selection.is_all() {
        let _ = writeln!(
            text,
            "Only what {} selects was looked at.",
            printable(&plan.selection.to_string())
        );
    }
    if plan.mode == "audit" {
        text.push_str(
            "This host is in audit mode: applying reports all this and changes nothing.\n",
        );
    }
    text
}

fn resource_text(resource: &PlannedResource, style: Style) -> String {
    let mut text = String::new();
    let creates = resource
        .steps
        .iter()
        .flat_map(|step| &step.changes)
        .any(|change| change.property == "ensure" && change.before == Shown::Absent);
    let (sign, word) = match resource.intent.as_str() {
        "fail" => (style.bad("!"), style.bad("would fail")),
        "blocked" => (style.bad("!"), style.bad("would be blocked")),
        "none" => (style.faint("·"), style.faint("in sync")),
        "notify" => (style.change("~"), style.change("notified")),
        "drift" => (style.change("~"), style.change("drift")),
        "drift_only" => (style.uncertain("≠"), style.uncertain("drift, not enforced")),
        _ if creates => (style.good("+"), style.good("new")),
        _ => (style.change("~"), style.change("change")),
    };
    let place = format!("{}:{}", resource.file, resource.line);
    let _ = writeln!(
        text,
        "{sign} {}  {word}  {}",
        style.strong(printable(&display_reference(&resource.kind, &resource.title))),
        style.faint(printable(&place))
    );
    if let Some(condition) = &resource.condition {
        let _ = writeln!(text, "    {} {}", style.uncertain("conditional:"), printable(condition));
    }
    for step in &resource.steps {
        let _ = writeln!(text, "    {}", printable(&step.summary));
        for change in &step.changes {
            text.push_str(&change_text(change, style));
        }
    }
    if let Some(refresh) = &resource.refresh {
        let by = resource.notified_by.join(", ");
        let _ = writeln!(text, "    {} (notified by {})", printable(refresh), printable(&by));
    }
    if let Some(failure) = &resource.failure {
        let _ = writeln!(text, "    {}", printable(&failure.reason));
        if let Some(hint) = &failure.hint {
            let _ = writeln!(text, "    {} {}", style.good("help:"), printable(hint));
        }
    }
    if let Some(cause) = &resource.blocked_by {
        let _ = writeln!(text, "    it rests on {}, which would fail", printable(cause));
    }
    for note in &resource.notes {
        let _ = writeln!(text, "    {} {}", style.faint("note:"), printable(note));
    }
    text.push('\n');
    text
}

/// One changed property: its values, and the diff where there is one.
pub(super) fn change_text(change: &Change, style: Style) -> String {
    let property = printable(&change.property);
    match &change.diff {
        Some(diff) => {
            format!("      {property}:\n{}", style.diff(&printable_lines(diff), "        "))
        }
        None => format!(
            "      {property}: {} → {}\n",
            style.bad(printable(&change.before.to_string())),
            style.good(printable(&change.after.to_string()))
        ),
    }
}

fn totals(plan: &PlanDocument, style: Style) -> String {
    let count = |intents: &[&str]| {
        plan.resources.iter().filter(|r| intents.contains(&r.intent.as_str())).count()
    };
    let mut parts = vec![format!("{} in sync", plan.in_sync)];
    let changes = count(&["change"]);
    let drift = count(&["drift"]);
    let only = count(&["drift_only"]);
    let notified = count(&["notify"]);
    let failing = count(&["fail", "blocked"]);
    if changes > 0 {
        parts.push(style.change(format!("{changes} to change")));
    }
    if drift > 0 {
        parts.push(style.change(format!("{drift} drifted, to be corrected")));
    }
    if only > 0 {
        parts.push(style.uncertain(format!("{only} drifted, not enforced")));
    }
    if notified > 0 {
        parts.push(style.change(format!("{notified} to be notified")));
    }
    if failing > 0 {
        parts.push(style.bad(format!("{failing} would fail or be blocked")));
    }
    let skipped = count(&["skip"]);
    if skipped > 0 {
        parts.push(style.faint(format!("{skipped} skipped")));
    }
    let nothing =
        if changes + drift + only + notified + failing == 0 { " Nothing to do." } else { "" };
    let noun = if plan.total == 1 { "resource" } else { "resources" };
    format!("{} {noun}: {}.{nothing}\n", plan.total, parts.join(", "))
}

/// The first twelve digits of a commit's id.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
