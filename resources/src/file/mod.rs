//! The `file` kind: files, directories, trees and symbolic links.
//!
//! `attributes ──wanted──▶ Wanted ──goals──▶ one goal per path ──observe, plan──▶ steps ──apply──▶ port`
//!
//! What must stay true: only declared properties are changed; new content is complete, has its
//! final owner and permissions, and has passed `validate` before anyone can see it; content that
//! gives way is in the file bucket first; FIFOs, devices and sockets are never opened. How files
//! are changed safely is the port's business ([`crate::host::files`]).
//!
//! Absent: knowledge of other kinds. A tree that purges leaves alone what other `file` resources
//! manage below it (see `Prepare`); what other kinds put there, `exclude` names.

mod accept;
mod action;
mod apply;
mod batch;
mod changes;
mod command;
mod declaration;
mod diff;
mod export;
mod eyes;
mod goal;
mod mode;
mod neighbours;
mod observe;
mod plan;
mod selection;
mod wanted;
mod watch;

#[cfg(test)]
mod tests;

pub use action::FileAction;
pub use observe::Observed;
pub use wanted::Wanted;

use crate::attributes::AttributeReader;
use crate::declaration::KindDeclaration;
use crate::export::Export;
use crate::failure::Failure;
use crate::host::files::AbsolutePath;
use crate::host::{Host, View};
use crate::kind::{Batch, Kind, Prepare, Recover, Turn, Watch};
use crate::pending::{Pending, Provision};
use crate::relations::{Autoedge, Identity, Relations};
use crate::step::{Planned, Step};
use crate::value::Text;
use wanted::{Account, Shape};

/// The `file` kind.
#[derive(Debug)]
pub struct File;

impl Kind for File {
    type Wanted = Wanted;
    type Observed = Observed;
    type Action = FileAction;

    fn declaration(&self) -> &'static KindDeclaration {
        &declaration::DECLARATION
    }

    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<Wanted> {
        wanted::wanted(title, attributes)
    }

    fn relations(&self, wanted: &Wanted) -> Relations {
        let file = |path: &AbsolutePath| Text::from(&*path.shown());
        let path = file(&wanted.path);
        let mut after = Vec::new();
        if !wanted.path.is_root() {
            after.push(Autoedge::Above { kind: "file", path: path.clone() });
        }
        for (kind, account) in [("user", &wanted.owner), ("group", &wanted.group)] {
            if let Some(Account::Name(name)) = account {
                after.push(Autoedge::Exactly(Identity::new(kind, name.clone())));
            }
        }
        if let Shape::Symlink(target) = &wanted.shape
            && let Some(leads_to) = wanted.path.link_leads_to(target)
            && leads_to != wanted.path
        {
            after.push(Autoedge::Exactly(Identity::new("file", file(&leads_to))));
        }
        let absent = matches!(wanted.shape, Shape::Absent);
        let leaf = matches!(wanted.shape, Shape::File(_));
        Relations { leaf, ..Relations::new(Identity::new("file", path), after, absent) }
    }

    fn provides(&self, wanted: &Wanted) -> Vec<Provision> {
        let top = wanted.path.to_string();
        let directory = |path: String| [Provision::Path(path.clone()), Provision::Directory(path)];
        match &wanted.shape {
            Shape::Unspecified | Shape::Absent => Vec::new(),
            Shape::Present | Shape::File(_) => vec![Provision::Path(top)],
            Shape::Directory | Shape::Symlink(_) => directory(top).into(),
            Shape::Tree(tree) => {
                let below = tree.directories().into_iter();
                let below = below.map(|below| wanted.path.join(below).to_string());
                below.chain([top]).flat_map(directory).collect()
            }
        }
    }

    fn observe(&self, wanted: &Wanted, view: &View<'_>) -> Result<Observed, Failure> {
        observe::observe(wanted, view)
    }

    fn plan(
        &self,
        wanted: &Wanted,
        observed: Observed,
        pending: &Pending<'_>,
    ) -> Result<Planned<FileAction>, Failure> {
        plan::plan(wanted, &observed, pending)
    }

    fn apply(
        &self,
        wanted: &Wanted,
        step: &Step<&FileAction>,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        apply::apply(wanted, step.action, host, turn)
    }

    fn batch(&self) -> Option<&dyn Batch<Self>> {
        Some(self)
    }

    fn recover(&self) -> Option<&dyn Recover<Self>> {
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

impl Recover<Self> for File {
    fn places(&self, wanted: &Wanted) -> Vec<String> {
        let mut directories: Vec<AbsolutePath> = wanted.path.parent().into_iter().collect();
        if let Shape::Tree(tree) = &wanted.shape {
            directories.push(wanted.path.clone());
            directories.extend(tree.directories().into_iter().map(|below| wanted.path.join(below)));
        }
        directories.iter().map(ToString::to_string).collect()
    }

    fn sweep(&self, places: &[String], host: &mut dyn Host) -> Result<Vec<String>, Failure> {
        let directories: Vec<AbsolutePath> =
            places.iter().filter_map(|place| AbsolutePath::parse(place).ok()).collect();
        let removed = host.files().sweep(&directories)?;
        Ok(removed.iter().map(|path| format!("removed {path}, which that run left")).collect())
    }
}

impl Prepare<Self> for File {
    fn announce(&self, wanted: &[&Wanted], _view: &View<'_>) {
        neighbours::announce(wanted);
    }

    fn prepare(&self, _wanted: &[&Wanted], _host: &mut dyn Host, _turn: &mut Turn<'_>) {}
}
