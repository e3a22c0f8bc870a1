//! `site.toml`: which hosts get which policies, and with which data.

mod assignment;
mod data;
mod rules;

#[cfg(test)]
mod tests;

use steadfast_resources::Text;

use crate::declaration::{ASSIGNMENT, SITE, SITE_FILE};
use crate::diagnostics::{Code, Context, SourceId, Span, Spot};
use crate::evaluate::Files;
use crate::parse::{self, CheckDeclaration, Entry, Item, Node, Shape};
use crate::rules::SiteRules;

pub(crate) use assignment::{assigned, checks};
pub(crate) use data::{Datum, check_all, layers};
pub use rules::{LIMITS, ROLLOUT, WAVE, WINDOW};

/// The site's file.
pub(crate) const FILE: &str = "site.toml";

/// The site as it is written.
pub(crate) struct Site {
    pub(crate) source: SourceId,
    pub(crate) assignments: Vec<Assignment>,
    /// The names of the data layers, weakest first.
    pub(crate) data: Vec<Item>,
    /// What concerns every run.
    pub(crate) rules: SiteRules,
    /// What must hold on every host.
    pub(crate) checks: Vec<CheckDeclaration>,
}

/// Which policies certain hosts get.
pub(crate) struct Assignment {
    pub(crate) hosts: Option<Vec<(Text, Span)>>,
    pub(crate) when: Option<Item>,
    pub(crate) policies: Item,
    /// Parameters by policy: `[assign.params.nginx]`.
    pub(crate) params: Vec<Entry>,
    /// What `tags` is given.
    pub(crate) tags: Option<Item>,
}

/// Reads the site; `None` where there is none or it cannot be parsed (which is reported).
pub(crate) fn read(context: &Context, files: &Files<'_>) -> Option<Site> {
    let source = match files.source(FILE) {
        Ok(Some(source)) => source,
        Ok(None) => {
            let message = format!("the policy repository has no `{FILE}`");
            context
                .error_without_place(Code::MissingFile, message)
                .hint("it says which hosts get which policies: `[[assign]]`, `hosts = \"*\"`, `policies = [\"…\"]`".to_owned())
                .report();
            return None;
        }
        Err(_) => return None,
    };
    let document = parse::parse(context, source);
    if !document.sound {
        return None;
    }
    let shape = Shape::new(context, source, "`site.toml`", &document.entries, &SITE_FILE.names());
    let mut site = Site {
        source,
        assignments: Vec::new(),
        data: Vec::new(),
        rules: rules::read(context, source, &shape),
        checks: Vec::new(),
    };
    if let Some(entry) = shape.get("check") {
        site.checks = parse::checks(context, source, entry.clone());
    }
    if let Some(entries) = shape.table("site") {
        let shape = Shape::new(context, source, "`[site]`", entries, &SITE.names());
        site.data = shape.list("data").unwrap_or_default().to_vec();
        for item in site.data.iter().filter(|item| item.as_text().is_some_and(|it| it.is_empty())) {
            let spot = Spot::new(source, item.span);
            let draft = context.warning(Code::Unused, spot, "this data layer has no name");
            draft.hint("name a file below `data/` without its `.toml`".to_owned()).report();
        }
    }
    for item in shape.list("assign").unwrap_or_default() {
        site.assignments.extend(assignment(context, source, item));
    }
    Some(site)
}

fn assignment(context: &Context, source: SourceId, item: &Item) -> Option<Assignment> {
    let spot = Spot::new(source, item.span);
    let Node::Table(entries) = &item.node else {
        let message = "an assignment must be a table";
        let draft = context.error(Code::WrongType, spot, message);
        draft.hint("write `[[assign]]` on a line of its own".to_owned()).report();
        return None;
    };
    let shape = Shape::new(context, source, "an assignment", entries, &ASSIGNMENT.names());
    let hosts = shape.strings("hosts");
    let hosts: Option<Vec<(Text, Span)>> =
        hosts.map(|hosts| hosts.into_iter().map(|(text, span)| (text.clone(), span)).collect());
    if let (Some(entry), Some([])) = (shape.get("hosts"), hosts.as_deref()) {
        let spot = Spot::new(source, entry.item.span);
        let draft = context.warning(Code::Unused, spot, "this assignment is for no host");
        let hint = "name hosts, write `hosts = \"*\"` for all of them, or leave the assignment out";
        draft.hint(hint.to_owned()).report();
    }
    let when = shape.get("when").map(|entry| entry.item.clone());
    if shape.get("hosts").is_none() && when.is_none() {
        context
            .error(Code::MissingParam, spot, "this assignment does not say which hosts it is for")
            .hint("add `hosts = \"*\"`, or `when = \"…\"`".to_owned())
            .report();
    }
    let Some(policies) = shape.get("policies") else {
        context
            .error(Code::MissingParam, spot, "this assignment names no policies")
            .hint("add `policies = [\"…\"]`".to_owned())
            .report();
        return None;
    };
    Some(Assignment {
        hosts,
        when,
        policies: policies.item.clone(),
        params: shape.table("params").unwrap_or_default().to_vec(),
        tags: shape.get("tags").map(|entry| entry.item.clone()),
    })
}
