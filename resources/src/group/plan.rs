//! What the machine has of a group, and the steps that are missing.

use std::fmt;

use serde::Serialize;

use crate::failure::Failure;
use crate::host::View;
use crate::host::accounts::{AccountError, Group, NewGroup};
use crate::pending::{Pending, Provision};
use crate::step::{Action, Change, Planned, Shown, Step};

use super::wanted::Wanted;

/// What a step does to a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupAction {
    /// Adds the group.
    CreateGroup(NewGroup),
    /// Gives it another number.
    SetNumber {
        /// The new number.
        gid: u32,
    },
    /// Changes whom it lists.
    ChangeMembers {
        /// Users who join.
        add: Vec<String>,
        /// Users who leave.
        remove: Vec<String>,
    },
    /// Removes it.
    DeleteGroup,
}

impl Action for GroupAction {}

impl fmt::Display for GroupAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateGroup(group) => write!(formatter, "create group {}", group.name),
            Self::SetNumber { gid } => write!(formatter, "change gid to {gid}"),
            Self::ChangeMembers { add, remove } => {
                let come = (!add.is_empty()).then(|| format!("add {}", add.join(", ")));
                let go = (!remove.is_empty()).then(|| format!("take out {}", remove.join(", ")));
                let both: Vec<String> = come.into_iter().chain(go).collect();
                formatter.write_str(&both.join("; "))
            }
            Self::DeleteGroup => formatter.write_str("remove group"),
        }
    }
}

/// What the machine has of a group.
#[derive(Debug, Default)]
pub struct Observed {
    group: Option<Group>,
    remote: bool,
    gid_holder: Option<String>,
    primary_of: Vec<String>,
    /// Wanted members who are no local users; true where the name service has them.
    strangers: Vec<(String, bool)>,
}

impl Observed {
    pub(super) fn look(wanted: &Wanted, view: &View<'_>) -> Result<Self, AccountError> {
        let accounts = view.accounts;
        let mut seen = Self { group: accounts.group(&wanted.name)?, ..Self::default() };
        match &seen.group {
            None => seen.remote = accounts.group_id(&wanted.name)?.is_some(),
            Some(group) if !wanted.present => {
                seen.primary_of = accounts.users_of_primary_group(group.gid)?;
            }
            Some(_) => {}
        }
        if !wanted.present {
            return Ok(seen);
        }
        if let Some(gid) = wanted.gid {
            seen.gid_holder = accounts.group_name(gid)?.filter(|holder| *holder != wanted.name);
        }
        for member in wanted.members.iter().flatten() {
            let listed = seen.group.as_ref().is_some_and(|group| group.members.contains(member));
            if !listed && accounts.user(member)?.is_none() {
                let remote = accounts.user_id(member)?.is_some();
                seen.strangers.push((member.clone(), remote));
            }
        }
        Ok(seen)
    }
}

/// The steps from `observed` to `wanted`.
pub(super) fn plan(
    wanted: &Wanted,
    observed: &Observed,
    pending: &Pending<'_>,
) -> Result<Planned<GroupAction>, Failure> {
    if !wanted.present {
        return removal(wanted, observed, pending);
    }
    if observed.remote && observed.group.is_none() {
        return Err(Failure::new(format!(
            "the group {} comes from the name service, not from /etc/group",
            wanted.name
        ))
        .with_hint("only local groups are changed: manage it where it lives (LDAP, SSSD)"));
    }
    if let (Some(gid), Some(holder)) = (wanted.gid, &observed.gid_holder) {
        return Err(Failure::new(format!("gid {gid} already belongs to {holder}"))
            .with_hint("two names for one number are not made; choose a free gid"));
    }
    let condition = member_condition(wanted, observed, pending)?;
    let mut planned = Planned::in_sync();
    planned.condition = condition;
    match &observed.group {
        None => {
            let mut changes =
                vec![Change::new("ensure", Shown::value("absent"), Shown::value("present"))];
            if let Some(gid) = wanted.gid {
                changes.push(Change::new("gid", Shown::Absent, Shown::value(gid)));
            }
            let (name, gid) = (wanted.name.clone(), wanted.gid);
            let group = NewGroup { name, gid, system: wanted.system };
            planned.steps.push(Step::new(GroupAction::CreateGroup(group), changes));
        }
        Some(group) => {
            if let Some(gid) = wanted.gid.filter(|gid| *gid != group.gid) {
                let change = Change::new("gid", Shown::value(group.gid), Shown::value(gid));
                planned.steps.push(Step::new(GroupAction::SetNumber { gid }, vec![change]));
                planned.notes.push(format!("files of the group keep the number {}", group.gid));
            }
        }
    }
    planned.steps.extend(members(wanted, observed.group.as_ref()));
    Ok(planned)
}

