//! One package of a batch on its way: what is to be done, what was, and how it ended.

use crate::failure::Failure;
use crate::host::View;
use crate::host::packages::{Install, PackageName, Staged, Transaction, TransactionOptions};
use crate::pending::Pending;

use super::action::{PackageAction, Verb};
use super::observed::observe;
use super::plan::plan;
use super::wanted::Wanted;

/// One package's part of a batch.
pub(super) struct Job<'w> {
    pub(super) wanted: &'w Wanted,
    pub(super) steps: Vec<PackageAction>,
    /// The file it comes from, in its private place.
    pub(super) staged: Option<Staged>,
    /// Set once nothing more is to be tried.
    pub(super) result: Option<Result<(), Failure>>,
}

/// What must be equal for packages to share a transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sharing {
    pub(super) options: TransactionOptions,
    again: bool,
    /// The package's own name where it shares with nobody.
    alone: Option<PackageName>,
}

impl<'w> Job<'w> {
    pub(super) fn new(wanted: &'w Wanted, steps: Vec<PackageAction>) -> Self {
        Self { wanted, steps, staged: None, result: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.result.is_none()
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.result = Some(Err(failure));
    }

    /// The step that installs, changes or removes, if there is one.
    pub(super) fn change(&self) -> Option<&PackageAction> {
        self.steps.iter().find(|step| !step.verb.concerns_hold())
    }

    pub(super) fn removes(&self) -> bool {
        self.change().is_some_and(|step| step.verb.removes())
    }

    pub(super) fn purges(&self) -> bool {
        self.change().is_some_and(|step| matches!(step.verb, Verb::Purge { .. }))
    }

    pub(super) fn installs(&self) -> bool {
        self.change().is_some_and(|step| !step.verb.removes())
    }

    pub(super) fn has(&self, verb: &Verb) -> bool {
        self.steps.iter().any(|step| step.verb == *verb)
    }

    /// Plans again from what the machine is now, within what this job was given to do.
    pub(super) fn replan(&mut self, view: &View<'_>) {
        match self.outstanding(view) {
            Ok(steps) if steps.is_empty() => self.result = Some(Ok(())),
            Ok(steps) => self.steps = steps,
            Err(failure) => self.fail(failure),
        }
    }

    /// What is still to be done of the things this job was given to do.
    pub(super) fn outstanding(&self, view: &View<'_>) -> Result<Vec<PackageAction>, Failure> {
        let observed = observe(self.wanted, view.packages)?;
        let planned = plan(self.wanted, &observed, &Pending::nothing())?;
        let changes = self.change().is_some();
        let holds = self.steps.iter().any(|step| step.verb.concerns_hold());
        let given = |step: &PackageAction| if step.verb.concerns_hold() { holds } else { changes };
        Ok(planned.steps.into_iter().map(|step| step.action).filter(given).collect())
    }

    /// Whether the change is done, whatever a transaction said. A hold comes later.
    pub(super) fn change_is_done(&self, view: &View<'_>) -> Result<bool, Failure> {
        Ok(self.outstanding(view)?.iter().all(|step| step.verb.concerns_hold()))
    }

    pub(super) fn sharing(&self) -> Sharing {
        let mut options = self.wanted.options.clone();
        let change = self.change();
        options.allow_held = change.is_some_and(|step| step.held);
        options.allow_downgrade &= change
            .is_some_and(|step| matches!(step.verb, Verb::Downgrade { .. } | Verb::Change { .. }));
        let again =
            change.is_some_and(|step| matches!(step.verb, Verb::Finish { again: true, .. }));
        let alone = (!options.install_options.is_empty()).then(|| self.wanted.name.clone());
        Sharing { options, again, alone }
    }

    pub(super) fn install(&self) -> Option<Install> {
        let step = self.change()?;
        let (version, again) = match &step.verb {
            Verb::Install { version } => (version.clone(), false),
            Verb::Finish { version, again, .. } => (version.clone(), *again),
            Verb::Upgrade { to, .. } | Verb::Downgrade { to, .. } => (Some(to.clone()), false),
            Verb::Change { .. } => (None, false),
            Verb::Remove { .. } | Verb::Purge { .. } | Verb::Hold | Verb::Unhold => return None,
        };
        let file = self.staged.as_ref().map(|staged| staged.path.clone());
        Some(Install { name: step.package.clone(), version, file, again })
    }

    /// The transaction of this job alone.
    pub(super) fn transaction(&self) -> Transaction {
        let remove = if self.removes() { vec![self.wanted.name.clone()] } else { Vec::new() };
        Transaction {
            install: self.install().into_iter().collect(),
            remove,
            purge: self.purges(),
            options: self.sharing().options,
            ..Transaction::default()
        }
    }
}
