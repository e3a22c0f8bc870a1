//! What some kinds can do beyond the contract of every kind, a trait each.

use super::{Kind, Turn};
use crate::failure::Failure;
use crate::host::watch::Interest;
use crate::host::{Host, View};
use crate::reference::Reference;
use crate::step::Step;

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

/// A kind whose resources can be watched, so that a change is seen when it is made.
pub trait Watch<K: Kind + ?Sized> {
    /// What on the machine the observation of `wanted` rests on. Pure: what is not there yet is
    /// named as what is. Naming too little makes drift wait for the next full pass; naming too much
    /// costs a look for nothing.
    fn interests(&self, wanted: &K::Wanted) -> Vec<Interest>;
}
