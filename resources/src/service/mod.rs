//! The `service` kind: units of systemd, running or stopped, enabled, disabled or masked.
//!
//! What must stay true: a unit is in sync exactly when planning again would do nothing, for every
//! state that systemd knows; nothing is unmasked, restarted or enabled but by a step of the plan or
//! a notification. Deliberately absent: writing unit files (those are files) and any memory of
//! what ran before.

mod action;
mod apply;
mod declaration;
mod enablement;
mod export;
mod notify;
mod place;
mod plan;
mod wanted;

#[cfg(test)]
mod tests;

use crate::attributes::AttributeReader;
use crate::declaration::KindDeclaration;
use crate::export::Export;
use crate::failure::Failure;
use crate::host::services::Unit;
use crate::host::watch::Interest;
use crate::host::{Host, View};
use crate::kind::{Kind, Refresh, Turn, Watch};
use crate::pending::{Pending, Provision};
use crate::relations::Relations;
use crate::step::{Planned, Step};

pub use action::ServiceAction;
pub use wanted::{Enable, Ensure, OnNotify, Wanted};

/// The kind itself.
pub struct Service;

impl Kind for Service {
    type Wanted = Wanted;
    type Observed = Unit;
    type Action = ServiceAction;

    fn declaration(&self) -> &'static KindDeclaration {
        &declaration::DECLARATION
    }

    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<Wanted> {
        wanted::read(title, attributes)
    }

    fn relations(&self, wanted: &Wanted) -> Relations {
        place::relations(&wanted.unit)
    }

    fn provides(&self, wanted: &Wanted) -> Vec<Provision> {
        let brings = wanted.ensure == Some(Ensure::Running) || wanted.enable == Some(Enable::Yes);
        if brings { vec![Provision::Unit(wanted.unit.to_string())] } else { Vec::new() }
    }

    fn observe(&self, wanted: &Wanted, view: &View<'_>) -> Result<Unit, Failure> {
        Ok(view.services.unit(&wanted.unit)?)
    }

    fn plan(
        &self,
        wanted: &Wanted,
        observed: Unit,
        pending: &Pending<'_>,
    ) -> Result<Planned<ServiceAction>, Failure> {
        plan::plan(wanted, &observed, pending)
    }

    fn apply(
        &self,
        wanted: &Wanted,
        step: &Step<&ServiceAction>,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        apply::apply(wanted, step.action, host.services(), turn.deadline)
    }

    fn refresh(&self) -> Option<&dyn Refresh<Self>> {
        Some(self)
    }

    fn export(&self) -> Option<&dyn Export<Self>> {
        Some(self)
    }

    fn watch(&self) -> Option<&dyn Watch<Self>> {
        Some(self)
    }
}

impl Watch<Self> for Service {
    fn interests(&self, wanted: &Wanted) -> Vec<Interest> {
        vec![Interest::Unit(wanted.unit.clone())]
    }
}
