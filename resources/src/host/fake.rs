//! A scripted machine for tests: every port in memory, failures on demand.

use super::{Host, View, accounts, command, files, packages, services};

/// The fake machine. Its ports are public so that tests can set the scene and look at the result.
#[derive(Default)]
pub struct FakeHost {
    /// Files in memory.
    pub files: files::FakeFiles,
    /// Accounts in memory.
    pub accounts: accounts::FakeAccounts,
    /// Packages in memory.
    pub packages: packages::FakePackages,
    /// Units in memory.
    pub services: services::FakeServices,
    /// Scripted commands.
    pub commands: command::FakeCommands,
}

impl Host for FakeHost {
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
