//! The contract of a kind, in life-cycle order: declare, relate, observe, plan, apply.
//!
//! Optional abilities are traits of their own ([`Batch`], [`Prepare`], [`Refresh`], [`Export`]); a kind that lacks one says
//! so by returning `None`, and nothing pretends.

use std::any::Any;
use std::fmt::Debug;
use std::time::Instant;

use crate::accept::{Drift, Edit};
use crate::attributes::AttributeReader;
use crate::bucket::Bucket;
use crate::declaration::KindDeclaration;
use crate::export::{Export, Exported, Selection};
use crate::failure::Failure;
use crate::host::{Host, View};
use crate::pending::{Pending, Provision};
use crate::reference::Reference;
use crate::relations::Relations;
use crate::step::{Action, AnyStep, Planned, Step};

/// A kind of resource.
pub trait Kind: Send + Sync + 'static {
    /// What a policy asks for, checked.
    type Wanted: Debug + Send + Sync + 'static;
    /// What the machine has.
    type Observed: Debug;
    /// What a step does.
    type Action: Action;

    /// The kind's declaration.
    fn declaration(&self) -> &'static KindDeclaration;

    /// Reads checked attributes into the kind's own form. Every error goes to `attributes`; `None`
    /// exactly when there was one. Pure: no host, no clock.
    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<Self::Wanted>;

    /// The resource's identity and automatic edges. Pure.
    fn relations(&self, wanted: &Self::Wanted) -> Relations;

    /// What will exist once this resource's steps have been applied. Pure.
    fn provides(&self, wanted: &Self::Wanted) -> Vec<Provision>;

    /// Looks at the machine. Changes nothing, by type. Looks only at what is declared.
    fn observe(&self, wanted: &Self::Wanted, view: &View<'_>) -> Result<Self::Observed, Failure>;

    /// The steps from `observed` to `wanted`. Pure and total. After they were applied, observing
    /// and planning again yields no steps.
    fn plan(
        &self,
        wanted: &Self::Wanted,
        observed: Self::Observed,
        pending: &Pending<'_>,
    ) -> Result<Planned<Self::Action>, Failure>;

    /// Does one step. A failure leaves a state from which a rerun converges.
    fn apply(
        &self,
        wanted: &Self::Wanted,
        step: &Step<&Self::Action>,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure>;

    /// The ability to apply many resources together, if the kind has it.
    fn batch(&self) -> Option<&dyn Batch<Self>> {
        None
    }

    /// The ability to clean up after a run that was cut off, if the kind has it.
    fn recover(&self) -> Option<&dyn Recover<Self>> {
        None
    }

    /// The ability to read or refresh something once for many resources, if the kind has it.
    fn preparation(&self) -> Option<&dyn Prepare<Self>> {
        None
    }

    /// The ability to act on a notification, if the kind has it.
    fn refresh(&self) -> Option<&dyn Refresh<Self>> {
        None
    }

    /// The ability to be read from a machine, if the kind has it.
    fn export(&self) -> Option<&dyn Export<Self>> {
        None
    }
}

/// What the engine lends a kind for the time of an application.
pub struct Turn<'a> {
    /// When the resource's time is over.
    pub deadline: Instant,
    /// Where replaced content is kept.
    pub bucket: &'a mut dyn Bucket,
    /// Digests of contents kept during this turn, with the path each was found at.
    pub kept: Vec<(String, String)>,
    /// Downloads of the https sources that policies name.
    pub download: &'a dyn Download,
}

/// Fetches an https source that a policy names together with its digest.
pub trait Download {
    /// The content of `url`, at most `limit` bytes, whose SHA-256 in hexadecimal is `sha256`.
    /// Fails on any other scheme, content or length.
    fn download(
        &self,
        url: &str,
        sha256: &str,
        limit: u64,
        deadline: Instant,
    ) -> Result<Vec<u8>, Failure>;
}

/// A kind that applies many resources faster together than one by one.
pub trait Batch<K: Kind + ?Sized> {
    /// How the engine may gather a batch.
    fn gathering(&self) -> Gathering;

