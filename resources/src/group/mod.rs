//! The `group` kind: local groups (group(5), gshadow(5)).
//!
//! What must stay true: only local groups are changed; a group that is a user's primary group is
//! never removed; files keep their number when a group gets another one (the plan says so).
//!
//! Absent: group passwords and administrators, groups in a directory service.

mod export;
mod plan;
mod wanted;

#[cfg(test)]
mod tests;

pub use plan::{GroupAction, Observed};
pub use wanted::Wanted;

use crate::attributes::AttributeReader;
use crate::declaration::{AttributeDeclaration, AttributeType, KindDeclaration};
use crate::export::Export;
use crate::failure::Failure;
use crate::host::watch::Interest;
use crate::host::{Host, View};
use crate::kind::{Kind, Turn, Watch};
use crate::pending::{Pending, Provision};
use crate::relations::{Autoedge, Identity, Relations};
use crate::step::{Planned, Step};

/// The `group` kind.
#[derive(Debug)]
pub struct Group;

static DECLARATION: KindDeclaration = KindDeclaration {
    name: "group",
    summary: "A local group: its number and its members.",
    title: "the group's name",
    attributes: &[
        AttributeDeclaration::new(
            "ensure",
            AttributeType::Enumeration(&["present", "absent"]),
            "Whether the group exists. A group that is the primary group of a user that stays is \
             not removed.",
        )
        .with_default("present"),
        AttributeDeclaration::new(
            "gid",
            AttributeType::Integer,
            "The number. Users whose primary group it is follow; files keep the old number. A \
             number in use is refused.",
        ),
        AttributeDeclaration::new(
            "members",
            AttributeType::List(&AttributeType::String),
            "Names of local users that the group lists.",
        ),
        AttributeDeclaration::new(
            "membership",
            AttributeType::Enumeration(&["minimum", "inclusive"]),
            "`minimum`: `members` are added. `inclusive`: all others are taken out.",
        )
        .with_default("minimum"),
        AttributeDeclaration::new(
            "system",
            AttributeType::Boolean,
            "Whether a new group's number comes from the range of system groups. Nothing changes \
             for an existing one.",
        )
        .with_default("false"),
    ],
    example: include_str!("example.toml"),
    conformance: include_str!("conformance.toml"),
};

impl Kind for Group {
    type Wanted = Wanted;
    type Observed = Observed;
    type Action = GroupAction;

    fn declaration(&self) -> &'static KindDeclaration {
        &DECLARATION
    }

    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<Wanted> {
        Wanted::read(title, attributes)
    }

    /// After its members; a member's own edge to this group closes a cycle and one of them goes;
    /// which of the two is not there in time then says so.
    fn relations(&self, wanted: &Wanted) -> Relations {
        let members = wanted.members.iter().flatten();
        let members: Vec<_> = members.map(|member| Identity::new("user", member)).collect();
        let after = members.iter().cloned().map(Autoedge::Exactly).collect();
        let identity = Identity::new("group", &wanted.name);
        let mut relations = Relations::new(identity, after, !wanted.present);
        if wanted.present {
            let gid = wanted.gid.map(|gid| Identity::new("gid", gid.to_string()));
            relations.claims.extend(gid);
            relations.ties = members;
            relations.closed = wanted.inclusive.then_some("membership = \"inclusive\"");
        }
        relations
    }

    fn provides(&self, wanted: &Wanted) -> Vec<Provision> {
        if wanted.present { vec![Provision::Group(wanted.name.clone())] } else { Vec::new() }
    }

    fn observe(&self, wanted: &Wanted, view: &View<'_>) -> Result<Observed, Failure> {
        Ok(Observed::look(wanted, view)?)
    }

    fn plan(
        &self,
        wanted: &Wanted,
        observed: Observed,
        pending: &Pending<'_>,
    ) -> Result<Planned<GroupAction>, Failure> {
        plan::plan(wanted, &observed, pending)
    }

    fn apply(
        &self,
        wanted: &Wanted,
        step: &Step<&GroupAction>,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let (name, deadline) = (&wanted.name, turn.deadline);
        let accounts = host.accounts();
        let result = match step.action {
            GroupAction::CreateGroup(group) => accounts.create_group(group, deadline),
            GroupAction::SetNumber { gid } => accounts.set_group_id(name, *gid, deadline),
            GroupAction::ChangeMembers { add, remove } => {
                accounts.change_members(name, add, remove, deadline)
            }
            GroupAction::DeleteGroup => accounts.delete_group(name, deadline),
        };
        Ok(result?)
    }

    fn export(&self) -> Option<&dyn Export<Self>> {
        Some(self)
    }

    fn watch(&self) -> Option<&dyn Watch<Self>> {
        Some(self)
    }
}

impl Watch<Self> for Group {
    fn interests(&self, _wanted: &Wanted) -> Vec<Interest> {
        vec![Interest::Accounts]
    }
}
