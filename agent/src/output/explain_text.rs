//! An explanation as a person reads it.

mod absent;
mod inputs;

use std::fmt::Write;

use serde_json::Value;
use steadfast_policies::Place;
use steadfast_policies::trace::{Attribute, Expression, Form, Repetition, Subject, Use};

use super::history_text::episode_text;
use super::plan_text::short;
use super::report_text::resource_text;
use super::style::{Style, printable};
use crate::explain::{Change, ChangedFile, ChangedLines, Explanation, Neighbour};
use crate::report::display_reference;

/// The longest value that is shown in one piece, in characters.
const LONGEST_VALUE: usize = 100;

/// How many lines of a longer text are shown.
const MOST_LINES: usize = 12;

/// The whole explanation as text.
pub fn explain_text(explanation: &Explanation, style: Style) -> String {
    let mut text = Text { text: String::new(), style };
    text.head(explanation);
    if let Some(subject) = &explanation.subject {
        text.declared(subject);
    }
    for absent in &explanation.absent {
        text.absent(absent, &explanation.host);
    }
    if !explanation.near.is_empty() {
        let near = listed(&explanation.near);
        let _ = writeln!(text.text, "\n{} did you mean {near}?", style.good("help:"));
    }
    text.touched(explanation);
    if let Some(subject) = &explanation.subject {
        text.attributes(subject, &explanation.files);
        text.order("Comes after", &explanation.after);
        text.order("Comes before", &explanation.before);
    }
    text.runs(explanation);
    for note in &explanation.notes {
        let _ = writeln!(text.text, "\n{} {}", style.faint("note:"), printable(note));
    }
    text.text
}

/// A text in the making.
struct Text {
    text: String,
    style: Style,
}

impl Text {
    fn line(&mut self, indent: usize, line: &str) {
        let _ = writeln!(self.text, "{:indent$}{}", "", line);
    }

    fn title(&mut self, title: &str) {
        let title = self.style.strong(title);
        let _ = writeln!(self.text, "\n{title}");
    }

    fn at(&self, place: &Place) -> String {
        self.style.faint(printable(&place.to_string()))
    }

    fn head(&mut self, explanation: &Explanation) {
        let name = display_reference(&explanation.kind, &explanation.title);
        let mut line =
            format!("{} on {}", self.style.strong(printable(&name)), printable(&explanation.host));
        let _ = write!(line, ", from {}", printable(&explanation.revision.source));
        if let Some(commit) = &explanation.revision.commit {
            let _ = write!(line, " at {}", short(commit));
        }
        self.line(0, &line);
    }

    fn declared(&mut self, subject: &Subject) {
        self.title("Declared");
        let extent = &subject.declared;
        let place = lines_of(&extent.file, extent.line, extent.last_line);
        self.line(2, &format!("{} of policy {}", printable(&place), printable(&subject.policy)));
        if let Some(title) = &subject.written {
            self.line(2, &format!("as {}", literal(&title.text)));
            self.inputs(4, &title.inputs);
        }
        self.way(&subject.way);
        if let Some(when) = &subject.when {
            self.condition(2, "when", when, "holds");
        }
        if let Some(repetition) = &subject.for_each {
            self.repetition(2, repetition);
        }
    }

    fn way(&mut self, way: &[Use]) {
        for made in way {
            match made {
                Use::Assignment { place, policy, hosts, when } => {
                    let hosts = if hosts.is_empty() {
                        String::new()
                    } else {
                        format!(" to the hosts {}", listed(hosts))
                    };
                    let line = format!(
                        "policy {} is assigned{hosts}  {}",
                        printable(policy),
                        self.at(place)
                    );
                    self.line(2, &line);
                    if let Some(when) = when {
                        self.condition(4, "when", when, "holds");
                    }
                }
                Use::Include { place, policy } => {
                    let line =
                        format!("policy {} is included  {}", printable(policy), self.at(place));
                    self.line(2, &line);
                }
                Use::Module { name, place, policy, when, for_each } => {
                    let line = format!(
                        "module {} uses policy {}  {}",
                        printable(name),
                        printable(policy),
                        self.at(place)
                    );
                    self.line(2, &line);
                    if let Some(when) = when {
                        self.condition(4, "when", when, "holds");
                    }
                    if let Some(repetition) = for_each {
                        self.repetition(4, repetition);
                    }
                }
            }
        }
    }

    fn condition(&mut self, indent: usize, what: &str, expression: &Expression, outcome: &str) {
        let line = format!(
            "{what}: {} — {outcome}  {}",
            printable(&expression.text),
            self.at(&expression.place)
        );
        self.line(indent, &line);
        self.inputs(indent + 2, &expression.inputs);
    }

    fn repetition(&mut self, indent: usize, repetition: &Repetition) {
        let item = match &repetition.item {
            Value::Null => String::new(),
            item => format!(" is {}", brief(item)),
        };
        let written = repetition.place.as_ref().map(|place| format!(" of {}", self.at(place)));
        let line = format!(
            "for_each: {} — item {}{}{item}  {}",
            printable(&repetition.over.text),
            repetition.position,
            written.unwrap_or_default(),
            self.at(&repetition.over.place)
        );
        self.line(indent, &line);
        self.inputs(indent + 2, &repetition.over.inputs);
    }

