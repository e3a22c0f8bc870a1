//! A kind whose types are not known: what the registry holds and the engine calls.

use std::any::Any;

use super::{Batch, Gathering, Kind, Member, Turn};
use crate::accept::{Drift, Edit};
use crate::attributes::AttributeReader;
use crate::declaration::KindDeclaration;
use crate::export::{Exported, Selection};
use crate::failure::Failure;
use crate::host::watch::Interest;
use crate::host::{Host, View};
use crate::pending::{Pending, Provision};
use crate::reference::Reference;
use crate::relations::Relations;
use crate::step::{AnyStep, Step};

/// What a policy asks for, whatever the kind.
pub type AnyWanted = Box<dyn Any + Send + Sync>;

/// A plan for one resource, whatever the kind.
#[derive(Debug)]
pub struct AnyPlanned {
    /// The steps; none means in sync.
    pub steps: Vec<AnyStep>,
    /// See [`crate::step::Planned::condition`].
    pub condition: Option<String>,
    /// See [`crate::step::Planned::notes`].
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
    /// See [`super::Prepare::announce`]. Nothing where the kind lacks the ability.
    fn announce(&self, wanted: &[&AnyWanted], view: &View<'_>);
    /// See [`super::Prepare::prepare`]. Nothing where the kind lacks the ability.
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
    /// See [`super::Recover::places`]; none where the kind lacks the ability.
    fn places(&self, wanted: &AnyWanted) -> Vec<String>;
    /// See [`super::Recover::sweep`]; nothing where the kind lacks the ability.
    fn sweep(&self, places: &[String], host: &mut dyn Host) -> Result<Vec<String>, Failure>;
    /// Whether the kind can be read from a machine.
    fn exports(&self) -> bool;
    /// See [`crate::export::Export::titles`]. Fails where the kind lacks the ability.
    fn titles(&self, selection: &Selection<'_>, view: &View<'_>) -> Result<Vec<String>, Failure>;
    /// See [`crate::export::Export::export`]. Fails where the kind lacks the ability.
    fn exported(&self, title: &str, view: &View<'_>) -> Result<Option<Exported>, Failure>;
    /// See [`crate::export::Export::accept`]. Fails where the kind lacks the ability.
    fn accept(&self, drift: &Drift<'_>, view: &View<'_>) -> Result<Vec<Edit>, Failure>;
    /// See [`super::Watch::interests`]; nothing where the kind lacks the ability.
    fn interests(&self, wanted: &AnyWanted) -> Vec<Interest>;
    /// Whether the kind acts on notifications.
    fn refreshes(&self) -> bool;
    /// See [`super::Refresh::refresh_needed`].
    fn refresh_needed(
        &self,
        wanted: &AnyWanted,
        view: &View<'_>,
        applied: &[AnyStep],
    ) -> Result<Option<String>, Failure>;
    /// See [`super::Refresh::refresh`].
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

    fn interests(&self, wanted: &AnyWanted) -> Vec<Interest> {
        match (Kind::watch(self), typed::<K>(wanted)) {
            (Some(watch), Ok(wanted)) => watch.interests(wanted),
            _ => Vec::new(),
        }
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
