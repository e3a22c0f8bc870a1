//! What earlier steps of the same plan will provide, so that what rests on it is planned as
//! conditional instead of failing.

use std::collections::HashMap;

use crate::reference::Reference;

/// Something that a resource's pending steps will bring into being.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Provision {
    /// A path will exist.
    Path(String),
    /// A path will exist and be a directory, or a link that can lead to one: things can be created
    /// in it.
    Directory(String),
    /// A login name will exist.
    User(String),
    /// A group name will exist.
    Group(String),
    /// A unit will exist, by its full name.
    Unit(String),
    /// A package will be installed: files, users and units that nobody here can know.
    Package(String),
}

/// What is still to come when a resource is planned. Empty when its turn has come.
#[derive(Debug, Default)]
pub struct Pending<'a> {
    provisions: Option<&'a HashMap<Provision, Reference>>,
    dependencies: &'a [Reference],
    package: Option<&'a Reference>,
}

impl<'a> Pending<'a> {
    /// Nothing is pending: the machine is what it is.
    pub fn nothing() -> Self {
        Self { provisions: None, dependencies: &[], package: None }
    }

    /// `provisions` of steps planned so far, and those resources with pending steps that the
    /// resource being planned depends on, directly or not.
    pub fn new(
        provisions: &'a HashMap<Provision, Reference>,
        dependencies: &'a [Reference],
    ) -> Self {
        Self { provisions: Some(provisions), dependencies, package: None }
    }

    /// The same, with the first package of the plan that has pending steps, whether the resource
    /// being planned depends on it or not.
    #[must_use]
    pub fn with_package(self, package: Option<&'a Reference>) -> Self {
        Self { package, ..self }
    }

    /// The first package of the plan that has pending steps, see [`Self::with_package`].
    pub fn package(&self) -> Option<&'a Reference> {
        self.package
    }

    /// The resource whose pending steps will provide `provision`.
    pub fn provider(&self, provision: &Provision) -> Option<&'a Reference> {
        self.provisions?.get(provision)
    }

    /// Those resources with pending steps that this one depends on, directly or not.
    pub fn dependencies(&self) -> &'a [Reference] {
        self.dependencies
    }

    /// A resource this one depends on, directly or not, that has pending steps and may therefore
    /// bring what is missing (a package brings users, units and files); where there is none, [`Self::package`].
    pub fn dependency(&self) -> Option<&'a Reference> {
        self.dependencies
            .iter()
            .find(|dependency| dependency.kind() == "package")
            .or_else(|| self.dependencies.first())
            .or(self.package)
    }

    /// [`Self::provider`] of `provision`, else [`Self::dependency`].
    pub fn hope(&self, provision: &Provision) -> Option<&'a Reference> {
        self.provider(provision).or_else(|| self.dependency())
    }
}
