//! Running expressions and strings, and telling what is known from what is not.

use std::rc::Rc;
use std::sync::Arc;

use minijinja::Value as Jinja;

use super::{Evaluator, Frame, key};
use crate::diagnostics::{Code, Reported, Span, Spot};
use crate::expression::{
    Compiled, Library, Origin, ROOTS, Scope, Told, is_certain, is_interpolated, mixed_comparisons,
    only_expression, tell, undefined_names, unknown_filters, unknown_tests,
};
use crate::parse::{Item, Node};
use crate::trace::Lineage;

/// The names that an expression sees, in the form the engine takes, made once for many.
#[derive(Clone)]
pub(crate) struct Locals {
    pub(crate) scope: Arc<Scope>,
    value: Jinja,
    /// Whether there is an `item`, known or not.
    pub(crate) item: bool,
    /// The parameters declared (only when checking).
    pub(crate) declared: Rc<[String]>,
    /// Where the names come from, where somebody asked.
    pub(crate) lineage: Option<Rc<Lineage>>,
    /// The parameters that a real host may have another value for, where there is doubt.
    pub(crate) doubtful: Rc<[String]>,
}

impl Locals {
    pub(crate) fn new(scope: Scope) -> Self {
        let scope = Arc::new(scope);
        let value = Jinja::from_dyn_object(Arc::clone(&scope));
        Self {
            scope,
            value,
            item: false,
            declared: Rc::default(),
            lineage: None,
            doubtful: Rc::default(),
        }
    }

    /// The same names, and `item`.
    pub(crate) fn with_item(&self, item: Jinja) -> Self {
        let scope = Arc::new(self.scope.with_item(item));
        let value = Jinja::from_dyn_object(Arc::clone(&scope));
        Self { scope, value, item: true, ..self.clone() }
    }

    /// The names in the form the engine takes.
    pub(crate) fn value(&self) -> Jinja {
        self.value.clone()
    }

    /// The same names, and an `item` of which nothing is known.
    pub(crate) fn with_unknown_item(&self) -> Self {
        Self { item: true, ..self.clone() }
    }
}

/// A template that is there and compiles.
#[derive(Clone)]
pub(crate) struct LastTemplate<'e> {
    directory: Arc<str>,
    path: Rc<str>,
    compiled: Rc<Compiled<'e>>,
}

impl LastTemplate<'_> {
    /// Whether it is the one at `path` of the policy of `frame`.
    fn is(&self, frame: &Frame<'_>, path: &str) -> bool {
        *self.path == *path && self.directory == frame.policy.directory
    }
}

/// What came of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// Its value.
    Known(Jinja),
    /// A value that it may have; with other facts or parameters it has others.
    Guess(Jinja),
    /// It rests on what is not known.
    Unknown,
}

