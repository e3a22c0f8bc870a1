//! What the fuzzers of `tests/fuzz` run on every input, and a test runs on the inputs kept in Git.
//!
//! Each function takes any bytes and panics where something that must hold does not: nothing
//! panics, every diagnostic points into its file, the same input gives the same catalog, what is
//! written can be read again. That it ends soon and with little memory is watched from outside.

mod evaluator;
mod memory;
mod parser;
mod places;
mod report;

pub use evaluator::evaluator;
pub use parser::parser;
pub use report::report;

use memory::Memory;
use places::check_places;
