//! The packages port.

use super::HostOptions;

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

impl PackageView for FakePackages {}
impl PackageChanges for FakePackages {}
