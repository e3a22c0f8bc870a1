//! The files port.

use super::{Faults, HostOptions};

/// Reads files.
pub trait FileView {}

/// Changes files.
pub trait FileChanges: FileView {}

/// The machine's own files.
pub struct RealFiles {}

impl RealFiles {
    /// Opens nothing yet.
    pub fn new(_options: &HostOptions) -> Self {
        Self {}
    }
}

impl FileView for RealFiles {}
impl FileChanges for RealFiles {}

/// Scripted files.
#[derive(Default)]
pub struct FakeFiles {}

impl FakeFiles {
    /// The scene of the conformance suite.
    pub fn scene(_faults: Faults) -> Self {
        Self::default()
    }
}

impl FileView for FakeFiles {}
impl FileChanges for FakeFiles {}