impl Evaluator<'_> {
    /// Runs the bare expression that `item` must be (`when`, `for_each`).
    pub(crate) fn bare(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        what: &str,
        item: &Item,
    ) -> Result<Outcome, Reported> {
        let spot = frame.spot(item.span);
        let Node::Text(text) = &item.node else {
            let found = item.node.type_name();
            let message = format!("`{what}` must be an expression in quotes, not a {found}");
            let draft = self.context.error(Code::WrongType, spot, message);
            let several = what == "when" && matches!(item.node, Node::List(_));
            let hint = several.then(|| "join what must hold with `and`".to_owned());
            return Err(draft.hint(hint).report());
        };
        if let Some(range) = only_expression(text) {
            let inner = text.get(range).unwrap_or_default().trim();
            return Err(self
                .context
                .error(Code::ExpressionSyntax, spot, format!("`{what}` is a bare expression"))
                .hint(format!("leave the braces out: {inner:?}"))
                .report());
        }
        let mut origin = Origin { spot, text, offset: 0 };
        let compiled = self.engine.expression(key(frame.policy.source, item.span), text);
        let compiled = compiled.map_err(|error| tell(&self.told(frame, locals, origin), &error))?;
        origin.offset = compiled.offset();
        self.lint(frame, locals, &compiled, (origin, item.span), what == "when");
        self.run(frame, locals, &compiled, origin)
    }

    /// Whether the bare expression `item` uses `name`; false where it does not compile.
    pub(crate) fn uses(&self, frame: &Frame<'_>, item: &Item, name: &str) -> bool {
        let Node::Text(text) = &item.node else { return false };
        let compiled = self.engine.expression(key(frame.policy.source, item.span), text);
        compiled.is_ok_and(|compiled| compiled.names(false).contains(name))
    }

    /// Evaluates the string `text`, written at `span`.
    pub(crate) fn string(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        text: &str,
        span: Span,
    ) -> Result<Outcome, Reported> {
        if !is_interpolated(text) {
            return Ok(Outcome::Known(Jinja::from(text)));
        }
        let spot = frame.spot(span);
        let mut origin = Origin { spot, text, offset: 0 };
        let directory = &frame.policy.directory;
        let compiled = self.engine.string(key(frame.policy.source, span), directory, text);
        let compiled = compiled.map_err(|error| {
            origin.offset = only_expression(text).map_or(0, |range| range.start);
            tell(&self.told(frame, locals, origin), &error)
        })?;
        origin.offset = compiled.offset();
        self.lint(frame, locals, &compiled, (origin, span), false);
        self.run(frame, locals, &compiled, origin)
    }

    /// Whether the template at `path`, which is relative to the policy, is the one rendered last: most
    /// are rendered many times in a row.
    pub(super) fn is_last_template(&self, frame: &Frame<'_>, path: &str) -> bool {
        self.last_template.borrow().as_ref().is_some_and(|last| last.is(frame, path))
    }

    /// Renders the template at `path`, which is relative to the policy and written at `spot`.
    pub(crate) fn template(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        path: &str,
        spot: Spot,
    ) -> Result<Outcome, Reported> {
        let origin = Origin { spot, text: path, offset: 0 };
        let last =
            self.last_template.borrow().as_ref().filter(|last| last.is(frame, path)).cloned();
        if let Some(LastTemplate { compiled, .. }) = last {
            return self.run(frame, locals, &compiled, origin);
        }
        let name = Library::file_name(&frame.policy.directory, path);
        let compiled = loop {
            match self.engine.template(&name) {
                Ok(compiled) => break compiled,
                Err(_) if self.files.fetch_wanted() => {}
                Err(error) => return Err(tell(&self.told(frame, locals, origin), &error)),
            }
        };
        self.last_template.replace(Some(LastTemplate {
            directory: Arc::clone(&frame.policy.directory),
            path: path.into(),
            compiled: Rc::clone(&compiled),
        }));
        self.run(frame, locals, &compiled, origin)
    }

    pub(super) fn told<'t>(
        &'t self,
        frame: &'t Frame<'_>,
        locals: &'t Locals,
        origin: Origin<'t>,
    ) -> Told<'t> {
        Told {
            context: self.context,
            scope: &locals.scope,
            origin,
            paths: self.files.paths(),
            directory: &frame.policy.directory,
            used: true,
        }
    }

    fn run(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        compiled: &Compiled<'_>,
        origin: Origin<'_>,
    ) -> Result<Outcome, Reported> {
        self.note_reads(compiled);
        let uses_unknown = if self.check() {
            uses_unknown(compiled, origin.text)
        } else {
            self.doubtful(locals, compiled, origin.text)
        };
        if self.check() {
            self.check_names(frame, locals, compiled, origin)?;
        }
        loop {
            let result = compiled.run(&locals.value, &self.engine.budget);
            if self.files.fetch_wanted() {
                continue;
            }
            return match result {
                Ok(value) if value.is_undefined() && uses_unknown => Ok(Outcome::Unknown),
                Ok(value) if value.is_undefined() => {
                    self.without_value(frame, locals, compiled, origin)
                }
                Ok(value) if uses_unknown => Ok(Outcome::Guess(value)),
                Ok(value) => Ok(Outcome::Known(value)),
                Err(error) if self.check() && !is_certain(&error, uses_unknown) => {
                    Ok(Outcome::Unknown)
                }
                Err(error) if self.excuses(frame, locals, compiled, origin.text, &error) => {
                    Ok(Outcome::Unknown)
                }
                Err(error) => Err(tell(&self.told(frame, locals, origin), &error)),
            };
        }
    }

    /// Reports names that exist nowhere, whatever the host is.
    fn check_names(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        compiled: &Compiled<'_>,
        origin: Origin<'_>,
    ) -> Result<(), Reported> {
        let declared: Vec<&str> = locals.declared.iter().map(String::as_str).collect();
        let names = undefined_names(compiled, &declared, locals.item);
        let told = self.told(frame, locals, origin);
        let file = compiled.template_file();
        let mut outcome = Ok(());
        for name in names {
            let spot = match &file {
                Some((path, text)) => told.place_in_file(path, text, &name),
                None => told.place_of(&name),
            };
            outcome = Err(told.undefined(&name, spot, file.is_some()));
        }
        let expression = compiled.is_expression();
        let text = file.as_ref().map_or(origin.text, |(_, text)| text.as_str());
        if let Some((path, text)) = &file {
            for mixed in mixed_comparisons(text, false) {
                let spot = told.in_file(path, text, mixed.range);
                let draft = self.context.warning(Code::WrongType, spot, mixed.message);
                draft.hint(mixed.hint).report();
            }
        }
        for (name, range) in unknown_filters(text, expression) {
            let spot = match &file {
                Some((path, text)) => told.in_file(path, text, range),
                None => told.in_origin(range),
            };
            outcome = Err(told.no_filter(name, spot, file.is_some()));
        }
        for (name, range) in unknown_tests(text, expression) {
            let spot = match &file {
                Some((path, text)) => told.in_file(path, text, range),
                None => told.in_origin(range),
            };
            outcome = Err(told.no_test(name, spot, file.is_some()));
        }
        outcome
    }

    /// Reports an expression whose value is undefined.
    fn without_value(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        compiled: &Compiled<'_>,
        origin: Origin<'_>,
    ) -> Result<Outcome, Reported> {
        let told = self.told(frame, locals, origin);
        let mut names: Vec<String> = compiled.names(true).into_iter().collect();
        names.sort();
        let missing = names.into_iter().find(|name| told.scope.follow(name).is_err());
        if self.excuses_missing(frame, locals, compiled, origin.text, missing.as_deref()) {
            return Ok(Outcome::Unknown);
        }
        Err(match missing {
            Some(name) => told.undefined(&name, told.place_of(&name), false),
            None => self
                .context
                .error(Code::Undefined, told.origin.spot, "this expression has no value")
                .hint("an `if` needs an `else`; a value that may be missing a `default`".to_owned())
                .report(),
        })
    }
}

/// Whether the outcome may differ with facts, labels, data, parameters or items.
fn uses_unknown(compiled: &Compiled<'_>, text: &str) -> bool {
    let includes =
        |text: &str| ["include", "import", "extends"].iter().any(|word| text.contains(word));
    compiled.names(false).iter().any(|name| ROOTS.contains(&name.as_str()))
        || includes(text)
        || compiled.template_file().is_some_and(|(_, text)| includes(&text))
}
