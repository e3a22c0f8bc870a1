//! Choosing the policies of one host.

use std::rc::Rc;

use globset::GlobBuilder;
use minijinja::Value as Jinja;
use minijinja::value::ValueKind;
use steadfast_resources::{Text, Value};

use super::{Assignment, Site};
use crate::diagnostics::{Code, Reported, Span, Spot};
use crate::evaluate::{Assigned, Evaluator, Frame, Outcome, Policies};
use crate::parse::{Node, Policy};

/// The policies of the host that `evaluator` knows, in order, each once. When checking: of all
/// hosts.
pub(crate) fn assigned(
    evaluator: &mut Evaluator<'_>,
    policies: &Policies<'_>,
    site: &Site,
) -> Vec<Assigned> {
    let pseudo = Policy::bare("site", site.source);
    let frame = Frame::of_site(&pseudo, evaluator.base.clone());
    let mut assigned: Vec<Assigned> = Vec::new();
    let mut possible: Vec<Assigned> = Vec::new();
    for assignment in &site.assignments {
        let Ok((applies, matched)) = applies(evaluator, site, &frame, assignment) else {
            evaluator.unsound = true;
            continue;
        };
        let list = match applies {
            Applies::Yes => &mut assigned,
            Applies::Perhaps => &mut possible,
            Applies::No => {
                note(evaluator, &frame, assignment, (false, matched));
                continue;
            }
        };
        let Ok(names) = names(evaluator, &frame, assignment) else {
            evaluator.unsound = true;
            continue;
        };
        note(evaluator, &frame, assignment, (true, true));
        add(evaluator, policies, &frame, assignment, &names, list);
    }
    // What other policies refer to may be in one of these.
    evaluator.unsound |= !possible.is_empty();
    evaluator.possible = possible;
    assigned
}

/// Adds the site's own checks to those of `evaluator`.
pub(crate) fn checks(evaluator: &mut Evaluator<'_>, site: &Site) {
    let pseudo = Policy::bare("site", site.source);
    let frame = Frame::of_site(&pseudo, evaluator.base.clone());
    evaluator.checks(&frame, &site.checks);
}

fn add(
    evaluator: &mut Evaluator<'_>,
    policies: &Policies<'_>,
    frame: &Frame<'_>,
    assignment: &Assignment,
    names: &[(Text, Span)],
    assigned: &mut Vec<Assigned>,
) {
    let tags = assignment
        .tags
        .as_ref()
        .map_or(Ok(Vec::new()), |item| evaluator.tags(frame, &frame.locals, item));
    let tags = tags.unwrap_or_else(|Reported| {
        evaluator.unsound = true;
        Vec::new()
    });
    for (name, span) in names {
        let spot = Spot::new(frame.policy.source, *span);
        let Ok(policy) = policies.get(name, spot) else {
            evaluator.unsound = true;
            continue;
        };
        let entry = assignment.params.iter().find(|entry| *entry.key == **name);
        let arguments = match entry.map(|entry| &entry.item.node) {
            Some(Node::Table(entries)) => evaluator.arguments(frame, &frame.locals, entries),
            Some(other) => {
                let message = format!(
                    "the parameters of `{name}` must be a table, not a {}",
                    other.type_name()
                );
                let span = entry.map_or(*span, |entry| entry.item.span);
                let spot = Spot::new(frame.policy.source, span);
                let draft = evaluator.context.error(Code::WrongType, spot, message);
                Err(draft.hint(format!("write `[assign.params.{name}]`")).report())
            }
            None => Ok(Vec::new()),
        };
        let Ok(arguments) = arguments else {
            evaluator.unsound = true;
            continue;
        };
        match assigned.iter_mut().find(|known| Rc::ptr_eq(&known.policy, &policy)) {
            Some(known) => {
                known.arguments.extend(arguments);
                known.tags.extend(tags.iter().cloned());
            }
            None => assigned.push(Assigned { policy, spot, arguments, tags: tags.clone() }),
        }
    }
    for entry in &assignment.params {
        if names.iter().any(|(name, _)| *entry.key == **name) {
            continue;
        }
        let spot = Spot::new(frame.policy.source, entry.key_span);
        let message = format!(
            "this assignment gives parameters to `{}`, which it does not assign",
            entry.key
        );
        let known: Vec<&str> = names.iter().map(|(name, _)| &**name).collect();
        let hint = crate::diagnostics::suggest::or_list(&entry.key, "it assigns", &known);
        evaluator.context.error(Code::UnknownPolicy, spot, message).hint(hint).report();
    }
}

