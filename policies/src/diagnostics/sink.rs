//! Where errors are collected while a repository is read and evaluated.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use super::{Code, Diagnostic, Diagnostics, Related, Severity, Sources, Span, Spot, hidden};
use crate::trace::Tracer;

/// Proof that an error was recorded. Whatever rests on the broken thing is silently left out, so
/// that one mistake is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported;

/// The sources read and the errors found so far.
#[derive(Default)]
pub(crate) struct Context {
    pub(crate) sources: Sources,
    found: RefCell<Vec<Diagnostic>>,
    /// How many there were; the first [`MAXIMUM_FOUND`] are kept.
    count: Cell<usize>,
    has_errors: Cell<bool>,
    /// Where secrets are written.
    hidden: RefCell<BTreeSet<Spot>>,
    /// Where expressions are written whose values may be secret.
    discreet: RefCell<BTreeSet<Spot>>,
    /// Takes notes about one resource, where somebody asked.
    pub(crate) tracer: Option<Tracer>,
}

/// How many diagnostics of one repository are told. Nobody reads more.
const MAXIMUM_FOUND: usize = 2_000;

impl Context {
    /// A context that takes notes.
    pub(crate) fn tracing(tracer: Tracer) -> Self {
        Self { tracer: Some(tracer), ..Self::default() }
    }

    /// A draft of an error at `spot`; nothing is recorded before [`Draft::report`].
    pub(crate) fn error(&self, code: Code, spot: Spot, message: impl Into<String>) -> Draft<'_> {
        self.draft(Severity::Error, code, Some(spot), message.into())
    }

    /// A draft of a warning at `spot`.
    pub(crate) fn warning(&self, code: Code, spot: Spot, message: impl Into<String>) -> Draft<'_> {
        self.draft(Severity::Warning, code, Some(spot), message.into())
    }

    /// A draft of an error that no place in the repository is to blame for.
    pub(crate) fn error_without_place(&self, code: Code, message: impl Into<String>) -> Draft<'_> {
        self.draft(Severity::Error, code, None, message.into())
    }

    fn draft(
        &self,
        severity: Severity,
        code: Code,
        spot: Option<Spot>,
        message: String,
    ) -> Draft<'_> {
        let told = self.count.get() < MAXIMUM_FOUND;
        let place = spot.filter(|_| told).map(|spot| self.sources.locate(spot));
        let diagnostic = Diagnostic {
            severity,
            code,
            message,
            place,
            hint: None,
            facts: Vec::new(),
            related: Vec::new(),
        };
        Draft { context: self, diagnostic }
    }

    /// No diagnostic quotes what is written at `spot`.
    pub(crate) fn hide(&self, spot: Spot) {
        self.hidden.borrow_mut().insert(spot);
    }

    /// Whether `spot` is hidden.
    pub(crate) fn hides(&self, spot: Spot) -> bool {
        covers(&self.hidden.borrow(), spot)
    }

    /// No error of what is written at `spot` tells the values it works with. Unlike what is
    /// [hidden](Self::hide), the text itself is shown.
    pub(crate) fn hush(&self, spot: Spot) {
        self.discreet.borrow_mut().insert(spot);
    }

    /// Whether errors of what is written at `spot` must not tell values.
    pub(crate) fn discreet(&self, spot: Spot) -> bool {
        covers(&self.discreet.borrow(), spot) || self.hides(spot)
    }

    /// Whether what is recorded now will be told: of so many, nobody reads more.
    pub(crate) fn tells(&self) -> bool {
        self.count.get() < MAXIMUM_FOUND
    }

    /// How many errors and warnings were recorded so far.
    pub(crate) fn count(&self) -> usize {
        self.count.get()
    }

    /// Whether any error was recorded so far.
    pub(crate) fn has_errors(&self) -> bool {
        self.has_errors.get()
    }

    /// What was recorded so far, which is forgotten.
    pub(crate) fn take(&self) -> Vec<Diagnostic> {
        self.count.set(0);
        self.has_errors.set(false);
        self.found.take()
    }

    /// Records what was [taken](Self::take).
    pub(crate) fn put(&self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            Draft { context: self, diagnostic }.report();
        }
    }

    /// Everything recorded, sorted.
    pub(crate) fn finish(self) -> Diagnostics {
        let hidden = self.hidden.into_inner();
        let mut found = self.found.into_inner();
        if self.count.get() > MAXIMUM_FOUND {
            found.push(Diagnostic {
                severity: if self.has_errors.get() { Severity::Error } else { Severity::Warning },
                code: Code::Limit,
                message: format!(
                    "only the first {MAXIMUM_FOUND} of {} errors and warnings are told",
                    self.count.get()
                ),
                place: None,
                hint: None,
                facts: Vec::new(),
                related: Vec::new(),
            });
        }
        if !hidden.is_empty() {
            for diagnostic in &mut found {
                hidden::hide(diagnostic, &hidden, &self.sources);
            }
        }
        Diagnostics::new(found)
    }
}

/// Whether one of `literals` holds `spot`.
fn covers(literals: &BTreeSet<Spot>, spot: Spot) -> bool {
    // Literals do not overlap: the last that starts before it is the only one that may hold it.
    let until = Spot::new(spot.source, Span { start: spot.span.start, end: u32::MAX });
    literals
        .range(..=until)
        .next_back()
        .is_some_and(|other| other.source == spot.source && spot.span.end <= other.span.end)
}

/// A diagnostic in the making.
#[must_use = "a draft says nothing until it is reported"]
pub(crate) struct Draft<'c> {
    context: &'c Context,
    diagnostic: Diagnostic,
}

impl Draft<'_> {
    /// Says what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.diagnostic.hint = hint.into();
        self
    }

    /// Points at another place.
    pub(crate) fn related(mut self, spot: Spot, message: impl Into<String>) -> Self {
        if self.context.count.get() >= MAXIMUM_FOUND {
            return self;
        }
        let place = self.context.sources.locate(spot);
        self.diagnostic.related.push(Related { message: message.into(), place });
        self
    }

    /// Records it.
    pub(crate) fn report(self) -> Reported {
        let context = self.context;
        if self.diagnostic.severity == Severity::Error {
            context.has_errors.set(true);
        }
        if context.count.get() < MAXIMUM_FOUND {
            context.found.borrow_mut().push(self.diagnostic);
        }
        context.count.set(context.count.get() + 1);
        Reported
    }
}
