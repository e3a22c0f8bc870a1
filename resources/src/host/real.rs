//! The real machine, or a root directory of one (`--root`).

use std::path::PathBuf;
use std::sync::Arc;

use super::files::ContentMemory;
use super::{Host, View, accounts, command, files, packages, services};

/// How the machine is reached.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// The root directory that is managed; `/` for the running machine. With any other root the
    /// service manager is offline: units are enabled and masked by their links, never started.
    pub root: PathBuf,
    /// Whether an interrupted dpkg may be repaired (`repair` in the agent's configuration).
    pub repair_packages: bool,
    /// What is remembered of contents from run to run, where there is more than one.
    pub memory: Option<Arc<ContentMemory>>,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self { root: PathBuf::from("/"), repair_packages: false, memory: None }
    }
}

/// The real machine.
pub struct RealHost {
    files: files::RealFiles,
    accounts: accounts::RealAccounts,
    packages: packages::RealPackages,
    services: services::RealServices,
    commands: command::RealCommands,
}

impl RealHost {
    /// Opens nothing yet: each port connects when it is first asked.
    pub fn new(options: &HostOptions) -> Self {
        Self {
            files: files::RealFiles::new(options),
            accounts: accounts::RealAccounts::new(options),
            packages: packages::RealPackages::new(options),
            services: services::RealServices::new(options),
            commands: command::RealCommands::new(options),
        }
    }
}

impl Host for RealHost {
    fn view(&self) -> View<'_> {
        View {
            files: &self.files,
            accounts: &self.accounts,
            packages: &self.packages,
            services: &self.services,
        }
    }
    fn files(&mut self) -> &mut dyn files::FileChanges {
        &mut self.files
    }
    fn accounts(&mut self) -> &mut dyn accounts::AccountChanges {
        &mut self.accounts
    }
    fn packages(&mut self) -> &mut dyn packages::PackageChanges {
        &mut self.packages
    }
    fn services(&mut self) -> &mut dyn services::ServiceChanges {
        &mut self.services
    }
    fn commands(&mut self) -> &mut dyn command::Commands {
        &mut self.commands
    }
}
