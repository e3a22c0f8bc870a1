//! All files together: one value for each key, and which earlier ones it replaced.

use std::collections::BTreeMap;

use super::document::{Entry, Raw};
use super::problem::{Origin, Place};
use super::schema::{Default, SETTINGS};

/// The value that holds for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) value: Raw,
    pub(super) origin: Origin,
    /// Where earlier files set it, in order.
    pub(super) replaced: Vec<Place>,
}

/// One value for each key that is set or has a default.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) values: BTreeMap<String, Located>,
}

impl Merged {
    /// Every default.
    pub(super) fn defaults() -> Self {
        let located = |default| Located {
            value: match default {
                Default::Text(text) => Raw::Text(text.to_owned()),
                Default::Number(number) => Raw::Number(number),
                Default::Boolean(flag) => Raw::Boolean(flag),
            },
            origin: Origin::Default,
            replaced: Vec::new(),
        };
        let values = SETTINGS
            .iter()
            .filter_map(|setting| Some((setting.key(), located(setting.default?))))
            .collect();
        Self { values }
    }

    /// Puts the entries of the next file over what there is. Lists are replaced as a whole.
    pub(super) fn overlay(&mut self, entries: Vec<Entry>) {
        for Entry { key, value, place } in entries {
            let mut replaced = Vec::new();
            if let Some(earlier) = self.values.remove(&key) {
                replaced = earlier.replaced;
                if let Origin::File(place) = earlier.origin {
                    replaced.push(place);
                }
            }
            self.values.insert(key, Located { value, origin: Origin::File(place), replaced });
        }
    }
}
