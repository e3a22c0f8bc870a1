//! The one list of kinds. Adding a kind adds one line here.

use crate::kind::AnyKind;

/// Every kind there is.
pub struct Registry {
    kinds: Vec<&'static dyn AnyKind>,
}

impl Registry {
    /// The kinds that Steadfast ships.
    pub fn standard() -> Self {
        Self {
            kinds: vec![
                &crate::file::File,
                &crate::package::Package,
                &crate::service::Service,
                &crate::user::User,
                &crate::group::Group,
            ],
        }
    }

    /// Exactly these kinds, for tests and tools.
    pub fn of(kinds: Vec<&'static dyn AnyKind>) -> Self {
        Self { kinds }
    }

    /// The kind called `name`.
    pub fn kind(&self, name: &str) -> Option<&'static dyn AnyKind> {
        self.kinds.iter().copied().find(|kind| kind.declaration().name == name)
    }

    /// All kinds, in the order of the reference.
    pub fn kinds(&self) -> impl Iterator<Item = &'static dyn AnyKind> + '_ {
        self.kinds.iter().copied()
    }
}
