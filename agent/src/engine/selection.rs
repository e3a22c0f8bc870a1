//! Which resources a run is about: all of them, or those with certain tags.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use steadfast_policies::{Catalog, Resource};
use thiserror::Error;

/// A choice of resources by their tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only resources with one of these; empty for all.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tags: Vec<String>,
    /// No resources with any of these.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub skip_tags: Vec<String>,
}

/// A selection that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectionError {
    /// No resource has the tag.
    #[error("no resource of this host has the tag `{tag}`")]
    Unknown {
        /// The tag.
        tag: String,
        /// What was probably meant, or what there is.
        hint: String,
    },
    /// Together they leave nothing.
    #[error("{selection} together select no resource")]
    Nothing {
        /// The options as they are typed.
        selection: String,
    },
}

/// The most tags that an error lists.
const LISTED: usize = 24;

impl Selection {
    /// Whether every resource is selected.
    pub fn is_all(&self) -> bool {
        self.tags.is_empty() && self.skip_tags.is_empty()
    }

    /// Why `resource` is left out; `None` where it is selected.
    pub fn reason_to_skip(&self, resource: &Resource) -> Option<String> {
        if let Some(tag) = self.skip_tags.iter().find(|tag| resource.has_tag(tag)) {
            return Some(format!("left out by --skip-tags {tag}"));
        }
        let chosen = self.tags.is_empty() || self.tags.iter().any(|tag| resource.has_tag(tag));
        (!chosen).then(|| format!("not selected by --tags {}", self.tags.join(",")))
    }

    /// Whether it means something for `catalog`: a tag that nothing has is a slip of the keyboard.
    pub fn check(&self, catalog: &Catalog) -> Result<(), SelectionError> {
        for tag in self.tags.iter().chain(&self.skip_tags) {
            if !catalog.resources.iter().any(|resource| resource.has_tag(tag)) {
                return Err(SelectionError::Unknown { tag: tag.clone(), hint: hint(tag, catalog) });
            }
        }
        let selected = |resource| self.reason_to_skip(resource).is_none();
        if self.is_all() || catalog.resources.iter().any(selected) {
            return Ok(());
        }
        Err(SelectionError::Nothing { selection: self.to_string() })
    }
}

impl std::fmt::Display for Selection {
    /// The options as they are typed.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let options = [("--tags", &self.tags), ("--skip-tags", &self.skip_tags)];
        let typed: Vec<String> = options
            .into_iter()
            .filter(|(_, tags)| !tags.is_empty())
            .map(|(option, tags)| format!("{option} {}", tags.join(",")))
            .collect();
        formatter.write_str(&typed.join(" "))
    }
}

/// The tag that `wrong` was probably meant to be, or all there are.
fn hint(wrong: &str, catalog: &Catalog) -> String {
    let known: BTreeSet<&str> = catalog.resources.iter().flat_map(Resource::tags).collect();
    let nearest = known
        .iter()
        .map(|tag| (strsim::osa_distance(&wrong.to_lowercase(), &tag.to_lowercase()), *tag))
        .filter(|(distance, tag)| *distance <= (tag.chars().count() / 3).max(1))
        .min();
    if let Some((_, tag)) = nearest {
        return format!("did you mean `{tag}`?");
    }
    let listed: Vec<&str> = known.iter().copied().take(LISTED).collect();
    let more = if known.len() > LISTED { ", …" } else { "" };
    format!("the tags are: {}{more}", listed.join(", "))
}
