//! Policies: the language's own keys, and a table for each kind.

use serde_json::{Map, Value, json};
use steadfast_policies::declaration::{POLICY, common_attributes};
use steadfast_resources::{KindDeclaration, Registry};

use super::table::{closed, properties};
use super::{attribute, described, document, form};

/// Attributes that cannot have a default for a whole policy.
const NOT_IN_DEFAULTS: &[&str] = &["when", "for_each"];

/// The schema of a policy's file.
pub(super) fn schema(registry: &Registry) -> Value {
    let mut own = properties(POLICY.keys);
    let mut defaults = Map::new();
    for kind in registry.kinds() {
        let declared = kind.declaration();
        let (name, title) = (declared.name, declared.title);
        let summary = format!("{} The title is {title}.", declared.summary);
        let resource = described(closed(attributes(declared, &[])), &summary, None);
        let resources = json!({ "type": "object", "additionalProperties": resource });
        own.insert(name.to_owned(), described(resources, &summary, None));
        defaults.insert(name.to_owned(), closed(attributes(declared, NOT_IN_DEFAULTS)));
    }
    if let Some(entry) = POLICY.keys.iter().find(|key| key.name == "defaults") {
        let schema = described(closed(defaults), entry.documentation, None);
        own.insert(entry.name.to_owned(), schema);
    }
    let mut whole = described(closed(own), POLICY.summary, None);
    if let Value::Object(whole) = &mut whole {
        whole.insert("definitions".into(), Value::Object(definitions(registry)));
    }
    document("policy", whole)
}

/// References to the attributes of a kind, but those in `without`.
fn attributes(declared: &KindDeclaration, without: &[&str]) -> Map<String, Value> {
    let own = declared.attributes.iter().map(|attribute| {
        (attribute.name, format!("#/definitions/{}.{}", declared.name, attribute.name))
    });
    let common = common_attributes()
        .filter(|attribute| !without.contains(&attribute.name))
        .map(|attribute| (attribute.name, format!("#/definitions/{}", attribute.name)));
    common
        .chain(own)
        .map(|(name, reference)| (name.to_owned(), json!({ "$ref": reference })))
        .collect()
}

/// Every attribute once, those of kinds as `kind.name`.
fn definitions(registry: &Registry) -> Map<String, Value> {
    let common = common_attributes().map(|declared| {
        let schema = form::schema(&declared.form);
        (declared.name.to_owned(), described(schema, declared.documentation, declared.default))
    });
    let own = registry.kinds().flat_map(|kind| {
        let declared = kind.declaration();
        declared
            .attributes
            .iter()
            .map(|own| (format!("{}.{}", declared.name, own.name), attribute::attribute(own)))
    });
    common.chain(own).collect()
}