/// Tells the tracer, if there is one, about an assignment that is `made` or not, and whether the
/// host's name matched.
fn note(
    evaluator: &Evaluator<'_>,
    frame: &Frame<'_>,
    assignment: &Assignment,
    outcome: (bool, bool),
) {
    let hosts: Vec<String> =
        assignment.hosts.iter().flatten().map(|(glob, _)| glob.to_string()).collect();
    let when = assignment.when.as_ref();
    evaluator.note_assignment(frame, &assignment.policies, &hosts, when, outcome);
}

/// Whether an assignment is for a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Applies {
    No,
    /// It is for some hosts like this example of one.
    Perhaps,
    Yes,
}

/// Whether an assignment is for the host, and whether the host's name matched. What is not asked
/// for a host (the condition where the
/// name does not match) is not evaluated.
fn applies(
    evaluator: &Evaluator<'_>,
    site: &Site,
    frame: &Frame<'_>,
    assignment: &Assignment,
) -> Result<(Applies, bool), Reported> {
    let certain = |holds| if holds { Applies::Yes } else { Applies::No };
    let named = matches_host(evaluator, site, assignment)?;
    let Some(doubt) = &evaluator.doubt else {
        let applies = match &assignment.when {
            Some(when) if named => certain(evaluator.holds(frame, when)?),
            _ => certain(named),
        };
        return Ok((applies, named));
    };
    let everybody = |hosts: &Vec<(Text, Span)>| hosts.iter().any(|(glob, _)| &**glob == "*");
    let by_name = if doubt.machine && !assignment.hosts.as_ref().is_none_or(everybody) {
        Applies::Perhaps
    } else {
        certain(named)
    };
    let by_condition = assignment.when.as_ref().map_or(Applies::Yes, |when| {
        evaluator.possibility(frame, &frame.locals, when).map_or(Applies::Perhaps, certain)
    });
    Ok((by_name.min(by_condition), named))
}

/// The names that `policies` of an assignment evaluates to.
fn names(
    evaluator: &Evaluator<'_>,
    frame: &Frame<'_>,
    assignment: &Assignment,
) -> Result<Vec<(Text, Span)>, Reported> {
    let item = &assignment.policies;
    let evaluated = evaluator.attribute(frame, &frame.locals, item)?;
    if !evaluated.certain {
        return Ok(Vec::new());
    }
    let spans = |index: usize| match &item.node {
        Node::List(items) => items.get(index).map_or(item.span, |item| item.span),
        _ => item.span,
    };
    let wrong = |span| {
        let message = "`policies` of an assignment must be a list of policies' names";
        let spot = Spot::new(frame.policy.source, span);
        Err(evaluator.context.error(Code::WrongType, spot, message).report())
    };
    match evaluated.value {
        Some(Value::Text(text)) => Ok(vec![(text, item.span)]),
        Some(Value::List(values)) => {
            let mut names = Vec::with_capacity(values.len());
            for (index, value) in values.into_iter().enumerate() {
                match value {
                    Value::Text(text) => names.push((text, spans(index))),
                    _ => return wrong(spans(index)),
                }
            }
            Ok(names)
        }
        _ => wrong(item.span),
    }
}

/// Whether one of the globs matches the host's name, qualified or not. When checking, every
/// assignment is one that may count.
fn matches_host(
    evaluator: &Evaluator<'_>,
    site: &Site,
    assignment: &Assignment,
) -> Result<bool, Reported> {
    let Some(hosts) = &assignment.hosts else { return Ok(true) };
    let name = |key: &str| {
        let facts = evaluator.base.facts.as_ref()?;
        facts.get_attr(key).ok()?.as_str().map(str::to_owned)
    };
    let names: Vec<String> = ["fqdn", "hostname"].into_iter().filter_map(name).collect();
    let mut found = evaluator.base.facts.is_none();
    let mut failed = None;
    for (pattern, span) in hosts {
        match GlobBuilder::new(pattern).case_insensitive(true).build() {
            Ok(glob) => {
                let matcher = glob.compile_matcher();
                found |= names.iter().any(|name| matcher.is_match(name));
            }
            Err(error) => {
                let message = format!("{:?} is no glob: {}", &**pattern, error.kind());
                let spot = Spot::new(site.source, *span);
                failed = Some(evaluator.context.error(Code::InvalidValue, spot, message).report());
            }
        }
    }
    failed.map_or(Ok(found), Err)
}

/// Whether a layer's name, or anything else of the site, is text.
pub(super) fn as_text(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Known(value) | Outcome::Guess(value) if value.kind() == ValueKind::String => {
            Some(text(value))
        }
        Outcome::Known(value) | Outcome::Guess(value) if value.is_number() => {
            Some(value.to_string())
        }
        _ => None,
    }
}

fn text(value: &Jinja) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
