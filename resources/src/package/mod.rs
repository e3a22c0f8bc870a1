//! The kind `package`: installed, removed, at a version, held.
//!
//! What must stay true: a version is decided once, in the plan, from what the indexes offer, and
//! the executor installs exactly that; a lower version, a package held by someone else and the
//! removal of anything not asked for are failures, never silent changes; a virtual name is
//! satisfied by any installed provider; many packages go in one transaction, and when that fails
//! each is tried alone, so that the one at fault is the only one to fail.
//!
//! Deliberately absent: repositories and keys (files do that), autoremoval, upgrading everything.

mod action;
mod declaration;
mod ensure;
mod export;
mod job;
mod observed;
mod plan;
mod together;
mod wanted;

#[cfg(test)]
mod tests;

use crate::attributes::AttributeReader;
use crate::declaration::KindDeclaration;
use crate::export::Export;
use crate::failure::Failure;
use crate::host::packages::Announced;
use crate::host::watch::Interest;
use crate::host::{Host, View};
use crate::kind::{Batch, Gathering, Kind, Member, Prepare, Turn, Watch};
use crate::pending::{Pending, Provision};
use crate::relations::{Autoedge, Identity, Relations};
use crate::step::{Planned, Step};

pub use action::{PackageAction, Verb};
pub use ensure::{Ensure, Range};
pub use observed::Observed;
pub use wanted::{Source, Wanted};

use job::Job;

/// The kind `package`.
pub struct Package;

impl Kind for Package {
    type Wanted = Wanted;
    type Observed = Observed;
    type Action = PackageAction;

    fn declaration(&self) -> &'static KindDeclaration {
        &declaration::PACKAGE
    }

    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<Wanted> {
        wanted::read(title, attributes)
    }

    fn relations(&self, wanted: &Wanted) -> Relations {
        let file = |path: &str| Identity::new("file", path);
        // Where packages come from decides what there is to install.
        let mut after = vec![
            Autoedge::Exactly(file("/etc/apt/sources.list")),
            Autoedge::Under { kind: "file", prefix: "/etc/apt/sources.list.d/".into() },
            Autoedge::Under { kind: "file", prefix: "/etc/apt/preferences.d/".into() },
            Autoedge::Under { kind: "file", prefix: "/etc/apt/keyrings/".into() },
        ];
        if let Some(Source::Local { path, .. }) = &wanted.source {
            after.push(Autoedge::Exactly(file(path)));
        }
        let identity = Identity::new("package", wanted.name.to_string());
        Relations::new(identity, after, wanted.ensure.is_absence())
    }

    fn provides(&self, wanted: &Wanted) -> Vec<Provision> {
        if wanted.ensure.is_absence() {
            Vec::new()
        } else {
            vec![Provision::Package(wanted.name.name().into())]
        }
    }

    fn observe(&self, wanted: &Wanted, view: &View<'_>) -> Result<Observed, Failure> {
        observed::observe(wanted, view.packages)
    }

    fn plan(
        &self,
        wanted: &Wanted,
        observed: Observed,
        pending: &Pending<'_>,
    ) -> Result<Planned<PackageAction>, Failure> {
        plan::plan(wanted, &observed, pending)
    }

    fn apply(
        &self,
        wanted: &Wanted,
        step: &Step<&PackageAction>,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let job = Job::new(wanted, vec![step.action.clone()]);
        together::apply(vec![job], host, turn).pop().unwrap_or(Ok(()))
    }

    fn batch(&self) -> Option<&dyn Batch<Self>> {
        Some(self)
    }

    fn preparation(&self) -> Option<&dyn Prepare<Self>> {
        Some(self)
    }

    fn export(&self) -> Option<&dyn Export<Self>> {
        Some(self)
    }

    fn watch(&self) -> Option<&dyn Watch<Self>> {
        Some(self)
    }
}

impl Batch<Self> for Package {
    fn gathering(&self) -> Gathering {
        Gathering::Anywhere
    }

    fn apply_together(
        &self,
        members: &[Member<'_, Self>],
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Vec<Result<(), Failure>> {
        let jobs = members
            .iter()
            .map(|member| {
                let steps = member.steps.iter().map(|step| step.action.clone()).collect();
                Job::new(member.wanted, steps)
            })
            .collect();
        together::apply(jobs, host, turn)
    }
}

impl Watch<Self> for Package {
    /// What is installed. What the indexes offer is not drift: the next full pass looks at it.
    fn interests(&self, _wanted: &Wanted) -> Vec<Interest> {
        vec![Interest::Packages]
    }
}

impl Prepare<Self> for Package {
    fn announce(&self, wanted: &[&Wanted], view: &View<'_>) {
        let announced: Vec<Announced> = wanted
            .iter()
            .map(|wanted| Announced {
                name: wanted.name.clone(),
                installed: !wanted.ensure.is_absence(),
                asked: observed::asks_index(wanted, view.packages).unwrap_or(false),
            })
            .collect();
        view.packages.announce(&announced);
    }

    fn prepare(&self, wanted: &[&Wanted], host: &mut dyn Host, turn: &mut Turn<'_>) {
        together::refresh_where_needed(wanted, host, turn.deadline);
    }
}