    /// Applies every member's steps. Returns one result for each member, in order; one member's
    /// failure does not fail another.
    fn apply_together(
        &self,
        members: &[Member<'_, K>],
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Vec<Result<(), Failure>>;
}

/// Which resources the engine may put into one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gathering {
    /// Only resources that follow one another in the catalog's order, at most this many.
    Consecutive(usize),
    /// Any resource of the kind whose dependencies are done, wherever it stands.
    Anywhere,
}

/// One resource of a batch.
#[derive(Debug)]
pub struct Member<'a, K: Kind + ?Sized> {
    /// What the policy asks for.
    pub wanted: &'a K::Wanted,
    /// The steps planned at this turn.
    pub steps: Vec<Step<&'a K::Action>>,
    /// The resource's name, to tell its failure from another's.
    pub reference: &'a Reference,
}

/// A kind whose observations rest on something that is read or refreshed once for many resources.
pub trait Prepare<K: Kind + ?Sized> {
    /// Tells the host which questions `wanted` may raise, so that the first of them is answered
    /// together with the others. Called once, with all resources of the kind, before the first is
    /// planned. Asks and changes nothing.
    fn announce(&self, wanted: &[&K::Wanted], view: &View<'_>);

    /// Refreshes what the observation of `wanted` rests on (the package index), where they need
    /// that. Called only in a run that may change the machine, before `wanted` (one batch, or one
    /// resource) are observed at their turn. A failure is remembered by the host and told by the
    /// resources it concerns.
    fn prepare(&self, wanted: &[&K::Wanted], host: &mut dyn Host, turn: &mut Turn<'_>);
}

/// A kind that acts on notifications.
pub trait Refresh<K: Kind + ?Sized> {
    /// What a notification would do now, in words, or `None` when it needs nothing (the service
    /// does not run, `on_notify = "none"`). `changed` tells whether the resource itself was
    /// changed in this run in a way that makes the notification unnecessary (just started).
    fn refresh_needed(
        &self,
        wanted: &K::Wanted,
        view: &View<'_>,
        applied: &[&K::Action],
    ) -> Result<Option<String>, Failure>;

    /// Acts on the notification.
    fn refresh(
        &self,
        wanted: &K::Wanted,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure>;
}

/// A kind whose applications, when they are cut off, leave something to be cleaned up.
pub trait Recover<K: Kind + ?Sized> {
    /// Where a cut-off application of this resource may leave something, in words of the kind's
    /// own. They are written down before anything is applied: the resource may have left the
    /// policies by the time of the next run.
    fn places(&self, wanted: &K::Wanted) -> Vec<String>;
    /// Removes what a cut-off application may have left there (temporary files). Says what was
    /// removed, a line each. Called for each resource at the beginning of the run after one that
    /// was cut off, before anything is applied, and for what that run had written down.
    fn sweep(&self, places: &[String], host: &mut dyn Host) -> Result<Vec<String>, Failure>;
}

/// What a policy asks for, whatever the kind.
pub type AnyWanted = Box<dyn Any + Send + Sync>;

/// A plan for one resource, whatever the kind.
#[derive(Debug)]
pub struct AnyPlanned {
    /// The steps; none means in sync.
    pub steps: Vec<AnyStep>,
    /// See [`Planned::condition`].
    pub condition: Option<String>,
    /// See [`Planned::notes`].
    pub notes: Vec<String>,
}

/// One resource of a batch, whatever the kind.
pub struct AnyMember<'a> {
    /// What the policy asks for.
    pub wanted: &'a AnyWanted,
    /// The steps planned at this turn.
    pub steps: &'a [AnyStep],
    /// The resource's name.
    pub reference: &'a Reference,
}

/// A [`Kind`] whose types are not known; what the registry holds. Implemented for every kind.
pub trait AnyKind: Send + Sync {
    /// See [`Kind::declaration`].
    fn declaration(&self) -> &'static KindDeclaration;
    /// See [`Kind::wanted`].
    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<AnyWanted>;
    /// See [`Kind::relations`].
    fn relations(&self, wanted: &AnyWanted) -> Result<Relations, Failure>;
    /// See [`Kind::provides`].
    fn provides(&self, wanted: &AnyWanted) -> Vec<Provision>;
    /// [`Kind::observe`], then [`Kind::plan`].
    fn plan(
        &self,
        wanted: &AnyWanted,
        view: &View<'_>,
        pending: &Pending<'_>,
    ) -> Result<AnyPlanned, Failure>;
    /// See [`Kind::apply`].
    fn apply(
        &self,
        wanted: &AnyWanted,
        step: &AnyStep,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure>;
    /// See [`Prepare::announce`]. Nothing where the kind lacks the ability.
    fn announce(&self, wanted: &[&AnyWanted], view: &View<'_>);
    /// See [`Prepare::prepare`]. Nothing where the kind lacks the ability.
    fn prepare(&self, wanted: &[&AnyWanted], host: &mut dyn Host, turn: &mut Turn<'_>);
    /// How batches are gathered, if the kind has the ability.
    fn gathering(&self) -> Option<Gathering>;
    /// See [`Batch::apply_together`]. Fails every member where the kind lacks the ability.
    fn apply_together(
        &self,
        members: &[AnyMember<'_>],
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Vec<Result<(), Failure>>;
    /// See [`Recover::places`]; none where the kind lacks the ability.
    fn places(&self, wanted: &AnyWanted) -> Vec<String>;
    /// See [`Recover::sweep`]; nothing where the kind lacks the ability.
    fn sweep(&self, places: &[String], host: &mut dyn Host) -> Result<Vec<String>, Failure>;
    /// Whether the kind can be read from a machine.
    fn exports(&self) -> bool;
    /// See [`Export::titles`]. Fails where the kind lacks the ability.
    fn titles(&self, selection: &Selection<'_>, view: &View<'_>) -> Result<Vec<String>, Failure>;
    /// See [`Export::export`]. Fails where the kind lacks the ability.
    fn exported(&self, title: &str, view: &View<'_>) -> Result<Option<Exported>, Failure>;
    /// See [`Export::accept`]. Fails where the kind lacks the ability.
    fn accept(&self, drift: &Drift<'_>, view: &View<'_>) -> Result<Vec<Edit>, Failure>;
    /// Whether the kind acts on notifications.
    fn refreshes(&self) -> bool;
    /// See [`Refresh::refresh_needed`].
    fn refresh_needed(
        &self,
        wanted: &AnyWanted,
        view: &View<'_>,
        applied: &[AnyStep],
    ) -> Result<Option<String>, Failure>;
    /// See [`Refresh::refresh`].
    fn refresh(
        &self,
        wanted: &AnyWanted,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure>;
}

fn typed<K: Kind>(wanted: &AnyWanted) -> Result<&K::Wanted, Failure> {
    wanted.downcast_ref().ok_or_else(|| Failure::new("a resource was handed to another kind"))
}

fn typed_all<'a, K: Kind>(wanted: &[&'a AnyWanted]) -> Vec<&'a K::Wanted> {
    wanted.iter().filter_map(|wanted| wanted.downcast_ref()).collect()
}

fn typed_step<K: Kind>(step: &AnyStep) -> Result<Step<&K::Action>, Failure> {
    Ok(Step {
        action: step.action::<K::Action>()?,
        changes: step.changes.clone(),
        disruptive: step.disruptive,
    })
}

fn typed_member<'a, K: Kind>(member: &AnyMember<'a>) -> Result<Member<'a, K>, Failure> {
    Ok(Member {
        wanted: typed::<K>(member.wanted)?,
        steps: member.steps.iter().map(typed_step::<K>).collect::<Result<_, _>>()?,
        reference: member.reference,
    })
}

fn no_export<K: Kind>(kind: &K) -> Failure {
    Failure::new(format!("the kind {} cannot be exported", Kind::declaration(kind).name))
}

impl<K: Kind> AnyKind for K {
    fn declaration(&self) -> &'static KindDeclaration {
        Kind::declaration(self)
    }

    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<AnyWanted> {
        let wanted = Kind::wanted(self, title, attributes)?;
        (!attributes.has_errors()).then(|| Box::new(wanted) as AnyWanted)
    }

    fn relations(&self, wanted: &AnyWanted) -> Result<Relations, Failure> {
        Ok(Kind::relations(self, typed::<K>(wanted)?))
    }

    fn provides(&self, wanted: &AnyWanted) -> Vec<Provision> {
        typed::<K>(wanted).map(|wanted| Kind::provides(self, wanted)).unwrap_or_default()
    }

    fn plan(
        &self,
        wanted: &AnyWanted,
        view: &View<'_>,
        pending: &Pending<'_>,
    ) -> Result<AnyPlanned, Failure> {
        let wanted = typed::<K>(wanted)?;
        let observed = self.observe(wanted, view)?;
        let planned = Kind::plan(self, wanted, observed, pending)?;
        Ok(AnyPlanned {
            steps: planned.steps.into_iter().map(AnyStep::erase).collect(),
            condition: planned.condition,
            notes: planned.notes,
        })
    }

    fn apply(
        &self,
        wanted: &AnyWanted,
        step: &AnyStep,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        Kind::apply(self, typed::<K>(wanted)?, &typed_step::<K>(step)?, host, turn)
    }

    fn announce(&self, wanted: &[&AnyWanted], view: &View<'_>) {
        if let Some(preparation) = self.preparation() {
            preparation.announce(&typed_all::<K>(wanted), view);
        }
    }

    fn prepare(&self, wanted: &[&AnyWanted], host: &mut dyn Host, turn: &mut Turn<'_>) {
        if let Some(preparation) = self.preparation() {
            preparation.prepare(&typed_all::<K>(wanted), host, turn);
        }
    }

    fn gathering(&self) -> Option<Gathering> {
        self.batch().map(Batch::gathering)
    }

    fn apply_together(
        &self,
        members: &[AnyMember<'_>],
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Vec<Result<(), Failure>> {
        let typed: Result<Vec<Member<'_, K>>, Failure> =
            members.iter().map(typed_member::<K>).collect();
        match (self.batch(), typed) {
            (Some(batch), Ok(typed)) => batch.apply_together(&typed, host, turn),
            (None, _) => {
                members.iter().map(|_| Err(Failure::new("this kind has no batches"))).collect()
            }
            (_, Err(failure)) => members.iter().map(|_| Err(failure.clone())).collect(),
        }
    }

    fn places(&self, wanted: &AnyWanted) -> Vec<String> {
        match (Kind::recover(self), typed::<K>(wanted)) {
            (Some(recover), Ok(wanted)) => recover.places(wanted),
            _ => Vec::new(),
        }
    }

    fn sweep(&self, places: &[String], host: &mut dyn Host) -> Result<Vec<String>, Failure> {
        Kind::recover(self).map_or_else(|| Ok(Vec::new()), |recover| recover.sweep(places, host))
    }

    fn exports(&self) -> bool {
        Kind::export(self).is_some()
    }

    fn titles(&self, selection: &Selection<'_>, view: &View<'_>) -> Result<Vec<String>, Failure> {
        Kind::export(self).ok_or_else(|| no_export(self))?.titles(selection, view)
    }

    fn exported(&self, title: &str, view: &View<'_>) -> Result<Option<Exported>, Failure> {
        Kind::export(self).ok_or_else(|| no_export(self))?.export(title, view)
    }

    fn accept(&self, drift: &Drift<'_>, view: &View<'_>) -> Result<Vec<Edit>, Failure> {
        Kind::export(self).ok_or_else(|| no_export(self))?.accept(drift, view)
    }

    fn refreshes(&self) -> bool {
        Kind::refresh(self).is_some()
    }

    fn refresh_needed(
        &self,
        wanted: &AnyWanted,
        view: &View<'_>,
        applied: &[AnyStep],
    ) -> Result<Option<String>, Failure> {
        let Some(refresh) = Kind::refresh(self) else { return Ok(None) };
        let applied: Vec<&K::Action> =
            applied.iter().filter_map(|step| step.action().ok()).collect();
        refresh.refresh_needed(typed::<K>(wanted)?, view, &applied)
    }

    fn refresh(
        &self,
        wanted: &AnyWanted,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        match Kind::refresh(self) {
            Some(refresh) => refresh.refresh(typed::<K>(wanted)?, host, turn),
            None => Ok(()),
        }
    }
}
