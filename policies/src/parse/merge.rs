//! Joining the pieces of a large file.
//!
//! Only what is certainly right is joined: tables that exist because a header goes through them
//! (`note` in `[note."/a"]`). Anything else that two pieces both have is left to the TOML parser,
//! which then sees the file as a whole and knows all the rules.

use std::mem::take;

use steadfast_resources::Text;

use super::node::{Entry, Node};
use crate::map::{Map, map_for};

/// The pieces have something in common that only the parser may judge.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Doubtful;

/// Joins `entries` of all pieces; the first `rigid` of them are top-level keys and never joined.
pub(super) fn join(entries: Vec<Entry>, rigid: usize) -> Result<Vec<Entry>, Doubtful> {
    let mut joined: Vec<Entry> = Vec::new();
    let mut places: Map<Key, usize> = map_for(entries.len());
    let mut grown: Vec<usize> = Vec::new();
    for entry in entries {
        let place = *places.entry(Key(entry.key.clone())).or_insert(joined.len());
        let Some(known) = joined.get_mut(place) else {
            joined.push(entry);
            continue;
        };
        if place < rigid || !is_implicit(known) || !is_implicit(&entry) {
            return Err(Doubtful);
        }
        if let (Node::Table(known), Node::Table(more)) = (&mut known.item.node, entry.item.node) {
            known.extend(more);
            if grown.last() != Some(&place) {
                grown.push(place);
            }
        }
    }
    grown.sort_unstable();
    grown.dedup();
    for place in grown {
        if let Some(Entry { item, .. }) = joined.get_mut(place)
            && let Node::Table(entries) = &mut item.node
        {
            *entries = join(take(entries), 0)?;
        }
    }
    Ok(joined)
}

/// Whether the table exists only because a header goes through it. (The parser then gives it the
/// place of its key; a table of its own has the place of its header or its braces.)
fn is_implicit(entry: &Entry) -> bool {
    matches!(entry.item.node, Node::Table(_)) && entry.item.span == entry.key_span
}

/// A key by its text.
pub(super) struct Key(pub(super) Text);

impl std::borrow::Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Key {}
