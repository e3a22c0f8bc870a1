//! What package indexes offer, and how fresh they are.

use super::PackageName;
use crate::failure::Failure;

/// A name that a policy speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The name.
    pub name: PackageName,
    /// Whether it is to be installed.
    pub installed: bool,
    /// Whether the indexes will be asked about it.
    pub asked: bool,
}

/// What the present indexes offer for one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Availability {
    /// The version that the package manager would install by itself (priorities and pins count).
    pub candidate: Option<String>,
    /// The versions that can be installed, in the package manager's order.
    pub versions: Vec<String>,
    /// Packages that provide the name, where no package has it.
    pub providers: Vec<IndexProvider>,
}

impl Availability {
    /// Whether a package of this very name can be installed.
    pub fn is_real(&self) -> bool {
        !self.versions.is_empty()
    }
}

/// A package of an index that provides a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexProvider {
    /// The package, with its architecture where that is a foreign one.
    pub package: String,
    /// The version it provides the name in, where it says one.
    pub version: Option<String>,
}

/// The state of the package indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// When they were last refreshed, as people read it; `None` where there are none.
    pub date: Option<String>,
    /// Whether this run refreshed them.
    pub refreshed: Refreshed,
}

/// What this run did about the indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// Nothing: they are as they were found, and may be stale. Also after the sources changed.
    NotYet,
    /// They are fresh.
    Done,
    /// They could not all be refreshed.
    Failed {
        /// Why, in the package manager's words.
        failure: Failure,
        /// Whether at least one source answered.
        reached: bool,
    },
}
