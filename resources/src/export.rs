//! From the machine to a policy: what a resource's declaration would have to say about what is there.
//!
//! What must stay true: everything here has a read-only [`View`]; planning what was exported, on
//! the machine it came from, yields no steps; the order of titles and attributes is always the same.

use crate::accept::{Drift, Edit};
use crate::failure::Failure;
use crate::host::View;
use crate::kind::Kind;
use crate::value::Value;

/// A kind whose resources can be read from a machine.
pub trait Export<K: Kind + ?Sized> {
    /// The titles that `selection` means, sorted where it names none. Fails where a choice means
    /// nothing to the kind, and where the kind has no list of its own (files).
    fn titles(&self, selection: &Selection<'_>, view: &View<'_>) -> Result<Vec<String>, Failure>;

    /// What is there under `title`, in the order in which the kind declares its attributes; `None`
    /// where nothing is. Secrets are there and named.
    fn export(&self, title: &str, view: &View<'_>) -> Result<Option<Exported>, Failure>;

    /// How a declaration changes that is to describe what is there. Planning afterwards yields no
    /// steps. Empty where no attribute tells the difference.
    fn accept(&self, drift: &Drift<'_>, view: &View<'_>) -> Result<Vec<Edit>, Failure>;
}

/// Which resources are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection<'a> {
    /// These titles; none means all that a person would have chosen.
    pub named: &'a [String],
    /// The accounts of the system, too.
    pub system: bool,
    /// Everything below the named directories, too.
    pub recurse: bool,
}

impl Selection<'_> {
    /// Fails where something is asked for that is not among `understood` (`system`, `recurse`).
    pub fn only(&self, understood: &[&str]) -> Result<(), Failure> {
        for (option, given, kinds) in
            [("system", self.system, "users and groups"), ("recurse", self.recurse, "directories")]
        {
            if given && !understood.contains(&option) {
                return Err(Failure::new(format!("`--{option}` has a meaning only for {kinds}"))
                    .with_hint("leave it out"));
            }
        }
        Ok(())
    }
}

/// What is there, as a declaration would say it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// The attributes. A [`Value::Tree`] is content for a file beside the policy.
    pub attributes: Vec<(&'static str, Value)>,
    /// Which attributes hold secrets.
    pub secrets: Vec<&'static str>,
    /// Why content stands beside the policy and not in it: it is binary, large, or not for
    /// everybody's eyes.
    pub beside: Option<Beside>,
    /// What the attributes do not say, a sentence each without full stop.
    pub notes: Vec<String>,
}

/// Why content stands beside the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// In words that continue "its content".
    pub reason: String,
    /// Whether only its owner may read it.
    pub private: bool,
}

impl Exported {
    /// These attributes and nothing else.
    pub fn new(attributes: Vec<(&'static str, Value)>) -> Self {
        Self { attributes, secrets: Vec::new(), beside: None, notes: Vec::new() }
    }

    /// The value of `attribute`.
    pub fn value(&self, attribute: &str) -> Option<&Value> {
        self.attributes.iter().find(|(name, _)| *name == attribute).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests;
