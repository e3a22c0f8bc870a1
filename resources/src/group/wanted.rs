//! What a policy asks of a group, read and checked.

use crate::attributes::AttributeReader;
use crate::host::accounts::names;

/// What a policy asks of a group.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub(super) name: String,
    pub(super) present: bool,
    pub(super) gid: Option<u32>,
    pub(super) members: Option<Vec<String>>,
    pub(super) inclusive: bool,
    pub(super) system: bool,
}

impl Wanted {
    pub(super) fn read(name: &str, attributes: &mut AttributeReader<'_>) -> Option<Self> {
        if let Some(objection) = names::objection(name) {
            attributes.resource_error(objection);
        }
        let is = |attribute: &str, value: &str| {
            attributes.text(attribute).is_some_and(|text| text.as_str() == value)
        };
        let (absent, inclusive) = (is("ensure", "absent"), is("membership", "inclusive"));
        let gid = attributes.integer("gid").and_then(|number| {
            let gid = names::number(number);
            if gid.is_none() {
                attributes.error("gid", format!("{number} is not a number that a group can have"));
            }
            gid
        });
        let members = attributes.texts("members").map(|members| {
            let mut members: Vec<String> = members.into_iter().map(ToString::to_string).collect();
            members.sort();
            members.dedup();
            members
        });
        for objection in members.iter().flatten().filter_map(|name| names::objection(name)) {
            attributes.error("members", objection);
        }
        if attributes.has("membership") && members.is_none() {
            attributes.error_with_hint(
                "membership",
                "`membership` says how to read `members`, which is missing",
                "add `members = [...]`, or leave `membership` out",
            );
        }
        if name == "root" && absent {
            attributes.error("ensure", "the group root cannot be removed");
        }
        if gid == Some(0) && name != "root" {
            attributes.error("gid", "the number 0 is the group root's alone");
        }
        (!attributes.has_errors()).then(|| Self {
            name: name.to_owned(),
            present: !absent,
            gid,
            members,
            inclusive,
            system: attributes.boolean("system").unwrap_or(false),
        })
    }
}
