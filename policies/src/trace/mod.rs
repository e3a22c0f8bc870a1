//! Where one resource comes from: which lines declare it, what led there, and what fed each of its
//! values. Evaluation takes these notes only where somebody asked, about one resource.
//!
//! What must stay true: a catalog is the same with and without notes; whatever is secret is hidden
//! here already, so that nobody who prints this can give it away.

mod absent;
mod ask;
mod hide;
mod inputs;
mod model;
mod scan;
mod subject;

use std::cell::RefCell;

use globset::GlobBuilder;

use steadfast_resources::Reference;

use crate::diagnostics::suggest::nearest;
use crate::expression::is_interpolated;
use crate::parse::Declaration;

pub use ask::{evaluate_policy_tracing, evaluate_tracing};
pub(crate) use inputs::Lineage;
pub use model::{
    Absent, Attribute, Effect, Expression, Form, Input, Layer, Origin, Reason, Repetition, Subject,
    Trace, Use,
};
pub(crate) use subject::Made;

/// Takes notes about one resource while policies are evaluated.
pub(crate) struct Tracer {
    kind: String,
    title: String,
    notes: RefCell<Notes>,
}

/// The notes.
#[derive(Default)]
struct Notes {
    subject: Option<Subject>,
    absent: Vec<Absent>,
    /// Uses of policies that this host does not make: the policy's name and why.
    unmade: Vec<(String, Vec<Use>, Reason)>,
    /// Assignments that are for this host, by the place of the policy's name.
    assignments: Vec<(crate::diagnostics::Spot, Use)>,
    /// Texts that are secret, of whatever resource.
    secrets: Vec<String>,
}

impl Tracer {
    /// Takes notes about the resource of `kind` that is titled `title`.
    pub(crate) fn new(kind: &str, title: &str) -> Self {
        Self { kind: kind.to_owned(), title: title.to_owned(), notes: RefCell::default() }
    }

    /// Whether the resource is the one.
    pub(crate) fn asks_for(&self, kind: &str, title: &str) -> bool {
        self.title == title && self.kind == kind
    }

    /// Whether `declaration` may make the resource.
    fn may_be(&self, declaration: &Declaration) -> bool {
        let title = &*declaration.title;
        declaration.kind.declaration().name == self.kind
            && (*title == *self.title
                || is_interpolated(title) && self.fits(&crate::evaluate::pattern(title)))
    }

    fn fits(&self, pattern: &str) -> bool {
        GlobBuilder::new(pattern)
            .backslash_escape(true)
            .build()
            .is_ok_and(|glob| glob.compile_matcher().is_match(&self.title))
    }

    /// Everything noted, without secrets. `elsewhere` looks through the policies that this host
    /// does not use, where nothing else explains why the resource is not there.
    pub(crate) fn finish(&self, elsewhere: impl FnOnce() -> Vec<Absent>) -> Trace {
        let subject = self.notes.borrow_mut().subject.take();
        let mut trace = Trace { subject, ..Trace::default() };
        if trace.subject.is_none() {
            trace.absent = std::mem::take(&mut self.notes.borrow_mut().absent);
            let told = !trace.absent.is_empty();
            if trace.absent.iter().all(|absent| absent.reason.is_weak()) {
                let unused = |absent: &Absent| told && matches!(absent.reason, Reason::Unused);
                trace.absent.extend(elsewhere().into_iter().filter(|absent| !unused(absent)));
            }
        }
        hide::secrets(&mut trace, &self.notes.borrow().secrets);
        trace
    }

    /// The names of resources that were perhaps meant: of the same title in another kind, with a
    /// title that is nearly the same, or with the title in their own.
    pub(crate) fn near<'n>(
        &self,
        names: impl Iterator<Item = &'n Reference> + Clone,
    ) -> Vec<String> {
        let mut found: Vec<String> = names
            .clone()
            .filter(|name| name.title() == self.title)
            .map(ToString::to_string)
            .collect();
        let same_kind = names.filter(|name| name.kind() == self.kind);
        if let Some(title) = nearest(&self.title, same_kind.clone().map(Reference::title)) {
            found.extend(
                same_kind.clone().find(|name| name.title() == title).map(ToString::to_string),
            );
        }
        let contains = same_kind.filter(|name| name.title().contains(&self.title));
        found.extend(contains.map(ToString::to_string).take(MAXIMUM_NEAR));
        let mut seen = std::collections::HashSet::new();
        found.retain(|name| seen.insert(name.clone()));
        found.truncate(MAXIMUM_NEAR);
        found
    }
}

/// How many names are proposed.
const MAXIMUM_NEAR: usize = 5;