    fn touched(&mut self, explanation: &Explanation) {
        self.title("Last touched");
        if let Some(reason) = &explanation.without_history {
            self.line(2, &format!("not known: {}", printable(reason)));
            return;
        }
        for ChangedLines { lines, change } in &explanation.touched {
            let ranges: Vec<String> =
                lines.iter().map(|(first, last)| range(*first, *last)).collect();
            let word = match lines.as_slice() {
                [(first, last)] if first == last => "line",
                _ => "lines",
            };
            self.change(&format!("{word} {}", ranges.join(", ")), change);
        }
        for ChangedFile { path, change, modified } in &explanation.files {
            self.change(&printable(path), change);
            if *modified {
                self.line(4, "and changed since, which is not committed yet");
            }
        }
    }

    fn change(&mut self, what: &str, change: &Change) {
        let Some(commit) = &change.commit else {
            let line = format!("{what}: {}", self.style.change("not committed yet"));
            self.line(2, &line);
            return;
        };
        let before = if change.or_before { "at or before " } else { "" };
        let date = change.authored.as_deref().and_then(|time| time.get(..10)).unwrap_or("?");
        let line = format!(
            "{what}: {before}{} {date} {} — {}",
            short(commit),
            printable(change.author.as_deref().unwrap_or_default()),
            printable(change.subject.as_deref().unwrap_or_default())
        );
        self.line(2, &line);
        if change.or_before {
            self.line(4, "the history kept here ends there");
        }
    }

    fn attributes(&mut self, subject: &Subject, _files: &[ChangedFile]) {
        if subject.attributes.is_empty() {
            return;
        }
        self.title("Attributes");
        for attribute in &subject.attributes {
            self.attribute(attribute);
        }
    }

    fn attribute(&mut self, attribute: &Attribute) {
        let mut remarks = Vec::new();
        if attribute.inherited {
            remarks.push("default of the policy");
        }
        if attribute.ignored {
            remarks.push("ignored");
        }
        match attribute.form {
            Form::Template => remarks.push("template"),
            Form::Source => remarks.push("source"),
            Form::Literal | Form::Computed { .. } => {}
        }
        let remarks =
            if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
        let name = self.style.strong(printable(&attribute.name));
        let place = self.at(&attribute.place);
        let long = attribute.value.as_str().filter(|text| text.trim_end().contains('\n'));
        match long {
            Some(text) => {
                self.line(2, &format!("{name}{remarks}  {place}"));
                self.long(6, text);
            }
            None if attribute.value.is_null() => {
                self.line(2, &format!("{name} is left out{remarks}  {place}"));
            }
            None => {
                self.line(2, &format!("{name} = {}{remarks}  {place}", brief(&attribute.value)));
            }
        }
        if let Form::Computed { text } = &attribute.form {
            self.line(4, &format!("from {}", literal(text)));
        }
        for file in &attribute.files {
            self.line(4, &format!("file {}", printable(file)));
        }
        self.inputs(4, &attribute.inputs);
    }

    /// The first lines of a text.
    fn long(&mut self, indent: usize, text: &str) {
        let bar = self.style.faint("|");
        let count = text.lines().count();
        for line in text.lines().take(MOST_LINES) {
            let line = printable(line);
            self.line(indent, &format!("{bar} {line}"));
        }
        if count > MOST_LINES {
            self.line(indent, &format!("{bar} … {} more lines", count - MOST_LINES));
        }
    }

    fn order(&mut self, title: &str, neighbours: &[Neighbour]) {
        if neighbours.is_empty() {
            return;
        }
        self.title(title);
        for neighbour in neighbours {
            let place = neighbour.place.as_ref().map(|place| format!("  {}", self.at(place)));
            let line = format!(
                "{}: {}{}",
                printable(&neighbour.resource),
                printable(&neighbour.why),
                place.unwrap_or_default()
            );
            self.line(2, &line);
        }
    }

    fn runs(&mut self, explanation: &Explanation) {
        let Some(kept) = &explanation.runs else {
            if explanation.notes.is_empty() {
                self.title("On this host");
                self.line(2, "no run is recorded, or this user may not see it");
            }
            return;
        };
        self.title("On this host");
        for owed in &explanation.owed {
            let line = format!(
                "{} to be notified of {} (since {})",
                self.style.change("still"),
                printable(&owed.source),
                owed.since
            );
            self.line(2, &line);
        }
        for episode in &explanation.episodes {
            for line in episode_text(episode, self.style).lines() {
                let _ = writeln!(self.text, "  {line}");
            }
        }
        for run in &kept.runs {
            let commit = run.commit.as_deref().map(|id| format!(" at {}", short(id)));
            self.line(2, &format!("{} run {}{}", run.started, run.run, commit.unwrap_or_default()));
            for line in resource_text(&run.resource, self.style).lines() {
                let _ = writeln!(self.text, "    {line}");
            }
        }
        if kept.runs.is_empty() {
            let since = kept.since.as_deref().map(|since| format!(" since {since}"));
            let line = format!(
                "nothing happened to it in the {} runs that are kept{}",
                kept.kept,
                since.unwrap_or_default()
            );
            self.line(2, &line);
        }
    }
}

fn lines_of(file: &str, first: u32, last: u32) -> String {
    format!("{file}:{}", range(first, last))
}

fn range(first: u32, last: u32) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn listed(words: &[String]) -> String {
    words.iter().map(|word| printable(word)).collect::<Vec<_>>().join(", ")
}

/// A text in quotes, shortened.
fn literal(text: &str) -> String {
    brief(&Value::from(text))
}

/// A value in one line, shortened.
fn brief(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text == "(hidden)" => text.clone(),
        other => other.to_string(),
    };
    let text = printable(&text);
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
