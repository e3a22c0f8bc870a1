//! What a patch would tell besides what was asked for: the lines around a change, and all of a file
//! whose patch is binary.

use steadfast_policies::{Catalog, RecordedAttribute, Resource};
use steadfast_resources::Value;

use super::{FileChange, Refusal};

/// Shorter lines are no secrets that could be told from other text.
const SHORTEST: usize = 6;

/// The first secret of the policies that stands in a patch of `changes`, as a refusal.
pub(super) fn told(catalog: &Catalog, changes: &[FileChange]) -> Option<Refusal> {
    let patches: Vec<String> = changes.iter().map(readable).collect();
    let stands = |text: &str| {
        text.lines()
            .filter(|line| line.trim().len() >= SHORTEST)
            .any(|line| patches.iter().any(|patch| patch.contains(line)))
    };
    for resource in &catalog.resources {
        let attributes = resource.record.iter().flat_map(|record| &record.attributes);
        for attribute in attributes.filter(|attribute| is_secret(resource, attribute)) {
            if texts(&attribute.value).into_iter().any(stands) {
                return Some(Refusal {
                    reference: resource.reference.clone(),
                    attribute: Some(attribute.name.to_owned()),
                    reason: format!("its value, at {}, would stand in the patch", attribute.given),
                    hint: Some("`--show-secrets` makes the patch all the same".to_owned()),
                });
            }
        }
    }
    None
}

/// What can be read in a change. A binary patch holds both contents as they are.
fn readable(change: &FileChange) -> String {
    let difference = change.difference();
    if difference.lines.is_some() {
        return difference.text;
    }
    let after = change.after.as_deref().unwrap_or_default();
    format!("{}\n{}", String::from_utf8_lossy(&change.before), String::from_utf8_lossy(after))
}

/// Of a resource that is sensitive, only words that anybody could guess are none.
fn is_secret(resource: &Resource, attribute: &RecordedAttribute) -> bool {
    let declaration = resource.kind.declaration().attribute(attribute.name);
    declaration.is_some_and(|declaration| declaration.secret)
        || (resource.common.sensitive
            && matches!(attribute.name, "content" | "source" | "template"))
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Text(text) => vec![text.as_str()],
        Value::List(items) => items.iter().flat_map(texts).collect(),
        Value::Table(entries) => entries.iter().flat_map(|(_, value)| texts(value)).collect(),
        Value::Tree(tree) => match tree.as_ref() {
            steadfast_resources::Tree::File { content, .. } => {
                std::str::from_utf8(content).into_iter().collect()
            }
            steadfast_resources::Tree::Directory(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}
