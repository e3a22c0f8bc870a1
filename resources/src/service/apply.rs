//! Doing one step.

use std::time::Instant;

use super::action::ServiceAction;
use super::enablement;
use super::wanted::{Enable, Wanted};
use crate::failure::Failure;
use crate::host::services::{Job, LinkChange, ServiceChanges, UnitName};

pub(super) fn apply(
    wanted: &Wanted,
    action: &ServiceAction,
    services: &mut dyn ServiceChanges,
    deadline: Instant,
) -> Result<(), Failure> {
    act(action, services, deadline).map_err(|failure| name_alias(wanted, action, failure))
}

fn act(
    action: &ServiceAction,
    services: &mut dyn ServiceChanges,
    deadline: Instant,
) -> Result<(), Failure> {
    match action {
        ServiceAction::DaemonReload { .. } => Ok(services.daemon_reload(deadline)?),
        ServiceAction::Stop { unit } => run(services, Job::Stop, unit, deadline),
        ServiceAction::Start { unit } => run(services, Job::Start, unit, deadline),
        ServiceAction::Restart { unit } => run(services, Job::Restart, unit, deadline),
        ServiceAction::Unmask { unit } => {
            services.change_links(LinkChange::Unmask, unit, deadline)?;
            let file = services.unit(unit)?.file;
            if file.is_masked() {
                return Err(Failure::new(format!("{unit} was unmasked and is still {file}"))
                    .with_hint("an empty unit file is a mask too; remove it"));
            }
            Ok(())
        }
        ServiceAction::Enable { unit } => {
            change(services, LinkChange::Enable, Enable::Yes, unit, deadline)
        }
        ServiceAction::Disable { unit } => {
            change(services, LinkChange::Disable, Enable::No, unit, deadline)
        }
        ServiceAction::Mask { unit } => {
            change(services, LinkChange::Mask, Enable::Masked, unit, deadline)
        }
    }
}

/// Runs a job and sees that the unit stays up.
pub(super) fn run(
    services: &mut dyn ServiceChanges,
    job: Job,
    unit: &UnitName,
    deadline: Instant,
) -> Result<(), Failure> {
    if let Some(launch) = services.run_job(job, unit, deadline)? {
        for result in services.settle(&[launch], deadline) {
            result?;
        }
    }
    Ok(())
}

/// Changes links and looks whether that brought what was asked for: what enabling does is up to the
/// unit's `[Install]` section, and a step that leaves things as they are must not count as done.
fn change(
    services: &mut dyn ServiceChanges,
    change: LinkChange,
    wish: Enable,
    unit: &UnitName,
    deadline: Instant,
) -> Result<(), Failure> {
    services.change_links(change, unit, deadline)?;
    let after = services.unit(unit)?;
    match enablement::change(wish, &after)? {
        None => Ok(()),
        Some(_) => Err(Failure::new(format!("{unit} is {} after `{}`", after.file, change.verb()))
            .with_hint(format!("see what `systemctl {} {unit}` says", change.verb()))),
    }
}

/// Says which unit an alias of the policy stands for.
fn name_alias(wanted: &Wanted, action: &ServiceAction, failure: Failure) -> Failure {
    let real = match action {
        ServiceAction::DaemonReload { .. } => return failure,
        ServiceAction::Stop { unit }
        | ServiceAction::Start { unit }
        | ServiceAction::Restart { unit }
        | ServiceAction::Unmask { unit }
        | ServiceAction::Enable { unit }
        | ServiceAction::Disable { unit }
        | ServiceAction::Mask { unit } => unit,
    };
    if *real == wanted.unit {
        return failure;
    }
    let reason = format!("{} ({} is another name of it)", failure.reason, wanted.unit);
    Failure { reason, ..failure }
}
