//! A report as a person reads it.

use std::fmt::Write;

use super::plan_text::{change_text, short};
use super::style::{Style, printable, printable_lines};
use crate::report::{Outcome, Report, ResourceReport, ResourceState};

/// The whole report as text: every resource that was not simply in sync, then the totals.
pub fn report_text(report: &Report, style: Style) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} {} on {}",
        style.strong("Run"),
        printable(&report.id),
        printable(&report.host)
    );
    let mut origin = printable(&report.revision.source);
    if let Some(commit) = &report.revision.commit {
        let _ = write!(origin, " at {}", printable(short(commit)));
    }
    if let Some(subject) = &report.revision.subject {
        let _ = write!(origin, " ({})", printable(subject));
    }
    let _ = writeln!(text, "  source    {origin}");
    let _ = writeln!(text, "  verified  {}", printable(&report.revision.verification));
    let _ = writeln!(
        text,
        "  started   {} ({}, {}), took {:.2} s",
        printable(&report.started),
        printable(&report.trigger),
        printable(&report.mode),
        report.duration
    );
    for order in &report.overrides {
        let _ = writeln!(text, "  {}", style.change(printable(&order.to_string())));
    }
    for message in &report.messages {
        let _ = writeln!(text, "  {} {}", style.change("note:"), printable(message));
    }
    text.push('\n');
    for resource in &report.resources {
        if resource.state != ResourceState::InSync || !resource.notes.is_empty() {
            text.push_str(&resource_text(resource, style));
        }
    }
    text.push_str(&summary_line(report, style));
    text
}

/// One resource: what happened, who did it before, and why.
pub fn resource_text(resource: &ResourceReport, style: Style) -> String {
    let word = match resource.state {
        ResourceState::InSync if resource.notified.is_some() => style.change("notified"),
        ResourceState::InSync => style.faint("in sync"),
        ResourceState::Changed if resource.steps.is_empty() && resource.notified.is_some() => {
            style.change("notified")
        }
        ResourceState::Changed => style.good("changed"),
        ResourceState::Corrected => style.change("corrected"),
        ResourceState::Drifted => style.uncertain("drifted"),
        ResourceState::Failed => style.bad("failed"),
        ResourceState::Blocked => style.bad("blocked"),
        ResourceState::Skipped => style.faint("skipped"),
        ResourceState::NotReached => style.bad("not reached"),
    };
    let place = format!("{}:{}", resource.file, resource.line);
    let mut text = format!(
        "{word}  {}  {}\n",
        style.strong(printable(&resource.reference())),
        style.faint(printable(&place))
    );
    if let Some(reason) = &resource.reason {
        let _ = writeln!(text, "    {}", printable(reason));
    }
    if let Some(hint) = &resource.hint {
        let _ = writeln!(text, "    {} {}", style.good("help:"), printable(hint));
    }
    if let Some(output) = &resource.output {
        for line in printable_lines(output).lines() {
            let _ = writeln!(text, "    {} {line}", style.faint("|"));
        }
    }
    for step in &resource.steps {
        let _ = writeln!(text, "    {}", printable(step));
    }
    for change in &resource.changes {
        text.push_str(&change_text(change, style));
    }
    if let Some(actor) = &resource.actor {
        let _ = writeln!(text, "    {} {}", style.faint("by"), printable(&actor.to_string()));
    }
    if let Some(notified) = &resource.notified {
        let _ = writeln!(text, "    {}", printable(notified));
    }
    if resource.differs_from_plan {
        let _ = writeln!(text, "    {} the steps differ from the plan", style.faint("note:"));
    }
    for note in &resource.notes {
        let _ = writeln!(text, "    {} {}", style.faint("note:"), printable(note));
    }
    text
}

/// The totals in one line, and what is still owed.
pub fn summary_line(report: &Report, style: Style) -> String {
    let counts = &report.counts;
    let mut parts = Vec::new();
    let mut part = |count: u32, word: &str, paint: &dyn Fn(String) -> String| {
        if count > 0 {
            parts.push(paint(format!("{count} {word}")));
        }
    };
    part(counts.in_sync, "in sync", &|text| text);
    part(counts.changed, "changed", &|text| style.good(text));
    part(counts.corrected, "corrected", &|text| style.change(text));
    part(counts.drifted, "drifted", &|text| style.uncertain(text));
    part(counts.failed, "failed", &|text| style.bad(text));
    part(counts.blocked, "blocked", &|text| style.bad(text));
    part(counts.skipped, "skipped", &|text| text);
    part(counts.not_reached, "not reached", &|text| style.bad(text));
    part(counts.notified, "notified", &|text| style.change(text));
    let outcome = match report.outcome {
        Outcome::Converged => style.good("converged, nothing to do"),
        Outcome::Changed => style.good("changed"),
        Outcome::Corrected => style.change("drift corrected"),
        Outcome::Drifted => style.uncertain("drifted"),
        Outcome::Failed => style.bad("failed"),
        Outcome::Interrupted => style.bad("interrupted"),
        Outcome::Refused => style.bad("refused"),
    };
    let noun = if counts.total == 1 { "resource" } else { "resources" };
    let mut text = format!(
        "{outcome}: {} {noun}: {} ({:.2} s)\n",
        counts.total,
        parts.join(", "),
        report.duration
    );
    for owed in &report.owed {
        let target = crate::report::display_reference(&owed.target_kind, &owed.target_title);
        let _ = writeln!(
            text,
            "{} {} is still to be notified of {} (since {})",
            style.change("owed:"),
            printable(&target),
            printable(&owed.source),
            printable(&owed.since)
        );
    }
    text
}
