//! The services port.

use super::{Faults, HostOptions};

/// Reads services.
pub trait ServiceView {}

/// Changes services.
pub trait ServiceChanges: ServiceView {}

/// The machine's own services.
pub struct RealServices {}

impl RealServices {
    /// Opens nothing yet.
    pub fn new(_options: &HostOptions) -> Self {
        Self {}
    }
}

impl ServiceView for RealServices {}
impl ServiceChanges for RealServices {}

/// Scripted services.
#[derive(Default)]
pub struct FakeServices {}

impl FakeServices {
    /// The scene of the conformance suite.
    pub fn scene(_faults: Faults) -> Self {
        Self::default()
    }
}

impl ServiceView for FakeServices {}
impl ServiceChanges for FakeServices {}
