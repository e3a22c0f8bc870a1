//! The services port.

use super::HostOptions;

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

impl ServiceView for FakeServices {}
impl ServiceChanges for FakeServices {}
