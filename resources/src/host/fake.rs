//! A scripted machine for tests: every port in memory, failures on demand.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Host, View, accounts, command, files, packages, services};

/// Failures on demand, shared by all ports of one fake machine. Every changing operation of a fake
/// port calls [`Self::strike`] before it changes anything.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<FaultState>>);

#[derive(Debug, Default)]
struct FaultState {
    operations: Vec<String>,
    fail_at: Option<usize>,
    fail_from: Option<usize>,
}

impl Faults {
    /// Makes the operation number `index` (from 0, counted from now) fail, once.
    pub fn fail_at(&self, index: usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.operations.clear();
        state.fail_at = Some(index);
    }

    /// Makes every operation from number `index` on fail (from 0, counted from now), until
    /// [`Self::relent`].
    pub fn fail_from(&self, index: usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.operations.clear();
        state.fail_from = Some(index);
    }

    /// Lets everything succeed again, counting from now.
    pub fn relent(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = FaultState::default();
    }

    /// The operations since the start or the last [`Self::fail_at`].
    pub fn operations(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).operations.clone()
    }

    /// Records a changing operation; fails when its number has come.
    pub fn strike(&self, operation: &str) -> io::Result<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = state.operations.len();
        state.operations.push(operation.to_owned());
        if state.fail_from.is_some_and(|from| index >= from) {
            return Err(io::Error::other(format!("injected failure of {operation}")));
        }
        if state.fail_at == Some(index) {
            state.fail_at = None;
            return Err(io::Error::other(format!("injected failure of {operation}")));
        }
        Ok(())
    }
}

/// The fake machine. Its ports are public so that tests can set the scene and look at the result.
#[derive(Default)]
pub struct FakeHost {
    /// Failures on demand.
    pub faults: Faults,
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

impl FakeHost {
    /// The machine that the conformance suite runs on: a bare Debian host with the packages
    /// `sf-*` available that the tests also build for booted hosts.
    pub fn scene() -> Self {
        let faults = Faults::default();
        Self {
            files: files::FakeFiles::scene(faults.clone()),
            accounts: accounts::FakeAccounts::scene(faults.clone()),
            packages: packages::FakePackages::scene(faults.clone()),
            services: services::FakeServices::scene(faults.clone()),
            commands: command::FakeCommands::default(),
            faults,
        }
    }
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
