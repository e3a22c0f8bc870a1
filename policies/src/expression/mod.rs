//! Expressions, interpolated strings and templates: Jinja, strict, pure.
//!
//! What must stay true: an undefined name is an error wherever its value would count; nothing
//! rendered is ever rendered again; nothing reads a clock, the network or randomness; every
//! evaluation ends, and all evaluations of a catalog together end within about a second: they burn
//! fuel and share one [`Budget`]; how large values may get, and what they cost, is the business of
//! [`guard`]. One evaluation makes 128 MiB at most on its way.
//!
//! Blocks follow Ansible: the line break after a `{% … %}` and the blanks before it on its line are
//! not part of the output; the last line break of a template is.

mod blocks;
mod budget;
mod compiled;
mod complexity;
mod conjuncts;
mod environment;
mod facts;
mod failure;
mod filters;
mod guard;
mod library;
mod literals;
mod plain;
mod scope;
mod split;
mod syntax;
mod tokens;
mod unknown;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use budget::Budget;
pub(crate) use compiled::{Compiled, Engine};
pub(crate) use conjuncts::conjuncts;
pub(crate) use environment::environment;
pub(crate) use facts::misspelt_facts;
pub(crate) use failure::{
    Origin, Told, is_certain, path_hint, tell, undefined_in, undefined_names,
};
pub(crate) use filters::file_function;
#[cfg(all(test, not(debug_assertions)))]
pub(crate) use filters::names as filter_names;
pub use filters::{Declarations, FilterDeclaration, declarations, example};
pub(crate) use library::{Known, Library, Resolved, resolve};
pub(crate) use literals::mixed_comparisons;
pub(crate) use scope::{ROOTS, Scope};
pub(crate) use split::{is_interpolated, only_expression};
pub(crate) use unknown::{unknown_filters, unknown_tests};
pub(crate) use value::{Unconvertible, from_item, to_value};

/// How many instructions one evaluation may take (well under a second).
pub(crate) const FUEL: u64 = 5_000_000;

/// How many bytes one rendered string or template may have.
pub(crate) const MAXIMUM_OUTPUT: usize = 16 << 20;
