//! A unit as a declaration would say it.

use super::Service;
use crate::accept::{Drift, Edit};
use crate::export::{Export, Exported, Selection};
use crate::failure::Failure;
use crate::host::View;
use crate::host::services::{ActiveState, FileState, Manager, Unit, UnitName};
use crate::value::Value;

/// Units that people enable; devices, slices and scopes come and go by themselves.
const TYPES: [&str; 8] =
    ["service", "socket", "timer", "path", "mount", "automount", "swap", "target"];

/// Units that people start although they are not started at boot.
const STARTED: [&str; 4] = ["service", "socket", "timer", "path"];

impl Export<Self> for Service {
    /// Without names: what is enabled, what an administrator has masked, and what runs although it
    /// is not started at boot. Not what is static or generated, which no administrator chose, and
    /// no second names.
    fn titles(&self, selection: &Selection<'_>, view: &View<'_>) -> Result<Vec<String>, Failure> {
        selection.only(&[])?;
        if !selection.named.is_empty() {
            return Ok(selection.named.to_vec());
        }
        let mut titles = Vec::new();
        for name in view.services.units()? {
            if TYPES.contains(&name.suffix()) {
                let unit = view.services.unit(&name)?;
                if unit.name == name && was_chosen(&unit) {
                    titles.push(title(&name));
                }
            }
        }
        titles.sort();
        Ok(titles)
    }

    fn export(&self, title: &str, view: &View<'_>) -> Result<Option<Exported>, Failure> {
        let name = UnitName::from_title(title)
            .map_err(|error| Failure::new(format!("{title:?} does not name a unit: {error}")))?;
        let unit = view.services.unit(&name)?;
        let masked = unit.file.is_masked();
        if !unit.exists() && !masked {
            return Ok(None);
        }
        let mut exported = Exported::new(Vec::new());
        if unit.name != name {
            exported.notes.push(format!("this is another name of {}", unit.name));
        }
        running(&unit, &mut exported);
        enabled(&unit, &mut exported);
        Ok(Some(exported))
    }

    fn accept(&self, drift: &Drift<'_>, _view: &View<'_>) -> Result<Vec<Edit>, Failure> {
        let Some(found) = drift.found else {
            return Err(Failure::new("there is no such unit, and no attribute says so")
                .with_hint("take the resource out of the policy, or bring the unit back"));
        };
        let mut edits = Vec::new();
        for attribute in ["ensure", "enable"] {
            if drift.declared(attribute).is_some() && drift.differs(attribute) {
                edits.push(drift.as_found(attribute, found)?);
            }
        }
        let masked = edits.contains(&Edit::Set("enable", Value::text("masked")));
        let runs = drift.declared_text("ensure") == Some("running") && !drift.differs("ensure");
        if masked && runs {
            // It runs until somebody stops it; a policy cannot ask for that.
            edits.push(Edit::Remove("ensure"));
        }
        Ok(edits)
    }
}

/// The shortest title that names the unit.
fn title(name: &UnitName) -> String {
    match UnitName::from_title(name.stem()) {
        Ok(short) if short == *name => name.stem().to_owned(),
        _ => name.to_string(),
    }
}

fn was_chosen(unit: &Unit) -> bool {
    let runs = match &unit.manager {
        Manager::Live(live) => live.active.counts_as_running(),
        Manager::Offline { .. } => false,
    };
    match unit.file {
        FileState::Enabled => true,
        // Packages mask names behind which there is no unit.
        FileState::Masked => unit.beneath_mask,
        FileState::Indirect if also_enabled(unit) => true,
        FileState::Disabled
        | FileState::Linked
        | FileState::Indirect
        | FileState::EnabledRuntime
        | FileState::LinkedRuntime => runs && STARTED.contains(&unit.name.suffix()),
        _ => false,
    }
}

fn also_enabled(unit: &Unit) -> bool {
    !unit.also.is_empty() && unit.also.iter().all(|(_, state)| *state == FileState::Enabled)
}

/// `ensure`, where it says something: a unit that failed or is about to change is neither running
/// nor stopped, and one that is over when its commands are was not stopped by anybody.
fn running(unit: &Unit, exported: &mut Exported) {
    let Manager::Live(live) = &unit.manager else { return };
    if unit.name.is_template() {
        return;
    }
    let ensure = match live.active {
        ActiveState::Active | ActiveState::Reloading if !unit.file.is_masked() => "running",
        ActiveState::Inactive if live.passing => return,
        ActiveState::Inactive => "stopped",
        state => {
            exported.notes.push(format!("it is {state} ({})", live.sub));
            return;
        }
    };
    exported.attributes.push(("ensure", Value::text(ensure)));
    if let Some(stale) = &live.stale {
        exported.notes.push(format!("systemd has not read its files again: {stale}"));
    }
}

/// `enable`, where the unit can be enabled.
fn enabled(unit: &Unit, exported: &mut Exported) {
    let enable = match unit.file {
        FileState::Enabled => Value::Boolean(true),
        FileState::Disabled | FileState::Linked | FileState::LinkedRuntime => Value::Boolean(false),
        FileState::Masked => Value::text("masked"),
        FileState::Indirect if also_enabled(unit) => Value::Boolean(true),
        FileState::Indirect
            if !unit.also.iter().any(|(_, state)| {
                matches!(state, FileState::Enabled | FileState::EnabledRuntime)
            }) =>
        {
            Value::Boolean(false)
        }
        FileState::Missing | FileState::Transient => return,
        state => {
            exported.notes.push(format!("its unit file is {state}"));
            return;
        }
    };
    exported.attributes.push(("enable", enable));
}
