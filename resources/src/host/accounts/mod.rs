//! The accounts port.

use super::{Faults, HostOptions};

/// Reads accounts.
pub trait AccountView {}

/// Changes accounts.
pub trait AccountChanges: AccountView {}

/// The machine's own accounts.
pub struct RealAccounts {}

impl RealAccounts {
    /// Opens nothing yet.
    pub fn new(_options: &HostOptions) -> Self {
        Self {}
    }
}

impl AccountView for RealAccounts {}
impl AccountChanges for RealAccounts {}

/// Scripted accounts.
#[derive(Default)]
pub struct FakeAccounts {}

impl FakeAccounts {
    /// The scene of the conformance suite.
    pub fn scene(_faults: Faults) -> Self {
        Self::default()
    }
}

impl AccountView for FakeAccounts {}
impl AccountChanges for FakeAccounts {}
