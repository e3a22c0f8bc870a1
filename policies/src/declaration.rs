//! What the language itself says about its tables, in the form in which kinds declare theirs:
//! parsing, suggestions, the reference and the JSON Schema all read these.

use steadfast_resources::AttributeDeclaration;

pub use crate::parse::CHECK;
pub use crate::site::{LIMITS, ROLLOUT, WAVE, WINDOW};

/// A table of a policy or of `site.toml` with a fixed set of keys.
#[derive(Debug)]
pub struct TableDeclaration {
    /// Its name as it is written between brackets.
    pub name: &'static str,
    /// One sentence for the reference.
    pub summary: &'static str,
    /// How often it may be there.
    pub repetition: Repetition,
    /// Its keys, in the order of the reference.
    pub keys: &'static [AttributeDeclaration],
}

/// How often a table may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// Once: `[limits]`.
    Once,
    /// Any number of times, in order: `[[window]]`, or a list of tables.
    List,
    /// Once for each name: `[check.NAME]`.
    Named,
}

impl TableDeclaration {
    /// The key called `name`.
    pub fn key(&self, name: &str) -> Option<&'static AttributeDeclaration> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names of all keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.iter().map(|key| key.name)
    }
}
