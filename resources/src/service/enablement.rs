//! Which change of links brings a unit file to the state that is asked for: one table over all the
//! states that systemd knows (systemctl(1), "is-enabled").

use super::wanted::Enable;
use crate::failure::Failure;
use crate::host::services::{FileState, LinkChange, STATIC_HINT, Unit};

/// The change that `wish` needs, or `None` where the unit is as it should be. A masked unit that
/// is to be enabled has to be unmasked first; what its state is then, shows only then.
pub(super) fn change(wish: Enable, unit: &Unit) -> Result<Option<LinkChange>, Failure> {
    match wish {
        Enable::Yes => enable(unit),
        Enable::No => disable(unit),
        Enable::Masked => mask(unit),
    }
}

fn enable(unit: &Unit) -> Result<Option<LinkChange>, Failure> {
    let name = &unit.name;
    match unit.file {
        FileState::Enabled => Ok(None),
        FileState::Indirect
            if !unit.also.is_empty() && unit.also.iter().all(|(_, state)| suffices(*state)) =>
        {
            Ok(None)
        }
        FileState::EnabledRuntime
        | FileState::Linked
        | FileState::LinkedRuntime
        | FileState::Masked
        | FileState::MaskedRuntime
        | FileState::Disabled
        | FileState::Indirect => Ok(Some(LinkChange::Enable)),
        FileState::Static => Err(Failure::new(format!(
            "{name} is static: it has no [Install] section, so it cannot be enabled"
        ))
        .with_hint(STATIC_HINT)),
        FileState::Generated => Err(generated(unit, "enabled")),
        FileState::Transient => Err(Failure::new(format!(
            "{name} was made at run time and has no unit file that could be enabled"
        ))),
        FileState::Missing => Err(Failure::new(format!("{name} has no unit file to be enabled"))),
        FileState::Bad | FileState::Alias => Err(bad(unit)),
    }
}

fn disable(unit: &Unit) -> Result<Option<LinkChange>, Failure> {
    match unit.file {
        FileState::Enabled | FileState::EnabledRuntime => Ok(Some(LinkChange::Disable)),
        FileState::Indirect if unit.also.iter().any(|(_, state)| is_enabled(*state)) => {
            Ok(Some(LinkChange::Disable))
        }
        // A masked unit is not started at boot either.
        FileState::Masked
        | FileState::MaskedRuntime
        | FileState::Indirect
        | FileState::Static
        | FileState::Disabled
        | FileState::Linked
        | FileState::LinkedRuntime
        | FileState::Transient
        | FileState::Missing => Ok(None),
        FileState::Generated => Err(generated(unit, "disabled")),
        FileState::Bad | FileState::Alias => Err(bad(unit)),
    }
}

fn mask(unit: &Unit) -> Result<Option<LinkChange>, Failure> {
    if unit.file == FileState::Masked {
        return Ok(None);
    }
    match &unit.in_place_of_mask {
        None => Ok(Some(LinkChange::Mask)),
        Some(path) => Err(Failure::new(format!(
            "{} cannot be masked: its own file {} is where the mask would go",
            unit.name,
            path.display()
        ))
        .with_hint(
            "move the unit file to /usr/local/lib/systemd/system, or use enable = false and \
             ensure = \"stopped\"",
        )),
    }
}

/// Whether a unit that another one's `Also=` names needs nothing more to be enabled along.
fn suffices(state: FileState) -> bool {
    matches!(
        state,
        FileState::Enabled
            | FileState::Static
            | FileState::Alias
            | FileState::Indirect
            | FileState::Generated
            | FileState::Transient
    )
}

fn is_enabled(state: FileState) -> bool {
    matches!(state, FileState::Enabled | FileState::EnabledRuntime)
}

fn generated(unit: &Unit, done: &str) -> Failure {
    Failure::new(format!(
        "{} is generated from another file at every boot, so it cannot be {done}",
        unit.name
    ))
    .with_hint(
        "change what it is generated from (/etc/fstab, /etc/init.d and update-rc.d, the kernel \
         command line), or mask it",
    )
}

fn bad(unit: &Unit) -> Failure {
    Failure::new(format!("the unit file of {} cannot be read", unit.name))
        .with_hint(format!("`systemd-analyze verify {}` says what is wrong with it", unit.name))
}
