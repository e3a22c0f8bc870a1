//! From a unit's state to the steps that bring it where the policy wants it. Pure and total.

use super::action::ServiceAction;
use super::enablement;
use super::place;
use super::wanted::{Enable, Ensure, Wanted};
use crate::failure::Failure;
use crate::host::services::{ActiveState, FileState, LinkChange, Live, LoadState, Manager, Unit};
use crate::pending::{Pending, Provision};
use crate::reference::Reference;
use crate::step::{Change, Planned, Shown, Step};

type Steps = Vec<Step<ServiceAction>>;

pub(super) fn plan(
    wanted: &Wanted,
    unit: &Unit,
    pending: &Pending<'_>,
) -> Result<Planned<ServiceAction>, Failure> {
    if !unit.exists() {
        return missing(wanted, unit, pending);
    }
    let mut notes = Vec::new();
    let live = match &unit.manager {
        Manager::Live(live) => Some(live),
        Manager::Offline { root } => {
            if wanted.ensure.is_some() {
                notes.push(format!(
                    "whether {} runs is not looked at: the service manager is offline in {}",
                    unit.name,
                    root.display()
                ));
            }
            None
        }
    };
    let links = wanted.enable.map_or(Ok(None), |enable| enablement::change(enable, unit))?;
    let starts = match live.filter(|_| wanted.ensure == Some(Ensure::Running)) {
        Some(live) => start(unit, live, links, &mut notes)?,
        None => None,
    };
    let stopping = live
        .filter(|_| wanted.ensure == Some(Ensure::Stopped))
        .and_then(|live| stop(unit, live, &mut notes));
    let links = link_steps(wanted, unit, links, starts.is_some(), &mut notes);

    let changing_file = pending.dependencies().iter().find(|dependency| {
        dependency.kind() == "file" && place::defines(dependency.title(), &unit.name)
    });
    let reload = live.and_then(|live| {
        let known = stale(unit, live);
        if known.is_none()
            && let Some(file) = changing_file
        {
            return Some(format!("{file} changes the unit"));
        }
        known.or_else(|| (!links.is_empty()).then(|| "the unit's links changed".to_owned()))
    });
    let reload = reload.map(|reason| Step::new(ServiceAction::DaemonReload { reason }, Vec::new()));

    let mut steps: Steps = Vec::new();
    // What is to stop is stopped by the definition it was started with.
    steps.extend(stopping);
    steps.extend(links);
    steps.extend(reload);
    steps.extend(starts);
    let condition = changing_file.filter(|_| !steps.is_empty());
    let condition = condition.map(|file| format!("{file} changes the unit first"));
    Ok(Planned { steps, condition, notes })
}

/// Steps for a unit that does not exist (yet).
fn missing(
    wanted: &Wanted,
    unit: &Unit,
    pending: &Pending<'_>,
) -> Result<Planned<ServiceAction>, Failure> {
    let name = &unit.name;
    let hope = pending
        .dependencies()
        .iter()
        .find(|dependency| dependency.kind() == "file" && place::defines(dependency.title(), name))
        .or_else(|| pending.hope(&Provision::Unit(name.to_string())));
    let needed = wanted.ensure == Some(Ensure::Running) || wanted.enable == Some(Enable::Yes);
    if needed {
        let Some(hope) = hope else { return Err(no_such_unit(unit)) };
        return Ok(hoped_for(wanted, unit, hope).conditional(format!("{hope} brings {name}")));
    }
    let mut planned = Planned::in_sync();
    if wanted.enable == Some(Enable::Masked)
        && let Some(change) = enablement::change(Enable::Masked, unit)?
    {
        planned.steps.push(link_step(change, unit));
        if matches!(unit.manager, Manager::Live(_)) {
            let reason = "the unit's links changed".to_owned();
            planned.steps.push(Step::new(ServiceAction::DaemonReload { reason }, Vec::new()));
        }
    }
    Ok(match hope {
        Some(hope) => planned.with_note(format!("{name} does not exist yet; {hope} may bring it")),
        None => planned.with_note(format!("{name} does not exist")),
    })
}

/// What will have to be done once the unit exists, as far as one can tell.
fn hoped_for(wanted: &Wanted, unit: &Unit, hope: &Reference) -> Planned<ServiceAction> {
    let name = unit.name.clone();
    let absent = || Shown::Absent;
    let mut steps: Steps = Vec::new();
    if unit.file.is_masked() {
        steps.push(link_step(LinkChange::Unmask, unit));
    }
    if wanted.enable == Some(Enable::Yes) {
        let change = Change::new("enable", absent(), Shown::value(FileState::Enabled));
        steps.push(Step::new(ServiceAction::Enable { unit: name.clone() }, vec![change]));
    }
    let live = matches!(unit.manager, Manager::Live(_));
    if live && (hope.kind() == "file" || !steps.is_empty()) {
        let reason = format!("{hope} changes the unit");
        steps.push(Step::new(ServiceAction::DaemonReload { reason }, Vec::new()));
    }
    if live && wanted.ensure == Some(Ensure::Running) {
        let change = Change::new("ensure", absent(), Shown::value("running"));
        steps.push(Step::new(ServiceAction::Start { unit: name }, vec![change]));
    }
    Planned::steps(steps)
}

fn no_such_unit(unit: &Unit) -> Failure {
    let name = &unit.name;
    if unit.file.is_masked() {
        return Failure::new(format!("{name} is masked, and there is no unit file below the mask"))
            .with_hint("install the package that brings it, or leave it masked");
    }
    Failure::new(format!("there is no unit {name}")).with_hint(
        "`systemctl list-unit-files` lists those there are; if a package or a file of the policy \
         brings it, say so with `require`",
    )
}

