//! The services port: units of systemd, over D-Bus where it runs, and by their links below a root
//! directory where it does not.
//!
//! What must stay true: a job counts as done only by its own result; nothing waits longer than its
//! deadline; a unit is read as it is now, not as it was before another resource changed its
//! files. Deliberately absent: other service managers, user units, and any decision (those are the
//! `service` kind's).

mod bus;
mod disk;
mod error;
mod fake;
mod guard;
mod journal;
mod name;
mod offline;
mod online;
mod settle;
mod signals;
mod systemd;
mod unit;
mod wire;

use std::path::Path;
use std::time::Instant;

use super::{Faults, HostOptions};

pub use error::{STATIC_HINT, ServicesError};
pub use fake::{FakeServices, FakeUnit};
pub use name::{TYPES, UnitName, UnitNameError};
pub use settle::Launch;
pub(in crate::host) use signals::{UnitSignal, UnitSignals};
pub use systemd::{Job, LinkChange};
pub use unit::{ActiveState, FileState, Live, LoadState, Manager, Unit};
pub use wire::WireError;

/// Reads services.
pub trait ServiceView {
    /// The unit called `name`, as it is now. A unit that does not exist is no error.
    fn unit(&self, name: &UnitName) -> Result<Unit, ServicesError>;

    /// The units that have a file, or links that enable them, and those that are loaded; sorted,
    /// without templates. Other names of a unit are among them.
    fn units(&self) -> Result<Vec<UnitName>, ServicesError>;
}

/// Changes services.
pub trait ServiceChanges: ServiceView {
    /// Makes systemd read all unit files again. Does nothing below a root directory.
    fn daemon_reload(&mut self, deadline: Instant) -> Result<(), ServicesError>;

    /// Changes the links of a unit file. Nothing to change is no error. Systemd does not know of
    /// it before the next [`Self::daemon_reload`].
    fn change_links(
        &mut self,
        change: LinkChange,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<(), ServicesError>;

    /// Runs a job to its end. The unit may still die a moment later: what is returned should be
    /// given to [`Self::settle`].
    fn run_job(
        &mut self,
        job: Job,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<Option<Launch>, ServicesError>;

    /// Watches units that were just started, all at the same time, until each has been up for its
    /// settle time (at most a second and a half). One result for each, in order.
    fn settle(&mut self, launches: &[Launch], deadline: Instant) -> Vec<Result<(), ServicesError>>;
}

/// The machine's own services. Connects when first asked.
pub struct RealServices(Real);

enum Real {
    Online(online::Online),
    Offline(offline::Offline),
}

impl RealServices {
    /// Opens nothing yet.
    pub fn new(options: &HostOptions) -> Self {
        Self(if options.root == Path::new("/") {
            Real::Online(online::Online::default())
        } else {
            Real::Offline(offline::Offline::new(&options.root))
        })
    }

    fn changes(&mut self) -> &mut dyn ServiceChanges {
        match &mut self.0 {
            Real::Online(online) => online,
            Real::Offline(offline) => offline,
        }
    }
}

impl ServiceView for RealServices {
    fn unit(&self, name: &UnitName) -> Result<Unit, ServicesError> {
        match &self.0 {
            Real::Online(online) => online.unit(name),
            Real::Offline(offline) => offline.unit(name),
        }
    }

    fn units(&self) -> Result<Vec<UnitName>, ServicesError> {
        match &self.0 {
            Real::Online(online) => online.units(),
            Real::Offline(offline) => offline.units(),
        }
    }
}

impl ServiceChanges for RealServices {
    fn daemon_reload(&mut self, deadline: Instant) -> Result<(), ServicesError> {
        self.changes().daemon_reload(deadline)
    }

    fn change_links(
        &mut self,
        change: LinkChange,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        self.changes().change_links(change, unit, deadline)
    }

    fn run_job(
        &mut self,
        job: Job,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<Option<Launch>, ServicesError> {
        self.changes().run_job(job, unit, deadline)
    }

    fn settle(&mut self, launches: &[Launch], deadline: Instant) -> Vec<Result<(), ServicesError>> {
        self.changes().settle(launches, deadline)
    }
}
