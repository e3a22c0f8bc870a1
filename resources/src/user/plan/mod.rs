//! From what the machine has to the steps that are missing: pure.
//!
//! The order of steps is what makes a crash between any two harmless: a new account is locked until
//! its last step sets the password; files change hands and places before the account says so, for
//! afterwards nobody would know the old number or place.

mod account;
mod home;
mod password;
mod removal;

use crate::failure::Failure;
use crate::host::accounts::{GroupReference, Process, ShellFacts};
use crate::pending::{Pending, Provision};
use crate::reference::Reference;
use crate::step::{Change, Planned, Shown, Step};

use super::action::UserAction;
use super::observed::Observed;
use super::wanted::Wanted;

/// A plan being made.
#[derive(Debug, Default)]
struct Draft {
    steps: Vec<Step<UserAction>>,
    conditions: Vec<String>,
    notes: Vec<String>,
}

impl Draft {
    fn step(&mut self, action: UserAction, changes: Vec<Change>) {
        self.steps.push(Step::new(action, changes));
    }

    fn rests_on(&mut self, what: &str, provider: &Reference) {
        self.conditions.push(format!("{what} comes from {provider}"));
    }

    fn finish(self) -> Planned<UserAction> {
        let condition = (!self.conditions.is_empty()).then(|| self.conditions.join("; "));
        Planned { steps: self.steps, condition, notes: self.notes }
    }
}

/// The steps from `observed` to `wanted`.
pub(super) fn plan(
    wanted: &Wanted,
    observed: &Observed,
    pending: &Pending<'_>,
) -> Result<Planned<UserAction>, Failure> {
    if !wanted.present {
        return removal::plan(wanted, observed);
    }
    if observed.remote && observed.user.is_none() {
        return Err(Failure::new(format!(
            "the user {} comes from the name service, not from /etc/passwd",
            wanted.name
        ))
        .with_hint(
            "only local accounts are changed: manage it where it lives (LDAP, SSSD), or choose \
             another name",
        ));
    }
    let mut draft = Draft::default();
    check_surroundings(wanted, observed, pending, &mut draft)?;
    match &observed.user {
        None => account::create(wanted, observed, pending, &mut draft)?,
        Some(user) => account::modify(wanted, user, observed, pending, &mut draft)?,
    }
    Ok(draft.finish())
}

/// What must exist before anything is touched.
fn check_surroundings(
    wanted: &Wanted,
    observed: &Observed,
    pending: &Pending<'_>,
    draft: &mut Draft,
) -> Result<(), Failure> {
    if let (Some(uid), Some(holder)) = (wanted.uid, &observed.uid_holder) {
        return Err(Failure::new(format!("uid {uid} already belongs to {holder}"))
            .with_hint("two names for one number are not made; choose a free uid"));
    }
    if let (Some(group), None) = (&wanted.group, observed.wanted_gid) {
        let provider = match group {
            GroupReference::Name(name) => provider_of_group(name, pending),
            // A group resource does not promise a number; what this rests on may bring it.
            GroupReference::Number(_) => pending.dependency(),
        };
        match provider {
            Some(provider) => draft.rests_on(&format!("group {group}"), provider),
            None => return Err(missing_group(group)),
        }
    }
    for (group, remote) in &observed.missing_groups {
        match provider_of_group(group, pending) {
            _ if *remote => {
                return Err(Failure::new(format!(
                    "the group {group} comes from the name service, not from /etc/group"
                ))
                .with_hint("members of such a group are managed where it lives (LDAP, SSSD)"));
            }
            Some(provider) => draft.rests_on(&format!("group {group}"), provider),
            None => return Err(missing_group(&GroupReference::Name(group.clone()))),
        }
    }
    check_shell(wanted, observed, pending, draft)
}

fn check_shell(
    wanted: &Wanted,
    observed: &Observed,
    pending: &Pending<'_>,
    draft: &mut Draft,
) -> Result<(), Failure> {
    let (Some(shell), Some(facts)) = (&wanted.shell, observed.shell) else { return Ok(()) };
    let problem = match facts {
        ShellFacts::Executable => return Ok(()),
        ShellFacts::Missing => "does not exist",
        ShellFacts::NotExecutable => "is not executable",
    };
    let package = shell.rsplit('/').next().unwrap_or_default().to_owned();
    let provider = pending
        .provider(&Provision::Path(shell.clone()))
        .or_else(|| pending.provider(&Provision::Package(package)))
        .or_else(|| package_dependency(pending));
    if let Some(provider) = provider {
        draft.rests_on(&format!("shell {shell}"), provider);
        return Ok(());
    }
    Err(Failure::new(format!("the shell {shell} {problem}"))
        .with_hint("install the package that has it and `require` that, or choose another shell"))
}

fn provider_of_group<'a>(name: &str, pending: &Pending<'a>) -> Option<&'a Reference> {
    pending.provider(&Provision::Group(name.to_owned())).or_else(|| package_dependency(pending))
}

fn package_dependency<'a>(pending: &Pending<'a>) -> Option<&'a Reference> {
    pending.dependency().filter(|dependency| dependency.kind() == "package")
}

fn missing_group(group: &GroupReference) -> Failure {
    let hint = match group {
        GroupReference::Name(name) => format!(
            "declare [group.{name}], or require the package that makes it; if [group.{name}] is \
             declared and lists this user in its `members`, take it out there: each would wait \
             for the other, and `gid` or `groups` here is enough"
        ),
        GroupReference::Number(gid) => format!(
            "declare a group with gid = {gid} and require it, or require the package that makes it"
        ),
    };
    Failure::new(format!("the group {group} does not exist")).with_hint(hint)
}

/// Kills the user's processes where that is allowed, and fails where it is not.
fn clear_processes(
    wanted: &Wanted,
    uid: u32,
    processes: &[Process],
    purpose: &str,
    draft: &mut Draft,
) -> Result<(), Failure> {
    if processes.is_empty() {
        return Ok(());
    }
    let list = crate::host::accounts::process_list(processes);
    if !wanted.force {
        return Err(Failure::new(format!("cannot {purpose}: {} runs {list}", wanted.name))
            .with_hint("end these processes, or set `force = true` to have them killed"));
    }
    let change = Change::new("processes", Shown::value(&list), Shown::Absent);
    let action = UserAction::KillProcesses { uid, processes: processes.to_vec() };
    draft.steps.push(Step::disruptive(action, vec![change]));
    Ok(())
}

fn optional(value: Option<impl std::fmt::Display>) -> Shown {
    value.map_or(Shown::Absent, Shown::value)
}
