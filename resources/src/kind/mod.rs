//! The contract of a kind, in life-cycle order: declare, relate, observe, plan, apply.
//!
//! Optional abilities are traits of their own ([`Batch`], [`Prepare`], [`Recover`], [`Refresh`], [`Export`],
//! [`Watch`]); a kind that lacks one says so by returning `None`, and nothing pretends.
//! [`AnyKind`] is a kind whose types are not known: what the registry holds and the engine calls.

mod abilities;
mod any;

use std::fmt::Debug;
use std::time::Instant;

use crate::attributes::AttributeReader;
use crate::bucket::Bucket;
use crate::declaration::KindDeclaration;
use crate::export::Export;
use crate::failure::Failure;
use crate::host::{Host, View};
use crate::pending::{Pending, Provision};
use crate::relations::Relations;
use crate::step::{Action, Planned, Step};

pub use abilities::{Batch, Gathering, Member, Prepare, Recover, Refresh, Watch};
pub use any::{AnyKind, AnyMember, AnyPlanned, AnyWanted};

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

    /// The ability to be watched between two runs, if the kind has it.
    fn watch(&self) -> Option<&dyn Watch<Self>> {
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
