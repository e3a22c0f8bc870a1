//! What policies may declare and this version does not keep to yet. It is said in every plan and
//! report, so that nobody relies on it.

use steadfast_policies::{Catalog, Check, OnRemove};

/// The most names in one sentence.
const LISTED: usize = 5;

/// What `catalog` declares without effect, in sentences.
pub fn unkept(catalog: &Catalog) -> Vec<String> {
    let mut notes = Vec::new();
    let rules = catalog.rules.declared();
    if !rules.is_empty() {
        notes.push(format!(
            "{} in site.toml: read and checked, but not enforced by this version yet",
            list(&rules)
        ));
    }
    if !catalog.checks.is_empty() {
        let names: Vec<String> = catalog.checks.iter().map(Check::qualified).collect();
        notes.push(format!(
            "checks of health are declared, but this version does not perform them yet: {}",
            list(&names)
        ));
    }
    let leaving: Vec<String> = catalog
        .resources
        .iter()
        .filter(|resource| resource.common.on_remove != OnRemove::Orphan)
        .map(|resource| resource.reference.to_string())
        .collect();
    if !leaving.is_empty() {
        notes.push(format!(
            "on_remove is set, but this version leaves everything as it is when its declaration \
             goes: {}",
            list(&leaving)
        ));
    }
    notes
}

fn list(names: &[impl AsRef<str>]) -> String {
    let mut shown: Vec<&str> = names.iter().map(AsRef::as_ref).take(LISTED).collect();
    let more = format!("{} more", names.len().saturating_sub(LISTED));
    if names.len() > LISTED {
        shown.push(&more);
    }
    match shown.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
