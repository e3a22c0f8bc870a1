//! Whether what came of a case is what it expects.

use similar::TextDiff;
use std::borrow::Cow;
use steadfast_resources::{Text, Tree, Value};

use super::attribute::{Matcher, Wanted, plain, same, toml_of};
use super::names::Names;
use super::suite::{Case, Expected, ExpectedAttribute, ExpectedName};
use super::{CaseFailure, Seen};
use crate::catalog::{Catalog, OnRemove, Resource};
use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{Context, Diagnostic, Severity, Spot, one_line};
use crate::graph::reference;
use crate::parse::Common;

/// Stands for a secret.
const HIDDEN: &str = "(hidden)";

/// Collects the failures of one case.
pub(super) struct Judge<'a> {
    context: &'a Context,
    failures: Vec<CaseFailure>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(context: &'a Context) -> Self {
        Self { context, failures: Vec::new() }
    }

    pub(super) fn into_failures(self) -> Vec<CaseFailure> {
        self.failures
    }

    pub(super) fn fail(&mut self, spot: Spot, message: String) {
        self.fail_with(spot, message, Vec::new(), None);
    }

    fn fail_with(&mut self, spot: Spot, message: String, notes: Vec<String>, diff: Option<String>) {
        let place = self.context.sources.place(spot);
        let escaped = match one_line(&message) {
            Cow::Owned(escaped) => Some(escaped),
            Cow::Borrowed(_) => None,
        };
        self.failures.push(CaseFailure {
            file: place.file,
            line: place.line,
            message: escaped.unwrap_or(message),
            notes,
            diff,
        });
    }

    /// Judges what evaluation said: the errors in `found` (or, where a file could not even be read,
    /// in `others`) and the warnings.
    pub(super) fn diagnostics(&mut self, case: &Case, seen: &Seen<'_>) {
        let errors = |list: &[Diagnostic]| {
            let errors = list.iter().filter(|found| found.severity == Severity::Error);
            errors.cloned().collect::<Vec<_>>()
        };
        let mut told = errors(seen.found);
        if seen.catalog.is_none() && told.is_empty() {
            told = errors(seen.others);
        }
        if !case.expects_errors() && seen.catalog.is_none() {
            let notes = told.iter().map(line).collect();
            self.fail_with(case.spot, "evaluation failed".to_owned(), notes, None);
        }
        if case.expects_errors() && seen.catalog.is_some() {
            let spot = case.errors.first().map_or(case.spot, |(_, spot)| *spot);
            self.fail(spot, "no error was found, and one is expected".to_owned());
        } else {
            self.among("error", &case.errors, &told);
        }
        let warnings: Vec<Diagnostic> = seen
            .found
            .iter()
            .filter(|found| found.severity == Severity::Warning)
            .cloned()
            .collect();
        self.among("warning", &case.warnings, &warnings);
    }

    fn among(&mut self, what: &str, expected: &[(Text, Spot)], found: &[Diagnostic]) {
        for (text, spot) in expected {
            let says = |found: &Diagnostic| {
                found.message.contains(&**text)
                    || found.hint.as_ref().is_some_and(|hint| hint.contains(&**text))
            };
            if !found.iter().any(says) {
                let message = format!("no {what} contains {:?}", &**text);
                let notes = if found.is_empty() {
                    vec![format!("there is no {what}")]
                } else {
                    found.iter().map(line).collect()
                };
                self.fail_with(*spot, message, notes, None);
            }
        }
    }

    /// Judges the catalog.
    pub(super) fn catalog(&mut self, case: &Case, catalog: &Catalog) {
        if let Some((expected, spot)) = &case.policies
            && !expected.iter().map(Text::as_str).eq(catalog.policies.iter().map(String::as_str))
        {
            let wanted = lines(expected.iter().map(Text::as_str));
            let found = lines(catalog.policies.iter().map(String::as_str));
            let message = "other policies are assigned".to_owned();
            self.fail_with(*spot, message, Vec::new(), Some(difference(&wanted, &found)));
        }
        let names = Names::of(catalog);
        for (text, spot) in &case.lacks {
            let notes: Vec<String> = names.matching(text).map(|(_, found)| told(found)).collect();
            if !notes.is_empty() {
                let message = format!("`{text}` is there");
                self.fail_with(*spot, message, notes, None);
            }
        }
        self.order(case, &names);
        for expected in &case.resources {
            self.resource(expected, &names);
        }
    }

    fn order(&mut self, case: &Case, names: &Names<'_>) {
        let mut last: Option<(usize, &Text)> = None;
        for (text, spot) in &case.order {
            let (kind, title) = reference(text).unwrap_or_default();
            let Some((index, found)) = names.find(&kind, &title) else {
                self.missing(text, *spot, &kind, &title, names.catalog);
                continue;
            };
            if let Some((before, earlier)) = last.filter(|(before, _)| *before > index) {
                let message = format!("`{text}` comes before `{earlier}`");
                let notes = [Some(found), names.catalog.resources.get(before)];
                let notes = notes.into_iter().flatten().map(told).collect();
                self.fail_with(*spot, message, notes, None);
            }
            last = Some((index, text));
        }
    }

    fn missing(&mut self, written: &str, spot: Spot, kind: &str, title: &str, catalog: &Catalog) {
        let titles = catalog
            .resources
            .iter()
            .filter(|resource| resource.reference.kind() == kind)
            .map(|resource| resource.reference.title());
        let notes = did_you_mean(title, titles).into_iter().collect();
        self.fail_with(spot, format!("there is no `{written}`"), notes, None);
    }

    fn resource(&mut self, expected: &Expected, names: &Names<'_>) {
        let kind = expected.kind.declaration().name;
        let Some((index, found)) = names.find(kind, &expected.title) else {
            let written = steadfast_resources::Reference::new(kind, expected.title.as_str());
            self.missing(&written.to_string(), expected.spot, kind, &expected.title, names.catalog);
            return;
        };
        for attribute in &expected.attributes {
            match attribute.name {
                ExpectedName::Own(own) => {
                    let hidden = own.secret || found.common.sensitive;
                    let value = actual(found, own.name, &attribute.wanted);
                    self.attribute(found, own.name, attribute, value.as_ref(), hidden);
                }
                ExpectedName::Common(common) => match &attribute.wanted {
                    Wanted::Edges(edges) if edges.is_empty() => {
                        self.no_edges(names.catalog, index, common, attribute.spot);
                    }
                    Wanted::Edges(edges) => {
                        for (text, spot) in edges {
                            self.edge(names, index, common, text, *spot);
                        }
                    }
                    Wanted::Time(time) if found.common.timeout == *time => {}
                    Wanted::Time(time) => {
                        let seconds = found.common.timeout.as_secs();
                        let message = format!(
                            "`timeout` of `{}` is {seconds} s, not {} s",
                            found.reference,
                            time.as_secs()
                        );
                        self.fail(attribute.spot, message);
                    }
                    _ => {
                        let value = common_value(found, common);
                        self.attribute(found, common.name(), attribute, value.as_ref(), false);
                    }
                },
            }
        }
    }

    fn attribute(
        &mut self,
        found: &Resource,
        name: &str,
        attribute: &ExpectedAttribute,
        value: Option<&Value>,
        hidden: bool,
    ) {
        let reference = &found.reference;
        let declared = vec![format!("declared at {}", found.place)];
        let Some(value) = value else {
            let message = format!("`{name}` of `{reference}` is not set");
            self.fail_with(attribute.spot, message, declared, None);
            return;
        };
        match &attribute.wanted {
            Wanted::Equal(wanted) if same(wanted, value) => {}
            Wanted::Equal(wanted) => {
                let (message, diff) =
                    unequal(&format!("`{name}` of `{reference}`"), wanted, value, hidden);
                self.fail_with(attribute.spot, message, declared, diff);
            }
            Wanted::Matching(matchers) => {
                for matcher in matchers.iter().filter(|matcher| !matcher.holds(value)) {
                    self.unmatched(found, name, matcher, value, hidden);
                }
            }
            Wanted::Time(_) | Wanted::Edges(_) => {}
        }
    }

    fn unmatched(
        &mut self,
        found: &Resource,
        name: &str,
        matcher: &Matcher,
        value: &Value,
        hidden: bool,
    ) {
        let list = matches!(value, Value::List(_));
        let message = format!("`{name}` of `{}` {}", found.reference, matcher.in_words(list));
        let mut notes = vec![format!("declared at {}", found.place)];
        let shown = if hidden { HIDDEN.to_owned() } else { plain(value) };
        notes.push(format!("`{name}` is:"));
        notes.extend(excerpt(&shown).into_iter().map(|line| format!("  {line}")));
        self.fail_with(matcher.spot(), message, notes, None);
    }

    fn edge(&mut self, names: &Names<'_>, own: usize, relation: Common, text: &str, spot: Spot) {
        let Some(this) = names.catalog.resources.get(own) else { return };
        let there = linked(names.catalog, own, relation);
        if names.matching(text).any(|(other, _)| there.contains(&other)) {
            return;
        }
        let verb = match relation {
            Common::Require => "does not come after",
            Common::Before => "does not have to come before",
            Common::Notify => "does not notify",
            _ => "is not notified by",
        };
        let message = format!("`{}` {verb} `{text}`", this.reference);
        let mut notes = vec![format!("declared at {}", this.place)];
        if names.matching(text).next().is_none() {
            notes.push(format!("there is no `{text}`"));
        }
        self.fail_with(spot, message, notes, None);
    }

    /// Judges an empty list of edges: there are none.
    fn no_edges(&mut self, catalog: &Catalog, own: usize, relation: Common, spot: Spot) {
        let Some(this) = catalog.resources.get(own) else { return };
        let verb = match relation {
            Common::Require => "comes after",
            Common::Before => "has to come before",
            Common::Notify => "notifies",
            _ => "is notified by",
        };
        let there = linked(catalog, own, relation);
        let Some(other) = there.first().and_then(|other| catalog.resources.get(*other)) else {
            return;
        };
        let message = format!("`{}` {verb} `{}`", this.reference, other.reference);
        self.fail_with(spot, message, vec![format!("declared at {}", this.place)], None);
    }
}

