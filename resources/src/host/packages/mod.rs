//! The packages port.

use super::{Faults, HostOptions};

/// Reads packages.
pub trait PackageView {}

/// Changes packages.
pub trait PackageChanges: PackageView {}

/// The machine's own packages.
pub struct RealPackages {}

impl RealPackages {
    /// Opens nothing yet.
    pub fn new(_options: &HostOptions) -> Self {
        Self {}
    }
}

impl PackageView for RealPackages {}
impl PackageChanges for RealPackages {}

/// Scripted packages.
#[derive(Default)]
pub struct FakePackages {}

impl FakePackages {
    /// The scene of the conformance suite.
    pub fn scene(_faults: Faults) -> Self {
        Self::default()
    }
}

impl PackageView for FakePackages {}
impl PackageChanges for FakePackages {}
