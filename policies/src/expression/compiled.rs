//! Compiling each expression and string once, and running it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{self, Write};
use std::ops::Range;
use std::rc::Rc;

use minijinja::{Environment, Error, ErrorKind, Expression, Template, Value};

use super::budget::Budget;
use super::complexity;
use super::guard;
use super::library::{Library, Resolved};
use super::plain::Plain;
use super::scope::Scope;
use super::{MAXIMUM_OUTPUT, only_expression};
use crate::diagnostics::SourceId;
use crate::map::Map;

/// A compiled expression or string.
pub(crate) enum Compiled<'e> {
    /// A bare expression, or a string that is exactly one: its value keeps its type.
    Expression {
        expression: Expression<'e, 'static>,
        /// Where the expression starts in the decoded string.
        offset: usize,
    },
    /// Text with interpolations, or a template file.
    Template(Template<'e, 'e>),
    /// One of the above that mostly needs no engine.
    Plain(Plain, Box<Compiled<'e>>),
}

impl Compiled<'_> {
    /// Runs it within `budget`.
    pub(crate) fn run(&self, scope: &Value, budget: &Budget) -> Result<Value, Error> {
        match self {
            Self::Plain(plain, compiled) => {
                let names = scope.downcast_object_ref::<Scope>();
                if let Some(value) = names.and_then(|names| plain.value(names)) {
                    budget.charge(PLAIN)?;
                    return Ok(value);
                }
                compiled.run(scope, budget)
            }
            Self::Expression { expression, .. } => {
                budget.charge(RUN)?;
                budget.begin();
                expression.eval(scope.clone())
            }
            Self::Template(template) => {
                budget.charge(RUN)?;
                budget.begin();
                // Most is text that is written as it stands.
                let likely = template.source().len().min(MAXIMUM_OUTPUT);
                let mut output = Bounded { bytes: Vec::with_capacity(likely), exceeded: false };
                let rendered = template.render_captured_to(scope.clone(), &mut output);
                let rendered =
                    rendered.map(|captured| budget.burnt(captured.state().fuel_levels()));
                if rendered.as_ref().is_err_and(|error| error.kind() == ErrorKind::OutOfFuel) {
                    budget.burnt(None);
                }
                if output.exceeded {
                    let message = format!("the output exceeds {} MiB", MAXIMUM_OUTPUT >> 20);
                    return Err(Error::new(ErrorKind::OutOfFuel, message));
                }
                rendered?;
                String::from_utf8(output.bytes)
                    .map(Value::from)
                    .map_err(|_| Error::new(ErrorKind::InvalidOperation, "the output is not UTF-8"))
            }
        }
    }

    /// The names it uses and does not define itself; with `nested`, as far as they are plain
    /// dotted paths.
    pub(crate) fn names(&self, nested: bool) -> HashSet<String> {
        match self {
            Self::Expression { expression, .. } => expression.undeclared_variables(nested),
            Self::Template(template) => template.undeclared_variables(nested),
            Self::Plain(_, compiled) => compiled.names(nested),
        }
    }

    /// The repository path and the text of the template file that this is, if it is one.
    pub(crate) fn template_file(&self) -> Option<(String, String)> {
        match self {
            Self::Template(template) => match Library::path(template.name())? {
                Resolved::Path(path) => Some((path, guard::written(template.source()))),
                _ => None,
            },
            Self::Expression { .. } | Self::Plain(..) => None,
        }
    }

    /// Whether all of it is one expression.
    pub(crate) fn is_expression(&self) -> bool {
        match self {
            Self::Expression { .. } => true,
            Self::Template(_) => false,
            Self::Plain(_, compiled) => compiled.is_expression(),
        }
    }

    /// Where its source starts in the decoded string.
    pub(crate) fn offset(&self) -> usize {
        match self {
            Self::Expression { offset, .. } => *offset,
            Self::Template(_) => 0,
            Self::Plain(_, compiled) => compiled.offset(),
        }
    }
}

/// What running anything costs.
const RUN: usize = 500;

/// How many compiled strings are kept: each takes several kilobytes.
const MAXIMUM_KEPT: usize = 10_000;

/// What putting a plain string together costs.
const PLAIN: usize = 100;