/// Why systemd has to read its unit files again.
fn stale(unit: &Unit, live: &Live) -> Option<String> {
    if live.stale.is_some() || !live.kept {
        return live.stale.clone();
    }
    // What systemd had in memory before we asked, against the link on disk.
    match (&live.load, unit.file) {
        (LoadState::Masked, file) if has_definition(file) => Some("a mask is gone".into()),
        (LoadState::NotFound, file) if has_definition(file) => Some("a unit file is new".into()),
        (LoadState::Loaded, FileState::Masked | FileState::MaskedRuntime) => {
            Some("the unit was masked".into())
        }
        _ => None,
    }
}

fn has_definition(file: FileState) -> bool {
    !file.is_masked() && !matches!(file, FileState::Bad | FileState::Missing | FileState::Alias)
}

/// The step that starts the unit; `None` where it runs.
fn start(
    unit: &Unit,
    live: &Live,
    links: Option<LinkChange>,
    notes: &mut Vec<String>,
) -> Result<Option<Step<ServiceAction>>, Failure> {
    let name = unit.name.clone();
    if live.active.counts_as_running() {
        return Ok(None);
    }
    if live.passing && live.active == ActiveState::Activating && !live.is_restarting() {
        return Ok(None);
    }
    if live.passing && live.active == ActiveState::Inactive {
        // systemd forgets a unit that is over unless another one refers to it.
        let remembered = live.kept || links == Some(LinkChange::Enable);
        if live.ran {
            return Ok(None);
        }
        if !remembered {
            notes.push(format!(
                "{name} is a oneshot service without RemainAfterExit=yes: systemd does not remember \
                 whether it has run, so it counts as running unless it failed"
            ));
            return Ok(None);
        }
    }
    if let LoadState::Broken(word) = &live.load
        && live.stale.is_none()
    {
        return Err(Failure::new(format!(
            "{name} cannot be started: its unit file is wrong ({word})"
        ))
        .with_hint(format!("`systemd-analyze verify {name}` says what is wrong with it")));
    }
    let change = Change::new("ensure", Shown::value(state(live)), Shown::value("running"));
    Ok(Some(if live.is_restarting() {
        Step::disruptive(ServiceAction::Restart { unit: name }, vec![change])
    } else {
        Step::new(ServiceAction::Start { unit: name }, vec![change])
    }))
}

/// The step that stops the unit; `None` where it does not run.
fn stop(unit: &Unit, live: &Live, notes: &mut Vec<String>) -> Option<Step<ServiceAction>> {
    if live.active.counts_as_stopped() {
        return None;
    }
    if !live.triggers.is_empty() {
        notes.push(format!(
            "{} stays stopped only until {} starts it again; stop that too",
            unit.name,
            live.triggers.join(" or ")
        ));
    }
    let change = Change::new("ensure", Shown::value(state(live)), Shown::value("stopped"));
    Some(Step::disruptive(ServiceAction::Stop { unit: unit.name.clone() }, vec![change]))
}

/// A unit's run-time state in the words of the `ensure` attribute, with systemd's where they add
/// something.
fn state(live: &Live) -> String {
    match live.active {
        ActiveState::Active => "running".into(),
        ActiveState::Inactive => "stopped".into(),
        ActiveState::Failed => "failed".into(),
        other => format!("{other} ({})", live.sub),
    }
}

/// Unmasking where it is needed, and `change`.
fn link_steps(
    wanted: &Wanted,
    unit: &Unit,
    change: Option<LinkChange>,
    starts: bool,
    notes: &mut Vec<String>,
) -> Steps {
    let mut steps = Vec::new();
    let mut change = change;
    if unit.file.is_masked() {
        if starts || change == Some(LinkChange::Enable) {
            steps.push(link_step(LinkChange::Unmask, unit));
            if wanted.enable == Some(Enable::No) {
                // The mask hid whether it is enabled.
                change = Some(LinkChange::Disable);
            }
        } else if wanted.enable == Some(Enable::No) {
            notes.push(format!("{} is masked, which is more than disabled", unit.name));
        }
    }
    steps.extend(change.map(|change| link_step(change, unit)));
    steps
}

fn link_step(change: LinkChange, unit: &Unit) -> Step<ServiceAction> {
    let name = unit.name.clone();
    let file = unit.file;
    let unmasked = if file.is_masked() { "unmasked" } else { file.word() };
    let from_to = |before: &str, after: &str| {
        vec![Change::new("enable", Shown::value(before), Shown::value(after))]
    };
    match change {
        LinkChange::Unmask => {
            Step::new(ServiceAction::Unmask { unit: name }, from_to(file.word(), "unmasked"))
        }
        LinkChange::Enable => {
            let mut changes = from_to(unmasked, "enabled");
            if file == FileState::Indirect && !unit.also.is_empty() {
                let also: Vec<&str> = unit.also.iter().map(|(other, _)| other.as_str()).collect();
                changes = from_to(unmasked, &format!("{} enabled", also.join(", ")));
            }
            Step::new(ServiceAction::Enable { unit: name }, changes)
        }
        LinkChange::Disable => {
            Step::new(ServiceAction::Disable { unit: name }, from_to(unmasked, "disabled"))
        }
        LinkChange::Mask => {
            Step::disruptive(ServiceAction::Mask { unit: name }, from_to(file.word(), "masked"))
        }
    }
}
