//! What the machine has of a package, and what it could have.

use crate::failure::Failure;
use crate::host::packages::{
    Availability, Index, IndexProvider, PackageError, PackageName, PackageView, Provider, Record,
    VersionScheme,
};

use super::ensure::Ensure;
use super::wanted::Wanted;

/// What was seen.
#[derive(Debug)]
pub struct Observed {
    /// How versions compare here.
    pub scheme: VersionScheme,
    /// What the database says, if it knows the name.
    pub record: Option<Record>,
    /// Installed packages that provide the name.
    pub providers: Vec<Provider>,
    /// What the indexes offer; only where the decision needs it.
    pub offer: Option<Offer>,
}

/// What the indexes offer.
#[derive(Debug)]
pub struct Offer {
    /// For the name itself.
    pub availability: Availability,
    /// For the package that will provide the name, where no package has it and one can be chosen.
    pub provider: Option<(PackageName, Availability)>,
    /// How fresh the indexes are.
    pub index: Index,
}

/// What can be told without an index.
pub(super) struct Installed {
    scheme: VersionScheme,
    record: Option<Record>,
    providers: Vec<Provider>,
}

impl Installed {
    fn look(wanted: &Wanted, view: &dyn PackageView) -> Result<Self, PackageError> {
        Ok(Self {
            scheme: view.scheme()?,
            record: view.package(&wanted.name)?,
            providers: view.providers(&wanted.name)?,
        })
    }

    fn is_satisfied(&self, wanted: &Wanted) -> bool {
        let version = self.record.as_ref().and_then(Record::present_version);
        version.is_some_and(|version| wanted.ensure.admits(version, self.scheme))
    }

    fn is_present(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.state.is_present())
    }

    fn is_provided(&self, wanted: &Wanted) -> bool {
        !self.is_present() && provides(&self.providers, &wanted.ensure, self.scheme)
    }

    fn asks_index(&self, wanted: &Wanted) -> bool {
        !wanted.ensure.is_absence()
            && wanted.source.is_none()
            && (wanted.ensure == Ensure::Latest || !self.is_satisfied(wanted))
    }
}

/// Whether any of `providers` is what `ensure` asks for.
pub(super) fn provides(providers: &[Provider], ensure: &Ensure, scheme: VersionScheme) -> bool {
    providers.iter().any(|provider| match &provider.version {
        _ if ensure.is_any_version() => true,
        Some(version) => ensure.admits(version, scheme),
        None => false,
    })
}

/// Whether observing `wanted` asks the indexes.
pub(super) fn asks_index(wanted: &Wanted, view: &dyn PackageView) -> Result<bool, PackageError> {
    Ok(Installed::look(wanted, view)?.asks_index(wanted))
}

/// Whether the indexes must be fresh for `wanted`: something has to be installed, or the latest
/// version is asked for. A name that an installed package provides needs neither.
pub(super) fn needs_fresh_index(
    wanted: &Wanted,
    view: &dyn PackageView,
) -> Result<bool, PackageError> {
    let installed = Installed::look(wanted, view)?;
    Ok(installed.asks_index(wanted) && !installed.is_provided(wanted))
}

pub(super) fn observe(wanted: &Wanted, view: &dyn PackageView) -> Result<Observed, Failure> {
    let installed = Installed::look(wanted, view)?;
    let offer = if installed.asks_index(wanted) {
        let mut availability = view.availability(&wanted.name)?;
        availability.providers.retain(|provider| match &provider.version {
            _ if wanted.ensure.is_any_version() => true,
            Some(version) => wanted.ensure.admits(version, installed.scheme),
            None => false,
        });
        let chosen = if installed.is_present() || installed.is_provided(wanted) {
            None
        } else {
            choose(&availability.providers, view)
        };
        let provider = match chosen {
            Some(name) => {
                let offered = view.availability(&name)?;
                Some((name, offered))
            }
            None => None,
        };
        Some(Offer { availability, provider, index: view.index()? })
    } else {
        None
    };
    let Installed { scheme, record, providers } = installed;
    Ok(Observed { scheme, record, providers, offer })
}

/// The provider to install: the only one, or the one that the policy wants anyway.
fn choose(providers: &[IndexProvider], view: &dyn PackageView) -> Option<PackageName> {
    let name = |provider: &IndexProvider| PackageName::parse(&provider.package).ok();
    match providers {
        [] => None,
        [only] => name(only),
        several => {
            several.iter().filter_map(name).find(|provider| view.is_announced(provider.name()))
        }
    }
}
