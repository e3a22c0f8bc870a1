//! The Jinja environment: strict, without escaping, without anything impure.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, escape_formatter};

use super::budget::Budget;
use super::complexity;
use super::filters;
use super::guard::guarded;
use super::library::Library;

/// How deep includes and macros may nest.
const MAXIMUM_RECURSION: usize = 100;

/// What writing a value costs, besides its bytes.
const WRITING: usize = 50;

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
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    // Prints the whole scope, secrets included.
    environment.remove_global("debug");
    let loader = Arc::clone(library);
    environment.set_loader(move |name: &str| {
        let Some(text) = loader.template(name) else { return Ok(None) };
        complexity::template(&text)?;
        Ok::<_, Error>(Some(guarded(&text)))
    });
    environment.set_path_join_callback(|name, parent| Cow::Owned(Library::join(name, parent)));
    filters::install(&mut environment, budget);
    let budget = budget.clone();
    // What is written within a macro or a `set` block goes nowhere near the bounded output.
    environment.set_formatter(move |output, state, value| {
        budget.charge(WRITING + budget.text_length(value)?)?;
        if let Some(text) = value.as_str() {
            return output.write_str(text).map_err(Error::from);
        }
        escape_formatter(output, state, value)
    });
    environment
}