/// The resources that the one at `own` has edges of this relation with.
fn linked(catalog: &Catalog, own: usize, relation: Common) -> Vec<usize> {
    let Some(this) = catalog.resources.get(own) else { return Vec::new() };
    let index = u32::try_from(own).unwrap_or(u32::MAX);
    let forth = |list: &[u32]| list.iter().map(|other| *other as usize).collect();
    let back = |list: fn(&Resource) -> &[u32]| {
        let others = catalog.resources.iter().enumerate();
        others.filter(|(_, that)| list(that).contains(&index)).map(|(other, _)| other).collect()
    };
    match relation {
        Common::Require => forth(&this.dependencies),
        Common::Before => back(|that| &that.dependencies),
        Common::Notify => forth(&this.notifies),
        _ => back(|that| &that.notifies),
    }
}

/// A diagnostic in one line.
fn line(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    format!("{place}{}", one_line(&diagnostic.message))
}

fn told(resource: &Resource) -> String {
    format!("`{}` is declared at {}", resource.reference, resource.place)
}

/// The value of the attribute `name` as a case sees it: the text of a template or of a source
/// counts as `content`; a `template` or `source` by itself is its path.
fn actual(resource: &Resource, name: &str, wanted: &Wanted) -> Option<Value> {
    let record = resource.record.as_ref()?;
    let attribute = record.attribute(name);
    let path = matches!(wanted, Wanted::Equal(Value::Text(_)));
    match (name, attribute) {
        ("template" | "source", Some(attribute)) if path => {
            attribute.written.clone().map(Value::Text).or_else(|| Some(attribute.value.clone()))
        }
        ("source", Some(attribute)) => text_of(&attribute.value),
        (_, Some(attribute)) => Some(attribute.value.clone()),
        ("content", None) => {
            let other = record.attribute("template").or_else(|| record.attribute("source"))?;
            text_of(&other.value)
        }
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<Value> {
    match value {
        Value::Tree(tree) => match &**tree {
            Tree::File { content, .. } => Some(Value::text(String::from_utf8_lossy(content))),
            Tree::Directory(_) => None,
        },
        other => Some(other.clone()),
    }
}

fn common_value(resource: &Resource, name: Common) -> Option<Value> {
    let common = &resource.common;
    Some(match name {
        Common::Enforce => Value::Boolean(common.enforce),
        Common::Sensitive => Value::Boolean(common.sensitive),
        Common::Retries => Value::Integer(common.retries.into()),
        Common::Tags => {
            Value::List(common.tags.iter().map(|tag| Value::text(tag.as_str())).collect())
        }
        Common::OnRemove => Value::text(match common.on_remove {
            OnRemove::Orphan => "orphan",
            OnRemove::Delete => "delete",
            OnRemove::Restore => "restore",
        }),
        _ => return None,
    })
}

/// What to say of two values that differ: short ones in a line, long ones as a difference.
fn unequal(what: &str, wanted: &Value, found: &Value, hidden: bool) -> (String, Option<String>) {
    if hidden {
        return (format!("{what} is another one, which is not shown: it is secret"), None);
    }
    match (wanted, found) {
        (Value::Text(left), Value::Text(right)) if left.contains('\n') || right.contains('\n') => {
            (format!("{what} differs"), Some(difference(left, right)))
        }
        (Value::List(left), Value::List(right)) if left.len().max(right.len()) > 3 => {
            let items = |items: &[Value]| lines(items.iter().map(toml_of));
            (format!("{what} differs"), Some(difference(&items(left), &items(right))))
        }
        _ => (format!("{what} is {}, not {}", toml_of(found), toml_of(wanted)), None),
    }
}

/// Each of `texts` on a line of its own.
fn lines(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    texts.fold(String::new(), |mut all, text| {
        all.push_str(text.as_ref());
        all.push('\n');
        all
    })
}

/// A unified difference from what is expected (`-`) to what was found (`+`).
fn difference(expected: &str, found: &str) -> String {
    TextDiff::from_lines(expected, found)
        .unified_diff()
        .context_radius(2)
        .header("expected", "found")
        .to_string()
}

/// The first lines of a text.
fn excerpt(text: &str) -> Vec<String> {
    const LINES: usize = 20;
    let mut lines: Vec<String> = text.lines().take(LINES).map(str::to_owned).collect();
    let more = text.lines().count().saturating_sub(LINES);
    if more > 0 {
        lines.push(format!("… ({more} more lines)"));
    }
    lines
}
