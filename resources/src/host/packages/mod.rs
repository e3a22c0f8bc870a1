//! The packages port: what is installed, what could be, and changing that in one transaction.
//!
//! [`RealPackages`] finds the machine's package manager and speaks to it through a backend: one
//! folder each beside [`apt`](self), which is the only one so far. The rules of names, versions
//! and states that all of them share are here; what a policy means by `package` is not
//! ([`crate::package`]).
//!
//! What must stay true: a view asks and never refreshes; the database of installed packages is
//! read once and again only when it has changed; one process answers for all announced names; no
//! transaction removes or downgrades what it was not asked to; nothing ever prompts; names reach
//! a package manager only as checked [`PackageName`]s.

mod apt;
mod availability;
mod backend;
mod error;
mod fake;
mod name;
mod real;
mod record;
mod staging;
mod transaction;
mod version;

use std::time::Instant;

pub use availability::{Announced, Availability, Index, IndexProvider, Refreshed};
pub use error::PackageError;
pub use fake::{FakePackage, FakePackages};
pub use name::{NameError, PackageName};
pub use real::RealPackages;
pub use record::{Provider, Record, Selection, State};
pub use transaction::{
    Answer, ConfigFiles, Install, PackageFile, Staged, Transaction, TransactionOptions,
};
pub use version::VersionScheme;

use super::Faults;

/// The databases of what is installed, below the root directory: one for each backend. They are
/// replaced as a whole at the end of a transaction.
pub(in crate::host) const DATABASES: &[&str] = &["/var/lib/dpkg/status"];

/// Reads packages. Asks the machine's databases and indexes as they are; refreshes nothing.
pub trait PackageView {
    /// How this machine's distribution compares versions.
    fn scheme(&self) -> Result<VersionScheme, PackageError>;

    /// What the package database says about `name`. A name without architecture means the native
    /// architecture's package, or the only installed one of another. `None` where the database has
    /// never heard of it.
    fn package(&self, name: &PackageName) -> Result<Option<Record>, PackageError>;

    /// The installed packages that somebody asked for, sorted; all of them where the package
    /// manager does not tell which came only because others need them. With their architecture
    /// where it is not the native one.
    fn chosen(&self) -> Result<Vec<PackageName>, PackageError>;

    /// The installed packages that provide `name` under another name.
    fn providers(&self, name: &PackageName) -> Result<Vec<Provider>, PackageError>;

    /// Tells which names the policy speaks of and which of them [`Self::availability`] will be
    /// asked for, so that its first question asks for all. Asks nothing itself. Replaces what was
    /// announced before.
    fn announce(&self, names: &[Announced]);

    /// Whether a package of this name was announced as one to be installed.
    fn is_announced(&self, name: &str) -> bool;

    /// What the present indexes offer for `name`. Remembered until they are refreshed.
    fn availability(&self, name: &PackageName) -> Result<Availability, PackageError>;

    /// How fresh the present indexes are.
    fn index(&self) -> Result<Index, PackageError>;
}

/// Changes packages. Everything here waits for locks that other processes hold, at most until its
/// deadline.
pub trait PackageChanges: PackageView {
    /// Refreshes the indexes, unless that was tried already for the same sources. The result is
    /// remembered ([`PackageView::index`]); a failure is a result, too.
    fn refresh_index(&mut self, deadline: Instant);

    /// Does all of `transaction` or says why not. Refuses, before it changes anything, when more
    /// would be removed or downgraded than was asked for. After a failure any part of it may have
    /// been done: look again.
    fn transact(
        &mut self,
        transaction: &Transaction,
        deadline: Instant,
    ) -> Result<(), PackageError>;

    /// Sets (true) or lifts (false) holds of installed packages, all or none.
    fn set_holds(
        &mut self,
        holds: &[(PackageName, bool)],
        deadline: Instant,
    ) -> Result<(), PackageError>;

    /// Answers questions that packages ask while they are configured. The values may be secret.
    fn preset_answers(&mut self, answers: &[Answer], deadline: Instant)
    -> Result<(), PackageError>;

    /// Puts a package file where only root can reach it, and checks its digest and that it is a
    /// package `name`. It is gone when [`Staged`] is dropped.
    fn stage(&mut self, name: &PackageName, file: &PackageFile<'_>)
    -> Result<Staged, PackageError>;
}
