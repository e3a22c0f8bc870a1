//! What a notification does to a unit.

use super::action::ServiceAction;
use super::wanted::{Ensure, OnNotify, Wanted};
use super::{Service, apply};
use crate::failure::Failure;
use crate::host::services::{ActiveState, Job, Live, Manager};
use crate::host::{Host, View};
use crate::kind::{Refresh, Turn};

impl Refresh<Service> for Service {
    fn refresh_needed(
        &self,
        wanted: &Wanted,
        view: &View<'_>,
        applied: &[&ServiceAction],
    ) -> Result<Option<String>, Failure> {
        let just_started = applied.iter().any(|action| {
            matches!(action, ServiceAction::Start { .. } | ServiceAction::Restart { .. })
        });
        if just_started
            || wanted.on_notify == OnNotify::Nothing
            || wanted.ensure == Some(Ensure::Stopped)
        {
            return Ok(None);
        }
        let unit = view.services.unit(&wanted.unit)?;
        let Manager::Live(live) = &unit.manager else { return Ok(None) };
        Ok(job(wanted, live).map(|job| match job {
            Job::TryReload if live.can_reload => format!("reload {}", unit.name),
            Job::TryReload => format!("restart {}, which cannot reload", unit.name),
            _ => format!("restart {}", unit.name),
        }))
    }

    fn refresh(
        &self,
        wanted: &Wanted,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let services = host.services();
        let unit = services.unit(&wanted.unit)?;
        let Manager::Live(live) = &unit.manager else { return Ok(()) };
        let Some(job) = job(wanted, live) else { return Ok(()) };
        if live.stale.is_some() {
            services.daemon_reload(turn.deadline)?;
        }
        apply::run(services, job, &unit.name, turn.deadline)
    }
}

/// The job that a notification asks for; `None` where the unit does not run.
fn job(wanted: &Wanted, live: &Live) -> Option<Job> {
    let runs = match live.active {
        ActiveState::Active | ActiveState::Reloading | ActiveState::Activating => true,
        // What does its work and ends has run as long as it did not fail: it runs once more.
        ActiveState::Inactive => live.passing && wanted.ensure == Some(Ensure::Running),
        ActiveState::Deactivating | ActiveState::Failed | ActiveState::Maintenance => false,
    };
    match wanted.on_notify {
        _ if !runs => None,
        OnNotify::Nothing => None,
        _ if live.passing => Some(Job::Restart),
        OnNotify::Restart => Some(Job::TryRestart),
        OnNotify::Reload => Some(Job::TryReload),
    }
}
