//! What is no error to the engine and cannot be meant: comparisons of different types, conditions
//! that no host changes. Each place is looked at once, however many resources it makes.

use super::texts::Locals;
use super::{Evaluator, Frame};
use crate::diagnostics::{Code, Span};
use crate::expression::{Compiled, Origin, misspelt_facts, mixed_comparisons};

impl Evaluator<'_> {
    /// Judges the expression `compiled` that is written at `span`; `condition` tells whether it is
    /// a `when`.
    pub(super) fn lint(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        compiled: &Compiled<'_>,
        (origin, span): (Origin<'_>, Span),
        condition: bool,
    ) {
        if !self.linted.borrow_mut().insert(super::key(frame.policy.source, span)) {
            return;
        }
        let told = self.told(frame, locals, origin);
        let expression = matches!(compiled, Compiled::Expression { .. });
        let mixed = mixed_comparisons(origin.text, expression);
        let sound = mixed.is_empty();
        for mixed in mixed {
            let spot = told.in_origin(mixed.range);
            let draft = self.context.warning(Code::WrongType, spot, mixed.message);
            draft.hint(mixed.hint).report();
        }
        for misspelt in misspelt_facts(origin.text, expression) {
            let spot = told.in_origin(misspelt.range);
            let draft = self.context.warning(Code::InvalidValue, spot, misspelt.message);
            draft.hint(misspelt.hint).report();
        }
        if condition
            && sound
            && compiled.names(false).is_empty()
            && let Ok(value) = compiled.run(&locals.value(), &self.engine.budget)
            && value.kind() == minijinja::value::ValueKind::Bool
        {
            let (message, hint) = if value.is_true() {
                (
                    "this condition is true on every host",
                    "remove it, or ask for a fact, a label or a parameter",
                )
            } else {
                (
                    "this condition is true on no host",
                    "ask for a fact, a label or a parameter; to take something out for a while, write `when = false`",
                )
            };
            let draft = self.context.warning(Code::Unused, origin.spot, message);
            draft.hint(hint.to_owned()).report();
        }
    }
}
