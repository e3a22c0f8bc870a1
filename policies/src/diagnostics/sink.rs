//! Where errors are collected while a repository is read and evaluated.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::trace::Tracer;

use super::{Code, Diagnostic, Diagnostics, Related, Severity, Sources, Spot, hidden};

/// Proof that an error was recorded. Whatever rests on the broken thing is silently left out, so
/// that one mistake is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported;

/// The sources read and the errors found so far.
#[derive(Default)]
pub(crate) struct Context {
    pub(crate) sources: Sources,
    found: RefCell<Vec<Diagnostic>>,
    /// Where secrets are written.
    hidden: RefCell<BTreeSet<Spot>>,
    /// Takes notes about one resource, where somebody asked.
    pub(crate) tracer: Option<Tracer>,
}

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
        let place = spot.map(|spot| self.sources.locate(spot));
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
        let hidden = self.hidden.borrow();
        hidden.iter().any(|other| {
            other.source == spot.source
                && other.span.start <= spot.span.start
                && spot.span.end <= other.span.end
        })
    }

    /// How many errors and warnings were recorded so far.
    pub(crate) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// Whether any error was recorded so far.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.borrow().iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// What was recorded so far, which is forgotten.
    pub(crate) fn take(&self) -> Vec<Diagnostic> {
        self.found.take()
    }

    /// Records what was [taken](Self::take).
    pub(crate) fn put(&self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.found.borrow_mut().extend(diagnostics);
    }

    /// Everything recorded, sorted.
    pub(crate) fn finish(self) -> Diagnostics {
        let hidden = self.hidden.into_inner();
        let mut found = self.found.into_inner();
        if !hidden.is_empty() {
            for diagnostic in &mut found {
                hidden::hide(diagnostic, &hidden, &self.sources);
            }
        }
        Diagnostics::new(found)
    }
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
        let place = self.context.sources.locate(spot);
        self.diagnostic.related.push(Related { message: message.into(), place });
        self
    }

    /// Records it.
    pub(crate) fn report(self) -> Reported {
        self.context.found.borrow_mut().push(self.diagnostic);
        Reported
    }
}
