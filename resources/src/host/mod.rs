//! The one door to the managed machine.
//!
//! Four ports (files, accounts, packages, services) and the running of external commands. Each port
//! has a read-only side, reachable through [`View`], and a changing side, reachable only through
//! [`Host`]; each has a real implementation and a fake one for tests.
//!
//! What must stay true: nothing outside this folder opens, runs or changes anything on the managed
//! machine; a [`View`] cannot change it; expensive reads are done once and remembered until a
//! change through the same host makes them stale.

pub mod accounts;
pub mod command;
pub mod files;
pub mod packages;
pub mod services;
pub mod watch;

mod fake;
mod real;

pub use fake::{FakeHost, Faults};
pub use real::{HostOptions, RealHost};

/// A read-only view of the machine: all that a dry run gets.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The file system.
    pub files: &'a dyn files::FileView,
    /// Users and groups.
    pub accounts: &'a dyn accounts::AccountView,
    /// Installed and available packages.
    pub packages: &'a dyn packages::PackageView,
    /// The service manager's units.
    pub services: &'a dyn services::ServiceView,
}

/// The machine, to be changed.
pub trait Host {
    /// The read-only view.
    fn view(&self) -> View<'_>;
    /// Changes to the file system.
    fn files(&mut self) -> &mut dyn files::FileChanges;
    /// Changes to users and groups.
    fn accounts(&mut self) -> &mut dyn accounts::AccountChanges;
    /// Changes to packages.
    fn packages(&mut self) -> &mut dyn packages::PackageChanges;
    /// Changes to units.
    fn services(&mut self) -> &mut dyn services::ServiceChanges;
    /// Commands that a policy names (`validate`).
    fn commands(&mut self) -> &mut dyn command::Commands;
}
