//! The Jinja environment: strict, without escaping, without anything impure.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};

use super::budget::{Budget, SPENT};
use super::complexity;
use super::filters;
use super::guard;
use super::library::Library;

/// How deep includes and macros may nest.
const MAXIMUM_RECURSION: usize = 100;

/// What writing a value costs, besides its bytes.
const WRITING: usize = 50;

/// What an `include`, `import` or `extends` costs, besides the text.
const INCLUDING: usize = 2000;

/// The environment in which everything of one evaluation is compiled and run, within `budget`.
pub(crate) fn environment(library: &Arc<Library>, budget: &Budget) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // Errors then know the byte range in the source.
    environment.set_debug(true);
    environment.set_fuel(Some(super::FUEL));
    environment.set_recursion_limit(MAXIMUM_RECURSION);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    let syntax = syntax.unwrap_or_default();
    environment.set_syntax(syntax.clone());
    // Prints the whole scope, secrets included.
    environment.remove_global("debug");
    let loader = Arc::clone(library);
    environment.set_loader(move |name: &str| {
        if name == SPENT {
            return Err(Error::new(ErrorKind::OutOfFuel, SPENT));
        }
        let Some(text) = loader.template(name) else { return Ok(None) };
        complexity::template(&text)?;
        Ok::<_, Error>(Some(guard::template(&text, &syntax)))
    });
    let (own, included) = (budget.clone(), Arc::clone(library));
    environment.set_path_join_callback(move |name, parent| {
        let name = Library::join(name, parent);
        // Text costs as much each time that it is included.
        let fits =
            own.charge(INCLUDING).is_ok() && own.make(included.template_length(&name)).is_ok();
        Cow::Owned(if fits { name } else { SPENT.to_owned() })
    });
    filters::install(&mut environment, budget);
    let budget = budget.clone();
    // What is written within a macro or a `set` block goes nowhere near the bounded output.
    environment.set_formatter(move |output, state, value| {
        budget.charge(WRITING)?;
        budget.make(budget.text_length(value)?)?;
        if let Some(text) = value.as_str() {
            return output.write_str(text).map_err(Error::from);
        }
        escape_formatter(output, state, value)
    });
    environment
}