/// Collects output up to the limit.
struct Bounded {
    bytes: Vec<u8>,
    exceeded: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAXIMUM_OUTPUT {
            self.exceeded = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was compiled, by where it is written.
type Cache<'e> = Map<(SourceId, u32), Rc<Compiled<'e>>>;

/// Compiles strings once, however often they are run. A clone shares what was compiled.
#[derive(Clone)]
pub(crate) struct Engine<'e> {
    environment: &'e Environment<'static>,
    library: &'e Library,
    pub(crate) budget: Budget,
    cache: Rc<RefCell<Cache<'e>>>,
    templates: Rc<RefCell<Map<String, Rc<Compiled<'e>>>>>,
    names: Rc<RefCell<Map<String, Rc<HashSet<String>>>>>,
}

impl<'e> Engine<'e> {
    pub(crate) fn new(
        environment: &'e Environment<'static>,
        library: &'e Library,
        budget: Budget,
    ) -> Self {
        Self {
            environment,
            library,
            budget,
            cache: Rc::default(),
            templates: Rc::default(),
            names: Rc::default(),
        }
    }

    /// The bare expression `text`, written at `key`.
    pub(crate) fn expression(
        &self,
        key: (SourceId, u32),
        text: &str,
    ) -> Result<Rc<Compiled<'e>>, Error> {
        self.cached(key, || self.compile_expression(text, 0..text.len()))
    }

    /// The interpolated string `text` of a policy in `directory`, written at `key`.
    pub(crate) fn string(
        &self,
        key: (SourceId, u32),
        directory: &str,
        text: &str,
    ) -> Result<Rc<Compiled<'e>>, Error> {
        self.cached(key, || {
            let compiled = self.compile_string(key, directory, text)?;
            Ok(match Plain::read(text) {
                Some(plain) => Compiled::Plain(plain, Box::new(compiled)),
                None => compiled,
            })
        })
    }

    fn compile_string(
        &self,
        key: (SourceId, u32),
        directory: &str,
        text: &str,
    ) -> Result<Compiled<'e>, Error> {
        if let Some(range) = only_expression(text) {
            return self.compile_expression(text, range);
        }
        let name = format!("{:?}:{}", key.0, key.1);
        let name = self.library.keep_inline(directory, &name, text);
        self.environment.get_template(&name).map(Compiled::Template)
    }

    /// The string as the engine runs it.
    #[cfg(test)]
    pub(super) fn unoptimised(
        &self,
        key: (SourceId, u32),
        text: &str,
    ) -> Result<Compiled<'e>, Error> {
        self.compile_string(key, "", text)
    }

    /// The template file called `name` (see [`Library::file_name`]).
    pub(crate) fn template(&self, name: &str) -> Result<Rc<Compiled<'e>>, Error> {
        if let Some(compiled) = self.templates.borrow().get(name) {
            return Ok(Rc::clone(compiled));
        }
        let compiled = Rc::new(self.environment.get_template(name).map(Compiled::Template)?);
        self.templates.borrow_mut().insert(name.to_owned(), Rc::clone(&compiled));
        Ok(compiled)
    }

    /// The bare expression `text`, which is no string of a policy by itself.
    pub(crate) fn once(&self, text: &str) -> Result<Compiled<'e>, Error> {
        self.compile_expression(text, 0..text.len())
    }

    /// [`Compiled::names`] with `nested`, of what was compiled from `text`: found once.
    pub(crate) fn names(&self, compiled: &Compiled<'_>, text: &str) -> Rc<HashSet<String>> {
        let key = match compiled {
            Compiled::Template(template) => template.name(),
            Compiled::Expression { .. } => text,
            Compiled::Plain(_, compiled) => return self.names(compiled, text),
        };
        if let Some(known) = self.names.borrow().get(key) {
            return Rc::clone(known);
        }
        let names = Rc::new(compiled.names(true));
        self.names.borrow_mut().insert(key.to_owned(), Rc::clone(&names));
        names
    }

    fn compile_expression(&self, text: &str, range: Range<usize>) -> Result<Compiled<'e>, Error> {
        let offset = range.start;
        let text = text.get(range).unwrap_or_default().to_owned();
        complexity::expression(&text)?;
        let expression = self.environment.compile_expression_owned(guard::expression(text))?;
        Ok(Compiled::Expression { expression, offset })
    }

    fn cached(
        &self,
        key: (SourceId, u32),
        compile: impl FnOnce() -> Result<Compiled<'e>, Error>,
    ) -> Result<Rc<Compiled<'e>>, Error> {
        if let Some(compiled) = self.cache.borrow().get(&key) {
            return Ok(Rc::clone(compiled));
        }
        let compiled = Rc::new(compile()?);
        let mut cache = self.cache.borrow_mut();
        if cache.len() >= MAXIMUM_KEPT {
            cache.clear();
        }
        cache.insert(key, Rc::clone(&compiled));
        drop(cache);
        Ok(compiled)
    }
}