fn removal(
    wanted: &Wanted,
    observed: &Observed,
    pending: &Pending<'_>,
) -> Result<Planned<GroupAction>, Failure> {
    let Some(group) = &observed.group else { return Ok(Planned::in_sync()) };
    if group.gid == 0 {
        return Err(Failure::new(format!("{} has the number of the group root", group.name)));
    }
    let change = Change::new("ensure", Shown::value("present"), Shown::value("absent"));
    let planned = Planned::steps(vec![Step::disruptive(GroupAction::DeleteGroup, vec![change])]);
    if observed.primary_of.is_empty() {
        return Ok(planned);
    }
    // Users that go in the same run go first.
    let users = observed.primary_of.join(", ");
    match pending.dependency() {
        Some(dependency) => {
            Ok(planned.conditional(format!("{users} must leave the group first: see {dependency}")))
        }
        None => Err(Failure::new(format!("{} is the primary group of {users}", wanted.name))
            .with_hint("remove these users, or give them another primary group")),
    }
}

fn member_condition(
    wanted: &Wanted,
    observed: &Observed,
    pending: &Pending<'_>,
) -> Result<Option<String>, Failure> {
    let mut conditions = Vec::new();
    for (member, remote) in &observed.strangers {
        let package = pending.dependency().filter(|dependency| dependency.kind() == "package");
        match pending.provider(&Provision::User(member.clone())).or(package) {
            Some(provider) => conditions.push(format!("user {member} comes from {provider}")),
            None if *remote => {
                return Err(Failure::new(format!(
                    "the user {member} comes from the name service, not from /etc/passwd"
                ))
                .with_hint("only local users are made members of local groups"));
            }
            None => {
                return Err(Failure::new(format!("the user {member} does not exist")).with_hint(
                    format!(
                        "declare [user.{member}], or require the package that makes it; if \
                         [user.{member}] names this group itself (`gid`, `groups`), each waits \
                         for the other: take {member} out of `members` of [group.{group}] and \
                         declare [user.{member}] with `groups = [\"{group}\"]`",
                        group = wanted.name
                    ),
                ));
            }
        }
    }
    Ok((!conditions.is_empty()).then(|| conditions.join("; ")))
}

fn members(wanted: &Wanted, group: Option<&Group>) -> Option<Step<GroupAction>> {
    let wanted_members = wanted.members.as_ref()?;
    let current = group.map(|group| group.members.as_slice()).unwrap_or_default();
    let add: Vec<String> =
        wanted_members.iter().filter(|member| !current.contains(member)).cloned().collect();
    let remove: Vec<String> = current
        .iter()
        .filter(|member| wanted.inclusive && !wanted_members.contains(member))
        .cloned()
        .collect();
    if add.is_empty() && remove.is_empty() {
        return None;
    }
    let mut after: Vec<&str> = current
        .iter()
        .filter(|member| !remove.contains(member))
        .chain(&add)
        .map(String::as_str)
        .collect();
    after.sort_unstable();
    let before = group.map_or(Shown::Absent, |group| Shown::Value(group.members.join(", ")));
    let change = Change::new("members", before, Shown::Value(after.join(", ")));
    Some(Step::new(GroupAction::ChangeMembers { add, remove }, vec![change]))
}
