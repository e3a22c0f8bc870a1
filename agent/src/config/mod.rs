//! The agent's configuration: `agent.toml` and the drop-ins `agent.toml.d/*.toml` of one directory.
//!
//! `files ──document──▶ entries ──merged──▶ one value for each key ──validate──▶ Settings`
//!
//! Each arrow is a type of its own. What must stay true:
//! - every value knows the file and line it came from, up to `steadfast config`;
//! - all errors come in one go, each with its place; an unknown key is an error with a suggestion;
//! - one declaration ([`schema`]) names every key, its form, its default and what it is for;
//! - nothing is ever read from the current directory;
//! - a file that is not read (another suffix) is named in a warning.
//!
//! Absent: contents of credentials. Settings name files, and only their permissions are looked at
//! here.

mod describe;
mod directory;
mod document;
mod merged;
mod problem;
pub mod schema;
mod settings;
mod validate;
mod values;

pub(crate) use values::duration;

#[cfg(test)]
mod tests;

pub use describe::{Described, Description};
pub use problem::{ConfigError, Origin, Place, Problem};
pub use settings::{Agent, Limits, Mode, Reports, Repository, Settings, Verify};
